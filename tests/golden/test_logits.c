/* Logits of small random models against an independent float64 implementation (tools/golden/logits.py), through every
 * container, type and RoPE layout; keys and values in f32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "tests/support/golden.h"
#include "tests/support/golden_run.h"
#include "tests/support/tiny.h"

static void expect(const struct golden *g, const char *path, const char *quant, bool in_place, const char *type,
                   double most)
{
    double nmse = golden_nmse(g, path, quant, in_place, type);
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

/* Activations rounded to bf16. */
static void test_bf16_dot(void **state)
{
    (void)state;
    if (base_cpu_cap(BASE_CPU_AVX512BF16) != BASE_CPU_AVX512BF16) {
        printf("# no level avx512bf16 on this processor: absent\n");
        skip();
    }
    for (int i = 0; i < N_NAMES; i++) {
        struct golden g;
        char dir[TINY_PATH];
        golden_load(&g, names[i]);
        tiny_dir_make(dir);
        golden_write_hf(&g, dir, DTYPE_BF16);
        double nmse = golden_nmse_at(&g, "avx512bf16", dir, NULL, false, "f32");
        if (!(nmse <= 1e-4 && nmse > exact)) { /* the level is at work, and near enough */
            fail_msg("%s as bf16 at level avx512bf16: NMSE %.3g, at most 1e-4 wanted", g.name, nmse);
        }
        tiny_dir_remove(dir);
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
        cmocka_unit_test(test_hugging_face), cmocka_unit_test(test_bf16_dot),  cmocka_unit_test(test_gguf),
        cmocka_unit_test(test_llama2c),      cmocka_unit_test(test_quantized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
