/* Full blocks by what they hold: their own tokens and all tokens before them.
 *
 * Blocks form a tree: the parent of a block is the block of the tokens before, KV_ROOT for the first of a text.  What a
 * block is looked up by is a chained hash, XXH3 of its tokens seeded with its parent's hash; on a hit the tokens and the
 * parent are compared, so a collision costs time and nothing else.
 *
 *   root ─ 3 "Once upon a time" ─┬─ 7 " there was a lit"        lookup: hash of "Once upon a time" -> bucket -> 3
 *                                └─ 1 " , in a far away"
 *
 * Who holds the blocks and which is evicted is the pool's matter (block_pool.h).  All memory is taken when it is opened. */
#ifndef KV_PREFIX_INDEX_H
#define KV_PREFIX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "choir/status.h"

enum { KV_ROOT = -1 };

struct kv_index;

choir_status kv_index_open(struct kv_index **out, int32_t n_blocks, int32_t block_size, choir_error *err);
void kv_index_close(struct kv_index *x);

/* Whether the block is in the index. */
bool kv_index_has(const struct kv_index *x, int32_t block);

/* The block that follows parent (in the index, or KV_ROOT) and holds tokens [block_size]; -1: none does. */
int32_t kv_index_find(const struct kv_index *x, int32_t parent, const int32_t *tokens);

/* Enters a block that is not in the index; no equal one may be there. */
void kv_index_add(struct kv_index *x, int32_t block, int32_t parent, const int32_t *tokens);

/* Takes out a block that is no block's parent. */
void kv_index_remove(struct kv_index *x, int32_t block);

/* Parent of a block of the index. */
int32_t kv_index_parent(const struct kv_index *x, int32_t block);
/* A block without children that follows from block, block itself if it has none. */
int32_t kv_index_leaf(const struct kv_index *x, int32_t block);

/* Consistency: every block of the index is found by its tokens, its parent is in the index, and the lists of children
 * hold each once.  For tests. */
bool kv_index_check(const struct kv_index *x);

#endif
