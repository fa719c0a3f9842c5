/* What the panels of the quantized types hold, for 256-bit vectors: bytes and scales of a pair of blocks.
 *
 * A pair is 64 columns: blocks 0 and 1 of a unit of 64, or two neighbours of the eight of a unit of 256.  `half` is the
 * half of the panel, rows 0 to 7 or 8 to 15; a vector holds 4 columns of its rows, one group of the block's eight.
 * All of it is templates: type, parity (of the pair in its unit), half and step are literals where they are called. */
#ifndef KERN_QUANT_AVX2_H
#define KERN_QUANT_AVX2_H

#include "kernels/x86/simd_avx2.h"

/* One scale to 16 columns instead of to 32. */
AVX2_TEMPLATE int quant_runs(const enum dtype_form form)
{
    return form == DTYPE_FORM_S16 || form == DTYPE_FORM_M16 ? 2 : 1;
}

AVX2_TEMPLATE bool quant_has_min(const enum dtype_form form)
{
    return form == DTYPE_FORM_M32 || form == DTYPE_FORM_M16;
}

AVX2_TEMPLATE enum dtype_form quant_form(const choir_dtype type)
{
    switch (type) {
#define X(name, text, gguf_id, block_len, block_bytes, unit_cols, unit_bytes, form)                                    \
    case DTYPE_##name:                                                                                                 \
        return DTYPE_FORM_##form;
        CHOIR_DTYPES(X)
#undef X
    default:
        return DTYPE_FORM_NONE;
    }
}

AVX2_TEMPLATE bool quant_is_super(const choir_dtype type)
{
    return type == DTYPE_Q2_K || type == DTYPE_Q3_K || type == DTYPE_Q4_K || type == DTYPE_Q5_K || type == DTYPE_Q6_K ||
           type == DTYPE_IQ4_XS;
}

AVX2_TEMPLATE int quant_unit_bytes(const choir_dtype type)
{
    switch (type) {
#define X(name, text, gguf_id, block_len, block_bytes, unit_cols, unit_bytes, form)                                    \
    case DTYPE_##name:                                                                                                 \
        return unit_bytes;
        CHOIR_DTYPES(X)
#undef X
    default:
        return 0;
    }
}

/* The bytes of S forms stand for w + 128 >> quant_shift. */
AVX2_TEMPLATE int quant_shift(const choir_dtype type)
{
    switch (type) {
    case DTYPE_Q4_0:
        return 4;
    case DTYPE_Q5_0:
        return 3;
    case DTYPE_Q6_K:
        return 2;
    case DTYPE_Q3_K:
        return 5;
    default:
        return 0;
    }
}

/* How many products of a byte pair with two int8 have room in 16 bits: groups of a block whose vpmaddubsw may be added
 * before they are widened.  0: the bytes themselves are too large, they become |w| and a sign. */
AVX2_TEMPLATE int quant_room(const choir_dtype type)
{
    switch (type) {
    case DTYPE_Q4_0: /* 16 columns of 15 * 127 */
    case DTYPE_Q4_1:
    case DTYPE_Q4_K:
        return 8;
    case DTYPE_Q5_0: /* 8 of 31 * 127 */
    case DTYPE_Q5_1:
    case DTYPE_Q5_K:
    case DTYPE_Q3_K: /* sub-blocks have no more than 4 groups */
    case DTYPE_Q2_K:
        return 4;
    case DTYPE_Q6_K: /* 4 of 63 * 127 */
        return 2;
    default:
        return 0;
    }
}

/* Which block and group the two vectors (v = 0, 1) of step s (0 to 7) are. */
AVX2_TEMPLATE int quant_block(const choir_dtype type, const int s, const int v)
{
    return quant_is_super(type) ? v : s / 4;
}

AVX2_TEMPLATE int quant_group(const choir_dtype type, const int s, const int v)
{
    return quant_is_super(type) ? s : s % 4 + 4 * v;
}

/* ---- bytes ---- */

/* 32 bits become 32 bytes, `value` where the bit is set and 0 elsewhere. */
static inline __m256i quant_spread_bits(const uint8_t *p, __m256i value)
{
    const __m256i to_bytes = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i select = _mm256_set1_epi64x((long long)0x8040201008040201u);
    __m256i bits = _mm256_shuffle_epi8(avx2_broadcast_4x8((const int8_t *)p), to_bytes);
    bits = _mm256_cmpeq_epi8(_mm256_and_si256(bits, select), select);
    return _mm256_and_si256(bits, value);
}

static inline __m256i quant_low_nibbles(__m256i v)
{
    return _mm256_and_si256(v, _mm256_set1_epi8(15));
}

static inline __m256i quant_high_nibbles(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

/* The codebook of iq4_nl and iq4_xs, plus 128. */
static inline __m256i quant_look_up(__m256i index)
{
    const __m128i table =
        _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)dtype_iq4_values), _mm_set1_epi8((char)0x80));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), index);
}

/* Step s of a pair of blocks of 32: two vectors of one block. */
AVX2_TEMPLATE void quant_step_block(const choir_dtype type, __m256i v[2], const uint8_t *unit, const int half,
                                    const int s)
{
    const int b = s / 4, at = 64 * (s % 4) + 32 * half;
    if (type == DTYPE_Q8_0) {
        const uint8_t *bytes = unit + 64 + 512 * b + at;
        v[0] = avx2_load_i32(bytes);
        v[1] = avx2_load_i32(bytes + 256);
        return;
    }
    const bool five = type == DTYPE_Q5_0 || type == DTYPE_Q5_1;
    const uint8_t *block = unit + (quant_has_min(quant_form(type)) ? 128 : 64) + (five ? 320 : 256) * b;
    const __m256i nibbles = avx2_load_i32(block + at);
    v[0] = quant_low_nibbles(nibbles);
    v[1] = quant_high_nibbles(nibbles);
    if (five) {
        const uint8_t *masks = block + 256 + 8 * (s % 4) + 4 * half;
        const __m256i fifth = _mm256_set1_epi8(16);
        v[0] = _mm256_or_si256(v[0], quant_spread_bits(masks, fifth));
        v[1] = _mm256_or_si256(v[1], quant_spread_bits(masks + 32, fifth));
    }
    if (type == DTYPE_IQ4_NL) {
        v[0] = quant_look_up(v[0]);
        v[1] = quant_look_up(v[1]);
    }
}

/* Step s of pair 2h + parity of a super-block: group s of both blocks. */
AVX2_TEMPLATE void quant_step_super(const choir_dtype type, __m256i v[2], const uint8_t *unit, int h, const int parity,
                                    const int half, const int s)
{
    const int at = 64 * s + 32 * half, pair = 2 * h + parity;
    const __m256i two = _mm256_set1_epi8(3);
    if (type == DTYPE_Q2_K || type == DTYPE_Q3_K) {
        const __m256i line = avx2_load_i32(unit + 320 + 512 * h + at);
        v[0] = _mm256_and_si256(_mm256_srli_epi16(line, 4 * parity), two);
        v[1] = _mm256_and_si256(_mm256_srli_epi16(line, 4 * parity + 2), two);
    } else {
        const __m256i line = avx2_load_i32(unit + (type == DTYPE_IQ4_XS ? 192 : 320) + 512 * pair + at);
        v[0] = quant_low_nibbles(line);
        v[1] = quant_high_nibbles(line);
    }
    if (type == DTYPE_Q3_K || type == DTYPE_Q5_K) {
        const uint8_t *masks = unit + (type == DTYPE_Q3_K ? 1344 : 2368) + 128 * pair + 8 * s + 4 * half;
        const __m256i bit = _mm256_set1_epi8(type == DTYPE_Q3_K ? 4 : 16);
        v[0] = _mm256_or_si256(v[0], quant_spread_bits(masks, bit));
        v[1] = _mm256_or_si256(v[1], quant_spread_bits(masks + 64, bit));
    }
    if (type == DTYPE_Q6_K) {
        const __m256i upper = avx2_load_i32(unit + 2368 + 512 * h + at), upper_two = _mm256_set1_epi8(0x30);
        const __m256i first = parity ? upper : _mm256_slli_epi16(upper, 4);
        const __m256i second = parity ? _mm256_srli_epi16(upper, 2) : _mm256_slli_epi16(upper, 2);
        v[0] = _mm256_or_si256(v[0], _mm256_and_si256(first, upper_two));
        v[1] = _mm256_or_si256(v[1], _mm256_and_si256(second, upper_two));
    }
    if (type == DTYPE_IQ4_XS) {
        v[0] = quant_look_up(v[0]);
        v[1] = quant_look_up(v[1]);
    }
}

/* Step s of pair 2h + parity of a unit (of 64 columns: pair 0). */
AVX2_TEMPLATE void quant_step(const choir_dtype type, __m256i v[2], const uint8_t *unit, int h, const int parity,
                              const int half, const int s)
{
    if (quant_is_super(type)) {
        quant_step_super(type, v, unit, h, parity, half, s);
    } else {
        quant_step_block(type, v, unit, half, s);
    }
}

/* ---- scales ---- */

static inline __m256 quant_from_u8(const void *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

static inline __m256 quant_from_i8(const void *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

/* Scale (and minimum, where the form has one) of run `run` of block b of the pair. */
AVX2_TEMPLATE void quant_scale(const choir_dtype type, __m256 *dw, __m256 *mw, const uint8_t *unit, int pair,
                               const int half, const int b, const int run)
{
    const int rows = 16 * half, block = 2 * pair + b; /* a row of halves is 2 bytes, of bytes 1 */
    const uint8_t *bytes = unit + 64 + 8 * half;
    const __m256 d = avx2_load_f16(unit + (quant_is_super(type) ? 0 : 32 * b) + rows);
    switch (type) {
    case DTYPE_Q4_1:
    case DTYPE_Q5_1: /* the file's minimum is added */
        *dw = d;
        *mw = _mm256_xor_ps(avx2_load_f16(unit + 64 + 32 * b + rows), _mm256_set1_ps(-0.0f));
        break;
    case DTYPE_Q4_K:
    case DTYPE_Q5_K:
        *dw = _mm256_mul_ps(d, quant_from_u8(bytes + 16 * block));
        *mw = _mm256_mul_ps(avx2_load_f16(unit + 32 + rows), quant_from_u8(bytes + 128 + 16 * block));
        break;
    case DTYPE_Q2_K: {
        __m256i both =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(bytes + 32 * block + 16 * run)));
        *dw = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_and_si256(both, _mm256_set1_epi32(15))));
        *mw = _mm256_mul_ps(avx2_load_f16(unit + 32 + rows), _mm256_cvtepi32_ps(_mm256_srli_epi32(both, 4)));
        break;
    }
    case DTYPE_Q6_K:
    case DTYPE_Q3_K:
        *dw = _mm256_mul_ps(d, quant_from_i8(bytes + 32 * block + 16 * run));
        break;
    case DTYPE_IQ4_XS:
        *dw = _mm256_mul_ps(d, quant_from_i8(bytes + 16 * block));
        break;
    default:
        *dw = d;
        break;
    }
}

#endif
