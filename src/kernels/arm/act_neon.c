/* Packing activations for NEON: f32 tiles are transposed, int8 blocks quantized.  Once per step and matrix group, so
 * a few per cent of a matrix multiplication; still worth vectors. */
#include "kernels/arm/simd_neon.h"

/* Few tokens make one tile: the weights then come from memory once.  Many are cut into even tiles of at most what the
 * multiplication takes in one go (f32: 6 tokens of accumulators; int8: any number, float sums being in memory). */
static int even_tile(int n_tokens, int few, int most)
{
    if (n_tokens <= few) {
        return n_tokens;
    }
    int tiles = (n_tokens + most - 1) / most;
    return (n_tokens + tiles - 1) / tiles;
}

int kern_act_tile_f32_neon(int n_tokens)
{
    return even_tile(n_tokens, NEON_TILE_F32, 6);
}

int kern_act_tile_q8_neon(int n_tokens)
{
    return even_tile(n_tokens, NEON_TILE_Q8, NEON_TILE_Q8);
}

/* ---- f32: [n_cols][width] ---- */

/* 4 columns of 4 tokens. */
static inline void transpose_four(float *dst, size_t width, const float *x, size_t ldx)
{
    float32x4_t a = vld1q_f32(x), b = vld1q_f32(x + ldx), c = vld1q_f32(x + 2 * ldx), d = vld1q_f32(x + 3 * ldx);
    float32x4_t ac[2] = {vzip1q_f32(a, c), vzip2q_f32(a, c)}; /* a0 c0 a1 c1, a2 c2 a3 c3 */
    float32x4_t bd[2] = {vzip1q_f32(b, d), vzip2q_f32(b, d)};
    for (int i = 0; i < 2; i++, dst += 2 * width) {
        vst1q_f32(dst, vzip1q_f32(ac[i], bd[i]));
        vst1q_f32(dst + width, vzip2q_f32(ac[i], bd[i]));
    }
}

/* 4 columns of 2 tokens. */
static inline void transpose_two(float *dst, size_t width, const float *x, size_t ldx)
{
    float32x4_t a = vld1q_f32(x), b = vld1q_f32(x + ldx);
    float32x4_t ab[2] = {vzip1q_f32(a, b), vzip2q_f32(a, b)};
    for (int i = 0; i < 2; i++, dst += 2 * width) {
        vst1_f32(dst, vget_low_f32(ab[i]));
        vst1_f32(dst + width, vget_high_f32(ab[i]));
    }
}

static void pack_tile_f32(float *dst, const float *x, size_t ldx, int width, int col0, int col1)
{
    const size_t w = (size_t)width;
    dst += (size_t)col0 * w;
    if (width == 1) {
        memcpy(dst, x + col0, (size_t)(col1 - col0) * sizeof *dst);
        return;
    }
    int c = col0;
    for (; c + 4 <= col1; c += 4, dst += 4 * w) {
        const float *from = x + c;
        int t = 0;
        for (; t + 4 <= width; t += 4, from += 4 * ldx) {
            transpose_four(dst + t, w, from, ldx);
        }
        for (; t + 2 <= width; t += 2, from += 2 * ldx) {
            transpose_two(dst + t, w, from, ldx);
        }
        for (int i = 0; t < width && i < 4; i++) {
            dst[(size_t)i * w + (size_t)t] = from[i];
        }
    }
    for (; c < col1; c++, dst += w) {
        for (int t = 0; t < width; t++) {
            dst[t] = x[(size_t)t * ldx + (size_t)c];
        }
    }
}

void kern_act_pack_f32_neon(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                            int col1)
{
    for (int t = 0; t < n_tokens; t += tile) {
        int width = n_tokens - t < tile ? n_tokens - t : tile;
        pack_tile_f32((float *)act + (size_t)t * (size_t)n_cols, x + (size_t)t * ldx, ldx, width, col0, col1);
    }
}

/* ---- int8: blocks of 32 columns (struct kern_act_q8) ---- */

enum { BLOCK = 32 };

static inline int32x4_t round_four(float32x4_t x, float32x4_t inverse)
{
    return vcvtnq_s32_f32(vmulq_f32(x, inverse));
}

/* 32 numbers x of token t, of `width`. */
static inline void quantize_block(char *block, int width, int t, const float *x)
{
    const size_t at = (size_t)t, w = (size_t)width;
    int8_t *q = (int8_t *)block + at * BLOCK;
    float *d = (float *)(void *)(block + w * 32) + at;
    int32_t *bias = (int32_t *)(void *)(block + w * 36) + at;
    int32_t *bias_lo = (int32_t *)(void *)(block + w * 40) + at;
    float *dsum = (float *)(void *)(block + w * 44) + at;
    float32x4_t v[8];
    uint32x4_t most = vdupq_n_u32(0); /* bits without signs: in the floats' order, infinity and NaN above all */
    for (int i = 0; i < 8; i++) {
        v[i] = vld1q_f32(x + 4 * i);
        most = vmaxq_u32(most, vreinterpretq_u32_f32(vabsq_f32(v[i])));
    }
    const uint32_t amax = vmaxvq_u32(most);
    if (amax >= KERN_F32_INF) { /* int8 has no NaN: the scale says it */
        vst1q_s8(q, vdupq_n_s8(0));
        vst1q_s8(q + 16, vdupq_n_s8(0));
        *d = *dsum = base_f32_from_bits(KERN_F32_NAN);
        *bias = *bias_lo = 0;
        return;
    }
    float scale = base_f32_from_bits(amax) / 127.0f;
    if (scale < 0x1p-126f) { /* 1 / scale would be infinite: such a block counts as zero */
        scale = 0.0f;
    }
    const float32x4_t inverse = vdupq_n_f32(scale > 0.0f ? 1.0f / scale : 0.0f);
    int32_t sum[2];
    for (int i = 0; i < 2; i++) {
        int16x8_t low =
            vcombine_s16(vmovn_s32(round_four(v[4 * i], inverse)), vmovn_s32(round_four(v[4 * i + 1], inverse)));
        int16x8_t high =
            vcombine_s16(vmovn_s32(round_four(v[4 * i + 2], inverse)), vmovn_s32(round_four(v[4 * i + 3], inverse)));
        vst1q_s8(q + 16 * i, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
        sum[i] = vaddvq_s16(vaddq_s16(low, high));
    }
    *d = scale;
    *bias = -128 * (sum[0] + sum[1]);
    *bias_lo = -128 * sum[0];
    *dsum = scale * (float)-(sum[0] + sum[1]);
}

static void pack_tile_q8(char *dst, const float *x, size_t ldx, int width, int n_cols, int col0, int col1)
{
    for (int c = col0; c < col1; c += BLOCK) {
        char *block = dst + (size_t)(c / BLOCK) * (size_t)width * KERN_ACT_Q8_BYTES;
        for (int t = 0; t < width; t++) {
            const float *from = x + (size_t)t * ldx;
            float padded[BLOCK];
            if (c + BLOCK <= n_cols) {
                from += c;
            } else { /* the row ends in this block, or before it */
                for (int i = 0; i < BLOCK; i++) {
                    padded[i] = c + i < n_cols ? from[c + i] : 0.0f;
                }
                from = padded;
            }
            quantize_block(block, width, t, from);
        }
    }
}

void kern_act_pack_q8_neon(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                           int col1)
{
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    if (col1 == n_cols) {
        col1 = (n_cols + 63) / 64 * 64; /* zeros up to a whole unit */
    }
    for (int t = 0; t < n_tokens; t += tile) {
        int width = n_tokens - t < tile ? n_tokens - t : tile;
        pack_tile_q8((char *)act + (size_t)t * token_bytes, x + (size_t)t * ldx, ldx, width, n_cols, col0, col1);
    }
}
