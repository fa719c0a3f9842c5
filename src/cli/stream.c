/* Writing to stdout with write(2): no buffer stands between a token and its reader. */
#include "cli/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "choir/status.h"
#include "cli/signals.h"

void stream_wait(int fd, bool to_write)
{
    struct pollfd p = {.fd = fd, .events = to_write ? POLLOUT : POLLIN};
    poll(&p, 1, 100);
}

int stream_write(stream *s, const char *text, size_t n)
{
    while (n > 0 && !s->error && !s->interrupted) {
        ssize_t done = write(STDOUT_FILENO, text, n);
        if (done > 0) {
            s->line_open = text[done - 1] != '\n';
            text += done;
            n -= (size_t)done;
        } else if (done < 0 && errno == EAGAIN) {
            stream_wait(STDOUT_FILENO, true);
            s->interrupted = signals_pending() != 0;
        } else if (done < 0 && errno == EINTR) {
            s->interrupted = signals_pending() != 0;
        } else {
            s->error = done < 0 ? errno : EIO;
        }
    }
    return s->error || s->interrupted;
}

/* A pipe that can be written takes PIPE_BUF bytes at once, so only poll sleeps here, which a signal cannot slip past. */
int stream_write_line(stream *s, const char *line, size_t n)
{
    size_t done = 0;
    int patience = 10;
    while (done < n && !s->error && !s->interrupted) {
        struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (poll(&p, 1, 100) <= 0) {
            s->interrupted = signals_pending() && (done == 0 || --patience == 0);
            continue;
        }
        ssize_t got = write(STDOUT_FILENO, line + done, n - done < PIPE_BUF ? n - done : PIPE_BUF);
        if (got > 0) {
            done += (size_t)got;
            s->line_open = line[done - 1] != '\n';
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            s->error = got < 0 ? errno : EIO;
        }
    }
    return s->error || s->interrupted;
}

int stream_print(stream *s, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < (int)sizeof small) {
        return stream_write(s, small, n < 0 ? 0 : (size_t)n);
    }
    char *big = malloc((size_t)n + 1);
    if (!big) {
        s->error = ENOMEM;
        return 1;
    }
    va_start(args, format);
    vsnprintf(big, (size_t)n + 1, format, args);
    va_end(args);
    int failed = stream_write(s, big, (size_t)n);
    free(big);
    return failed;
}

/* Bytes of the control character at text that a terminal might act upon, else 0. */
static size_t control(const char *text, size_t n)
{
    unsigned char c = (unsigned char)text[0], d = n > 1 ? (unsigned char)text[1] : 0;
    bool c0 = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f, c1 = c == 0xc2 && d >= 0x80 && d < 0xa0;
    return c0 ? 1 : c1 ? 2 : 0;
}

int stream_show(stream *s, const char *text, size_t n)
{
    size_t from = 0, at = 0;
    while (at < n) {
        size_t bytes = control(text + at, n - at);
        if (bytes == 0) {
            at++;
            continue;
        }
        stream_write(s, text + from, at - from);
        for (size_t i = 0; i < bytes; i++) {
            stream_print(s, "\\x%02x", (unsigned char)text[at + i]);
        }
        at += bytes;
        from = at;
    }
    return stream_write(s, text + from, n - from);
}

void stream_escape(stream *s, const char *code)
{
    size_t n = strlen(code);
    while (n > 0 && !s->error) {
        ssize_t done = write(STDOUT_FILENO, code, n);
        if (done < 0 && errno != EINTR && errno != EAGAIN) {
            return;
        }
        code += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

void stream_end_line(stream *s, const terminal *t)
{
    if (t->out && s->line_open) {
        stream_write(s, "\n", 1);
    }
}

int stream_close(stream *s, const terminal *t)
{
    if (!s->error && close(STDOUT_FILENO) != 0 && errno != EINTR) {
        s->error = errno;
    }
    if (s->error == EPIPE) {
        return EXIT_CLOSED_PIPE;
    }
    if (s->error) {
        message(t, "stdout: %s", strerror(s->error));
        return CHOIR_IO;
    }
    return CHOIR_OK;
}
