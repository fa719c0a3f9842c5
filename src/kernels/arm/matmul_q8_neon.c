/* Matrices of q8_0 for ARM without dot product instructions.
 *
 * The multiply of bytes, smull, gives 16 bits; there is room for two products (2 * 128 * 127 = 32512), which sadalp
 * then adds to 32 bits, in pairs.  A register of sums so holds two halves of two rows; addp puts them together at the
 * end of a block. */
#include "kernels/arm/quant_neon.h"

/* gcc's scheduling before it has given out registers makes more values alive at once than there are registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

enum { TOKENS = 4, UNIT_BYTES = 1088 };

/* 4 rows of 4 columns, signed. */
static inline int8x16_t load_weights(const uint8_t *w)
{
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(w), vdupq_n_u8(0x80)));
}

/* acc[2] += rows 0 and 1, rows 2 and 3: four columns of a and x, four of b and y. */
NEON_TEMPLATE void add_products(int32x4_t acc[2], int8x16_t a, int8x16_t x, int8x16_t b, int8x16_t y)
{
    int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(x)), high = vmull_high_s8(a, x);
    acc[0] = vpadalq_s16(acc[0], vmlal_s8(low, vget_low_s8(b), vget_low_s8(y)));
    acc[1] = vpadalq_s16(acc[1], vmlal_high_s8(high, b, y));
}

/* sum[t][0 .. 7] += the block's rows from `row` on. */
NEON_TEMPLATE void add_rows(const int T, float (*sum)[16], const struct neon_block *block, int row)
{
    int32x4_t acc[TOKENS][4];
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < 4; i++) {
            acc[t][i] = vdupq_n_s32(0);
        }
    }
    const uint8_t *w = block->w + 4 * row;
#pragma GCC unroll 1
    for (int g = 0; g < 8; g += 2, w += 128) {
        const int8x16_t a[2] = {load_weights(w), load_weights(w + 16)};
        const int8x16_t b[2] = {load_weights(w + 64), load_weights(w + 80)};
#pragma GCC unroll 4
        for (int t = 0; t < T; t++) {
            const int8x16_t x = neon_dup_4x8(block->q + 32 * t + 4 * g);
            const int8x16_t y = neon_dup_4x8(block->q + 32 * t + 4 * g + 4);
            add_products(&acc[t][0], a[0], x, b[0], y);
            add_products(&acc[t][2], a[1], x, b[1], y);
        }
    }
    for (int r = 0; r < 2; r++) {
        const float32x4_t d_w = neon_load_f16(block->scale + row + 4 * r);
        for (int t = 0; t < T; t++) {
            neon_add_dots(sum[t] + row + 4 * r, vpaddq_s32(acc[t][2 * r], acc[t][2 * r + 1]), d_w, block->d[t]);
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

void kern_matmul_q8_0_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    neon_matmul_quant(add_block, TOKENS, UNIT_BYTES, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
