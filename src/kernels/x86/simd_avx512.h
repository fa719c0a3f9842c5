/* Small helpers that the AVX-512 kernels share.
 *
 * 32 registers of 16 floats: a register is a column of a panel, its lanes the 16 rows.  On Intel's cores two 512-bit
 * instructions start a cycle, on ports 0 and 5, whatever they compute; loads have ports of their own, and so have the
 * broadcasts from memory that an instruction carries as its operand. */
#ifndef KERN_SIMD_AVX512_H
#define KERN_SIMD_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "base/fmath.h"
#include "kernels/x86/kernels_avx512.h"

/* Templates: a function of compile-time constants, instantiated by calling it with literals.  Arrays inside have
 * fixed sizes, so that they become registers. */
#define AVX512_TEMPLATE static inline __attribute__((always_inline))

/* A function of its own: what the compiler would hoist out of the caller's loop takes registers that it needs. */
#define AVX512_NOINLINE static __attribute__((noinline))

/* Widest tile of f32 activations: of few tokens, and of many. */
enum { AVX512_TILE_F32_FEW = 16, AVX512_TILE_F32 = 12 };

static inline __m512i avx512_load_i32(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* 16 f16 at any alignment, widened. */
static inline __m512 avx512_load_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

/* 4 int8 of one token, at any alignment, in all 16 rows. */
static inline __m512i avx512_broadcast_4x8(const int8_t *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return _mm512_set1_epi32(v);
}

/* The first n lanes, 0 to 16. */
static inline __mmask16 avx512_first(int n)
{
    return (__mmask16)((1u << n) - 1u);
}

/* Fetches the `bytes` that lie `distance` behind p.  That may well be past the end of the matrix: a prefetch never
 * faults, and as a number the address may be formed. */
AVX512_TEMPLATE void avx512_prefetch(const void *p, const int distance, const int bytes)
{
    const uintptr_t ahead = (uintptr_t)p + (uintptr_t)distance;
#pragma GCC unroll 17
    for (int line = 0; line < bytes; line += 64) {
        _mm_prefetch((const char *)(ahead + (uintptr_t)line), _MM_HINT_T0);
    }
}

/* Fetches the line at p, to be written.  (The intrinsic needs a flag of its own; every CPU of this level has it.) */
static inline void avx512_fetch_to_write(const float *p)
{
    __asm__ volatile("prefetchw %0" : : "m"(*p));
}

/* fmath_exp, lane by lane: the same operations in the same order.  p * 2^n is exact either way, and one instruction
 * here. */
static inline __m512 avx512_exp(__m512 x)
{
    const __m512 one = _mm512_set1_ps(1.0f);
    const __mmask16 seen = _mm512_cmp_ps_mask(x, _mm512_set1_ps(FMATH_EXP_MIN), _CMP_NLT_UQ);
    x = _mm512_min_ps(_mm512_set1_ps(FMATH_EXP_MAX), x); /* this order of operands lets NaN through */
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(FMATH_LOG2E)),
                                    _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(FMATH_LN2_HI), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(FMATH_LN2_LO), r);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(FMATH_EXP_C6), r, _mm512_set1_ps(FMATH_EXP_C5));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FMATH_EXP_C4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FMATH_EXP_C3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FMATH_EXP_C2));
    p = _mm512_fmadd_ps(p, r, one);
    p = _mm512_fmadd_ps(p, r, one);
    return _mm512_maskz_scalef_ps(seen, p, n);
}

/* kern_reduce16 of 16 lanes. */
static inline float avx512_reduce16(__m512 lane)
{
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(lane), _mm512_extractf32x8_ps(lane, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b)); /* b0 + b2, b1 + b3 */
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

/* One panel's results for one token go to their place: y[0 .. rows), or are added to what is there. */
static inline void avx512_store_rows(float *y, __m512 sum, int rows, bool add)
{
    if (rows >= 16) {
        _mm512_storeu_ps(y, add ? _mm512_add_ps(_mm512_loadu_ps(y), sum) : sum);
        return;
    }
    const __mmask16 valid = avx512_first(rows);
    _mm512_mask_storeu_ps(y, valid, add ? _mm512_add_ps(_mm512_maskz_loadu_ps(valid, y), sum) : sum);
}

#endif
