/* The block pool against a naive model: every sequence is a plain array of unique values, and a "cache" indexed by slot is
 * written only where kv_table_extend allows it and copied only as kv_copy says.  Whatever the pool does, each position of
 * each sequence must read back its own value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kv/block_pool.h"

enum { N_SEQS = 12, MAX_TOKENS = 300, OPS = 50000, JUNK = -7 };

struct model {
    struct kv_pool *pool;
    struct kv_table table[N_SEQS];
    int64_t expect[N_SEQS][MAX_TOKENS]; /* value of each position */
    int64_t *cache;                     /* [n_blocks * block_size], by slot */
    int64_t next_value;
    uint64_t rng;
    int n_copies, n_refused, n_forks;
};

static uint32_t rnd(struct model *m, uint32_t n)
{
    m->rng ^= m->rng << 13;
    m->rng ^= m->rng >> 7;
    m->rng ^= m->rng << 17;
    return (uint32_t)((m->rng >> 33) % n);
}

static void check_pool(const struct model *m)
{
    const struct kv_table *tables[N_SEQS];
    for (int s = 0; s < N_SEQS; s++) {
        tables[s] = &m->table[s];
    }
    assert_true(kv_pool_check(m->pool, tables, N_SEQS));
}

static void check_contents(const struct model *m, int seq)
{
    const struct kv_table *t = &m->table[seq];
    for (int32_t pos = 0; pos < t->n_tokens; pos++) {
        assert_int_equal(m->cache[kv_table_slot(t, m->pool, pos)], m->expect[seq][pos]);
    }
}

/* Free blocks belong to nobody: what they hold may be lost at any time. */
static void spoil_free_blocks(struct model *m)
{
    int32_t size = kv_pool_block_size(m->pool);
    for (int32_t block = 0; block < kv_pool_n_blocks(m->pool); block++) {
        for (int32_t i = 0; kv_pool_ref_count(m->pool, block) == 0 && i < size; i++) {
            m->cache[block * size + i] = JUNK;
        }
    }
}

static void check_all(struct model *m)
{
    check_pool(m);
    spoil_free_blocks(m);
    for (int s = 0; s < N_SEQS; s++) {
        check_contents(m, s);
    }
}

static bool last_block_shared(const struct model *m, int seq)
{
    const struct kv_table *t = &m->table[seq];
    int32_t i = t->n_tokens / kv_pool_block_size(m->pool);
    for (int s = 0; s < N_SEQS; s++) {
        const struct kv_table *other = &m->table[s];
        if (s != seq && i < t->n_blocks && i < other->n_blocks && other->blocks[i] == t->blocks[i]) {
            return true;
        }
    }
    return false;
}

static void do_extend(struct model *m, int seq, int32_t n)
{
    struct kv_table *t = &m->table[seq];
    int32_t size = kv_pool_block_size(m->pool);
    int32_t free_before = kv_pool_n_free(m->pool);
    int32_t tokens_before = t->n_tokens;
    int32_t blocks_before = t->n_blocks;
    bool shared = n > 0 && last_block_shared(m, seq);
    int32_t blocks_after = (tokens_before + n + size - 1) / size;
    int32_t need = blocks_after - blocks_before + (shared ? 1 : 0);
    bool fits = need <= free_before && blocks_after <= t->blocks_cap;
    struct kv_copy copy = {.src = 99, .dst = 99};

    assert_int_equal(kv_table_need(t, m->pool, n), need);
    assert_int_equal(kv_table_extend(t, m->pool, n, &copy), fits);
    assert_int_equal(kv_pool_n_free(m->pool), fits ? free_before - need : free_before);
    assert_int_equal(t->n_tokens, fits ? tokens_before + n : tokens_before);
    assert_int_equal(copy.src != -1, fits && shared);
    if (!fits) {
        assert_int_equal(t->n_blocks, blocks_before);
        m->n_refused++;
        return;
    }
    if (copy.src != -1) {
        m->n_copies++;
        memcpy(&m->cache[copy.dst * size], &m->cache[copy.src * size], (size_t)size * sizeof m->cache[0]);
    }
    for (int32_t pos = tokens_before; pos < t->n_tokens; pos++) {
        m->expect[seq][pos] = m->next_value++;
        m->cache[kv_table_slot(t, m->pool, pos)] = m->expect[seq][pos];
    }
}

static void do_truncate(struct model *m, int seq)
{
    struct kv_table *t = &m->table[seq];
    uint32_t most = (uint32_t)t->n_tokens;
    if (most > 8 && rnd(m, 4) != 0) {
        most = 8; /* mostly an undo of a few tokens, so that sequences grow long */
    }
    kv_table_truncate(t, m->pool, t->n_tokens - (int32_t)rnd(m, most + 1));
}

static void do_fork(struct model *m, int from, int to)
{
    if (from == to) {
        return;
    }
    int32_t free_before = kv_pool_n_free(m->pool);
    int32_t given_back = free_before;
    kv_table_truncate(&m->table[to], m->pool, 0);
    given_back = kv_pool_n_free(m->pool);
    assert_int_equal(kv_table_fork(&m->table[to], &m->table[from], m->pool, NULL), CHOIR_OK);
    assert_int_equal(kv_pool_n_free(m->pool), given_back); /* sharing takes no block */
    memcpy(m->expect[to], m->expect[from], sizeof m->expect[to]);
    m->n_forks++;
}

static void do_reopen(struct model *m, int seq)
{
    kv_table_close(&m->table[seq], m->pool);
    assert_null(m->table[seq].blocks);
    assert_int_equal(kv_table_open(&m->table[seq], m->pool, MAX_TOKENS, NULL), CHOIR_OK);
}

static void step(struct model *m)
{
    int seq = (int)rnd(m, N_SEQS);
    uint32_t what = rnd(m, 100);
    if (what < 50) { /* decode */
        do_extend(m, seq, m->table[seq].n_tokens < MAX_TOKENS ? 1 : 0);
    } else if (what < 65) { /* prefill */
        int32_t room = MAX_TOKENS - m->table[seq].n_tokens;
        do_extend(m, seq, (int32_t)rnd(m, (uint32_t)(room < 90 ? room : 90) + 1));
    } else if (what < 80) {
        do_truncate(m, seq);
    } else if (what < 95) {
        do_fork(m, seq, (int)rnd(m, N_SEQS));
    } else {
        do_reopen(m, seq);
    }
    check_contents(m, (int)rnd(m, N_SEQS));
}

static void run_random(int32_t block_size, int32_t n_blocks)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->rng = 0x9E3779B97F4A7C15u ^ (uint64_t)(block_size * 100003 + n_blocks);
    m->next_value = 1;
    m->cache = calloc((size_t)block_size * (size_t)n_blocks, sizeof *m->cache);
    assert_non_null(m->cache);
    assert_int_equal(kv_pool_open(&m->pool, n_blocks, block_size, NULL), CHOIR_OK);
    for (int s = 0; s < N_SEQS; s++) {
        assert_int_equal(kv_table_open(&m->table[s], m->pool, MAX_TOKENS, NULL), CHOIR_OK);
    }
    for (int i = 0; i < OPS; i++) {
        step(m);
        if (i % 100 == 0) {
            check_all(m);
        }
    }
    check_all(m);
    assert_true(m->n_forks > OPS / 20);
    if (block_size == 1) {
        assert_int_equal(m->n_copies, 0); /* a block of one token is never half full */
    } else if (n_blocks >= 3) {
        assert_true(m->n_copies > OPS / 1000);
    }
    if (n_blocks * block_size <= MAX_TOKENS) {
        assert_true(m->n_refused > OPS / 100);
    }
    for (int s = 0; s < N_SEQS; s++) {
        kv_table_close(&m->table[s], m->pool);
    }
    assert_int_equal(kv_pool_n_free(m->pool), n_blocks);
    assert_true(kv_pool_check(m->pool, NULL, 0));
    kv_pool_close(m->pool);
    free(m->cache);
    free(m);
}

/* 20 pools of 50,000 operations: from pools that hold nearly nothing to some that are never full. */
static void random_block_1(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 7, 100, 600, 4000};
    for (size_t i = 0; i < 5; i++) {
        run_random(1, n_blocks[i]);
    }
}

static void random_block_2(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 5, 60, 300, 2000};
    for (size_t i = 0; i < 5; i++) {
        run_random(2, n_blocks[i]);
    }
}

static void random_block_16(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 3, 20, 64, 300};
    for (size_t i = 0; i < 5; i++) {
        run_random(16, n_blocks[i]);
    }
}

static void random_block_64(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 2, 13, 30, 80};
    for (size_t i = 0; i < 5; i++) {
        run_random(64, n_blocks[i]);
    }
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_ids_follow_the_calls),
        cmocka_unit_test(fork_shares_and_copies_once),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(check_sees_damage),
        cmocka_unit_test(random_block_1),
        cmocka_unit_test(random_block_2),
        cmocka_unit_test(random_block_16),
        cmocka_unit_test(random_block_64),
    };
    return cmocka_run_group_tests_name("block_pool", tests, NULL, NULL);
}
