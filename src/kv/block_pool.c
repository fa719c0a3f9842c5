/* Blocks and who holds them.
 *
 * Invariants (kv_pool_check tests them):
 *   - a block is in the free list, once, with ref_count 0 and not published; or in the list of cached ones, once, with
 *     ref_count 0 and published; or held by exactly ref_count tables;
 *   - a table holds ceil(n_tokens / block_size) blocks, all different, less those it released;
 *   - only the last block of a table can be partly filled, so an extension writes into at most one block that exists;
 *   - the first n_published blocks of a table that released none are published, each the parent of the next.  So who holds a
 *     published block holds its parent, and as tables give back from the last block to the first, a cached block lies in
 *     the list behind all cached ones that follow from it: the first of the list has no children.
 * After a release a parent may lie before its children; when it is taken, they are unpublished with it, held or not.
 * The free list is a stack: the block given back last is taken first, so block ids depend on the calls alone.  A fresh
 * pool hands out 0, 1, 2, ...  Every operation costs O(1) for each block it touches; nothing is allocated once the
 * pool is open. */
#include "kv/block_pool.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kv/prefix_index.h"

enum { BLOCK_SIZE_MAX = 256, NONE = -1 };

/* A cached block's place in the list of cached blocks. */
struct place {
    int32_t before, after;
};

struct kv_pool {
    int32_t n_blocks;
    int32_t block_size;
    int32_t shift;      /* block_size == 1 << shift */
    int32_t n_free;     /* blocks in free_list */
    int32_t *free_list; /* [n_free], room for n_blocks; the last one is taken next */
    int32_t *ref_count; /* [n_blocks] */
    struct kv_index *index;
    struct place *cached; /* [n_blocks]; the list runs from the block given back first to the one given back last */
    int32_t cached_first, cached_last;
    int32_t n_cached;
};

/* Blocks that n_tokens positions take. */
static int64_t blocks_for(const struct kv_pool *p, int64_t n_tokens)
{
    return (n_tokens + p->block_size - 1) >> p->shift;
}

/* ---- cached blocks ---- */

static void cache_push(struct kv_pool *p, int32_t block)
{
    p->cached[block] = (struct place){.before = p->cached_last, .after = NONE};
    *(p->cached_last != NONE ? &p->cached[p->cached_last].after : &p->cached_first) = block;
    p->cached_last = block;
    p->n_cached++;
}

static void cache_remove(struct kv_pool *p, int32_t block)
{
    const struct place at = p->cached[block];
    *(at.before != NONE ? &p->cached[at.before].after : &p->cached_first) = at.after;
    *(at.after != NONE ? &p->cached[at.after].before : &p->cached_last) = at.before;
    p->n_cached--;
}

/* Unpublishes block and all that follow from it, leaves first; those that nobody holds become free. */
static void forget(struct kv_pool *p, int32_t block)
{
    int32_t leaf = NONE, at = block;
    while (leaf != block) {
        leaf = kv_index_leaf(p->index, at);
        at = kv_index_parent(p->index, leaf);
        kv_index_remove(p->index, leaf);
        if (p->ref_count[leaf] == 0) {
            cache_remove(p, leaf);
            p->free_list[p->n_free++] = leaf;
        }
    }
}

/* ---- taking and giving ---- */

static int32_t take(struct kv_pool *p)
{
    if (p->n_free == 0) {
        assert(p->n_cached > 0);
        forget(p, p->cached_first);
    }
    int32_t block = p->free_list[--p->n_free];
    assert(p->ref_count[block] == 0);
    p->ref_count[block] = 1;
    return block;
}

/* One holder more of a block that is held or cached. */
static void share(struct kv_pool *p, int32_t block)
{
    assert(p->ref_count[block] < INT32_MAX);
    if (p->ref_count[block]++ == 0) {
        cache_remove(p, block);
    }
}

static void give(struct kv_pool *p, int32_t block)
{
    assert(p->ref_count[block] > 0);
    if (--p->ref_count[block] > 0) {
        return;
    }
    if (kv_index_has(p->index, block)) {
        cache_push(p, block);
    } else {
        p->free_list[p->n_free++] = block;
    }
}

/* The block that the next position lies in, if the table has it already; else NONE. */
static int32_t next_block(const struct kv_table *t, const struct kv_pool *p)
{
    int32_t i = t->n_tokens >> p->shift;
    assert(i >= t->n_blocks || t->blocks[i] >= 0); /* released */
    return i < t->n_blocks ? t->blocks[i] : NONE;
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
    p->cached = calloc(n, sizeof *p->cached);
    if (p->free_list == NULL || p->ref_count == NULL || p->cached == NULL) {
        kv_pool_close(p);
        return base_fail_memory(err, n * 4 * sizeof *p->free_list, "the block pool");
    }
    choir_status status = kv_index_open(&p->index, n_blocks, block_size, err);
    if (status != CHOIR_OK) {
        kv_pool_close(p);
        return status;
    }
    p->cached_first = p->cached_last = NONE;
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
        free(p->cached);
        kv_index_close(p->index);
        free(p);
    }
}

int32_t kv_pool_n_blocks(const struct kv_pool *p)
{
    return p->n_blocks;
}

int32_t kv_pool_n_free(const struct kv_pool *p)
{
    return p->n_free + p->n_cached;
}

int32_t kv_pool_n_cached(const struct kv_pool *p)
{
    return p->n_cached;
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

bool kv_pool_is_published(const struct kv_pool *p, int32_t block)
{
    assert(block >= 0 && block < p->n_blocks);
    return kv_index_has(p->index, block);
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

/* A copy of a block that nobody else holds takes a block and gives one back, to be cached. */
int32_t kv_table_need(const struct kv_table *t, const struct kv_pool *p, int32_t n)
{
    assert(n >= 0);
    if (n == 0) {
        return 0;
    }
    int64_t fresh = blocks_for(p, (int64_t)t->n_tokens + n) - t->n_blocks;
    int32_t next = next_block(t, p);
    return (int32_t)(fresh + (next != NONE && p->ref_count[next] > 1 ? 1 : 0));
}

/* Makes the block that the next position lies in the table's own and unpublished.  need: of the extension at hand. */
static void own_next_block(struct kv_table *t, struct kv_pool *p, int32_t need, struct kv_copy *copy)
{
    int32_t block = next_block(t, p);
    if (block == NONE) {
        return;
    }
    if (p->ref_count[block] == 1 && kv_index_has(p->index, block) && need == kv_pool_n_free(p)) {
        forget(p, block); /* no room to keep it beside its copy */
    }
    if (p->ref_count[block] > 1 || kv_index_has(p->index, block)) {
        copy->src = block;
        copy->dst = take(p);
        give(p, block); /* held by others or cached: its bytes stay until they have been copied */
        t->blocks[t->n_tokens >> p->shift] = copy->dst;
    }
}

bool kv_table_extend(struct kv_table *t, struct kv_pool *p, int32_t n, struct kv_copy *copy)
{
    *copy = (struct kv_copy){.src = NONE, .dst = NONE};
    int64_t n_tokens = (int64_t)t->n_tokens + n;
    int64_t n_blocks = blocks_for(p, n_tokens);
    if (n_tokens > INT32_MAX || n_blocks > t->blocks_cap) {
        return false;
    }
    int32_t need = kv_table_need(t, p, n);
    if (need > kv_pool_n_free(p)) {
        return false;
    }
    if (n > 0) {
        own_next_block(t, p, need, copy);
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
        int32_t block = t->blocks[--t->n_blocks];
        if (block != NONE) {
            give(p, block);
        }
    }
    t->n_tokens = n_tokens;
    int32_t n_full = n_tokens >> p->shift;
    t->n_published = t->n_published < n_full ? t->n_published : n_full;
}

choir_status kv_table_fork(struct kv_table *dst, const struct kv_table *src, struct kv_pool *p, choir_error *err)
{
    assert(dst->n_blocks == 0 && dst->n_tokens == 0);
    if (dst->blocks_cap < src->n_blocks) {
        return base_fail(err, CHOIR_RESOURCE, "fork: the block table has room for %d blocks, %d are needed",
                         (int)dst->blocks_cap, (int)src->n_blocks);
    }
    for (int32_t i = 0; i < src->n_blocks; i++) {
        dst->blocks[i] = src->blocks[i];
        if (src->blocks[i] != NONE) {
            share(p, src->blocks[i]);
        }
    }
    dst->n_blocks = src->n_blocks;
    dst->n_tokens = src->n_tokens;
    dst->n_published = src->n_published;
    return CHOIR_OK;
}

/* ---- the prefix cache ---- */

/* The parent that the table's block i has, or would have, in the index.  False when the block before is not there. */
static bool find_parent(const struct kv_table *t, const struct kv_pool *p, int32_t i, int32_t *parent)
{
    *parent = i > 0 ? t->blocks[i - 1] : KV_ROOT;
    return i == 0 || (*parent != NONE && kv_index_has(p->index, *parent));
}

int32_t kv_table_adopt(struct kv_table *t, struct kv_pool *p, const int32_t *ids, int32_t n)
{
    const int32_t before = t->n_tokens;
    int32_t parent;
    if (t->n_published << p->shift != before || !find_parent(t, p, t->n_blocks, &parent)) {
        return 0;
    }
    while (t->n_tokens <= n - p->block_size && t->n_blocks < t->blocks_cap) {
        int32_t block = kv_index_find(p->index, parent, ids + t->n_tokens);
        if (block == NONE) {
            break;
        }
        share(p, block);
        t->blocks[t->n_blocks++] = parent = block;
        t->n_tokens += p->block_size;
        t->n_published++;
    }
    return t->n_tokens - before;
}

void kv_table_publish(struct kv_table *t, struct kv_pool *p, const int32_t *ids)
{
    const int32_t n_full = t->n_tokens >> p->shift;
    for (int32_t i = t->n_published; i < n_full; i++) {
        int32_t block = t->blocks[i], parent;
        if (block == NONE || !find_parent(t, p, i, &parent)) {
            return;
        }
        const int32_t *tokens = ids + ((size_t)i << p->shift);
        int32_t same = kv_index_find(p->index, parent, tokens);
        if (same != NONE && same != block && p->ref_count[same] == 0 && p->ref_count[block] > 1) {
            forget(p, same); /* holding it would take a block and free none */
            same = NONE;
        }
        if (same == NONE) {
            kv_index_add(p->index, block, parent, tokens);
        } else if (same != block) {
            share(p, same);
            give(p, block);
            t->blocks[i] = same;
        }
        t->n_published = i + 1;
    }
}

void kv_table_release(struct kv_table *t, struct kv_pool *p, int32_t from, int32_t to)
{
    assert(from >= 0 && to <= t->n_tokens);
    for (int32_t i = (int32_t)blocks_for(p, from); i < to >> p->shift; i++) {
        if (t->blocks[i] != NONE) {
            give(p, t->blocks[i]);
            t->blocks[i] = NONE;
        }
    }
}

void kv_table_cut(struct kv_table *t, struct kv_pool *p, int32_t first, int32_t n)
{
    assert(first >= 0 && n >= 0 && first + n <= t->n_tokens >> p->shift && t->n_published == 0);
    for (int32_t i = first; i < first + n; i++) {
        if (t->blocks[i] != NONE) {
            give(p, t->blocks[i]);
        }
    }
    t->n_blocks -= n;
    t->n_tokens -= n << p->shift;
    memmove(t->blocks + first, t->blocks + first + n, (size_t)(t->n_blocks - first) * sizeof *t->blocks);
}

bool kv_table_holds(const struct kv_table *t, const struct kv_pool *p, int32_t from, int32_t to)
{
    assert(from >= 0 && to <= t->n_tokens);
    for (int32_t i = from >> p->shift; i < blocks_for(p, to); i++) {
        if (t->blocks[i] == NONE) {
            return false;
        }
    }
    return true;
}

int64_t kv_table_slot(const struct kv_table *t, const struct kv_pool *p, int32_t pos)
{
    assert(pos >= 0 && pos < t->n_tokens);
    return (int64_t)t->blocks[pos >> p->shift] * p->block_size + (pos & (p->block_size - 1));
}

/* ---- consistency ---- */

/* Counts each table's blocks into holders[]; false when a table is inconsistent in itself. */
static bool count_holders(const struct kv_pool *p, const struct kv_table *t, int32_t *holders)
{
    if (t->n_tokens < 0 || t->n_blocks > t->blocks_cap || t->n_blocks != blocks_for(p, t->n_tokens) ||
        t->n_published < 0 || t->n_published > t->n_tokens >> p->shift) {
        return false;
    }
    for (int32_t i = 0; i < t->n_blocks; i++) {
        if (t->blocks[i] < NONE || t->blocks[i] >= p->n_blocks) {
            return false;
        }
        if (t->blocks[i] != NONE) {
            holders[t->blocks[i]]++;
        }
    }
    return true;
}

/* What t has published is in the index, and follows from what is before it. */
static bool check_published(const struct kv_pool *p, const struct kv_table *t)
{
    int32_t parent = KV_ROOT;
    for (int32_t i = 0; i < t->n_published; i++) {
        if (t->blocks[i] == NONE) {
            return true; /* what follows may have been unpublished */
        }
        if (!kv_index_has(p->index, t->blocks[i]) || kv_index_parent(p->index, t->blocks[i]) != parent) {
            return false;
        }
        parent = t->blocks[i];
    }
    return true;
}

/* Marks a block that nobody holds with -1, so that meeting it again shows. */
static bool mark(const struct kv_pool *p, int32_t block, int32_t *holders)
{
    bool ok = block >= 0 && block < p->n_blocks && holders[block] == 0;
    if (ok) {
        holders[block] = -1;
    }
    return ok;
}

/* Every block that nobody holds is in one of the two lists, once. */
static bool check_lists(const struct kv_pool *p, int32_t *holders)
{
    bool ok = true;
    for (int32_t i = 0; ok && i < p->n_free; i++) {
        ok = mark(p, p->free_list[i], holders) && !kv_index_has(p->index, p->free_list[i]);
    }
    int32_t before = NONE, n = 0;
    for (int32_t block = p->cached_first; ok && block != NONE; block = p->cached[block].after) {
        ok = mark(p, block, holders) && kv_index_has(p->index, block) && p->cached[block].before == before;
        before = block;
        n++;
    }
    ok = ok && before == p->cached_last && n == p->n_cached;
    for (int32_t block = 0; ok && block < p->n_blocks; block++) {
        ok = holders[block] != 0; /* leaked */
    }
    return ok;
}

bool kv_pool_check(const struct kv_pool *p, const struct kv_table *const *tables, int n_tables)
{
    int32_t *holders = calloc((size_t)p->n_blocks, sizeof *holders);
    if (holders == NULL) {
        return false;
    }
    bool ok = p->n_free >= 0 && p->n_free <= p->n_blocks;
    for (int i = 0; ok && i < n_tables; i++) {
        ok = count_holders(p, tables[i], holders) && check_published(p, tables[i]);
    }
    for (int32_t block = 0; ok && block < p->n_blocks; block++) {
        ok = holders[block] == p->ref_count[block];
    }
    ok = ok && check_lists(p, holders) && kv_index_check(p->index);
    free(holders);
    return ok;
}
