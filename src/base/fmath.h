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

/* Double precision, for tables and the sampler.  Errors below 2 ulp in the stated ranges. */
double fmath_log(double x);           /* x > 0, finite */
double fmath_exp2(double x);          /* |x| <= 1000; below -1000 gives 0 */
double fmath_pow(double x, double y); /* x > 0 */
#define FMATH_SINCOS_MAX 0x1p27
/* Sine and cosine, 0 <= x <= 2^27 (reduced with a three-part pi/2). */
void fmath_sincos(double x, double *sine, double *cosine);

#endif
