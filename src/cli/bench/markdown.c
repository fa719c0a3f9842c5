/* The table for people: Markdown with all columns in a pipe or a file, always of the same widths; on a terminal those columns
 * that its window has room for, as wide as the cases need. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bench/bench.h"
#include "cli/report.h"

enum { CELL_CAP = BASE_ESCAPE_CAP, NUMBER_CAP = 32 };

typedef struct column {
    const char *title;
    int width;
    bool left;
    int rank; /* the highest goes first when the window is narrow */
    void (*text)(char dst[CELL_CAP], const bench_table *t, const bench_result *r);
} column;

enum { MODEL, SIZE, PARAMS, TYPE, THREADS, TEST, SPEED, FIRST, GAPS, BYTES, READ, OPS, SHARE, N_COLUMNS };
_Static_assert((int)N_COLUMNS == (int)BENCH_COLUMNS, "a width for each column");

enum { SAME = 8 };        /* rank of what is the same in all rows: goes into a line above them */
enum { SPEED_ALONE = 7 }; /* the least: a mean without its deviation */

/* x with so many decimals; on a terminal with fewer where it would be wider than its place. */
static const char *number(char dst[NUMBER_CAP], const bench_table *t, double x, int decimals, int place)
{
    while (snprintf(dst, NUMBER_CAP, "%.*f", decimals, x) > place && decimals > 0 && t->s->term.out) {
        decimals--;
    }
    return dst;
}

static void model_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    (void)r;
    base_escape_str(dst, session_model_name(t->s));
}

static void size_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    (void)r;
    format_bytes(dst, BYTES_CAP, t->s->info.weight_bytes);
}

static void params_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    (void)r;
    format_count(dst, BYTES_CAP, t->s->info.n_params);
}

static void type_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    (void)r;
    snprintf(dst, CELL_CAP, "%s", t->s->info.type);
}

static void threads_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    (void)t;
    snprintf(dst, CELL_CAP, "%d", (int)r->test.n_threads);
}

static void test_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    (void)t;
    bench_name(dst, CELL_CAP, &r->test);
}

static void speed_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    char mean[NUMBER_CAP], deviation[NUMBER_CAP];
    if (t->width[SPEED] == SPEED_ALONE) {
        number(dst, t, r->avg_ts, 2, SPEED_ALONE);
        return;
    }
    snprintf(dst, CELL_CAP, "%s \u00b1 %s", number(mean, t, r->avg_ts, 2, 9), number(deviation, t, r->stddev_ts, 2, 8));
}

static void first_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    number(dst, t, r->first_token_ns / 1e6, 2, 8);
}

static void gaps_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    char p50[NUMBER_CAP], p95[NUMBER_CAP], p99[NUMBER_CAP];
    dst[0] = '\0';
    if (r->test.n_gen) {
        snprintf(dst, CELL_CAP, "%s / %s / %s", number(p50, t, r->token_p50_ns / 1e6, 2, 5),
                 number(p95, t, r->token_p95_ns / 1e6, 2, 5), number(p99, t, r->token_p99_ns / 1e6, 2, 5));
    }
}

static void bytes_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    number(dst, t, r->bytes_per_token / 1e6, 2, 8);
}

static void read_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    number(dst, t, r->bytes_per_token * r->avg_ts / 1e9, 1, 6);
}

static void ops_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    number(dst, t, r->ops_per_token * r->avg_ts / 1e9, 1, 7);
}

static void share_text(char dst[CELL_CAP], const bench_table *t, const bench_result *r)
{
    const char *limit;
    const double share = bench_share(r, &limit);
    (void)t;
    snprintf(dst, CELL_CAP, "%.0f %% %s", 100 * share, limit);
}

static const column columns[N_COLUMNS] = {
    [MODEL] = {"model", 16, true, SAME, model_text},
    [SIZE] = {"size", 9, false, SAME, size_text},
    [PARAMS] = {"params", 8, false, SAME, params_text},
    [TYPE] = {"type", 5, true, SAME, type_text},
    [THREADS] = {"t", 2, false, 2, threads_text},
    [TEST] = {"test", 16, true, 0, test_text},
    [SPEED] = {"tok/s", 20, false, 0, speed_text},
    [FIRST] = {"first ms", 8, false, 3, first_text},
    [GAPS] = {"p50 / p95 / p99 ms", 21, false, 4, gaps_text},
    [BYTES] = {"MB/token", 8, false, 7, bytes_text},
    [READ] = {"GB/s", 6, false, 5, read_text},
    [OPS] = {"GOP/s", 7, false, 6, ops_text},
    [SHARE] = {"of the limit", 18, true, 1, share_text},
};

static int widest(int a, int b)
{
    return a > b ? a : b;
}

void bench_markdown_case(bench_table *t, const bench_case *test)
{
    char name[BENCH_NAME_CAP], threads[NUMBER_CAP];
    snprintf(threads, sizeof threads, "%d", (int)test->n_threads);
    t->several_threads |= t->n_threads > 0 && test->n_threads != t->n_threads;
    t->n_threads = test->n_threads;
    t->test_width = widest(t->test_width, (int)strlen(bench_name(name, sizeof name, test)));
    t->threads_width = widest(t->threads_width, (int)strlen(threads));
}

/* How wide a column is where there is room. */
static int wanted(const bench_table *t, int i)
{
    char name[CELL_CAP];
    if (!t->s->term.out) {
        return columns[i].width;
    }
    switch (i) {
    case TEST:
        return widest((int)strlen(columns[TEST].title), t->test_width);
    case THREADS:
        return widest(columns[THREADS].width, t->threads_width);
    case MODEL:
        model_text(name, t, NULL);
        return widest(columns[MODEL].width, terminal_width(name));
    case TYPE:
        return widest(columns[TYPE].width, (int)strlen(t->s->info.type));
    default:
        return columns[i].width;
    }
}

/* Several numbers of threads tell rows apart: they come right after tests and speeds. */
static int rank_of(const bench_table *t, int i)
{
    return i == THREADS && t->several_threads ? 0 : columns[i].rank;
}

/* Columns of the window that those of a rank need beside what they have. */
static int needed(const bench_table *t, int rank)
{
    int n = 0;
    for (int i = 0; i < N_COLUMNS; i++) {
        if (rank_of(t, i) == rank) {
            n += wanted(t, i) - t->width[i] + (t->width[i] ? 0 : 3);
        }
    }
    return n;
}

/* Tests and speeds are the least there is; then rank by rank what still fits. */
static void fit(bench_table *t)
{
    t->width[TEST] = wanted(t, TEST);
    t->width[SPEED] = SPEED_ALONE;
    int room = terminal_columns(&t->s->term) - (1 + t->width[TEST] + 3 + SPEED_ALONE + 3);
    const int threads = wanted(t, THREADS) + 3;
    if (t->several_threads && threads <= room) {
        t->width[THREADS] = threads - 3;
        room -= threads;
    }
    for (int rank = 0; rank <= SAME && needed(t, rank) <= room; rank++) {
        room -= needed(t, rank);
        for (int i = 0; i < N_COLUMNS; i++) {
            t->width[i] = rank_of(t, i) == rank ? wanted(t, i) : t->width[i];
        }
    }
}

static void print_cell(const bench_table *t, int i, const char *text)
{
    /* in a file a name's bytes are counted, as ever */
    const int width = i == MODEL && !t->s->term.out ? (int)strlen(text) : terminal_width(text);
    const int pad = widest(t->width[i] - width, 0);
    stream_print(&t->s->out, " %*s%s%*s |", columns[i].left ? 0 : pad, "", text, columns[i].left ? pad : 0, "");
}

static void print_rule(const bench_table *t, int i)
{
    char rule[CELL_CAP];
    memset(rule, '-', (size_t)t->width[i]);
    rule[t->width[i]] = '\0';
    if (!columns[i].left) {
        rule[t->width[i] - 1] = ':';
    }
    stream_print(&t->s->out, " %s |", rule);
}

void bench_markdown_header(bench_table *t)
{
    stream *out = &t->s->out;
    char name[CELL_CAP], size[CELL_CAP], params[CELL_CAP], line[4 * CELL_CAP];
    fit(t);
    if (!t->width[MODEL]) {
        model_text(name, t, NULL);
        size_text(size, t, NULL);
        params_text(params, t, NULL);
        snprintf(line, sizeof line, "%s: %s, %s parameters, %s", name, size, params, t->s->info.type);
        terminal_break(line, terminal_columns(&t->s->term));
        stream_print(out, "%s\n\n", line);
    }
    for (int row = 0; row < 2; row++) {
        stream_print(out, "|");
        for (int i = 0; i < N_COLUMNS; i++) {
            if (t->width[i] && row == 0) {
                print_cell(t, i, columns[i].title);
            } else if (t->width[i]) {
                print_rule(t, i);
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
        if (t->width[i]) {
            columns[i].text(text, t, r);
            print_cell(t, i, text);
        }
    }
    stream_print(&t->s->out, "\n");
}

void bench_markdown_end(bench_table *t)
{
    char line[4 * CELL_CAP] = "in a wider window, or in a file:";
    size_t n = strlen(line);
    bool all = true;
    for (int i = 0; i < N_COLUMNS; i++) {
        if (!t->width[i] && columns[i].rank != SAME) {
            n += (size_t)snprintf(line + n, sizeof line - n, "%s %s", all ? "" : ",", columns[i].title);
            all = false;
        }
    }
    if (!all) {
        terminal_break(line, terminal_columns(&t->s->term));
        stream_print(&t->s->out, "\n%s\n", line);
    }
}
