/* Multiplication by quantized matrices, any type, for AVX-512 with VNNI.  Two ways, one result:
 *
 *   one token   a panel at a time, or two, everything in registers (avx512_multiply_vector, a template of the type)
 *   more        strips of two panels, in chunks of columns.  A chunk is unpacked once into bytes and f32 scales in the
 *               L1 cache, and meets all tokens, a tile of 6 at a time: 2 x 6 integer and 2 x 6 float sums are registers
 *               (matmul_forms_avx512.c, which knows forms, not types).  Float sums wait between chunks in the L2 cache.
 *               The next chunk is fetched meanwhile: weights come from memory once.
 *
 * vpdpbusd multiplies unsigned by signed bytes: weights by activations.  Where a signed weight is stored with an offset,
 * the integer sum starts from minus the offset times the sum of the activations, which the activations bring along. */
#ifndef KERN_MATMUL_QUANT_AVX512_H
#define KERN_MATMUL_QUANT_AVX512_H

#include "kernels/x86/quant_unit_avx512.h"

/* gcc moves prefetches out of the arithmetic into one burst, which stalls: instructions stay where they stand. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-ter", "no-schedule-insns2")
#endif

enum {
    STRIP_PANELS = 2,
    STRIP_BLOCKS = 16, /* of 32 columns, in the largest chunk */
    STRIP_TILE = 6,    /* widest tile of tokens */
    STRIP_FEW = 16     /* tokens for which reading the weights takes longest */
};

/* A chunk of a strip, unpacked.  Bytes are w + 128 (S forms) or w (M forms).  The second scale and minimum are those of
 * a block's upper half (S16, M16); minimums are the M forms' only. */
struct avx512_strip {
    _Alignas(64) uint8_t w[STRIP_BLOCKS][8][STRIP_PANELS][64];
    float scale[STRIP_BLOCKS][2][STRIP_PANELS][16];
    float min[STRIP_BLOCKS][2][STRIP_PANELS][16];
};

/* One tile of tokens against a chunk. */
struct avx512_tile {
    const struct avx512_strip *strip;
    const int8_t *act;              /* the chunk's first block of the tile */
    float (*sum)[STRIP_PANELS][16]; /* [n_tokens] */
    int n_panels, n_tokens, n_blocks;
    bool first;                   /* sums start at 0: what is in `sum` does not count */
    const char *act_ahead;        /* the same blocks of the next tile, to be fetched meanwhile */
    const char *ahead;            /* weights to be fetched: `ahead_step` bytes a block from here, */
    size_t ahead_stride;          /* and from so many bytes behind, */
    int ahead_step, ahead_blocks; /* in so many blocks */
};

/* Adds a chunk to the sums, in the order that kernels.h gives for the form. */
void avx512_add_s32(const struct avx512_tile *t);
void avx512_add_s16(const struct avx512_tile *t);
void avx512_add_m32(const struct avx512_tile *t);
void avx512_add_m16(const struct avx512_tile *t);

/* What a type brings along. */
struct avx512_quant {
    int unit_blocks, unit_bytes;
    /* Unpacks n_blocks blocks (whole units) of n_panels panels, `stride` bytes apart. */
    void (*unpack)(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks);
    void (*add)(const struct avx512_tile *t);
};

/* matmul of kernels.h for two tokens or more. */
void avx512_multiply_strips(const struct avx512_quant *type, float *y, size_t ldy, const void *W, int n_rows,
                            int n_cols, const void *act, int n_tokens, int tile, bool add);

/* ---- templates of the type ---- */

AVX512_TEMPLATE void unpack_block(const choir_dtype type, struct avx512_strip *to, int block, int p,
                                  const uint8_t *unit, const int b)
{
    const struct avx512_unit info = avx512_unit_of(type);
    const bool has_min = info.form == DTYPE_FORM_M32 || info.form == DTYPE_FORM_M16;
    const bool halves = info.form == DTYPE_FORM_S16 || info.form == DTYPE_FORM_M16;
    const __m512i offset = _mm512_set1_epi8((char)(128 - (128 >> info.shift)));
#pragma GCC unroll 8
    for (int g = 0; g < 8; g++) {
        const __m512i w = avx512_unit_group(type, unit, b, g);
        _mm512_store_si512(to->w[block][g][p], has_min || info.shift == 0 ? w : _mm512_add_epi8(w, offset));
    }
    const struct avx512_scales s = avx512_unit_scales(type, unit, b);
    for (int half = 0; half < (halves ? 2 : 1); half++) {
        _mm512_store_ps(to->scale[block][half][p], s.scale[half]);
        if (has_min) {
            _mm512_store_ps(to->min[block][half][p], s.min[half]);
        }
    }
}

AVX512_TEMPLATE void avx512_unpack(const choir_dtype type, struct avx512_strip *to, const uint8_t *unit, size_t stride,
                                   int n_panels, int n_blocks)
{
    const struct avx512_unit info = avx512_unit_of(type);
    for (int p = 0; p < n_panels; p++, unit += stride) {
        const uint8_t *from = unit;
        for (int block = 0; block < n_blocks; block += info.blocks, from += info.bytes) {
#pragma GCC unroll 8
            for (int b = 0; b < info.blocks; b++) {
                unpack_block(type, to, block + b, p, from, b);
            }
        }
    }
}

/* Integer sums of groups [from, to) with a token's block, 4 columns a group. */
AVX512_TEMPLATE __m512i vector_dot(const choir_dtype type, __m512i dot, const uint8_t *unit, const int b,
                                   const int8_t *q, const int from, const int to)
{
#pragma GCC unroll 8
    for (int g = from; g < to; g++) {
        dot = _mm512_dpbusd_epi32(dot, avx512_unit_group(type, unit, b, g), avx512_broadcast_4x8(q + 4 * g));
    }
    return dot;
}

/* acc + block b of a unit times one token's block. */
AVX512_TEMPLATE __m512 vector_add_block(const choir_dtype type, __m512 acc, const uint8_t *unit, const int b,
                                        const void *act)
{
    const struct avx512_unit info = avx512_unit_of(type);
    const bool has_min = info.form == DTYPE_FORM_M32 || info.form == DTYPE_FORM_M16;
    const bool halves = info.form == DTYPE_FORM_S16 || info.form == DTYPE_FORM_M16;
    const struct kern_act_q8 x = kern_act_q8_block(act, 1);
    const struct avx512_scales s = avx512_unit_scales(type, unit, b);
    const __m512 d = _mm512_set1_ps(*x.d);
    if (!halves) {
        __m512i dot =
            has_min ? _mm512_setzero_si512() : _mm512_srai_epi32(_mm512_set1_epi32(*x.bias), (uint8_t)info.shift);
        dot = vector_dot(type, dot, unit, b, x.q, 0, 8);
        acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(s.scale[0], d), acc);
        return has_min ? _mm512_fmadd_ps(s.min[0], _mm512_set1_ps(*x.dsum), acc) : acc;
    }
    const int32_t bias[2] = {*x.bias_lo, *x.bias - *x.bias_lo};
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
        __m512i dot = has_min ? _mm512_setzero_si512() : _mm512_set1_epi32(bias[half] >> info.shift);
        dot = vector_dot(type, dot, unit, b, x.q, 4 * half, 4 * half + 4);
        acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(s.scale[half], d), acc);
        if (has_min) {
            acc = _mm512_fmadd_ps(s.min[half], _mm512_set1_ps(*x.d * (float)(bias[half] >> 7)), acc);
        }
    }
    return acc;
}

/* One token against N panels, `stride` bytes apart.  The weights are fetched `ahead` bytes before they are used. */
AVX512_TEMPLATE void vector_panels(const choir_dtype type, const int N, const int ahead, __m512 acc[2],
                                   const uint8_t *unit, size_t stride, const char *act, int units)
{
    const struct avx512_unit info = avx512_unit_of(type);
#pragma GCC unroll 2
    for (int n = 0; n < N; n++) {
        acc[n] = _mm512_setzero_ps();
    }
    for (int u = 0; u < units; u++, unit += info.bytes, act += info.blocks * KERN_ACT_Q8_BYTES) {
#pragma GCC unroll 8
        for (int b = 0; b < info.blocks; b++) {
#pragma GCC unroll 2
            for (int n = 0; n < N; n++) {
                const uint8_t *from = unit + (size_t)n * stride;
                /* this block's part of the unit's lines */
                const int lines = info.bytes / 64;
                const int line0 = lines * b / info.blocks, line1 = lines * (b + 1) / info.blocks;
                avx512_prefetch(from + line0 * 64, ahead, (line1 - line0) * 64);
                acc[n] = vector_add_block(type, acc[n], from, b, act + b * KERN_ACT_Q8_BYTES);
            }
        }
    }
}

/* matmul of kernels.h for one token. */
AVX512_TEMPLATE void avx512_multiply_vector(const choir_dtype type, const int ahead, float *y, const void *W,
                                            int n_rows, int n_cols, const void *act, bool add)
{
    const struct avx512_unit info = avx512_unit_of(type);
    const int units = (n_cols + 63) / 64 * 2 / info.blocks;
    const size_t panel_bytes = (size_t)units * (size_t)info.bytes;
    const uint8_t *panel = W;
    __m512 acc[2];
    int r = 0;
    for (; r + DTYPE_PANEL_ROWS < n_rows; r += 2 * DTYPE_PANEL_ROWS, panel += 2 * panel_bytes) {
        vector_panels(type, 2, ahead, acc, panel, panel_bytes, act, units);
        avx512_store_rows(y + r, acc[0], DTYPE_PANEL_ROWS, add);
        avx512_store_rows(y + r + 16, acc[1], n_rows - r - 16, add);
    }
    if (r < n_rows) {
        vector_panels(type, 1, ahead, acc, panel, 0, act, units);
        avx512_store_rows(y + r, acc[0], n_rows - r, add);
    }
}

#endif
