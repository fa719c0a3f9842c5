/* Maps in the terminal: one head large with its tokens, many heads small, or the tokens that each token looks at. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/heads.h"

enum { LARGE_MOST = 4, MARGIN_MOST = 16, TOP_MOST = 100 };

/* Shades of a weight. */
static const char *shade(float w)
{
    return w >= 0.6f ? "\u2588" : w >= 0.3f ? "\u2593" : w >= 0.1f ? "\u2592" : w >= 0.01f ? "\u2591" : " ";
}

static const char legend[] = "\u2588 60 % and more  \u2593 30 %  \u2592 10 %  \u2591 1 %";

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* The largest weight of rows [t0, t1) on columns [k0, k1). */
static float most(const heads_maps *m, int32_t i, int32_t j, int32_t t0, int32_t t1, int32_t k0, int32_t k1)
{
    float w = 0;
    for (int32_t t = t0 > m->from ? t0 : m->from; t < t1; t++) {
        const float *row = heads_row(m, i, j, t);
        for (int32_t k = k0; k < smaller(k1, t + 1); k++) {
            w = row[k] > w ? row[k] : w;
        }
    }
    return w;
}

/* What a picture is drawn for: in a pipe 80 columns. */
static int columns_of(const paper *p)
{
    return p->columns < INT_MAX ? p->columns : 80;
}

/* ---- one head ---- */

typedef struct sheet {
    paper *p;
    const heads_maps *m;
    char (*labels)[LABEL_CAP]; /* [n_tokens] */
    int margin;                /* columns of the labels on the left */
    int cell;                  /* columns of a token: 1 or 2 */
    int32_t step;              /* tokens of a cell, from left to right */
    int32_t rows;              /* the same, from above */
} sheet;

static void pad(paper *p, int n)
{
    paper_print(p, "%*s", n > 0 ? n : 0, "");
}

/* Bytes of the character at at. */
static size_t character(const char *at)
{
    size_t n = *at ? 1 : 0;
    while (n > 0 && ((unsigned char)at[n] & 0xc0) == 0x80) {
        n++;
    }
    return n;
}

/* As much of a label as fits; right-aligned. */
static void print_margin(const sheet *s, const char *label)
{
    char cut[LABEL_CAP];
    size_t n = 0;
    for (;;) {
        size_t more = character(label + n);
        memcpy(cut, label, n + more);
        cut[n + more] = '\0';
        if (more == 0 || terminal_width(cut) > s->margin) {
            break;
        }
        n += more;
    }
    cut[n] = '\0';
    pad(s->p, s->margin - terminal_width(cut));
    paper_print(s->p, "%s ", cut);
}

/* The k-th character of each token's label, one under the other. */
static bool print_heading(const sheet *s, int k)
{
    bool more = false;
    pad(s->p, s->margin + 1);
    for (int32_t t = 0; t < s->m->n_tokens; t += s->step) {
        const char *at = s->labels[t];
        char one[8] = " ";
        for (int i = 0; i < k; i++) {
            at += character(at);
        }
        size_t n = character(at);
        if (n > 0 && n < sizeof one) {
            memcpy(one, at, n);
            one[n] = '\0';
            if (terminal_width(one) != 1) {
                one[0] = '?';
                one[1] = '\0';
            }
        }
        more = more || (n > 0 && at[n] != '\0');
        paper_print(s->p, "%s%s", one, s->cell > 1 ? " " : "");
    }
    paper_print(s->p, "\n");
    return more;
}

static void draw_large(const sheet *s, int32_t i, int32_t j)
{
    enum { HEADING = 8 };
    const heads_maps *m = s->m;
    paper_prose(s->p, "layer %d, head %d: how much each token (left) takes from those before it (above)",
                (int)m->choice.layers[i], (int)m->choice.heads[j]);
    paper_print(s->p, "%s\n\n", legend);
    for (int k = 0; k < HEADING && print_heading(s, k); k++) {
    }
    for (int32_t t = m->from; t < m->n_tokens; t += s->rows) {
        print_margin(s, s->labels[t]);
        for (int32_t k = 0; k <= t; k += s->step) {
            const char *c =
                shade(most(m, i, j, t, smaller(t + s->rows, m->n_tokens), k, smaller(k + s->step, m->n_tokens)));
            paper_print(s->p, "%s%s", c, s->cell > 1 ? c : "");
        }
        paper_print(s->p, "\n");
    }
    if (s->step > 1) {
        paper_print(s->p, "(%d tokens in a cell%s: their largest)\n", (int)s->step,
                    s->rows < s->step ? " from left to right" : "");
    }
}

static sheet make_sheet(const heads_maps *m, paper *p, char (*labels)[LABEL_CAP])
{
    sheet s = {.p = p, .m = m, .labels = labels, .step = 1, .rows = 1};
    for (int32_t k = 0; k < m->n_tokens; k++) {
        int width = terminal_width(labels[k]);
        s.margin = width > s.margin ? width : s.margin;
    }
    s.margin = s.margin < MARGIN_MOST ? s.margin : MARGIN_MOST;
    const int32_t room = columns_of(p) - s.margin - 1;
    s.cell = 2 * m->n_tokens <= room ? 2 : 1;
    s.step = m->n_tokens <= room ? 1 : (m->n_tokens + room - 1) / room;
    s.rows = m->n_tokens - m->from <= room ? 1 : s.step;
    return s;
}

/* ---- all heads ---- */

/* The y-th of height lines of a head's map of width columns; each cell the largest weight of what falls on it. */
static void draw_line(const heads_maps *m, paper *p, int32_t i, int32_t j, int y, int width, int height)
{
    const int32_t n = m->n_tokens, rows = n - m->from;
    const int32_t t0 = m->from + (int32_t)((int64_t)rows * y / height);
    const int32_t t1 = m->from + (int32_t)((int64_t)rows * (y + 1) / height);
    for (int x = 0; x < width; x++) {
        const int32_t k0 = (int32_t)((int64_t)n * x / width), k1 = (int32_t)((int64_t)n * (x + 1) / width);
        paper_print(p, "%s", shade(most(m, i, j, t0, t1 > t0 ? t1 : t0 + 1, k0, k1 > k0 ? k1 : k0 + 1)));
    }
}

/* What the maps are of. */
static void print_about(const heads_maps *m, paper *p)
{
    char rows_of[HEADS_ROWS_CAP];
    paper_prose(p, "%s; a map a head, each token a line, what it looks at from left to right",
                heads_rows_text(rows_of, m));
    paper_print(p, "%s\n", legend);
}

static void draw_small(const heads_maps *m, paper *p, int columns)
{
    const heads_choice *c = &m->choice;
    const int32_t rows = m->n_tokens - m->from;
    int width = (columns - 4) / (int)c->n_heads - 1;
    width = width < 6 ? 6 : width > 24 ? 24 : width;
    width = width < m->n_tokens ? width : m->n_tokens < 4 ? 4 : (int)m->n_tokens;
    const int fit = (columns - 4) / (width + 1) > 0 ? (columns - 4) / (width + 1) : 1; /* in a line */
    const int lines = ((int)c->n_heads + fit - 1) / fit, in_line = ((int)c->n_heads + lines - 1) / lines;
    const int height = m->from == 0 || (width + 1) / 2 < rows ? (width + 1) / 2 : (int)rows;
    print_about(m, p);
    for (int32_t at = 0; at < c->n_layers * c->n_heads;) {
        const int32_t i = at / c->n_heads, j0 = at % c->n_heads, n = smaller(in_line, c->n_heads - j0);
        paper_print(p, "\n%-4s", "");
        for (int32_t j = j0; j < j0 + n; j++) {
            char name[24];
            snprintf(name, sizeof name, "L%dH%d", (int)c->layers[i], (int)c->heads[j]);
            paper_print(p, "%-*s ", width, name);
        }
        paper_print(p, "\n");
        for (int y = 0; y < height; y++) {
            paper_print(p, "%-4s", "");
            for (int32_t j = j0; j < j0 + n; j++) {
                draw_line(m, p, i, j, y, width, height);
                paper_print(p, " ");
            }
            paper_print(p, "\n");
        }
        at += n;
    }
    paper_print(p, "\none of them large: --layer L --head H\n");
}

/* ---- the tokens looked at ---- */

static void draw_top(const heads_maps *m, int32_t i, int32_t j, paper *p, char (*labels)[LABEL_CAP], int n_top)
{
    int margin = 0;
    for (int32_t t = 0; t < m->n_tokens; t++) {
        margin = terminal_width(labels[t]) > margin ? terminal_width(labels[t]) : margin;
    }
    paper_print(p, "layer %d, head %d\n", (int)m->choice.layers[i], (int)m->choice.heads[j]);
    for (int32_t t = m->from; t < m->n_tokens; t++) {
        const float *row = heads_row(m, i, j, t);
        int32_t found[TOP_MOST];
        int n = 0;
        for (int32_t k = t; k >= 0; k--) { /* of equals the nearest first */
            int at = n < n_top ? n++ : n_top;
            for (; at > 0 && row[found[at - 1]] < row[k]; at--) {
                if (at < n_top) {
                    found[at] = found[at - 1];
                }
            }
            if (at < n_top) {
                found[at] = k;
            }
        }
        paper_print(p, "%5d ", (int)t);
        pad(p, margin - terminal_width(labels[t]));
        paper_print(p, "%s  \u2190 ", labels[t]);
        for (int k = 0; k < n; k++) {
            paper_print(p, "%s%s %d (%.2f)", k > 0 ? "  " : "", labels[found[k]], (int)found[k], (double)row[found[k]]);
        }
        paper_print(p, "\n");
    }
}

/* Each head large, or (--top) the tokens that each token looks at. */
static choir_status draw_each(const heads_maps *m, const heads_text *t, paper *p, choir_error *err)
{
    const int32_t n_maps = m->choice.n_layers * m->choice.n_heads;
    char(*labels)[LABEL_CAP] = calloc((size_t)m->n_tokens, sizeof *labels);
    if (!labels) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for the tokens");
    }
    for (int32_t k = 0; k < m->n_tokens; k++) {
        heads_label(labels[k], t->s->model, t->ids[k]);
    }
    const sheet s = make_sheet(m, p, labels);
    for (int32_t at = 0; at < n_maps; at++) {
        const int32_t i = at / m->choice.n_heads, j = at % m->choice.n_heads;
        paper_print(p, "%s", at > 0 ? "\n" : "");
        if (t->s->opt->top > 0) {
            draw_top(m, i, j, p, labels, t->s->opt->top);
        } else {
            draw_large(&s, i, j);
        }
    }
    free(labels);
    return CHOIR_OK;
}

choir_status heads_map_draw(const heads_maps *m, const heads_text *t, choir_error *err)
{
    choir_status status = CHOIR_OK;
    paper p = paper_open(t->s);
    if (t->s->opt->top > 0 || m->choice.n_layers * m->choice.n_heads <= LARGE_MOST) {
        status = draw_each(m, t, &p, err);
    } else {
        draw_small(m, &p, columns_of(&p));
    }
    paper_close(&p);
    return status;
}
