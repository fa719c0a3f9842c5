/* Template of the block multiplications with dot product instructions: 16 products of bytes, each four added to a
 * lane.  The panel's groups of [4 rows][4 columns] are the instruction's own operand; the other is one token's four
 * columns, which it picks out of a register of 16 by itself.
 *
 * KIND   what the weights are, and what multiplies them:
 *   DOT_Q8_SDOT   signed x signed: w + 128 is made w again by flipping a bit
 *   DOT_Q8_USDOT  unsigned x signed, with i8mm: w + 128 as it is, the bias to start from
 *   DOT_Q4_SDOT   a nibble is small enough to be either; a 16th of the bias to start from
 * T      tokens, 1 to 8
 * R      registers of 4 rows: 4 up to 4 tokens, 2 (and two passes) above: 16 sums at most, beside them R weights and
 *        T activations. */
#ifndef KERN_DOT_NEON_H
#define KERN_DOT_NEON_H

#include "kernels/arm/quant_neon.h"

enum neon_dot { DOT_Q8_SDOT, DOT_Q8_USDOT, DOT_Q4_SDOT };

enum { NEON_DOT_TOKENS = 8 };

/* No load moves across.  All registers are taken: what the compiler would load early, or keep for later, it would have
 * to spill. */
#define NEON_FENCE() __asm__ volatile("" ::: "memory")

/* acc += w . x[4 lane .. 4 lane + 3], by 4 rows. */
NEON_TEMPLATE int32x4_t neon_dot_signed(int32x4_t acc, uint8x16_t w, int8x16_t x, const int lane)
{
    const int8x16_t s = vreinterpretq_s8_u8(w);
    switch (lane) {
    case 0:
        return vdotq_laneq_s32(acc, s, x, 0);
    case 1:
        return vdotq_laneq_s32(acc, s, x, 1);
    case 2:
        return vdotq_laneq_s32(acc, s, x, 2);
    default:
        return vdotq_laneq_s32(acc, s, x, 3);
    }
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
NEON_TEMPLATE int32x4_t neon_dot(enum neon_dot kind, int32x4_t acc, uint8x16_t w, int8x16_t x, const int lane)
{
    if (kind != DOT_Q8_USDOT) {
        return neon_dot_signed(acc, w, x, lane);
    }
    switch (lane) {
    case 0:
        return vusdotq_laneq_s32(acc, w, x, 0);
    case 1:
        return vusdotq_laneq_s32(acc, w, x, 1);
    case 2:
        return vusdotq_laneq_s32(acc, w, x, 2);
    default:
        return vusdotq_laneq_s32(acc, w, x, 3);
    }
}
#else
NEON_TEMPLATE int32x4_t neon_dot(enum neon_dot kind, int32x4_t acc, uint8x16_t w, int8x16_t x, const int lane)
{
    (void)kind;
    return neon_dot_signed(acc, w, x, lane);
}
#endif

/* 4 rows of 4 columns as the multiplication wants them: group g (0 to 3) of the block's first or second 16 columns. */
NEON_TEMPLATE uint8x16_t neon_dot_weights(enum neon_dot kind, const uint8_t *w, int half, int g)
{
    if (kind == DOT_Q4_SDOT) { /* low nibbles: the first 16 columns, high nibbles: the others */
        const uint8x16_t nibbles = vld1q_u8(w + 64 * g);
        return half == 0 ? vandq_u8(nibbles, vdupq_n_u8(15)) : vshrq_n_u8(nibbles, 4);
    }
    const uint8x16_t bytes = vld1q_u8(w + 64 * (4 * half + g));
    return kind == DOT_Q8_SDOT ? veorq_u8(bytes, vdupq_n_u8(0x80)) : bytes;
}

/* acc[t * R + r] += 16 columns, the block's first or second half, of the rows from `row` on. */
NEON_TEMPLATE void neon_dot_half(enum neon_dot kind, const int R, const int T, int32x4_t *acc,
                                 const struct neon_block *block, int row, const int half)
{
    int8x16_t x[NEON_DOT_TOKENS];
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
        x[t] = vld1q_s8(block->q + 32 * t + 16 * half);
    }
#pragma GCC unroll 4
    for (int g = 0; g < 4; g++) {
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            const uint8x16_t w = neon_dot_weights(kind, block->w + 4 * (row + 4 * r), half, g);
#pragma GCC unroll 8
            for (int t = 0; t < T; t++) {
                acc[t * R + r] = neon_dot(kind, acc[t * R + r], w, x[t], g);
            }
        }
    }
}

/* sum[t][row .. row + 4R - 1] += those rows of the block. */
NEON_TEMPLATE void neon_dot_rows(enum neon_dot kind, const int R, const int T, float (*sum)[16],
                                 const struct neon_block *block, int row)
{
    int32x4_t acc[16];
    const int part = kind == DOT_Q8_USDOT ? 1 : kind == DOT_Q4_SDOT ? 16 : 0; /* 128 / offset */
#pragma GCC unroll 16
    for (int i = 0; i < T * R; i++) {
        acc[i] = vdupq_n_s32(part == 0 ? 0 : block->bias[i / R] / part);
    }
    NEON_FENCE();
    neon_dot_half(kind, R, T, acc, block, row, 0);
    NEON_FENCE();
    neon_dot_half(kind, R, T, acc, block, row, 1);
    NEON_FENCE();
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
        const float32x4_t d_w = neon_load_f16(block->scale + row + 4 * r);
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) {
            neon_add_dots(sum[t] + row + 4 * r, acc[t * R + r], d_w, block->d[t]);
        }
    }
}

NEON_TEMPLATE void neon_dot_block(enum neon_dot kind, const int T, float (*sum)[16], const struct neon_block *block)
{
    if (T <= 4) {
        neon_dot_rows(kind, 4, T, sum, block, 0);
    } else {
        neon_dot_rows(kind, 2, T, sum, block, 0);
        neon_dot_rows(kind, 2, T, sum, block, 8);
    }
}

NEON_TEMPLATE void neon_dot_block_of(enum neon_dot kind, int n_tokens, float (*sum)[16], const struct neon_block *block)
{
    switch (n_tokens) {
    case 1:
        neon_dot_block(kind, 1, sum, block);
        break;
    case 2:
        neon_dot_block(kind, 2, sum, block);
        break;
    case 3:
        neon_dot_block(kind, 3, sum, block);
        break;
    case 4:
        neon_dot_block(kind, 4, sum, block);
        break;
    case 5:
        neon_dot_block(kind, 5, sum, block);
        break;
    case 6:
        neon_dot_block(kind, 6, sum, block);
        break;
    case 7:
        neon_dot_block(kind, 7, sum, block);
        break;
    default:
        neon_dot_block(kind, 8, sum, block);
        break;
    }
}

#endif
