/* Who holds which block of the KV cache.  Integers only: the bytes are kv_store's.
 *
 * A block is block_size consecutive token positions of one sequence.  A sequence's block_table lists its blocks;
 * position pos lives in slot block_table[pos / block_size] * block_size + pos % block_size.  Blocks are shared between
 * sequences by reference count (fork); who wants to write into a shared block gets a copy first (copy on write).
 * PagedAttention, arXiv:2309.06180.
 *
 *   seq 0  block_table [ 3 | 7 | 1 ]        ref_count  block 3: 2   block 7: 1   block 1: 1   block 5: 1
 *   seq 1  block_table [ 3 | 5 ]            (forked from seq 0 after its first block)
 *
 * Not thread-safe: one pool belongs to one engine, which is used by one thread at a time. */
#ifndef KV_BLOCK_POOL_H
#define KV_BLOCK_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "choir_status.h"

struct kv_pool;

/* One sequence's view: its blocks in order, and how many tokens it holds. */
struct kv_table {
    int32_t *blocks; /* [n_blocks], room for blocks_cap */
    int32_t n_blocks;
    int32_t blocks_cap;
    int32_t n_tokens; /* positions 0 .. n_tokens-1 are held */
};

/* A block that must be copied before its copy is written: copy bytes src -> dst, all layers. */
struct kv_copy {
    int32_t src, dst;
};

/* block_size: a power of two, 1 to 256.  n_blocks >= 1. */
choir_status kv_pool_open(struct kv_pool **out, int32_t n_blocks, int32_t block_size, choir_error *err);
void kv_pool_close(struct kv_pool *p);

int32_t kv_pool_n_blocks(const struct kv_pool *p);
int32_t kv_pool_n_free(const struct kv_pool *p);
int32_t kv_pool_block_size(const struct kv_pool *p);
int32_t kv_pool_ref_count(const struct kv_pool *p, int32_t block);

/* An empty table with room for max_tokens positions (so that growing it allocates nothing). */
choir_status kv_table_open(struct kv_table *t, const struct kv_pool *p, int32_t max_tokens, choir_error *err);
/* Gives all blocks back and frees the table. */
void kv_table_close(struct kv_table *t, struct kv_pool *p);

/* Blocks that kv_table_extend by n tokens would take from the free list (copies on write included). */
int32_t kv_table_need(const struct kv_table *t, const struct kv_pool *p, int32_t n);

/* Makes positions n_tokens .. n_tokens+n-1 writable and counts them as held.  If the block that holds position n_tokens
 * is shared, it is replaced by a fresh one and *copy tells which bytes to copy (else copy->src = -1).  At most one
 * block needs that.  False, with nothing changed, when the pool has too few free blocks or the table no room. */
bool kv_table_extend(struct kv_table *t, struct kv_pool *p, int32_t n, struct kv_copy *copy);

/* Forgets the positions from n_tokens on (n_tokens <= t->n_tokens); blocks no longer needed are given back. */
void kv_table_truncate(struct kv_table *t, struct kv_pool *p, int32_t n_tokens);

/* dst (open, empty) becomes a second holder of all of src's blocks. */
choir_status kv_table_fork(struct kv_table *dst, const struct kv_table *src, struct kv_pool *p, choir_error *err);

/* Slot of position pos (< n_tokens). */
int64_t kv_table_slot(const struct kv_table *t, const struct kv_pool *p, int32_t pos);

/* Consistency of the pool and the given tables (all that exist): every block is free or held, reference counts equal
 * the holders, no block is twice in the free list.  For tests. */
bool kv_pool_check(const struct kv_pool *p, const struct kv_table *const *tables, int n_tables);

#endif
