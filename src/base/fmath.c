/* Elementary functions in double, built on +, -, *, / and fma alone: the same bits on every machine.
 *
 * log, exp2 and pow share two steps that carry a number as an unevaluated sum hi + lo of two doubles (Dekker 1971):
 * log_pair and exp_pair.  The pair is what makes pow accurate: an error of log is multiplied by y log(x), up to 745. */
#include "base/fmath.h"

#include <string.h>

/* A number as hi + lo, |lo| at most half a unit in the last place of hi. */
struct pair {
    double hi;
    double lo;
};

/* ln 2 = HI + LO; HI has 21 bits behind it that are zero, so that an exponent times HI is exact. */
#define LN2_HI 0x1.62e42feep-1
#define LN2_LO 0x1.a39ef35793c76p-33
#define LOG2E  0x1.71547652b82fep+0

static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double from_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* a + b exactly, for |a| >= |b|. */
static struct pair sum_fast(double a, double b)
{
    double s = a + b;
    return (struct pair){s, b - (s - a)};
}

/* a + b exactly (Knuth). */
static struct pair sum(double a, double b)
{
    double s = a + b;
    double t = s - a;
    return (struct pair){s, (a - (s - t)) + (b - t)};
}

/* a * b exactly. */
static struct pair product(double a, double b)
{
    double p = a * b;
    return (struct pair){p, fma(a, b, -p)};
}

static struct pair product_pair(struct pair a, struct pair b)
{
    struct pair p = product(a.hi, b.hi);
    return sum_fast(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)]; x > 0 and finite. */
static double split_exponent(double x, int *exponent)
{
    int e = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        e = -54;
    }
    uint64_t u = bits_of(x);
    e += (int)(u >> 52) - 1023;
    double m = from_bits((u & 0xfffffffffffffu) | (uint64_t)1023 << 52);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        e++;
    }
    *exponent = e;
    return m;
}

/* Natural logarithm to about 2^-64 of itself, by log(m) = 2 atanh(s) = 2s + s^3 (2/3 + 2/5 s^2 + 2/7 s^4 + ...),
 * s = (m - 1) / (m + 1), |s| <= 0.172. */
static struct pair log_pair(double x)
{
    int e;
    double m = split_exponent(x, &e);
    double f = m - 1.0; /* exact: m is between 1/2 and 2 */
    struct pair g = sum(m, 1.0);
    struct pair s;
    s.hi = f / g.hi;
    s.lo = (fma(-s.hi, g.hi, f) - s.hi * g.lo) / g.hi;
    s = sum_fast(s.hi, s.lo);

    struct pair z = product_pair(s, s);
    double w = z.hi;
    double q = 2.0 / 21.0;
    for (int k = 19; k >= 5; k -= 2) {
        q = fma(q, w, 2.0 / (double)k);
    }
    struct pair c = sum_fast(0x1.5555555555555p-1, fma(q, w, 0x1.5555555555555p-55)); /* 2/3 and the rest */
    struct pair tail = product_pair(product_pair(s, z), c);

    /* e ln2 + 2s + tail, greatest first; without an exponent 2s is the greatest. */
    struct pair r = sum((double)e * LN2_HI, 2.0 * s.hi);
    struct pair t = sum(r.hi, tail.hi);
    return sum_fast(t.hi, t.lo + (r.lo + (tail.lo + fma((double)e, LN2_LO, 2.0 * s.lo))));
}

/* 2^e x for x from 1/2 to 2 and e from -1100 to 1024.  In two halves, so that either is a normal number; only the second
 * product can round. */
static double scale_exponent(double x, int e)
{
    int half = e / 2;
    x *= from_bits((uint64_t)(half + 1023) << 52);
    return x * from_bits((uint64_t)(e - half + 1023) << 52);
}

/* e^(r.hi + r.lo) 2^n, |r.hi| a little over ln(2)/2 at most: the Taylor series to the 13th power (the next is below
 * 2^-57 of the result). */
static double exp_pair(struct pair r, int n)
{
    double x = r.hi;
    double p = 1.0 / 6227020800.0;
    p = fma(p, x, 1.0 / 479001600.0);
    p = fma(p, x, 1.0 / 39916800.0);
    p = fma(p, x, 1.0 / 3628800.0);
    p = fma(p, x, 1.0 / 362880.0);
    p = fma(p, x, 1.0 / 40320.0);
    p = fma(p, x, 1.0 / 5040.0);
    p = fma(p, x, 1.0 / 720.0);
    p = fma(p, x, 1.0 / 120.0);
    p = fma(p, x, 1.0 / 24.0);
    p = fma(p, x, 1.0 / 6.0);
    p = fma(p, x, 0.5);
    double tail = fma(p * x, x, fma(r.lo, x, r.lo)); /* e^lo = 1 + lo, times 1 + x */
    struct pair one = sum_fast(1.0, x);
    return scale_exponent(one.hi + (one.lo + tail), n);
}

double fmath_log(double x)
{
    return log_pair(x).hi;
}

double fmath_exp2(double x)
{
    if (x < -1000.0) {
        return 0.0;
    }
    double n = rint(x);
    struct pair ln2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
    double f = x - n; /* exact */
    struct pair r = product(f, ln2.hi);
    r.lo = fma(f, ln2.lo, r.lo);
    return exp_pair(r, n == n ? (int)n : 0);
}

double fmath_pow(double x, double y)
{
    struct pair l = log_pair(x);
    struct pair t = product(y, l.hi);
    if (!(t.hi < 710.0)) {
        return t.hi == t.hi ? (double)INFINITY : t.hi;
    }
    if (t.hi < -746.0) {
        return 0.0;
    }
    t.lo = fma(y, l.lo, t.lo);
    double n = rint(t.hi * LOG2E);
    struct pair r = sum(fma(-n, LN2_HI, t.hi), fma(-n, LN2_LO, t.lo));
    return exp_pair(r, (int)n);
}

/* sin and cos on |r| <= pi/4 and a little: Taylor series to the 17th and 18th power. */
static double sin_reduced(struct pair r)
{
    double x = r.hi;
    double z = x * x;
    double p = 1.0 / 355687428096000.0;
    p = fma(p, z, -1.0 / 1307674368000.0);
    p = fma(p, z, 1.0 / 6227020800.0);
    p = fma(p, z, -1.0 / 39916800.0);
    p = fma(p, z, 1.0 / 362880.0);
    p = fma(p, z, -1.0 / 5040.0);
    p = fma(p, z, 1.0 / 120.0);
    p = fma(p, z, -1.0 / 6.0);
    return x + fma(p * z, x, r.lo * (1.0 - 0.5 * z));
}

static double cos_reduced(struct pair r)
{
    double x = r.hi;
    double z = x * x;
    double p = -1.0 / 6402373705728000.0;
    p = fma(p, z, 1.0 / 20922789888000.0);
    p = fma(p, z, -1.0 / 87178291200.0);
    p = fma(p, z, 1.0 / 479001600.0);
    p = fma(p, z, -1.0 / 3628800.0);
    p = fma(p, z, 1.0 / 40320.0);
    p = fma(p, z, -1.0 / 720.0);
    p = fma(p, z, 1.0 / 24.0);
    double half = 0.5 * z;
    double w = 1.0 - half;
    double lost = (1.0 - w) - half; /* what w lost in rounding */
    double square_low = 0.5 * fma(x, x, -z);
    return w + (lost - square_low + fma(p * z, z, -x * r.lo));
}

void fmath_sincos(double x, double *sine, double *cosine)
{
    /* x - n pi/2 with pi/2 in three parts of 53 bits.  The first product is exact in the fma: its result is below 1
     * and a multiple of 2^-53. */
    double n = rint(x * 0x1.45f306dc9c883p-1);
    double a = fma(-n, 0x1.921fb54442d18p+0, x);
    struct pair b = product(n, 0x1.1a62633145c07p-54);
    struct pair c = sum(a, -b.hi);
    struct pair r = sum_fast(c.hi, fma(-n, -0x1.f1976b7ed8fbcp-110, c.lo - b.lo));
    double s = sin_reduced(r);
    double k = cos_reduced(r);
    switch ((int64_t)n & 3) {
    case 0:
        *sine = s;
        *cosine = k;
        break;
    case 1:
        *sine = k;
        *cosine = -s;
        break;
    case 2:
        *sine = -s;
        *cosine = -k;
        break;
    default:
        *sine = -k;
        *cosine = s;
        break;
    }
}
