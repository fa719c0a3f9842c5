/* Blocks of 32 values, read (quants.h has their layouts). */
#include "weights/quants_blocks.h"

#include "base/dtype.h"

enum { BLOCK = 32, Q8_0_BYTES = 34, Q4_0_BYTES = 18, Q4_1_BYTES = 20, Q5_0_BYTES = 22, Q5_1_BYTES = 24 };

void wts_dequantize_q8_0(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q8_0_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src);
        for (int i = 0; i < BLOCK; i++) {
            dst[i] = d * (float)(int8_t)src[2 + i];
        }
    }
}

void wts_dequantize_q4_0(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q4_0_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src);
        for (int i = 0; i < BLOCK / 2; i++) {
            dst[i] = d * (float)((src[2 + i] & 15) - 8);
            dst[i + BLOCK / 2] = d * (float)((src[2 + i] >> 4) - 8);
        }
    }
}

/* Value i of a block of nibbles: those of the second half are the high ones. */
static int nibble_at(const unsigned char *p, int i)
{
    return i < BLOCK / 2 ? p[i] & 15 : p[i - BLOCK / 2] >> 4;
}

/* The same with a fifth bit, i of the four bytes `high`. */
static int five_bits_at(const unsigned char *high, const unsigned char *p, int i)
{
    return nibble_at(p, i) | (high[i / 8] >> (i % 8) & 1) << 4;
}

void wts_dequantize_q4_1(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q4_1_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src), m = wts_load_f16(src + 2);
        for (int i = 0; i < BLOCK; i++) {
            dst[i] = d * (float)nibble_at(src + 4, i) + m;
        }
    }
}

void wts_dequantize_q5_0(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q5_0_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src);
        for (int i = 0; i < BLOCK; i++) {
            dst[i] = d * (float)(five_bits_at(src + 2, src + 6, i) - 16);
        }
    }
}

void wts_dequantize_q5_1(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q5_1_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src), m = wts_load_f16(src + 2);
        for (int i = 0; i < BLOCK; i++) {
            dst[i] = d * (float)five_bits_at(src + 4, src + 8, i) + m;
        }
    }
}

void wts_dequantize_iq4_nl(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q4_0_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src);
        for (int i = 0; i < BLOCK; i++) {
            dst[i] = d * (float)dtype_iq4_values[nibble_at(src + 2, i)];
        }
    }
}
