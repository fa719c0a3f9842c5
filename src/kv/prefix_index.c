/* A hash table with chains, and a tree, both of links between blocks: arrays of n_blocks, no nodes.
 *
 * Invariants (kv_index_check tests them): a block of the index is in the chain of its hash's bucket; its parent is KV_ROOT or in
 * the index too, and it is in the parent's list of children. */
#include "kv/prefix_index.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

enum { NONE = -1 };

struct entry {
    uint64_t hash;
    bool there;
    int32_t parent;                /* KV_ROOT: none */
    int32_t child;                 /* first of its children, NONE: a leaf */
    int32_t sibling, sibling_back; /* other children of the parent; those of KV_ROOT are in no list */
    int32_t chain;                 /* next in the bucket */
};

struct kv_index {
    int32_t n_blocks, block_size;
    int32_t count;
    struct entry *entries; /* [n_blocks] */
    int32_t *tokens;       /* [n_blocks, block_size] */
    int32_t *buckets;      /* [mask + 1] first block of each, NONE: empty */
    uint64_t mask;
};

static const int32_t *tokens_of(const struct kv_index *x, int32_t block)
{
    return x->tokens + (size_t)block * (size_t)x->block_size;
}

static uint64_t hash_of(const struct kv_index *x, int32_t parent, const int32_t *tokens)
{
    uint64_t before = parent == KV_ROOT ? 0 : x->entries[parent].hash;
    return XXH3_64bits_withSeed(tokens, (size_t)x->block_size * sizeof *tokens, before);
}

static int32_t find_hashed(const struct kv_index *x, uint64_t hash, int32_t parent, const int32_t *tokens)
{
    size_t bytes = (size_t)x->block_size * sizeof *tokens;
    int32_t block = x->buckets[hash & x->mask];
    while (block != NONE) {
        const struct entry *e = &x->entries[block];
        if (e->hash == hash && e->parent == parent && memcmp(tokens_of(x, block), tokens, bytes) == 0) {
            return block;
        }
        block = e->chain;
    }
    return NONE;
}

choir_status kv_index_open(struct kv_index **out, int32_t n_blocks, int32_t block_size, choir_error *err)
{
    *out = NULL;
    assert(n_blocks >= 1 && block_size >= 1);
    struct kv_index *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return base_fail_memory(err, sizeof *x, "the prefix cache's index");
    }
    size_t n = (size_t)n_blocks, n_buckets = 1;
    while (n_buckets < n) {
        n_buckets *= 2;
    }
    x->entries = calloc(n, sizeof *x->entries);
    x->tokens = calloc(n, (size_t)block_size * sizeof *x->tokens);
    x->buckets = malloc(n_buckets * sizeof *x->buckets);
    if (x->entries == NULL || x->tokens == NULL || x->buckets == NULL) {
        kv_index_close(x);
        uint64_t block_bytes = sizeof *x->entries + (size_t)block_size * sizeof *x->tokens;
        return base_fail_memory(err, n * block_bytes + n_buckets * sizeof *x->buckets, "the prefix cache's index");
    }
    for (size_t i = 0; i < n_buckets; i++) {
        x->buckets[i] = NONE;
    }
    x->n_blocks = n_blocks;
    x->block_size = block_size;
    x->mask = n_buckets - 1;
    *out = x;
    return CHOIR_OK;
}

void kv_index_close(struct kv_index *x)
{
    if (x != NULL) {
        free(x->entries);
        free(x->tokens);
        free(x->buckets);
        free(x);
    }
}

bool kv_index_has(const struct kv_index *x, int32_t block)
{
    return x->entries[block].there;
}

int32_t kv_index_find(const struct kv_index *x, int32_t parent, const int32_t *tokens)
{
    assert(parent == KV_ROOT || x->entries[parent].there);
    return find_hashed(x, hash_of(x, parent, tokens), parent, tokens);
}

static void link_child(struct kv_index *x, int32_t parent, int32_t block)
{
    struct entry *e = &x->entries[block];
    e->sibling_back = e->sibling = NONE;
    if (parent != KV_ROOT) {
        e->sibling = x->entries[parent].child;
        x->entries[parent].child = block;
        if (e->sibling != NONE) {
            x->entries[e->sibling].sibling_back = block;
        }
    }
}

static void unlink_child(struct kv_index *x, int32_t block)
{
    const struct entry *e = &x->entries[block];
    if (e->sibling != NONE) {
        x->entries[e->sibling].sibling_back = e->sibling_back;
    }
    if (e->sibling_back != NONE) {
        x->entries[e->sibling_back].sibling = e->sibling;
    } else if (e->parent != KV_ROOT) {
        x->entries[e->parent].child = e->sibling;
    }
}

void kv_index_add(struct kv_index *x, int32_t block, int32_t parent, const int32_t *tokens)
{
    struct entry *e = &x->entries[block];
    assert(!e->there && kv_index_find(x, parent, tokens) == NONE);
    *e = (struct entry){.hash = hash_of(x, parent, tokens), .there = true, .parent = parent, .child = NONE};
    memcpy(x->tokens + (size_t)block * (size_t)x->block_size, tokens, (size_t)x->block_size * sizeof *tokens);
    int32_t *bucket = &x->buckets[e->hash & x->mask];
    e->chain = *bucket;
    *bucket = block;
    link_child(x, parent, block);
    x->count++;
}

void kv_index_remove(struct kv_index *x, int32_t block)
{
    struct entry *e = &x->entries[block];
    assert(e->there && e->child == NONE);
    int32_t *at = &x->buckets[e->hash & x->mask];
    while (*at != block) {
        at = &x->entries[*at].chain;
    }
    *at = e->chain;
    unlink_child(x, block);
    e->there = false;
    x->count--;
}

int32_t kv_index_parent(const struct kv_index *x, int32_t block)
{
    assert(x->entries[block].there);
    return x->entries[block].parent;
}

int32_t kv_index_leaf(const struct kv_index *x, int32_t block)
{
    assert(x->entries[block].there);
    while (x->entries[block].child != NONE) {
        block = x->entries[block].child;
    }
    return block;
}

/* Counts block's children into *n; false when one of them is not, or is met again. */
static bool check_children(const struct kv_index *x, int32_t block, int32_t *n)
{
    int32_t back = NONE;
    for (int32_t c = x->entries[block].child; c != NONE; c = x->entries[c].sibling) {
        const struct entry *e = &x->entries[c];
        if (!e->there || e->parent != block || e->sibling_back != back) {
            return false;
        }
        back = c;
        ++*n;
    }
    return true;
}

bool kv_index_check(const struct kv_index *x)
{
    int32_t n = 0, n_with_parent = 0, n_children = 0;
    for (int32_t block = 0; block < x->n_blocks; block++) {
        const struct entry *e = &x->entries[block];
        if (!e->there) {
            continue;
        }
        n++;
        n_with_parent += e->parent != KV_ROOT;
        if ((e->parent != KV_ROOT && !x->entries[e->parent].there) ||
            e->hash != hash_of(x, e->parent, tokens_of(x, block)) ||
            find_hashed(x, e->hash, e->parent, tokens_of(x, block)) != block ||
            !check_children(x, block, &n_children)) {
            return false;
        }
    }
    return n == x->count && n_with_parent == n_children;
}
