/* Attention for AVX2: 8 lanes, 16 registers. */
#include <math.h>

#include "base/half.h"
#include "kernels/x86/simd_avx2.h"

#define VEC_LANES 8
typedef __m256 vec;

/* 8 to 12 sums: more would leave no registers for what they meet. */
#define ATTN_GROUPS(X) X(6, 1, 2) X(4, 1, 2) X(2, 2, 4) X(1, 4, 4)
enum { ATTN_MAX_ACC = 12, ATTN_WIDE_ROWS = 8 };

static inline int attn_group(int n)
{
    return n >= 6 && n != 8 ? 6 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

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

#include "kernels/attention_template.h"

void kern_attn_span_f32_avx2(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_F32, a);
}

void kern_attn_span_f16_avx2(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_F16, a);
}

void kern_attn_span_q8_0_avx2(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_Q8_0, a);
}

void kern_attn_merge_avx2(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
{
    merge_spans(m, l, acc, m2, l2, acc2, head_dim);
}

void kern_kv_put_k_f16_avx2(void *tile, int n_lanes, int lane, const float *k, int head_dim)
{
    put_f16((uint16_t *)tile + lane, (size_t)n_lanes, k, head_dim);
}

void kern_kv_put_v_f16_avx2(void *tile, int n_lanes, int lane, const float *v, int head_dim)
{
    (void)n_lanes;
    put_f16((uint16_t *)tile + (size_t)lane * (size_t)head_dim, 1, v, head_dim);
}
