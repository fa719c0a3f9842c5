/* Lines from a person or a pipe.  On a terminal that understands escapes libedit gives editing and history (saved in
 * ${XDG_STATE_HOME:-~/.local/state}/choir/history, mode 0600); on a dumb one the terminal's own editing has to do; from a
 * pipe lines are read as they are, with no prompt. */
#ifndef CHOIR_CLI_EDITOR_H
#define CHOIR_CLI_EDITOR_H

#include "cli/generation.h"

typedef struct editor editor;

typedef enum editor_event { EDITOR_LINE, EDITOR_END, EDITOR_SIGNAL, EDITOR_ERROR } editor_event;

/* NULL without memory. */
editor *editor_open(const terminal *t);
void editor_close(editor *e);
/* Reads a line, without its newline, and adds it to the history if `remember`; *line is valid until the next call.  EDITOR_SIGNAL: one came (signals_pending), the line
 * so far is dropped.  EDITOR_ERROR: stdin cannot be read, errno says why. */
editor_event editor_read(editor *e, const char *prompt, bool remember, const char **line, size_t *n);

#endif
