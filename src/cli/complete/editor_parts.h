/* The parts of the line editor on libedit: reading bytes (editor_line.c), Tab (editor_tab.c). */
#ifndef CHOIR_CLI_EDITOR_PARTS_H
#define CHOIR_CLI_EDITOR_PARTS_H

#include <histedit.h>
#include <wchar.h>

#include "cli/cells.h"
#include "cli/complete/editor.h"
#include "cli/complete/history.h"

struct editor {
    const terminal *term;
    const editor_hooks *hooks;
    EditLine *el; /* NULL: plain reading */
    line_history history;
    const char *prompt;
    bool remember;
    text_buffer offer; /* what Tab offers; shown behind the line while n > 0 */
    char pushed[8];    /* bytes read ahead to know a key by */
    size_t n_pushed;
    wchar_t mark;     /* a combining character that was typed */
    text_buffer line; /* plain reading: the line */
    char ahead[4096]; /* plain reading: bytes read but not used */
    size_t at, n_ahead;
};

/* ---- editor_line.c ---- */

/* e->el and e->history; e->el stays NULL without memory. */
void editor_open_line(editor *e);
void editor_close_line(editor *e);
editor_event editor_read_line(editor *e, const char **line, size_t *n);
/* Where the cursor is, from where the prompt begins; e->el's line up to it. */
cells editor_cursor(editor *e, bool lazy);
int editor_rows(void);
/* To the terminal, around libedit. */
void editor_draw(const char *codes, size_t n);

/* ---- editor_tab.c ---- */

/* The function behind Tab. */
unsigned char editor_on_tab(EditLine *el, int key);
/* Takes the offer off the screen and forgets it. */
void editor_drop_offer(editor *e);

#endif
