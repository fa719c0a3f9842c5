/* Sequences without end: the same logits, bit for bit, whatever the threads, the prefill chunk and the block size, and as
 * without it until the context is full.  After that, a model of one layer, whose keys and values depend on nothing but their
 * tokens, says what the cache may be compared with: the sinks and the window, read afresh as one text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/family.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { CTX = 40, SINKS = 4, N_IDS = 620, MOST_IDS = 1300 };

struct setting {
    const char *kv_type, *cpu;
    int ctx, sinks, threads, chunk, block;
    bool infinite;
};

struct run {
    choir_model *model;
    choir_engine *engine;
    choir_sequence *seq;
    size_t vocab;
};

/* dir: of write_model; NULL: the built-in model. */
static void open_run(struct run *r, const char *dir, const struct setting *x)
{
    char path[TINY_PATH];
    choir_model_options mo;
    choir_engine_options eo;
    choir_sampling sampling;
    choir_model_info info;
    choir_error err;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    choir_sampling_default(&sampling);
    mo.path = dir != NULL ? tiny_path(path, dir, "model.gguf") : NULL;
    mo.text_optional = true;
    mo.cpu = x->cpu;
    if (choir_model_open(&r->model, &mo, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    choir_model_describe(r->model, &info);
    r->vocab = (size_t)info.vocab_size;
    eo.ctx_size = x->ctx;
    eo.n_threads = x->threads;
    eo.batch = x->chunk;
    eo.kv_block = x->block;
    eo.kv_type = x->kv_type;
    eo.infinite = x->infinite;
    eo.n_sinks = x->sinks;
    eo.n_seqs = 2;
    eo.max_logits = 512;
    if (choir_engine_open(&r->engine, r->model, &eo, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(choir_sequence_open(&r->seq, r->engine, &sampling, NULL), CHOIR_OK);
}

static void close_run(struct run *r)
{
    choir_sequence_close(r->seq);
    choir_engine_close(r->engine);
    choir_model_close(r->model);
}

static void compute(const struct run *r, choir_sequence *s)
{
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        assert_int_equal(choir_engine_step(r->engine, &s, 1, NULL), CHOIR_OK);
    }
}

/* Appends n ids, a context at a time, and computes them. */
static void feed(const struct run *r, choir_sequence *s, const int32_t *ids, int n, int ctx)
{
    for (int at = 0; at < n; at += ctx) {
        assert_int_equal(choir_sequence_append(s, ids + at, (size_t)(n - at < ctx ? n - at : ctx), NULL), CHOIR_OK);
        compute(r, s);
    }
}

static void fill_ids(int32_t *ids, int n, int vocab)
{
    uint32_t x = 1;
    for (int i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (int32_t)((x >> 8) % (uint32_t)vocab);
    }
}

/* Logits after most of the ids, read in chunks, then after each of the last n_decoded, [n_decoded + 1, vocab]. */
static float *logits_of(const char *dir, const struct setting *x, const int32_t *ids, int n, int n_decoded,
                        size_t *count)
{
    struct run r;
    open_run(&r, dir, x);
    float *out = malloc((size_t)(n_decoded + 1) * r.vocab * sizeof *out);
    feed(&r, r.seq, ids, n - n_decoded, x->ctx);
    for (int i = 0; i <= n_decoded; i++) {
        if (i > 0) {
            feed(&r, r.seq, ids + n - n_decoded + i - 1, 1, x->ctx);
        }
        memcpy(out + (size_t)i * r.vocab, choir_sequence_logits(r.seq), r.vocab * sizeof *out);
    }
    if (x->infinite) {
        assert_true(choir_sequence_forgotten(r.seq) + choir_sequence_length(r.seq) == n);
    }
    close_run(&r);
    *count = (size_t)(n_decoded + 1) * r.vocab;
    return out;
}

static void write_model(struct golden *g, char dir[TINY_PATH], const char *name, int n_layers, int window)
{
    golden_load(g, name);
    g->max_seq_len = 2048;
    g->n_layers = n_layers > 0 ? n_layers : g->n_layers;
    g->sliding_window = window >= 0 ? window : g->sliding_window;
    tiny_dir_make(dir);
    golden_write_gguf(g, dir, "model.gguf", DTYPE_F32);
}

static void remove_model(struct golden *g, const char *dir)
{
    tiny_dir_remove(dir);
    golden_free(g);
}

static void check_bits(const char *name, int window, int ctx, int sinks, const char *kv_type, int n_ids)
{
    static const struct setting settings[] = {
        {.cpu = "reference", .threads = 1, .chunk = 512, .block = 16},
        {.threads = 1, .chunk = 512, .block = 16},
        {.threads = 3, .chunk = 512, .block = 16},
        {.threads = 2, .chunk = 1, .block = 16},
        {.threads = 1, .chunk = 7, .block = 1},
        {.threads = 2, .chunk = 33, .block = 4},
        {.threads = 4, .chunk = 512, .block = 64},
        {.threads = 2, .chunk = 100, .block = 256},
        {.cpu = "avx2", .threads = 2, .chunk = 20, .block = 8},
    };
    struct golden g;
    char dir[TINY_PATH];
    int32_t ids[MOST_IDS];
    float *first = NULL;
    size_t n = 0, n2;
    write_model(&g, dir, name, 0, window);
    fill_ids(ids, n_ids, g.vocab_size);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct setting x = settings[i];
        x.kv_type = kv_type;
        x.ctx = ctx;
        x.sinks = sinks;
        x.infinite = true;
        float *other = logits_of(dir, &x, ids, n_ids, 20, &n2);
        if (first == NULL) {
            first = other;
            n = n2;
            continue;
        }
        assert_int_equal(n, n2);
        if (memcmp(first, other, n * sizeof *first) != 0) {
            fail_msg("%s, %d of %d kept, kv %s: other bits with cpu %s, %d threads, chunk %d, block %d", name, sinks,
                     ctx, kv_type, x.cpu != NULL ? x.cpu : "best", x.threads, x.chunk, x.block);
        }
        free(other);
    }
    free(first);
    remove_model(&g, dir);
}

static void test_bits(void **state)
{
    (void)state;
    check_bits("gqa_wide", 0, CTX, SINKS, "f16", N_IDS);
    check_bits("gqa_wide", 0, CTX, 0, "f32", N_IDS);
    check_bits("odd", 0, 77, 19, "q8_0", N_IDS);
    check_bits("gqa_wide", 0, 700, 5, "f16", MOST_IDS); /* several spans */
}

/* Layers with a window of their own: smaller than the context's, larger than what is left of it, larger than all of it. */
static void test_bits_windowed(void **state)
{
    (void)state;
    check_bits("gqa_wide", 20, CTX, SINKS, "f16", N_IDS);
    check_bits("gqa_wide", CTX - 2, CTX, SINKS, "f16", N_IDS);
    check_bits("gqa_wide", 300, CTX, SINKS, "f16", N_IDS);
}

/* Until the context is full nothing differs. */
static void test_begin(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH];
    int32_t ids[CTX];
    size_t n, n2;
    struct setting x = {.kv_type = "f16", .ctx = CTX, .sinks = SINKS, .threads = 2, .chunk = 16, .block = 16};
    write_model(&g, dir, "gqa_wide", 0, 0);
    fill_ids(ids, CTX, g.vocab_size);
    float *plain = logits_of(dir, &x, ids, CTX, 5, &n);
    x.infinite = true;
    float *infinite = logits_of(dir, &x, ids, CTX, 5, &n2);
    assert_int_equal(n, n2);
    assert_memory_equal(plain, infinite, n * sizeof *plain);
    free(plain);
    free(infinite);
    remove_model(&g, dir);
}

static double nmse(const float *a, const float *b, size_t n)
{
    double wrong = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        wrong += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return wrong / all;
}

/* What a token sees is the sinks and the last tokens, as if they stood together. */
static void check_meaning(const char *name, int window, int sinks)
{
    struct golden g;
    char dir[TINY_PATH];
    int32_t ids[N_IDS], seen[CTX];
    struct setting x = {.kv_type = "f32", .ctx = CTX, .sinks = sinks, .threads = 2, .chunk = 16, .block = 16};
    write_model(&g, dir, name, 1, window);
    fill_ids(ids, N_IDS, g.vocab_size);
    for (int n = CTX - 1; n < N_IDS; n += n < CTX + 6 ? 1 : 91) {
        size_t count;
        const int first = n < sinks ? n : sinks, last = n < CTX ? n - first : CTX - first;
        memcpy(seen, ids, (size_t)first * sizeof *ids);
        memcpy(seen + first, ids + n - last, (size_t)last * sizeof *ids);
        x.infinite = false;
        float *afresh = logits_of(dir, &x, seen, first + last, 0, &count);
        x.infinite = true;
        float *infinite = logits_of(dir, &x, ids, n, 0, &count);
        double off = nmse(infinite, afresh, count);
        if (!(off < 1e-9)) {
            fail_msg("%s, window %d, %d sinks: NMSE %g after %d tokens", name, window, sinks, off, n);
        }
        free(afresh);
        free(infinite);
    }
    remove_model(&g, dir);
}

static void test_meaning(void **state)
{
    (void)state;
    check_meaning("gqa_wide", 0, SINKS);
    check_meaning("gqa_wide", 0, 0);
    check_meaning("odd", 0, 17);
    check_meaning("gqa_wide", 20, SINKS);
    check_meaning("gqa_wide", CTX - 2, SINKS);
}

/* Blocks come back as fast as they are taken; a fork goes the same way; what fell out cannot be asked for again. */
static void test_memory(void **state)
{
    (void)state;
    struct golden g;
    struct run r;
    choir_sequence *fork;
    choir_engine_info info;
    char dir[TINY_PATH];
    int32_t ids[N_IDS];
    const struct setting x = {
        .kv_type = "f16", .ctx = CTX, .sinks = SINKS, .threads = 2, .chunk = 16, .block = 4, .infinite = true};
    write_model(&g, dir, "gqa_wide", 0, 0);
    fill_ids(ids, N_IDS, g.vocab_size);
    open_run(&r, dir, &x);
    feed(&r, r.seq, ids, N_IDS / 2, CTX);
    assert_int_equal(choir_sequence_fork(&fork, r.seq, NULL, NULL), CHOIR_OK);
    for (int at = N_IDS / 2; at < N_IDS; at += 10) {
        feed(&r, r.seq, ids + at, 10, CTX);
        feed(&r, fork, ids + at, 10, CTX);
        assert_memory_equal(choir_sequence_logits(r.seq), choir_sequence_logits(fork), r.vocab * sizeof(float));
        choir_engine_describe(r.engine, &info);
        assert_true(info.n_blocks - info.n_free_blocks <= 2 * ((CTX + 10) / 4 + 3));
        assert_true(choir_sequence_length(r.seq) <= CTX + 10 + 8);
    }
    const int32_t length = choir_sequence_length(r.seq);
    choir_sequence_truncate(r.seq, SINKS);
    assert_int_equal(choir_sequence_length(r.seq), length);
    assert_int_equal(choir_sequence_append(r.seq, ids, CTX + 1, NULL), CHOIR_PROMPT);
    choir_sequence_close(fork);
    choir_scheduler *scheduler;
    assert_int_equal(choir_scheduler_open(&scheduler, r.engine, NULL), CHOIR_USAGE);
    close_run(&r);
    remove_model(&g, dir);
}

/* Positions learned one by one are there only so far; the rest of what cannot be. */
static void test_refused(void **state)
{
    (void)state;
    struct family f;
    choir_model_options mo;
    choir_engine_options eo;
    choir_model *m;
    choir_engine *e;
    choir_error err;
    char dir[TINY_PATH];
    tiny_dir_make(dir);
    family_load(&f, "gpt2");
    assert_true(family_write(&f, dir, "config"));
    choir_model_options_default(&mo);
    mo.path = dir;
    mo.text_optional = true;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    choir_engine_options_default(&eo);
    eo.infinite = true;
    assert_int_equal(choir_engine_open(&e, m, &eo, &err), CHOIR_USAGE);
    assert_non_null(strstr(err.msg, "--infinite"));
    choir_model_close(m);
    family_free(&f);
    tiny_dir_remove(dir);
    mo.path = NULL;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    eo.ctx_size = 16;
    for (int32_t n = -1; n <= 1000; n = n < 0 ? 16 : n < 513 ? 513 : 1001) {
        eo.n_sinks = n;
        assert_int_equal(choir_engine_open(&e, m, &eo, &err), CHOIR_USAGE);
        assert_non_null(strstr(err.msg, "--sinks"));
    }
    choir_model_close(m);
}

/* ---- a real text -------------------------------------------------------------------------------------- */

/* Mean negative log-likelihood of each of the parts of a text, read token by token in an infinite context. */
static void mean_nll(double *nll, int n_parts, int part, int ctx, int sinks, const int32_t *ids)
{
    struct run r;
    const struct setting x = {.kv_type = "f16",
                              .ctx = ctx,
                              .sinks = sinks,
                              .threads = choir_default_threads(),
                              .chunk = 64,
                              .block = 16,
                              .infinite = true};
    open_run(&r, NULL, &x);
    choir_sequence_want_logits(r.seq, 0);
    for (int i = 0; i < n_parts; i++) {
        nll[i] = 0;
        for (int at = i * part; at < (i + 1) * part; at += 64) {
            choir_score score[64];
            assert_int_equal(choir_sequence_append(r.seq, ids + at, 64, NULL), CHOIR_OK);
            compute(&r, r.seq);
            assert_int_equal(
                choir_sequence_score(score, r.seq, choir_sequence_length(r.seq) - 64, 64, ids + at + 1, NULL, NULL),
                CHOIR_OK);
            for (int k = 0; k < 64; k++) {
                nll[i] -= score[k].log_prob / part;
            }
        }
    }
    close_run(&r);
}

/* The built-in model reads the same story again and again, which is longer than its context: each time it is as
 * surprised as before. */
static void test_text(void **state)
{
    (void)state;
    enum { PART = 512, N_PARTS = 4 };
    const char *folder = getenv("CHOIR_TESTDATA");
    char path[512], *text = malloc(PART * 8);
    size_t n_ids = 0;
    int32_t *ids, story[N_PARTS * PART + 1];
    double nll[N_PARTS];
    choir_model_options mo;
    choir_model *m;
    snprintf(path, sizeof path, "%s/text/tinystories/gusjengis_2097152.txt", folder != NULL ? folder : ".");
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        free(text);
        printf("# %s is absent\n", path);
        skip();
    }
    size_t n_text = fread(text, 1, PART * 8, f);
    fclose(f);
    choir_model_options_default(&mo);
    mo.headers_only = true;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    assert_int_equal(choir_tokenize(&ids, &n_ids, m, text, choir_utf8_valid(text, n_text), true, NULL), CHOIR_OK);
    choir_model_close(m);
    assert_true(n_ids >= PART);
    for (int i = 0; i <= N_PARTS * PART; i++) {
        story[i] = ids[i % PART];
    }
    mean_nll(nll, N_PARTS, PART, 256, SINKS, story);
    for (int i = 0; i < N_PARTS; i++) {
        printf("# time %d: perplexity %.3f\n", i + 1, exp(nll[i]));
        assert_true(i < 2 || fabs(nll[i] - nll[1]) < 0.01);
        assert_true(fabs(nll[i] - nll[0]) < 0.1);
    }
    free(ids);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin),         cmocka_unit_test(test_meaning), cmocka_unit_test(test_bits),
        cmocka_unit_test(test_bits_windowed), cmocka_unit_test(test_memory),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests_name("infinite", tests, NULL, NULL);
}
