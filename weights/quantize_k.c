/* Values into super-blocks of 256 (quants.h has their layouts): each sub-block's scale and minimum by the search of
 * quantize_fit.h, these rounded to multiples of the super-block's, the values to the nearest of the levels that gives. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "weights/quantize_fit.h"
#include "weights/quants_blocks.h"

enum { SUPER = 256, BLOCK = 32, SUB = 16 };

static const uint16_t f16_nan = 0x7e00;

/* ---- what kind of super-block it is -------------------------------------------------------------------- */

enum kind { KIND_ZERO, KIND_NUMBERS, KIND_BEYOND };

/* ZERO: all too small for any scale but 0 (an f16 scale of at least 2^-25 has a level at 2^-21).  BEYOND: a NaN, an
 * infinity, or a number so large that its scale is not an f16. */
static enum kind kind_of(const float x[SUPER])
{
    uint32_t most = 0;
    for (int i = 0; i < SUPER; i++) {
        uint32_t a = base_f32_bits(x[i]) & 0x7fffffffu; /* ordered as the magnitudes are, NaN above all */
        most = a > most ? a : most;
    }
    return most < base_f32_bits(0x1p-22f) ? KIND_ZERO : most < base_f32_bits(0x1p40f) ? KIND_NUMBERS : KIND_BEYOND;
}

/* Rounds both to f16; false if one is none. */
static bool to_f16(float *d, float *dmin, unsigned char *at_d, unsigned char *at_dmin)
{
    const uint16_t h = base_f16_from_f32(*d), m = base_f16_from_f32(*dmin);
    *d = base_f32_from_f16(h);
    *dmin = base_f32_from_f16(m);
    wts_store_16(at_d, h);
    if (at_dmin != NULL) {
        wts_store_16(at_dmin, m);
    }
    return isfinite(*d) && isfinite(*dmin);
}

static float round_to(float x, float low, float high)
{
    const lanes_f32 v = {x, x, x, x};
    return lanes_round(v, low, high)[0];
}

/* ---- the two ways to lay out levels of fewer than 8 bits ------------------------------------------------ */

/* The low 4 bits (2 bits) of every value; those of 64 (128) neighbours share 32 bytes. */
static void put_lines4(unsigned char dst[128], const uint8_t q[SUPER])
{
    for (int i = 0; i < 128; i++) {
        const uint8_t *line = q + i / BLOCK * 2 * BLOCK + i % BLOCK;
        dst[i] = (unsigned char)((line[0] & 15) | (line[BLOCK] & 15) << 4);
    }
}

static void put_lines2(unsigned char dst[64], const uint8_t q[SUPER])
{
    for (int i = 0; i < 64; i++) {
        const uint8_t *line = q + i / BLOCK * 4 * BLOCK + i % BLOCK;
        dst[i] = (unsigned char)((line[0] & 3) | (line[BLOCK] & 3) << 2 | (line[2 * BLOCK] & 3) << 4 |
                                 (line[3 * BLOCK] & 3) << 6);
    }
}

/* Bit `bit` of every value. */
static void put_bits(unsigned char dst[BLOCK], const uint8_t q[SUPER], int bit)
{
    memset(dst, 0, BLOCK);
    for (int i = 0; i < SUPER; i++) {
        dst[i % BLOCK] = (unsigned char)(dst[i % BLOCK] | (q[i] >> bit & 1) << (i / BLOCK));
    }
}

/* ---- levels with a minimum: q4_K, q5_K, q2_K ------------------------------------------------------------ */

/* Large values count more: each by its magnitude, in blocks of 32 plus their root mean square. */
static void weigh(float *w, const float *x, int n, bool with_mean)
{
    lanes_f32 squares = {0};
    for (int i = 0; i < n; i += 4) {
        squares += lanes_load(x + i) * lanes_load(x + i);
    }
    const float mean = with_mean ? sqrtf(lanes_sum(squares) / (float)n) : 0.0f;
    for (int i = 0; i < n; i++) {
        w[i] = mean + fabsf(x[i]);
    }
}

static struct fit fit_block(const float *x, int n, float top, const struct fit_grid *grid, bool with_mean)
{
    float w[FIT_MAX], low = 0.0f, high = x[0];
    for (int i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    weigh(w, x, n, with_mean);
    return fit_with_min(x, w, n, top, low, high, grid);
}

/* A super-block of `n_blocks` blocks of n values: levels 0 to top, scales and minimums 0 to top_scale. */
struct with_min {
    uint8_t q[SUPER], scale[SUB], min[SUB];
};

static inline bool quantize_with_min(struct with_min *s, const float x[SUPER], int n, float top, float top_scale,
                                     const struct fit_grid *grid, bool with_mean, unsigned char *at_d)
{
    struct fit fit[SUB];
    float scale = 0.0f, min = 0.0f;
    for (int b = 0; b < SUPER / n; b++) {
        fit[b] = fit_block(x + b * n, n, top, grid, with_mean);
        scale = fit[b].scale > scale ? fit[b].scale : scale;
        min = fit[b].min > min ? fit[b].min : min;
    }
    const float to_scale = scale > 0.0f ? top_scale / scale : 0.0f, to_min = min > 0.0f ? top_scale / min : 0.0f;
    float d = scale / top_scale, dmin = min / top_scale;
    if (!to_f16(&d, &dmin, at_d, at_d + 2)) {
        return false;
    }
    memset(s, 0, sizeof *s);
    for (int b = 0; b < SUPER / n; b++) {
        s->scale[b] = (uint8_t)round_to(fit[b].scale * to_scale, 0.0f, top_scale);
        s->min[b] = (uint8_t)round_to(fit[b].min * to_min, 0.0f, top_scale);
        const float step = d * (float)s->scale[b];
        if (step > 0.0f) {
            fit_levels(s->q + b * n, x + b * n, n, step, dmin * (float)s->min[b], 0.0f, top);
        }
    }
    return true;
}

/* 6-bit scales and minimums of 8 blocks in 12 bytes: the first four's in the low bits of bytes 0..7, the others' low
 * halves in bytes 8..11, high ones above those of the first. */
static void put_scales_and_mins(unsigned char dst[12], const struct with_min *s)
{
    for (int i = 0; i < 4; i++) {
        dst[i] = (unsigned char)(s->scale[i] | s->scale[4 + i] >> 4 << 6);
        dst[4 + i] = (unsigned char)(s->min[i] | s->min[4 + i] >> 4 << 6);
        dst[8 + i] = (unsigned char)((s->scale[4 + i] & 15) | (s->min[4 + i] & 15) << 4);
    }
}

static bool quantize_block_q4_k(unsigned char *dst, const float *x)
{
    static const struct fit_grid grid = {-1.0f, 0.1f, 20};
    struct with_min s;
    if (!quantize_with_min(&s, x, BLOCK, 15.0f, 63.0f, &grid, true, dst)) {
        return false;
    }
    put_scales_and_mins(dst + 4, &s);
    put_lines4(dst + 16, s.q);
    return true;
}

static bool quantize_block_q5_k(unsigned char *dst, const float *x)
{
    static const struct fit_grid grid = {-0.5f, 0.1f, 15};
    struct with_min s;
    if (!quantize_with_min(&s, x, BLOCK, 31.0f, 63.0f, &grid, true, dst)) {
        return false;
    }
    put_scales_and_mins(dst + 4, &s);
    put_bits(dst + 16, s.q, 4);
    put_lines4(dst + 48, s.q);
    return true;
}

static bool quantize_block_q2_k(unsigned char *dst, const float *x)
{
    static const struct fit_grid grid = {-0.5f, 0.1f, 15};
    struct with_min s;
    if (!quantize_with_min(&s, x, SUB, 3.0f, 15.0f, &grid, false, dst + 80)) {
        return false;
    }
    for (int b = 0; b < 16; b++) {
        dst[b] = (unsigned char)(s.scale[b] | s.min[b] << 4);
    }
    put_lines2(dst + 16, s.q);
    return true;
}

/* ---- levels around 0: q6_K, q3_K ------------------------------------------------------------------------ */

/* Levels -top to top - 1 (kept with top added), scales -top_scale to top_scale - 1. */
struct around_0 {
    uint8_t q[SUPER];
    int8_t scale[SUB];
};

static inline float fit_sub(const float x[SUB], float top, const struct fit_grid *grid)
{
    float w[SUB], largest = 0.0f;
    for (int i = 0; i < SUB; i++) {
        largest = fabsf(x[i]) > fabsf(largest) ? x[i] : largest;
        w[i] = x[i] * x[i];
    }
    return fit_signed(x, w, SUB, top, largest, grid);
}

static inline bool quantize_around_0(struct around_0 *s, const float x[SUPER], float top, float top_scale,
                                     const struct fit_grid *grid, unsigned char *at_d)
{
    float scale[SUB], largest = 0.0f, none = 0.0f;
    for (int b = 0; b < SUB; b++) {
        scale[b] = fit_sub(x + b * SUB, top, grid);
        largest = fabsf(scale[b]) > fabsf(largest) ? scale[b] : largest;
    }
    const float to_scale = largest != 0.0f ? -top_scale / largest : 0.0f;
    float d = largest / -top_scale;
    if (!to_f16(&d, &none, at_d, NULL)) {
        return false;
    }
    for (int b = 0; b < SUB; b++) {
        s->scale[b] = (int8_t)round_to(scale[b] * to_scale, -top_scale, top_scale - 1.0f);
        const float step = d * (float)s->scale[b];
        memset(s->q + b * SUB, (int)top, SUB);
        if (step != 0.0f) {
            fit_levels(s->q + b * SUB, x + b * SUB, SUB, step, 0.0f, -top, top - 1.0f);
        }
    }
    return true;
}

static bool quantize_block_q6_k(unsigned char *dst, const float *x)
{
    static const struct fit_grid grid = {-0.9f, 0.1f, 18};
    struct around_0 s;
    if (!quantize_around_0(&s, x, 32.0f, 128.0f, &grid, dst + 208)) {
        return false;
    }
    for (int i = 0; i < 128; i++) { /* a byte has two values 64 apart */
        const uint8_t *q = s.q + i / 64 * 128 + i % 64;
        dst[i] = (unsigned char)((q[0] & 15) | (q[64] & 15) << 4);
    }
    for (int i = 0; i < SUPER; i++) {
        s.q[i] >>= 4;
    }
    put_lines2(dst + 128, s.q);
    memcpy(dst + 192, s.scale, SUB);
    return true;
}

static bool quantize_block_q3_k(unsigned char *dst, const float *x)
{
    static const struct fit_grid grid = {-0.9f, 0.1f, 18};
    struct around_0 s;
    if (!quantize_around_0(&s, x, 4.0f, 32.0f, &grid, dst + 108)) {
        return false;
    }
    put_bits(dst, s.q, 2);
    put_lines2(dst + 32, s.q);
    memset(dst + 96, 0, 12);
    for (int b = 0; b < SUB; b++) { /* 4 low bits in bytes 0..7, 2 high ones in bytes 8..11 */
        const int scale = s.scale[b] + 32;
        dst[96 + b % 8] = (unsigned char)(dst[96 + b % 8] | (scale & 15) << (b / 8 * 4));
        dst[104 + b % 4] = (unsigned char)(dst[104 + b % 4] | scale >> 4 << (b / 4 * 2));
    }
    return true;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static inline void quantize_row(bool (*quantize_block)(unsigned char *, const float *), size_t bytes, size_t at_d,
                                unsigned char *dst, const float *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += SUPER, dst += bytes) {
        const enum kind kind = kind_of(src);
        if (kind == KIND_NUMBERS && quantize_block(dst, src)) {
            continue;
        }
        memset(dst, 0, bytes);
        wts_store_16(dst + at_d, kind == KIND_ZERO ? 0 : f16_nan);
    }
}

void wts_quantize_q2_k(unsigned char *dst, const float *src, size_t n)
{
    quantize_row(quantize_block_q2_k, 84, 80, dst, src, n);
}

void wts_quantize_q3_k(unsigned char *dst, const float *src, size_t n)
{
    quantize_row(quantize_block_q3_k, 110, 108, dst, src, n);
}

void wts_quantize_q4_k(unsigned char *dst, const float *src, size_t n)
{
    quantize_row(quantize_block_q4_k, 144, 0, dst, src, n);
}

void wts_quantize_q5_k(unsigned char *dst, const float *src, size_t n)
{
    quantize_row(quantize_block_q5_k, 176, 0, dst, src, n);
}

void wts_quantize_q6_k(unsigned char *dst, const float *src, size_t n)
{
    quantize_row(quantize_block_q6_k, 210, 208, dst, src, n);
}
