/* weights/quants against bytes and hashes made once with the numpy code of the gguf package (0.19), which is an
 * implementation of its own; and the corners that it does not define. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "tests/support/blocks.h"
#include "tests/support/files.h"
#include "weights/quants.h"

enum { BLOCKS = 64, VALUES = 32 * BLOCKS };

static uint64_t fnv(const void *bytes, size_t n)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    }
    return h;
}

/* Byte i of a fixed pseudo-random row. */
static unsigned char random_byte(uint64_t i)
{
    uint64_t z = 7 * 0x9e3779b97f4a7c15u + i + 1;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned char)((z ^ z >> 31) & 0xff);
}

static void quantizes_one_block(void **state)
{
    (void)state;
    static const unsigned char q8_0[] = {0xa9, 0x1f, 0x18, 0x32, 0xb2, 0xbf, 0xc9, 0x3b, 0xc6, 0xed, 0xb2, 0x3f,
                                         0x5b, 0x93, 0x2e, 0x45, 0x6b, 0x3b, 0xa7, 0xce, 0xf5, 0x44, 0xe6, 0x42,
                                         0xba, 0xf2, 0x7f, 0x41, 0xcc, 0x5c, 0x6e, 0x88, 0x3e, 0x94};
    static const unsigned char q4_0[] = {0x9a, 0xaf, 0xe6, 0xb5, 0x9d, 0x4c, 0xab, 0x44, 0xcc,
                                         0x99, 0x0d, 0x44, 0xb2, 0x2f, 0x15, 0xf4, 0x41, 0xf4};
    float x[32];
    unsigned char out[34];
    for (uint64_t i = 0; i < 32; i++) {
        x[i] = files_value(9, i);
    }
    wts_quantize_row(DTYPE_Q8_0, out, x, 32);
    assert_memory_equal(out, q8_0, sizeof q8_0);
    wts_quantize_row(DTYPE_Q4_0, out, x, 32);
    assert_memory_equal(out, q4_0, sizeof q4_0);
}

/* 64 blocks of values from 2^-30 to 2^19. */
static void quantizes_many(void **state)
{
    (void)state;
    static const struct {
        choir_dtype type;
        uint64_t hash;
    } rows[] = {
        {DTYPE_F16, 0xf472c2204a2a99fa},
        {DTYPE_BF16, 0x806c2d6fae9349cf},
        {DTYPE_Q8_0, 0x67e57500bfb877b3},
        {DTYPE_Q4_0, 0xf340e7b251d25471},
    };
    static float x[VALUES];
    static unsigned char out[2 * VALUES];
    float third = 1.0f / 3.0f;
    for (int i = 0; i < VALUES; i++) {
        float scale = base_f32_from_bits((uint32_t)(127 + i / 32 % 40 - 20) << 23);
        x[i] = files_value(9, (uint64_t)i) * third * scale;
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        wts_quantize_row(rows[r].type, out, x, VALUES);
        assert_int_equal(fnv(out, dtype_row_bytes(rows[r].type, VALUES)), rows[r].hash);
    }
}

static void dequantizes_many(void **state)
{
    (void)state;
    static const struct {
        choir_dtype type;
        uint64_t hash;
    } rows[] = {
        {DTYPE_Q8_0, 0x5da2d2e466c08e8c}, {DTYPE_Q4_0, 0x3ce21ba7c0254dd5}, {DTYPE_Q4_1, 0x8608fc20f599cd4f},
        {DTYPE_Q5_0, 0x02a79be5d5a7aaac}, {DTYPE_Q5_1, 0x0b7d844b5898c283}, {DTYPE_IQ4_NL, 0x7570478701791b10},
        {DTYPE_Q2_K, 0x10ae54c4bc8ffd8b}, {DTYPE_Q3_K, 0x3eaf72befe19d6fc}, {DTYPE_Q4_K, 0x89be14f1fcbb7abe},
        {DTYPE_Q5_K, 0x0e4aa2247f92f963}, {DTYPE_Q6_K, 0xe07dcf7a3a361f05}, {DTYPE_IQ4_XS, 0x7693d9e50c6de401},
    };
    static unsigned char blocks[34 * BLOCKS + 1];
    static float x[VALUES];
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        size_t block_bytes = (size_t)dtype_table[rows[r].type].block_bytes;
        size_t n = dtype_row_bytes(rows[r].type, VALUES);
        unsigned char *odd = blocks + 1; /* no alignment is asked for */
        for (size_t i = 0; i < n; i++) {
            odd[i] = random_byte(i);
        }
        int at[2];
        blocks_f16_at(rows[r].type, at);
        for (size_t b = 0; b < n; b += block_bytes) { /* finite scales: NaNs have no agreed sign */
            odd[b + (size_t)at[0] + 1] &= 0xfb;
            odd[b + (size_t)(at[1] < 0 ? at[0] : at[1]) + 1] &= 0xfb;
        }
        wts_dequantize_row(rows[r].type, x, odd, VALUES);
        if (fnv(x, sizeof x) != rows[r].hash) {
            fail_msg("%s: not the values the gguf package gives", dtype_table[rows[r].type].name);
        }
    }
}

/* Every 16-bit value comes back; signalling NaNs come back quiet from f16. */
static void widens_exactly(void **state)
{
    (void)state;
    static const choir_dtype types[] = {DTYPE_F16, DTYPE_BF16};
    for (size_t k = 0; k < 2; k++) {
        for (uint32_t h = 0; h < 65536; h++) {
            uint16_t in = (uint16_t)h, out;
            float x;
            wts_dequantize_row(types[k], &x, &in, 1);
            wts_quantize_row(types[k], &out, &x, 1);
            if (x == x) {
                assert_int_equal(in, out);
            } else {
                assert_int_equal(in | (types[k] == DTYPE_F16 ? 0x200 : 0x40), out);
            }
        }
    }
    float x = base_f32_from_bits(0x7fc12345), y;
    wts_quantize_row(DTYPE_F32, &y, &x, 1);
    assert_int_equal(base_f32_bits(y), 0x7fc12345);
}

/* What no number can hold must show, not turn into something harmless; what is too small turns into zero. */
static void keeps_corners(void **state)
{
    (void)state;
    static const choir_dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0};
    static const uint32_t odd[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0x7f800000, 0xff800000};
    for (size_t k = 0; k < 2; k++) {
        float x[32] = {1, -2, 3}, y[32];
        unsigned char block[34];
        for (size_t o = 0; o < sizeof odd / sizeof odd[0]; o++) {
            x[17] = base_f32_from_bits(odd[o]);
            wts_quantize_row(types[k], block, x, 32);
            wts_dequantize_row(types[k], y, block, 32);
            assert_false(y[0] - y[0] == 0); /* neither NaN nor infinity gives 0 here */
        }
        for (int small = 0; small < 3; small++) { /* zeros, the smallest f32, half of the smallest f16 scale */
            for (int i = 0; i < 32; i++) {
                x[i] = small == 0 ? 0.0f : small == 1 ? 0x1p-149f : 0x1p-24f;
            }
            wts_quantize_row(types[k], block, x, 32);
            wts_dequantize_row(types[k], y, block, 32);
            for (int i = 0; i < 32; i++) {
                assert_true(y[i] == 0);
            }
        }
    }
}

/* A row is cut into blocks wherever it lies: quantizing in parts gives the same bytes. */
static void blocks_are_independent(void **state)
{
    (void)state;
    float x[128];
    unsigned char whole[34 * 4], parts[34 * 4];
    for (uint64_t i = 0; i < 128; i++) {
        x[i] = files_value(3, i);
    }
    wts_quantize_row(DTYPE_Q8_0, whole, x, 128);
    for (size_t b = 0; b < 4; b++) {
        wts_quantize_row(DTYPE_Q8_0, parts + 34 * b, x + 32 * b, 32);
    }
    assert_memory_equal(whole, parts, sizeof whole);
    wts_quantize_row(DTYPE_Q8_0, parts, x, 0);
    assert_memory_equal(whole, parts, sizeof whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantizes_one_block), cmocka_unit_test(quantizes_many),
        cmocka_unit_test(dequantizes_many),    cmocka_unit_test(widens_exactly),
        cmocka_unit_test(keeps_corners),       cmocka_unit_test(blocks_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
