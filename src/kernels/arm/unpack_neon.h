/* The quantized types for NEON: where their bits lie in a unit (pack.h draws it), and how these become registers of
 * bytes and of scales.  All that is special to a type is here.
 *
 * A register of weights is 4 rows of a group: [4 rows][4 columns] of bytes.  i (0 to 3) says which rows, 4i to 4i + 3;
 * g (0 to 7) which columns of the block, 4g to 4g + 3.
 *
 * TYPE is a choir_dtype, or one of enum neon_form: a block that has been unpacked already. */
#ifndef KERN_UNPACK_NEON_H
#define KERN_UNPACK_NEON_H

#include "kernels/arm/simd_neon.h"

/* gcc's scheduling before it has given out registers makes more values alive at once than there are registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

/* Unpacked blocks: all types of a form (dtype.h) end as one of these.  WIDE: weights of 8 bits. */
enum neon_form {
    NEON_S32_WIDE = DTYPE_COUNT,
    NEON_S32,
    NEON_S16,
    NEON_M32,
    NEON_M16,
    NEON_U8, /* q8_0 as it is packed: unsigned, for who can multiply that */
    NEON_TYPE_COUNT
};

struct neon_unpacked {
    uint8_t w[8][4][16];            /* signed */
    float scale[2][16], min[2][16]; /* [half of the block][row] */
};

/* Where a block's bits lie in its unit: those of the first `blocks` blocks begin at byte `at`, those of the next so many
 * `bytes` further. */
struct neon_lines {
    int at, bytes, blocks;
};

struct neon_type {
    int form;               /* what it unpacks to */
    int scales;             /* of a row in a block: 1, or one for each half */
    bool min;               /* has minimums */
    int largest;            /* magnitude of the bytes that neon_weights gives */
    int offset;             /* so much more are they than the weights */
    struct neon_lines low;  /* all the bits, or the lower ones */
    struct neon_lines high; /* the upper ones of types that keep them apart */
};

enum { NEON_BLOCK_BYTES = (int)sizeof(struct neon_unpacked) };

static const struct neon_type neon_types[NEON_TYPE_COUNT] = {
    [DTYPE_Q8_0] = {NEON_S32_WIDE, 1, false, 128, 0, {64, 512, 1}, {0}},
    [DTYPE_Q4_0] = {NEON_S32, 1, false, 15, 8, {64, 256, 1}, {0}},
    [DTYPE_Q4_1] = {NEON_M32, 1, true, 15, 0, {128, 256, 1}, {0}},
    [DTYPE_Q5_0] = {NEON_S32, 1, false, 31, 16, {64, 320, 1}, {320, 320, 1}},
    [DTYPE_Q5_1] = {NEON_M32, 1, true, 31, 0, {128, 320, 1}, {384, 320, 1}},
    [DTYPE_IQ4_NL] = {NEON_S32_WIDE, 1, false, 127, 0, {64, 256, 1}, {0}},
    [DTYPE_Q2_K] = {NEON_M16, 2, true, 3, 0, {320, 512, 4}, {0}},
    [DTYPE_Q3_K] = {NEON_S16, 2, false, 7, 4, {320, 512, 4}, {1344, 64, 1}},
    [DTYPE_Q4_K] = {NEON_M32, 1, true, 15, 0, {320, 512, 2}, {0}},
    [DTYPE_Q5_K] = {NEON_M32, 1, true, 31, 0, {320, 512, 2}, {2368, 64, 1}},
    [DTYPE_Q6_K] = {NEON_S16, 2, false, 63, 32, {320, 512, 2}, {2368, 512, 4}},
    [DTYPE_IQ4_XS] = {NEON_S32_WIDE, 1, false, 127, 0, {192, 512, 2}, {0}},
    [NEON_S32_WIDE] = {NEON_S32_WIDE, 1, false, 128, 0, {0, NEON_BLOCK_BYTES, 1}, {0}},
    [NEON_S32] = {NEON_S32, 1, false, 16, 0, {0, NEON_BLOCK_BYTES, 1}, {0}},
    [NEON_S16] = {NEON_S16, 2, false, 32, 0, {0, NEON_BLOCK_BYTES, 1}, {0}},
    [NEON_M32] = {NEON_M32, 1, true, 31, 0, {0, NEON_BLOCK_BYTES, 1}, {0}},
    [NEON_M16] = {NEON_M16, 2, true, 3, 0, {0, NEON_BLOCK_BYTES, 1}, {0}},
    [NEON_U8] = {NEON_S32_WIDE, 1, false, 255, 128, {64, 512, 1}, {0}},
};

/* Columns and bytes of a unit, as constants. */
static const struct {
    int columns, bytes;
} neon_units[NEON_TYPE_COUNT] = {
#define X(name, text, id, len, bytes, ucols, ubytes, form) [DTYPE_##name] = {ucols, ubytes},
    CHOIR_DTYPES(X)
#undef X
        [NEON_U8] = {64, 1088},
};

/* A block of a unit. */
struct neon_block {
    const uint8_t *unit;
    int number;                /* in the unit */
    const uint8_t *low, *high; /* its bits */
};

NEON_TEMPLATE const uint8_t *neon_lines_of(struct neon_lines lines, const uint8_t *unit, int number)
{
    return lines.blocks == 0 ? NULL : unit + lines.at + number / lines.blocks * lines.bytes;
}

NEON_TEMPLATE struct neon_block neon_block_of(const int TYPE, const uint8_t *unit, int number)
{
    return (struct neon_block){
        .unit = unit,
        .number = number,
        .low = neon_lines_of(neon_types[TYPE].low, unit, number),
        .high = neon_lines_of(neon_types[TYPE].high, unit, number),
    };
}

/* ---- weights: what pack.h calls nibbles, lines and masks ---- */

NEON_TEMPLATE uint8x16_t neon_nibble(const uint8_t *p, const bool high)
{
    return high ? vshrq_n_u8(vld1q_u8(p), 4) : vandq_u8(vld1q_u8(p), vdupq_n_u8(15));
}

/* A nibble, or a field of 2 bits, other bits above it. */
NEON_TEMPLATE uint8x16_t neon_loose_nibble(const uint8_t *p, const bool high)
{
    return high ? vshrq_n_u8(vld1q_u8(p), 4) : vld1q_u8(p);
}

static inline uint8x16_t neon_loose_field(const uint8_t *p, int field)
{
    return vshlq_u8(vld1q_u8(p), vdupq_n_s8((int8_t)(-2 * field)));
}

/* Mask bits of 4 rows as bytes of 0 or 255. */
NEON_TEMPLATE uint8x16_t neon_mask(const uint8_t *masks, const int g, const int i)
{
    const uint8_t a = (uint8_t)(2 * i), b = (uint8_t)(2 * i + 1);
    const uint8x16_t byte = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t mask = vcombine_u8(vld1_u8(masks + 8 * g), vdup_n_u8(0));
    return vtstq_u8(vqtbl1q_u8(mask, byte), bit);
}

/* Low bits, loose, with high ones inserted from bit 2 or 4 on; `keep`: the bits of both. */
NEON_TEMPLATE uint8x16_t neon_join(uint8x16_t low, uint8x16_t high, const int at, const uint8_t keep)
{
    return vandq_u8(at == 2 ? vsliq_n_u8(low, high, 2) : vsliq_n_u8(low, high, 4), vdupq_n_u8(keep));
}

static inline uint8x16_t neon_iq4(uint8x16_t index)
{
    return vreinterpretq_u8_s8(vqtbl1q_s8(vld1q_s8(dtype_iq4_values), index));
}

/* 4 rows of a group; ODD: the block's number is. */
NEON_TEMPLATE uint8x16_t neon_weights(const int TYPE, const bool ODD, struct neon_block b, const int g, const int i)
{
    const uint8_t *at = b.low + 64 * g + 16 * i;           /* where each group has its line */
    const uint8_t *shared = b.low + 64 * (g % 4) + 16 * i; /* where groups g and g + 4 share one */
    switch (TYPE) {
    case DTYPE_Q8_0:
        return veorq_u8(vld1q_u8(at), vdupq_n_u8(0x80));
    case DTYPE_Q4_0:
    case DTYPE_Q4_1:
        return neon_nibble(shared, g >= 4);
    case DTYPE_IQ4_NL:
        return neon_iq4(neon_nibble(shared, g >= 4));
    case DTYPE_Q5_0:
    case DTYPE_Q5_1:
        return neon_join(neon_loose_nibble(shared, g >= 4), neon_mask(b.high, g, i), 4, 31);
    case DTYPE_Q4_K:
        return neon_nibble(at, ODD);
    case DTYPE_IQ4_XS:
        return neon_iq4(neon_nibble(at, ODD));
    case DTYPE_Q5_K:
        return neon_join(neon_loose_nibble(at, ODD), neon_mask(b.high, g, i), 4, 31);
    case DTYPE_Q6_K:
        return neon_join(neon_loose_nibble(at, ODD), neon_loose_field(b.high + 64 * g + 16 * i, b.number % 4), 4, 63);
    case DTYPE_Q3_K:
        return neon_join(neon_loose_field(at, b.number % 4), neon_mask(b.high, g, i), 2, 7);
    case DTYPE_Q2_K:
        return vandq_u8(neon_loose_field(at, b.number % 4), vdupq_n_u8(3));
    default:
        return vld1q_u8(at);
    }
}

/* ---- scales of 4 rows ---- */

/* f16 [k][16]. */
NEON_TEMPLATE float32x4_t neon_halves(const uint8_t *unit, int k, const int i)
{
    return neon_load_f16((const uint16_t *)(const void *)unit + 16 * k + 4 * i);
}

/* Signed bytes [k][16], behind two lines of f16. */
static inline int8x16_t neon_bytes(const uint8_t *unit, int k)
{
    return vreinterpretq_s8_u8(vld1q_u8(unit + 64 + 16 * k));
}

NEON_TEMPLATE float32x4_t neon_bytes_to_f32(int8x16_t v, const int i)
{
    const int16x8_t half = i < 2 ? vmovl_s8(vget_low_s8(v)) : vmovl_high_s8(v);
    return vcvtq_f32_s32(i % 2 == 0 ? vmovl_s16(vget_low_s16(half)) : vmovl_high_s16(half));
}

/* Of half `half` of the block, which is 0 where there is one scale for both. */
NEON_TEMPLATE float32x4_t neon_scale(const int TYPE, struct neon_block b, const int half, const int i)
{
    if (neon_units[TYPE].columns == 0) {
        return vld1q_f32(((const struct neon_unpacked *)(const void *)b.low)->scale[half] + 4 * i);
    }
    if (neon_units[TYPE].columns == 64) {
        return neon_halves(b.unit, b.number, i);
    }
    int8x16_t bytes = neon_bytes(b.unit, neon_types[TYPE].scales * b.number + half);
    if (TYPE == DTYPE_Q2_K) {
        bytes = vandq_s8(bytes, vdupq_n_s8(15));
    }
    return vmulq_f32(neon_halves(b.unit, 0, i), neon_bytes_to_f32(bytes, i));
}

/* What stands before dsum: value = weight * scale - min. */
NEON_TEMPLATE float32x4_t neon_min(const int TYPE, struct neon_block b, const int half, const int i)
{
    if (neon_units[TYPE].columns == 0) {
        return vld1q_f32(((const struct neon_unpacked *)(const void *)b.low)->min[half] + 4 * i);
    }
    if (neon_units[TYPE].columns == 64) {
        return vnegq_f32(neon_halves(b.unit, 2 + b.number, i));
    }
    int8x16_t bytes = neon_bytes(b.unit, TYPE == DTYPE_Q2_K ? 2 * b.number + half : 8 + b.number);
    if (TYPE == DTYPE_Q2_K) {
        bytes = vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(bytes), 4));
    }
    return vmulq_f32(neon_halves(b.unit, 1, i), neon_bytes_to_f32(bytes, i));
}

/* The whole block. */
NEON_TEMPLATE void neon_unpack(const int TYPE, const bool ODD, struct neon_unpacked *to, struct neon_block b)
{
#pragma GCC unroll 2
    for (int half = 0; half < 8; half += 4) {
#pragma GCC unroll 1
        for (int g = half; g < half + 4; g++) {
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                const uint8x16_t w = neon_weights(TYPE, ODD, b, g, i);
                vst1q_u8(to->w[g][i], vsubq_u8(w, vdupq_n_u8((uint8_t)neon_types[TYPE].offset)));
            }
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        for (int half = 0; half < neon_types[TYPE].scales; half++) {
            vst1q_f32(to->scale[half] + 4 * i, neon_scale(TYPE, b, half, i));
            if (neon_types[TYPE].min) {
                vst1q_f32(to->min[half] + 4 * i, neon_min(TYPE, b, half, i));
            }
        }
    }
}

#endif
