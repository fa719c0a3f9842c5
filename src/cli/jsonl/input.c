/* Lines of stdin as they come: work goes on between them. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/jsonl/jsonl.h"
#include "cli/signals.h"

enum { READ_BYTES = 1 << 16 };

static bool is_blank(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strchr(" \t\r", line[i]) == NULL || line[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* The line that ends at `end`, taken out of the buffer.  False when it is to be passed over. */
static bool take(jsonl_input *in, size_t end, const char **line, size_t *n)
{
    *line = in->at + in->begin;
    *n = end - in->begin;
    in->begin = in->searched = end < in->end ? end + 1 : end;
    in->line++;
    if (in->too_long) { /* the rest of a line that was given as too long */
        in->too_long = false;
        in->line--;
        return false;
    }
    return !is_blank(*line, *n);
}

/* A line that is whole in the buffer already; at the end of the input the last one needs no newline. */
static bool find_line(jsonl_input *in, const char **line, size_t *n)
{
    while (in->searched < in->end) {
        const char *mark = memchr(in->at + in->searched, '\n', in->end - in->searched);
        if (!mark) {
            in->searched = in->end;
            break;
        }
        if (take(in, (size_t)(mark - in->at), line, n)) {
            return true;
        }
    }
    return in->eof && in->begin < in->end && take(in, in->end, line, n);
}

static choir_status make_room(jsonl_input *in, choir_error *err)
{
    if (in->begin > 0) {
        memmove(in->at, in->at + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->searched -= in->begin;
        in->begin = 0;
    }
    if (in->cap - in->end >= READ_BYTES) {
        return CHOIR_OK;
    }
    size_t cap = in->cap ? in->cap * 2 : 4 * (size_t)READ_BYTES;
    char *bigger = realloc(in->at, cap);
    if (!bigger) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for a line of %zu bytes", cap);
    }
    in->at = bigger;
    in->cap = cap;
    return CHOIR_OK;
}

/* Whether something can be read; a signal ends the wait, also one that comes just before poll. */
static bool is_ready(const jsonl_input *in, bool wait)
{
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    int ready;
    do {
        ready = poll(&p, 1, wait ? 100 : 0);
    } while (wait && ready <= 0 && !signals_pending());
    return ready > 0;
}

jsonl_read jsonl_input_next(jsonl_input *in, bool wait, const char **line, size_t *n, choir_error *err)
{
    for (;;) {
        if (find_line(in, line, n)) {
            return JSONL_LINE;
        }
        if (in->eof) {
            return JSONL_END;
        }
        if (in->too_long) {
            in->begin = in->end = in->searched = 0;
        } else if (in->end - in->begin > JSONL_LINE_MAX) {
            in->begin = in->end = in->searched = 0;
            in->too_long = true;
            in->line++;
            *n = SIZE_MAX;
            return JSONL_LINE;
        }
        if (!is_ready(in, wait)) {
            return JSONL_NOTHING;
        }
        if (make_room(in, err)) {
            return JSONL_FAILED;
        }
        ssize_t got = read(in->fd, in->at + in->end, in->cap - in->end);
        if (got > 0) {
            in->end += (size_t)got;
        } else if (got == 0) {
            in->eof = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            base_fail(err, CHOIR_IO, "%s: %s", in->name, strerror(errno));
            return JSONL_FAILED;
        }
    }
}

void jsonl_input_close(jsonl_input *in)
{
    free(in->at);
    in->at = NULL;
    if (in->fd > STDIN_FILENO) {
        close(in->fd);
    }
}
