/* Elementary functions against libm in higher precision; half-precision conversions against the hardware's; the
 * reduction's tree. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/fmath.h"
#include "base/half.h"
#include "kernels/reduce.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint64_t random_bits(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Uniform in [low, high). */
static double random_in(uint64_t *s, double low, double high)
{
    return low + (high - low) * ((double)(random_bits(s) >> 11) * 0x1p-53);
}

/* Distance from the true value in units of the last place of a double. */
static double ulps(double got, long double want)
{
    if (want == 0.0L) {
        return got == 0.0 ? 0.0 : INFINITY;
    }
    int e;
    (void)frexpl(want, &e);
    e = e < -1021 ? -1021 : e;
    return (double)fabsl(((long double)got - want) / ldexpl(1.0L, e - 53));
}

static void test_exp_error(void **state)
{
    (void)state;
    double worst = 0.0;
    for (uint32_t u = 0x20000000u; u < 0x42b00000u; u += 251) { /* 4e-20 to 88 */
        for (int sign = -1; sign <= 1; sign += 2) {
            float x = (float)sign * base_f32_from_bits(u);
            if (x >= FMATH_EXP_MIN) {
                double error = fabs((double)fmath_exp(x) / exp((double)x) - 1.0);
                worst = error > worst ? error : worst;
            }
        }
    }
    assert_true(worst < 1e-7);
}

/* In units of the last place of the float nearest to the truth. */
static double float_ulps(float got, double want)
{
    int e;
    (void)frexp(want, &e);
    e = e < -125 ? -125 : e;
    return fabs((double)got - want) / ldexp(1.0, e - 24);
}

static void test_tanh_erf_error(void **state)
{
    (void)state;
    double of_tanh = 0.0, of_erf = 0.0;
    for (uint32_t u = 0x00800000u; u < 0x41200000u; u += 97) { /* 1e-38 to 10 */
        float x = base_f32_from_bits(u);
        of_tanh = fmax(of_tanh, float_ulps(fmath_tanh(x), tanh((double)x)));
        of_erf = fmax(of_erf, float_ulps(fmath_erf(x), erf((double)x)));
        assert_true(fmath_tanh(-x) == -fmath_tanh(x) && fmath_erf(-x) == -fmath_erf(x));
    }
    if (of_tanh > 1.5 || of_erf > 1.5) {
        fail_msg("tanh is %g ulp off, erf %g", of_tanh, of_erf);
    }
    assert_true(fmath_tanh(INFINITY) == 1.0f && fmath_tanh(-INFINITY) == -1.0f && isnan(fmath_tanh(NAN)));
    assert_true(fmath_erf(INFINITY) == 1.0f && fmath_erf(-INFINITY) == -1.0f && isnan(fmath_erf(NAN)));
    assert_true(fmath_tanh(-0.0f) == 0.0f && fmath_erf(0.0f) == 0.0f);
    assert_true(fabsf(fmath_gelu(1.0f) - 0.841344746f) < 1e-7f);
    assert_true(fabsf(fmath_gelu_tanh(1.0f) - 0.841191990f) < 1e-7f);
    assert_true(fmath_softcap(1.0f, 30.0f) < 1.0f && isnan(fmath_softcap(INFINITY, 30.0f)));
}

static void test_exp_edges(void **state)
{
    (void)state;
    assert_true(fmath_exp(0.0f) == 1.0f);
    assert_true(fmath_exp(-0.0f) == 1.0f);
    assert_int_equal(base_f32_bits(fmath_exp(-87.00001f)), 0);
    assert_int_equal(base_f32_bits(fmath_exp(-INFINITY)), 0);
    assert_true(fmath_exp(-87.0f) > 0x1p-126f);
    assert_true(fmath_exp(INFINITY) == fmath_exp(88.0f));
    assert_true(isnan(fmath_exp(NAN)) && isnan(fmath_exp(-NAN)));
    assert_true(isfinite(fmath_exp(88.0f)));
    float of_nan = fmath_exp(NAN);
    assert_true(of_nan == 0.0f || of_nan != of_nan);
    assert_true(fmath_silu(0.0f) == 0.0f);
    assert_true(fmath_silu(100.0f) == 100.0f);
    assert_true(fabsf(fmath_silu(1.0f) - 0.731058579f) < 1e-7f);
    assert_true(fabsf(fmath_silu(-100.0f)) < 1e-35f);
}

static void test_log_error(void **state)
{
    (void)state;
    uint64_t seed = 1;
    double worst = 0.0;
    for (int i = 0; i < 200000; i++) {
        double near_one = 1.0 + ldexp(random_in(&seed, -0.5, 0.5), -(i % 50));
        double any = ldexp(random_in(&seed, 1.0, 2.0), (int)(random_bits(&seed) % 2000) - 1000);
        double x = i % 2 == 0 ? near_one : any;
        double error = ulps(fmath_log(x), logl((long double)x));
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 1.0);
    assert_true(fmath_log(1.0) == 0.0);
    assert_true(ulps(fmath_log(0x1p-1074), logl(0x1p-1074L)) < 1.0);
}

static void test_exp2_error(void **state)
{
    (void)state;
    uint64_t seed = 2;
    double worst = 0.0;
    for (int i = 0; i < 200000; i++) {
        double x = random_in(&seed, -1.0, 1.0) * (i % 2 == 0 ? 1000.0 : 2.0);
        double error = ulps(fmath_exp2(x), exp2l((long double)x));
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 1.0);
    for (int n = -1000; n <= 1000; n++) {
        assert_true(fmath_exp2((double)n) == ldexp(1.0, n));
    }
    assert_true(fmath_exp2(-1001.0) == 0.0 && fmath_exp2((double)-INFINITY) == 0.0);
}

static void test_pow_error(void **state)
{
    (void)state;
    uint64_t seed = 3;
    double worst = 0.0;
    for (int i = 0; i < 200000; i++) {
        double x = i % 2 == 0 ? random_in(&seed, 0.9, 1.1) : ldexp(random_in(&seed, 1.0, 2.0), i % 100);
        double y = random_in(&seed, -1.0, 1.0) * (i % 2 == 0 ? 6000.0 : 7.0);
        double error = ulps(fmath_pow(x, y), powl((long double)x, (long double)y));
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 1.0);
    assert_true(fmath_pow(3.0, 4.0) == 81.0);
    assert_true(fmath_pow(10000.0, 0.0) == 1.0);
    assert_true(fmath_pow(10.0, 400.0) == (double)INFINITY);
    assert_true(fmath_pow(10.0, -400.0) == 0.0);
    assert_true(fmath_pow(2.0, -1074.0) == 0x1p-1074);
    assert_true(fmath_pow(2.0, 1023.0) == 0x1p1023);
    assert_true(fmath_pow(2.0, 1024.0) == (double)INFINITY);
}

static void test_sincos_error(void **state)
{
    (void)state;
    uint64_t seed = 4;
    double worst = 0.0;
    static const double ranges[] = {0.8, 8.0, 5000.0, 0x1p27};
    for (int i = 0; i < 400000; i++) {
        double x = random_in(&seed, 0.0, ranges[i % 4]);
        if (i % 16 == 15) { /* close to a multiple of pi/2 */
            x = (double)(random_bits(&seed) % 85000000u) * 0x1.921fb54442d18p+0;
        }
        double s;
        double c;
        fmath_sincos(x, &s, &c);
        double es = ulps(s, sinl((long double)x));
        double ec = ulps(c, cosl((long double)x));
        worst = es > worst ? es : worst;
        worst = ec > worst ? ec : worst;
    }
    assert_true(worst < 1.0);
    double s;
    double c;
    fmath_sincos(0.0, &s, &c);
    assert_true(s == 0.0 && c == 1.0);
}

#if defined(__x86_64__)

/* Every half, and floats: all patterns of the upper 16 bits with random lower ones, and the ties between halves. */
__attribute__((target("avx,f16c"))) static long count_f16c_differences(void)
{
    long n_wrong = 0;
    uint64_t seed = 5;
    for (uint32_t h = 0; h < 65536; h++) {
        n_wrong += base_f32_bits(base_f32_from_f16((uint16_t)h)) != base_f32_bits(_cvtsh_ss((uint16_t)h));
        for (int i = 0; i < 64; i++) {
            uint32_t low = i < 3 ? 0x0fffu + (uint32_t)i : (uint32_t)random_bits(&seed) & 0xffffu;
            float f = base_f32_from_bits(h << 16 | low);
            n_wrong += base_f16_from_f32(f) != _cvtss_sh(f, _MM_FROUND_TO_NEAREST_INT);
        }
        for (uint32_t low = 0; low < 65536; low += 0x1000) { /* exact halves and the ties between them */
            float f = base_f32_from_bits(h << 16 | low);
            n_wrong += base_f16_from_f32(f) != _cvtss_sh(f, _MM_FROUND_TO_NEAREST_INT);
        }
    }
    return n_wrong;
}

static void test_half_equals_hardware(void **state)
{
    (void)state;
    if (base_cpu_cap(BASE_CPU_AVX2) != BASE_CPU_AVX2) { /* which includes F16C */
        print_message("no F16C here\n");
        skip();
    }
    assert_int_equal(count_f16c_differences(), 0);
}

#elif defined(__aarch64__)

static void test_half_equals_hardware(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (uint32_t h = 0; h < 65536; h++) {
        __fp16 half;
        uint16_t bits = (uint16_t)h;
        memcpy(&half, &bits, sizeof half);
        assert_int_equal(base_f32_bits(base_f32_from_f16(bits)), base_f32_bits((float)half));
        for (int i = 0; i < 8; i++) {
            float f = base_f32_from_bits(h << 16 | ((uint32_t)random_bits(&seed) & 0xffffu));
            half = (__fp16)f;
            memcpy(&bits, &half, sizeof half);
            assert_int_equal(base_f16_from_f32(f), bits);
        }
    }
}

#else

static void test_half_equals_hardware(void **state)
{
    (void)state;
    print_message("no hardware conversion known here\n");
    skip();
}

#endif

static void test_bf16(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = base_f32_from_bf16((uint16_t)h);
        bool nan = f != f;
        assert_int_equal(base_bf16_from_f32(f), nan ? h | 0x40u : h);
    }
    assert_int_equal(base_bf16_from_f32(base_f32_from_bits(0x3f808000u)), 0x3f80); /* ties to even */
    assert_int_equal(base_bf16_from_f32(base_f32_from_bits(0x3f818000u)), 0x3f82);
    assert_int_equal(base_bf16_from_f32(base_f32_from_bits(0x3f808001u)), 0x3f81);
    assert_int_equal(base_bf16_from_f32(base_f32_from_bits(0x7f7fffffu)), 0x7f80);
}

static void test_reduce16(void **state)
{
    (void)state;
    float lane[16];
    for (int i = 0; i < 16; i++) {
        lane[i] = (float)(1 << i);
    }
    assert_true(kern_reduce16(lane) == 65535.0f);
    /* Lane i meets i + 8 first, then i + 4, then i + 2: each pair below cancels only in its own step, before the small
     * number could be lost. */
    for (int step = 8; step >= 1; step /= 2) {
        for (int i = 0; i < 16; i++) {
            lane[i] = 0.0f;
        }
        lane[0] = 0x1p40f;
        lane[step] = -0x1p40f;
        lane[step == 1 ? 2 : 1] = 1.0f;
        assert_true(kern_reduce16(lane) == (step == 1 ? 0.0f : 1.0f));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp_error),      cmocka_unit_test(test_exp_edges),
        cmocka_unit_test(test_tanh_erf_error), cmocka_unit_test(test_log_error),
        cmocka_unit_test(test_exp2_error),     cmocka_unit_test(test_pow_error),
        cmocka_unit_test(test_sincos_error),   cmocka_unit_test(test_half_equals_hardware),
        cmocka_unit_test(test_bf16),           cmocka_unit_test(test_reduce16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
