/* Integer sums with dot product instructions: 16 products of bytes, each four added to a lane.  A register of weights
 * is the instruction's own operand; the other is one token's four columns, which it picks out of a register of 16 by
 * itself.  The weights are signed, and small enough to be either, but for NEON_U8, which needs i8mm.
 *
 * (usmmla does two rows by two tokens in one instruction, but wants both operands zipped and its sums unzipped: a
 * sixth fewer vector instructions at best, not worth another form.) */
#ifndef KERN_DOT_NEON_H
#define KERN_DOT_NEON_H

#include "kernels/arm/unpack_neon.h"

enum {
    NEON_TOKENS = 8, /* most in one go */
    NEON_FEW = 4     /* up to these, all 16 rows in one go; above, 8: 16 sums at most, beside them weights and tokens */
};

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
NEON_TEMPLATE int32x4_t neon_dot(const int TYPE, int32x4_t acc, uint8x16_t w, int8x16_t x, const int lane)
{
    if (TYPE != NEON_U8) {
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
NEON_TEMPLATE int32x4_t neon_dot(const int TYPE, int32x4_t acc, uint8x16_t w, int8x16_t x, const int lane)
{
    (void)TYPE;
    return neon_dot_signed(acc, w, x, lane);
}
#endif

/* acc[t * R + r] += 16 columns, the block's first or second half. */
NEON_TEMPLATE void neon_dot_half(const int TYPE, const bool ODD, const int R, const int T, int32x4_t *acc,
                                 struct neon_block b, const int8_t *q, const int first, const int half)
{
    int8x16_t x[NEON_TOKENS];
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
        x[t] = vld1q_s8(q + 32 * t + 16 * half);
    }
#pragma GCC unroll 4
    for (int g = 0; g < 4; g++) {
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            const uint8x16_t w = neon_weights(TYPE, ODD, b, 4 * half + g, first + r);
#pragma GCC unroll 8
            for (int t = 0; t < T; t++) {
                acc[t * R + r] = neon_dot(TYPE, acc[t * R + r], w, x[t], g);
            }
        }
    }
}

/* dot[t * R + r] = start[t] + the sums of bytes times q [t][32], over the block, or its first or second half where
 * halves have scales of their own: rows 4 (first + r) to 4 (first + r) + 3, for T tokens. */
NEON_TEMPLATE void neon_dots(const int TYPE, const bool ODD, const int R, const int T, int32x4_t *dot,
                             struct neon_block b, const int8_t *q, const int32_t *start, const int first,
                             const int half)
{
#pragma GCC unroll 16
    for (int i = 0; i < T * R; i++) {
        dot[i] = vdupq_n_s32(start[i / R]);
    }
#pragma GCC unroll 2
    for (int h = half; h < half + 2 / neon_types[TYPE].scales; h++) {
        if (T > 1) {
            NEON_FENCE();
        }
        neon_dot_half(TYPE, ODD, R, T, dot, b, q, first, h);
    }
    if (T > 1) {
        NEON_FENCE();
    }
}

#endif
