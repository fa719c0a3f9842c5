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

static void check_swiglu(const struct choir_kernels *k, int n, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference = reference_kernels();
    struct check_buffer gate = numbers_open(r, data, n), up = numbers_open(r, CHECK_REALS, n);
    for (int i = 0; i < n; i++) {
        floats(&gate)[i] *= data == CHECK_REALS ? 20.0f : data == CHECK_INTEGERS ? 16.0f : 1.0f; /* exp's range ends */
    }
    struct check_buffer expected = copy_open(&gate), found = copy_open(&gate);
    reference.swiglu(floats(&expected), floats(&up), n);
    k->swiglu(floats(&found), floats(&up), n);
    check_equal(floats(&expected), floats(&found), (size_t)n, "swiglu");
    for (int i = 0; i < n; i++) {
        double g = (double)floats(&gate)[i], truth = g / (1 + exp(-g)) * (double)floats(&up)[i];
        /* exp stops growing at e^88, so silu ends at g * e^-88 instead of 0 */
        check_near(truth, (double)floats(&found)[i], 6 * 0x1p-23 * fabs(truth) + 1e-37 * (1 + fabs(g)), "swiglu");
    }
    check_buffer_close(&gate);
    check_buffer_close(&up);
    check_buffer_close(&expected);
    check_buffer_close(&found);
}

static void test_swiglu(void **state)
{
    (void)state;
    for_all_lengths(check_swiglu, 12);
    struct check_levels levels = check_levels_here();
    struct choir_kernels reference = reference_kernels();
    for (int i = 0; i < levels.n; i++) { /* all through exp's range, and what is no number */
        float gate[64], same[64], up[64];
        for (int block = 0; block < 400; block++) {
            for (int j = 0; j < 64; j++) {
                gate[j] = same[j] = block == 0 ? (float[]){NAN, INFINITY, -INFINITY, 0.0f}[j % 4]
                                               : (float)(block * 64 + j) * 0.008f - 100.0f;
                up[j] = 1.0f;
            }
            reference.swiglu(gate, up, 64);
            levels.k[i].swiglu(same, up, 64);
            check_equal(gate, same, 64, "swiglu over exp's range");
        }
    }
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rmsnorm),    cmocka_unit_test(test_rmsnorm_overflow),
                                       cmocka_unit_test(test_swiglu),     cmocka_unit_test(test_scale),
                                       cmocka_unit_test(test_all_finite), cmocka_unit_test(test_rope)};
    return cmocka_run_group_tests_name("check operations", tests, NULL, NULL);
}
