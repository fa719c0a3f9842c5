/* Small helpers that the AVX2 kernels share.
 *
 * AVX2 has 16 registers of 8 floats.  A panel's 16 rows are a pair of them: `lo` is rows 0 to 7, `hi` rows 8 to 15. */
#ifndef KERN_SIMD_AVX2_H
#define KERN_SIMD_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "base/fmath.h"
#include "kernels/x86/kernels_avx2.h"

/* Templates: a function of compile-time constants, instantiated by calling it with literals.  Arrays inside have
 * fixed sizes, so that they become registers. */
#define AVX2_TEMPLATE static inline __attribute__((always_inline))

/* A function of its own: what the compiler would hoist out of the caller's loop takes registers that it needs. */
#define AVX2_NOINLINE static __attribute__((noinline))

enum {
    /* Widest tiles of tokens that act_tile gives out. */
    AVX2_TILE_F32 = 16,
    AVX2_TILE_Q8 = 60, /* whole groups of 4, 5 and 6 */
};

typedef struct avx2_pair {
    __m256 lo, hi;
} avx2_pair;

static inline avx2_pair avx2_pair_load(const float *p)
{
    return (avx2_pair){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static inline void avx2_pair_store(float *p, avx2_pair v)
{
    _mm256_storeu_ps(p, v.lo);
    _mm256_storeu_ps(p + 8, v.hi);
}

/* 8 f16 at any alignment, widened. */
static inline __m256 avx2_load_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

static inline __m256i avx2_load_i32(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* 4 int8 of one token, at any alignment, in all 8 rows. */
static inline __m256i avx2_broadcast_4x8(const int8_t *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return _mm256_set1_epi32(v);
}

/* Fetches the `bytes` that lie `distance` behind p.  That may well be past the end of the matrix: a prefetch never
 * faults, and as a number the address may be formed. */
AVX2_TEMPLATE void avx2_prefetch(const void *p, const int distance, const int bytes)
{
    const uintptr_t ahead = (uintptr_t)p + (uintptr_t)distance;
#pragma GCC unroll 17
    for (int line = 0; line < bytes; line += 64) {
        _mm_prefetch((const char *)(ahead + (uintptr_t)line), _MM_HINT_T0);
    }
}

/* fmath_exp, lane by lane: the same operations in the same order. */
static inline __m256 avx2_exp(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1.0f);
    __m256 zero = _mm256_cmp_ps(x, _mm256_set1_ps(FMATH_EXP_MIN), _CMP_LT_OQ);
    x = _mm256_min_ps(_mm256_set1_ps(FMATH_EXP_MAX), x); /* this order of operands lets NaN through */
    __m256 n =
        _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(FMATH_LOG2E)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(FMATH_LN2_HI), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(FMATH_LN2_LO), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(FMATH_EXP_C6), r, _mm256_set1_ps(FMATH_EXP_C5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FMATH_EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FMATH_EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FMATH_EXP_C2));
    p = _mm256_fmadd_ps(p, r, one);
    p = _mm256_fmadd_ps(p, r, one);
    __m256i bias = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(bias, 23)));
    return _mm256_andnot_ps(zero, p);
}

/* kern_reduce16 of 16 lanes held in two registers. */
static inline float avx2_reduce16(avx2_pair lane)
{
    __m256 a = _mm256_add_ps(lane.lo, lane.hi);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b)); /* b0 + b2, b1 + b3 */
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

/* One panel's results of n_tokens tokens, sum [n_tokens][16], go to their place: y[t][row], rows of them valid. */
static inline void avx2_store_rows(float *y, size_t ldy, const float (*sum)[16], int n_tokens, int rows, bool add)
{
    for (int t = 0; t < n_tokens; t++) {
        float *to = y + (size_t)t * ldy;
        if (rows >= 16) {
            avx2_pair v = avx2_pair_load(sum[t]);
            if (add) {
                avx2_pair old = avx2_pair_load(to);
                v.lo = _mm256_add_ps(old.lo, v.lo);
                v.hi = _mm256_add_ps(old.hi, v.hi);
            }
            avx2_pair_store(to, v);
            continue;
        }
        for (int r = 0; r < rows; r++) {
            to[r] = add ? to[r] + sum[t][r] : sum[t][r];
        }
    }
}

#endif
