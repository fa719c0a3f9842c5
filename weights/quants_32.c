/* Blocks of 32 values (quants.h has their layouts). */
#include "weights/quants_blocks.h"

#include "base/dtype.h"

enum { BLOCK = 32, Q8_0_BYTES = 34, Q4_0_BYTES = 18, Q4_1_BYTES = 20, Q5_0_BYTES = 22, Q5_1_BYTES = 24 };

static float magnitude(float x)
{
    return base_f32_from_bits(base_f32_bits(x) & 0x7fffffffu);
}

/* The first value of a block that no other exceeds in magnitude.  A NaN, or else an infinity, wins: it makes the
 * scale non-finite, so that it shows later instead of being rounded away. */
static float largest(const float *x)
{
    uint32_t best = 0;
    float value = 0.0f;
    for (int i = 0; i < BLOCK; i++) {
        uint32_t a = base_f32_bits(x[i]) & 0x7fffffffu; /* ordered as the magnitudes are, NaN above all */
        if (a > best) {
            best = a;
            value = x[i];
        }
    }
    return value;
}

/* 1 / d, or 0 where that is no number: d is then below half of f16's smallest, and stored as 0. */
static float inverse(float d)
{
    float id = d != 0.0f ? 1.0f / d : 0.0f;
    return magnitude(id) <= 0x1.fffffep127f ? id : 0.0f;
}

void wts_dequantize_q8_0(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q8_0_BYTES, dst += BLOCK) {
        float d = wts_load_f16(src);
        for (int i = 0; i < BLOCK; i++) {
            dst[i] = d * (float)(int8_t)src[2 + i];
        }
    }
}

/* Nearest integer, halves away from zero; 0 for a NaN. */
static int8_t round_away(float x)
{
    float a = magnitude(x);
    int whole = a < 127.0f ? (int)a : a >= 127.0f ? 127 : 0;
    int rounded = whole < 127 && a - (float)whole >= 0.5f ? whole + 1 : whole;
    return (int8_t)(x < 0.0f ? -rounded : rounded);
}

void wts_quantize_q8_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q8_0_BYTES) {
        float d = magnitude(largest(src)) / 127.0f;
        float id = inverse(d);
        wts_store_16(dst, base_f16_from_f32(d));
        for (int i = 0; i < BLOCK; i++) {
            dst[2 + i] = (unsigned char)round_away(src[i] * id);
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

static unsigned nibble(float x)
{
    float v = x + 8.5f;
    return v >= 15.0f ? 15 : v >= 0.0f ? (unsigned)v : 0; /* a NaN gives 0 */
}

void wts_quantize_q4_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q4_0_BYTES) {
        float d = largest(src) / -8.0f;
        float id = inverse(d);
        wts_store_16(dst, base_f16_from_f32(d));
        for (int i = 0; i < BLOCK / 2; i++) {
            dst[2 + i] = (unsigned char)(nibble(src[i] * id) | nibble(src[i + BLOCK / 2] * id) << 4);
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
