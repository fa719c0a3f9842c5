/* Tab in a line that begins with a slash: commands, behind /set settings, behind /save and /load files. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/complete/complete.h"

const char *path_at_home(char dst[PATH_MAX], const char *path)
{
    const char *home = getenv("HOME");
    const bool is_there = strncmp(path, "~/", 2) == 0 && home && *home == '/';
    return is_there && snprintf(dst, PATH_MAX, "%s%s", home, path + 1) < PATH_MAX ? dst : path;
}

static bool begins(const char *name, const char *with, size_t n)
{
    return strncmp(name, with, n) == 0;
}

static bool is_folder(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* word: a path; what follows its last slash is completed.  Hidden files want their dot typed. */
static void add_files(names *found, const char *word, size_t n, size_t at)
{
    char folder[PATH_MAX], home[PATH_MAX];
    size_t begin = n;
    while (begin > 0 && word[begin - 1] != '/') {
        begin--;
    }
    if (begin >= sizeof folder) {
        return;
    }
    memcpy(folder, word, begin);
    folder[begin] = '\0';
    names_begin(found, at + begin);
    const char *there = path_at_home(home, folder);
    DIR *dir = opendir(begin > 0 ? there : ".");
    if (!dir) {
        return;
    }
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        const char *name = entry->d_name;
        bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        if (dots || !begins(name, word + begin, n - begin) || (name[0] == '.' && n == begin)) {
            continue;
        }
        names_add(found, name, is_folder(there, name) ? '/' : '\0');
    }
    closedir(dir);
}

static void add_commands(names *found, const char *word, size_t n)
{
    names_begin(found, 1);
    for (size_t i = 0; command_name(i); i++) {
        if (begins(command_name(i), word, n)) {
            names_add(found, command_name(i), ' ');
        }
    }
}

static void add_settings(names *found, const char *word, size_t n, size_t at)
{
    names_begin(found, at);
    for (size_t i = 0; setting_name(i); i++) {
        if (begins(setting_name(i), word, n)) {
            names_add(found, setting_name(i), ' ');
        }
    }
}

bool on_complete(void *user, const char *line, size_t n, names *found)
{
    writer *w = user;
    if (w->in_block || n == 0 || line[0] != '/' || (n > 1 && line[1] == '/') || memchr(line, '\n', n)) {
        return false;
    }
    char *copy = strndup(line, n);
    if (!copy) {
        return true;
    }
    size_t name = strcspn(copy + 1, " "), at = 1 + name;
    at += strspn(copy + at, " ");
    const char *word = copy + at;
    if (1 + name == n) {
        add_commands(found, copy + 1, name);
    } else if (begins(copy, "/set ", 5) && !strchr(word, ' ')) {
        add_settings(found, word, n - at, at);
    } else if (begins(copy, "/save ", 6) || begins(copy, "/load ", 6)) {
        add_files(found, word, n - at, at);
    }
    free(copy);
    return true;
}
