/* The lines a person typed: libedit's history, kept in ${XDG_STATE_HOME:-~/.local/state}/choir/history, mode 0600. */
#ifndef CHOIR_CLI_HISTORY_H
#define CHOIR_CLI_HISTORY_H

#include <histedit.h>
#include <limits.h>

typedef struct line_history {
    History *lines;
    char path[PATH_MAX]; /* "": nowhere to save */
} line_history;

/* Reads what is there.  lines is NULL without memory. */
void history_open(line_history *h);
void history_close(line_history *h);
/* Adds a line, here and in the file, at once: nothing is lost when the program is killed, nor what another choir has added
 * since.  A blank line, and one equal to the last, is not kept. */
void history_add(line_history *h, const char *line);

#endif
