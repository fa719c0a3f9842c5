/* What the NEON multiplications of q8_0 and q4_0 share: everything but the integer arithmetic of a block.
 *
 * Work goes unit by unit (64 columns) down a panel; each unit meets all tokens of the tile while it is in the L1
 * cache: the weights come from memory once per tile.  The integer sums of a block are registers, the float sums live
 * in the L1 cache between blocks. */
#ifndef KERN_QUANT_NEON_H
#define KERN_QUANT_NEON_H

#include "kernels/arm/simd_neon.h"
#include "kernels/pack.h"

/* One block of 32 columns, 16 rows, and the tokens it meets. */
struct neon_block {
    const uint8_t *w;      /* groups of [16 rows][4] */
    const uint16_t *scale; /* [16] f16 */
    const int8_t *q;       /* [n_tokens][32] */
    const float *d;        /* [n_tokens] */
    const int32_t *bias;   /* [n_tokens] -128 sum(q) */
};

/* sum[t][row] += block, for n_tokens tokens. */
typedef void neon_block_fn(float (*sum)[16], const struct neon_block *block, int n_tokens);

/* 4 rows of one token: sum[0 .. 3] += dot * (d_w * d_x). */
static inline void neon_add_dots(float *sum, int32x4_t dot, float32x4_t d_w, float d_x)
{
    vst1q_f32(sum, vfmaq_f32(vld1q_f32(sum), vcvtq_f32_s32(dot), vmulq_n_f32(d_w, d_x)));
}

/* 4 bytes at any alignment, four times. */
static inline int8x16_t neon_dup_4x8(const int8_t *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return vreinterpretq_s8_s32(vdupq_n_s32(v));
}

/* sum[t][row] = one panel of `units` units times one tile of n_tokens tokens, at most `most` of them at a time. */
NEON_TEMPLATE void neon_multiply_tile(neon_block_fn *add_block, const int most, const int unit_bytes, float (*sum)[16],
                                      const uint8_t *unit, const int8_t *act, int n_tokens, int units)
{
    const size_t n = (size_t)n_tokens, block_bytes = (size_t)(unit_bytes - 64) / 2;
    const int groups = (n_tokens + most - 1) / most;
    const int width = (n_tokens + groups - 1) / groups; /* even groups: 9 tokens are 5 + 4, not 8 + 1 */
    memset(sum, 0, n * sizeof sum[0]);
    for (int u = 0; u < units; u++, unit += unit_bytes) {
        for (int line = 0; line < unit_bytes; line += 64) {
            neon_prefetch_ahead(unit + line);
        }
        for (int b = 0; b < 2; b++, act += n * KERN_ACT_Q8_BYTES) {
            const struct kern_act_q8 x = kern_act_q8_block(act, n_tokens);
            for (int t = 0; t < n_tokens; t += width) {
                const struct neon_block block = {
                    .w = unit + 64 + (size_t)b * block_bytes,
                    .scale = (const uint16_t *)(const void *)unit + 16 * b,
                    .q = x.q + 32 * t,
                    .d = x.d + t,
                    .bias = x.bias + t,
                };
                add_block(sum + t, &block, n_tokens - t < width ? n_tokens - t : width);
            }
        }
    }
}

/* The matmul of the kernel table. */
NEON_TEMPLATE void neon_matmul_quant(neon_block_fn *add_block, const int most, const int unit_bytes, float *y,
                                     size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                                     int tile, bool add)
{
    const uint8_t *panel = W;
    const int units = (n_cols + 63) / 64;
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    float sum[NEON_TILE_Q8][16];
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS, panel += (size_t)units * (size_t)unit_bytes) {
        for (int t = 0; t < n_tokens; t += tile) {
            const int width = n_tokens - t < tile ? n_tokens - t : tile;
            neon_multiply_tile(add_block, most, unit_bytes, sum, panel, (const int8_t *)act + (size_t)t * token_bytes,
                               width, units);
            neon_store_rows(y + (size_t)t * ldy + r, ldy, (const float(*)[16])sum, width, n_rows - r, add);
        }
    }
}

#endif
