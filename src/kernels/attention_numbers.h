/* What attention does with the numbers of the cache, a vector at a time, for all instruction sets.
 *
 * Who includes this has included one of the headers with vectors (kernels/vec_math.h). */
#ifndef KERN_ATTENTION_NUMBERS_H
#define KERN_ATTENTION_NUMBERS_H

#include <math.h>
#include <string.h>

#include "kernels/vec_math.h"

#define ATTN_TEMPLATE static inline __attribute__((always_inline))

enum {
    TILE = KERN_ATTN_TILE,
    CHUNK = KERN_ATTN_CHUNK,
    TILE_VECS = TILE / VEC_LANES, /* vectors of one dimension of a tile's tokens */
    BLOCK = KERN_KV_BLOCK
};

/* ---- numbers of a tile ---- */

ATTN_TEMPLATE size_t number_bytes(const enum kern_kv type)
{
    return type == KERN_KV_F32 ? 4 : type == KERN_KV_F16 ? 2 : 1;
}

/* VEC_LANES of them, or the first n; those of Q8_0 without their scale. */
ATTN_TEMPLATE vec load_numbers(const enum kern_kv type, const char *p, int n)
{
    if (type == KERN_KV_F32) {
        const float *x = (const float *)(const void *)p;
        return n >= VEC_LANES ? vec_load(x) : vec_load_some(x, n);
    }
    if (type == KERN_KV_F16) {
        const uint16_t *x = (const uint16_t *)(const void *)p;
        return n >= VEC_LANES ? vec_load_f16(x) : vec_load_f16_some(x, n);
    }
    const int8_t *x = (const int8_t *)p;
    return n >= VEC_LANES ? vec_load_i8(x) : vec_load_i8_some(x, n);
}

/* The scales [16] of block b of a tile. */
ATTN_TEMPLATE const uint16_t *tile_scales(const char *tile, int head_dim, int b)
{
    return (const uint16_t *)(const void *)(tile + (size_t)TILE * (size_t)head_dim) + TILE * b;
}

/* Asks for `bytes` bytes of a tile; fewer than a line are one. */
ATTN_TEMPLATE void fetch(const char *tile, size_t offset, const size_t bytes)
{
    for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(tile + offset + line);
    }
}

/* ---- partial results ---- */

/* attn_merge of kernels.h. */
static inline void merge_spans(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
{
    if (l2 == 0.0f) {
        return;
    }
    if (*l == 0.0f) {
        *m = m2;
        *l = l2;
        memcpy(acc, acc2, (size_t)head_dim * sizeof *acc);
        return;
    }
    const float top = m2 > *m ? m2 : *m;
    const float c = fmath_exp(*m - top), c2 = fmath_exp(m2 - top);
    *m = top;
    *l = *l * c + l2 * c2;
    int d = 0;
    for (; d + VEC_LANES <= head_dim; d += VEC_LANES) {
        const vec later = vec_mul(vec_load(acc2 + d), vec_set(c2));
        vec_store(acc + d, vec_fma(vec_load(acc + d), vec_set(c), later));
    }
    for (; d < head_dim; d++) {
        acc[d] = fmaf(acc[d], c, acc2[d] * c2);
    }
}

/* ---- storing keys and values as f16 ---- */

static inline void put_f16(uint16_t *out, size_t stride, const float *x, int head_dim)
{
    int d = 0;
    for (; d + VEC_LANES <= head_dim; d += VEC_LANES) {
        uint16_t h[VEC_LANES];
        vec_store_f16(h, vec_load(x + d));
        for (int i = 0; i < VEC_LANES; i++, out += stride) {
            *out = kern_f16_no_infinity(h[i]);
        }
    }
    for (; d < head_dim; d++, out += stride) {
        *out = kern_f16_no_infinity(base_f16_from_f32(x[d]));
    }
}

#endif
