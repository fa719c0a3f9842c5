/* Blocks and who holds them.
 *
 * Invariants (kv_pool_check tests them):
 *   - a block is either in the free list, once, with ref_count 0, or held by exactly ref_count tables;
 *   - a table holds ceil(n_tokens / block_size) blocks, all different;
 *   - only the last block of a table can be partly filled, so an extension writes into at most one block that exists.
 * The free list is a stack: the block given back last is taken first, so block ids depend on the calls alone.  A fresh
 * pool hands out 0, 1, 2, ...  Every operation costs O(1) for each block it touches. */
#include "kv/block_pool.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/error.h"

enum { BLOCK_SIZE_MAX = 256 };

struct kv_pool {
    int32_t n_blocks;
    int32_t block_size;
    int32_t shift;      /* block_size == 1 << shift */
    int32_t n_free;     /* blocks in free_list */
    int32_t *free_list; /* [n_free], room for n_blocks; the last one is taken next */
    int32_t *ref_count; /* [n_blocks] */
};

/* Blocks that n_tokens positions take. */
static int64_t blocks_for(const struct kv_pool *p, int64_t n_tokens)
{
    return (n_tokens + p->block_size - 1) >> p->shift;
}

static int32_t take(struct kv_pool *p)
{
    assert(p->n_free > 0);
    int32_t block = p->free_list[--p->n_free];
    assert(p->ref_count[block] == 0);
    p->ref_count[block] = 1;
    return block;
}

static void give(struct kv_pool *p, int32_t block)
{
    assert(p->ref_count[block] > 0);
    if (--p->ref_count[block] == 0) {
        p->free_list[p->n_free++] = block;
    }
}

/* The next position lies in a block that other tables hold as well. */
static bool writes_shared(const struct kv_table *t, const struct kv_pool *p)
{
    int32_t i = t->n_tokens >> p->shift;
    return i < t->n_blocks && p->ref_count[t->blocks[i]] > 1;
}

choir_status kv_pool_open(struct kv_pool **out, int32_t n_blocks, int32_t block_size, choir_error *err)
{
    *out = NULL;
    assert(n_blocks >= 1);
    assert(block_size >= 1 && block_size <= BLOCK_SIZE_MAX && (block_size & (block_size - 1)) == 0);
    struct kv_pool *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return base_fail_memory(err, sizeof *p, "the block pool");
    }
    size_t n = (size_t)n_blocks;
    p->free_list = calloc(n, sizeof *p->free_list);
    p->ref_count = calloc(n, sizeof *p->ref_count);
    if (p->free_list == NULL || p->ref_count == NULL) {
        kv_pool_close(p);
        return base_fail_memory(err, n * 2 * sizeof *p->free_list, "the block pool");
    }
    p->n_blocks = n_blocks;
    p->block_size = block_size;
    while (1 << p->shift < block_size) {
        p->shift++;
    }
    for (int32_t block = n_blocks - 1; block >= 0; block--) {
        p->free_list[p->n_free++] = block;
    }
    *out = p;
    return CHOIR_OK;
}

void kv_pool_close(struct kv_pool *p)
{
    if (p != NULL) {
        free(p->free_list);
        free(p->ref_count);
        free(p);
    }
}

int32_t kv_pool_n_blocks(const struct kv_pool *p)
{
    return p->n_blocks;
}

int32_t kv_pool_n_free(const struct kv_pool *p)
{
    return p->n_free;
}

int32_t kv_pool_block_size(const struct kv_pool *p)
{
    return p->block_size;
}

int32_t kv_pool_ref_count(const struct kv_pool *p, int32_t block)
{
    assert(block >= 0 && block < p->n_blocks);
    return p->ref_count[block];
}

choir_status kv_table_open(struct kv_table *t, const struct kv_pool *p, int32_t max_tokens, choir_error *err)
{
    *t = (struct kv_table){0};
    assert(max_tokens >= 0);
    int32_t cap = (int32_t)blocks_for(p, max_tokens);
    size_t room = cap > 0 ? (size_t)cap : 1;
    t->blocks = calloc(room, sizeof *t->blocks);
    if (t->blocks == NULL) {
        return base_fail_memory(err, room * sizeof *t->blocks, "a block table");
    }
    t->blocks_cap = cap;
    return CHOIR_OK;
}

void kv_table_close(struct kv_table *t, struct kv_pool *p)
{
    if (t != NULL && t->blocks != NULL) {
        kv_table_truncate(t, p, 0);
        free(t->blocks);
        *t = (struct kv_table){0};
    }
}

int32_t kv_table_need(const struct kv_table *t, const struct kv_pool *p, int32_t n)
{
    assert(n >= 0);
    if (n == 0) {
        return 0;
    }
    int64_t fresh = blocks_for(p, (int64_t)t->n_tokens + n) - t->n_blocks;
    return (int32_t)(fresh + (writes_shared(t, p) ? 1 : 0));
}

bool kv_table_extend(struct kv_table *t, struct kv_pool *p, int32_t n, struct kv_copy *copy)
{
    *copy = (struct kv_copy){.src = -1, .dst = -1};
    int64_t n_tokens = (int64_t)t->n_tokens + n;
    int64_t n_blocks = blocks_for(p, n_tokens);
    if (n_tokens > INT32_MAX || n_blocks > t->blocks_cap || kv_table_need(t, p, n) > p->n_free) {
        return false;
    }
    if (n > 0 && writes_shared(t, p)) {
        int32_t *last = &t->blocks[t->n_tokens >> p->shift];
        copy->src = *last;
        copy->dst = take(p);
        give(p, copy->src); /* others hold it still: its bytes stay until they have been copied */
        *last = copy->dst;
    }
    while (t->n_blocks < n_blocks) {
        t->blocks[t->n_blocks++] = take(p);
    }
    t->n_tokens = (int32_t)n_tokens;
    return true;
}

void kv_table_truncate(struct kv_table *t, struct kv_pool *p, int32_t n_tokens)
{
    assert(n_tokens >= 0 && n_tokens <= t->n_tokens);
    int64_t n_blocks = blocks_for(p, n_tokens);
    while (t->n_blocks > n_blocks) {
        give(p, t->blocks[--t->n_blocks]);
    }
    t->n_tokens = n_tokens;
}

choir_status kv_table_fork(struct kv_table *dst, const struct kv_table *src, struct kv_pool *p, choir_error *err)
{
    assert(dst->n_blocks == 0 && dst->n_tokens == 0);
    if (dst->blocks_cap < src->n_blocks) {
        return base_fail(err, CHOIR_RESOURCE, "fork: the block table has room for %d blocks, %d are needed",
                         (int)dst->blocks_cap, (int)src->n_blocks);
    }
    for (int32_t i = 0; i < src->n_blocks; i++) {
        assert(p->ref_count[src->blocks[i]] < INT32_MAX);
        p->ref_count[src->blocks[i]]++;
        dst->blocks[i] = src->blocks[i];
    }
    dst->n_blocks = src->n_blocks;
    dst->n_tokens = src->n_tokens;
    return CHOIR_OK;
}

int64_t kv_table_slot(const struct kv_table *t, const struct kv_pool *p, int32_t pos)
{
    assert(pos >= 0 && pos < t->n_tokens);
    return (int64_t)t->blocks[pos >> p->shift] * p->block_size + (pos & (p->block_size - 1));
}

/* Counts each table's blocks into holders[]; false when a table is inconsistent in itself. */
static bool count_holders(const struct kv_pool *p, const struct kv_table *t, int32_t *holders)
{
    if (t->n_tokens < 0 || t->n_blocks > t->blocks_cap || t->n_blocks != blocks_for(p, t->n_tokens)) {
        return false;
    }
    for (int32_t i = 0; i < t->n_blocks; i++) {
        if (t->blocks[i] < 0 || t->blocks[i] >= p->n_blocks) {
            return false;
        }
        holders[t->blocks[i]]++;
    }
    return true;
}

bool kv_pool_check(const struct kv_pool *p, const struct kv_table *const *tables, int n_tables)
{
    int32_t *holders = calloc((size_t)p->n_blocks, sizeof *holders);
    if (holders == NULL) {
        return false;
    }
    bool ok = p->n_free >= 0 && p->n_free <= p->n_blocks;
    for (int i = 0; ok && i < n_tables; i++) {
        ok = count_holders(p, tables[i], holders);
    }
    for (int32_t block = 0; ok && block < p->n_blocks; block++) {
        ok = holders[block] == p->ref_count[block];
    }
    /* A free block is marked -1 when it is met, so that meeting it again shows. */
    for (int32_t i = 0; ok && i < p->n_free; i++) {
        int32_t block = p->free_list[i];
        ok = block >= 0 && block < p->n_blocks && holders[block] == 0;
        if (ok) {
            holders[block] = -1;
        }
    }
    for (int32_t block = 0; ok && block < p->n_blocks; block++) {
        ok = holders[block] != 0; /* neither held nor free: leaked */
    }
    free(holders);
    return ok;
}
