/* The per-token operations of every level: the reference's bits, and the truth in double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/check.h"

static float *floats(const struct check_buffer *b)
{
    return (float *)(void *)b->data;
}

static struct check_buffer numbers_open(struct check_rng *r, enum check_data data, int n)
{
    struct check_buffer b = check_buffer_open((size_t)n * 4, 4, 0);
    check_fill(r, data, floats(&b), (size_t)n);
    return b;
}

static struct check_buffer copy_open(const struct check_buffer *b)
{
    struct check_buffer c = check_buffer_open(b->bytes, 4, 0);
    memcpy(c.data, b->data, b->bytes);
    return c;
}

static struct choir_kernels reference_kernels(void)
{
    struct choir_kernels k;
    kern_init_reference(&k);
    return k;
}

/* Calls check(k, n, data, rng) for every level, length and kind of data. */
typedef void check_fn(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r);

static void for_all_lengths(check_fn *check, uint64_t seed)
{
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {seed};
        for (int n = 1; n <= 300; n++) {
            for (int data = 0; data < CHECK_DATA_COUNT; data++) {
                check(&levels.k[i], n <= 297 ? n : n * n / 31, (enum check_data)data, &r);
            }
        }
    }
}

static void check_rmsnorm(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference = reference_kernels();
    struct check_buffer x = numbers_open(r, data, n), w = numbers_open(r, CHECK_REALS, n);
    struct check_buffer expected = numbers_open(r, CHECK_REALS, n), found = numbers_open(r, CHECK_REALS, n);
    reference.rmsnorm(floats(&expected), floats(&x), floats(&w), n, 1e-5f);
    k->rmsnorm(floats(&found), floats(&x), floats(&w), n, 1e-5f);
    check_equal(floats(&expected), floats(&found), (size_t)n, "rmsnorm");
    double square = 0;
    for (int i = 0; i < n; i++) {
        square += (double)floats(&x)[i] * (double)floats(&x)[i];
    }
    for (int i = 0; i < n && square < 1e37; i++) { /* beyond that the square is infinite in f32 */
        double truth = (double)floats(&x)[i] * (double)floats(&w)[i] / sqrt(square / n + (double)1e-5f);
        check_near(truth, (double)floats(&found)[i], (n / 16 + 12) * 0x1p-24 * fabs(truth) + 1e-37, "rmsnorm");
    }
    k->rmsnorm(floats(&x), floats(&x), floats(&w), n, 1e-5f);
    check_equal(floats(&expected), floats(&x), (size_t)n, "rmsnorm in place");
    check_buffer_close(&x);
    check_buffer_close(&w);
    check_buffer_close(&expected);
    check_buffer_close(&found);
}

static void test_rmsnorm(void **state)
{
    (void)state;
    for_all_lengths(check_rmsnorm, 11);
}

/* A sum of squares that overflows is not a norm of zeros; one just below is a norm. */
static void test_rmsnorm_overflow(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    struct choir_kernels reference = reference_kernels();
    for (int i = -1; i < levels.n; i++) {
        const struct choir_kernels *k = i < 0 ? &reference : &levels.k[i];
        float x[40], w[40], y[40];
        for (int j = 0; j < 40; j++) {
            x[j] = j == 17 ? 1.8e19f : 0.0f; /* its square is just below the greatest float */
            w[j] = 1.0f;
        }
        k->rmsnorm(y, x, w, 40, 1e-5f);
        assert_true(fabsf(y[17] - sqrtf(40.0f)) < 1e-4f);
        x[17] = 1.9e19f;
        k->rmsnorm(y, x, w, 40, 1e-5f);
        for (int j = 0; j < 40; j++) {
            assert_true(isnan(y[j]));
        }
    }
}

static void check_layernorm(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference = reference_kernels();
    struct check_buffer x = numbers_open(r, data, n), w = numbers_open(r, CHECK_REALS, n);
    struct check_buffer bias = numbers_open(r, CHECK_REALS, n);
    struct check_buffer expected = numbers_open(r, CHECK_REALS, n), found = numbers_open(r, CHECK_REALS, n);
    reference.layernorm(floats(&expected), floats(&x), floats(&w), NULL, n, 1e-5f);
    k->layernorm(floats(&found), floats(&x), floats(&w), NULL, n, 1e-5f);
    check_equal(floats(&expected), floats(&found), (size_t)n, "layernorm without bias");
    reference.layernorm(floats(&expected), floats(&x), floats(&w), floats(&bias), n, 1e-5f);
    k->layernorm(floats(&found), floats(&x), floats(&w), floats(&bias), n, 1e-5f);
    check_equal(floats(&expected), floats(&found), (size_t)n, "layernorm");
    double mean = 0, square = 0, most = 0;
    for (int i = 0; i < n; i++) {
        mean += (double)floats(&x)[i] / n;
        most = fmax(most, fabs((double)floats(&x)[i]));
    }
    for (int i = 0; i < n; i++) {
        square += ((double)floats(&x)[i] - mean) * ((double)floats(&x)[i] - mean);
    }
    const double s = 1 / sqrt(square / n + (double)1e-5f);
    for (int i = 0; i < n && data != CHECK_EXTREMES; i++) {
        double scaled = ((double)floats(&x)[i] - mean) * s * (double)floats(&w)[i], add = (double)floats(&bias)[i];
        check_near(scaled + add, (double)floats(&found)[i], (n / 16 + 20) * 0x1p-24 * (most * s + 1 + fabs(add)),
                   "layernorm");
    }
    k->layernorm(floats(&x), floats(&x), floats(&w), floats(&bias), n, 1e-5f);
    check_equal(floats(&expected), floats(&x), (size_t)n, "layernorm in place");
    check_buffer_close(&x);
    check_buffer_close(&w);
    check_buffer_close(&bias);
    check_buffer_close(&expected);
    check_buffer_close(&found);
}

static void test_layernorm(void **state)
{
    (void)state;
    for_all_lengths(check_layernorm, 17);
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) { /* a mean far from zero costs no more than its own rounding */
        float x[64], w[64], y[64];
        for (int j = 0; j < 64; j++) {
            x[j] = 4096.0f + (j % 2 ? 1.0f : -1.0f);
            w[j] = 1.0f;
        }
        levels.k[i].layernorm(y, x, w, NULL, 64, 0.0f);
        for (int j = 0; j < 64; j++) {
            assert_true(y[j] == (j % 2 ? 1.0f : -1.0f));
        }
        x[5] = 3e38f; /* the sum of squares overflows */
        levels.k[i].layernorm(y, x, w, NULL, 64, 0.0f);
        assert_true(isnan(y[0]) && isnan(y[5]));
    }
}

/* In double: silu, GELU and its approximation. */
static double activation(int kind, double x)
{
    const double u = 0.79788456080286535588 * (x + 0.044715 * x * x * x);
    return kind == KERN_SILU   ? x / (1 + exp(-x))
           : kind == KERN_GELU ? x / 2 * erfc(-x / sqrt(2))
                               : x / (1 + exp(-2 * u));
}

static void check_activate(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference = reference_kernels();
    struct check_buffer x = numbers_open(r, data, n), gated = numbers_open(r, CHECK_REALS, n);
    for (int i = 0; i < n; i++) {
        floats(&x)[i] *= data == CHECK_REALS ? 20.0f : data == CHECK_INTEGERS ? 16.0f : 1.0f; /* exp's range ends */
    }
    for (int kind = 0; kind < KERN_ACTIVATION_COUNT; kind++) {
        struct check_buffer expected = copy_open(&x), found = copy_open(&x);
        reference.activate[kind](floats(&expected), floats(&gated), n);
        k->activate[kind](floats(&found), floats(&gated), n);
        check_equal(floats(&expected), floats(&found), (size_t)n, "activate, gated");
        memcpy(expected.data, x.data, x.bytes);
        memcpy(found.data, x.data, x.bytes);
        reference.activate[kind](floats(&expected), NULL, n);
        k->activate[kind](floats(&found), NULL, n);
        check_equal(floats(&expected), floats(&found), (size_t)n, "activate");
        for (int i = 0; i < n; i++) {
            double g = (double)floats(&x)[i], truth = activation(kind, g);
            /* exp stops growing at e^88, so silu ends at g * e^-88 instead of 0; 1 + erf is off by half an ulp of 1 */
            double slack = kind == KERN_GELU        ? fabs(g) * 0x1p-23
                           : kind == KERN_GELU_TANH ? 1e-7 * fabs(g * truth * g)
                                                    : 0;
            check_near(truth, (double)floats(&found)[i], 6 * 0x1p-23 * fabs(truth) + 1e-36 * (1 + fabs(g)) + slack,
                       "activate");
        }
        check_buffer_close(&expected);
        check_buffer_close(&found);
    }
    check_buffer_close(&x);
    check_buffer_close(&gated);
}

/* All through the range of exp, tanh and erf, and what is no number: op of 64 numbers at a time. */
typedef void check_range_fn(const struct choir_kernels *k, float *x, int n);

static void for_the_range(check_range_fn *op, const char *what)
{
    struct check_levels levels = check_levels_here();
    struct choir_kernels reference = reference_kernels();
    for (int i = 0; i < levels.n; i++) {
        float expected[64], found[64];
        for (int block = 0; block < 800; block++) {
            for (int j = 0; j < 64; j++) {
                const float at = (float)(block % 400 * 64 + j);
                expected[j] = found[j] = block == 0    ? (float[]){NAN, INFINITY, -INFINITY, 0.0f, -0.0f}[j % 5]
                                         : block < 400 ? at * 0.008f - 100.0f
                                                       : at * 0.0004f - 5.0f;
            }
            op(&reference, expected, 64);
            op(&levels.k[i], found, 64);
            check_equal(expected, found, 64, what);
        }
    }
}

static void silu(const struct choir_kernels *k, float *x, int n)
{
    k->activate[KERN_SILU](x, NULL, n);
}

static void gelu(const struct choir_kernels *k, float *x, int n)
{
    k->activate[KERN_GELU](x, NULL, n);
}

static void gelu_tanh(const struct choir_kernels *k, float *x, int n)
{
    k->activate[KERN_GELU_TANH](x, NULL, n);
}

static void softcap_3(const struct choir_kernels *k, float *x, int n)
{
    k->softcap(x, 3.0f, n);
}

static void test_activate(void **state)
{
    (void)state;
    for_all_lengths(check_activate, 12);
    for_the_range(silu, "silu");
    for_the_range(gelu, "gelu");
    for_the_range(gelu_tanh, "gelu_tanh");
}

static void check_softcap(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference = reference_kernels();
    struct check_buffer x = numbers_open(r, data, n), expected = copy_open(&x), found = copy_open(&x);
    const float cap = data == CHECK_INTEGERS ? 2.0f : 0.5f + fabsf(check_uniform(r));
    reference.softcap(floats(&expected), cap, n);
    k->softcap(floats(&found), cap, n);
    check_equal(floats(&expected), floats(&found), (size_t)n, "softcap");
    for (int i = 0; i < n; i++) {
        double truth = (double)cap * tanh((double)floats(&x)[i] / (double)cap);
        check_near(truth, (double)floats(&found)[i], 4 * 0x1p-23 * fabs(truth) + 1e-37, "softcap");
    }
    check_buffer_close(&x);
    check_buffer_close(&expected);
    check_buffer_close(&found);
}

static void test_softcap(void **state)
{
    (void)state;
    for_all_lengths(check_softcap, 18);
    for_the_range(softcap_3, "softcap");
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) { /* what is not finite is not hidden */
        float x[20] = {INFINITY, -INFINITY, NAN};
        levels.k[i].softcap(x, 30.0f, 20);
        assert_true(isnan(x[0]) && isnan(x[1]) && isnan(x[2]) && x[3] == 0.0f);
    }
}

static void check_add(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct check_buffer x = numbers_open(r, data, n), y = numbers_open(r, CHECK_REALS, n), sum = copy_open(&y);
    k->add(floats(&sum), floats(&x), n);
    for (int i = 0; i < n; i++) {
        assert_true(floats(&sum)[i] == floats(&y)[i] + floats(&x)[i]);
    }
    check_buffer_close(&x);
    check_buffer_close(&y);
    check_buffer_close(&sum);
}

static void test_add(void **state)
{
    (void)state;
    for_all_lengths(check_add, 19);
}

static void check_scale(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference = reference_kernels();
    struct check_buffer expected = numbers_open(r, data, n), found = copy_open(&expected);
    float s = check_uniform(r);
    reference.scale(floats(&expected), s, n);
    k->scale(floats(&found), s, n);
    check_equal(floats(&expected), floats(&found), (size_t)n, "scale");
    check_buffer_close(&expected);
    check_buffer_close(&found);
}

static void test_scale(void **state)
{
    (void)state;
    for_all_lengths(check_scale, 13);
}

static void check_all_finite(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct check_buffer x = numbers_open(r, data, n);
    assert_true(k->all_finite(floats(&x), n));
    for (int i = 0; i < n && n <= 70; i++) {
        float before = floats(&x)[i];
        floats(&x)[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
        assert_false(k->all_finite(floats(&x), n));
        floats(&x)[i] = before;
    }
    check_buffer_close(&x);
}

static void test_all_finite(void **state)
{
    (void)state;
    for_all_lengths(check_all_finite, 15);
}

typedef void rope_fn(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim);

/* step: from a pair's first number to the next pair's; apart: to its second. */
static void check_rope(rope_fn *reference, rope_fn *rope, int head_dim, int rope_dim, int step, int apart,
                       struct check_rng *r)
{
    const int n_heads = check_between(r, 1, 5), pairs = rope_dim / 2;
    struct check_buffer x = numbers_open(r, (enum check_data)check_between(r, 0, 1), n_heads * head_dim);
    struct check_buffer expected = copy_open(&x), found = copy_open(&x);
    struct check_buffer cosine = check_buffer_open((size_t)pairs * 4, 4, 0),
                        sine = check_buffer_open((size_t)pairs * 4, 4, 0);
    for (int i = 0; i < pairs; i++) {
        double angle = 100 * (double)check_uniform(r);
        floats(&cosine)[i] = (float)cos(angle);
        floats(&sine)[i] = (float)sin(angle);
    }
    reference(floats(&expected), floats(&cosine), floats(&sine), n_heads, head_dim, rope_dim);
    rope(floats(&found), floats(&cosine), floats(&sine), n_heads, head_dim, rope_dim);
    check_equal(floats(&expected), floats(&found), (size_t)(n_heads * head_dim), "rope");
    for (int h = 0; h < n_heads; h++) {
        for (int i = 0; i < pairs; i++) {
            int at = h * head_dim + i * step;
            double a = (double)floats(&x)[at], b = (double)floats(&x)[at + apart];
            double c = (double)floats(&cosine)[i], s = (double)floats(&sine)[i];
            check_near(a * c - b * s, (double)floats(&found)[at], 1e-6 * (fabs(a) + fabs(b)), "rope");
            check_near(a * s + b * c, (double)floats(&found)[at + apart], 1e-6 * (fabs(a) + fabs(b)), "rope");
        }
    }
    check_buffer_close(&x);
    check_buffer_close(&expected);
    check_buffer_close(&found);
    check_buffer_close(&cosine);
    check_buffer_close(&sine);
}

static void test_rope(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    struct choir_kernels reference = reference_kernels();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {16};
        for (int rope_dim = 2; rope_dim <= 256; rope_dim += 2) {
            int head_dim = rope_dim + 2 * check_between(&r, 0, 5);
            check_rope(reference.rope_interleaved, levels.k[i].rope_interleaved, head_dim, rope_dim, 2, 1, &r);
            check_rope(reference.rope_half, levels.k[i].rope_half, head_dim, rope_dim, 1, rope_dim / 2, &r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rmsnorm),  cmocka_unit_test(test_rmsnorm_overflow), cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_activate), cmocka_unit_test(test_softcap),          cmocka_unit_test(test_add),
        cmocka_unit_test(test_scale),    cmocka_unit_test(test_all_finite),       cmocka_unit_test(test_rope)};
    return cmocka_run_group_tests_name("check operations", tests, NULL, NULL);
}
