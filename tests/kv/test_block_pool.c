/* The block pool against a naive model: every sequence is a plain array of tokens, what is computed of a position is a hash of
 * all tokens up to it, and a "cache" indexed by slot is written only where kv_table_extend allows it and copied only as
 * kv_copy says.  Whatever the pool does, whatever is shared, adopted, evicted or released, each position that a sequence holds
 * must read back what is computed of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kv/block_pool.h"

enum { N_SEQS = 12, MAX_TOKENS = 300, OPS = 50000, JUNK = -7, WATCHED_BLOCKS = 300 };

struct model {
    struct kv_pool *pool;
    struct kv_table table[N_SEQS];
    int32_t ids[N_SEQS][MAX_TOKENS];
    int64_t expect[N_SEQS][MAX_TOKENS]; /* value of each position */
    int64_t *cache;                     /* [n_blocks * block_size], by slot */
    int32_t window;                     /* > 0: what lies before it is released; 0: nothing is */
    uint64_t rng;
    /* Of pools with at most WATCHED_BLOCKS blocks: when each became cached, 0 for one that is not. */
    int since[WATCHED_BLOCKS];
    int op;
    int n_copies, n_refused, n_forks, n_adopted, n_evicted, n_released, n_swapped;
};

static uint32_t rnd(struct model *m, uint32_t n)
{
    m->rng ^= m->rng << 13;
    m->rng ^= m->rng >> 7;
    m->rng ^= m->rng << 17;
    return (uint32_t)((m->rng >> 33) % n);
}

/* Tokens of positions from .. to-1: mostly those of one text, so that sequences often begin alike. */
static void write_ids(struct model *m, int seq, int32_t from, int32_t to)
{
    for (int32_t pos = from; pos < to; pos++) {
        m->ids[seq][pos] = rnd(m, 100) == 0 ? (int32_t)rnd(m, 3) : pos % 5;
        uint64_t before = pos > 0 ? (uint64_t)m->expect[seq][pos - 1] : 0x243F6A8885A308D3u;
        uint64_t x = (before ^ (uint64_t)(m->ids[seq][pos] + 1)) * 0x9E3779B97F4A7C15u;
        m->expect[seq][pos] = (int64_t)((x ^ x >> 29) >> 1); /* never JUNK */
    }
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
        if (t->blocks[pos / kv_pool_block_size(m->pool)] != -1) {
            assert_int_equal(m->cache[kv_table_slot(t, m->pool, pos)], m->expect[seq][pos]);
        }
    }
}

/* Free blocks belong to nobody: what they hold may be lost at any time. */
static void spoil_free_blocks(struct model *m)
{
    int32_t size = kv_pool_block_size(m->pool);
    for (int32_t block = 0; block < kv_pool_n_blocks(m->pool); block++) {
        bool is_free = kv_pool_ref_count(m->pool, block) == 0 && !kv_pool_is_published(m->pool, block);
        for (int32_t i = 0; is_free && i < size; i++) {
            m->cache[block * size + i] = JUNK;
        }
    }
}

/* No sequence wastes more than the rest of its last block. */
static void check_waste(const struct model *m)
{
    int32_t most = 0;
    for (int s = 0; s < N_SEQS; s++) {
        int32_t waste = m->table[s].n_blocks * kv_pool_block_size(m->pool) - m->table[s].n_tokens;
        assert_in_range(waste, 0, kv_pool_block_size(m->pool) - 1);
        most += m->table[s].n_blocks;
    }
    assert_true(kv_pool_n_blocks(m->pool) - kv_pool_n_free(m->pool) <= most);
}

static void check_all(struct model *m)
{
    check_pool(m);
    check_waste(m);
    spoil_free_blocks(m);
    for (int s = 0; s < N_SEQS; s++) {
        check_contents(m, s);
    }
}

static bool is_cached(const struct model *m, int32_t block)
{
    return kv_pool_ref_count(m->pool, block) == 0 && kv_pool_is_published(m->pool, block);
}

/* Notes which blocks became cached, or ceased to be, in this operation. */
static void watch(struct model *m)
{
    m->op++;
    for (int32_t block = 0; kv_pool_n_blocks(m->pool) <= WATCHED_BLOCKS && block < kv_pool_n_blocks(m->pool); block++) {
        bool cached = is_cached(m, block);
        m->since[block] = !cached ? 0 : m->since[block] > 0 ? m->since[block] : m->op;
    }
}

/* Cached blocks go where `taken` blocks were more than `n_free` free ones, the oldest first, and no more of them. */
static void check_evictions(struct model *m, int32_t taken, int32_t n_free)
{
    int lost = 0, youngest = 0, oldest_left = INT32_MAX;
    if (kv_pool_n_blocks(m->pool) > WATCHED_BLOCKS) {
        return;
    }
    for (int32_t block = 0; block < kv_pool_n_blocks(m->pool); block++) {
        int since = m->since[block];
        if (since > 0 && !is_cached(m, block)) {
            lost++;
            youngest = since > youngest ? since : youngest;
        } else if (since > 0 && since < oldest_left) {
            oldest_left = since;
        }
    }
    m->n_evicted += lost;
    if (taken <= n_free) {
        assert_int_equal(lost, 0);
    } else if (m->window == 0) { /* else what follows from an evicted block goes with it */
        assert_int_equal(lost, taken - n_free);
        assert_true(youngest <= oldest_left);
    }
}

/* How many tables hold the block that the next position lies in; *published: whether it can be found. */
static int next_block_holders(const struct model *m, int seq, bool *published)
{
    const struct kv_table *t = &m->table[seq];
    int32_t i = t->n_tokens / kv_pool_block_size(m->pool);
    int n = 0;
    *published = i < t->n_blocks && kv_pool_is_published(m->pool, t->blocks[i]);
    for (int s = 0; i < t->n_blocks && s < N_SEQS; s++) {
        const struct kv_table *other = &m->table[s];
        n += i < other->n_blocks && other->blocks[i] == t->blocks[i];
    }
    return n;
}

/* Computes the positions from `from` on. */
static void compute(struct model *m, int seq, int32_t from)
{
    const struct kv_table *t = &m->table[seq];
    for (int32_t pos = from; pos < t->n_tokens; pos++) {
        m->cache[kv_table_slot(t, m->pool, pos)] = m->expect[seq][pos];
    }
}

static void do_publish(struct model *m, int seq)
{
    struct kv_table *t = &m->table[seq];
    int32_t free_before = kv_pool_n_free(m->pool);
    kv_table_publish(t, m->pool, m->ids[seq]);
    assert_true(kv_pool_n_free(m->pool) >= free_before); /* more where an equal block was there */
    m->n_swapped += kv_pool_n_free(m->pool) - free_before;
    if (m->window > 0 && t->n_tokens > m->window) {
        kv_table_release(t, m->pool, 0, t->n_tokens - m->window);
        assert_true(kv_table_holds(t, m->pool, t->n_tokens - m->window, t->n_tokens));
        m->n_released++;
    }
}

static void do_extend(struct model *m, int seq, int32_t n)
{
    struct kv_table *t = &m->table[seq];
    int32_t size = kv_pool_block_size(m->pool);
    int32_t free_before = kv_pool_n_free(m->pool), cached_before = kv_pool_n_cached(m->pool);
    int32_t tokens_before = t->n_tokens, blocks_before = t->n_blocks;
    bool published = false;
    int holders = n > 0 ? next_block_holders(m, seq, &published) : 0;
    int32_t blocks_after = (tokens_before + n + size - 1) / size;
    int32_t need = blocks_after - blocks_before + (holders > 1 ? 1 : 0);
    bool fits = need <= free_before && blocks_after <= t->blocks_cap;
    bool copies = holders > 1 || (holders == 1 && published && need < free_before);
    struct kv_copy copy = {.src = 99, .dst = 99};

    assert_int_equal(kv_table_need(t, m->pool, n), need);
    assert_int_equal(kv_table_extend(t, m->pool, n, &copy), fits);
    assert_int_equal(kv_pool_n_free(m->pool), fits ? free_before - need : free_before);
    assert_int_equal(t->n_tokens, fits ? tokens_before + n : tokens_before);
    assert_int_equal(copy.src != -1, fits && copies);
    if (!fits) {
        assert_int_equal(t->n_blocks, blocks_before);
        m->n_refused++;
        return;
    }
    check_evictions(m, blocks_after - blocks_before + (copies ? 1 : 0), free_before - cached_before);
    if (copy.src != -1) {
        m->n_copies++;
        memcpy(&m->cache[copy.dst * size], &m->cache[copy.src * size], (size_t)size * sizeof m->cache[0]);
    }
    write_ids(m, seq, tokens_before, t->n_tokens);
    compute(m, seq, tokens_before);
    if (rnd(m, 8) != 0) { /* else a later one publishes it */
        do_publish(m, seq);
    }
}

/* Whether a published block holds what is to be computed of the block of positions from `from` on. */
static bool somewhere(const struct model *m, int seq, int32_t from)
{
    int32_t size = kv_pool_block_size(m->pool);
    for (int32_t block = 0; block < kv_pool_n_blocks(m->pool); block++) {
        if (m->cache[block * size] == m->expect[seq][from] && kv_pool_is_published(m->pool, block) &&
            memcmp(&m->cache[block * size], &m->expect[seq][from], (size_t)size * sizeof m->cache[0]) == 0) {
            return true;
        }
    }
    return false;
}

/* A new text: the longest run of published blocks is found, and nothing else. */
static void do_adopt(struct model *m, int seq)
{
    struct kv_table *t = &m->table[seq];
    int32_t size = kv_pool_block_size(m->pool);
    if (rnd(m, 2) == 0) {
        kv_table_truncate(t, m->pool, 0);
    }
    int32_t before = t->n_tokens, n = before + (int32_t)rnd(m, (uint32_t)(MAX_TOKENS - before) + 1);
    bool goes_on = t->n_published * size == before &&
                   (before == 0 ||
                    (t->blocks[t->n_blocks - 1] != -1 && kv_pool_is_published(m->pool, t->blocks[t->n_blocks - 1])));
    write_ids(m, seq, before, n);
    int32_t adopted = kv_table_adopt(t, m->pool, m->ids[seq], n);
    assert_int_equal(t->n_tokens, before + adopted);
    assert_true(t->n_tokens <= n || adopted == 0);
    assert_int_equal(adopted % size, 0);
    assert_true(goes_on || adopted == 0);
    if (goes_on && t->n_tokens + size <= n) {
        assert_false(somewhere(m, seq, t->n_tokens));
    }
    check_contents(m, seq);
    m->n_adopted += adopted > 0;
}

static void do_truncate(struct model *m, int seq)
{
    struct kv_table *t = &m->table[seq];
    uint32_t most = (uint32_t)t->n_tokens;
    if (most > 8 && rnd(m, 4) != 0) {
        most = 8; /* mostly an undo of a few tokens, so that sequences grow long */
    }
    int32_t n = t->n_tokens - (int32_t)rnd(m, most + 1);
    int32_t seen = m->window > 0 && n > m->window ? n - m->window : 0;
    kv_table_truncate(t, m->pool, kv_table_holds(t, m->pool, seen, n) ? n : 0);
}

static void do_fork(struct model *m, int from, int to)
{
    if (from == to) {
        return;
    }
    kv_table_truncate(&m->table[to], m->pool, 0);
    int32_t given_back = kv_pool_n_free(m->pool);
    assert_int_equal(kv_table_fork(&m->table[to], &m->table[from], m->pool, NULL), CHOIR_OK);
    assert_int_equal(kv_pool_n_free(m->pool), given_back); /* sharing takes no block */
    memcpy(m->ids[to], m->ids[from], sizeof m->ids[to]);
    memcpy(m->expect[to], m->expect[from], sizeof m->expect[to]);
    m->n_forks++;
}

static void do_reopen(struct model *m, int seq)
{
    kv_table_close(&m->table[seq], m->pool);
    assert_null(m->table[seq].blocks);
    assert_int_equal(kv_table_open(&m->table[seq], m->pool, MAX_TOKENS, NULL), CHOIR_OK);
}

/* Of tables that nothing was published of: the rest stays in place. */
static void do_cut(struct model *m, int seq)
{
    struct kv_table *t = &m->table[seq];
    const int32_t size = kv_pool_block_size(m->pool), n_full = t->n_tokens / size;
    const int32_t first = (int32_t)rnd(m, (uint32_t)n_full + 1), n = (int32_t)rnd(m, (uint32_t)(n_full - first) + 1);
    if (t->n_published > 0) {
        return;
    }
    const int32_t tokens_before = t->n_tokens, at = first * size, cut = n * size;
    kv_table_cut(t, m->pool, first, n);
    assert_int_equal(t->n_tokens, tokens_before - cut);
    memmove(m->expect[seq] + at, m->expect[seq] + at + cut, (size_t)(t->n_tokens - at) * sizeof m->expect[seq][0]);
    check_contents(m, seq);
    kv_table_truncate(t, m->pool, 0); /* what follows is about texts that have a beginning */
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
    } else if (what < 77) {
        do_truncate(m, seq);
    } else if (what < 85) {
        do_adopt(m, seq);
    } else if (what < 95) {
        do_fork(m, seq, (int)rnd(m, N_SEQS));
    } else if (what < 97) {
        do_cut(m, seq);
    } else {
        do_reopen(m, seq);
    }
    check_contents(m, (int)rnd(m, N_SEQS));
    watch(m);
}

/* Enough of everything happened. */
static void check_counts(const struct model *m)
{
    int32_t size = kv_pool_block_size(m->pool), n_blocks = kv_pool_n_blocks(m->pool);
    bool tight = n_blocks * size <= MAX_TOKENS;
    assert_true(m->n_forks > OPS / 20);
    if (size == 1) {
        assert_int_equal(m->n_copies, 0); /* a block of one token is never half full */
    } else if (n_blocks >= 3) {
        assert_true(m->n_copies > OPS / 1000);
    }
    if (n_blocks >= 3) {
        assert_true(m->n_adopted > OPS / 1000 && m->n_swapped > 0);
    }
    if (m->window > 0) {
        assert_true(m->n_released > (n_blocks * size > 2 * m->window ? OPS / 100 : -1));
    } else if (tight) {
        assert_true(m->n_refused > OPS / 100);
    }
    if (n_blocks >= 7 && tight) {
        assert_true(m->n_evicted > OPS / 1000);
    }
}

static void run_random(int32_t block_size, int32_t n_blocks, int32_t window)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->rng = 0x9E3779B97F4A7C15u ^ (uint64_t)(block_size * 100003 + n_blocks);
    m->window = window;
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
    check_counts(m);
    for (int s = 0; s < N_SEQS; s++) {
        kv_table_close(&m->table[s], m->pool);
    }
    assert_int_equal(kv_pool_n_free(m->pool), n_blocks);
    assert_true(kv_pool_check(m->pool, NULL, 0));
    kv_pool_close(m->pool);
    free(m->cache);
    free(m);
}

enum { WINDOW = 40 };

/* 20 pools of 50,000 operations, and the same again with a window: from pools that hold nearly nothing to some that are never full. */
static void random_block_1(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 7, 100, 600, 4000};
    for (size_t i = 0; i < 5; i++) {
        run_random(1, n_blocks[i], 0);
        run_random(1, n_blocks[i], WINDOW);
    }
}

static void random_block_2(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 5, 60, 300, 2000};
    for (size_t i = 0; i < 5; i++) {
        run_random(2, n_blocks[i], 0);
        run_random(2, n_blocks[i], WINDOW);
    }
}

static void random_block_16(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 3, 20, 64, 300};
    for (size_t i = 0; i < 5; i++) {
        run_random(16, n_blocks[i], 0);
        run_random(16, n_blocks[i], WINDOW);
    }
}

static void random_block_64(void **state)
{
    (void)state;
    const int32_t n_blocks[] = {1, 2, 13, 30, 80};
    for (size_t i = 0; i < 5; i++) {
        run_random(64, n_blocks[i], 0);
        run_random(64, n_blocks[i], WINDOW);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_block_1),
        cmocka_unit_test(random_block_2),
        cmocka_unit_test(random_block_16),
        cmocka_unit_test(random_block_64),
    };
    return cmocka_run_group_tests_name("block_pool", tests, NULL, NULL);
}
