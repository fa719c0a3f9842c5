/* Random numbers: the known answers of the Random123 distribution (kat_vectors, philox4x32 10), and a draw's range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4];
        uint32_t key[2];
        uint32_t out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        base_philox(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void test_uniform(void **state)
{
    (void)state;
    double sum = 0.0;
    for (uint64_t pos = 0; pos < 100000; pos++) {
        double u = base_rng_uniform(0, 0, pos);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
    }
    assert_true(sum > 49500.0 && sum < 50500.0); /* 5 standard deviations are 456 */
    /* Seed 0, choice 0, position 0 is the first known answer: words 1 and 0, the upper 53 bits. */
    uint64_t bits = UINT64_C(0xe169c58d6627e8d5) >> 11;
    assert_true(base_rng_uniform(0, 0, 0) == (double)bits * 0x1p-53);
}

static void test_every_argument_counts(void **state)
{
    (void)state;
    double u = base_rng_uniform(1, 2, 3);
    assert_true(u == base_rng_uniform(1, 2, 3));
    for (int bit = 0; bit < 64; bit++) {
        uint64_t flip = UINT64_C(1) << bit;
        assert_true(u != base_rng_uniform(1 ^ flip, 2, 3));
        assert_true(u != base_rng_uniform(1, 2 ^ flip, 3));
        assert_true(u != base_rng_uniform(1, 2, 3 ^ flip));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_every_argument_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
