/* kv_pool_check, which the random tests trust, sees each field of a pool that is not what it should be.  The pool's own file
 * is part of this one: nobody else gets at its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kv/block_pool.c"

enum { N_BLOCKS = 8 };

struct fixture {
    struct kv_pool *p;
    struct kv_table a, b;
};

static bool check(const struct fixture *f)
{
    const struct kv_table *const tables[] = {&f->a, &f->b};
    return kv_pool_check(f->p, tables, 2);
}

/* a holds 0 to 3, of which three are published; 4 and 5 are cached, 6 and 7 free; b holds nothing. */
static int set_up(void **state)
{
    static const int32_t text[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, other[] = {0, 0, 0, 0, 0, 0, 0, 0};
    struct fixture *f = calloc(1, sizeof *f);
    struct kv_copy copy;
    assert_non_null(f);
    assert_int_equal(kv_pool_open(&f->p, N_BLOCKS, 4, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&f->a, f->p, 32, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&f->b, f->p, 32, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&f->a, f->p, 14, &copy));
    assert_true(kv_table_extend(&f->b, f->p, 8, &copy));
    kv_table_publish(&f->a, f->p, text);
    kv_table_publish(&f->b, f->p, other);
    kv_table_truncate(&f->b, f->p, 0);
    assert_true(check(f));
    assert_int_equal(f->p->n_cached, 2);
    assert_int_equal(f->p->n_free, 2);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kv_table_close(&f->a, f->p);
    kv_table_close(&f->b, f->p);
    kv_pool_close(f->p);
    free(f);
    return 0;
}

/* A field with another value is seen; with its own again, all is well. */
static void sees(const struct fixture *f, int32_t *field, int32_t value, const char *what)
{
    const int32_t own = *field;
    assert_int_not_equal(own, value);
    *field = value;
    if (check(f)) {
        fail_msg("not seen: %s", what);
    }
    *field = own;
    assert_true(check(f));
}

static void fields_of_a_table(void **state)
{
    struct fixture *f = *state;
    sees(f, &f->a.n_tokens, -1, "a number of tokens below 0");
    sees(f, &f->a.n_tokens, 12, "a block without tokens");
    sees(f, &f->a.blocks_cap, 3, "more blocks than room");
    sees(f, &f->a.n_published, -1, "a number of published blocks below 0");
    sees(f, &f->a.n_published, 4, "a published block that is not full");
    sees(f, &f->a.blocks[3], -2, "a block below -1");
    sees(f, &f->a.blocks[3], N_BLOCKS, "a block that is none");
    sees(f, &f->a.blocks[3], 6, "a free block that is held");
    sees(f, &f->a.blocks[3], -1, "a block that is released and held");
    f->a.blocks[0] = 1;
    f->a.blocks[1] = 0;
    assert_false(check(f)); /* does not follow from what is before it */
    f->a.blocks[0] = 0;
    f->a.blocks[1] = 1;
    kv_index_remove(f->p->index, 2);
    assert_false(check(f)); /* not published */
    f->a.n_published = 2;
    assert_true(check(f));
}

static void lists_of_the_pool(void **state)
{
    struct fixture *f = *state;
    struct kv_pool *p = f->p;
    sees(f, &p->ref_count[0], 2, "a holder that is not there");
    sees(f, &p->n_free, -1, "fewer free blocks than none");
    sees(f, &p->n_free, N_BLOCKS + 1, "more free blocks than there are");
    sees(f, &p->n_free, 1, "a block in no list");
    sees(f, &p->free_list[0], -1, "a free block below 0");
    sees(f, &p->free_list[0], N_BLOCKS, "a free block that is none");
    sees(f, &p->free_list[0], p->free_list[1], "a block that is free twice");
    sees(f, &p->free_list[0], 0, "a free block that is held");
    sees(f, &p->free_list[0], 4, "a free block that is published");
    sees(f, &p->n_cached, 1, "fewer cached blocks than in their list");
    sees(f, &p->cached_first, 0, "a cached block that is held");
    sees(f, &p->cached_last, p->cached_first, "a list of cached blocks with another end");
    sees(f, &p->cached[p->cached_last].before, -1, "a list of cached blocks with no way back");
    sees(f, &p->cached[p->cached_last].after, p->cached_first, "a list of cached blocks that is a ring");
    kv_index_remove(p->index, p->cached_first);
    assert_false(check(f)); /* cached, and not published */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_of_a_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_of_the_pool, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("pool check", tests, NULL, NULL);
}
