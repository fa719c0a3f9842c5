/* Token by token, but where a tile of the store is a whole one: bytes are moved, never numbers. */
#include "kv/kv_tiles.h"

#include <string.h>

/* A token's lane in a tile of n lanes. */
struct lane {
    size_t n, at;
};

/* Keys and values of 16 tokens outside of the store: one of the two. */
struct outside {
    uint8_t *get;
    const uint8_t *put;
};

static size_t token_bytes(const struct kv_store *s)
{
    return s->tile_bytes / (size_t)s->tile;
}

size_t kv_tiles_bytes(const struct kv_shape *s)
{
    return kv_block_bytes(s) / (size_t)s->block_size * KV_TILE_TOKENS;
}

/* `bytes` of a lane in each of n_rows rows of a tile, which begin at `offset` of a token's bytes. */
static void move_rows(uint8_t *dst, struct lane to, const uint8_t *src, struct lane from, size_t offset, size_t n_rows,
                      size_t bytes)
{
    for (size_t i = 0; i < n_rows; i++) {
        memcpy(dst + offset * to.n + (i * to.n + to.at) * bytes, src + offset * from.n + (i * from.n + from.at) * bytes,
               bytes);
    }
}

static void move_token(const struct kv_store *s, bool is_k, uint8_t *dst, struct lane to, const uint8_t *src,
                       struct lane from)
{
    const size_t n = (size_t)s->shape.head_dim, number = s->shape.type == KV_F32 ? 4 : s->shape.type == KV_F16 ? 2 : 1;
    const size_t numbers = n * number, n_scales = (token_bytes(s) - numbers) / sizeof(uint16_t);
    if (is_k) {
        move_rows(dst, to, src, from, 0, n, number);
    } else {
        move_rows(dst, to, src, from, 0, 1, numbers);
    }
    move_rows(dst, to, src, from, numbers, n_scales, sizeof(uint16_t));
}

/* K or V of one head of n tokens. */
static void move_head(const struct kv_store *s, const struct kv_table *t, int32_t layer, int32_t head, bool is_k,
                      int32_t pos0, int32_t n, struct outside o)
{
    const int32_t bs = s->shape.block_size;
    const bool whole = n == KV_TILE_TOKENS && s->tile == KV_TILE_TOKENS;
    for (int32_t i = 0; i < n; i += whole ? n : 1) {
        const int32_t block = t->blocks[(pos0 + i) / bs], in_block = (pos0 + i) % bs;
        if (block < 0) {
            continue;
        }
        const struct lane inside = {.n = (size_t)s->tile, .at = (size_t)(in_block % s->tile)};
        const struct lane outside = {.n = KV_TILE_TOKENS, .at = (size_t)i};
        uint8_t *tile = is_k ? kv_store_k(s, layer, block, head) : kv_store_v(s, layer, block, head);
        tile += (size_t)(in_block / s->tile) * s->tile_bytes;
        if (whole) {
            memcpy(o.get != NULL ? o.get : tile, o.get != NULL ? tile : o.put, s->tile_bytes);
        } else if (o.get != NULL) {
            move_token(s, is_k, o.get, outside, tile, inside);
        } else {
            move_token(s, is_k, tile, inside, o.put, outside);
        }
    }
}

static void move_all(const struct kv_store *s, const struct kv_table *t, int32_t pos0, int32_t n, struct outside o)
{
    const size_t bytes = token_bytes(s) * KV_TILE_TOKENS;
    for (int32_t i = 0; i < s->shape.n_layers * s->shape.n_kv_heads * 2; i++) {
        const int32_t head = i / 2 % s->shape.n_kv_heads, layer = i / 2 / s->shape.n_kv_heads;
        move_head(s, t, layer, head, i % 2 == 0, pos0, n, o);
        if (o.get != NULL) {
            o.get += bytes;
        } else {
            o.put += bytes;
        }
    }
}

void kv_tiles_get(uint8_t *dst, const struct kv_store *s, const struct kv_table *t, int32_t pos0, int32_t n)
{
    memset(dst, 0, kv_tiles_bytes(&s->shape));
    move_all(s, t, pos0, n, (struct outside){.get = dst});
}

void kv_tiles_put(struct kv_store *s, const struct kv_table *t, int32_t pos0, int32_t n, const uint8_t *src)
{
    move_all(s, t, pos0, n, (struct outside){.put = src});
}
