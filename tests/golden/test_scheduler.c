/* Many requests together: each text is what choir_generate makes of it alone, byte for byte, whoever else runs, whenever it
 * came, for any block size and number of threads, put back or not, with a cold or a warm cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"

enum { N = 16, CTX = 192, TEXT_CAP = 4096 };

/* What is asked for; every third has stop strings, samplings differ. */
struct asked {
    int32_t *ids;
    size_t n_ids;
    choir_sampling sampling;
    choir_generation generation;
};

/* What came of it. */
struct text {
    char text[TEXT_CAP];
    size_t n;
    choir_result result;
    choir_status status;
    char err[400];
    int n_done;
    int stop_after; /* pieces; 0: never */
    int n_pieces;
};

struct fixture {
    choir_model *model;
    struct asked asked[N];
    struct text alone[N];
};

static const char *const prompts[N] = {
    "Once upon a time",
    "Once upon a time there was a little girl named Lily. She loved to play outside in the park with her friends.",
    "The big dog",
    "Tom and Ben were",
    "Once upon a time there was a little girl named Lily. She loved to sing.",
    "One day, a small bird found a shiny stone under the old tree near the river, and it did not know what it was, so "
    "it asked the wise owl who lived at the top of the hill. The owl looked at it for a long time.",
    "\"Mom, can we go to the zoo?\"",
    "A",
    "The sun was hot.",
    "Once upon a time there was a little girl named Lily. She loved to play outside in the park with her friends. One "
    "day they saw a red ball",
    "Sam had a toy car. It was",
    "Once there was a king who",
    "It rained all day and the cat",
    "Anna",
    "Once upon a time there was a little boy named Tim. He had a big box of crayons, and every day after lunch he sat "
    "down at the kitchen table to draw the things that he saw through the window: the garden, the fence, the birds.",
    "Then the bear said",
};

static const char *const stops[] = {"the", "was a", "."};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    choir_model_options mo;
    choir_model_options_default(&mo);
    assert_non_null(f);
    assert_int_equal(choir_model_open(&f->model, &mo, NULL), CHOIR_OK);
    for (int i = 0; i < N; i++) {
        struct asked *a = &f->asked[i];
        assert_int_equal(choir_tokenize(&a->ids, &a->n_ids, f->model, prompts[i], strlen(prompts[i]), true, NULL),
                         CHOIR_OK);
        choir_sampling_default(&a->sampling);
        choir_generation_default(&a->generation);
        a->sampling.seed = (uint64_t)i / 2;
        a->sampling.choice = (uint64_t)i % 2;
        a->sampling.temp = i % 4 == 3 ? 0.0f : 0.7f + 0.1f * (float)i;
        a->sampling.repeat_penalty = i % 5 == 2 ? 1.2f : 1.0f;
        a->generation.max_tokens = i == 5 ? -1 : 11 + 7 * i % 53;
        if (i % 3 == 1) {
            a->generation.stops = stops + i % 2;
            a->generation.n_stops = 2;
        }
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < N; i++) {
        free(f->asked[i].ids);
    }
    choir_model_close(f->model);
    free(f);
    return 0;
}

struct setting {
    int threads, block, batch, n_seqs, max_logits;
    int every; /* steps between two arrivals; 0: all at once */
};

static choir_engine *open_engine_with(const struct fixture *f, const struct setting *x, bool prefix_cache)
{
    choir_engine_options eo;
    choir_engine *e;
    choir_engine_options_default(&eo);
    eo.ctx_size = CTX;
    eo.n_threads = x->threads;
    eo.kv_block = x->block;
    eo.batch = x->batch;
    eo.n_seqs = x->n_seqs;
    eo.max_logits = x->max_logits;
    eo.prefix_cache = prefix_cache;
    assert_int_equal(choir_engine_open(&e, f->model, &eo, NULL), CHOIR_OK);
    return e;
}

static choir_engine *open_engine(const struct fixture *f, const struct setting *x)
{
    return open_engine_with(f, x, true);
}

static int add_text(struct text *t, const char *text, size_t n)
{
    assert_true(n > 0 && t->n + n <= TEXT_CAP);
    assert_int_equal(choir_utf8_valid(text, n), n);
    memcpy(t->text + t->n, text, n);
    t->n += n;
    return ++t->n_pieces == t->stop_after;
}

static int stream_alone(void *user, const char *text, size_t n)
{
    return add_text(user, text, n);
}

static int stream_sample(void *user, int32_t sample, const char *text, size_t n)
{
    return add_text((struct text *)user + sample, text, n);
}

static void note_done(void *user, int32_t sample, const choir_result *result, choir_status status,
                      const choir_error *err)
{
    struct text *t = (struct text *)user + sample;
    t->result = *result;
    t->status = status;
    assert_int_equal(err == NULL, status == CHOIR_OK);
    snprintf(t->err, sizeof t->err, "%s", err != NULL ? err->msg : "");
    t->n_done++;
}

static void write_alone(const struct fixture *f, const struct asked *a, uint64_t choice, struct text *out)
{
    const struct setting x = {1, 16, 512, 1, 0, 0};
    choir_engine *e = open_engine(f, &x);
    choir_sampling sampling = a->sampling;
    choir_generation g = a->generation;
    choir_sequence *s;
    sampling.choice += choice;
    g.stream = stream_alone;
    g.user = out;
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, a->ids, a->n_ids, NULL), CHOIR_OK);
    assert_int_equal(choir_generate(&out->result, s, &g, NULL), CHOIR_OK);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void expect_same(const struct text *found, const struct text *alone, const char *what, int i)
{
    assert_int_equal(found->n_done, 1);
    if (found->status != CHOIR_OK || found->n != alone->n || memcmp(found->text, alone->text, alone->n) != 0) {
        fail_msg("%s, text %d: \"%.*s\", alone \"%.*s\" (%s)", what, i, (int)found->n, found->text, (int)alone->n,
                 alone->text, found->err);
    }
    assert_int_equal(found->result.finish, alone->result.finish);
    assert_int_equal(found->result.context_full, alone->result.context_full);
    assert_int_equal(found->result.n_prompt, alone->result.n_prompt);
    assert_int_equal(found->result.n_generated, alone->result.n_generated);
    assert_int_equal(found->result.n_replaced, alone->result.n_replaced);
}

static uint64_t submit_from(choir_scheduler *s, const struct asked *a, const choir_sequence *from, int n_samples,
                            struct text *out)
{
    choir_request_options r;
    uint64_t id;
    choir_request_options_default(&r);
    r.ids = from != NULL ? NULL : a->ids;
    r.n_ids = from != NULL ? 0 : a->n_ids;
    r.from = from;
    r.sampling = a->sampling;
    r.generation = a->generation;
    r.n_samples = n_samples;
    r.stream = stream_sample;
    r.done = note_done;
    r.user = out;
    assert_int_equal(choir_scheduler_submit(&id, s, &r, NULL), CHOIR_OK);
    return id;
}

static uint64_t submit(choir_scheduler *s, const struct asked *a, int n_samples, struct text *out)
{
    return submit_from(s, a, NULL, n_samples, out);
}

static bool is_busy(const choir_scheduler *s)
{
    choir_scheduler_info info;
    choir_scheduler_describe(s, &info);
    return info.n_running + info.n_waiting > 0;
}

static void step(choir_scheduler *s)
{
    choir_error err;
    if (choir_scheduler_step(s, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
}

static void run_out(choir_scheduler *s)
{
    while (is_busy(s)) {
        step(s);
    }
}

static choir_scheduler *open_scheduler(choir_engine *e)
{
    choir_scheduler *s;
    assert_int_equal(choir_scheduler_open(&s, e, NULL), CHOIR_OK);
    return s;
}

static void expect_no_block_held(const choir_engine *e)
{
    choir_engine_info info;
    choir_engine_describe(e, &info);
    assert_int_equal(info.n_free_blocks, info.n_blocks);
}

/* All requests, twice in the same engine; how often a text was put back. */
static uint64_t write_together(const struct fixture *f, const struct setting *x)
{
    choir_engine *e = open_engine(f, x);
    choir_scheduler *s = open_scheduler(e);
    choir_scheduler_info info;
    for (int round = 0; round < 2; round++) {
        struct text *texts = calloc(N, sizeof *texts);
        assert_non_null(texts);
        for (int i = 0; i < N; i++) {
            submit(s, &f->asked[i], 1, &texts[i]);
            for (int k = 0; k < x->every; k++) {
                step(s);
            }
        }
        run_out(s);
        for (int i = 0; i < N; i++) {
            char what[128];
            snprintf(what, sizeof what, "%d threads, blocks of %d, batch %d, pool of %d, arrivals %d, round %d",
                     x->threads, x->block, x->batch, x->n_seqs, x->every, round);
            expect_same(&texts[i], &f->alone[i], what, i);
        }
        free(texts);
    }
    choir_scheduler_describe(s, &info);
    choir_scheduler_close(s);
    expect_no_block_held(e);
    choir_engine_close(e);
    return info.n_preempted;
}

static const struct setting settings[] = {
    {1, 16, 512, N, 0, 0}, {2, 1, 512, N, 0, 0}, {3, 64, 512, N, 0, 0}, {4, 16, 24, N, 0, 2},
    {2, 64, 16, N, 0, 3},  {1, 1, 64, N, 0, 1},  {3, 16, 16, 4, N, 0},  {1, 16, 512, 2, N, 0},
    {2, 1, 512, 1, N, 0},  {4, 1, 40, 2, 8, 2},  {2, 16, 512, 1, N, 1}, {2, 64, 512, 2, N, 0},
    {1, 64, 7, 1, 7, 5},   {3, 4, 512, 1, N, 4}, {2, 16, 1, 1, N, 1},   {4, 16, 512, 1, N, 0},
};

static uint64_t write_in_all_settings(struct fixture *f)
{
    uint64_t n_preempted = 0;
    for (int i = 0; i < N; i++) {
        memset(&f->alone[i], 0, sizeof f->alone[i]);
        write_alone(f, &f->asked[i], 0, &f->alone[i]);
    }
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        n_preempted += write_together(f, &settings[i]);
    }
    return n_preempted;
}

static void test_together(void **state)
{
    assert_true(write_in_all_settings(*state) > 20);
}

/* Texts that go on from a sequence: what it has computed is shared, not computed again, whatever it has computed, whether
 * there is a prefix cache, in pools of one context and of many; it stays as it is, or is gone. */
static uint64_t write_from_sequences(const struct fixture *f)
{
    enum { SAMPLES = 5, LONG = 14 };
    static const struct setting x[] = {
        {1, 16, 512, N, 0, 0}, {2, 4, 512, 2, 3, 0}, {3, 64, 9, N, 0, 0}, {2, 4, 512, 1, N, 0}};
    struct asked cut = f->asked[LONG];
    const struct asked *a = &cut;
    struct text *alone = calloc(SAMPLES, sizeof *alone);
    choir_scheduler_info info;
    uint64_t n_preempted = 0;
    cut.generation.max_tokens = 32; /* 5 of them and the prompt are more than a context */
    for (int i = 0; i < SAMPLES; i++) {
        write_alone(f, a, (uint64_t)i, &alone[i]);
    }
    for (int k = 0; k < 16; k++) {
        const bool cache = k % 2 == 0, whole = k / 2 % 2 == 0;
        struct text *texts = calloc(SAMPLES, sizeof *texts);
        choir_engine *e = open_engine_with(f, &x[k / 4], cache);
        choir_scheduler *s = open_scheduler(e);
        choir_sequence *seq;
        assert_int_equal(choir_sequence_open(&seq, e, &a->sampling, NULL), CHOIR_OK);
        assert_int_equal(choir_sequence_append(seq, a->ids, a->n_ids - !whole, NULL), CHOIR_OK);
        while (choir_sequence_computed(seq) < choir_sequence_length(seq)) {
            assert_int_equal(choir_engine_step(e, &seq, 1, NULL), CHOIR_OK);
        }
        assert_int_equal(choir_sequence_append(seq, a->ids + a->n_ids - !whole, !whole, NULL), CHOIR_OK);
        if (k % 3 == 0) {
            submit_from(s, a, seq, SAMPLES, texts);
        }
        for (int i = 0; i < SAMPLES && k % 3 > 0; i++) { /* each a request of its own */
            struct asked one = *a;
            one.sampling.choice += (uint64_t)i;
            submit_from(s, &one, seq, 1, &texts[i]);
        }
        assert_int_equal(choir_sequence_length(seq), a->n_ids);
        if (k % 3 == 2) {
            choir_sequence_close(seq);
            seq = NULL;
        }
        run_out(s);
        for (int i = 0; i < SAMPLES; i++) {
            if (k % 3 > 0 || i == 0) {
                assert_int_equal(texts[i].result.n_prompt, 1);
            }
            texts[i].result.n_prompt = alone[i].result.n_prompt;
            expect_same(&texts[i], &alone[i], "from a sequence", i);
        }
        choir_sequence_close(seq);
        choir_scheduler_describe(s, &info);
        n_preempted += info.n_preempted;
        choir_scheduler_close(s);
        expect_no_block_held(e);
        choir_engine_close(e);
        free(texts);
    }
    free(alone);
    return n_preempted;
}

static void test_from_sequence(void **state)
{
    assert_true(write_from_sequences(*state) > 0);
}

/* A model whose layers all have a window gives blocks back while it runs. */
static void test_windows(void **state)
{
    const struct fixture *built_in = *state;
    struct fixture *f = calloc(1, sizeof *f);
    struct golden g;
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model_options mo;
    choir_model_info info;
    assert_non_null(f);
    golden_load(&g, "narrow_window");
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    tiny_text_gguf(&file, NULL);
    tiny_dir_make(dir);
    tiny_gguf_write(&file, dir, "m.gguf");
    choir_model_options_default(&mo);
    mo.path = tiny_path(path, dir, "m.gguf");
    assert_int_equal(choir_model_open(&f->model, &mo, NULL), CHOIR_OK);
    choir_model_describe(f->model, &info);
    assert_true(info.sliding_window > 0 && info.sliding_window < CTX / 3);
    int32_t ids[CTX];
    for (int i = 0; i < CTX; i++) {
        ids[i] = g.ids[i % g.n_ids] % info.vocab_size;
    }
    for (int i = 0; i < N; i++) {
        f->asked[i] = built_in->asked[i];
        f->asked[i].sampling.ignore_eos = true;
        f->asked[i].ids = ids + i % 3;
        f->asked[i].n_ids = (size_t)(2 + i * 37 % 120);
    }
    write_in_all_settings(f);
    write_from_sequences(f);
    choir_model_close(f->model);
    tiny_dir_remove(dir);
    golden_free(&g);
    free(f);
}

/* Texts of one prompt: the prompt is computed once, also without the prefix cache; those that do not fit wait. */
static void test_samples(void **state)
{
    struct fixture *f = *state;
    enum { SAMPLES = 5, LONG = 14 };
    static const struct setting x[] = {
        {2, 16, 512, N, 0, 0}, {2, 16, 16, N, 0, 0}, {1, 4, 512, 1, 2, 0}, {2, 16, 512, 1, N, 0}};
    struct asked *a = &f->asked[LONG];
    struct text *alone = calloc(SAMPLES, sizeof *alone);
    for (int i = 0; i < SAMPLES; i++) {
        write_alone(f, a, (uint64_t)i, &alone[i]);
    }
    for (size_t k = 0; k < sizeof x / sizeof x[0]; k++) {
        for (int cache = 0; cache < 2; cache++) {
            struct text *texts = calloc(SAMPLES, sizeof *texts);
            choir_engine *e = open_engine_with(f, &x[k], cache == 1);
            choir_scheduler *s = open_scheduler(e);
            submit(s, a, SAMPLES, texts);
            size_t steps = 0, prompt = (a->n_ids + (size_t)x[k].batch - 1) / (size_t)x[k].batch;
            for (; is_busy(s); steps++) {
                step(s);
            }
            for (int i = 0; i < SAMPLES; i++) {
                expect_same(&texts[i], &alone[i], "sample", i);
            }
            if (x[k].n_seqs == N) { /* all in the steps of the longest */
                assert_true(steps <= prompt + (size_t)a->generation.max_tokens);
            }
            choir_scheduler_close(s);
            expect_no_block_held(e);
            choir_engine_close(e);
            free(texts);
        }
    }
    free(alone);
}

/* Prompts that begin alike, submitted together: what they share is computed once. */
static void test_shared_prefix(void **state)
{
    struct fixture *f = *state;
    const struct setting x = {2, 16, 512, N, 0, 0};
    struct asked a = f->asked[14];
    struct text *texts = calloc(N, sizeof *texts), *alone = calloc(N, sizeof *alone);
    choir_engine *e = open_engine(f, &x);
    choir_scheduler *s = open_scheduler(e);
    int32_t ids[N][CTX];
    int32_t shared = (int32_t)a.n_ids / 16 * 16, computed = 0;
    assert_true(shared >= 32);
    a.generation.max_tokens = 5;
    for (int i = 0; i < N; i++) {
        memcpy(ids[i], f->asked[14].ids, a.n_ids * sizeof **ids);
        ids[i][a.n_ids] = 10 + i;
        a.ids = ids[i];
        a.n_ids++;
        write_alone(f, &a, 0, &alone[i]);
        submit(s, &a, 1, &texts[i]);
        a.n_ids--;
    }
    run_out(s);
    for (int i = 0; i < N; i++) {
        expect_same(&texts[i], &alone[i], "shared prefix", i);
        computed += texts[i].result.n_prompt - texts[i].result.n_cached;
    }
    assert_int_equal(computed, shared + N * ((int32_t)a.n_ids + 1 - shared));
    choir_scheduler_close(s);
    choir_engine_close(e);
    free(texts);
    free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),      cmocka_unit_test(test_windows),       cmocka_unit_test(test_samples),
        cmocka_unit_test(test_from_sequence), cmocka_unit_test(test_shared_prefix),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
