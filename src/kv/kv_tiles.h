/* Keys and values in and out of the store, whatever the size of its blocks: tokens by sixteen, laid out as in a whole tile
 * (kv_store.h), lanes without a token zero. */
#ifndef KV_TILES_H
#define KV_TILES_H

#include "kv/kv_store.h"

enum { KV_TILE_TOKENS = 16 };

/* Bytes of K and V of 16 tokens of all layers and heads: in order of layer and head, K's tile, then V's. */
size_t kv_tiles_bytes(const struct kv_shape *s);

/* Tokens pos0 .. pos0 + n - 1 of a sequence (1 to 16; pos0 a multiple of 16) into dst [kv_tiles_bytes]; those of released
 * blocks are left out. */
void kv_tiles_get(uint8_t *dst, const struct kv_store *s, const struct kv_table *t, int32_t pos0, int32_t n);
/* And back, into blocks that the table alone may write. */
void kv_tiles_put(struct kv_store *s, const struct kv_table *t, int32_t pos0, int32_t n, const uint8_t *src);

#endif
