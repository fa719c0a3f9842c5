/* weights/quants against bytes and hashes made once with the numpy code of the gguf package (0.19), which is an
 * implementation of its own; and the corners that it does not define. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "base/rng.h"
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
        {DTYPE_F16, 0xf472c2204a2a99fa},  {DTYPE_BF16, 0x806c2d6fae9349cf}, {DTYPE_Q8_0, 0x67e57500bfb877b3},
        {DTYPE_Q4_0, 0xf340e7b251d25471}, {DTYPE_Q4_1, 0xf1b41bc84b22a756}, {DTYPE_Q5_0, 0x356fa9dd4176a104},
        {DTYPE_Q5_1, 0xc45963f990eddd70},
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

/* The gguf package does not make super-blocks.  These are our own bytes: they must be the same on every machine. */
static void quantizes_super_blocks(void **state)
{
    (void)state;
    static const struct {
        choir_dtype type;
        uint64_t hash;
    } rows[] = {
        {DTYPE_Q2_K, 0x0d152885e4b83585}, {DTYPE_Q3_K, 0xe9ff4dd7c39f836b}, {DTYPE_Q4_K, 0x8ab87325ec9117be},
        {DTYPE_Q5_K, 0x8e24c2152dbd08ee}, {DTYPE_Q6_K, 0xc86d441cbbe12e85},
    };
    static float x[VALUES];
    static unsigned char out[2 * VALUES];
    const float third = 1.0f / 3.0f;
    for (int i = 0; i < VALUES; i++) {
        x[i] = files_value(9, (uint64_t)i) * third;
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        wts_quantize_row(rows[r].type, out, x, VALUES);
        if (fnv(out, dtype_row_bytes(rows[r].type, VALUES)) != rows[r].hash) {
            fail_msg("%s: other bytes", dtype_table[rows[r].type].name);
        }
    }
}

/* Error of bell-shaped values relative to their size, root mean square.  `theirs` is what ggml's own reference quantizer
 * (llama.cpp 1652066) leaves of the same values. */
static void errs_little(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    static const struct {
        choir_dtype type;
        double theirs;
    } rows[] = {
        {DTYPE_Q8_0, 0.005263}, {DTYPE_Q4_0, 0.084384}, {DTYPE_Q4_1, 0.077564}, {DTYPE_Q5_0, 0.042059},
        {DTYPE_Q5_1, 0.037356}, {DTYPE_Q2_K, 0.292146}, {DTYPE_Q3_K, 0.149491}, {DTYPE_Q4_K, 0.070684},
        {DTYPE_Q5_K, 0.035669}, {DTYPE_Q6_K, 0.017459},
    };
    static float x[N], y[N];
    static unsigned char out[2 * N];
    double square = 0;
    for (uint64_t i = 0; i < N; i++) {
        double sum = -6.0; /* twelve uniform numbers have a variance of 1 */
        for (uint64_t k = 0; k < 12; k++) {
            sum += base_rng_uniform(5, 0, 12 * i + k);
        }
        x[i] = (float)sum;
        square += sum * sum;
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        double error = 0;
        wts_quantize_row(rows[r].type, out, x, N);
        wts_dequantize_row(rows[r].type, y, out, N);
        for (int i = 0; i < N; i++) {
            error += ((double)y[i] - (double)x[i]) * ((double)y[i] - (double)x[i]);
        }
        const double found = sqrt(error / square);
        if (!(found <= 1.02 * rows[r].theirs)) {
            fail_msg("%s: error %.6f, ggml's is %.6f", dtype_table[rows[r].type].name, found, rows[r].theirs);
        }
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

/* Every 16-bit value comes back, alone and in a row; signalling NaNs come back quiet from f16. */
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
    for (uint32_t h = 0; h < 65536; h += 7) {
        const uint16_t in[7] = {(uint16_t)h,       (uint16_t)(h + 1), (uint16_t)(h + 2), (uint16_t)(h + 3),
                                (uint16_t)(h + 4), (uint16_t)(h + 5), (uint16_t)(h + 6)};
        float row[7];
        wts_dequantize_row(DTYPE_F16, row, in, 7);
        for (int i = 0; i < 7; i++) {
            assert_int_equal(base_f32_bits(row[i]), base_f32_bits(base_f32_from_f16(in[i])));
        }
    }
    float x = base_f32_from_bits(0x7fc12345), y;
    wts_quantize_row(DTYPE_F32, &y, &x, 1);
    assert_int_equal(base_f32_bits(y), 0x7fc12345);
}

/* Types with blocks that values can be turned into. */
static bool has_blocks(int type)
{
    return dtype_table[type].block_len > 1 && wts_quantizable((choir_dtype)type);
}

static void round_trip(choir_dtype type, float y[256], const float x[256])
{
    unsigned char blocks[8 * 34];
    wts_quantize_row(type, blocks, x, 256);
    wts_dequantize_row(type, y, blocks, 256);
}

/* What no number can hold must show, not turn into something harmless. */
static void keeps_what_is_no_number(void **state)
{
    (void)state;
    static const uint32_t odd[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0x7f800000, 0xff800000};
    for (int type = 0; type < DTYPE_COUNT; type++) {
        float x[256] = {1, -2, 3}, y[256];
        for (size_t o = 0; has_blocks(type) && o < sizeof odd / sizeof odd[0]; o++) {
            for (int at = 0; at < 32; at += 31) {
                const float before = x[at];
                x[at] = base_f32_from_bits(odd[o]);
                round_trip((choir_dtype)type, y, x);
                assert_false(y[0] - y[0] == 0); /* neither NaN nor infinity gives 0 here */
                x[at] = before;
            }
        }
        x[0] = 3e38f; /* their difference is no number, their scale is no f16 */
        x[1] = -3e38f;
        if (has_blocks(type)) {
            round_trip((choir_dtype)type, y, x);
            assert_false(y[0] - y[0] == 0);
        }
    }
}

/* Zeros, the smallest f32, and what is half of the smallest f16 scale (a quarter of the smallest minimum). */
static void what_is_too_small_is_zero(void **state)
{
    (void)state;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        for (int small = 0; has_blocks(type) && small < 3; small++) {
            float x[256], y[256];
            const float least = dtype_table[type].form == DTYPE_FORM_M32 ? 0x1p-26f : 0x1p-24f;
            for (int i = 0; i < 256; i++) {
                x[i] = small == 0 ? 0.0f : small == 1 ? 0x1p-149f : least;
            }
            round_trip((choir_dtype)type, y, x);
            for (int i = 0; i < 256; i++) {
                assert_true(y[i] == 0);
            }
        }
    }
}

/* One value all over, and one value among zeros. */
static void expect_within(choir_dtype type, const float x[256], float bound)
{
    float y[256];
    round_trip(type, y, x);
    for (int i = 0; i < 256; i++) {
        if (!(fabsf(y[i] - x[i]) <= bound)) {
            fail_msg("%s: value %d is %g, not %g", dtype_table[type].name, i, (double)y[i], (double)x[i]);
        }
    }
}

static void keeps_odd_blocks(void **state)
{
    (void)state;
    static const float values[] = {1.0f, -1.0f, 0x1p-4f, -0x1p-4f, 30000.0f, -30000.0f};
    for (int type = 0; type < DTYPE_COUNT; type++) {
        for (size_t v = 0; has_blocks(type) && v < sizeof values / sizeof *values; v++) {
            float x[256];
            for (int i = 0; i < 256; i++) {
                x[i] = values[v];
            }
            expect_within((choir_dtype)type, x, 0.05f * fabsf(values[v]));
            memset(x, 0, sizeof x);
            x[77] = values[v];
            expect_within((choir_dtype)type, x, 0.05f * fabsf(values[v]));
        }
    }
}

/* A row is cut into blocks wherever it lies: quantizing in parts gives the same bytes. */
static void blocks_are_independent(void **state)
{
    (void)state;
    enum { N = 768 };
    float x[N];
    unsigned char whole[N / 32 * 34], parts[N / 32 * 34];
    for (uint64_t i = 0; i < N; i++) {
        x[i] = files_value(3, i);
    }
    for (int type = 0; type < DTYPE_COUNT; type++) {
        if (!has_blocks(type)) {
            continue;
        }
        const size_t len = (size_t)dtype_table[type].block_len, bytes = (size_t)dtype_table[type].block_bytes;
        wts_quantize_row((choir_dtype)type, whole, x, N);
        for (size_t b = 0; b < N / len; b++) {
            wts_quantize_row((choir_dtype)type, parts + bytes * b, x + len * b, len);
        }
        assert_memory_equal(whole, parts, bytes * (N / len));
        wts_quantize_row((choir_dtype)type, parts, x, 0);
        assert_memory_equal(whole, parts, bytes * (N / len));
    }
}

static void knows_what_it_can_make(void **state)
{
    (void)state;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        assert_int_equal(wts_quantizable((choir_dtype)type), type != DTYPE_IQ4_NL && type != DTYPE_IQ4_XS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantizes_one_block),     cmocka_unit_test(quantizes_many),
        cmocka_unit_test(quantizes_super_blocks),  cmocka_unit_test(errs_little),
        cmocka_unit_test(dequantizes_many),        cmocka_unit_test(widens_exactly),
        cmocka_unit_test(keeps_what_is_no_number), cmocka_unit_test(what_is_too_small_is_zero),
        cmocka_unit_test(keeps_odd_blocks),        cmocka_unit_test(blocks_are_independent),
        cmocka_unit_test(knows_what_it_can_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
