/* What a file of a sequence says about itself. */
#include "engine/state_file.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/checked.h"
#include "kv/kv_tiles.h"

_Static_assert(sizeof(struct eng_state_header) == ENG_STATE_HEADER, "as it stands in the file");

static uint64_t tokenizer_print(const struct tokenizer *t)
{
    uint64_t sum = 0;
    for (int32_t id = 0; t != NULL && id < tok_n_pieces(t); id++) {
        size_t n = 0;
        const char *piece = tok_piece(t, id, &n);
        const uint64_t about[] = {n, (uint64_t)tok_piece_type(t, id), sum};
        sum = XXH64(piece, n, XXH64(about, sizeof about, 0));
    }
    return sum;
}

/* First position from which on all are held. */
static int32_t first_held(const struct choir_sequence *s)
{
    int32_t i = s->table.n_blocks;
    while (i > 0 && s->table.blocks[i - 1] >= 0) {
        i--;
    }
    return i * s->engine->opt.kv_block; /* fits: at most the context and a block */
}

choir_status eng_state_describe(struct eng_state_header *h, const struct choir_sequence *s, choir_error *err)
{
    const struct choir_engine *e = s->engine;
    const struct kv_shape *shape = &e->store.shape;
    *h = (struct eng_state_header){
        .magic = {'c', 'h', 'o', 'i', 'r', 'k', 'v', 's'},
        .version = ENG_STATE_VERSION,
        .kv_type = (uint32_t)shape->type,
        .n_layers = (uint32_t)shape->n_layers,
        .n_kv_heads = (uint32_t)shape->n_kv_heads,
        .head_dim = (uint32_t)shape->head_dim,
        .tokenizer = tokenizer_print(e->model->tokenizer),
        .rope = mdl_rope_fingerprint(e->state),
        .n_ids = (uint64_t)s->n_ids,
        .n_computed = (uint64_t)s->table.n_tokens,
        .first_held = (uint64_t)first_held(s),
    };
    return mdl_fingerprint(&h->model, e->model->weights, err);
}

bool eng_state_bytes(uint64_t *out, const struct eng_state_header *h, const struct kv_shape *shape)
{
    uint64_t ids, tiles, n = h->n_computed / KV_TILE_TOKENS + (h->n_computed % KV_TILE_TOKENS != 0);
    *out = UINT64_MAX;
    if (h->first_held > h->n_computed || h->n_computed > h->n_ids) {
        return false;
    }
    n -= h->first_held / KV_TILE_TOKENS < n ? h->first_held / KV_TILE_TOKENS : n;
    return base_mul(h->n_ids, sizeof(int32_t), &ids) && base_mul(n, kv_tiles_bytes(shape) + sizeof(uint64_t), &tiles) &&
           base_add(ids, tiles, out) && base_add(*out, ENG_STATE_HEADER, out) && *out <= INT64_MAX;
}

uint64_t eng_state_header_sum(const struct eng_state_header *h)
{
    return XXH64(h, offsetof(struct eng_state_header, header_sum), 0);
}

uint64_t eng_state_tile_sum(const void *tiles, size_t n, uint64_t number)
{
    return XXH64(tiles, n, number);
}

uint64_t eng_state_ids_sum(const int32_t *ids, size_t n)
{
    return XXH64(ids, n * sizeof *ids, 0);
}
