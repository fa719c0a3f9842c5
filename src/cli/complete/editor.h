/* Lines from a person or a pipe.  On a terminal that understands escapes libedit gives editing and history, Tab offers what
 * could follow, and a paste of several lines is one line with newlines in it; on a dumb one the terminal's own editing has to
 * do; from a pipe lines are read as they are, with no prompt. */
#ifndef CHOIR_CLI_EDITOR_H
#define CHOIR_CLI_EDITOR_H

#include "cli/generation.h"

typedef struct editor editor;
typedef struct names names;

typedef enum editor_event { EDITOR_LINE, EDITOR_END, EDITOR_SIGNAL, EDITOR_ERROR } editor_event;

/* What Tab at the end of the line does. */
typedef struct editor_hooks {
    void *user;
    /* Names that the last word of the line could become: calls names_add.  false: the line is no command. */
    bool (*complete)(void *user, const char *line, size_t n, names *found);
    /* A text that could follow the line: calls editor_offer as it grows. */
    void (*suggest)(void *user, const char *line, size_t n);
} editor_hooks;

/* hooks live as long as the editor.  NULL without memory. */
editor *editor_open(const terminal *t, const editor_hooks *hooks);
void editor_close(editor *e);
/* Reads a line, without its newline (others may be in it); *line is valid until the next call.  remember: it is added to the
 * history, and Tab does something.  EDITOR_SIGNAL: one came (signals_pending), the line so far is dropped.  EDITOR_ERROR: stdin
 * cannot be read, errno says why. */
editor_event editor_read(editor *e, const char *prompt, bool remember, const char **line, size_t *n);

/* What the model writes: cyan, legible on light and dark, and not the person's own. */
#define QUIET_COLOR "\033[36m"
/* Whether stdout has that colour from now on, for a signal that stops the program or lets it go on. */
void editor_paint(const editor *e, bool on);

/* Within suggest: shows the n bytes of text, which begin with what was offered before, dimmed behind the line.  Non-zero: a key or a
 * signal waits, nobody wants more. */
int editor_offer(editor *e, const char *text, size_t n);
/* Within complete: one of the words; end follows it if it is the only one.  Both are copied. */
void names_add(names *found, const char *word, char end);
/* Within complete: the word begins at this byte of the line. */
void names_begin(names *found, size_t at);

#endif
