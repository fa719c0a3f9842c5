/* Our own elementary functions: the same bits on every CPU, compiler and libc (libm's differ by all three).
 * Scalar forms; the vector kernels repeat the very same sequence of operations lane by lane. */
#ifndef BASE_FMATH_H
#define BASE_FMATH_H

#include <math.h>
#include <stdint.h>

#include "base/half.h"

/* The steps of exp, in this order, each one IEEE operation:
 *   x > EXP_MAX: x = EXP_MAX;  x < EXP_MIN: the result is exactly +0
 *   n = rint(x * LOG2E);  r = fma(n, -LN2_HI, x);  r = fma(n, -LN2_LO, r)
 *   p = ((((((C6 r + C5) r + C4) r + C3) r + C2) r + 1) r + 1   (Horner, fma)
 *   result = p * 2^n, 2^n built in the exponent bits (n is -126 to 127)
 * C2 to C6 are the minimax fit (Remez) of e^r on |r| <= ln(2)/2 in relative error, with the first two coefficients
 * held at 1 so that exp(0) = 1 exactly.  The fit is within 3.1e-9; with rounding the worst float is 7.6e-8 off. */
#define FMATH_EXP_MAX 88.0f
#define FMATH_EXP_MIN -87.0f
#define FMATH_LOG2E   0x1.715476p+0f
#define FMATH_LN2_HI  0x1.62e400p-1f
#define FMATH_LN2_LO  0x1.7f7d1cp-20f
#define FMATH_EXP_C6  0x1.6a244cp-10f
#define FMATH_EXP_C5  0x1.1239d4p-7f
#define FMATH_EXP_C4  0x1.5558f2p-5f
#define FMATH_EXP_C3  0x1.555492p-3f
#define FMATH_EXP_C2  0x1.fffffcp-2f

/* e^x, relative error below 1e-7; NaN gives NaN. */
static inline float fmath_exp(float x)
{
    if (x < FMATH_EXP_MIN) {
        return 0.0f;
    }
    x = x > FMATH_EXP_MAX ? FMATH_EXP_MAX : x;
    float n = rintf(x * FMATH_LOG2E);
    float r = fmaf(n, -FMATH_LN2_HI, x);
    r = fmaf(n, -FMATH_LN2_LO, r);
    float p = fmaf(FMATH_EXP_C6, r, FMATH_EXP_C5);
    p = fmaf(p, r, FMATH_EXP_C4);
    p = fmaf(p, r, FMATH_EXP_C3);
    p = fmaf(p, r, FMATH_EXP_C2);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    int32_t e = n == n ? (int32_t)n : 0;
    return p * base_f32_from_bits((uint32_t)(e + 127) << 23);
}

/* x * sigmoid(x), as x / (1 + exp(-x)) with a true division. */
static inline float fmath_silu(float x)
{
    return x / (1.0f + fmath_exp(-x));
}

/* The steps of tanh: below TANH_SMALL x + x^3 P(x^2), above 1 - 2 / (e^2|x| + 1) with the sign of x.  Minimax fits in
 * relative error, 3e-9. */
#define FMATH_TANH_SMALL 0.6f
#define FMATH_TANH_P4    -0x1.825850p-8f
#define FMATH_TANH_P3    0x1.54b8a0p-6f
#define FMATH_TANH_P2    -0x1.b898dep-5f
#define FMATH_TANH_P1    0x1.1109aep-3f
#define FMATH_TANH_P0    -0x1.55553ep-2f

/* Error below 1.5 units in the last place. */
static inline float fmath_tanh(float x)
{
    float z = x * x;
    float p = fmaf(FMATH_TANH_P4, z, FMATH_TANH_P3);
    p = fmaf(p, z, FMATH_TANH_P2);
    p = fmaf(p, z, FMATH_TANH_P1);
    p = fmaf(p, z, FMATH_TANH_P0);
    float small = fmaf(p * z, x, x);
    float a = fabsf(x);
    float large = 1.0f - 2.0f / (fmath_exp(a + a) + 1.0f);
    return a < FMATH_TANH_SMALL ? small : copysignf(large, x);
}

/* The steps of erf: below ERF_SMALL x + x P(x^2), above 1 - exp(Q(|x|)) with the sign of x, Q the logarithm of
 * 1 - erf.  Minimax fits of erf in relative error, 3e-10 and 2e-9; from 4 on erf is 1. */
#define FMATH_ERF_SMALL 0.9f
#define FMATH_ERF_MAX   4.0f
#define FMATH_ERF_P6    0x1.6510c4p-14f
#define FMATH_ERF_P5    -0x1.aca394p-11f
#define FMATH_ERF_P4    0x1.550a46p-8f
#define FMATH_ERF_P3    -0x1.b81524p-6f
#define FMATH_ERF_P2    0x1.ce2e54p-4f
#define FMATH_ERF_P1    -0x1.812744p-2f
#define FMATH_ERF_P0    0x1.06eba8p-3f
#define FMATH_ERF_Q6    0x1.9fb270p-13f
#define FMATH_ERF_Q5    -0x1.91ccd4p-9f
#define FMATH_ERF_Q4    0x1.6d9ccep-6f
#define FMATH_ERF_Q3    -0x1.aa731ep-4f
#define FMATH_ERF_Q2    -0x1.4621bap-1f
#define FMATH_ERF_Q1    -0x1.20b752p+0f
#define FMATH_ERF_Q0    -0x1.5d1020p-13f

/* Error below 1.5 units in the last place. */
static inline float fmath_erf(float x)
{
    float z = x * x;
    float p = fmaf(FMATH_ERF_P6, z, FMATH_ERF_P5);
    p = fmaf(p, z, FMATH_ERF_P4);
    p = fmaf(p, z, FMATH_ERF_P3);
    p = fmaf(p, z, FMATH_ERF_P2);
    p = fmaf(p, z, FMATH_ERF_P1);
    p = fmaf(p, z, FMATH_ERF_P0);
    float small = fmaf(p, x, x);
    float a = fabsf(x);
    float t = a > FMATH_ERF_MAX ? FMATH_ERF_MAX : a; /* NaN stays */
    float q = fmaf(FMATH_ERF_Q6, t, FMATH_ERF_Q5);
    q = fmaf(q, t, FMATH_ERF_Q4);
    q = fmaf(q, t, FMATH_ERF_Q3);
    q = fmaf(q, t, FMATH_ERF_Q2);
    q = fmaf(q, t, FMATH_ERF_Q1);
    q = fmaf(q, t, FMATH_ERF_Q0);
    float large = 1.0f - fmath_exp(q);
    return a < FMATH_ERF_SMALL ? small : copysignf(large, x);
}

#define FMATH_SQRT_HALF 0x1.6a09e6p-1f

/* x Phi(x), Phi the normal distribution: (x / 2) (1 + erf(x / sqrt(2))).  GELU, arXiv:1606.08415. */
static inline float fmath_gelu(float x)
{
    return (0.5f * x) * (1.0f + fmath_erf(x * FMATH_SQRT_HALF));
}

/* GELU as it was approximated: (x / 2) (1 + tanh(u)), u = sqrt(2 / pi) (x + 0.044715 x^3), which is x sigmoid(2u). */
#define FMATH_GELU_C1 0x1.988454p+0f /* 2 sqrt(2 / pi) */
#define FMATH_GELU_C3 0x1.2444f2p-4f /* 0.044715 of that */
static inline float fmath_gelu_tanh(float x)
{
    float two_u = x * fmaf(FMATH_GELU_C3, x * x, FMATH_GELU_C1);
    return x / (1.0f + fmath_exp(-two_u));
}

/* cap tanh(x / cap), a smooth way of staying within +-cap; an infinity, which would be hidden by that, becomes NaN. */
static inline float fmath_softcap(float x, float cap)
{
    return fmaf(cap, fmath_tanh(x / cap), x - x);
}

/* Double precision, for tables and the sampler.  Errors below 2 ulp in the stated ranges. */
double fmath_log(double x);           /* x > 0, finite */
double fmath_exp2(double x);          /* |x| <= 1000; below -1000 gives 0 */
double fmath_pow(double x, double y); /* x > 0 */
#define FMATH_SINCOS_MAX 0x1p27
/* Sine and cosine, 0 <= x <= 2^27 (reduced with a three-part pi/2). */
void fmath_sincos(double x, double *sine, double *cosine);

#endif
