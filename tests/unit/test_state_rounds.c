/* A sequence in a file and back, in engines that differ from the one that kept it: the logits that follow are, bit for bit, those
 * of a sequence that never was in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_IDS = 60, VOCAB = 70 };

struct fixture {
    struct golden golden;
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model *model;
    int32_t ids[N_IDS];
};

struct engine {
    const char *kv_type;
    int block, threads, ctx;
};

static choir_model *open_model(const char *path)
{
    choir_model_options opt;
    choir_model *m;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&m, &opt, NULL), CHOIR_OK);
    return m;
}

static void open_fixture(struct fixture *f, const char *name)
{
    golden_load(&f->golden, name);
    tiny_dir_make(f->dir);
    tiny_path(f->path, f->dir, "s.kv");
    golden_write_hf(&f->golden, f->dir, DTYPE_F16);
    f->model = open_model(f->dir);
    for (int i = 0; i < N_IDS; i++) {
        f->ids[i] = i * 7 % VOCAB;
    }
}

static void close_fixture(struct fixture *f)
{
    choir_model_close(f->model);
    golden_free(&f->golden);
    tiny_dir_remove(f->dir);
}

static void open_sequence(choir_engine **e, choir_sequence **s, const choir_model *m, const struct engine *x)
{
    choir_engine_options opt;
    choir_sampling sampling;
    choir_error err;
    choir_engine_options_default(&opt);
    choir_sampling_default(&sampling);
    opt.ctx_size = x->ctx;
    opt.kv_block = x->block;
    opt.kv_type = x->kv_type;
    opt.n_threads = x->threads;
    opt.prefix_cache = false;
    if (choir_engine_open(e, m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(choir_sequence_open(s, *e, &sampling, NULL), CHOIR_OK);
}

static void compute(choir_engine *e, choir_sequence *s)
{
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    }
}

static void feed(choir_engine *e, choir_sequence *s, const int32_t *ids, int n)
{
    assert_int_equal(choir_sequence_append(s, ids, (size_t)n, NULL), CHOIR_OK);
    compute(e, s);
}

/* n tokens kept by one engine and loaded by another; n_pending of them not computed. */
static void check_round(const struct fixture *f, const struct engine *from, const struct engine *to, int n,
                        int n_pending)
{
    choir_engine *e1, *e2;
    choir_sequence *s1, *s2;
    open_sequence(&e1, &s1, f->model, from);
    open_sequence(&e2, &s2, f->model, to);
    feed(e1, s1, f->ids, n - n_pending);
    assert_int_equal(choir_sequence_append(s1, f->ids + n - n_pending, (size_t)n_pending, NULL), CHOIR_OK);
    choir_error err;
    if (choir_sequence_save(s1, f->path, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    feed(e2, s2, f->ids + 3, 20); /* another text, which goes */
    if (choir_sequence_load(s2, f->path, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(choir_sequence_length(s2), n);
    assert_memory_equal(choir_sequence_ids(s2), f->ids, (size_t)n * sizeof *f->ids);
    assert_null(choir_sequence_logits(s2));
    for (int i = n; i < N_IDS; i++) {
        compute(e1, s1);
        compute(e2, s2);
        if (i > 0) {
            assert_memory_equal(choir_sequence_logits(s1), choir_sequence_logits(s2), VOCAB * sizeof(float));
        }
        feed(e1, s1, f->ids + i, 1);
        feed(e2, s2, f->ids + i, 1);
    }
    choir_sequence_close(s1);
    choir_sequence_close(s2);
    choir_engine_close(e1);
    choir_engine_close(e2);
}

static void test_rounds(void **state)
{
    (void)state;
    static const char *const types[] = {"f32", "f16", "q8_0"};
    static const int blocks[] = {1, 4, 16, 64};
    struct fixture f;
    open_fixture(&f, "gqa_wide");
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < 4; i++) {
            for (int k = 0; k < 4; k++) {
                const struct engine from = {.kv_type = types[t], .block = blocks[i], .threads = 1, .ctx = N_IDS};
                const struct engine to = {.kv_type = types[t], .block = blocks[k], .threads = 3, .ctx = N_IDS};
                check_round(&f, &from, &to, 40, 0);
                check_round(&f, &from, &to, 33, 5);
            }
        }
    }
    const struct engine plain = {.kv_type = "f16", .block = 16, .threads = 2, .ctx = N_IDS};
    for (int n = 0; n < 34; n++) {
        check_round(&f, &plain, &plain, n, n > 5 ? n % 3 : 0);
    }
    check_round(&f, &plain, &plain, 9, 9);
    close_fixture(&f);
}

/* Heads whose scales are a part of a block. */
static void test_odd_heads(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "odd");
    const struct engine from = {.kv_type = "q8_0", .block = 8, .threads = 1, .ctx = 0};
    const struct engine to = {.kv_type = "q8_0", .block = 32, .threads = 2, .ctx = 0};
    choir_engine *e1, *e2;
    choir_sequence *s1, *s2;
    open_sequence(&e1, &s1, f.model, &from);
    open_sequence(&e2, &s2, f.model, &to);
    const int n = f.golden.n_ids - 1;
    feed(e1, s1, f.golden.ids, n);
    assert_int_equal(choir_sequence_save(s1, f.path, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_load(s2, f.path, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_computed(s2), n - 1);
    feed(e1, s1, f.golden.ids + n, 1);
    feed(e2, s2, f.golden.ids + n, 1);
    assert_memory_equal(choir_sequence_logits(s1), choir_sequence_logits(s2),
                        (size_t)f.golden.vocab_size * sizeof(float));
    choir_sequence_close(s1);
    choir_sequence_close(s2);
    choir_engine_close(e1);
    choir_engine_close(e2);
    close_fixture(&f);
}

/* What windows have passed is not kept, and not missed; where blocks are too large for what is there, it is computed anew. */
static void test_windows(void **state)
{
    (void)state;
    enum { LONG = 300 };
    struct golden g;
    char dir[TINY_PATH], model[TINY_PATH], path[TINY_PATH];
    int32_t ids[LONG + 5];
    golden_load(&g, "gqa_wide");
    g.sliding_window = 20;
    g.max_seq_len = 512;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "model.gguf", DTYPE_F32);
    choir_model *m = open_model(tiny_path(model, dir, "model.gguf"));
    tiny_path(path, dir, "s.kv");
    for (int i = 0; i < LONG + 5; i++) {
        ids[i] = i * 11 % VOCAB;
    }
    static const int blocks[] = {1, 4, 16, 64};
    for (int i = 0; i < 16; i++) {
        const struct engine from = {.kv_type = "f16", .block = blocks[i / 4], .threads = 1, .ctx = 400};
        const struct engine to = {.kv_type = "f16", .block = blocks[i % 4], .threads = 2, .ctx = 400};
        struct stat st;
        choir_engine *e1, *e2;
        choir_sequence *s1, *s2;
        choir_error err;
        open_sequence(&e1, &s1, m, &from);
        open_sequence(&e2, &s2, m, &to);
        feed(e1, s1, ids, LONG);
        assert_int_equal(choir_sequence_save(s1, path, NULL), CHOIR_OK);
        assert_int_equal(stat(path, &st), 0);
        assert_true((uint64_t)st.st_size < 96 + 4 * LONG + 16 * 1024 * 8);
        if (choir_sequence_load(s2, path, &err) != CHOIR_OK) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(choir_sequence_length(s2), LONG);
        feed(e1, s1, ids + LONG, 5);
        feed(e2, s2, ids + LONG, 5);
        assert_memory_equal(choir_sequence_logits(s1), choir_sequence_logits(s2), VOCAB * sizeof(float));
        choir_sequence_close(s1);
        choir_sequence_close(s2);
        choir_engine_close(e1);
        choir_engine_close(e2);
    }
    choir_model_close(m);
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* The same weights in place are the same model; a number of one matrix makes another. */
static void test_same_model(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "gqa_wide");
    const struct engine x = {.kv_type = "f16", .block = 16, .threads = 2, .ctx = N_IDS};
    choir_engine *e;
    choir_sequence *s;
    choir_model *other;
    choir_model_options opt;
    choir_error err;
    open_sequence(&e, &s, f.model, &x);
    feed(e, s, f.ids, 30);
    assert_int_equal(choir_sequence_save(s, f.path, NULL), CHOIR_OK);
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_options_default(&opt);
    opt.path = f.dir;
    opt.text_optional = true;
    opt.mmap = true;
    assert_int_equal(choir_model_open(&other, &opt, NULL), CHOIR_OK);
    open_sequence(&e, &s, other, &x);
    assert_int_equal(choir_sequence_load(s, f.path, NULL), CHOIR_OK);
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(other);
    f.golden.seed++;
    golden_write_hf(&f.golden, f.dir, DTYPE_F16);
    other = open_model(f.dir);
    open_sequence(&e, &s, other, &x);
    assert_int_equal(choir_sequence_load(s, f.path, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "was saved with another model"));
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(other);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_odd_heads),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_same_model),
    };
    return cmocka_run_group_tests_name("state file", tests, NULL, NULL);
}
