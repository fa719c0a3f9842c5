/* Matrices of q4_0 for ARM without dot product instructions.
 *
 * Nibbles stay unsigned (0 .. 15 for w + 8), so that smlal's 16-bit sums have room for a whole block: a lane takes 8
 * products of at most 15 * 127, two lanes together 30480.  Only then they go to 32 bits, where the bias comes off,
 * a 16th of the one that lies ready beside the activations (8 is a 16th of 128). */
#include "kernels/arm/quant_neon.h"

/* gcc's scheduling before it has given out registers makes more values alive at once than there are registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

enum { TOKENS = 4, UNIT_BYTES = 576 };

/* acc[2] += rows 0 and 1, rows 2 and 3 of four columns. */
NEON_TEMPLATE void add_products(int16x8_t acc[2], uint8x16_t w, int8x16_t x)
{
    const int8x16_t s = vreinterpretq_s8_u8(w);
    acc[0] = vmlal_s8(acc[0], vget_low_s8(s), vget_low_s8(x));
    acc[1] = vmlal_high_s8(acc[1], s, x);
}

/* sum[t][0 .. 7] += the block's rows from `row` on. */
NEON_TEMPLATE void add_rows(const int T, float (*sum)[16], const struct neon_block *block, int row)
{
    int16x8_t acc[TOKENS][4];
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < 4; i++) {
            acc[t][i] = vdupq_n_s16(0);
        }
    }
    const uint8_t *w = block->w + 4 * row;
#pragma GCC unroll 1
    for (int g = 0; g < 4; g++, w += 64) { /* low nibbles: columns 4g .., high nibbles: columns 16 + 4g .. */
        const uint8x16_t a = vld1q_u8(w), b = vld1q_u8(w + 16), nibble = vdupq_n_u8(15);
#pragma GCC unroll 4
        for (int t = 0; t < T; t++) {
            int8x16_t x = neon_dup_4x8(block->q + 32 * t + 4 * g);
            add_products(&acc[t][0], vandq_u8(a, nibble), x);
            add_products(&acc[t][2], vandq_u8(b, nibble), x);
            x = neon_dup_4x8(block->q + 32 * t + 4 * g + 16);
            add_products(&acc[t][0], vshrq_n_u8(a, 4), x);
            add_products(&acc[t][2], vshrq_n_u8(b, 4), x);
        }
    }
    for (int r = 0; r < 2; r++) {
        const float32x4_t d_w = neon_load_f16(block->scale + row + 4 * r);
        for (int t = 0; t < T; t++) {
            const int16x8_t pairs = vpaddq_s16(acc[t][2 * r], acc[t][2 * r + 1]);
            const int32x4_t dot = vpadalq_s16(vdupq_n_s32(block->bias[t] / 16), pairs);
            neon_add_dots(sum[t] + row + 4 * r, dot, d_w, block->d[t]);
        }
    }
}

NEON_TEMPLATE void add_all_rows(const int T, float (*sum)[16], const struct neon_block *block)
{
    add_rows(T, sum, block, 0);
    add_rows(T, sum, block, 8);
}

static inline void add_block(float (*sum)[16], const struct neon_block *block, int n_tokens)
{
    switch (n_tokens) {
    case 1:
        add_all_rows(1, sum, block);
        break;
    case 2:
        add_all_rows(2, sum, block);
        break;
    case 3:
        add_all_rows(3, sum, block);
        break;
    default:
        add_all_rows(4, sum, block);
        break;
    }
}

void kern_matmul_q4_0_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    neon_matmul_quant(add_block, TOKENS, UNIT_BYTES, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
