/* The functions of base/fmath.h, a vector at a time, for all instruction sets: the same operations in the same order.
 *
 * Who includes this has defined VEC_LANES (numbers of a vector: 4, 8 or 16) and, on the type vec of so many floats, as
 * static inline functions (x86/vec_avx2.h, x86/vec_avx512.h, arm/vec_neon.h):
 *   vec_set(x), vec_load(p), vec_store(p, v)
 *   vec_load_f16(p), vec_load_i8(p)                     widened
 *   vec_load_some(p, n), vec_load_f16_some(p, n), vec_load_i8_some(p, n), vec_store_some(p, v, n)
 *                                                       the first n, fewer than VEC_LANES; zeros behind
 *   vec_add(a, b), vec_sub(a, b), vec_mul(a, b), vec_div(a, b)
 *   vec_fma(a, b, c)                                    a * b + c, fused
 *   vec_max(x, most)                                    `most` where x is NaN
 *   vec_most(x, limit)                                  the lesser of the two; NaN where x is
 *   vec_abs(x), vec_signed(x, sign)                     fabsf, copysignf
 *   vec_if_less(x, limit, yes, no)                      x < limit ? yes : no
 *   vec_largest(v)                                      of the lanes; there is no NaN
 *   vec_exp(x)                                          fmath_exp
 *   vec_seen(score, token, begin, end)                  lane i is token + i: -INFINITY unless begin <= it < end
 *   vec_reduce16(v)                                     kern_reduce16 of 16 / VEC_LANES vectors
 *   vec_store_f16(p, v)                                 rounded to nearest even */
#ifndef KERN_VEC_MATH_H
#define KERN_VEC_MATH_H

#include "base/fmath.h"
#include "kernels/kernels.h"

static inline vec vec_tanh(vec x)
{
    const vec z = vec_mul(x, x), a = vec_abs(x), one = vec_set(1.0f);
    vec p = vec_fma(vec_set(FMATH_TANH_P4), z, vec_set(FMATH_TANH_P3));
    p = vec_fma(p, z, vec_set(FMATH_TANH_P2));
    p = vec_fma(p, z, vec_set(FMATH_TANH_P1));
    p = vec_fma(p, z, vec_set(FMATH_TANH_P0));
    const vec small = vec_fma(vec_mul(p, z), x, x);
    const vec large = vec_sub(one, vec_div(vec_set(2.0f), vec_add(vec_exp(vec_add(a, a)), one)));
    return vec_if_less(a, vec_set(FMATH_TANH_SMALL), small, vec_signed(large, x));
}

static inline vec vec_erf(vec x)
{
    const vec z = vec_mul(x, x), a = vec_abs(x), t = vec_most(a, vec_set(FMATH_ERF_MAX));
    vec p = vec_fma(vec_set(FMATH_ERF_P6), z, vec_set(FMATH_ERF_P5));
    p = vec_fma(p, z, vec_set(FMATH_ERF_P4));
    p = vec_fma(p, z, vec_set(FMATH_ERF_P3));
    p = vec_fma(p, z, vec_set(FMATH_ERF_P2));
    p = vec_fma(p, z, vec_set(FMATH_ERF_P1));
    p = vec_fma(p, z, vec_set(FMATH_ERF_P0));
    vec q = vec_fma(vec_set(FMATH_ERF_Q6), t, vec_set(FMATH_ERF_Q5));
    q = vec_fma(q, t, vec_set(FMATH_ERF_Q4));
    q = vec_fma(q, t, vec_set(FMATH_ERF_Q3));
    q = vec_fma(q, t, vec_set(FMATH_ERF_Q2));
    q = vec_fma(q, t, vec_set(FMATH_ERF_Q1));
    q = vec_fma(q, t, vec_set(FMATH_ERF_Q0));
    const vec large = vec_sub(vec_set(1.0f), vec_exp(q));
    return vec_if_less(a, vec_set(FMATH_ERF_SMALL), vec_fma(p, x, x), vec_signed(large, x));
}

/* x / (1 + e^-y) */
static inline vec vec_times_sigmoid(vec x, vec y)
{
    return vec_div(x, vec_add(vec_set(1.0f), vec_exp(vec_sub(vec_set(0.0f), y))));
}

static inline vec vec_silu(vec x)
{
    return vec_times_sigmoid(x, x);
}

static inline vec vec_gelu(vec x)
{
    const vec erf_x = vec_erf(vec_mul(x, vec_set(FMATH_SQRT_HALF)));
    return vec_mul(vec_mul(vec_set(0.5f), x), vec_add(vec_set(1.0f), erf_x));
}

static inline vec vec_gelu_tanh(vec x)
{
    const vec factor = vec_fma(vec_set(FMATH_GELU_C3), vec_mul(x, x), vec_set(FMATH_GELU_C1));
    return vec_times_sigmoid(x, vec_mul(x, factor));
}

static inline vec vec_softcap(vec x, vec cap)
{
    return vec_fma(cap, vec_tanh(vec_div(x, cap)), vec_sub(x, x));
}

#endif
