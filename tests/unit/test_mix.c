/* Mixes of types: which matrix gets which, against lists that llama.cpp's llama-quantize --dry-run printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weights/mix.h"
#include "weights/quants.h"

static void names(void **state)
{
    (void)state;
    char all[WTS_MIX_NAMES_CAP];
    assert_string_equal(wts_mix_by_name("q4_K_M")->name, "q4_K_M");
    assert_string_equal(wts_mix_by_name("Q4_k_m")->name, "q4_K_M");
    assert_ptr_equal(wts_mix_by_name("q4_K_S")->name, wts_mix_by_name("q4_k_s")->name);
    assert_null(wts_mix_by_name("q4_K_"));
    assert_null(wts_mix_by_name(""));
    assert_null(wts_mix_by_name("iq4_nl"));
    assert_null(wts_mix_name(-1));
    wts_mix_names(all);
    int n = 0;
    for (; wts_mix_name(n) != NULL; n++) {
        assert_non_null(strstr(all, wts_mix_name(n)));
        assert_string_equal(wts_mix_by_name(wts_mix_name(n))->name, wts_mix_name(n));
    }
    assert_true(strlen(all) < WTS_MIX_NAMES_CAP - 8); /* not cut */
    assert_null(wts_mix_name(n + 1));
}

/* Every type that can be made has a mix of its own name, and one without any other type in it. */
static void all_types(void **state)
{
    (void)state;
    const struct wts_mix_model model = {.n_layers = 9, .n_heads = 4, .n_kv_heads = 4};
    for (int type = 0; type < DTYPE_COUNT; type++) {
        const bool can = wts_quantizable((choir_dtype)type);
        const struct wts_mix *mix = wts_mix_by_name(dtype_table[type].name), *pure = wts_mix_alike((choir_dtype)type);
        assert_int_equal(mix != NULL, can);
        assert_int_equal(pure != NULL, can);
        for (int layer = 0; can && layer < 9; layer++) {
            assert_int_equal(mix->type, type);
            assert_string_equal(pure->name, dtype_table[type].name);
            assert_int_equal(wts_mix_type(pure, &model, WTS_PLACE_DOWN, layer, 512), type);
            assert_int_equal(wts_mix_type(pure, &model, WTS_PLACE_OUTPUT, -1, 512), type);
        }
    }
    for (int i = 0; wts_mix_name(i) != NULL; i++) {
        assert_true(wts_quantizable(wts_mix_by_name(wts_mix_name(i))->type));
    }
}

/* The types that a mix gives one place, layer after layer, one letter each: the number of bits, 8 for q8_0. */
static void expect_layers(const char *name, struct wts_mix_model model, enum wts_place place, const char *wanted)
{
    static const char letters[DTYPE_COUNT] = {
        [DTYPE_Q2_K] = '2', [DTYPE_Q3_K] = '3', [DTYPE_Q4_K] = '4', [DTYPE_Q5_K] = '5',
        [DTYPE_Q6_K] = '6', [DTYPE_Q8_0] = '8', [DTYPE_Q4_0] = '0',
    };
    model.n_layers = (int)strlen(wanted);
    for (int layer = 0; layer < model.n_layers; layer++) {
        const choir_dtype type = wts_mix_type(wts_mix_by_name(name), &model, place, layer, 512);
        if (letters[type] != wanted[layer]) {
            fail_msg("%s, layer %d of %d: %s", name, layer, model.n_layers, dtype_table[type].name);
        }
    }
}

static const struct wts_mix_model plain = {.n_heads = 9, .n_kv_heads = 3}, grouped = {.n_heads = 8, .n_kv_heads = 2},
                                  eight = {.n_heads = 8, .n_kv_heads = 2, .n_experts = 8},
                                  falcon = {.n_heads = 71, .n_kv_heads = 1, .falcon = true};

static void layers(void **state)
{
    (void)state;
    expect_layers("q4_K_M", plain, WTS_PLACE_V, "6644644644644644644666");
    expect_layers("q4_K_M", plain, WTS_PLACE_DOWN, "6644644644644644644666");
    expect_layers("q4_K", plain, WTS_PLACE_DOWN, "6644644644644644644666");
    expect_layers("q5_K_M", plain, WTS_PLACE_DOWN, "6655655655655655655666");
    expect_layers("q5_K_S", plain, WTS_PLACE_DOWN, "5555555555555555555555");
    expect_layers("q4_K_M", plain, WTS_PLACE_ANY, "4444444444444444444444");
    expect_layers("q4_K_M", plain, WTS_PLACE_O, "4444444444444444444444");
    expect_layers("q4_K_S", plain, WTS_PLACE_V, "5555444444444444444444");
    expect_layers("q4_K_S", plain, WTS_PLACE_DOWN, "5544444444444444444444");
    expect_layers("q3_K_S", plain, WTS_PLACE_V, "3333333333333333333333");
    expect_layers("q3_K_S", plain, WTS_PLACE_DOWN, "3333333333333333333333");
    expect_layers("q3_K_M", plain, WTS_PLACE_V, "5544444444444444444444");
    expect_layers("q3_K_M", plain, WTS_PLACE_DOWN, "5444444444444444444444");
    expect_layers("q3_K_M", plain, WTS_PLACE_O, "4444444444444444444444");
    expect_layers("q3_K_L", plain, WTS_PLACE_V, "5555555555555555555555");
    expect_layers("q3_K_L", plain, WTS_PLACE_DOWN, "5555555555555555555555");
    expect_layers("q3_K_L", plain, WTS_PLACE_O, "5555555555555555555555");
    expect_layers("q2_K", plain, WTS_PLACE_V, "33333333");
    expect_layers("q2_K", grouped, WTS_PLACE_V, "44444444");
    expect_layers("q2_K", plain, WTS_PLACE_DOWN, "33333333");
    expect_layers("q2_K", plain, WTS_PLACE_O, "33333333");
    expect_layers("q2_K", plain, WTS_PLACE_K, "22222222");
    expect_layers("q6_K", plain, WTS_PLACE_DOWN, "66666666");
    expect_layers("q4_0", plain, WTS_PLACE_DOWN, "00000000");
}

static void layers_of_others(void **state)
{
    (void)state;
    expect_layers("q4_K_M", eight, WTS_PLACE_V, "88888888");
    expect_layers("q4_0", eight, WTS_PLACE_K, "88888888");
    expect_layers("q4_K_M", eight, WTS_PLACE_O, "55555555");
    expect_layers("q5_K_M", eight, WTS_PLACE_O, "55555555");
    expect_layers("q3_K_L", eight, WTS_PLACE_O, "33333333");
    expect_layers("q4_K_M", eight, WTS_PLACE_DOWN, "64464466");
    expect_layers("q4_K_M", falcon, WTS_PLACE_DOWN, "6544544544544555");
    expect_layers("q4_K_S", falcon, WTS_PLACE_DOWN, "44444444");
    expect_layers("q3_K_M", falcon, WTS_PLACE_DOWN, "5433433433433444");
    expect_layers("q3_K_M", falcon, WTS_PLACE_O, "33333333");
    expect_layers("q3_K_L", falcon, WTS_PLACE_O, "44444444");
    expect_layers("q3_K_L", falcon, WTS_PLACE_DOWN, "44444444");
    const struct wts_mix_model seventy = {.n_layers = 80, .n_heads = 64, .n_kv_heads = 8};
    assert_int_equal(wts_mix_type(wts_mix_by_name("q4_K_M"), &seventy, WTS_PLACE_V, 10, 512), DTYPE_Q5_K);
    assert_int_equal(wts_mix_type(wts_mix_by_name("q3_K_S"), &seventy, WTS_PLACE_V, 10, 512), DTYPE_Q5_K);
    assert_int_equal(wts_mix_type(wts_mix_by_name("q4_K_M"), &seventy, WTS_PLACE_V, 0, 512), DTYPE_Q6_K);
}

static void output(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        choir_dtype wide, narrow; /* columns a multiple of 256, and not */
    } rows[] = {
        {"f16", DTYPE_F16, DTYPE_F16},    {"q8_0", DTYPE_Q8_0, DTYPE_Q8_0}, {"q4_0", DTYPE_Q6_K, DTYPE_Q8_0},
        {"q5_1", DTYPE_Q6_K, DTYPE_Q8_0}, {"q2_K", DTYPE_Q6_K, DTYPE_Q8_0}, {"q4_K_M", DTYPE_Q6_K, DTYPE_Q8_0},
        {"q6_K", DTYPE_Q6_K, DTYPE_Q8_0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct wts_mix *mix = wts_mix_by_name(rows[i].name);
        assert_int_equal(wts_mix_type(mix, &plain, WTS_PLACE_OUTPUT, -1, 768), rows[i].wide);
        assert_int_equal(wts_mix_type(mix, &plain, WTS_PLACE_OUTPUT, -1, 576), rows[i].narrow);
    }
    assert_int_equal(wts_mix_type(wts_mix_by_name("q4_0"), &falcon, WTS_PLACE_OUTPUT, -1, 768), DTYPE_Q8_0);
}

static void places(void **state)
{
    (void)state;
    int layer;
    assert_int_equal(wts_place_of("output.weight", false, &layer), WTS_PLACE_OUTPUT);
    assert_int_equal(layer, -1);
    assert_int_equal(wts_place_of("token_embd.weight", false, &layer), WTS_PLACE_ANY);
    assert_int_equal(wts_place_of("token_embd.weight", true, &layer), WTS_PLACE_OUTPUT);
    assert_int_equal(wts_place_of("blk.17.attn_v.weight", false, &layer), WTS_PLACE_V);
    assert_int_equal(layer, 17);
    assert_int_equal(wts_place_of("blk.3.ffn_down.weight", false, &layer), WTS_PLACE_DOWN);
    assert_int_equal(layer, 3);
    assert_int_equal(wts_place_of("blk.3.ffn_down_exps.weight", false, &layer), WTS_PLACE_DOWN);
    assert_int_equal(wts_place_of("blk.3.attn_qkv.weight", false, &layer), WTS_PLACE_V);
    assert_int_equal(wts_place_of("blk.3.attn_k.weight", false, &layer), WTS_PLACE_K);
    assert_int_equal(wts_place_of("blk.3.attn_output.weight", false, &layer), WTS_PLACE_O);
    assert_int_equal(wts_place_of("blk.3.ffn_down.weights", false, &layer), WTS_PLACE_ANY);
    assert_int_equal(wts_place_of("blk.3", false, &layer), WTS_PLACE_ANY);
    assert_int_equal(wts_place_of("blk.x.attn_v.weight", false, &layer), WTS_PLACE_ANY);
}

/* What is not called a matrix of weights stays f32, whatever family it is of. */
static void mixed(void **state)
{
    (void)state;
    static const char *const yes[] = {"token_embd.weight",           "output.weight",
                                      "blk.0.attn_qkv.weight",       "blk.1.ffn_up_exps.weight",
                                      "blk.1.ffn_gate_shexp.weight", "blk.1.anything.weight"};
    static const char *const no[] = {"output_norm.weight",       "blk.0.attn_q_norm.weight",
                                     "position_embd.weight",     "blk.0.ffn_gate_inp.weight",
                                     "blk.0.attn_q.bias",        "rope_freqs.weight",
                                     "rope_factors_long.weight", "blk.0.ffn_gate_inp_shexp.weight",
                                     "token_types.weight",       "a"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        assert_true(wts_is_mixed(yes[i], 2, 8) && wts_is_mixed(yes[i], 3, 8));
        assert_false(wts_is_mixed(yes[i], 1, 1) || wts_is_mixed(yes[i], 2, 1));
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        assert_false(wts_is_mixed(no[i], 2, 8));
    }
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(wts_type_that_fits(DTYPE_Q4_K, 512), DTYPE_Q4_K);
    assert_int_equal(wts_type_that_fits(DTYPE_Q4_K, 288), DTYPE_Q5_0);
    assert_int_equal(wts_type_that_fits(DTYPE_Q5_K, 288), DTYPE_Q5_1);
    assert_int_equal(wts_type_that_fits(DTYPE_Q6_K, 288), DTYPE_Q8_0);
    assert_int_equal(wts_type_that_fits(DTYPE_Q2_K, 288), DTYPE_Q4_0);
    assert_int_equal(wts_type_that_fits(DTYPE_Q3_K, 288), DTYPE_Q4_0);
    assert_int_equal(wts_type_that_fits(DTYPE_Q4_K, 100), DTYPE_COUNT);
    assert_int_equal(wts_type_that_fits(DTYPE_Q8_0, 96), DTYPE_Q8_0);
    assert_int_equal(wts_type_that_fits(DTYPE_Q8_0, 100), DTYPE_COUNT);
    assert_int_equal(wts_type_that_fits(DTYPE_F16, 1), DTYPE_F16);
}

static void misfits(void **state)
{
    (void)state;
    struct wts_misfits m = {0};
    char line[WTS_MISFITS_CAP];
    assert_null(wts_misfits_line(line, &m));
    wts_misfits_add(&m, DTYPE_Q6_K, 288);
    assert_string_equal(wts_misfits_line(line, &m),
                        "288 columns are no multiple of 256: 1 matrix q8_0 instead of q6_K");
    wts_misfits_add(&m, DTYPE_Q4_K, 96);
    wts_misfits_add(&m, DTYPE_Q4_K, 288);
    assert_string_equal(wts_misfits_line(line, &m),
                        "288 columns are no multiple of 256: 2 matrices q5_0 instead of q4_K, 1 "
                        "q8_0 instead of q6_K");
    wts_misfits_add(&m, DTYPE_Q2_K, 288); /* all at once still fit into the line */
    wts_misfits_add(&m, DTYPE_Q3_K, 288);
    wts_misfits_add(&m, DTYPE_Q5_K, 288);
    wts_misfits_add(&m, DTYPE_Q4_K, 100);
    wts_misfits_add(&m, DTYPE_Q8_0, 40);
    const char *kept = "; 100 columns are no multiple of 32: 2 matrices not quantized";
    assert_true(strlen(wts_misfits_line(line, &m)) < WTS_MISFITS_CAP - 16);
    assert_string_equal(line + strlen(line) - strlen(kept), kept);
    struct wts_misfits alone = {0};
    wts_misfits_add(&alone, DTYPE_Q8_0, 40);
    assert_string_equal(wts_misfits_line(line, &alone), "40 columns are no multiple of 32: 1 matrix not quantized");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),   cmocka_unit_test(all_types),
        cmocka_unit_test(layers),  cmocka_unit_test(layers_of_others),
        cmocka_unit_test(output),  cmocka_unit_test(places),
        cmocka_unit_test(mixed),   cmocka_unit_test(widths),
        cmocka_unit_test(misfits),
    };
    return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
