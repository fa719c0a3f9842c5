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

/* Every type that can be made has a mix of its own, and every mix is of such types. */
static void all_types(void **state)
{
    (void)state;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        const struct wts_mix *mix = wts_mix_by_name(dtype_table[type].name);
        assert_int_equal(mix != NULL, wts_quantizable((choir_dtype)type));
        for (int layer = 0; mix != NULL && layer < 9; layer++) {
            assert_int_equal(wts_mix_type(mix, WTS_PLACE_DOWN, layer, 9), type);
            assert_int_equal(wts_mix_type(mix, WTS_PLACE_OUTPUT, -1, 9), type);
        }
    }
    for (int i = 0; wts_mix_name(i) != NULL; i++) {
        const struct wts_mix *mix = wts_mix_by_name(wts_mix_name(i));
        assert_true(wts_quantizable(mix->type) && wts_quantizable(mix->output) && wts_quantizable(mix->better));
    }
}

/* Layers, one letter each, whose attn_v and ffn_down get the better type. */
static void expect_layers(const char *name, enum wts_place place, const char *wanted)
{
    const struct wts_mix *mix = wts_mix_by_name(name);
    const int n = (int)strlen(wanted);
    for (int layer = 0; layer < n; layer++) {
        const choir_dtype type = wts_mix_type(mix, place, layer, n);
        if (type != (wanted[layer] == '+' ? mix->better : mix->type)) {
            fail_msg("%s, layer %d of %d: %s", name, layer, n, dtype_table[type].name);
        }
    }
}

static void layers(void **state)
{
    (void)state;
    expect_layers("q4_K_M", WTS_PLACE_V, "++..+..+..+..+..+..+++");
    expect_layers("q4_K_M", WTS_PLACE_DOWN, "++..+..+..+..+..+..+++");
    expect_layers("q5_K_M", WTS_PLACE_DOWN, "++..+..+..+..+..+..+++");
    expect_layers("q4_K_M", WTS_PLACE_ANY, "......................");
    expect_layers("q4_K_S", WTS_PLACE_V, "++++..................");
    expect_layers("q4_K_S", WTS_PLACE_DOWN, "++....................");
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
    assert_int_equal(wts_place_of("blk.3.ffn_down.weights", false, &layer), WTS_PLACE_ANY);
    assert_int_equal(wts_place_of("blk.3", false, &layer), WTS_PLACE_ANY);
    assert_int_equal(wts_place_of("blk.x.attn_v.weight", false, &layer), WTS_PLACE_ANY);
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
        cmocka_unit_test(names),  cmocka_unit_test(all_types), cmocka_unit_test(layers),
        cmocka_unit_test(places), cmocka_unit_test(widths),    cmocka_unit_test(misfits),
    };
    return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
