/* The arena: zeroed, aligned, disjoint parts of one mapping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void cost_is_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(base_arena_cost(0), 0);
    assert_int_equal(base_arena_cost(1), 64);
    assert_int_equal(base_arena_cost(64), 64);
    assert_int_equal(base_arena_cost(65), 128);
}

static void parts_are_aligned_zeroed_and_disjoint(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 64, 63, 65, 4096, 7, 100000, 3};
    enum { N = sizeof sizes / sizeof sizes[0] };
    for (int huge = 0; huge < 2; huge++) {
        struct base_arena a;
        size_t total = 0;
        for (int i = 0; i < N; i++) {
            total += base_arena_cost(sizes[i]);
        }
        assert_int_equal(base_arena_map(&a, total, huge != 0, "a test", NULL), CHOIR_OK);
        assert_int_equal(a.cap, total);
        uint8_t *part[N];
        for (int i = 0; i < N; i++) {
            part[i] = base_arena_take(&a, sizes[i]);
            assert_int_equal((uintptr_t)part[i] % BASE_ALIGN, 0);
            for (size_t k = 0; k < sizes[i]; k++) {
                assert_int_equal(part[i][k], 0);
            }
            memset(part[i], i + 1, sizes[i]);
        }
        assert_int_equal(a.used, total); /* the plan is used up exactly */
        for (int i = 0; i < N; i++) {
            for (size_t k = 0; k < sizes[i]; k++) {
                assert_int_equal(part[i][k], i + 1);
            }
        }
        base_arena_unmap(&a);
        assert_null(a.base);
        assert_int_equal(a.cap, 0);
        base_arena_unmap(&a); /* twice is harmless */
    }
}

static void nothing_maps_nothing(void **state)
{
    (void)state;
    struct base_arena a;
    assert_int_equal(base_arena_map(&a, 0, false, "nothing", NULL), CHOIR_OK);
    assert_null(a.base);
    assert_int_equal(a.cap, 0);
    base_arena_unmap(&a);
}

static void pages_are_taken_lazily(void **state)
{
    (void)state;
    struct base_arena a;
    size_t bytes = (size_t)8 << 30;
    assert_int_equal(base_arena_map(&a, bytes, false, "a large pool", NULL), CHOIR_OK);
    uint8_t *p = base_arena_take(&a, bytes);
    p[0] = 1;
    p[bytes - 1] = 1;
    base_arena_unmap(&a);
}

static void refusal_names_what_and_how_much(void **state)
{
    (void)state;
    struct base_arena a;
    choir_error err = {0};
    memset(&a, 0xff, sizeof a);
    assert_int_equal(base_arena_map(&a, (size_t)1 << 60, false, "the KV cache", &err), CHOIR_RESOURCE);
    assert_string_equal(err.msg, "out of memory (1152921504606846976 bytes for the KV cache)");
    assert_null(a.base);
    assert_int_equal(base_arena_map(&a, SIZE_MAX, true, "x", NULL), CHOIR_RESOURCE);
    base_arena_unmap(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_is_rounded_up),
        cmocka_unit_test(parts_are_aligned_zeroed_and_disjoint),
        cmocka_unit_test(nothing_maps_nothing),
        cmocka_unit_test(pages_are_taken_lazily),
        cmocka_unit_test(refusal_names_what_and_how_much),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
