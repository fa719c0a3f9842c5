/* One weight that is NaN or infinite, anywhere in a model that stays in its file, where nobody looked through the weights
 * (test_finite_weights.c has those that are looked through): the step that would use it ends with CHOIR_FILE and says so,
 * never with made-up logits, and the sequences are as before. */
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
#include "tests/support/check.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum container { HF, GGUF };

/* How a model is written, and whether it stays where it is. */
struct form {
    enum container container;
    choir_dtype type;
    bool in_place;
};

static const struct form forms[] = {
    {HF, DTYPE_F32, true},    {HF, DTYPE_F16, true},    {HF, DTYPE_BF16, true},
    {GGUF, DTYPE_Q8_0, true}, {GGUF, DTYPE_Q4_0, true}, {GGUF, DTYPE_F32, true},
};

static const struct form packed = {HF, DTYPE_F32, false};

/* How it is run. */
struct setting {
    const char *cpu, *kv_type;
    int threads, batch, kv_block;
};

static const struct setting settings[] = {
    {"reference", "f16", 1, 512, 16}, {"reference", "f32", 1, 512, 16}, {NULL, "f16", 1, 512, 16},
    {NULL, "f32", 2, 512, 16},        {NULL, "f16", 2, 7, 4},           {NULL, "f32", 1, 1, 16},
};

enum { N_FORMS = sizeof forms / sizeof forms[0], N_SETTINGS = sizeof settings / sizeof settings[0] };

struct opened {
    choir_model *model;
    choir_engine *engine;
};

static void write_model(const struct golden *g, const char *dir, const struct form *f)
{
    if (f->container == HF) {
        golden_write_hf(g, dir, f->type);
    } else {
        golden_write_gguf(g, dir, "model.gguf", f->type);
    }
}

static struct opened open_engine(const char *dir, const struct form *f, const struct setting *x)
{
    struct opened o;
    char path[TINY_PATH];
    choir_model_options mo;
    choir_engine_options eo;
    choir_error err;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    mo.path = f->container == HF ? dir : tiny_path(path, dir, "model.gguf");
    mo.cpu = x->cpu;
    mo.mmap = f->in_place;
    mo.text_optional = true;
    if (choir_model_open(&o.model, &mo, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    eo.n_threads = x->threads;
    eo.batch = x->batch;
    eo.kv_block = x->kv_block;
    eo.kv_type = x->kv_type;
    eo.n_seqs = 2;
    if (choir_engine_open(&o.engine, o.model, &eo, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return o;
}

static void close_engine(struct opened *o)
{
    choir_engine_close(o->engine);
    choir_model_close(o->model);
}

static choir_sequence *open_sequence(const struct opened *o, const int32_t *ids, int n)
{
    choir_sequence *s;
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, o->engine, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, ids, (size_t)n, NULL), CHOIR_OK);
    return s;
}

/* Steps until all is computed or one fails. */
static choir_status step_all(const struct opened *o, choir_sequence *s, choir_error *err)
{
    choir_status status = CHOIR_OK;
    while (status == CHOIR_OK && choir_sequence_computed(s) < choir_sequence_length(s)) {
        status = choir_engine_step(o->engine, &s, 1, err);
    }
    return status;
}

/* A prompt through a model that has been written; what it should end with. */
static void check_prompt(const struct golden *g, const char *dir, const struct form *f, const struct setting *x,
                         choir_status expected)
{
    struct opened o = open_engine(dir, f, x);
    choir_sequence *s = open_sequence(&o, g->ids, g->n_ids);
    choir_error err = {0};
    choir_status status = step_all(&o, s, &err);
    if (status != expected || (status == CHOIR_FILE && strstr(err.msg, "not finite") == NULL)) {
        fail_msg("%s[%zu] = %g, %s %s, cpu %s, kv %s, batch %d: status %d, \"%s\"", g->bad_tensor, g->bad_at,
                 (double)g->bad_value, f->container == HF ? "folder" : "gguf", dtype_table[f->type].name,
                 x->cpu != NULL ? x->cpu : "best", x->kv_type, x->batch, (int)status, err.msg);
    }
    if (status == CHOIR_FILE) { /* the last step has not been */
        assert_int_equal(choir_sequence_computed(s), (g->n_ids - 1) / x->batch * x->batch);
        assert_int_equal(choir_sequence_length(s), g->n_ids);
        assert_memory_equal(choir_sequence_ids(s), g->ids, (size_t)g->n_ids * sizeof *g->ids);
        assert_null(choir_sequence_logits(s));
        assert_int_equal(choir_engine_step(o.engine, &s, 1, NULL), CHOIR_FILE);
    }
    choir_sequence_close(s);
    close_engine(&o);
}

/* Every matrix of every layer, and those outside, in every form; values and settings take turns. */
static void test_any_matrix(void **state)
{
    (void)state;
    static const char *const tensors[] = {
        "token_embd.weight",        "blk.0.attn_q.weight",   "blk.0.attn_k.weight",   "blk.0.attn_v.weight",
        "blk.0.attn_output.weight", "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight",   "blk.0.ffn_down.weight",
        "blk.1.attn_q.weight",      "blk.1.attn_k.weight",   "blk.1.attn_v.weight",   "blk.1.attn_output.weight",
        "blk.1.ffn_gate.weight",    "blk.1.ffn_up.weight",   "blk.1.ffn_down.weight", "output.weight",
    };
    static const float values[] = {NAN, INFINITY, -INFINITY};
    struct golden g;
    golden_load(&g, "quant");
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        g.bad_tensor = tensors[i];
        g.bad_at = (size_t)(i == 0 ? g.ids[5] : 3) * (size_t)g.dim + 50;
        for (int f = 0; f < N_FORMS; f++) {
            if (check_every() > 1 && ((int)i + f) % 3 != 0) {
                continue; /* each tensor and each form is left */
            }
            char dir[TINY_PATH];
            g.bad_value = values[((int)i + 2 * f) % 3];
            tiny_dir_make(dir);
            write_model(&g, dir, &forms[f]);
            for (int x = 0; x < 2; x++) { /* settings 3 apart have different types of cache */
                check_prompt(&g, dir, &forms[f], &settings[((int)i + f + 3 * x) % N_SETTINGS], CHOIR_FILE);
            }
            tiny_dir_remove(dir);
        }
    }
    golden_free(&g);
}

/* Keys or values that are finite, but not in a cache of f16. */
static void test_cache_overflow(void **state)
{
    (void)state;
    static const char *const tensors[] = {"blk.0.attn_k.weight", "blk.0.attn_v.weight", "blk.1.attn_k.weight",
                                          "blk.1.attn_v.weight"};
    struct golden g;
    golden_load(&g, "quant");
    for (int i = 0; i < 8; i++) {
        char dir[TINY_PATH];
        g.bad_tensor = tensors[i % 4];
        g.bad_at = (size_t)(20 * g.dim + 7);
        g.bad_value = i < 4 ? 1e8f : -1e8f;
        tiny_dir_make(dir);
        write_model(&g, dir, &packed);
        for (int x = 0; x < N_SETTINGS; x++) {
            bool overflows = strcmp(settings[x].kv_type, "f16") == 0;
            check_prompt(&g, dir, &packed, &settings[x], overflows ? CHOIR_FILE : CHOIR_OK);
        }
        tiny_dir_remove(dir);
    }
    golden_free(&g);
}

/* An id that the prompt does not have. */
static int32_t other_id(const struct golden *g)
{
    for (int32_t id = 3;; id++) {
        bool used = false;
        for (int i = 0; i < g->n_ids; i++) {
            used = used || g->ids[i] == id;
        }
        if (!used) {
            return id;
        }
    }
}

static void expect_same_logits(const struct golden *g, const choir_sequence *a, const float *b)
{
    assert_non_null(choir_sequence_logits(a));
    assert_memory_equal(choir_sequence_logits(a), b, (size_t)g->vocab_size * sizeof *b);
}

/* Logits after the prompt and one more id, in an engine of their own; malloc'ed. */
static float *logits_apart(const struct golden *g, const char *dir, const struct form *f, int32_t id)
{
    struct opened o = open_engine(dir, f, &settings[2]);
    choir_sequence *s = open_sequence(&o, g->ids, g->n_ids);
    assert_int_equal(choir_sequence_append(s, &id, 1, NULL), CHOIR_OK);
    assert_int_equal(step_all(&o, s, NULL), CHOIR_OK);
    float *out = malloc((size_t)g->vocab_size * sizeof *out);
    assert_non_null(out);
    memcpy(out, choir_sequence_logits(s), (size_t)g->vocab_size * sizeof *out);
    choir_sequence_close(s);
    close_engine(&o);
    return out;
}

/* A model with one bad row of the embedding: sequences go on as if that id had never come. */
static void check_going_on(struct golden *g, const struct form *f, float value)
{
    char dir[TINY_PATH];
    const int32_t bad = other_id(g), good = g->ids[0];
    g->bad_tensor = "token_embd.weight";
    g->bad_at = (size_t)bad * (size_t)g->dim;
    g->bad_value = value;
    tiny_dir_make(dir);
    write_model(g, dir, f);
    float *expected = logits_apart(g, dir, f, good);
    struct opened o = open_engine(dir, f, &settings[2]);
    choir_sequence *two[2] = {open_sequence(&o, g->ids, g->n_ids), open_sequence(&o, g->ids, g->n_ids)};
    choir_error err;
    assert_int_equal(step_all(&o, two[0], NULL), CHOIR_OK);
    assert_int_equal(step_all(&o, two[1], NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(two[0], &good, 1, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(two[1], &bad, 1, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_step(o.engine, two, 2, &err), CHOIR_FILE);
    char where[64];
    snprintf(where, sizeof where, "position %d are not finite", g->n_ids);
    assert_non_null(strstr(err.msg, where));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(choir_sequence_computed(two[i]), g->n_ids);
        assert_int_equal(choir_sequence_length(two[i]), g->n_ids + 1);
    }
    choir_sequence_truncate(two[1], g->n_ids);
    assert_int_equal(choir_sequence_append(two[1], &good, 1, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_step(o.engine, two, 2, NULL), CHOIR_OK);
    expect_same_logits(g, two[0], expected);
    expect_same_logits(g, two[1], expected);
    choir_sequence_close(two[0]);
    choir_sequence_close(two[1]);
    close_engine(&o);
    free(expected);
    tiny_dir_remove(dir);
}

static void test_going_on(void **state)
{
    (void)state;
    struct golden g;
    golden_load(&g, "quant");
    for (int f = 0; f < N_FORMS; f++) {
        check_going_on(&g, &forms[f], NAN);
    }
    check_going_on(&g, &packed, 3e38f); /* its square is not finite */
    golden_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_matrix),
        cmocka_unit_test(test_cache_overflow),
        cmocka_unit_test(test_going_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
