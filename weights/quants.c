/* Rows between f32 and the file layouts.  Nothing here is left to libm or to contraction: one IEEE operation after
 * the other, so the bytes of a quantized file do not depend on the machine that made it. */
#include "weights/quants.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"

enum { BLOCK = 32, Q8_0_BYTES = 34, Q4_0_BYTES = 18 };

static float load_f16(const unsigned char *p)
{
    return base_f32_from_f16((uint16_t)(p[0] | p[1] << 8));
}

static void store_16(unsigned char *p, uint16_t h)
{
    p[0] = (unsigned char)(h & 0xff);
    p[1] = (unsigned char)(h >> 8);
}

/* ---- f32, f16, bf16 ---------------------------------------------------------------------------------- */

static void dequantize_f32(float *dst, const unsigned char *src, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

static void quantize_f32(unsigned char *dst, const float *src, size_t n)
{
    memcpy(dst, src, n * sizeof *src);
}

static void dequantize_f16(float *dst, const unsigned char *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = load_f16(src + 2 * i);
    }
}

static void quantize_f16(unsigned char *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        store_16(dst + 2 * i, base_f16_from_f32(src[i]));
    }
}

static void dequantize_bf16(float *dst, const unsigned char *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = base_f32_from_bf16((uint16_t)(src[2 * i] | src[2 * i + 1] << 8));
    }
}

static void quantize_bf16(unsigned char *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        store_16(dst + 2 * i, base_bf16_from_f32(src[i]));
    }
}

/* ---- blocks of 32 ------------------------------------------------------------------------------------ */

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

static void dequantize_q8_0(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q8_0_BYTES, dst += BLOCK) {
        float d = load_f16(src);
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

static void quantize_q8_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q8_0_BYTES) {
        float d = magnitude(largest(src)) / 127.0f;
        float id = inverse(d);
        store_16(dst, base_f16_from_f32(d));
        for (int i = 0; i < BLOCK; i++) {
            dst[2 + i] = (unsigned char)round_away(src[i] * id);
        }
    }
}

static void dequantize_q4_0(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += Q4_0_BYTES, dst += BLOCK) {
        float d = load_f16(src);
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

static void quantize_q4_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q4_0_BYTES) {
        float d = largest(src) / -8.0f;
        float id = inverse(d);
        store_16(dst, base_f16_from_f32(d));
        for (int i = 0; i < BLOCK / 2; i++) {
            dst[2 + i] = (unsigned char)(nibble(src[i] * id) | nibble(src[i + BLOCK / 2] * id) << 4);
        }
    }
}

/* ---- the table --------------------------------------------------------------------------------------- */

static const struct {
    void (*dequantize)(float *dst, const unsigned char *src, size_t n);
    void (*quantize)(unsigned char *dst, const float *src, size_t n);
} rows[DTYPE_COUNT] = {
    [DTYPE_F32] = {dequantize_f32, quantize_f32},    [DTYPE_F16] = {dequantize_f16, quantize_f16},
    [DTYPE_BF16] = {dequantize_bf16, quantize_bf16}, [DTYPE_Q8_0] = {dequantize_q8_0, quantize_q8_0},
    [DTYPE_Q4_0] = {dequantize_q4_0, quantize_q4_0},
};

void wts_dequantize_row(choir_dtype type, float *dst, const void *src, size_t n)
{
    assert(n % (size_t)dtype_table[type].block_len == 0);
    rows[type].dequantize(dst, src, n);
}

void wts_quantize_row(choir_dtype type, void *dst, const float *src, size_t n)
{
    assert(n % (size_t)dtype_table[type].block_len == 0);
    rows[type].quantize(dst, src, n);
}
