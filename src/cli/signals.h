/* SIGINT, SIGTERM, SIGHUP, a terminal's stop and resize, and SIGBUS for a mapped file.  The handlers are the one place of the program with mutable
 * globals: POSIX hands them nothing else. */
#ifndef CHOIR_CLI_SIGNALS_H
#define CHOIR_CLI_SIGNALS_H

#include "choir.h"

typedef enum signals_mode {
    SIGNALS_EXIT,       /* a signal ends the program at once: nothing is under way that wants finishing */
    SIGNALS_CANCEL,     /* the first is remembered and cancels the engine's step; the second ends the program at once */
    SIGNALS_INTERACTIVE /* as CANCEL, but any number of SIGINTs are only remembered, and two of the others */
} signals_mode;

/* Installs the handlers.  A signal that was ignored when the program started (nohup, background jobs) stays ignored.
 * SIGPIPE and SIGXFSZ are ignored: writing reports EPIPE and EFBIG. */
void signals_install(void);
/* engine: whose step a signal cancels; NULL: none.  It must be reset before the engine is closed. */
void signals_set(signals_mode mode, choir_engine *engine);
/* What the handler writes to stderr before it ends the program at once; NULL: nothing.  text must live until the next
 * call. */
void signals_farewell(const char *text);
/* From now on a SIGBUS in a mapped file writes line to stderr and ends the program with CHOIR_IO.  line must live as
 * long as the program. */
void signals_mapped(const char *line);
/* What a terminal's user does beside ending the program: Ctrl-Z, fg, another size. */
enum { SIGNALS_RESIZED = 1, SIGNALS_STOPPED = 2, SIGNALS_CONTINUED = 4 };
/* Remembers the modes of stdin's terminal, which a signal that ends or stops the program gives back, and watches SIGTSTP (unless
 * it is ignored), SIGCONT and SIGWINCH. */
void signals_terminal(void);
/* What is written to stdout when a signal ends or stops the program, and when it goes on; NULL: nothing.  The texts must live until
 * the next call. */
void signals_screen(const char *leave, const char *back);
/* While a line is edited Ctrl-Z is only remembered; the editor gives the terminal back and calls signals_stop. */
void signals_editing(bool on);
/* Stops the program as SIGTSTP does; returns when it goes on. */
void signals_stop(void);
/* Whether a signal came that somebody waits to handle: any of those above, or one that is pending. */
bool signals_waiting(void);
/* Sleeps until stdin can be read or a signal comes (none is missed).  Returns the SIGNALS_ bits since the last call. */
unsigned signals_await_input(void);
/* The signal that came first, or 0. */
int signals_pending(void);
/* Forgets a pending SIGINT and makes the engine ready for the next step; other signals stay. */
void signals_clear(void);

#endif
