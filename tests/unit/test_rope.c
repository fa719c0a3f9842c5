/* Frequencies under every scaling, against numbers that Hugging Face's functions gave (transformers 5.23, f32) and against
 * the formulas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fmath.h"
#include "model/config/read.h"
#include "model/rope.h"

enum { PAIRS = 8 };

/* 16 rotated dimensions, all layers alike. */
static struct mdl_config plain(void)
{
    struct mdl_config c = {.n_layers = 2, .rope_dim = 2 * PAIRS, .max_seq_len = 4096};
    for (int kind = 0; kind < MDL_ROPE_KINDS; kind++) {
        c.rope[kind] = (struct mdl_rope){.theta = 10000, .factor = 1, .magnitude = 1};
    }
    return c;
}

static void expect(const struct mdl_config *c, int32_t rope_len, const double *wanted)
{
    double found[PAIRS];
    mdl_rope_inv_freq(found, c, 0, rope_len, NULL);
    for (int i = 0; i < PAIRS; i++) {
        if (!(fabs(found[i] / wanted[i] - 1) < 1e-6)) {
            fail_msg("pair %d: %.9g, %.9g wanted", i, found[i], wanted[i]);
        }
    }
}

static void test_yarn(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    c.rope[0] = (struct mdl_rope){.theta = 10000,
                                  .scaling = MDL_SCALING_YARN,
                                  .factor = 4,
                                  .beta_fast = 32,
                                  .beta_slow = 1,
                                  .magnitude = 1,
                                  .original_len = 1024};
    expect(&c, 4096,
           (const double[]){1.0, 0.3162277638912201, 0.08125000447034836, 0.019764237105846405, 0.0043750000186264515,
                            0.0007905694656074047, 0.0002500000118743628, 7.905694656074047e-05});
    c.rope[0].theta = 500000;
    c.rope[0].factor = 8;
    c.rope[0].beta_fast = 8;
    c.rope[0].beta_slow = 2;
    c.rope[0].original_len = 512;
    expect(&c, 1,
           (const double[]){1.0, 0.193922758102417, 0.021153392270207405, 0.0009115831344388425, 0.00017677668074611574,
                            3.428102354519069e-05, 6.647869668086059e-06, 1.289173155782919e-06});
}

static void test_dynamic(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    const double as_made[] = {1,    0.31622776601683794,   0.1,  0.031622776601683791,
                              0.01, 0.0031622776601683794, 1e-3, 3.1622776601683794e-4};
    c.max_seq_len = 64;
    c.rope[0].scaling = MDL_SCALING_DYNAMIC;
    c.rope[0].factor = 2;
    c.rope[0].original_len = 64;
    expect(&c, 1, as_made);
    expect(&c, 64, as_made);
    expect(&c, 200,
           (const double[]){1.0, 0.24952846765518188, 0.06226445361971855, 0.015536753460764885, 0.0038768628146499395,
                            0.0009673875174485147, 0.0002413907350273803, 6.0233862313907593e-05});
}

/* Contexts longer than max_seq_len are for dynamic and yarn, on all layers. */
static void test_longest(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    assert_int_equal(mdl_rope_longest(&c), 4096);
    c.rope[0].scaling = MDL_SCALING_DYNAMIC;
    assert_int_equal(mdl_rope_longest(&c), MDL_SEQ_MAX);
    c.windowed[0] = 1;
    assert_int_equal(mdl_rope_longest(&c), 4096);
    c.rope[1] = c.rope[0];
    assert_int_equal(mdl_rope_longest(&c), MDL_SEQ_MAX);
    c.position = MDL_POSITION_LEARNED;
    assert_int_equal(mdl_rope_longest(&c), 4096);
    c = plain();
    c.rope[0].scaling = MDL_SCALING_YARN;
    c.rope[0].factor = 2.5;
    c.rope[0].original_len = 4096;
    assert_int_equal(mdl_rope_longest(&c), 10240);
    c.rope[0].original_len = 1024; /* max_seq_len already counts the factor */
    assert_int_equal(mdl_rope_longest(&c), 4096);
    c.rope[0].factor = 1e300;
    assert_int_equal(mdl_rope_longest(&c), MDL_SEQ_MAX);
}

/* The long divisors are for lengths above the original one. */
static void test_longrope(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    double longer[PAIRS], shorter[PAIRS];
    c.rope[0].scaling = MDL_SCALING_LONGROPE;
    c.rope[0].original_len = 100;
    for (int i = 0; i < PAIRS; i++) {
        c.rope_short[i] = 1.0f + (float)i;
        c.rope_long[i] = 8.0f * (1.0f + (float)i);
        shorter[i] = pow(10000, -i / (double)PAIRS) / (1 + i);
        longer[i] = shorter[i] / 8;
    }
    expect(&c, 100, shorter);
    expect(&c, 101, longer);
    expect(&c, c.max_seq_len, longer);
}

static void test_angles(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    double inv_freq[PAIRS];
    float cosine[PAIRS], sine[PAIRS], scaled[PAIRS];
    mdl_rope_inv_freq(inv_freq, &c, 0, 1, (const float[]){1, 2, 1, 1, 1, 1, 1, 4});
    assert_true(fabs(inv_freq[1] * 2 / 0.31622776601683794 - 1) < 1e-12);
    assert_true(fabs(inv_freq[7] * 4 / 3.1622776601683794e-4 - 1) < 1e-12);
    mdl_rope_angles(cosine, sine, inv_freq, 1, PAIRS, 77);
    mdl_rope_angles(scaled, sine, inv_freq, 1.25, PAIRS, 77);
    for (int i = 0; i < PAIRS; i++) {
        assert_true(fabs((double)cosine[i] - cos(77 * inv_freq[i])) < 1e-7);
        assert_true(fabs((double)scaled[i] - 1.25 * cos(77 * inv_freq[i])) < 1.5e-7);
        assert_true(fabs((double)sine[i] - 1.25 * sin(77 * inv_freq[i])) < 1.5e-7);
    }
    assert_true(mdl_rope_in_range(inv_freq, &c, 1 << 27));
    inv_freq[3] = 1.5;
    assert_false(mdl_rope_in_range(inv_freq, &c, 1 << 27));
}

/* However far a stream gets: from one place to another it turns as at the beginning. */
static void test_far_angles(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    const int64_t places[] = {1000, (1 << 27) - 20, (1 << 27) + 1, INT32_MAX, (int64_t)1 << 40, INT64_MAX - 100};
    double inv_freq[PAIRS];
    float cosine[2][PAIRS], sine[2][PAIRS];
    mdl_rope_inv_freq(inv_freq, &c, 0, 1, NULL);
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        mdl_rope_angles(cosine[0], sine[0], inv_freq, 1, PAIRS, places[k]);
        mdl_rope_angles(cosine[1], sine[1], inv_freq, 1, PAIRS, places[k] + 50);
        for (int i = 0; i < PAIRS; i++) {
            double turned = (double)cosine[0][i] * (double)cosine[1][i] + (double)sine[0][i] * (double)sine[1][i];
            assert_true(fabs(turned - cos(50 * inv_freq[i])) < 4e-7);
        }
    }
}

/* One table serves layers that are turned alike. */
static void test_tables(void **state)
{
    (void)state;
    struct mdl_config c = plain();
    int kinds[MDL_ROPE_KINDS];
    assert_true(mdl_rope_tables(kinds, &c) == 1 && kinds[0] == 0);
    c.windowed[0] = 2;
    assert_true(mdl_rope_tables(kinds, &c) == 1 && kinds[0] == 0);
    c.rope[1].theta = 500;
    assert_true(mdl_rope_tables(kinds, &c) == 2 && kinds[0] == 0 && kinds[1] == 1);
    c.windowed[0] = 3;
    assert_true(mdl_rope_tables(kinds, &c) == 1 && kinds[0] == 1);
    c.windowed[0] = 0;
    assert_true(mdl_rope_tables(kinds, &c) == 1 && kinds[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_yarn),    cmocka_unit_test(test_dynamic),
                                       cmocka_unit_test(test_longest), cmocka_unit_test(test_longrope),
                                       cmocka_unit_test(test_angles),  cmocka_unit_test(test_far_angles),
                                       cmocka_unit_test(test_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
