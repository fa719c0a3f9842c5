/* The table of number types: names, GGUF numbers and sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/dtype.h"

static void every_line_is_consistent(void **state)
{
    (void)state;
    for (int t = 0; t < DTYPE_COUNT; t++) {
        const struct dtype_info *d = &dtype_table[t];
        assert_int_equal(dtype_by_name(d->name), t);
        assert_int_equal(dtype_by_gguf_id(d->gguf_id), t);
        assert_string_equal(dtype_gguf_name(d->gguf_id), d->name);
        assert_true(d->block_len >= 1 && d->block_bytes >= 1 && d->unit_cols >= 1);
        assert_true(d->act >= 0 && d->act < DTYPE_ACT_COUNT);
        /* panels hold the same bytes as rows, in another order: 16 rows of unit_cols columns; super-blocks more, because
         * their scales and minimums get bytes of their own and their parts begin at cache lines */
        assert_true(d->unit_cols % d->block_len == 0);
        int same = DTYPE_PANEL_ROWS * d->unit_cols / d->block_len * d->block_bytes;
        assert_in_range(d->unit_bytes, same, d->block_len < 256 ? same : same + 192);
        assert_int_equal(d->unit_bytes % 32, 0); /* whole vectors */
        assert_true(d->act == (d->block_len > 1 ? DTYPE_ACT_Q8 : DTYPE_ACT_F32));
        assert_true((d->form == DTYPE_FORM_NONE) == (d->block_len == 1));
        assert_true(d->form == DTYPE_FORM_NONE || d->unit_bytes % 64 == 0); /* whole cache lines */
    }
}

static void names_are_exact(void **state)
{
    (void)state;
    assert_int_equal(dtype_by_name("f32"), DTYPE_F32);
    assert_int_equal(dtype_by_name("bf16"), DTYPE_BF16);
    assert_int_equal(dtype_by_name("q8_0"), DTYPE_Q8_0);
    assert_int_equal(dtype_by_name("q4_0"), DTYPE_Q4_0);
    assert_int_equal(dtype_by_name("Q8_0"), DTYPE_COUNT);
    assert_int_equal(dtype_by_name("q8"), DTYPE_COUNT);
    assert_int_equal(dtype_by_name("q4_K"), DTYPE_Q4_K);
    assert_int_equal(dtype_by_name("q4_k"), DTYPE_Q4_K);
    assert_int_equal(dtype_by_name("iq4_xs"), DTYPE_IQ4_XS);
    assert_int_equal(dtype_by_name("q4_KM"), DTYPE_COUNT);
    assert_int_equal(dtype_by_name("q4_"), DTYPE_COUNT);
    assert_int_equal(dtype_by_name("f32 "), DTYPE_COUNT);
    assert_int_equal(dtype_by_name(""), DTYPE_COUNT);
}

/* Numbers of ggml_type as the GGUF specification lists them. */
static void gguf_numbers(void **state)
{
    (void)state;
    assert_int_equal(dtype_by_gguf_id(0), DTYPE_F32);
    assert_int_equal(dtype_by_gguf_id(1), DTYPE_F16);
    assert_int_equal(dtype_by_gguf_id(2), DTYPE_Q4_0);
    assert_int_equal(dtype_by_gguf_id(3), DTYPE_Q4_1);
    assert_int_equal(dtype_by_gguf_id(6), DTYPE_Q5_0);
    assert_int_equal(dtype_by_gguf_id(7), DTYPE_Q5_1);
    assert_int_equal(dtype_by_gguf_id(8), DTYPE_Q8_0);
    assert_int_equal(dtype_by_gguf_id(10), DTYPE_Q2_K);
    assert_int_equal(dtype_by_gguf_id(11), DTYPE_Q3_K);
    assert_int_equal(dtype_by_gguf_id(12), DTYPE_Q4_K);
    assert_int_equal(dtype_by_gguf_id(13), DTYPE_Q5_K);
    assert_int_equal(dtype_by_gguf_id(14), DTYPE_Q6_K);
    assert_int_equal(dtype_by_gguf_id(20), DTYPE_IQ4_NL);
    assert_int_equal(dtype_by_gguf_id(23), DTYPE_IQ4_XS);
    assert_int_equal(dtype_by_gguf_id(30), DTYPE_BF16);
    assert_int_equal(dtype_by_gguf_id(4), DTYPE_COUNT); /* removed from the format */
    assert_int_equal(dtype_by_gguf_id(UINT32_MAX), DTYPE_COUNT);
    assert_string_equal(dtype_gguf_name(24), "i8");
    assert_null(dtype_gguf_name(4));
    assert_null(dtype_gguf_name(5));
    assert_null(dtype_gguf_name(1000));
    assert_null(dtype_gguf_name(UINT32_MAX));
}

static void sizes(void **state)
{
    (void)state;
    assert_int_equal(dtype_row_bytes(DTYPE_F32, 100), 400);
    assert_int_equal(dtype_row_bytes(DTYPE_F16, 100), 200);
    assert_int_equal(dtype_row_bytes(DTYPE_BF16, 100), 200);
    assert_int_equal(dtype_row_bytes(DTYPE_Q8_0, 64), 68);
    assert_int_equal(dtype_row_bytes(DTYPE_Q4_0, 4096), 4096 / 32 * 18);
    assert_int_equal(dtype_row_bytes(DTYPE_Q8_0, 0), 0);
    assert_int_equal(dtype_row_bytes(DTYPE_Q2_K, 512), 2 * 84);
    assert_int_equal(dtype_row_bytes(DTYPE_Q3_K, 512), 2 * 110);
    assert_int_equal(dtype_row_bytes(DTYPE_Q4_K, 512), 2 * 144);
    assert_int_equal(dtype_row_bytes(DTYPE_Q5_K, 512), 2 * 176);
    assert_int_equal(dtype_row_bytes(DTYPE_Q6_K, 512), 2 * 210);
    assert_int_equal(dtype_row_bytes(DTYPE_IQ4_XS, 512), 2 * 136);
    /* a panel is whole units: the last one is filled up */
    assert_int_equal(dtype_panel_bytes(DTYPE_F32, 3), 3 * 64);
    assert_int_equal(dtype_panel_bytes(DTYPE_BF16, 3), 2 * 64);
    assert_int_equal(dtype_panel_bytes(DTYPE_Q8_0, 64), 1088);
    assert_int_equal(dtype_panel_bytes(DTYPE_Q8_0, 96), 2 * 1088);
    assert_int_equal(dtype_panel_bytes(DTYPE_Q6_K, 512), 2 * 3392);
    /* and a matrix is whole panels */
    assert_int_equal(dtype_packed_bytes(DTYPE_F32, 16, 8), 16 * 8 * 4);
    assert_int_equal(dtype_packed_bytes(DTYPE_F32, 17, 8), 2 * 16 * 8 * 4);
    assert_int_equal(dtype_packed_bytes(DTYPE_Q4_0, 32000, 4096), (size_t)32000 * 4096 / 32 * 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_consistent),
        cmocka_unit_test(names_are_exact),
        cmocka_unit_test(gguf_numbers),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("dtype", tests, NULL, NULL);
}
