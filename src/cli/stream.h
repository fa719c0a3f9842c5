/* stdout: the text and nothing else.  Every write goes out at once; the first failure is remembered and decides the exit code. */
#ifndef CHOIR_CLI_STREAM_H
#define CHOIR_CLI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/terminal.h"

#define EXIT_CLOSED_PIPE 141

typedef struct stream {
    int error;        /* errno of the first failed write; 0: none */
    bool interrupted; /* a signal ended a write that could not go on */
    bool line_open;   /* the last byte written was no newline */
} stream;

/* Writes all of it; non-zero when stdout is gone or a signal came. */
int stream_write(stream *s, const char *text, size_t n);
/* The same for a line that shall not be torn: after a signal, one that is begun gets a second to be taken by a slow reader. */
int stream_write_line(stream *s, const char *line, size_t n);
/* After EAGAIN (somebody made the descriptor non-blocking): waits till fd can be read, or written, a signal comes, or a
 * tenth of a second has passed. */
void stream_wait(int fd, bool to_write);
int stream_print(stream *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a terminal that somebody works at: control characters but newline and tab are shown as \xNN, so that no text that
 * a model makes up acts on it. */
int stream_show(stream *s, const char *text, size_t n);
/* A control sequence, on a terminal only: it is no text, goes out also after a signal, and opens no line. */
void stream_escape(stream *s, const char *code);
/* Ends an open line on a terminal; a pipe gets the exact bytes. */
void stream_end_line(stream *s, const terminal *t);
/* Closes stdout (a full disk may show only now) and gives the exit code: 0, 4 with a message, or 141 for a closed pipe. */
int stream_close(stream *s, const terminal *t);

#endif
