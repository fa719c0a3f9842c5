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
 * A block is free, held (ref_count > 0) or cached: nobody holds it, but it is published, that is, found by its tokens and all
 * tokens before them (prefix_index.h), so that a sequence which begins alike adopts it instead of computing it.  When no
 * block is free, the cached one that was given back first is taken: it and all cached blocks that follow from it can no
 * longer be found.  Tables give their blocks back from the last to the first, so what is taken is a block that
 * none follows from, unless kv_table_release was used.  A published block is never written: that, too, is a copy.
 *
 * Not thread-safe: one pool belongs to one engine, which is used by one thread at a time. */
#ifndef KV_BLOCK_POOL_H
#define KV_BLOCK_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "choir/status.h"

struct kv_pool;

/* One sequence's view: its blocks in order, and how many tokens it holds. */
struct kv_table {
    int32_t *blocks; /* [n_blocks], room for blocks_cap; -1: released */
    int32_t n_blocks;
    int32_t blocks_cap;
    int32_t n_tokens;    /* positions 0 .. n_tokens-1 are held (or released) */
    int32_t n_published; /* of these blocks, from the first on, kv_table_publish has dealt with */
};

/* A block that must be copied before its copy is written: copy bytes src -> dst, all layers. */
struct kv_copy {
    int32_t src, dst;
};

/* block_size: a power of two, 1 to 256.  n_blocks >= 1. */
choir_status kv_pool_open(struct kv_pool **out, int32_t n_blocks, int32_t block_size, choir_error *err);
void kv_pool_close(struct kv_pool *p);

int32_t kv_pool_n_blocks(const struct kv_pool *p);
int32_t kv_pool_n_free(const struct kv_pool *p);   /* that can be taken: free and cached */
int32_t kv_pool_n_cached(const struct kv_pool *p); /* of these, cached */
int32_t kv_pool_block_size(const struct kv_pool *p);
int32_t kv_pool_ref_count(const struct kv_pool *p, int32_t block);
bool kv_pool_is_published(const struct kv_pool *p, int32_t block);

/* An empty table with room for max_tokens positions (so that growing it allocates nothing). */
choir_status kv_table_open(struct kv_table *t, const struct kv_pool *p, int32_t max_tokens, choir_error *err);
/* Gives all blocks back and frees the table. */
void kv_table_close(struct kv_table *t, struct kv_pool *p);

/* Free blocks fewer that there would be after kv_table_extend by n tokens (copies on write included). */
int32_t kv_table_need(const struct kv_table *t, const struct kv_pool *p, int32_t n);

/* Makes positions n_tokens .. n_tokens+n-1 writable and counts them as held.  If the block that holds position n_tokens
 * is shared or published, it is replaced by a fresh one and *copy tells which bytes to copy (else copy->src = -1), before
 * anything else is asked of the pool or written.  At most one block needs that.  False, with nothing changed, when the pool has
 * too few free blocks or the table no room.  The block that is to be written must not have been released. */
bool kv_table_extend(struct kv_table *t, struct kv_pool *p, int32_t n, struct kv_copy *copy);

/* Forgets the positions from n_tokens on (n_tokens <= t->n_tokens); blocks no longer needed are given back. */
void kv_table_truncate(struct kv_table *t, struct kv_pool *p, int32_t n_tokens);

/* dst (open, empty) becomes a second holder of all of src's blocks.  Nothing is copied. */
choir_status kv_table_fork(struct kv_table *dst, const struct kv_table *src, struct kv_pool *p, choir_error *err);

/* Appends the longest run of published blocks that hold ids[t->n_tokens ..], as long as t has at most n tokens.  ids: of
 * all positions from 0 on.  Tokens appended; 0 unless t is empty or ends with a full block that is published. */
int32_t kv_table_adopt(struct kv_table *t, struct kv_pool *p, const int32_t *ids, int32_t n);

/* Publishes every full block of t that is not yet; all positions must be computed.  ids: [n_tokens].  Where an equal block is
 * there already, t holds that one from now on and gives its own back: equal tokens at equal positions have equal bytes.
 * (One that is only cached makes way for a block which others hold as well.)  So there are as many free blocks as before, or
 * more.  A block that follows from one which is not published any more stays unpublished. */
void kv_table_publish(struct kv_table *t, struct kv_pool *p, const int32_t *ids);

/* Gives the blocks back that lie wholly within positions from .. to-1 (to <= n_tokens); their entries become -1, n_tokens
 * stays.  Fork, extend and truncate go on as before. */
void kv_table_release(struct kv_table *t, struct kv_pool *p, int32_t from, int32_t to);

/* Gives blocks [first, first + n) of the table back and closes the gap: what lies behind them moves down by n blocks.  They
 * are full, and none of the table's blocks is published. */
void kv_table_cut(struct kv_table *t, struct kv_pool *p, int32_t first, int32_t n);

/* Whether t holds every one of the positions from .. to-1 (to <= n_tokens): none was released. */
bool kv_table_holds(const struct kv_table *t, const struct kv_pool *p, int32_t from, int32_t to);

/* Slot of position pos (< n_tokens, not released). */
int64_t kv_table_slot(const struct kv_table *t, const struct kv_pool *p, int32_t pos);

/* Consistency of the pool and the given tables (all that exist): every block is free, cached or held, reference counts equal
 * the holders, no block is twice in a list, what tables have published is found.  For tests. */
bool kv_pool_check(const struct kv_pool *p, const struct kv_table *const *tables, int n_tables);

#endif
