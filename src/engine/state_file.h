/* A file that keeps a sequence.  Little-endian:
 *
 *   bytes   0  8  "choirkvs"
 *           8  4  version, 1
 *          12  4  type of keys and values (enum kv_type)
 *          16  4  n_layers
 *          20  4  n_kv_heads
 *          24  4  head_dim
 *          28  4  0
 *          32  8  fingerprint of the model: configuration, shapes and types of its matrices, some of their rows
 *          40  8  fingerprint of the tokenizer: its pieces and their types; 0 without one
 *          48  8  fingerprint of the rotations, which --ctx-size may change
 *          56  8  n_ids
 *          64  8  n_computed: of these, keys and values follow
 *          72  8  first_held: but for those before this one, which a sliding window has passed
 *          80  8  XXH64 of the ids
 *          88  8  XXH64 of the 88 bytes above
 *          96     n_ids ids, 4 bytes each
 *                 for each 16 tokens, from the sixteen on that first_held lies in to the one of the last computed token:
 *                 their keys and values (kv/kv_tiles.h), and 8 bytes, the XXH64 of these, seeded with the number of the sixteen */
#ifndef ENG_STATE_FILE_H
#define ENG_STATE_FILE_H

#include "base/file.h"
#include "engine/engine.h"

enum { ENG_STATE_HEADER = 96, ENG_STATE_VERSION = 1 };

struct eng_state_header {
    char magic[8];
    uint32_t version;
    uint32_t kv_type, n_layers, n_kv_heads, head_dim, zero;
    uint64_t model, tokenizer, rope;
    uint64_t n_ids, n_computed, first_held;
    uint64_t ids_sum, header_sum;
};

/* Header of what the engine of s would write of it; ids_sum and header_sum not yet. */
choir_status eng_state_describe(struct eng_state_header *h, const struct choir_sequence *s, choir_error *err);
/* Bytes of the file; false when that is no size. */
bool eng_state_bytes(uint64_t *out, const struct eng_state_header *h, const struct kv_shape *shape);
uint64_t eng_state_header_sum(const struct eng_state_header *h);
/* Keys and values of a sixteen. */
uint64_t eng_state_tile_sum(const void *tiles, size_t n, uint64_t number);
uint64_t eng_state_ids_sum(const int32_t *ids, size_t n);

#endif
