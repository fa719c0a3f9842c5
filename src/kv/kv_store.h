/* The bytes of keys and values.
 *
 * Per layer, per block, per key/value head: the tiles of K, then those of V; a tile is `tile` = min(block_size, 16) tokens.
 *
 *   f32, f16   K  [head_dim][tile]   one vector register holds the same dimension of several tokens
 *              V  [tile][head_dim]   token-major
 *   q8_0       | int8 quants, as above              | f16 scales [ceil(head_dim / 32)][tile] |
 *              one scale for 32 dimensions of a token (fewer in the last block)
 *
 * So a block of q8_0 with 32 tokens and a head_dim of 80 is, for one head:
 *
 *   | K tile 0              | K tile 1   | V tile 0              | V tile 1   |
 *   | q[80][16] | d[3][16]  | q     | d  | q[16][80] | d[3][16]  | q     | d  |
 *
 * Pages are taken by the kernel when first written. */
#ifndef KV_STORE_H
#define KV_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "choir/status.h"
#include "kv/block_pool.h"

enum kv_type { KV_F32, KV_F16, KV_Q8_0, KV_TYPE_COUNT };

struct kv_shape {
    enum kv_type type;
    int32_t n_layers, n_kv_heads, head_dim;
    int32_t block_size; /* power of two, 1 to 256 */
};

struct kv_store {
    struct kv_shape shape;
    int32_t n_blocks;
    int32_t tile;       /* min(block_size, 16) */
    size_t tile_bytes;  /* K (or V) of one head of one tile */
    size_t head_bytes;  /* K (or V) of one head of one block */
    size_t layer_bytes; /* K and V of one layer of all blocks */
    struct base_arena arena;
};

const char *kv_type_name(enum kv_type t);       /* "f16" */
enum kv_type kv_type_by_name(const char *name); /* KV_TYPE_COUNT: none */

/* Bytes of one block over all layers, K and V. */
size_t kv_block_bytes(const struct kv_shape *s);

choir_status kv_store_open(struct kv_store *s, const struct kv_shape *shape, int32_t n_blocks, choir_error *err);
void kv_store_close(struct kv_store *s);

/* First byte of K (V) of a head of a block of a layer. */
uint8_t *kv_store_k(const struct kv_store *s, int32_t layer, int32_t block, int32_t kv_head);
uint8_t *kv_store_v(const struct kv_store *s, int32_t layer, int32_t block, int32_t kv_head);

/* Copies the bytes of a block, all layers. */
void kv_store_copy(struct kv_store *s, struct kv_copy copy);

#endif
