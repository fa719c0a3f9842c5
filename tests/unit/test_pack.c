/* Packing and unpacking are inverse for every type and odd sizes; the bytes lie where pack.h draws them; nothing is
 * written outside the panel; missing rows and columns are zero. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "kernels/pack.h"

enum { MAX_COLS = 416, GUARD = 64, ROWS = DTYPE_PANEL_ROWS };

static uint32_t random_u32(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*s >> 33);
}

/* A finite f16 that is not zero. */
static uint16_t random_f16(uint64_t *s)
{
    return (uint16_t)((random_u32(s) & 0x83ffu) | (1 + random_u32(s) % 30) << 10);
}

/* A row in file layout, and the values it stands for. */
static void make_row(choir_dtype type, uint8_t *row, float *value, int n_cols, uint64_t *seed)
{
    for (int c = 0; c < n_cols; c++) {
        uint16_t h = random_f16(seed);
        uint16_t b = base_bf16_from_f32((float)(int32_t)random_u32(seed));
        float f = (float)random_u32(seed) * 0x1p-20f;
        if (type == DTYPE_F32) {
            value[c] = f;
            memcpy(row + c * 4, &f, 4);
        } else if (type == DTYPE_F16) {
            value[c] = base_f32_from_f16(h);
            memcpy(row + c * 2, &h, 2);
        } else if (type == DTYPE_BF16) {
            value[c] = base_f32_from_bf16(b);
            memcpy(row + c * 2, &b, 2);
        } else if (c % 32 == 0) {
            uint8_t *block = row + c / 32 * dtype_table[type].block_bytes;
            memcpy(block, &h, 2);
            for (int i = 0; i < 32; i++) {
                int q = (int)(random_u32(seed) & 255);
                if (type == DTYPE_Q8_0) {
                    q -= 128;
                    block[2 + i] = (uint8_t)q;
                } else {
                    q &= 15;
                    block[2 + i % 16] = (uint8_t)(i < 16 ? q : block[2 + i % 16] | q << 4);
                    q -= 8;
                }
                value[c + i] = base_f32_from_f16(h) * (float)q;
            }
        }
    }
}

static void check_round_trip(choir_dtype type, int n_rows, int n_cols)
{
    uint64_t seed = (uint64_t)(n_rows * 1000 + n_cols);
    size_t row_bytes = dtype_row_bytes(type, (size_t)n_cols) + 3; /* rows at odd addresses, a gap between them */
    size_t panel_bytes = dtype_panel_bytes(type, (size_t)n_cols);
    uint8_t *rows = test_malloc(1 + ROWS * row_bytes);
    float(*value)[MAX_COLS] = test_calloc(ROWS, sizeof *value);
    uint8_t *room = aligned_alloc(64, (panel_bytes + 2 * GUARD + 63) / 64 * 64);
    assert_non_null(room);
    memset(room, 0xa5, panel_bytes + 2 * GUARD);
    for (int r = 0; r < n_rows; r++) {
        make_row(type, rows + 1 + (size_t)r * row_bytes, value[r], n_cols, &seed);
    }
    uint8_t *panel = room + GUARD;
    kern_pack_panel(type, panel, rows + 1, row_bytes, n_rows, n_cols);
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(room[i], 0xa5);
        assert_int_equal(panel[panel_bytes + (size_t)i], 0xa5);
    }
    float got[MAX_COLS + 1];
    got[n_cols] = 12345.0f;
    for (int r = 0; r < n_rows; r++) {
        kern_unpack_row(type, got, panel, r, n_cols);
        assert_memory_equal(got, value[r], (size_t)n_cols * sizeof *got);
    }
    for (int r = n_rows; r < ROWS; r++) {
        kern_unpack_row(type, got, panel, r, n_cols);
        for (int c = 0; c < n_cols; c++) {
            assert_true(got[c] == 0.0f);
        }
    }
    assert_true(got[n_cols] == 12345.0f);
    free(room);
    test_free(value);
    test_free(rows);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const int cols[] = {1, 2, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 160, 257, 288, 416};
    static const int rows[] = {1, 2, 15, 16};
    for (int t = 0; t < DTYPE_COUNT; t++) {
        for (size_t c = 0; c < sizeof cols / sizeof *cols; c++) {
            for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
                if (cols[c] % dtype_table[t].block_len == 0) {
                    check_round_trip((choir_dtype)t, rows[r], cols[c]);
                }
            }
        }
    }
}

/* Row 5 of a panel of 96 columns: block 2 is the first half of the second unit. */
static void test_places_q8_0(void **state)
{
    (void)state;
    _Alignas(64) uint8_t panel[2 * 1088];
    uint8_t rows[6][3 * 34];
    memset(rows, 0, sizeof rows);
    rows[5][2 * 34] = 0x34; /* scale of block 2 */
    rows[5][2 * 34 + 1] = 0x12;
    rows[5][2 * 34 + 2 + 13] = 0x85; /* column 64 + 13: group 3, byte 1 */
    kern_pack_panel(DTYPE_Q8_0, panel, rows, sizeof rows[0], 6, 96);
    assert_int_equal(panel[1088 + 5 * 2], 0x34);
    assert_int_equal(panel[1088 + 5 * 2 + 1], 0x12);
    assert_int_equal(panel[1088 + 64 + 3 * 64 + 5 * 4 + 1], 0x05);
    assert_int_equal(panel[1088 + 64 + 3 * 64 + 5 * 4 + 2], 0x80); /* w = 0 */
    for (int i = 32; i < 64; i++) {
        assert_int_equal(panel[1088 + i], 0); /* scales of the block that is not there */
    }
}

static void test_places_q4_0(void **state)
{
    (void)state;
    _Alignas(64) uint8_t panel[576];
    uint8_t rows[16][2 * 18];
    memset(rows, 0, sizeof rows);
    rows[15][18] = 0x77;         /* scale of block 1 */
    rows[15][18 + 2 + 9] = 0xc3; /* columns 32 + 9 and 32 + 25: group 2, byte 1 */
    kern_pack_panel(DTYPE_Q4_0, panel, rows, sizeof rows[0], 16, 64);
    assert_int_equal(panel[32 + 15 * 2], 0x77);
    assert_int_equal(panel[64 + 256 + 2 * 64 + 15 * 4 + 1], 0xc3);
}

static void test_places_floats(void **state)
{
    (void)state;
    _Alignas(64) uint16_t panel[2 * 64];
    uint16_t rows[16][3];
    for (int r = 0; r < 16; r++) {
        for (int c = 0; c < 3; c++) {
            rows[r][c] = (uint16_t)(r * 256 + c);
        }
    }
    kern_pack_panel(DTYPE_F16, panel, rows, sizeof rows[0], 16, 3);
    assert_int_equal(panel[2 * 16 + 7], 7 * 256 + 2);
    kern_pack_panel(DTYPE_BF16, panel, rows, sizeof rows[0], 16, 3);
    assert_int_equal(panel[7 * 2 + 1], 7 * 256 + 1);
    assert_int_equal(panel[32 + 7 * 2], 7 * 256 + 2);
    assert_int_equal(panel[32 + 7 * 2 + 1], 0); /* the column behind the last */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_places_q8_0),
        cmocka_unit_test(test_places_q4_0),
        cmocka_unit_test(test_places_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
