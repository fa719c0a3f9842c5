/* Multiplication by quantized weights for NEON, for every type: unpack_neon.h knows the types, and dot_neon.h or
 * mull_neon.h, whichever the instruction set has, the integer sums of a block.
 *
 * One token: from the panel into registers, where the sums are, too.
 * Several tokens: a unit is unpacked once (struct neon_unpacked, L1 cache) and meets all tokens before the next one, so
 * that the weights come from memory once.  From there on only the form matters, not the type.  The integer sums of a
 * block are registers, the float sums of all tokens live in the L1 cache between blocks. */
#ifndef KERN_QUANT_NEON_H
#define KERN_QUANT_NEON_H

#if defined(__ARM_FEATURE_DOTPROD)
#include "kernels/arm/dot_neon.h"
#else
#include "kernels/arm/mull_neon.h"
#endif

enum {
    NEON_UNIT_BLOCKS = 8, /* most in a unit */
    NEON_CHUNK = 128      /* tokens that meet an unpacked unit, if there are as many */
};

/* What the integers start from, where bytes are more than the weights, and what the minimum is multiplied by. */
NEON_TEMPLATE void neon_token_sums(const int TYPE, const int T, int32_t *start, float *dsum,
                                   const struct kern_act_q8 *x, const int half)
{
    const int offset = neon_types[TYPE].offset;
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
        const bool whole = neon_types[TYPE].scales == 1;
        const int32_t low = x->bias_lo[t];
        const int32_t bias = whole ? x->bias[t] : low + half * (x->bias[t] - 2 * low); /* of the half */
        start[t] = offset == 0 ? 0 : bias / (128 / offset);
        dsum[t] = whole ? x->dsum[t] : x->d[t] * ((float)bias * 0x1p-7f);
    }
}

/* sum[t][4 first .. 4 (first + R) - 1] += those rows of the block, or of one half of it, for T tokens. */
NEON_TEMPLATE void neon_add_part(const int TYPE, const bool ODD, const int R, const int T, float (*sum)[16],
                                 struct neon_block b, const struct kern_act_q8 *x, const int first, const int half)
{
    int32x4_t dot[16];
    int32_t start[NEON_TOKENS];
    float dsum[NEON_TOKENS];
    neon_token_sums(TYPE, T, start, dsum, x, half);
    neon_dots(TYPE, ODD, R, T, dot, b, x->q, start, first, half);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
        const float32x4_t scale = neon_scale(TYPE, b, half, first + r);
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) {
            float *to = sum[t] + 4 * (first + r);
            float32x4_t s = vfmaq_f32(vld1q_f32(to), vcvtq_f32_s32(dot[t * R + r]), vmulq_n_f32(scale, x->d[t]));
            if (neon_types[TYPE].min) {
                s = vfmaq_n_f32(s, neon_min(TYPE, b, half, first + r), dsum[t]);
            }
            vst1q_f32(to, s);
        }
    }
}

/* Fetches ahead a unit's lines, the share of them that belongs to blocks b and b + 1 of n. */
static inline void neon_prefetch_share(const uint8_t *unit, int bytes, int b, int n)
{
    const int share = (bytes / 64 + n / 2 - 1) / (n / 2) * 64;
    for (int at = share * (b / 2); at < share * (b / 2 + 1) && at < bytes; at += 64) {
        neon_prefetch_ahead(unit + at);
    }
}

/* ---- one token ---- */

/* sum[0] += block `number` of the unit; ODD: that is. */
NEON_TEMPLATE void neon_add_block(const int TYPE, const bool ODD, float (*sum)[16], const uint8_t *unit, int number,
                                  const int8_t *act)
{
    const struct kern_act_q8 x = kern_act_q8_block(act, 1);
    for (int half = 0; half < neon_types[TYPE].scales; half++) {
        neon_add_part(TYPE, ODD, 4, 1, sum, neon_block_of(TYPE, unit, number), &x, 0, half);
    }
}

NEON_TEMPLATE void neon_multiply_one(const int TYPE, float *y, const uint8_t *unit, int n_rows, int units,
                                     const int8_t *act, bool add)
{
    const int bytes = neon_units[TYPE].bytes, blocks = neon_units[TYPE].columns / 32;
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS) {
        const int8_t *x = act;
        float sum[1][16], out[1][16]; /* nothing may hold the address of `sum`, so that it can be registers */
        neon_quad_store(sum[0], neon_quad_zero());
        for (int u = 0; u < units; u++, unit += bytes) {
            for (int b = 0; b < blocks; b += 2, x += 2 * KERN_ACT_Q8_BYTES) {
                neon_prefetch_share(unit, bytes, b, blocks);
                neon_add_block(TYPE, false, sum, unit, b, x);
                neon_add_block(TYPE, true, sum, unit, b + 1, x + KERN_ACT_Q8_BYTES);
            }
        }
        neon_quad_store(out[0], neon_quad_load(sum[0]));
        neon_store_rows(y + r, 0, (const float(*)[16])out, 1, n_rows - r, add);
    }
}

/* ---- several ---- */

/* sum[t][4 first ..] += n blocks, for T tokens: as many rows as go at once.  act: those blocks of a tile of `width`
 * tokens, of which the T begin at t0. */
NEON_TEMPLATE void neon_add_blocks(const int FORM, const int T, float (*sum)[16], const uint8_t *unpacked, int n,
                                   const int8_t *act, int width, int t0, int first)
{
    const int R = T <= NEON_FEW ? 4 : 2, scales = neon_types[FORM].scales;
    for (int i = 0; i < n * scales; i++) {
        struct kern_act_q8 x = kern_act_q8_block(act + i / scales * width * KERN_ACT_Q8_BYTES, width);
        x.q += 32 * t0;
        x.d += t0;
        x.bias += t0;
        x.bias_lo += t0;
        x.dsum += t0;
        neon_add_part(FORM, false, R, T, sum, neon_block_of(FORM, unpacked, i / scales), &x, first, i % scales);
    }
}

/* The same for n_tokens, 1 to NEON_TOKENS. */
NEON_TEMPLATE void neon_add_blocks_of(const int FORM, int n_tokens, float (*sum)[16], const uint8_t *unpacked, int n,
                                      const int8_t *act, int width, int t0, int first)
{
    switch (n_tokens) {
    case 1:
        neon_add_blocks(FORM, 1, sum, unpacked, n, act, width, t0, first);
        break;
    case 2:
        neon_add_blocks(FORM, 2, sum, unpacked, n, act, width, t0, first);
        break;
    case 3:
        neon_add_blocks(FORM, 3, sum, unpacked, n, act, width, t0, first);
        break;
    case 4:
        neon_add_blocks(FORM, 4, sum, unpacked, n, act, width, t0, first);
        break;
#if defined(__ARM_FEATURE_DOTPROD)
    case 5:
        neon_add_blocks(FORM, 5, sum, unpacked, n, act, width, t0, first);
        break;
    case 6:
        neon_add_blocks(FORM, 6, sum, unpacked, n, act, width, t0, first);
        break;
    case 7:
        neon_add_blocks(FORM, 7, sum, unpacked, n, act, width, t0, first);
        break;
    default:
        neon_add_blocks(FORM, 8, sum, unpacked, n, act, width, t0, first);
        break;
#endif
    }
}

/* One copy for all types. */
#if defined(__clang__)
#define NEON_SHARED __attribute__((noinline))
#else
#define NEON_SHARED __attribute__((noipa))
#endif

/* sum[width][16] += n blocks times a tile of tokens. */
typedef void neon_tile_fn(float (*sum)[16], const uint8_t *unpacked, int n, const int8_t *act, int width);

NEON_TEMPLATE void neon_multiply_tile(const int FORM, float (*sum)[16], const uint8_t *unpacked, int n,
                                      const int8_t *act, int width)
{
    const int groups = (width + NEON_TOKENS - 1) / NEON_TOKENS;
    const int most = (width + groups - 1) / groups; /* even groups: 9 tokens are 5 + 4, not 8 + 1 */
    for (int t = 0; t < width; t += most) {
        const int n_tokens = width - t < most ? width - t : most;
        for (int first = 0; first < 4; first += n_tokens <= NEON_FEW ? 4 : 2) {
            neon_add_blocks_of(FORM, n_tokens, sum + t, unpacked, n, act, width, t, first);
        }
    }
}

NEON_SHARED static void neon_tile_s32_wide(float (*sum)[16], const uint8_t *unpacked, int n, const int8_t *act,
                                           int width)
{
    neon_multiply_tile(NEON_S32_WIDE, sum, unpacked, n, act, width);
}

NEON_SHARED static void neon_tile_s32(float (*sum)[16], const uint8_t *unpacked, int n, const int8_t *act, int width)
{
    neon_multiply_tile(NEON_S32, sum, unpacked, n, act, width);
}

NEON_SHARED static void neon_tile_s16(float (*sum)[16], const uint8_t *unpacked, int n, const int8_t *act, int width)
{
    neon_multiply_tile(NEON_S16, sum, unpacked, n, act, width);
}

NEON_SHARED static void neon_tile_m32(float (*sum)[16], const uint8_t *unpacked, int n, const int8_t *act, int width)
{
    neon_multiply_tile(NEON_M32, sum, unpacked, n, act, width);
}

NEON_SHARED static void neon_tile_m16(float (*sum)[16], const uint8_t *unpacked, int n, const int8_t *act, int width)
{
    neon_multiply_tile(NEON_M16, sum, unpacked, n, act, width);
}

static neon_tile_fn *const neon_tiles[NEON_TYPE_COUNT] = {
    [NEON_S32_WIDE] = neon_tile_s32_wide, [NEON_S32] = NEON_TOKENS == 8 ? neon_tile_s32_wide : neon_tile_s32,
    [NEON_S16] = neon_tile_s16,           [NEON_M32] = neon_tile_m32,
    [NEON_M16] = neon_tile_m16,
};

/* sum[n_tokens][16] = one panel times tiles of tokens. */
NEON_TEMPLATE void neon_multiply_panel(const int TYPE, float (*sum)[16], const uint8_t *unit, int n_cols,
                                       const int8_t *act, int n_tokens, int tile)
{
    const int bytes = neon_units[TYPE].bytes, columns = neon_units[TYPE].columns, blocks = columns / 32;
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    struct neon_unpacked unpacked[NEON_UNIT_BLOCKS];
    memset(sum, 0, (size_t)n_tokens * sizeof sum[0]);
    for (int c = 0; c < n_cols; c += columns, unit += bytes) {
        for (int b = 0; b < blocks; b += 2) {
            neon_prefetch_share(unit, bytes, b, blocks);
            neon_unpack(TYPE, false, &unpacked[b], neon_block_of(TYPE, unit, b));
            neon_unpack(TYPE, true, &unpacked[b + 1], neon_block_of(TYPE, unit, b + 1));
        }
        for (int t = 0; t < n_tokens; t += tile) {
            const int width = n_tokens - t < tile ? n_tokens - t : tile;
            const int8_t *x = act + (size_t)t * token_bytes + (size_t)(c / 32) * (size_t)width * KERN_ACT_Q8_BYTES;
            neon_tiles[neon_types[TYPE].form](sum + t, (const uint8_t *)unpacked, blocks, x, width);
        }
    }
}

/* The matmul of the kernel table. */
NEON_TEMPLATE void neon_matmul_quant(const int TYPE, float *y, size_t ldy, const void *W, int n_rows, int n_cols,
                                     const void *act, int n_tokens, int tile, bool add)
{
    const int bytes = neon_units[TYPE].bytes, columns = neon_units[TYPE].columns;
    const int units = (n_cols + columns - 1) / columns;
    if (n_tokens == 1) {
        neon_multiply_one(TYPE, y, W, n_rows, units, act, add);
        return;
    }
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    const int chunk = NEON_CHUNK / tile * tile; /* whole tiles */
    const uint8_t *panel = W;
    float sum[NEON_CHUNK][16];
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS, panel += (size_t)units * (size_t)bytes) {
        for (int t = 0; t < n_tokens; t += chunk) {
            const int n = n_tokens - t < chunk ? n_tokens - t : chunk;
            neon_multiply_panel(TYPE, sum, panel, n_cols, (const int8_t *)act + (size_t)t * token_bytes, n, tile);
            neon_store_rows(y + (size_t)t * ldy + r, ldy, (const float(*)[16])sum, n, n_rows - r, add);
        }
    }
}

#endif
