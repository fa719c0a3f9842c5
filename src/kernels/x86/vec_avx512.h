/* The vectors of kernels/vec_math.h for AVX-512: 16 lanes, 32 registers. */
#ifndef KERN_VEC_AVX512_H
#define KERN_VEC_AVX512_H

#include <math.h>

#include "base/half.h"
#include "kernels/x86/simd_avx512.h"

#define VEC_LANES 16
typedef __m512 vec;

static inline vec vec_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline vec vec_load_some(const float *p, int n)
{
    return _mm512_maskz_loadu_ps(avx512_first(n), p);
}

static inline vec vec_load_f16(const uint16_t *p)
{
    return avx512_load_f16(p);
}

static inline vec vec_load_f16_some(const uint16_t *p, int n)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(avx512_first(n), p));
}

static inline vec vec_load_i8(const int8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

static inline vec vec_load_i8_some(const int8_t *p, int n)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(avx512_first(n), p)));
}

static inline void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

static inline void vec_store_some(float *p, vec v, int n)
{
    _mm512_mask_storeu_ps(p, avx512_first(n), v);
}

static inline void vec_store_f16(uint16_t *p, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vec vec_max(vec x, vec most)
{
    return _mm512_max_ps(x, most); /* the second where one is NaN */
}

static inline float vec_largest(vec v)
{
    return _mm512_reduce_max_ps(v);
}

static inline vec vec_seen(vec score, int token, int begin, int end)
{
    const __m512i count = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_add_epi32(_mm512_set1_epi32(token), count);
    const __mmask16 seen =
        _mm512_mask_cmplt_epi32_mask(_mm512_cmpge_epi32_mask(at, _mm512_set1_epi32(begin)), at, _mm512_set1_epi32(end));
    return _mm512_mask_mov_ps(_mm512_set1_ps(-INFINITY), seen, score);
}

static inline vec vec_exp(vec x)
{
    return avx512_exp(x);
}

static inline float vec_reduce16(const vec *v)
{
    return avx512_reduce16(v[0]);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

static inline vec vec_most(vec x, vec limit)
{
    return _mm512_min_ps(limit, x); /* the second where one is NaN */
}

static inline vec vec_abs(vec x)
{
    return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), x);
}

static inline vec vec_signed(vec x, vec sign)
{
    const __m512 bit = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(bit, x), _mm512_and_ps(bit, sign));
}

static inline vec vec_if_less(vec x, vec limit, vec yes, vec no)
{
    return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), yes);
}

#endif
