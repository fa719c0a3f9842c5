/* The bytes of keys and values.
 *
 * Per layer, per block, per key/value head, with tile = min(block_size, 16) tokens:
 *   K  [block_size / tile][head_dim][tile]   one vector register holds the same dimension of several tokens
 *   V  [block_size][head_dim]                token-major
 * f32 or f16.  Pages are taken by the kernel when first written. */
#ifndef KV_STORE_H
#define KV_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "choir_status.h"
#include "kv/block_pool.h"

enum kv_type { KV_F32, KV_F16, KV_TYPE_COUNT };

struct kv_shape {
    enum kv_type type;
    int32_t n_layers, n_kv_heads, head_dim;
    int32_t block_size; /* power of two, 1 to 256 */
};

struct kv_store {
    struct kv_shape shape;
    int32_t n_blocks;
    int32_t tile;       /* min(block_size, 16) */
    size_t elem_bytes;  /* of one number */
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
