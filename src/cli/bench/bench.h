/* The parts of `choir bench`: one case, its measurement, its row in a table, the comparison of two files. */
#ifndef CHOIR_CLI_BENCH_H
#define CHOIR_CLI_BENCH_H

#include "cli/session.h"

/* One combination of the lists: a prefill (n_gen 0) or a decode (n_prompt 0) of n_seqs sequences with n_depth tokens of past
 * each. */
typedef struct bench_case {
    int32_t n_prompt, n_gen, n_depth, n_seqs, n_threads;
} bench_case;

/* What the machine can do at most with n_threads, measured before, between and after the runs of a case: medians. */
typedef struct bench_limits {
    int32_t n_threads;
    double read_per_second; /* bytes */
    double ops_per_second;
} bench_limits;

/* What disturbed the runs of a case.  Shares of the time; NAN: not told here, or one run alone. */
typedef struct bench_noise {
    double spread;                  /* standard deviation of the runs' speed / its mean */
    double steal;                   /* of all processors: given to others by the hypervisor */
    double waited;                  /* ready to run, but others ran */
    double throttled;               /* periods in which the control group's quota was used up */
    double mhz_lowest, mhz_highest; /* after each run */
} bench_noise;

typedef struct bench_result {
    bench_case test;
    int32_t batch;
    int32_t runs;
    uint64_t *samples_ns; /* [runs] */
    double *samples_ts;   /* [runs] tokens per second, all sequences together */
    double avg_ns, stddev_ns, avg_ts, stddev_ts;
    double first_token_ns;                           /* mean: from the start of a run to its first token drawn */
    double token_p50_ns, token_p95_ns, token_p99_ns; /* time between tokens; 0 for a prefill */
    double bytes_per_token, ops_per_token;
    bench_limits limits;
    double read_share, ops_share; /* of the limits: medians over the runs, each beside what was measured around it */
    bench_noise noise;
    char test_time[32]; /* "2026-01-31T12:00:00Z" */
} bench_result;

/* Warm-up and runs of one case.  bench_result_free also after a failure. */
choir_status bench_run(bench_result *out, session *s, const bench_case *test, const choir_sampling *sampling,
                       choir_error *err);
void bench_result_free(bench_result *r);
/* "pp512", "tg128 @ d4096 x8".  Returns dst. */
#define BENCH_NAME_CAP 64
const char *bench_name(char *dst, size_t cap, const bench_case *test);
/* Tokens per second at which the first of the limits is reached; 0: not measured. */
double bench_limit_ts(const bench_limits *limits, double bytes_per_token, double ops_per_token);
/* The larger of the two shares of the machine's limits, 0 to about 1; *name: "read" or "multiply-add". */
double bench_share(const bench_result *r, const char **name);

/* ---- what disturbed (noise.c) ---- */

typedef struct noise_meter {
    choir_machine_counters begun;
    uint64_t begun_ns;
    double mhz_lowest, mhz_highest;
} noise_meter;

/* Before the runs that count; after each of them; after the last one, with their speeds. */
void noise_begin(noise_meter *m);
void noise_sample(noise_meter *m);
void noise_end(bench_noise *out, const noise_meter *m, const double *samples_ts, size_t n);
/* Whether the numbers are not to be trusted. */
bool noise_is_much(const bench_noise *n);
/* The worst of several cases. */
void noise_add(bench_noise *worst, const bench_noise *n);
/* "runs differ by 12 %, 3.0 % of the time was stolen by the hypervisor": what was too much; "" when nothing was.  Returns
 * dst. */
#define NOISE_CAP 320
const char *noise_text(char *dst, size_t cap, const bench_noise *n);

/* Rows of a table: begin, all cases that will be measured, a row at a time as it is measured, end. */
enum { BENCH_COLUMNS = 13 };
typedef struct bench_table {
    session *s;
    const char *format; /* md, json, jsonl, csv */
    int32_t n_rows;
    /* md alone: what the cases need, and the columns */
    int32_t n_threads; /* of the last case */
    bool several_threads;
    int test_width, threads_width;
    int width[BENCH_COLUMNS]; /* known from the first row on; 0: the window has no room for it */
} bench_table;

void bench_table_begin(bench_table *t, session *s, const char *format);
choir_status bench_table_row(bench_table *t, const bench_result *r, choir_error *err);
void bench_table_end(bench_table *t, const bench_limits *limits);

/* ---- the rows of Markdown (markdown.c) ---- */

/* A case that there will be a row of; before the header. */
void bench_markdown_case(bench_table *t, const bench_case *test);
/* What is the same in all rows and has no column, then the header. */
void bench_markdown_header(bench_table *t);
void bench_markdown_row(bench_table *t, const bench_result *r);
/* The names of the columns that did not fit; nothing when all did. */
void bench_markdown_end(bench_table *t);

/* ---- --plot FILE.svg (plot.c): tokens per second over the depth and over the number of texts ---- */

typedef struct bench_point {
    bench_case test;
    double avg_ts, stddev_ts;
    double bytes_per_token, ops_per_token;
    double limit_ts; /* tokens per second that the best of all measured limits of these threads allow; 0: not known */
} bench_point;

typedef struct bench_plot {
    bench_point *at;
    size_t n, cap;
    bench_limits *limits; /* [n_limits] by number of threads, the best of all cases */
    size_t n_limits;
    bench_noise noise; /* the worst of all */
    int32_t n_noisy;
    char date[32]; /* of the first */
} bench_plot;

/* Keeps what there is to draw and to tell of a result.  CHOIR_RESOURCE. */
choir_status bench_plot_add(bench_plot *p, const bench_result *r, choir_error *err);
void bench_plot_free(bench_plot *p);
/* Writes the picture: the whole file or none of it. */
choir_status bench_plot_write(const bench_plot *p, const session *s, const char *path, choir_error *err);
/* Whether a picture can be written there; before anything is measured. */
choir_status bench_plot_check(const char *path, choir_error *err);

/* choir bench compare A.json B.json */
choir_status bench_compare(session *s, const char *path_a, const char *path_b, choir_error *err);

/* ---- statistics ---- */

double stats_mean(const double *x, size_t n);
/* Of a sample (n - 1); 0 for n < 2. */
double stats_stddev(const double *x, size_t n);
/* The smallest element that at least `share` of them do not exceed; sorts x. */
double stats_percentile(double *x, size_t n, double share);
/* exp(mean(log b) - mean(log a)) and its 95 % interval by Welch's test on logarithms; without two samples on both sides
 * low and high are the ratio itself and the result is false. */
bool stats_ratio(double *ratio, double *low, double *high, const double *a, size_t n_a, const double *b, size_t n_b);

#endif
