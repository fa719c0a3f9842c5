/* The table for people: Markdown with all columns in a pipe or a file; on a terminal those that its window has room for. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bench/bench.h"
#include "cli/report.h"

enum { CELL_CAP = 64 };

typedef struct column {
    const char *title;
    int width;
    bool left;
    int last; /* the highest goes first when the window is narrow */
    void (*text)(char dst[CELL_CAP], const session *s, const bench_result *r);
} column;

enum { SAME = 9 }; /* last of what is the same in all rows: goes into a line above them */

static void model_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    char name[BASE_ESCAPE_CAP];
    (void)r;
    snprintf(dst, CELL_CAP, "%s", base_escape_str(name, session_model_name(s)));
}

static void size_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)r;
    format_bytes(dst, BYTES_CAP, s->info.weight_bytes);
}

static void params_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)r;
    format_count(dst, BYTES_CAP, s->info.n_params);
}

static void type_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)r;
    snprintf(dst, CELL_CAP, "%s", s->info.type);
}

static void threads_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    snprintf(dst, CELL_CAP, "%d", (int)r->test.n_threads);
}

static void test_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    bench_name(dst, CELL_CAP, &r->test);
}

static void speed_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    snprintf(dst, CELL_CAP, "%.2f \u00b1 %.2f", r->avg_ts, r->stddev_ts);
}

static void first_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    snprintf(dst, CELL_CAP, "%.2f", r->first_token_ns / 1e6);
}

static void gaps_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    dst[0] = '\0';
    if (r->test.n_gen) {
        snprintf(dst, CELL_CAP, "%.2f / %.2f / %.2f", r->token_p50_ns / 1e6, r->token_p95_ns / 1e6,
                 r->token_p99_ns / 1e6);
    }
}

static void bytes_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    snprintf(dst, CELL_CAP, "%.2f", r->bytes_per_token / 1e6);
}

static void read_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    snprintf(dst, CELL_CAP, "%.1f", r->bytes_per_token * r->avg_ts / 1e9);
}

static void ops_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    (void)s;
    snprintf(dst, CELL_CAP, "%.1f", r->ops_per_token * r->avg_ts / 1e9);
}

static void share_text(char dst[CELL_CAP], const session *s, const bench_result *r)
{
    const char *limit;
    const double share = bench_share(r, &limit);
    (void)s;
    snprintf(dst, CELL_CAP, "%.0f %% %s", 100 * share, limit);
}

static const column columns[] = {
    {"model", 16, true, SAME, model_text},
    {"size", 9, false, SAME, size_text},
    {"params", 8, false, SAME, params_text},
    {"type", 5, true, SAME, type_text},
    {"t", 2, false, 3, threads_text},
    {"test", 16, true, 0, test_text},
    {"tok/s", 20, false, 1, speed_text},
    {"first ms", 8, false, 4, first_text},
    {"p50 / p95 / p99 ms", 21, false, 5, gaps_text},
    {"MB/token", 8, false, 8, bytes_text},
    {"GB/s", 6, false, 6, read_text},
    {"GOP/s", 7, false, 7, ops_text},
    {"of the limit", 18, true, 2, share_text},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

unsigned bench_markdown_fit(int room)
{
    unsigned chosen = 0;
    int width = 1;
    for (int last = 0; last <= SAME; last++) {
        int more = 0;
        unsigned these = 0;
        for (int i = 0; i < N_COLUMNS; i++) {
            if (columns[i].last == last) {
                more += columns[i].width + 3;
                these |= 1u << i;
            }
        }
        if (width + more > room) {
            break;
        }
        width += more;
        chosen |= these;
    }
    return chosen;
}

/* Columns of the screen: of what is not ASCII there is only the sign between a mean and its deviation. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static void print_cell(stream *out, const column *c, const char *text)
{
    const int pad = c->width > width_of(text) ? c->width - width_of(text) : 0;
    stream_print(out, " %*s%s%*s |", c->left ? 0 : pad, "", text, c->left ? pad : 0, "");
}

static void print_rule(stream *out, const column *c)
{
    char rule[CELL_CAP];
    memset(rule, '-', (size_t)c->width);
    rule[c->width] = '\0';
    if (!c->left) {
        rule[c->width - 1] = ':';
    }
    stream_print(out, " %s |", rule);
}

static bool has(const bench_table *t, int i)
{
    return (t->columns >> i & 1u) != 0;
}

void bench_markdown_header(bench_table *t)
{
    stream *out = &t->s->out;
    char name[CELL_CAP], size[CELL_CAP], params[CELL_CAP];
    if (!has(t, 0)) {
        model_text(name, t->s, NULL);
        size_text(size, t->s, NULL);
        params_text(params, t->s, NULL);
        stream_print(out, "%s: %s, %s parameters, %s\n\n", name, size, params, t->s->info.type);
    }
    for (int line = 0; line < 2; line++) {
        stream_print(out, "|");
        for (int i = 0; i < N_COLUMNS; i++) {
            if (!has(t, i)) {
                continue;
            }
            if (line == 0) {
                print_cell(out, &columns[i], columns[i].title);
            } else {
                print_rule(out, &columns[i]);
            }
        }
        stream_print(out, "\n");
    }
}

void bench_markdown_row(bench_table *t, const bench_result *r)
{
    char text[CELL_CAP];
    stream_print(&t->s->out, "|");
    for (int i = 0; i < N_COLUMNS; i++) {
        if (has(t, i)) {
            columns[i].text(text, t->s, r);
            print_cell(&t->s->out, &columns[i], text);
        }
    }
    stream_print(&t->s->out, "\n");
}

void bench_markdown_end(bench_table *t)
{
    const char *between = "\nin a wider window, or in a file: ";
    for (int i = 0; i < N_COLUMNS; i++) {
        if (!has(t, i) && columns[i].last != SAME) {
            stream_print(&t->s->out, "%s%s", between, columns[i].title);
            between = ", ";
        }
    }
    stream_print(&t->s->out, "%s", between[0] == ',' ? "\n" : "");
}
