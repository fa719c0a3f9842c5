/* Attention for AVX-512: 16 lanes, 32 registers. */
#include "kernels/x86/simd_avx512.h"

#define VEC_LANES 16
typedef __m512 vec;

/* 8 rows against 2 tiles and against 32 dimensions: 16 sums, and 10 loads feed 16 multiply-adds. */
#define ATTN_GROUPS(X) X(8, 2, 2) X(4, 4, 4) X(2, 4, 4) X(1, 4, 8)
enum { ATTN_MAX_ACC = 16, ATTN_WIDE_ROWS = 9 };

static inline int attn_group(int n)
{
    return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

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

#include "kernels/attention_template.h"

void kern_attn_span_f32_avx512(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_F32, a);
}

void kern_attn_span_f16_avx512(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_F16, a);
}

void kern_attn_span_q8_0_avx512(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_Q8_0, a);
}

void kern_attn_merge_avx512(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
{
    merge_spans(m, l, acc, m2, l2, acc2, head_dim);
}

void kern_kv_put_k_f16_avx512(void *tile, int n_lanes, int lane, const float *k, int head_dim)
{
    put_f16((uint16_t *)tile + lane, (size_t)n_lanes, k, head_dim);
}

void kern_kv_put_v_f16_avx512(void *tile, int n_lanes, int lane, const float *v, int head_dim)
{
    (void)n_lanes;
    put_f16((uint16_t *)tile + (size_t)lane * (size_t)head_dim, 1, v, head_dim);
}
