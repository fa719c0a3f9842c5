/* Lines: from libedit (editor_line.c), or read plainly. */
#include "cli/complete/editor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete/editor_parts.h"
#include "cli/signals.h"
#include "cli/stream.h"

/* After a read that failed: whether nothing was wrong but the moment.  A stdin without bytes that somebody made
 * non-blocking is waited for. */
static bool try_again(void)
{
    if (errno != EINTR && errno != EAGAIN) {
        return false;
    }
    if (errno == EAGAIN) {
        stream_wait(STDIN_FILENO, false);
    }
    return signals_pending() == 0;
}

static editor_event read_plain(editor *e, const char **line, size_t *n)
{
    e->line.n = 0;
    for (;;) {
        if (e->at == e->n_ahead) {
            signals_await_input(); /* a signal before read would not end it */
            if (signals_pending()) {
                return EDITOR_SIGNAL;
            }
            ssize_t got = read(STDIN_FILENO, e->ahead, sizeof e->ahead);
            if (got < 0 && try_again()) {
                continue;
            }
            if (got < 0) {
                return signals_pending() ? EDITOR_SIGNAL : EDITOR_ERROR;
            }
            if (got == 0 && e->line.n == 0) {
                return EDITOR_END;
            }
            if (got == 0) {
                break;
            }
            e->at = 0;
            e->n_ahead = (size_t)got;
        }
        const char *from = e->ahead + e->at;
        const char *end = memchr(from, '\n', e->n_ahead - e->at);
        size_t bytes = end ? (size_t)(end - from) : e->n_ahead - e->at;
        if (text_append(&e->line, from, bytes)) {
            errno = ENOMEM;
            return EDITOR_ERROR;
        }
        e->at += bytes + (end != NULL);
        if (end) {
            break;
        }
    }
    *line = e->line.n ? e->line.at : "";
    *n = e->line.n;
    return EDITOR_LINE;
}

editor *editor_open(const terminal *t, const editor_hooks *hooks)
{
    editor *e = calloc(1, sizeof *e);
    if (!e) {
        return NULL;
    }
    e->term = t;
    e->hooks = hooks;
    if (t->in && t->out && t->escapes) {
        editor_open_line(e);
    }
    return e;
}

void editor_close(editor *e)
{
    if (e) {
        editor_close_line(e);
        free(e->offer.at);
        free(e->line.at);
        free(e);
    }
}

editor_event editor_read(editor *e, const char *prompt, bool remember, const char **line, size_t *n)
{
    e->prompt = prompt;
    e->remember = remember;
    if (e->el) {
        return editor_read_line(e, line, n);
    }
    int fd = e->term->out ? STDOUT_FILENO : STDERR_FILENO;
    if (e->term->in && (e->term->out || e->term->err) && write(fd, prompt, strlen(prompt)) < 0) {
        return EDITOR_ERROR;
    }
    return read_plain(e, line, n);
}
