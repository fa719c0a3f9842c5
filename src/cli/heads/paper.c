/* Text for stdout in pieces of some size: a map has millions of numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/heads/heads.h"

enum { PIECE = 1 << 16, LINE = 1 << 10 };

static void flush(paper *p)
{
    if (p->n > 0) {
        stream_write(p->out, p->text, p->n);
        p->n = 0;
    }
}

paper paper_open(session *s)
{
    return (paper){.out = &s->out, .columns = terminal_columns(&s->term)};
}

void paper_write(paper *p, const char *text, size_t n)
{
    if (!p->text) {
        p->text = malloc(PIECE);
        p->cap = p->text ? PIECE : 0;
    }
    if (p->n + n > p->cap) {
        flush(p);
    }
    if (n > p->cap) { /* too long, or out of memory */
        stream_write(p->out, text, n);
        return;
    }
    memcpy(p->text + p->n, text, n);
    p->n += n;
}

void paper_print(paper *p, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    paper_write(p, line, n < 0 ? 0 : n < LINE ? (size_t)n : LINE - 1);
}

void paper_prose(paper *p, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    terminal_break(line, p->columns);
    paper_write(p, line, strlen(line));
    paper_write(p, "\n", 1);
}

void paper_close(paper *p)
{
    flush(p);
    free(p->text);
    *p = (paper){.out = p->out, .columns = p->columns};
}
