/* One lazily mapped arena holds K and V of all layers:
 *
 *   layer 0                                                      layer 1 ...
 *   | block 0                         | block 1 ...              |
 *   | head 0: K, V | head 1: K, V ... | head 0: K, V ...         |
 *
 * K and V of one head of one block are head_bytes each and lie next to each other: what a task of attention reads of a
 * block is one run of bytes.  Sizes are planned with checked arithmetic before anything is mapped. */
#include "kv/kv_store.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

enum { TILE_MAX = 16, SCALED = 32 };

static const struct {
    const char *name;
    uint64_t number_bytes;
    uint64_t scale_bytes; /* for every SCALED numbers of a token */
} type_table[KV_TYPE_COUNT] = {
    [KV_F32] = {"f32", 4, 0},
    [KV_F16] = {"f16", 2, 0},
    [KV_Q8_0] = {"q8_0", 1, 2},
};

const char *kv_type_name(enum kv_type t)
{
    return type_table[t].name;
}

enum kv_type kv_type_by_name(const char *name)
{
    int t = 0;
    while (t < KV_TYPE_COUNT && strcmp(type_table[t].name, name) != 0) {
        t++;
    }
    return (enum kv_type)t;
}

/* K (or V) of one head of one token.  fits: a head has at most 2^10 numbers. */
static uint64_t token_bytes(const struct kv_shape *s)
{
    uint64_t n = (uint64_t)s->head_dim;
    return n * type_table[s->type].number_bytes + (n + SCALED - 1) / SCALED * type_table[s->type].scale_bytes;
}

/* K (or V) of one head of one block. */
static uint64_t plan_head(const struct kv_shape *s)
{
    return (uint64_t)s->block_size * token_bytes(s); /* fits: below 2^30 tokens * 2^31 numbers * 4 bytes */
}

/* K and V of one layer of n_blocks blocks; false when that does not fit. */
static bool plan_layer(const struct kv_shape *s, uint64_t n_blocks, uint64_t *layer_bytes)
{
    return base_mul(2 * plan_head(s), (uint64_t)s->n_kv_heads, layer_bytes) &&
           base_mul(*layer_bytes, n_blocks, layer_bytes);
}

/* A size that does not fit is SIZE_MAX: more than any memory, so whoever compares refuses it. */
size_t kv_block_bytes(const struct kv_shape *s)
{
    uint64_t bytes;
    if (!plan_layer(s, 1, &bytes) || !base_mul(bytes, (uint64_t)s->n_layers, &bytes) || bytes > SIZE_MAX) {
        return SIZE_MAX;
    }
    return (size_t)bytes;
}

choir_status kv_store_open(struct kv_store *s, const struct kv_shape *shape, int32_t n_blocks, choir_error *err)
{
    *s = (struct kv_store){0};
    assert(shape->type >= 0 && shape->type < KV_TYPE_COUNT);
    assert(shape->n_layers >= 1 && shape->n_kv_heads >= 1 && shape->head_dim >= 1 && n_blocks >= 1);
    assert(shape->block_size >= 1 && (shape->block_size & (shape->block_size - 1)) == 0);
    uint64_t layer_bytes;
    uint64_t bytes;
    if (!plan_layer(shape, (uint64_t)n_blocks, &layer_bytes) ||
        !base_mul(layer_bytes, (uint64_t)shape->n_layers, &bytes) || bytes > SIZE_MAX / 2) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory (the KV cache of %d blocks is larger than any memory)",
                         (int)n_blocks);
    }
    /* No huge pages: a page is taken when a block is first written, and blocks are small. */
    choir_status status = base_arena_map(&s->arena, (size_t)bytes, false, "the KV cache", err);
    if (status != CHOIR_OK) {
        return status;
    }
    s->shape = *shape;
    s->n_blocks = n_blocks;
    s->tile = shape->block_size < TILE_MAX ? shape->block_size : TILE_MAX;
    s->tile_bytes = (size_t)s->tile * (size_t)token_bytes(shape); /* fits: at most a block's */
    s->head_bytes = (size_t)plan_head(shape);
    s->layer_bytes = (size_t)layer_bytes;
    return CHOIR_OK;
}

void kv_store_close(struct kv_store *s)
{
    if (s != NULL) {
        base_arena_unmap(&s->arena);
        *s = (struct kv_store){0};
    }
}

/* fits: a place in the arena */
uint8_t *kv_store_k(const struct kv_store *s, int32_t layer, int32_t block, int32_t kv_head)
{
    assert(layer >= 0 && layer < s->shape.n_layers);
    assert(block >= 0 && block < s->n_blocks);
    assert(kv_head >= 0 && kv_head < s->shape.n_kv_heads);
    size_t head = (size_t)block * (size_t)s->shape.n_kv_heads + (size_t)kv_head;
    return s->arena.base + (size_t)layer * s->layer_bytes + head * 2 * s->head_bytes;
}

uint8_t *kv_store_v(const struct kv_store *s, int32_t layer, int32_t block, int32_t kv_head)
{
    return kv_store_k(s, layer, block, kv_head) + s->head_bytes;
}

void kv_store_copy(struct kv_store *s, struct kv_copy copy)
{
    assert(copy.src != copy.dst);
    size_t block_bytes = (size_t)s->shape.n_kv_heads * 2 * s->head_bytes;
    for (int32_t l = 0; l < s->shape.n_layers; l++) {
        memcpy(kv_store_k(s, l, copy.dst, 0), kv_store_k(s, l, copy.src, 0), block_bytes);
    }
}
