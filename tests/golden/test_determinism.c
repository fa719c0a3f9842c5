/* The same logits, bit for bit, whatever the threads, the prefill chunk, the block size, the kernel level, whether the
 * weights are packed or in place, and whether the past was computed or found in the prefix cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "choir.h"
#include "tests/support/check.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

struct setting {
    const char *cpu;
    bool in_place;
    int threads, chunk, block;
};

/* Threads, chunks and blocks each varied against the first row, then together. */
static const struct setting settings[] = {
    {"reference", false, 1, 512, 16}, {NULL, false, 1, 512, 16},     {NULL, false, 2, 512, 16},
    {NULL, false, 3, 512, 16},        {NULL, false, 4, 512, 16},     {NULL, false, 2, 1, 16},
    {NULL, false, 1, 7, 16},          {NULL, false, 3, 64, 16},      {NULL, false, 2, 512, 1},
    {NULL, false, 1, 64, 64},         {NULL, false, 4, 7, 4},        {NULL, false, 2, 64, 256},
    {NULL, true, 2, 512, 16},         {"reference", false, 3, 7, 1}, {"avx2", false, 4, 64, 64},
    {"avx512", false, 2, 512, 16},
};

/* Logits after a prompt and after each of n_decoded further ids, one step each, [n_decoded + 1, vocab]; malloc'ed. */
static float *logits_of(const char *path, const char *quant, const struct setting *x, const char *kv_type,
                        const int32_t *ids, int n_prompt, int n_decoded, size_t *n_out)
{
    choir_model_options mo;
    choir_engine_options eo;
    choir_sampling sampling;
    choir_model *m;
    choir_engine *e;
    choir_sequence *s;
    choir_model_info info;
    choir_error err;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    choir_sampling_default(&sampling);
    mo.path = path;
    mo.quant = quant;
    mo.cpu = x->cpu;
    mo.mmap = x->in_place && quant == NULL;
    mo.text_optional = true;
    if (choir_model_open(&m, &mo, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    choir_model_describe(m, &info);
    eo.n_threads = x->threads;
    eo.batch = x->chunk;
    eo.kv_block = x->block;
    eo.kv_type = kv_type;
    assert_int_equal(choir_engine_open(&e, m, &eo, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    size_t vocab = (size_t)info.vocab_size;
    float *out = malloc((size_t)(n_decoded + 1) * vocab * sizeof *out);
    for (int i = 0; i <= n_decoded; i++) {
        int from = i == 0 ? 0 : n_prompt + i - 1;
        assert_int_equal(choir_sequence_append(s, ids + from, i == 0 ? (size_t)n_prompt : 1, NULL), CHOIR_OK);
        while (choir_sequence_computed(s) < choir_sequence_length(s)) {
            assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        }
        memcpy(out + (size_t)i * vocab, choir_sequence_logits(s), vocab * sizeof *out);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    *n_out = (size_t)(n_decoded + 1) * vocab;
    return out;
}

/* Where series are shortened (check_every) a third of the cases is tried, another third each time. */
static bool is_tried(size_t i, size_t time)
{
    return check_every() == 1 || (i + time) % 3 == 0;
}

/* cpu: the level of all settings, NULL for each one's own. */
static void check_all_at(const char *cpu, const char *path, const char *quant, const char *kv_type, const int32_t *ids,
                         int n_prompt, int n_decoded)
{
    static size_t time;
    size_t n = 0, n2;
    float *first = NULL;
    time++;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (first != NULL && !is_tried(i, time)) {
            continue;
        }
        struct setting own = settings[i];
        own.cpu = cpu != NULL ? cpu : own.cpu;
        const struct setting *x = &own;
        if (first == NULL) {
            first = logits_of(path, quant, x, kv_type, ids, n_prompt, n_decoded, &n);
            continue;
        }
        float *other = logits_of(path, quant, x, kv_type, ids, n_prompt, n_decoded, &n2);
        assert_int_equal(n, n2);
        if (memcmp(first, other, n * sizeof *first) != 0) {
            fail_msg("%s %s kv %s: other bits with cpu %s, %d threads, chunk %d, block %d%s",
                     path != NULL ? path : "built-in", quant != NULL ? quant : "", kv_type,
                     x->cpu != NULL ? x->cpu : "best", x->threads, x->chunk, x->block, x->in_place ? ", in place" : "");
        }
        free(other);
    }
    free(first);
}

static void check_all(const char *path, const char *quant, const char *kv_type, const int32_t *ids, int n_prompt,
                      int n_decoded)
{
    check_all_at(NULL, path, quant, kv_type, ids, n_prompt, n_decoded);
}

static void check_golden(const char *name, const char *quant, choir_dtype type, int n_decoded)
{
    struct golden g;
    char dir[TINY_PATH];
    golden_load(&g, name);
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, type);
    check_all(dir, quant, "f16", g.ids, g.n_ids - n_decoded, n_decoded);
    check_all(dir, quant, "f32", g.ids, g.n_ids - n_decoded, n_decoded);
    check_all(dir, quant, "q8_0", g.ids, g.n_ids - n_decoded, n_decoded);
    tiny_dir_remove(dir);
    golden_free(&g);
}

static void test_float_types(void **state)
{
    (void)state;
    check_golden("odd", NULL, DTYPE_F32, 5);
    check_golden("odd", NULL, DTYPE_F16, 5);
    check_golden("odd", NULL, DTYPE_BF16, 5);
    check_golden("gqa_wide", NULL, DTYPE_F32, 5);
}

/* The one level whose sums are its own. */
static void test_bf16_dot(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH];
    if (base_cpu_cap(BASE_CPU_AVX512BF16) != BASE_CPU_AVX512BF16) {
        printf("# no level avx512bf16 on this processor: absent\n");
        skip();
    }
    golden_load(&g, "odd");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_BF16);
    check_all_at("avx512bf16", dir, NULL, "f32", g.ids, g.n_ids - 5, 5);
    tiny_dir_remove(dir);
    golden_free(&g);
}

static void test_quantized_types(void **state)
{
    (void)state;
    check_golden("odd_quant", "q8_0", DTYPE_F32, 5);
    check_golden("odd_quant", "q4_0", DTYPE_F32, 5);
}

/* A past of more than one span, and a sliding window. */
static void test_long_past(void **state)
{
    (void)state;
    check_golden("long", NULL, DTYPE_F32, 3);
    check_golden("window", NULL, DTYPE_F32, 20);
}

/* A window that leaves the first spans of the past behind: in the prompt, where a tile's first and last token may begin in
 * different spans, and in decoding. */
static void test_long_windows(void **state)
{
    (void)state;
    check_golden("long_window", NULL, DTYPE_F32, 40);
    check_golden("narrow_window", NULL, DTYPE_F32, 10);
    check_golden("wide_window", NULL, DTYPE_F32, 10);
}

/* Decoding with threads that share the spans of a head's past, the first of which the window has left behind. */
static void test_shared_spans(void **state)
{
    (void)state;
    check_golden("shared_spans", NULL, DTYPE_F32, 4);
}

enum { TOGETHER = 3 };

/* Logits of sequences of the first lengths[i] ids after one more id each: in one step, or each in one of its own;
 * [TOGETHER, vocab], malloc'ed. */
static float *logits_together(const char *path, int threads, const char *kv_type, const int32_t *ids,
                              const int lengths[TOGETHER], bool in_one_step, size_t *vocab)
{
    choir_model_options mo;
    choir_engine_options eo;
    choir_sampling sampling;
    choir_model *m;
    choir_engine *e;
    choir_sequence *s[TOGETHER];
    choir_model_info info;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    choir_sampling_default(&sampling);
    mo.path = path;
    mo.text_optional = true;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    choir_model_describe(m, &info);
    eo.n_threads = threads;
    eo.n_seqs = TOGETHER;
    eo.kv_type = kv_type;
    assert_int_equal(choir_engine_open(&e, m, &eo, NULL), CHOIR_OK);
    *vocab = (size_t)info.vocab_size;
    float *out = malloc(TOGETHER * *vocab * sizeof *out);
    assert_non_null(out);
    for (int i = 0; i < TOGETHER; i++) {
        assert_int_equal(choir_sequence_open(&s[i], e, &sampling, NULL), CHOIR_OK);
        assert_int_equal(choir_sequence_append(s[i], ids, (size_t)lengths[i], NULL), CHOIR_OK);
        while (choir_sequence_computed(s[i]) < choir_sequence_length(s[i])) {
            assert_int_equal(choir_engine_step(e, &s[i], 1, NULL), CHOIR_OK);
        }
        assert_int_equal(choir_sequence_append(s[i], ids + lengths[i], 1, NULL), CHOIR_OK);
    }
    for (int i = 0; i < TOGETHER; i += in_one_step ? TOGETHER : 1) {
        assert_int_equal(choir_engine_step(e, s + i, in_one_step ? TOGETHER : 1, NULL), CHOIR_OK);
    }
    for (int i = 0; i < TOGETHER; i++) {
        assert_int_equal(choir_sequence_computed(s[i]), choir_sequence_length(s[i]));
        memcpy(out + (size_t)i * *vocab, choir_sequence_logits(s[i]), *vocab * sizeof *out);
        choir_sequence_close(s[i]);
    }
    choir_engine_close(e);
    choir_model_close(m);
    return out;
}

/* Sequences of different lengths decode in one step, with threads that share the spans of all of them. */
static void test_together(void **state)
{
    (void)state;
    static const int lengths[TOGETHER] = {1280, 300, 760};
    static const char *const kv_types[] = {"f32", "f16", "q8_0"};
    struct golden g;
    char dir[TINY_PATH];
    golden_load(&g, "shared_spans");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F32);
    for (int kv = 0; kv < 3; kv++) {
        size_t vocab;
        float *alone = logits_together(dir, 1, kv_types[kv], g.ids, lengths, false, &vocab);
        for (int threads = 1; threads <= 5; threads++) {
            if (!is_tried((size_t)threads, (size_t)kv)) {
                continue;
            }
            float *found = logits_together(dir, threads, kv_types[kv], g.ids, lengths, true, &vocab);
            if (memcmp(alone, found, TOGETHER * vocab * sizeof *found) != 0) {
                fail_msg("%d sequences together, kv %s: other bits with %d threads", TOGETHER, kv_types[kv], threads);
            }
            free(found);
        }
        free(alone);
    }
    tiny_dir_remove(dir);
    golden_free(&g);
}

static choir_engine *open_cached(const choir_model *m, const struct setting *x, const char *kv_type, bool prefix_cache)
{
    choir_engine_options eo;
    choir_engine *e;
    choir_engine_options_default(&eo);
    eo.n_threads = x->threads;
    eo.batch = x->chunk;
    eo.kv_block = x->block;
    eo.kv_type = kv_type;
    eo.n_seqs = 2;
    eo.prefix_cache = prefix_cache;
    assert_int_equal(choir_engine_open(&e, m, &eo, NULL), CHOIR_OK);
    return e;
}

enum { DECODED = 3 };

/* Logits after the last DECODED + 1 of n ids, [DECODED + 1, vocab], of a new sequence; *cached: tokens that it found. */
static void logits_in(choir_engine *e, size_t vocab, const int32_t *ids, int n, float *out, int *cached)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, ids, (size_t)(n - DECODED), NULL), CHOIR_OK);
    for (int i = 0; i <= DECODED; i++) {
        assert_int_equal(choir_sequence_append(s, ids + n - DECODED + i - 1, i > 0 ? 1 : 0, NULL), CHOIR_OK);
        while (choir_sequence_computed(s) < choir_sequence_length(s)) {
            assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        }
        memcpy(out + (size_t)i * vocab, choir_sequence_logits(s), vocab * sizeof *out);
    }
    *cached = choir_sequence_cached(s);
    choir_sequence_close(s);
}

/* A text, then one that begins with two thirds of it, then the first again: what is found differs, the bits do not. */
static void check_warm(const choir_model *m, const struct setting *x, const char *kv_type, const int32_t *ids, int n,
                       bool all_found)
{
    enum { TEXTS = 4 };
    choir_model_info info;
    choir_model_describe(m, &info);
    const size_t vocab = (size_t)info.vocab_size, bytes = (DECODED + 1) * vocab * sizeof(float);
    int32_t *other = malloc((size_t)n * sizeof *other);
    float *want = malloc(bytes), *found = malloc(bytes);
    memcpy(other, ids, (size_t)n * sizeof *ids);
    for (int i = n * 2 / 3; i < n; i++) {
        other[i] = ids[n - 1 - i];
    }
    const int32_t *const texts[TEXTS] = {ids, other, ids, other};
    const int shared[TEXTS] = {0, n * 2 / 3, n - DECODED - 1, n - DECODED - 1};
    choir_engine *cold = open_cached(m, x, kv_type, false), *warm = open_cached(m, x, kv_type, true);
    for (int i = 0; i < TEXTS; i++) {
        int cached;
        logits_in(cold, vocab, texts[i], n, want, &cached);
        assert_int_equal(cached, 0);
        logits_in(warm, vocab, texts[i], n, found, &cached);
        assert_true(cached <= shared[i]);
        assert_true(!all_found || cached == shared[i] / x->block * x->block);
        if (memcmp(want, found, bytes) != 0) {
            fail_msg("text %d, kv %s: other bits with %d cached, %d threads, chunk %d, block %d", i, kv_type, cached,
                     x->threads, x->chunk, x->block);
        }
    }
    choir_engine_close(cold);
    choir_engine_close(warm);
    free(other);
    free(want);
    free(found);
}

/* all_found: the pool is large enough to keep all of both texts. */
static void check_prefix_cache(const char *name, bool all_found)
{
    static const int blocks[] = {1, 16, 64};
    static const char *const kv_types[] = {"f32", "f16", "q8_0"};
    struct golden g;
    char dir[TINY_PATH];
    choir_model *m;
    choir_model_options mo;
    golden_load(&g, name);
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F32);
    choir_model_options_default(&mo);
    mo.path = dir;
    mo.text_optional = true;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    for (int b = 0; b < 3; b++) {
        for (int threads = 1; threads <= 4; threads++) {
            const struct setting x = {NULL, false, threads, threads % 2 == 0 ? 512 : 33, blocks[b]};
            check_warm(m, &x, kv_types[(b + threads) % 3], g.ids, g.n_ids, all_found);
        }
    }
    choir_model_close(m);
    tiny_dir_remove(dir);
    golden_free(&g);
}

static void test_prefix_cache(void **state)
{
    (void)state;
    check_prefix_cache("wide_group", true);
    check_prefix_cache("long", true);
}

/* Blocks that the window has passed are given back, and found again as long as the pool had no other use for them. */
static void test_prefix_cache_windows(void **state)
{
    (void)state;
    check_prefix_cache("window", false);
    check_prefix_cache("long_window", false);
    check_prefix_cache("narrow_window", false);
    check_prefix_cache("wide_window", false);
}

/* The heads of a group in two parts. */
static void test_wide_group(void **state)
{
    (void)state;
    check_golden("wide_group", NULL, DTYPE_F32, 5);
}

static void test_built_in(void **state)
{
    (void)state;
    int32_t ids[160];
    for (int i = 0; i < 160; i++) {
        ids[i] = 3 + (i * 7919) % 500;
    }
    check_all(NULL, NULL, "f16", ids, 150, 3);
    check_all(NULL, NULL, "q8_0", ids, 150, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_types),
        cmocka_unit_test(test_bf16_dot),
        cmocka_unit_test(test_quantized_types),
        cmocka_unit_test(test_long_past),
        cmocka_unit_test(test_long_windows),
        cmocka_unit_test(test_shared_spans),
        cmocka_unit_test(test_wide_group),
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_prefix_cache),
        cmocka_unit_test(test_prefix_cache_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
