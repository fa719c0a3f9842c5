/* manual: makes what the table of options says into
 *   manual man DIR TEMPLATES   DIR/choir.1, a page for each command, and each page of TEMPLATES (NAME.SECTION)
 *   manual bash|zsh|fish       that shell's completion, on stdout
 * Built and run by mk/doc.mk. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manual.h"

static bool complain(const char *path)
{
    fprintf(stderr, "manual: %s: %s\n", path, strerror(errno));
    return false;
}

/* The whole file, malloc'ed, or NULL. */
static char *read_whole(const char *path)
{
    enum { CAP = 1 << 16 };
    FILE *file = fopen(path, "r");
    char *text = file ? calloc(1, CAP) : NULL;
    if (text && fread(text, 1, CAP - 1, file) == 0) {
        free(text);
        text = NULL;
    }
    if (file) {
        fclose(file);
    }
    return text;
}

/* NAME.SECTION in `dir` from a template; command as print_page has it. */
static bool write_page(const char *dir, const char *template, const char *name, int section, const command_row *command)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%d", dir, name, section);
    FILE *out = fopen(path, "w");
    if (!out) {
        return complain(path);
    }
    bool ok = print_page(out, template, name, section, command);
    const bool whole = !ferror(out);
    if (fclose(out) != 0 || !whole) {
        return complain(path);
    }
    return ok;
}

static bool write_commands(const char *dir, const char *templates)
{
    bool ok = true;
    for (const command_row *row = command_rows; row->name && ok; row++) {
        char name[64], path[1024];
        snprintf(name, sizeof name, "choir-%s", row->name);
        snprintf(path, sizeof path, "%s/%s.1", templates, name);
        char *template = read_whole(path);
        ok = write_page(dir, template ? template : plain_template, name, 1, row);
        free(template);
    }
    return ok;
}

static bool is_command(const char *page)
{
    for (const command_row *row = command_rows; row->name; row++) {
        if (strncmp(page, "choir-", 6) == 0 && strcmp(page + 6, row->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Templates of pages that are no command's. */
static bool write_others(const char *dir, const char *templates)
{
    DIR *folder = opendir(templates);
    bool ok = folder != NULL;
    if (!ok) {
        return complain(templates);
    }
    for (struct dirent *entry; ok && (entry = readdir(folder));) {
        char name[64], path[1024];
        const char *dot = strrchr(entry->d_name, '.');
        const size_t n = dot ? (size_t)(dot - entry->d_name) : 0;
        if (n == 0 || n >= sizeof name || strspn(dot, ".123456789") != 2 || dot[2]) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)n, entry->d_name);
        if (is_command(name)) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", templates, entry->d_name);
        char *template = read_whole(path);
        ok = template ? write_page(dir, template, name, dot[1] - '0', NULL) : complain(path);
        free(template);
    }
    closedir(folder);
    return ok;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    if (argc == 4 && strcmp(argv[1], "man") == 0) {
        return write_commands(argv[2], argv[3]) && write_others(argv[2], argv[3]) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    for (size_t i = 0; argc == 2 && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(argv[1], shells[i].name) == 0) {
            shells[i].print(stdout);
            return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fprintf(stderr, "usage: manual man DIR TEMPLATES | manual bash|zsh|fish\n");
    return 2;
}
