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
        /* panels hold the same bytes as rows, in another order: 16 rows of unit_cols columns */
        assert_true(d->unit_cols % d->block_len == 0);
        assert_int_equal(d->unit_bytes, DTYPE_PANEL_ROWS * d->unit_cols / d->block_len * d->block_bytes);
        assert_int_equal(d->unit_bytes % 32, 0); /* whole vectors */
        assert_true(d->act == (d->block_len > 1 ? DTYPE_ACT_Q8 : DTYPE_ACT_F32));
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
    assert_int_equal(dtype_by_gguf_id(8), DTYPE_Q8_0);
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
    /* a panel is whole units: the last one is filled up */
    assert_int_equal(dtype_panel_bytes(DTYPE_F32, 3), 3 * 64);
    assert_int_equal(dtype_panel_bytes(DTYPE_BF16, 3), 2 * 64);
    assert_int_equal(dtype_panel_bytes(DTYPE_Q8_0, 64), 1088);
    assert_int_equal(dtype_panel_bytes(DTYPE_Q8_0, 96), 2 * 1088);
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
