/* Measuring one case: an engine of the right size, the past computed once, one run to warm up, then the runs that count.
 * Every run takes fresh random ids, so that nothing can be remembered from the run before. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/bench/bench.h"
#include "cli/report.h"

typedef struct bench_state {
    session *s;
    const bench_case *test;
    choir_sequence **seqs; /* [n_seqs] */
    choir_detok **detoks;  /* [n_seqs], opened again for each run */
    int32_t *ids;          /* [most ids appended at once] */
    int32_t *drawn;        /* [n_seqs] */
    double *token_ns;      /* [runs * n_gen] */
    double *read_limit;    /* [runs + 1] bytes per second before the first run, between runs, after the last */
    double *ops_limit;     /* [runs + 1] */
    size_t n_tokens;
    uint64_t random;
} bench_state;

const char *bench_name(char *dst, size_t cap, const bench_case *test)
{
    char depth[24] = "", seqs[24] = "";
    if (test->n_depth > 0) {
        snprintf(depth, sizeof depth, " @ d%d", (int)test->n_depth);
    }
    if (test->n_seqs > 1) {
        snprintf(seqs, sizeof seqs, " x%d", (int)test->n_seqs);
    }
    snprintf(dst, cap, "%s%d%s%s", test->n_gen ? "tg" : "pp", (int)(test->n_gen ? test->n_gen : test->n_prompt), depth,
             seqs);
    return dst;
}

/* splitmix64 */
static int32_t random_id(bench_state *b)
{
    uint64_t z = b->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (int32_t)((z ^ z >> 31) % (uint64_t)b->s->info.vocab_size);
}

static choir_status append_random(bench_state *b, int32_t n, choir_error *err)
{
    for (int32_t i = 0; i < b->test->n_seqs; i++) {
        for (int32_t t = 0; t < n; t++) {
            b->ids[t] = random_id(b);
        }
        choir_status status = choir_sequence_append(b->seqs[i], b->ids, (size_t)n, err);
        if (status) {
            return status;
        }
    }
    return CHOIR_OK;
}

static bool all_computed(const bench_state *b)
{
    for (int32_t i = 0; i < b->test->n_seqs; i++) {
        if (choir_sequence_computed(b->seqs[i]) < choir_sequence_length(b->seqs[i])) {
            return false;
        }
    }
    return true;
}

static choir_status compute(bench_state *b, choir_error *err)
{
    choir_status status = CHOIR_OK;
    while (!status && !all_computed(b)) {
        status = choir_engine_step(b->s->engine, b->seqs, b->test->n_seqs, err);
    }
    return status;
}

/* Draws the next token of every sequence and turns it into text. */
static choir_status draw(bench_state *b, choir_error *err)
{
    for (int32_t i = 0; i < b->test->n_seqs; i++) {
        const char *text;
        choir_status status = choir_sequence_sample(b->seqs[i], &b->drawn[i], err);
        if (status) {
            return status;
        }
        if (b->detoks[i]) {
            choir_detok_push(b->detoks[i], b->drawn[i], &text);
        }
    }
    return CHOIR_OK;
}

static choir_status run_prefill(bench_state *b, double *first_ns, choir_error *err)
{
    uint64_t begun = base_clock_ns();
    choir_status status = append_random(b, b->test->n_prompt, err);
    status = status ? status : compute(b, err);
    status = status ? status : draw(b, err);
    *first_ns = (double)(base_clock_ns() - begun);
    return status;
}

static choir_status run_decode(bench_state *b, double *first_ns, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t t = 0; t < b->test->n_gen && !status; t++) {
        uint64_t begun = base_clock_ns();
        if (t == 0) {
            status = append_random(b, 1, err);
        }
        for (int32_t i = 0; t > 0 && i < b->test->n_seqs && !status; i++) {
            status = choir_sequence_append(b->seqs[i], &b->drawn[i], 1, err);
        }
        status = status ? status : compute(b, err);
        status = status ? status : draw(b, err);
        double ns = (double)(base_clock_ns() - begun);
        b->token_ns[b->n_tokens++] = ns;
        *first_ns = t == 0 ? ns : *first_ns;
    }
    return status;
}

static choir_status one_run(bench_state *b, uint64_t *ns, double *first_ns, choir_error *err)
{
    choir_error no_text;
    for (int32_t i = 0; i < b->test->n_seqs; i++) {
        choir_sequence_truncate(b->seqs[i], b->test->n_depth);
        choir_detok_close(b->detoks[i]);
        b->detoks[i] = NULL;
        choir_detok_open(&b->detoks[i], b->s->model, true,
                         &no_text); /* a model without a tokenizer is measured as well */
    }
    uint64_t begun = base_clock_ns();
    choir_status status = b->test->n_gen ? run_decode(b, first_ns, err) : run_prefill(b, first_ns, err);
    *ns = base_clock_ns() - begun;
    return status;
}

static void close_state(bench_state *b)
{
    for (int32_t i = 0; i < b->test->n_seqs; i++) {
        if (b->seqs) {
            choir_sequence_close(b->seqs[i]);
        }
        if (b->detoks) {
            choir_detok_close(b->detoks[i]);
        }
    }
    free(b->seqs);
    free(b->detoks);
    free(b->ids);
    free(b->drawn);
    free(b->token_ns);
    free(b->read_limit);
    free(b->ops_limit);
    choir_engine_close(b->s->engine);
    b->s->engine = NULL;
}

static choir_status open_state(bench_state *b, int32_t runs, const choir_sampling *sampling, choir_error *err)
{
    const bench_case *t = b->test;
    size_t n_seqs = (size_t)t->n_seqs;
    int32_t most = t->n_prompt > t->n_depth ? t->n_prompt : t->n_depth;
    choir_engine_options opt;
    session_engine_options(b->s, &opt);
    opt.ctx_size = t->n_depth + (t->n_gen ? t->n_gen : t->n_prompt);
    opt.n_seqs = t->n_seqs;
    opt.n_threads = t->n_threads;
    opt.prefix_cache = false; /* every token is to be computed */
    choir_status status = session_open_engine(b->s, &opt, err);
    if (status) {
        return status;
    }
    report_memory(b->s);
    b->seqs = calloc(n_seqs, sizeof *b->seqs);
    b->detoks = calloc(n_seqs, sizeof *b->detoks);
    b->drawn = calloc(n_seqs, sizeof *b->drawn);
    b->ids = calloc((size_t)most + 1, sizeof *b->ids);
    b->token_ns = calloc((size_t)(runs + 1) * (size_t)t->n_gen + 1, sizeof *b->token_ns);
    b->read_limit = calloc((size_t)runs + 1, sizeof *b->read_limit);
    b->ops_limit = calloc((size_t)runs + 1, sizeof *b->ops_limit);
    if (!b->seqs || !b->detoks || !b->drawn || !b->ids || !b->token_ns || !b->read_limit || !b->ops_limit) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for %zu sequences", n_seqs);
    }
    for (size_t i = 0; i < n_seqs && !status; i++) {
        choir_sampling own = *sampling;
        own.choice = i;
        own.ignore_eos = true;
        status = choir_sequence_open(&b->seqs[i], b->s->engine, &own, err);
    }
    status = status ? status : append_random(b, t->n_depth, err);
    return status ? status : compute(b, err);
}

/* Bytes read and operations done for a token, averaged over a run: weights once a step, keys and values once a step and
 * sequence; a multiply-add is two operations; the embedding table is a copy. */
static void account(bench_result *r, const session *s)
{
    const choir_model_info *m = &s->info;
    const bench_case *t = &r->test;
    choir_engine_info engine;
    choir_engine_describe(s->engine, &engine);
    r->batch = engine.batch;
    double n = t->n_gen ? t->n_gen : t->n_prompt, seqs = t->n_seqs;
    double past = t->n_depth + (n + 1) / 2;
    double steps = t->n_gen ? n : ceil(n * seqs / engine.batch);
    double kv_reads = t->n_gen ? 1 : steps / (n * seqs) > 1 / n ? steps / (n * seqs) : 1 / n;
    r->bytes_per_token = (double)m->decode_bytes * steps / (n * seqs) + (double)engine.kv_token_bytes * past * kv_reads;
    double layers = (double)(m->n_active - m->n_embedding - m->n_positions - m->n_norms - m->n_biases - m->n_output);
    double output = (double)m->dim * m->vocab_size / (t->n_gen ? 1 : n);
    double attention = 2.0 * m->n_layers * m->n_heads * m->head_dim * past;
    r->ops_per_token = 2 * (layers + output + attention);
}

static void summarize(bench_result *r, bench_state *b, const double *first_ns)
{
    size_t n = (size_t)r->runs;
    double tokens = (double)(r->test.n_gen ? r->test.n_gen : r->test.n_prompt) * r->test.n_seqs;
    for (size_t i = 0; i < n; i++) {
        r->samples_ts[i] = (double)r->samples_ns[i];
    }
    r->avg_ns = stats_mean(r->samples_ts, n);
    r->stddev_ns = stats_stddev(r->samples_ts, n);
    for (size_t i = 0; i < n; i++) {
        r->samples_ts[i] = r->samples_ns[i] ? tokens * 1e9 / (double)r->samples_ns[i] : 0;
    }
    r->avg_ts = stats_mean(r->samples_ts, n);
    r->stddev_ts = stats_stddev(r->samples_ts, n);
    r->first_token_ns = stats_mean(first_ns, n);
    r->token_p50_ns = stats_percentile(b->token_ns, b->n_tokens, 0.50);
    r->token_p95_ns = stats_percentile(b->token_ns, b->n_tokens, 0.95);
    r->token_p99_ns = stats_percentile(b->token_ns, b->n_tokens, 0.99);
}

/* The machine's limits at this moment. */
static void probe(bench_state *b, int32_t i)
{
    b->read_limit[i] = choir_probe_bandwidth(b->s->model, b->test->n_threads);
    b->ops_limit[i] = choir_probe_peak(b->s->model, b->test->n_threads);
}

/* Shared machines drift: each run is held against what was measured just before and after it.  limit: [runs + 1]. */
static double share_of(const bench_result *r, double per_token, const double *limit, double *share)
{
    for (int32_t i = 0; i < r->runs; i++) {
        const double around = (limit[i] + limit[i + 1]) / 2;
        share[i] = around > 0 ? per_token * r->samples_ts[i] / around : 0;
    }
    return stats_percentile(share, (size_t)r->runs, 0.5);
}

static void hold_against_limits(bench_result *r, bench_state *b, double *share)
{
    r->read_share = share_of(r, r->bytes_per_token, b->read_limit, share);
    r->ops_share = share_of(r, r->ops_per_token, b->ops_limit, share);
    r->limits = (bench_limits){.n_threads = r->test.n_threads,
                               .read_per_second = stats_percentile(b->read_limit, (size_t)r->runs + 1, 0.5),
                               .ops_per_second = stats_percentile(b->ops_limit, (size_t)r->runs + 1, 0.5)};
}

static choir_status measure(bench_result *r, bench_state *b, choir_error *err)
{
    noise_meter noise;
    double *first_ns = calloc((size_t)r->runs, sizeof *first_ns);
    r->samples_ns = calloc((size_t)r->runs, sizeof *r->samples_ns);
    r->samples_ts = calloc((size_t)r->runs, sizeof *r->samples_ts);
    choir_status status = CHOIR_OK;
    if (!first_ns || !r->samples_ns || !r->samples_ts) {
        status = base_fail(err, CHOIR_RESOURCE, "out of memory for %d runs", (int)r->runs);
    }
    for (int32_t i = -1; i < r->runs && !status; i++) { /* -1 warms up */
        b->n_tokens = i <= 0 ? 0 : b->n_tokens;
        status = one_run(b, &r->samples_ns[i < 0 ? 0 : i], &first_ns[i < 0 ? 0 : i], err);
        if (!status && i >= 0) {
            noise_sample(&noise);
        }
        if (!status) {
            probe(b, i + 1);
        }
        if (i < 0) {
            noise_begin(&noise);
        }
    }
    if (!status) {
        summarize(r, b, first_ns);
        account(r, b->s);
        hold_against_limits(r, b, first_ns);
        noise_end(&r->noise, &noise, r->samples_ts, (size_t)r->runs);
    }
    free(first_ns);
    return status;
}

choir_status bench_run(bench_result *out, session *s, const bench_case *test, const choir_sampling *sampling,
                       choir_error *err)
{
    bench_state b = {.s = s, .test = test, .random = sampling->seed};
    *out = (bench_result){.test = *test, .runs = s->opt->runs};
    time_t now = time(NULL);
    struct tm utc;
    strftime(out->test_time, sizeof out->test_time, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    choir_status status = open_state(&b, out->runs, sampling, err);
    status = status ? status : measure(out, &b, err);
    close_state(&b);
    return status;
}

void bench_result_free(bench_result *r)
{
    free(r->samples_ns);
    free(r->samples_ts);
    *r = (bench_result){0};
}

double bench_share(const bench_result *r, const char **name)
{
    *name = r->read_share >= r->ops_share ? "read" : "multiply-add";
    return r->read_share >= r->ops_share ? r->read_share : r->ops_share;
}

double bench_limit_ts(const bench_limits *limits, double bytes_per_token, double ops_per_token)
{
    const double by_read = bytes_per_token > 0 ? limits->read_per_second / bytes_per_token : 0;
    const double by_ops = ops_per_token > 0 ? limits->ops_per_second / ops_per_token : 0;
    return by_read > 0 && (by_read < by_ops || by_ops == 0) ? by_read : by_ops;
}
