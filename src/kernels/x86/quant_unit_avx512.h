/* The units of the quantized types (pack.h) in AVX-512 registers: the only part of a multiplication that a type has
 * for itself.  A block of 32 columns becomes 8 groups, each a register of [16 rows][4 columns] unsigned bytes, beside
 * its scales and minimums, one row to a lane.
 *
 * All are templates: `type` and the block's number in its unit are literals. */
#ifndef KERN_QUANT_UNIT_AVX512_H
#define KERN_QUANT_UNIT_AVX512_H

#include "kernels/x86/simd_avx512.h"

enum { UNIT_GROUP = 64, UNIT_ROW_F16 = 32, UNIT_ROW_BYTES = 16, UNIT_MASKS = 64 };

struct avx512_unit {
    int blocks;           /* of 32 columns */
    int bytes;            /* of the whole unit */
    enum dtype_form form; /* how its blocks are summed */
    int shift;            /* a group's byte is w + (128 >> shift); 8: w itself */
    int head;             /* bytes before the first group */
};

/* A compile-time constant wherever `type` is one. */
AVX512_TEMPLATE struct avx512_unit avx512_unit_of(const choir_dtype type)
{
    switch (type) {
    case DTYPE_Q8_0:
        return (struct avx512_unit){2, 1088, DTYPE_FORM_S32, 0, 64};
    case DTYPE_Q4_0:
        return (struct avx512_unit){2, 576, DTYPE_FORM_S32, 4, 64};
    case DTYPE_Q4_1:
        return (struct avx512_unit){2, 640, DTYPE_FORM_M32, 8, 128};
    case DTYPE_Q5_0:
        return (struct avx512_unit){2, 704, DTYPE_FORM_S32, 3, 64};
    case DTYPE_Q5_1:
        return (struct avx512_unit){2, 768, DTYPE_FORM_M32, 8, 128};
    case DTYPE_IQ4_NL:
        return (struct avx512_unit){2, 576, DTYPE_FORM_S32, 0, 64};
    case DTYPE_Q2_K:
        return (struct avx512_unit){8, 1344, DTYPE_FORM_M16, 8, 320};
    case DTYPE_Q3_K:
        return (struct avx512_unit){8, 1856, DTYPE_FORM_S16, 5, 320};
    case DTYPE_Q4_K:
        return (struct avx512_unit){8, 2368, DTYPE_FORM_M32, 8, 320};
    case DTYPE_Q5_K:
        return (struct avx512_unit){8, 2880, DTYPE_FORM_M32, 8, 320};
    case DTYPE_Q6_K:
        return (struct avx512_unit){8, 3392, DTYPE_FORM_S16, 2, 320};
    default: /* DTYPE_IQ4_XS */
        return (struct avx512_unit){8, 2240, DTYPE_FORM_S32, 0, 192};
    }
}

/* ---- groups ---- */

/* 4 bits of every byte. */
AVX512_TEMPLATE __m512i unit_nibble(__m512i v, const bool high)
{
    return _mm512_and_si512(high ? _mm512_srli_epi16(v, 4) : v, _mm512_set1_epi8(15));
}

/* Nibbles are indices into the codebook of iq4_nl and iq4_xs, here + 128. */
static inline __m512i unit_look_up(__m512i index)
{
    const __m128i values =
        _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)dtype_iq4_values), _mm_set1_epi8((char)0x80));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), index);
}

/* `value` more where the group's mask has a bit. */
AVX512_TEMPLATE __m512i unit_add_mask(__m512i v, const uint8_t *mask, const int value)
{
    uint64_t bits;
    memcpy(&bits, mask, sizeof bits);
    return _mm512_mask_add_epi8(v, (__mmask64)bits, v, _mm512_set1_epi8((char)value));
}

/* Group g of lines of 4 bits, block b. */
AVX512_TEMPLATE __m512i unit_line_4(const uint8_t *lines, const int b, const int g)
{
    return unit_nibble(avx512_load_i32(lines + (b / 2 * 8 + g) * UNIT_GROUP), b % 2 != 0);
}

/* Bits 2f, 2f+1 of every byte of lines of 2 bits, f = b % 4, moved to bits `to`, to + 1; other bits are anything. */
AVX512_TEMPLATE __m512i unit_line_2(const uint8_t *lines, const int b, const int g, const int to)
{
    const __m512i v = avx512_load_i32(lines + (b / 4 * 8 + g) * UNIT_GROUP);
    const int from = b % 4 * 2;
    return from == to  ? v
           : from < to ? _mm512_slli_epi16(v, (uint8_t)(to - from))
                       : _mm512_srli_epi16(v, (uint8_t)(from - to));
}

/* Group g of block b (both literals). */
AVX512_TEMPLATE __m512i avx512_unit_group(const choir_dtype type, const uint8_t *unit, const int b, const int g)
{
    const uint8_t *groups = unit + avx512_unit_of(type).head;
    switch (type) {
    case DTYPE_Q8_0:
        return avx512_load_i32(groups + (b * 8 + g) * UNIT_GROUP);
    case DTYPE_Q4_0:
    case DTYPE_Q4_1:
        return unit_nibble(avx512_load_i32(groups + (b * 4 + g % 4) * UNIT_GROUP), g >= 4);
    case DTYPE_IQ4_NL:
        return unit_look_up(unit_nibble(avx512_load_i32(groups + (b * 4 + g % 4) * UNIT_GROUP), g >= 4));
    case DTYPE_Q5_0:
    case DTYPE_Q5_1:
        groups += b * (4 * UNIT_GROUP + UNIT_MASKS);
        return unit_add_mask(unit_nibble(avx512_load_i32(groups + g % 4 * UNIT_GROUP), g >= 4),
                             groups + 4 * UNIT_GROUP + 8 * g, 16);
    case DTYPE_Q4_K:
        return unit_line_4(groups, b, g);
    case DTYPE_Q5_K:
        return unit_add_mask(unit_line_4(groups, b, g), groups + 32 * UNIT_GROUP + b * UNIT_MASKS + 8 * g, 16);
    case DTYPE_IQ4_XS:
        return unit_look_up(unit_line_4(groups, b, g));
    case DTYPE_Q6_K: {
        const __m512i high = unit_line_2(groups + 32 * UNIT_GROUP, b, g, 4);
        const __m512i low = avx512_load_i32(groups + (b / 2 * 8 + g) * UNIT_GROUP);
        /* high & 0x30 | low & 0x0f: the bits of `low` where 0x0f has ones, of `high` elsewhere, less the upper two */
        const __m512i both =
            _mm512_ternarylogic_epi32(_mm512_set1_epi8(15), b % 2 ? _mm512_srli_epi16(low, 4) : low, high, 0xca);
        return _mm512_and_si512(both, _mm512_set1_epi8(63));
    }
    case DTYPE_Q3_K:
        return unit_add_mask(_mm512_and_si512(unit_line_2(groups, b, g, 0), _mm512_set1_epi8(3)),
                             groups + 16 * UNIT_GROUP + b * UNIT_MASKS + 8 * g, 4);
    default: /* DTYPE_Q2_K */
        return _mm512_and_si512(unit_line_2(groups, b, g, 0), _mm512_set1_epi8(3));
    }
}

/* ---- scales and minimums ---- */

/* Of a block's two halves; types with one scale to a block fill [0] only. */
struct avx512_scales {
    __m512 scale[2];
    __m512 min[2]; /* M forms */
};

static inline __m512 unit_bytes_u8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

static inline __m512 unit_bytes_i8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

static inline void unit_scm(struct avx512_scales *to, const int half, const uint8_t *p, __m512 d, __m512 dmin)
{
    const __m512i scm = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    to->scale[half] = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_and_si512(scm, _mm512_set1_epi32(15))));
    to->min[half] = _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(_mm512_srli_epi32(scm, 4)));
}

/* Of block b. */
AVX512_TEMPLATE struct avx512_scales avx512_unit_scales(const choir_dtype type, const uint8_t *unit, const int b)
{
    struct avx512_scales s = {{_mm512_setzero_ps()}, {_mm512_setzero_ps()}};
    const uint8_t *bytes = unit + 2 * UNIT_ROW_F16;
    switch (type) {
    case DTYPE_Q8_0:
    case DTYPE_Q4_0:
    case DTYPE_Q5_0:
    case DTYPE_IQ4_NL:
        s.scale[0] = avx512_load_f16(unit + b * UNIT_ROW_F16);
        break;
    case DTYPE_Q4_1:
    case DTYPE_Q5_1: /* the file's minimum is added */
        s.scale[0] = avx512_load_f16(unit + b * UNIT_ROW_F16);
        s.min[0] = _mm512_xor_ps(avx512_load_f16(unit + (2 + b) * UNIT_ROW_F16), _mm512_set1_ps(-0.0f));
        break;
    case DTYPE_Q4_K:
    case DTYPE_Q5_K:
        s.scale[0] = _mm512_mul_ps(avx512_load_f16(unit), unit_bytes_u8(bytes + b * UNIT_ROW_BYTES));
        s.min[0] = _mm512_mul_ps(avx512_load_f16(unit + UNIT_ROW_F16), unit_bytes_u8(bytes + (8 + b) * UNIT_ROW_BYTES));
        break;
    case DTYPE_Q6_K:
    case DTYPE_Q3_K:
        s.scale[0] = _mm512_mul_ps(avx512_load_f16(unit), unit_bytes_i8(bytes + 2 * b * UNIT_ROW_BYTES));
        s.scale[1] = _mm512_mul_ps(avx512_load_f16(unit), unit_bytes_i8(bytes + (2 * b + 1) * UNIT_ROW_BYTES));
        break;
    case DTYPE_Q2_K:
        unit_scm(&s, 0, bytes + 2 * b * UNIT_ROW_BYTES, avx512_load_f16(unit), avx512_load_f16(unit + UNIT_ROW_F16));
        unit_scm(&s, 1, bytes + (2 * b + 1) * UNIT_ROW_BYTES, avx512_load_f16(unit),
                 avx512_load_f16(unit + UNIT_ROW_F16));
        break;
    default: /* DTYPE_IQ4_XS */
        s.scale[0] = _mm512_mul_ps(avx512_load_f16(unit), unit_bytes_i8(bytes + b * UNIT_ROW_BYTES));
        break;
    }
    return s;
}

#endif
