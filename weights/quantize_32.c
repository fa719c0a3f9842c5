/* Values into blocks of 32 (quants.h has their layouts). */
#include <stdbool.h>
#include <string.h>

#include "weights/lanes.h"
#include "weights/quants_blocks.h"

enum { BLOCK = 32, HALF = 16, Q8_0_BYTES = 34, Q4_0_BYTES = 18, Q4_1_BYTES = 20, Q5_0_BYTES = 22, Q5_1_BYTES = 24 };

static float magnitude(float x)
{
    return base_f32_from_bits(base_f32_bits(x) & 0x7fffffffu);
}

/* The largest magnitude; false as below. */
static inline bool magnitude_of(float *most, const float x[BLOCK])
{
    lanes_i32 far = {0};
    for (int i = 0; i < BLOCK; i += 4) {
        const lanes_i32 v = (lanes_i32)lanes_load(x + i) & INT32_MAX, more = v > far;
        far = (more & v) | (~more & far);
    }
    int32_t bits = far[0];
    for (int l = 1; l < 4; l++) {
        bits = far[l] > bits ? far[l] : bits;
    }
    *most = base_f32_from_bits((uint32_t)bits);
    return bits < 0x7f800000;
}

/* How far the values reach to both sides of 0 (0 if they do not); false if one is a NaN or an infinity.  Floats are in
 * the order of their bits as integers, if those that do not count have the sign bit. */
static inline bool reach_of(float *below, float *above, const float x[BLOCK])
{
    lanes_i32 least = {0}, most = {0};
    for (int i = 0; i < BLOCK; i += 4) {
        const lanes_i32 v = (lanes_i32)lanes_load(x + i), negated = v ^ INT32_MIN;
        const lanes_i32 more = v > most, less = negated > least;
        most = (more & v) | (~more & most);
        least = (less & negated) | (~less & least);
    }
    int32_t low = least[0], high = most[0];
    for (int l = 1; l < 4; l++) {
        low = least[l] > low ? least[l] : low;
        high = most[l] > high ? most[l] : high;
    }
    *below = base_f32_from_bits((uint32_t)low);
    *above = base_f32_from_bits((uint32_t)high);
    return low < 0x7f800000 && high < 0x7f800000;
}

/* The least and the largest value; false if one, or what lies between them, is no number. */
static inline bool range_of(float *low, float *high, const float x[BLOCK])
{
    float below, above;
    *low = *high = x[0];
    for (int i = 1; i < BLOCK; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
    return reach_of(&below, &above, x) && *high - *low <= 0x1.fffffep127f;
}

/* The value that is farthest from 0, the first of two that are as far. */
static float largest_of(float below, float above, const float x[BLOCK])
{
    if (below != above) {
        return above > below ? above : -below;
    }
    int i = 0;
    while (magnitude(x[i]) != above) {
        i++;
    }
    return x[i];
}

/* 1 / d, or 0 where that is no number: d is then below half of f16's smallest, and stored as 0. */
static float inverse(float d)
{
    float id = d != 0.0f ? 1.0f / d : 0.0f;
    return magnitude(id) <= 0x1.fffffep127f ? id : 0.0f;
}

/* A block that no numbers can stand for: NaN times whatever. */
static void put_nan(unsigned char *dst, size_t bytes)
{
    memset(dst, 0, bytes);
    wts_store_16(dst, 0x7e00);
}

/* q[i] = the whole part of (x - min) * id + offset, which is 0 to 2^bits: that end becomes 2^bits - 1. */
static inline void levels(int32_t q[BLOCK], const float x[BLOCK], float min, float id, float offset, int bits)
{
    for (int i = 0; i < BLOCK; i += 4) {
        lanes_i32 v = lanes_whole((lanes_load(x + i) - min) * id + offset);
        v -= v >> bits;
        memcpy(q + i, &v, sizeof v);
    }
}

/* q[i] = the nearest integer to x * id, halves away from 0.  The number before 0.5 rounds as 0.5 itself would if sums
 * were exact (checked for every float below 128). */
static inline void levels_127(int32_t q[BLOCK], const float x[BLOCK], float id)
{
    for (int i = 0; i < BLOCK; i += 4) {
        const lanes_f32 v = lanes_load(x + i) * id;
        const lanes_i32 whole = lanes_whole((lanes_f32)((lanes_i32)v & INT32_MAX) + 0x1.fffffep-2f);
        const lanes_i32 sign = (lanes_i32)v >> 31, r = (whole ^ sign) - sign;
        memcpy(q + i, &r, sizeof r);
    }
}

static inline void put_nibbles(unsigned char *dst, const int32_t q[BLOCK])
{
    for (int i = 0; i < HALF; i++) {
        dst[i] = (unsigned char)((q[i] & 15) | (q[HALF + i] & 15) << 4);
    }
}

static inline void put_fifth_bits(unsigned char *dst, const int32_t q[BLOCK])
{
    uint32_t bits = 0;
    for (int i = 0; i < BLOCK; i++) {
        bits |= (uint32_t)(q[i] >> 4) << i;
    }
    for (int i = 0; i < 4; i++) {
        dst[i] = (unsigned char)(bits >> (8 * i) & 255);
    }
}

void wts_quantize_q8_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q8_0_BYTES) {
        float most;
        int32_t q[BLOCK];
        if (!magnitude_of(&most, src)) {
            put_nan(dst, Q8_0_BYTES);
            continue;
        }
        const float d = most / 127.0f, id = inverse(d);
        wts_store_16(dst, base_f16_from_f32(d));
        levels_127(q, src, id);
        for (int i = 0; i < BLOCK; i++) {
            dst[2 + i] = (unsigned char)q[i];
        }
    }
}

void wts_quantize_q4_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q4_0_BYTES) {
        float below, above;
        int32_t q[BLOCK];
        if (!reach_of(&below, &above, src)) {
            put_nan(dst, Q4_0_BYTES);
            continue;
        }
        const float d = largest_of(below, above, src) / -8.0f;
        wts_store_16(dst, base_f16_from_f32(d));
        levels(q, src, 0.0f, inverse(d), 8.5f, 4);
        put_nibbles(dst + 2, q);
    }
}

void wts_quantize_q5_0(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q5_0_BYTES) {
        float below, above;
        int32_t q[BLOCK];
        if (!reach_of(&below, &above, src)) {
            put_nan(dst, Q5_0_BYTES);
            continue;
        }
        const float d = largest_of(below, above, src) / -16.0f;
        wts_store_16(dst, base_f16_from_f32(d));
        levels(q, src, 0.0f, inverse(d), 16.5f, 5);
        put_fifth_bits(dst + 2, q);
        put_nibbles(dst + 6, q);
    }
}

void wts_quantize_q4_1(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q4_1_BYTES) {
        float low, high;
        int32_t q[BLOCK];
        if (!range_of(&low, &high, src)) {
            put_nan(dst, Q4_1_BYTES);
            continue;
        }
        const float d = (high - low) / 15.0f;
        wts_store_16(dst, base_f16_from_f32(d));
        wts_store_16(dst + 2, base_f16_from_f32(low));
        levels(q, src, low, inverse(d), 0.5f, 4);
        put_nibbles(dst + 4, q);
    }
}

void wts_quantize_q5_1(unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= BLOCK, src += BLOCK, dst += Q5_1_BYTES) {
        float low, high;
        int32_t q[BLOCK];
        if (!range_of(&low, &high, src)) {
            put_nan(dst, Q5_1_BYTES);
            continue;
        }
        const float d = (high - low) / 31.0f;
        wts_store_16(dst, base_f16_from_f32(d));
        wts_store_16(dst + 2, base_f16_from_f32(low));
        levels(q, src, low, inverse(d), 0.5f, 5);
        put_fifth_bits(dst + 4, q);
        put_nibbles(dst + 8, q);
    }
}
