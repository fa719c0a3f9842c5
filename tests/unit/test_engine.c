/* Sequences in an engine: many in one step, forks, truncation, cancelling, limits; each compared bit for bit with a sequence
 * that ran alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_IDS = 60, VOCAB = 70 };

struct fixture {
    struct golden golden;
    char dir[TINY_PATH];
    choir_model *model;
    int32_t ids[4][N_IDS];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    golden_load(&f->golden, "gqa_wide");
    tiny_dir_make(f->dir);
    golden_write_hf(&f->golden, f->dir, DTYPE_F16);
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = f->dir;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&f->model, &opt, NULL), CHOIR_OK);
    for (int s = 0; s < 4; s++) {
        for (int i = 0; i < N_IDS; i++) {
            f->ids[s][i] = (i * (7 + s) + s * 13) % VOCAB;
        }
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_model_close(f->model);
    golden_free(&f->golden);
    tiny_dir_remove(f->dir);
    free(f);
    return 0;
}

static choir_engine *open_engine(const struct fixture *f, int n_seqs, int batch, int ctx)
{
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.n_seqs = n_seqs;
    opt.batch = batch;
    opt.ctx_size = ctx;
    opt.n_threads = 2;
    choir_engine *e;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, NULL), CHOIR_OK);
    return e;
}

static choir_sequence *open_sequence(choir_engine *e)
{
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    choir_sequence *s;
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    return s;
}

static void append(choir_sequence *s, const int32_t *ids, int n)
{
    assert_int_equal(choir_sequence_append(s, ids, (size_t)n, NULL), CHOIR_OK);
}

static bool is_pending(choir_sequence *const *seqs, int n)
{
    for (int i = 0; i < n; i++) {
        if (choir_sequence_computed(seqs[i]) < choir_sequence_length(seqs[i])) {
            return true;
        }
    }
    return false;
}

static void step_all(choir_engine *e, choir_sequence *const *seqs, int n)
{
    while (is_pending(seqs, n)) {
        assert_int_equal(choir_engine_step(e, seqs, n, NULL), CHOIR_OK);
    }
}

/* Logits after the first n ids of row `which`, by a sequence alone in an engine of its own. */
static void alone(const struct fixture *f, int which, int n, float logits[VOCAB])
{
    choir_engine *e = open_engine(f, 1, 512, 128);
    choir_sequence *s = open_sequence(e);
    append(s, f->ids[which], n);
    step_all(e, &s, 1);
    memcpy(logits, choir_sequence_logits(s), VOCAB * sizeof *logits);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void expect_same(const struct fixture *f, const choir_sequence *s, int which)
{
    float want[VOCAB];
    alone(f, which, choir_sequence_length(s), want);
    assert_non_null(choir_sequence_logits(s));
    assert_memory_equal(choir_sequence_logits(s), want, sizeof want);
}

/* Prompts of different lengths enter at different times; small steps mix their chunks with decodes. */
static void test_many_together(void **state)
{
    struct fixture *f = *state;
    for (int batch = 3; batch <= 50; batch += 9) {
        choir_engine *e = open_engine(f, 4, batch, 128);
        choir_sequence *s[4];
        int given[4] = {0};
        for (int i = 0; i < 4; i++) {
            s[i] = open_sequence(e);
        }
        for (int round = 0; round < 12; round++) {
            for (int i = 0; i < 4; i++) {
                int n = round == i * 2 ? 11 + 9 * i : round > i * 2 ? 1 : 0;
                append(s[i], f->ids[i] + given[i], n);
                given[i] += n;
            }
            assert_int_equal(choir_engine_step(e, s, 4, NULL), CHOIR_OK);
        }
        step_all(e, s, 4);
        for (int i = 0; i < 4; i++) {
            expect_same(f, s[i], i);
            choir_sequence_close(s[i]);
        }
        choir_engine_info info;
        choir_engine_describe(e, &info);
        assert_int_equal(info.n_free_blocks, info.n_blocks);
        choir_engine_close(e);
    }
}

/* The prompts of several sequences fill a step together, also when each has all the context. */
static void test_prompts_in_one_step(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 4, 512, N_IDS);
    choir_sequence *seqs[4];
    for (int i = 0; i < 4; i++) {
        seqs[i] = open_sequence(e);
        append(seqs[i], f->ids[i], N_IDS);
    }
    assert_int_equal(choir_engine_step(e, seqs, 4, NULL), CHOIR_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(choir_sequence_computed(seqs[i]), N_IDS);
        choir_sequence_close(seqs[i]);
    }
    choir_engine_close(e);
}

/* Two continuations of one past, written in turns: neither sees the other. */
static void test_fork(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 3, 64, 128);
    choir_sequence *a = open_sequence(e);
    append(a, f->ids[0], 21);
    step_all(e, &a, 1);
    choir_sequence *b;
    assert_int_equal(choir_sequence_fork(&b, a, NULL, NULL), CHOIR_OK);
    assert_memory_equal(choir_sequence_logits(a), choir_sequence_logits(b), VOCAB * sizeof(float));
    int32_t other[30];
    memcpy(other, f->ids[0], 21 * sizeof *other);
    memcpy(other + 21, f->ids[1], 9 * sizeof *other);
    choir_sequence *both[2] = {a, b};
    for (int i = 21; i < 30; i++) {
        append(a, f->ids[0] + i, 1);
        append(b, other + i, 1);
        step_all(e, both, 2);
    }
    expect_same(f, a, 0);
    choir_sequence *c = open_sequence(e);
    append(c, other, 30);
    step_all(e, &c, 1);
    assert_memory_equal(choir_sequence_logits(b), choir_sequence_logits(c), VOCAB * sizeof(float));
    choir_sequence_close(a);
    choir_sequence_close(c);
    append(b, f->ids[2], 1); /* the other holders are gone: b goes on alone */
    step_all(e, &b, 1);
    choir_sequence_close(b);
    choir_engine_close(e);
}

/* An id that is not computed yet takes the logits away: nothing can be drawn until the next step. */
static void test_append_takes_logits(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 64, 128);
    choir_sequence *s = open_sequence(e);
    choir_error err;
    int32_t id = 5;
    assert_null(choir_sequence_logits(s));
    append(s, f->ids[0], 9);
    step_all(e, &s, 1);
    assert_non_null(choir_sequence_logits(s));
    append(s, f->ids[0], 0); /* nothing added, nothing lost */
    assert_non_null(choir_sequence_logits(s));
    assert_int_equal(choir_sequence_sample(s, &id, NULL), CHOIR_OK);
    append(s, f->ids[0] + 9, 1);
    assert_null(choir_sequence_logits(s));
    assert_int_equal(choir_sequence_sample(s, &id, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "no logits to draw from: step the sequence first");
    assert_int_equal(id, 0);
    step_all(e, &s, 1);
    expect_same(f, s, 0);
    choir_sequence_close(s);
    choir_engine_close(e);
}

/* More sequences in a step than the engine was made for, and than a batch has tokens: each gets its logits in its turn. */
static void test_more_than_fit(void **state)
{
    enum { N = 9 };
    struct fixture *f = *state;
    static const int batches[] = {1, 2, 3, 64};
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
        for (int n_seqs = 2; n_seqs <= 4; n_seqs += 2) {
            choir_engine *e = open_engine(f, n_seqs, batches[b], 128);
            choir_sequence *s[N];
            for (int i = 0; i < N; i++) {
                s[i] = open_sequence(e);
                append(s[i], f->ids[i % 4], 3 + i % 3);
            }
            step_all(e, s, N);
            for (int i = 0; i < N; i++) {
                append(s[i], f->ids[i % 4] + 3 + i % 3, 1);
            }
            step_all(e, s, N);
            for (int i = 0; i < N; i++) {
                expect_same(f, s[i], i % 4);
                choir_sequence_close(s[i]);
            }
            choir_engine_close(e);
        }
    }
}

/* After a truncation the last token that remains is pending, and the next step gives the logits it gave before. */
static void test_step_after_truncate(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 2, 64, 128);
    choir_sequence *s = open_sequence(e), *fork;
    append(s, f->ids[1], 40);
    step_all(e, &s, 1);
    assert_int_equal(choir_sequence_fork(&fork, s, NULL, NULL), CHOIR_OK); /* its blocks are not this one's to change */
    for (int n = 33; n >= 15; n -= 6) {                                    /* across the end of a block and at one */
        choir_sequence_truncate(s, n == 15 ? 16 : n);
        assert_int_equal(choir_sequence_computed(s), choir_sequence_length(s) - 1);
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        assert_int_equal(choir_sequence_computed(s), choir_sequence_length(s));
        expect_same(f, s, 1);
    }
    expect_same(f, fork, 1);
    choir_sequence_truncate(s, 1);
    assert_int_equal(choir_sequence_computed(s), 0);
    assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    expect_same(f, s, 1);
    choir_sequence_truncate(s, 1); /* its length, and beyond: nothing changes */
    choir_sequence_truncate(s, 7);
    choir_sequence_truncate(s, -1);
    assert_int_equal(choir_sequence_length(s), 1);
    assert_non_null(choir_sequence_logits(s));
    append(fork, f->ids[1] + 40, 1);
    step_all(e, &fork, 1);
    expect_same(f, fork, 1);
    choir_sequence_close(fork);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void test_truncate(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 64, 128);
    choir_sequence *s = open_sequence(e);
    append(s, f->ids[0], 10);
    append(s, f->ids[1], 30);
    step_all(e, &s, 1);
    choir_sequence_truncate(s, 10);
    assert_int_equal(choir_sequence_length(s), 10);
    assert_null(choir_sequence_logits(s));
    append(s, f->ids[0] + 10, 25);
    step_all(e, &s, 1);
    expect_same(f, s, 0);
    choir_sequence_truncate(s, 0);
    append(s, f->ids[2], 17);
    step_all(e, &s, 1);
    expect_same(f, s, 2);
    choir_sequence_close(s);
    choir_engine_close(e);
}

/* choir_generate finds the logits gone after a truncation and computes them again: the same draw as before. */
static void test_generate_after_truncate(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 64, 128);
    choir_sequence *s = open_sequence(e);
    choir_generation g;
    choir_result r;
    choir_generation_default(&g);
    g.max_tokens = 12;
    append(s, f->ids[0], 20);
    assert_int_equal(choir_generate(&r, s, &g, NULL), CHOIR_OK);
    int32_t first[64], n = choir_sequence_length(s);
    memcpy(first, choir_sequence_ids(s), (size_t)n * sizeof *first);
    choir_sequence_truncate(s, 20);
    assert_int_equal(choir_generate(&r, s, &g, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_length(s), n);
    assert_memory_equal(choir_sequence_ids(s), first, (size_t)n * sizeof *first);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void test_context_full(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 64, 32);
    choir_sequence *s = open_sequence(e);
    choir_error err;
    assert_int_equal(choir_sequence_append(s, f->ids[0], 33, &err), CHOIR_PROMPT);
    assert_string_equal(err.msg, "prompt is 33 tokens, context is 32; raise --ctx-size to 34");
    assert_int_equal(choir_sequence_length(s), 0);
    append(s, f->ids[0], 30);
    choir_generation g;
    choir_result r;
    choir_generation_default(&g);
    g.max_tokens = -1;
    assert_int_equal(choir_generate(&r, s, &g, NULL), CHOIR_OK);
    if (r.finish != CHOIR_FINISH_STOP) {
        assert_int_equal(r.finish, CHOIR_FINISH_LENGTH);
        assert_true(r.context_full);
        assert_int_equal(choir_sequence_length(s), 32);
        assert_int_equal(r.n_generated, 2);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
}

/* A cancelled step leaves the sequence as it was. */
static void test_cancel(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 16, 128);
    choir_sequence *s = open_sequence(e);
    append(s, f->ids[3], 40);
    assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    choir_engine_cancel(e);
    choir_error err;
    assert_int_equal(choir_engine_step(e, &s, 1, &err), CHOIR_CANCELLED);
    assert_int_equal(choir_sequence_computed(s), 16);
    choir_engine_uncancel(e);
    step_all(e, &s, 1);
    expect_same(f, s, 3);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void test_pool_runs_out(void **state)
{
    struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 64, 64);
    choir_sequence *s[2] = {open_sequence(e), open_sequence(e)};
    append(s[0], f->ids[0], 50);
    append(s[1], f->ids[1], 50);
    choir_error err;
    assert_int_equal(choir_engine_step(e, s, 1, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_step(e, s + 1, 1, &err), CHOIR_RESOURCE);
    assert_int_equal(choir_sequence_computed(s[1]), 0);
    choir_sequence_close(s[0]);
    step_all(e, s + 1, 1);
    expect_same(f, s[1], 1);
    choir_sequence_close(s[1]);
    choir_engine_close(e);
}

static void test_options(void **state)
{
    struct fixture *f = *state;
    choir_engine_options opt;
    choir_engine *e;
    choir_error err;
    choir_engine_options_default(&opt);
    opt.ctx_size = 5000;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "--ctx-size: 5000, the model was made for at most 1024 tokens");
    assert_null(e);
    choir_engine_options_default(&opt);
    opt.kv_block = 24;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, &err), CHOIR_USAGE);
    choir_engine_options_default(&opt);
    opt.kv_type = "f8";
    assert_int_equal(choir_engine_open(&e, f->model, &opt, &err), CHOIR_USAGE);
    choir_engine_options_default(&opt);
    opt.ctx_size = 1024;
    opt.mem_limit = 1000;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, &err), CHOIR_RESOURCE);
    assert_non_null(strstr(err.msg, "context of 1024 tokens needs"));
}

/* Without a sampling the defaults count: the same draws. */
static void test_plain_sampling(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 2, 512, 128);
    choir_sequence *seqs[2] = {open_sequence(e), NULL};
    int32_t drawn[2];
    assert_int_equal(choir_sequence_open(&seqs[1], e, NULL, NULL), CHOIR_OK);
    for (int i = 0; i < 2; i++) {
        append(seqs[i], f->ids[1], 12);
    }
    step_all(e, seqs, 2);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(choir_sequence_sample(seqs[i], &drawn[i], NULL), CHOIR_OK);
            append(seqs[i], &drawn[i], 1);
        }
        assert_int_equal(drawn[0], drawn[1]);
        step_all(e, seqs, 2);
    }
    choir_sequence_close(seqs[0]);
    choir_sequence_close(seqs[1]);
    choir_engine_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_takes_logits),
        cmocka_unit_test(test_more_than_fit),
        cmocka_unit_test(test_step_after_truncate),
        cmocka_unit_test(test_many_together),
        cmocka_unit_test(test_prompts_in_one_step),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_truncate),
        cmocka_unit_test(test_generate_after_truncate),
        cmocka_unit_test(test_context_full),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_pool_runs_out),
        cmocka_unit_test(test_plain_sampling),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
