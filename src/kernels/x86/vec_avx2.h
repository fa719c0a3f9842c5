/* The vectors of kernels/vec_math.h for AVX2: 8 lanes, 16 registers. */
#ifndef KERN_VEC_AVX2_H
#define KERN_VEC_AVX2_H

#include <math.h>

#include "base/half.h"
#include "kernels/x86/simd_avx2.h"

#define VEC_LANES 8
typedef __m256 vec;

static inline vec vec_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline vec vec_load_some(const float *p, int n)
{
    float x[VEC_LANES] = {0};
    memcpy(x, p, (size_t)n * sizeof *p);
    return _mm256_loadu_ps(x);
}

static inline vec vec_load_f16(const uint16_t *p)
{
    return avx2_load_f16(p);
}

static inline vec vec_load_f16_some(const uint16_t *p, int n)
{
    uint16_t x[VEC_LANES] = {0};
    memcpy(x, p, (size_t)n * sizeof *p);
    return avx2_load_f16(x);
}

static inline vec vec_load_i8(const int8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

static inline vec vec_load_i8_some(const int8_t *p, int n)
{
    int8_t x[VEC_LANES] = {0};
    memcpy(x, p, (size_t)n);
    return vec_load_i8(x);
}

static inline void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

static inline void vec_store_some(float *p, vec v, int n)
{
    float x[VEC_LANES];
    _mm256_storeu_ps(x, v);
    memcpy(p, x, (size_t)n * sizeof *p);
}

static inline void vec_store_f16(uint16_t *p, vec v)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vec vec_max(vec x, vec most)
{
    return _mm256_max_ps(x, most); /* the second where one is NaN */
}

static inline float vec_largest(vec v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

static inline vec vec_seen(vec score, int token, int begin, int end)
{
    const __m256i at = _mm256_add_epi32(_mm256_set1_epi32(token), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i before = _mm256_cmpgt_epi32(_mm256_set1_epi32(begin), at);
    const __m256i within = _mm256_cmpgt_epi32(_mm256_set1_epi32(end), at);
    const __m256i seen = _mm256_andnot_si256(before, within);
    return _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), score, _mm256_castsi256_ps(seen));
}

static inline vec vec_exp(vec x)
{
    return avx2_exp(x);
}

static inline float vec_reduce16(const vec *v)
{
    return avx2_reduce16((avx2_pair){v[0], v[1]});
}

static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}

static inline vec vec_most(vec x, vec limit)
{
    return _mm256_min_ps(limit, x); /* the second where one is NaN */
}

static inline vec vec_abs(vec x)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

static inline vec vec_signed(vec x, vec sign)
{
    const __m256 bit = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(bit, x), _mm256_and_ps(bit, sign));
}

static inline vec vec_if_less(vec x, vec limit, vec yes, vec no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(x, limit, _CMP_LT_OQ));
}

#endif
