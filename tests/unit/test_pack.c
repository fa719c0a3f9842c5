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
#include "tests/support/blocks.h"
#include "weights/quants.h"

enum { MAX_COLS = 768, GUARD = 64, ROWS = DTYPE_PANEL_ROWS };

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
        }
    }
    if (dtype_table[type].block_len > 1) {
        size_t n = dtype_row_bytes(type, (size_t)n_cols), block = (size_t)dtype_table[type].block_bytes;
        for (size_t i = 0; i < n; i++) {
            row[i] = (uint8_t)random_u32(seed);
        }
        for (size_t i = 0; i < n; i += block) {
            blocks_set_f16(type, row + i, random_f16(seed), random_f16(seed));
        }
        wts_dequantize_row(type, value, row, (size_t)n_cols);
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
        if (memcmp(got, value[r], (size_t)n_cols * sizeof *got) != 0) {
            fail_msg("%s: row %d of %d x %d comes back as another", dtype_table[type].name, r, n_rows, n_cols);
        }
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
    static const int cols[] = {1, 2, 3, 31, 32, 33, 63, 64, 65, 96, 127, 128, 160, 256, 257, 288, 416, 512, 768};
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

/* One byte of the file, or one bit of a byte, is set; one byte of the panel must show it and no other. */
struct place {
    choir_dtype type;
    int at, value; /* in the file's block */
    int to, seen;  /* in the unit, for row 9 */
};

static void test_places_one_byte(void **state)
{
    (void)state;
    enum { R = 9 };
    static const struct place places[] = {
        {DTYPE_Q4_1, 0, 0x12, 2 * R, 0x12},
        {DTYPE_Q4_1, 3, 0x12, 64 + 2 * R + 1, 0x12},
        {DTYPE_Q4_1, 4 + 6, 0xa5, 128 + 64 + 4 * R + 2, 0xa5},                  /* columns 6 and 22: group 1, byte 2 */
        {DTYPE_Q5_0, 6 + 6, 0xa5, 64 + 64 + 4 * R + 2, 0xa5},                   /* the same */
        {DTYPE_Q5_0, 2 + 2, 0x02, 64 + 256 + 4 * 8 + R / 2, 0x02 << 4},         /* column 17: mask 4, bit 1 of row 9 */
        {DTYPE_Q5_1, 2, 0x12, 64 + 2 * R, 0x12},                                /* minimum */
        {DTYPE_Q5_1, 4 + 3, 0x80, 128 + 256 + 7 * 8 + R / 2, 0x80},             /* column 31 */
        {DTYPE_IQ4_NL, 2 + 15, 0xa5, 64 + 3 * 64 + 4 * R + 3, 0xa5},            /* columns 15 and 31 */
        {DTYPE_Q4_K, 3, 0x12, 32 + 2 * R + 1, 0x12},                            /* dmin */
        {DTYPE_Q4_K, 4 + 2, 0x15, 64 + 2 * 16 + R, 0x15},                       /* scale of block 2 */
        {DTYPE_Q4_K, 4 + 2, 0xc0, 64 + 6 * 16 + R, 0x30},                       /* high bits of that of block 6 */
        {DTYPE_Q4_K, 4 + 5, 0x15, 64 + (8 + 1) * 16 + R, 0x15},                 /* minimum of block 1 */
        {DTYPE_Q4_K, 4 + 7, 0x40, 64 + (8 + 7) * 16 + R, 0x10},                 /* high bits of that of block 7 */
        {DTYPE_Q4_K, 4 + 9, 0x70, 64 + (8 + 5) * 16 + R, 0x07},                 /* low bits of that of block 5 */
        {DTYPE_Q4_K, 16 + 3 * 32 + 30, 0xa5, 320 + 31 * 64 + 4 * R + 2, 0xa5},  /* columns 30 of blocks 6 and 7 */
        {DTYPE_Q5_K, 48 + 32, 0xa5, 320 + 8 * 64 + 4 * R, 0xa5},                /* columns 0 of blocks 2 and 3 */
        {DTYPE_Q5_K, 16 + 13, 0x20, 320 + 2048 + 5 * 64 + 3 * 8 + R / 2, 0x20}, /* column 13 of block 5 */
        {DTYPE_Q6_K, 192 + 11, 0xa5, 64 + 11 * 16 + R, 0xa5},
        {DTYPE_Q6_K, 209, 0x12, 2 * R + 1, 0x12},
        {DTYPE_Q6_K, 64 + 5, 0xa0, 320 + (2 * 8 + 8 + 1) * 64 + 4 * R + 1, 0x0a},  /* column 5 of block 6 */
        {DTYPE_Q6_K, 64 + 32 + 5, 0x05, 320 + (2 * 8 + 1) * 64 + 4 * R + 1, 0x50}, /* column 5 of block 5 */
        {DTYPE_Q6_K, 128 + 32 + 9, 0x1b, 320 + 2048 + (8 + 2) * 64 + 4 * R + 1, 0x1b},
        {DTYPE_Q3_K, 32 + 32 + 9, 0x1b, 320 + (8 + 2) * 64 + 4 * R + 1, 0x1b},
        {DTYPE_Q3_K, 31, 0x40, 320 + 1024 + 6 * 64 + 7 * 8 + R / 2, 0x80}, /* column 31 of block 6 */
        {DTYPE_Q2_K, 15, 0xa5, 64 + 15 * 16 + R, 0xa5},
        {DTYPE_Q2_K, 82, 0x12, 32 + 2 * R, 0x12},
        {DTYPE_Q2_K, 16 + 9, 0x1b, 320 + 2 * 64 + 4 * R + 1, 0x1b},
        {DTYPE_IQ4_XS, 8 + 16, 0x05, 192 + 4 * R, 0x50},                    /* column 0 of block 1 */
        {DTYPE_IQ4_XS, 8 + 32 + 15, 0xa0, 192 + 15 * 64 + 4 * R + 3, 0x0a}, /* column 31 of block 2 */
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct place *p = &places[i];
        _Alignas(64) static uint8_t clean[3392], panel[3392];
        static uint8_t rows[16][256];
        const int n_cols = dtype_table[p->type].block_len;
        memset(rows, 0, sizeof rows);
        kern_pack_panel(p->type, clean, rows, sizeof rows[0], 16, n_cols);
        rows[R][p->at] = (uint8_t)p->value;
        kern_pack_panel(p->type, panel, rows, sizeof rows[0], 16, n_cols);
        for (int at = 0; at < dtype_table[p->type].unit_bytes; at++) {
            int expected = clean[at] ^ (at == p->to ? p->seen : 0);
            if (panel[at] != expected) {
                fail_msg("%s: byte %d of the file: byte %d of the panel is 0x%x, expected 0x%x",
                         dtype_table[p->type].name, p->at, at, panel[at], expected);
            }
        }
    }
}

/* Signed scales that the file keeps as 6 bits with an offset of 32. */
static void test_places_offset_scales(void **state)
{
    (void)state;
    _Alignas(64) static uint8_t panel[2240];
    static uint8_t rows[1][136];
    rows[0][4 + 2] = 0xa0; /* iq4_xs, block 5: low bits 10, */
    rows[0][3] = 0x04;     /* high bits 1 */
    kern_pack_panel(DTYPE_IQ4_XS, panel, rows, sizeof rows[0], 1, 256);
    assert_int_equal((int8_t)panel[64 + 5 * 16], 26 - 32);
    assert_int_equal((int8_t)panel[64 + 4 * 16], -32);
    static uint8_t row[1][110];
    row[0][96 + 5] = 0x70;     /* q3_K, sub-block 13: low bits 7, */
    row[0][96 + 8 + 1] = 0xc0; /* high bits 3 */
    kern_pack_panel(DTYPE_Q3_K, panel, row, sizeof row[0], 1, 256);
    assert_int_equal((int8_t)panel[64 + 13 * 16], 55 - 32);
    assert_int_equal((int8_t)panel[64 + 5 * 16], -32);
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
        cmocka_unit_test(test_round_trip),           cmocka_unit_test(test_places_q8_0),
        cmocka_unit_test(test_places_q4_0),          cmocka_unit_test(test_places_one_byte),
        cmocka_unit_test(test_places_offset_scales), cmocka_unit_test(test_places_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
