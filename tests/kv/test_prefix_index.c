/* The index of prefixes: equal hashes are no equal prefixes, and kv_index_check sees each link that is not what it should be.
 * The index's own file is part of this one: nobody else gets at its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kv/prefix_index.c"

enum { N_BLOCKS = 8, SIZE = 2 };

/* 0, with the children 1, 2 and 3; 4 follows from 1.  5 to 7 are not there. */
static int set_up(void **state)
{
    static int32_t tokens[256]; /* of 5 * SIZE: what hashes more at once is compiled for this array, too */
    static const int32_t parents[] = {KV_ROOT, 0, 0, 0, 1};
    struct kv_index *x;
    assert_int_equal(kv_index_open(&x, N_BLOCKS, SIZE, NULL), CHOIR_OK);
    for (int32_t i = 0; i < 5; i++) {
        tokens[i * SIZE] = 10 * i;
        tokens[i * SIZE + 1] = 10 * i + 1;
        kv_index_add(x, i, parents[i], tokens + (size_t)i * SIZE);
    }
    assert_true(kv_index_check(x));
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    kv_index_close(*state);
    kv_index_close(NULL);
    return 0;
}

static void equal_hashes(void **state)
{
    struct kv_index *x = *state;
    static const int32_t tokens[] = {40, 41}, other[] = {7, 7};
    x->entries[2].hash = x->entries[1].hash; /* what follows from 1 and from 2 has equal hashes, then */
    assert_int_equal(kv_index_find(x, 1, tokens), 4);
    assert_int_equal(kv_index_find(x, 2, tokens), -1);
    kv_index_add(x, 5, 2, tokens);
    assert_int_equal(kv_index_find(x, 1, tokens), 4);
    assert_int_equal(kv_index_find(x, 2, tokens), 5);
    kv_index_remove(x, 4);
    assert_int_equal(kv_index_find(x, 1, tokens), -1);
    memcpy(x->tokens + 5 * SIZE, other, sizeof other); /* and these, tokens that are not its own */
    assert_int_equal(kv_index_find(x, 2, tokens), -1);
}

static void sees(const struct kv_index *x, int32_t *field, int32_t value, const char *what)
{
    const int32_t own = *field;
    assert_int_not_equal(own, value);
    *field = value;
    if (kv_index_check(x)) {
        fail_msg("not seen: %s", what);
    }
    *field = own;
    assert_true(kv_index_check(x));
}

static void damage(void **state)
{
    struct kv_index *x = *state;
    struct entry *e = x->entries;
    sees(x, &x->count, 4, "another number of blocks");
    sees(x, &e[4].parent, 6, "a parent that is not there");
    sees(x, &e[4].parent, 2, "a parent that does not know it");
    sees(x, &e[0].child, -1, "children that no parent knows");
    sees(x, &e[0].child, 6, "a child that is not there");
    sees(x, &e[0].child, 4, "a child of another");
    sees(x, &e[1].sibling_back, -1, "no way back to a sibling");
    sees(x, &e[1].sibling, 3, "siblings in a ring");
    sees(x, &x->tokens[4 * SIZE], 99, "tokens of another hash");
    sees(x, &x->buckets[e[4].hash & x->mask], 6, "a block in no chain of its bucket");
    e[4].hash++;
    assert_false(kv_index_check(x));
    e[4].hash--;
    assert_true(kv_index_check(x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("prefix index", tests, NULL, NULL);
}
