/* Logits of small random models against an independent float64 implementation (tools/golden/logits.py), through every
 * container, type and RoPE layout; keys and values in f32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

static choir_model *open_model(const char *path, const char *quant, bool in_place)
{
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.quant = quant;
    opt.mmap = in_place;
    opt.text_optional = true;
    choir_model *m;
    choir_error err;
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return m;
}

/* Computes all but the kept positions at once, the kept ones one by one; NMSE of their logits. */
static double nmse_of(const struct golden *g, const choir_model *m, const char *type)
{
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.kv_type = "f32";
    choir_engine *e;
    choir_sequence *s;
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_engine_open(&e, m, &opt, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    double *expected = golden_logits(g, type);
    double error = 0, power = 0;
    int first = g->n_ids - g->keep;
    assert_int_equal(choir_sequence_append(s, g->ids, (size_t)first, NULL), CHOIR_OK);
    for (int t = 0; t < g->keep; t++) {
        assert_int_equal(choir_sequence_append(s, g->ids + first + t, 1, NULL), CHOIR_OK);
        while (choir_sequence_computed(s) < choir_sequence_length(s)) {
            assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        }
        const float *logits = choir_sequence_logits(s);
        assert_non_null(logits);
        for (int i = 0; i < g->vocab_size; i++) {
            double want = expected[t * g->vocab_size + i];
            error += (logits[i] - want) * (logits[i] - want);
            power += want * want;
        }
    }
    free(expected);
    choir_sequence_close(s);
    choir_engine_close(e);
    return error / power;
}

static void expect(const struct golden *g, const char *path, const char *quant, bool in_place, const char *type,
                   double most)
{
    choir_model *m = open_model(path, quant, in_place);
    double nmse = nmse_of(g, m, type);
    choir_model_close(m);
    if (!(nmse <= most)) {
        fail_msg("%s as %s%s: NMSE %.3g, at most %.3g wanted", g->name, quant != NULL ? quant : type,
                 in_place ? " in place" : "", nmse, most);
    }
}

static const char *const names[] = {"mha_tied",    "gqa_wide",      "mqa",         "linear",    "llama3",
                                    "window",      "long",          "quant",       "odd",       "odd_quant",
                                    "long_window", "narrow_window", "wide_window", "wide_group"};
enum { N_NAMES = sizeof names / sizeof names[0] };
static const double exact = 1e-9;
static const double quantized = 1e-3;

static void test_hugging_face(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        struct golden g;
        char dir[TINY_PATH];
        golden_load(&g, names[i]);
        for (choir_dtype type = DTYPE_F32; type <= DTYPE_BF16; type++) {
            tiny_dir_make(dir);
            golden_write_hf(&g, dir, type);
            expect(&g, dir, NULL, false, "f32", exact);
            expect(&g, dir, NULL, true, "f32", exact);
            tiny_dir_remove(dir);
        }
        golden_free(&g);
    }
}

static void test_gguf(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        struct golden g;
        char dir[TINY_PATH], path[TINY_PATH];
        golden_load(&g, names[i]);
        tiny_dir_make(dir);
        for (choir_dtype type = DTYPE_F32; g.plain_rope && type <= DTYPE_BF16; type++) {
            golden_write_gguf(&g, dir, "m.gguf", type);
            expect(&g, tiny_path(path, dir, "m.gguf"), NULL, false, "f32", exact);
            expect(&g, path, NULL, true, "f32", exact);
        }
        tiny_dir_remove(dir);
        golden_free(&g);
    }
}

static void test_llama2c(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        struct golden g;
        char dir[TINY_PATH], path[TINY_PATH];
        golden_load(&g, names[i]);
        tiny_dir_make(dir);
        bool can_say = g.plain_rope && g.sliding_window == 0 && g.dim == g.n_heads * g.head_dim;
        for (int version = 0; can_say && version <= 1; version++) {
            golden_write_llama2c(&g, dir, "m.bin", version);
            expect(&g, tiny_path(path, dir, "m.bin"), NULL, false, "f32", exact);
        }
        tiny_dir_remove(dir);
        golden_free(&g);
    }
}

/* Quantized weights against the float64 pass over the rounded weights: what is left is the rounding of activations. */
static void test_quantized(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH], path[TINY_PATH];
    golden_load(&g, "quant");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F32);
    expect(&g, dir, "q8_0", false, "q8_0", quantized);
    expect(&g, dir, "q4_0", false, "q4_0", quantized);
    golden_write_gguf(&g, dir, "q8.gguf", DTYPE_Q8_0);
    expect(&g, tiny_path(path, dir, "q8.gguf"), NULL, false, "q8_0", quantized);
    expect(&g, path, NULL, true, "q8_0", quantized);
    golden_write_gguf(&g, dir, "q4.gguf", DTYPE_Q4_0);
    expect(&g, tiny_path(path, dir, "q4.gguf"), NULL, false, "q4_0", quantized);
    expect(&g, path, NULL, true, "q4_0", quantized);
    tiny_dir_remove(dir);
    golden_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hugging_face),
        cmocka_unit_test(test_gguf),
        cmocka_unit_test(test_llama2c),
        cmocka_unit_test(test_quantized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
