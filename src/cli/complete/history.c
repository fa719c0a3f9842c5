#include "cli/complete/history.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/new_file.h"

#define HISTORY_LINES 1000

/* Makes every missing folder of the path, for its owner only. */
static void make_folders(char *path)
{
    for (char *c = path + 1; *c; c++) {
        if (*c == '/') {
            *c = '\0';
            mkdir(path, 0700);
            *c = '/';
        }
    }
}

static void find_file(line_history *h)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    size_t cap = sizeof h->path;
    int n = -1;
    if (state && *state == '/') { /* the specification: a relative path is to be ignored */
        n = snprintf(h->path, cap, "%s/choir/history", state);
    } else if (home && *home == '/') {
        n = snprintf(h->path, cap, "%s/.local/state/choir/history", home);
    }
    if (n < 0 || (size_t)n >= cap) {
        h->path[0] = '\0';
        return;
    }
    make_folders(h->path);
}

/* What the file holds; NULL without memory. */
static History *read_file(const line_history *h)
{
    HistEvent event;
    History *lines = history_init();
    if (!lines) {
        return NULL;
    }
    history(lines, &event, H_SETSIZE, HISTORY_LINES);
    history(lines, &event, H_SETUNIQUE, 1);
    if (h->path[0]) {
        history(lines, &event, H_LOAD, h->path);
    }
    return lines;
}

/* Into a new file of its owner's alone, which is there when it is whole: a second choir never sees half of it.  A line that
 * cannot be kept is no reason to stop. */
static void write_file(const line_history *h, History *lines)
{
    HistEvent event;
    choir_error err;
    struct base_new_file file;
    if (base_new_file_open(&file, h->path, &err) != CHOIR_OK) {
        return;
    }
    const int fd = fchmod(file.fd, 0600) == 0 ? fcntl(file.fd, F_DUPFD_CLOEXEC, 3) : -1;
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool whole = out && history(lines, &event, H_SAVE_FP, out) >= 0;
    if (out) {
        whole = fclose(out) == 0 && whole;
    } else if (fd >= 0) {
        close(fd);
    }
    if (whole) {
        (void)base_new_file_finish(&file, &err);
    }
    base_new_file_close(&file);
}

void history_open(line_history *h)
{
    *h = (line_history){0};
    find_file(h);
    h->lines = read_file(h);
}

void history_close(line_history *h)
{
    if (h->lines) {
        history_end(h->lines);
        h->lines = NULL;
    }
}

void history_add(line_history *h, const char *line)
{
    HistEvent event;
    if (!line[strspn(line, " \t\n")]) {
        return;
    }
    history(h->lines, &event, H_ENTER, line);
    History *kept = h->path[0] ? read_file(h) : NULL;
    if (kept) {
        history(kept, &event, H_ENTER, line);
        write_file(h, kept);
        history_end(kept);
    }
}
