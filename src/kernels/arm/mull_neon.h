/* Integer sums without dot product instructions.
 *
 * The multiply of bytes, smull, gives 16 bits, and smlal adds to them while there is room: two products of a weight of
 * 8 bits (2 * 128 * 127 = 32512), eight of one of 5 bits, a whole block's.  Then sadalp adds them to 32 bits, in pairs.
 * A register of sums so holds two halves of two rows; addp puts them together at the end. */
#ifndef KERN_MULL_NEON_H
#define KERN_MULL_NEON_H

#include "kernels/arm/unpack_neon.h"

enum {
    NEON_TOKENS = 4, /* most in one go */
    NEON_FEW = 1     /* up to these, all 16 rows in one go; above, 8: 16 registers of sums at most */
};

/* 4 bytes at any alignment, four times. */
static inline int8x16_t neon_dup_4x8(const int8_t *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return vreinterpretq_s8_s32(vdupq_n_s32(v));
}

/* acc[(t * R + r) * 2 + 0, 1] = or += rows 0 and 1, rows 2 and 3 of register first + r: group g. */
NEON_TEMPLATE void neon_mull_group(const int TYPE, const bool ODD, const int R, const int T, int16x8_t *acc,
                                   struct neon_block b, const int8_t *q, const int first, const int g, const bool more)
{
    int8x16_t w[4];
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
        w[r] = vreinterpretq_s8_u8(neon_weights(TYPE, ODD, b, g, first + r));
    }
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) {
        const int8x16_t x = neon_dup_4x8(q + 32 * t + 4 * g);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            int16x8_t *a = acc + (t * R + r) * 2;
            const int8x8_t low = vget_low_s8(w[r]);
            a[0] = more ? vmlal_s8(a[0], low, vget_low_s8(x)) : vmull_s8(low, vget_low_s8(x));
            a[1] = more ? vmlal_high_s8(a[1], w[r], x) : vmull_high_s8(w[r], x);
        }
    }
}

/* sum += n groups from g on, whose products have room in 16 bits. */
NEON_TEMPLATE void neon_mull_groups(const int TYPE, const bool ODD, const int R, const int T, int32x4_t *sum,
                                    struct neon_block b, const int8_t *q, const int first, const int g, const int n)
{
    int16x8_t acc[16];
    neon_mull_group(TYPE, ODD, R, T, acc, b, q, first, g, false);
#pragma GCC unroll 8
    for (int k = g + 1; k < g + n; k++) {
        neon_mull_group(TYPE, ODD, R, T, acc, b, q, first, k, true);
    }
#pragma GCC unroll 16
    for (int i = 0; i < T * R * 2; i++) {
        sum[i] = vpadalq_s16(sum[i], acc[i]);
    }
}

/* dot[t * R + r] = start[t] + the sums of bytes times q [t][32], over the block, or its first or second half where
 * halves have scales of their own: rows 4 (first + r) to 4 (first + r) + 3, for T tokens. */
NEON_TEMPLATE void neon_dots(const int TYPE, const bool ODD, const int R, const int T, int32x4_t *dot,
                             struct neon_block b, const int8_t *q, const int32_t *start, const int first,
                             const int half)
{
    const int groups = 8 / neon_types[TYPE].scales;
    const int room = 32767 / 127 / neon_types[TYPE].largest, n = room < groups ? room : groups;
    int32x4_t sum[16];
#pragma GCC unroll 16
    for (int i = 0; i < T * R * 2; i++) { /* the first of the two halves of each row */
        sum[i] = vreinterpretq_s32_u64(vdupq_n_u64((uint32_t)start[i / (R * 2)]));
    }
#pragma GCC unroll 4
    for (int g = 0; g < groups; g += n) {
        neon_mull_groups(TYPE, ODD, R, T, sum, b, q, first, groups * half + g, n);
    }
#pragma GCC unroll 8
    for (int i = 0; i < T * R; i++) {
        dot[i] = vpaddq_s32(sum[2 * i], sum[2 * i + 1]);
    }
}

#endif
