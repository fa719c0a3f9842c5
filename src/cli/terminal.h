/* What the three standard streams are, and what may be written to them: colour, progress bar, warnings, errors.
 *
 * No escape code is ever written to something that is not a terminal, whatever the flags and the environment say. */
#ifndef CHOIR_CLI_TERMINAL_H
#define CHOIR_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct terminal {
    bool in, out, err; /* stdin, stdout, stderr are terminals */
    bool escapes;      /* cursor and line codes are understood (TERM is set and not "dumb") */
    bool color;        /* stderr is coloured */
    bool color_out;    /* stdout is, where a command colours it at all */
    bool quiet;        /* errors only */
    bool verbose;
} terminal;

/* Looks at the streams and at TERM, NO_COLOR and CLICOLOR_FORCE.  color: "auto", "always" (also with NO_COLOR and on a dumb
 * terminal) or "never". */
void terminal_open(terminal *t, const char *color, bool quiet, bool verbose);

/* Columns of the window that stdout is, 20 at least, 80 when it does not know; INT_MAX where it is none. */
int terminal_columns(const terminal *t);
/* Columns that a UTF-8 text takes on a terminal. */
int terminal_width(const char *text);
/* Breaks a line at spaces, so that its words stay within so many columns; a word that is wider stays whole. */
void terminal_break(char *text, int columns);

/* Whether stdin's terminal shows what is typed; nothing when it is no terminal or another job has it. */
void terminal_echo(bool on);

/* One line "choir: ..." on stderr, at most MESSAGE_MAX bytes with the newline; control characters are shown as \xNN. */
#define MESSAGE_MAX 400
void message(const terminal *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with "warning: " in front; nothing with -q. */
void warning(const terminal *t, const char *line);

/* One free line on stderr without the program's name, dimmed where colour is on: what -v tells. */
void note(const terminal *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same without the cut: as many whole characters as dst holds; false when that was not all.  4 n + 1 bytes are enough. */
bool escape_text(char *dst, size_t cap, const char *s, size_t n, size_t *used);

/* A bar on stderr while something long runs; draws only on a terminal that understands escapes, not before a third of a
 * second has passed, and ten times a second at most.  A signal that ends the program clears its line, as progress_end
 * does. */
typedef struct progress {
    const terminal *term;
    const char *label;
    const char *after; /* what follows the bar; NULL: done and total as MiB */
    uint64_t begun_ns, drawn_ns;
    bool shown;
} progress;

void progress_begin(progress *p, const terminal *t, const char *label);
void progress_draw(progress *p, uint64_t done, uint64_t total);
void progress_end(progress *p);

#endif
