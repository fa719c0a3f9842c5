/* What each call on a block table does, and which block it takes, keeps or gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "kv/block_pool.h"

static void block_ids_follow_the_calls(void **state)
{
    (void)state;
    struct kv_pool *p;
    struct kv_table a;
    struct kv_table b;
    struct kv_copy copy;
    assert_int_equal(kv_pool_open(&p, 8, 4, NULL), CHOIR_OK);
    assert_int_equal(kv_pool_n_blocks(p), 8);
    assert_int_equal(kv_pool_n_free(p), 8);
    assert_int_equal(kv_pool_block_size(p), 4);
    assert_int_equal(kv_table_open(&a, p, 32, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&b, p, 32, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&a, p, 10, &copy)); /* 0 1 2 */
    assert_true(kv_table_extend(&b, p, 4, &copy));  /* 3 */
    const int32_t first[] = {0, 1, 2};
    assert_memory_equal(a.blocks, first, sizeof first);
    assert_int_equal(b.blocks[0], 3);
    assert_int_equal(kv_table_slot(&a, p, 9), 2 * 4 + 1);
    kv_table_truncate(&a, p, 4);                   /* gives 2, then 1 back */
    assert_true(kv_table_extend(&b, p, 5, &copy)); /* takes 1, then 2: last in, first out */
    assert_int_equal(b.blocks[1], 1);
    assert_int_equal(b.blocks[2], 2);
    kv_table_close(&a, p);
    kv_table_close(&b, p);
    kv_table_close(&b, p); /* twice is harmless */
    kv_table_close(NULL, p);
    assert_int_equal(kv_pool_n_free(p), 8);
    kv_pool_close(p);
    kv_pool_close(NULL);
}

static void fork_shares_and_copies_once(void **state)
{
    (void)state;
    struct kv_pool *p;
    struct kv_table a;
    struct kv_table b;
    struct kv_copy copy;
    assert_int_equal(kv_pool_open(&p, 4, 4, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&a, p, 16, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&b, p, 16, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&a, p, 6, &copy)); /* 0, and half of 1 */
    assert_int_equal(kv_table_fork(&b, &a, p, NULL), CHOIR_OK);
    assert_int_equal(kv_pool_ref_count(p, 0), 2);
    assert_int_equal(kv_pool_ref_count(p, 1), 2);
    assert_int_equal(kv_table_need(&b, p, 0), 0);
    assert_int_equal(kv_table_need(&b, p, 2), 1); /* the copy */
    assert_int_equal(kv_table_need(&b, p, 3), 2); /* the copy and a fresh one */
    assert_true(kv_table_extend(&b, p, 0, &copy));
    assert_int_equal(copy.src, -1); /* nothing is written, nothing is copied */
    assert_true(kv_table_extend(&b, p, 1, &copy));
    assert_int_equal(copy.src, 1);
    assert_int_equal(copy.dst, 2);
    assert_int_equal(kv_pool_ref_count(p, 1), 1);
    assert_true(kv_table_extend(&a, p, 1, &copy)); /* alone again: writes in place */
    assert_int_equal(copy.src, -1);
    kv_table_truncate(&b, p, 4); /* at a border: the next token starts a block of its own */
    assert_true(kv_table_extend(&b, p, 1, &copy));
    assert_int_equal(copy.src, -1);
    kv_table_truncate(&b, p, 3); /* inside block 0, which is shared */
    assert_true(kv_table_extend(&b, p, 1, &copy));
    assert_int_equal(copy.src, 0);
    kv_table_close(&a, p);
    kv_table_close(&b, p);
    kv_pool_close(p);
}

static void refusals_change_nothing(void **state)
{
    (void)state;
    struct kv_pool *p;
    struct kv_table a;
    struct kv_table small;
    struct kv_copy copy;
    choir_error err = {0};
    assert_int_equal(kv_pool_open(&p, 3, 2, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&a, p, 100, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&small, p, 3, NULL), CHOIR_OK); /* room for 2 blocks */
    assert_false(kv_table_extend(&a, p, 7, &copy));                /* the pool has 6 positions */
    assert_int_equal(a.n_tokens, 0);
    assert_int_equal(a.n_blocks, 0);
    assert_false(kv_table_extend(&small, p, 5, &copy)); /* the table has not */
    assert_int_equal(kv_pool_n_free(p), 3);
    assert_true(kv_table_extend(&a, p, 6, &copy));
    assert_false(kv_table_extend(&a, p, INT32_MAX, &copy));
    assert_int_equal(kv_table_fork(&small, &a, p, &err), CHOIR_RESOURCE);
    assert_non_null(strstr(err.msg, "room for 2 blocks, 3 are needed"));
    assert_int_equal(small.n_blocks, 0);
    assert_int_equal(kv_pool_ref_count(p, 0), 1);
    kv_table_close(&a, p);
    kv_table_close(&small, p);
    kv_pool_close(p);
}

static void check_sees_damage(void **state)
{
    (void)state;
    struct kv_pool *p;
    struct kv_table a;
    struct kv_copy copy;
    assert_int_equal(kv_pool_open(&p, 3, 2, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&a, p, 6, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&a, p, 4, &copy));
    const struct kv_table *one[] = {&a};
    const struct kv_table *twice[] = {&a, &a};
    assert_true(kv_pool_check(p, one, 1));
    assert_false(kv_pool_check(p, twice, 2)); /* more holders than counted */
    assert_false(kv_pool_check(p, NULL, 0));  /* fewer */
    a.n_tokens = 2;
    assert_false(kv_pool_check(p, one, 1)); /* more blocks than tokens need */
    a.n_tokens = 4;
    a.blocks[1] = 2;
    assert_false(kv_pool_check(p, one, 1)); /* holds a free block */
    a.blocks[1] = 3;
    assert_false(kv_pool_check(p, one, 1)); /* no such block */
    a.blocks[1] = 1;
    kv_table_close(&a, p);
    kv_pool_close(p);
}

/* ---- the prefix cache ---- */

/* 16 tokens: four blocks of four. */
static const int32_t text[] = {5, 6, 7, 8, 5, 6, 7, 8, 9, 9, 9, 9, 1, 2, 3, 4};

struct pair {
    struct kv_pool *p;
    struct kv_table a, b;
};

/* A pool of n_blocks blocks of four tokens, and a, which holds and has published the first n tokens of the text. */
static struct pair open_pair(int32_t n_blocks, int32_t n)
{
    struct pair x;
    struct kv_copy copy;
    assert_int_equal(kv_pool_open(&x.p, n_blocks, 4, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&x.a, x.p, 64, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&x.b, x.p, 64, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&x.a, x.p, n, &copy));
    kv_table_publish(&x.a, x.p, text);
    return x;
}

static void check_pair(const struct pair *x)
{
    const struct kv_table *tables[] = {&x->a, &x->b};
    assert_true(kv_pool_check(x->p, tables, 2));
}

static void close_pair(struct pair *x)
{
    check_pair(x);
    kv_table_close(&x->a, x->p);
    kv_table_close(&x->b, x->p);
    assert_int_equal(kv_pool_n_free(x->p), kv_pool_n_blocks(x->p));
    kv_pool_close(x->p);
}

static void adopts_the_longest_run_of_full_blocks(void **state)
{
    (void)state;
    struct pair x = open_pair(8, 14); /* three full blocks and a half */
    struct kv_copy copy;
    int32_t other[16];
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 16), 12);
    assert_memory_equal(x.b.blocks, x.a.blocks, 3 * sizeof(int32_t));
    assert_int_equal(kv_pool_ref_count(x.p, 2), 2);
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 16), 0); /* there is no more */
    kv_table_truncate(&x.b, x.p, 0);
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 11), 8); /* of what is asked for */
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 12), 4); /* goes on */
    kv_table_truncate(&x.b, x.p, 0);
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 3), 0);
    memcpy(other, text, sizeof other);
    other[7] = 0; /* another second block, and the third follows from it */
    assert_int_equal(kv_table_adopt(&x.b, x.p, other, 16), 4);
    assert_true(kv_table_extend(&x.b, x.p, 8, &copy));
    kv_table_publish(&x.b, x.p, other);
    kv_table_truncate(&x.b, x.p, 0);
    assert_int_equal(kv_pool_n_cached(x.p), 2);
    assert_int_equal(kv_table_adopt(&x.b, x.p, text + 4, 4), 4); /* 5 6 7 8: the first block, not the second */
    assert_int_equal(x.b.blocks[0], x.a.blocks[0]);
    kv_table_truncate(&x.b, x.p, 0);
    assert_int_equal(kv_table_adopt(&x.b, x.p, other, 16), 12);
    assert_true(kv_table_extend(&x.b, x.p, 1, &copy));
    assert_int_equal(kv_table_adopt(&x.b, x.p, other, 16), 0); /* not from within a block */
    struct kv_table small;
    assert_int_equal(kv_table_open(&small, x.p, 4, NULL), CHOIR_OK);
    assert_int_equal(kv_table_adopt(&small, x.p, text, 16), 4); /* no more than there is room for */
    kv_table_close(&small, x.p);
    close_pair(&x);
}

static void publishing_an_equal_block_keeps_the_older(void **state)
{
    (void)state;
    struct pair x = open_pair(8, 8);
    struct kv_table c;
    struct kv_copy copy;
    assert_int_equal(kv_table_open(&c, x.p, 64, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&x.b, x.p, 9, &copy));
    assert_int_equal(kv_table_fork(&c, &x.b, x.p, NULL), CHOIR_OK);
    kv_table_publish(&x.b, x.p, text);
    assert_memory_equal(x.b.blocks, x.a.blocks, 2 * sizeof(int32_t));
    assert_int_equal(kv_pool_n_free(x.p), 8 - 5); /* c holds the younger ones still */
    kv_table_publish(&c, x.p, text);
    assert_memory_equal(c.blocks, x.a.blocks, 2 * sizeof(int32_t));
    assert_int_equal(kv_pool_n_free(x.p), 8 - 3);
    kv_table_close(&c, x.p);
    close_pair(&x);
}

/* Holding a block that nobody holds would take it from those that can be had, where the younger one stays with a fork. */
static void publishing_takes_no_block(void **state)
{
    (void)state;
    struct pair x = open_pair(4, 4);
    struct kv_table c;
    struct kv_copy copy;
    assert_int_equal(kv_table_open(&c, x.p, 64, NULL), CHOIR_OK);
    kv_table_truncate(&x.a, x.p, 0);
    assert_true(kv_table_extend(&x.b, x.p, 4, &copy));
    assert_int_equal(kv_table_fork(&c, &x.b, x.p, NULL), CHOIR_OK);
    kv_table_publish(&x.b, x.p, text);
    assert_int_equal(kv_pool_n_free(x.p), 3);
    assert_int_equal(kv_pool_n_cached(x.p), 0);
    kv_table_publish(&c, x.p, text);
    assert_int_equal(c.blocks[0], x.b.blocks[0]);
    kv_table_truncate(&x.b, x.p, 0);
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 4), 4);
    kv_table_close(&c, x.p);
    close_pair(&x);
}

static void evicts_what_was_given_back_first_and_ends_before_beginnings(void **state)
{
    (void)state;
    struct pair x = open_pair(6, 16);
    struct kv_copy copy;
    static const int32_t other[] = {0, 0, 0, 0, 0, 0, 0, 0};
    kv_table_truncate(&x.a, x.p, 0);
    assert_int_equal(kv_pool_n_free(x.p), 6);
    assert_int_equal(kv_pool_n_cached(x.p), 4);
    assert_true(kv_table_extend(&x.b, x.p, 8, &copy)); /* the two that are free */
    assert_int_equal(kv_pool_n_cached(x.p), 4);
    kv_table_publish(&x.b, x.p, other);
    assert_int_equal(kv_table_adopt(&x.a, x.p, text, 4), 4); /* used again, and given back last */
    kv_table_truncate(&x.a, x.p, 0);
    kv_table_truncate(&x.b, x.p, 0);
    assert_true(kv_table_extend(&x.b, x.p, 12, &copy)); /* all of the text but its beginning */
    assert_int_equal(kv_table_adopt(&x.a, x.p, text, 16), 4);
    kv_table_truncate(&x.a, x.p, 0);
    kv_table_truncate(&x.b, x.p, 0);
    assert_int_equal(kv_table_adopt(&x.b, x.p, other, 8), 8);
    close_pair(&x);
}

/* Going back into a published block and on from there writes a copy; without a block for that, it is not published any more. */
static void published_blocks_are_not_written(void **state)
{
    (void)state;
    struct pair x = open_pair(3, 8);
    struct kv_copy copy;
    kv_table_truncate(&x.a, x.p, 6);
    assert_int_equal(kv_table_need(&x.a, x.p, 1), 0); /* takes one and leaves one to the cache */
    assert_true(kv_table_extend(&x.a, x.p, 1, &copy));
    assert_int_equal(copy.src, 1);
    assert_int_equal(copy.dst, 2);
    assert_int_equal(kv_pool_n_cached(x.p), 1);
    assert_int_equal(kv_table_adopt(&x.b, x.p, text, 8), 8); /* what it was is there still */
    kv_table_truncate(&x.a, x.p, 0);
    assert_int_equal(kv_pool_n_free(x.p), 1);
    kv_table_truncate(&x.b, x.p, 6);
    assert_true(kv_table_extend(&x.b, x.p, 4, &copy)); /* takes the last one */
    assert_int_equal(copy.src, -1);
    assert_int_equal(x.b.blocks[1], 1);
    assert_false(kv_pool_is_published(x.p, 1));
    assert_true(kv_pool_is_published(x.p, 0));
    close_pair(&x);
}

static void releases_blocks_behind_a_window(void **state)
{
    (void)state;
    struct pair x = open_pair(5, 14);
    struct kv_copy copy;
    kv_table_release(&x.a, x.p, 0, 11);
    assert_int_equal(x.a.blocks[0], -1);
    assert_int_equal(x.a.blocks[1], -1);
    assert_int_equal(x.a.blocks[2], 2); /* position 11 lies in it */
    assert_int_equal(x.a.n_tokens, 14);
    assert_int_equal(kv_pool_n_free(x.p), 3);
    assert_false(kv_table_holds(&x.a, x.p, 7, 14));
    assert_true(kv_table_holds(&x.a, x.p, 8, 14));
    check_pair(&x);
    assert_int_equal(kv_table_fork(&x.b, &x.a, x.p, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&x.b, x.p, 2, &copy));
    assert_int_equal(copy.src, 3);
    assert_int_equal(copy.dst, 4);
    assert_int_equal(kv_table_need(&x.b, x.p, 1), 1);
    assert_true(kv_table_extend(&x.b, x.p, 1, &copy)); /* takes block 0, which was given back first */
    assert_false(kv_pool_is_published(x.p, 2));        /* follows from it */
    check_pair(&x);
    kv_table_publish(&x.b, x.p, (const int32_t[17]){0}); /* and so does this one */
    assert_false(kv_pool_is_published(x.p, 4));
    kv_table_truncate(&x.b, x.p, 0);
    kv_table_release(&x.a, x.p, 4, 12); /* blocks in the middle */
    assert_false(kv_table_holds(&x.a, x.p, 8, 14));
    assert_true(kv_table_holds(&x.a, x.p, 12, 14));
    close_pair(&x);
}

/* Blocks of the middle go, released ones among them; what follows moves up. */
static void cuts_blocks_out(void **state)
{
    (void)state;
    struct pair x = open_pair(8, 0);
    struct kv_copy copy;
    static const int32_t left[] = {0, 3};
    assert_true(kv_table_extend(&x.a, x.p, 14, &copy));
    kv_table_release(&x.a, x.p, 4, 8);
    assert_int_equal(kv_pool_n_free(x.p), 8 - 3);
    kv_table_cut(&x.a, x.p, 1, 2);
    assert_int_equal(kv_pool_n_free(x.p), 8 - 2);
    assert_int_equal(x.a.n_tokens, 6);
    assert_int_equal(x.a.n_blocks, 2);
    assert_memory_equal(x.a.blocks, left, sizeof left);
    close_pair(&x);
}

/* A fork takes references and nothing else: 256 blocks of 16 tokens. */
static void fork_is_quick(void **state)
{
    (void)state;
    struct kv_pool *p;
    struct kv_table a, b;
    struct kv_copy copy;
    uint64_t best = UINT64_MAX;
    assert_int_equal(kv_pool_open(&p, 300, 16, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&a, p, 4800, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&a, p, 4096, &copy));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kv_table_open(&b, p, 4800, NULL), CHOIR_OK);
        uint64_t begun = base_clock_ns();
        assert_int_equal(kv_table_fork(&b, &a, p, NULL), CHOIR_OK);
        uint64_t ns = base_clock_ns() - begun;
        best = ns < best ? ns : best;
        assert_int_equal(kv_pool_n_free(p), 300 - 256);
        kv_table_close(&b, p);
    }
    assert_true(best < 50000);
    kv_table_close(&a, p);
    kv_pool_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_ids_follow_the_calls),
        cmocka_unit_test(fork_shares_and_copies_once),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(check_sees_damage),
        cmocka_unit_test(adopts_the_longest_run_of_full_blocks),
        cmocka_unit_test(publishing_an_equal_block_keeps_the_older),
        cmocka_unit_test(publishing_takes_no_block),
        cmocka_unit_test(evicts_what_was_given_back_first_and_ends_before_beginnings),
        cmocka_unit_test(published_blocks_are_not_written),
        cmocka_unit_test(releases_blocks_behind_a_window),
        cmocka_unit_test(cuts_blocks_out),
        cmocka_unit_test(fork_is_quick),
    };
    return cmocka_run_group_tests_name("block_table", tests, NULL, NULL);
}
