/* Writing a sequence to a file, sixteen tokens at a time. */
#include <stdlib.h>

#include "base/error.h"
#include "base/new_file.h"
#include "engine/state_file.h"
#include "kv/kv_tiles.h"

static choir_status write_tiles(struct base_new_file *f, const struct eng_state_header *h,
                                const struct choir_sequence *s, choir_error *err)
{
    const size_t bytes = kv_tiles_bytes(&s->engine->store.shape);
    const int32_t n = s->table.n_tokens;
    uint8_t *tiles = malloc(bytes);
    if (tiles == NULL) {
        return base_fail_memory(err, bytes, "keys and values of 16 tokens");
    }
    choir_status status = CHOIR_OK;
    for (int32_t i = (int32_t)h->first_held / KV_TILE_TOKENS; i * KV_TILE_TOKENS < n && status == CHOIR_OK; i++) {
        const int32_t pos = i * KV_TILE_TOKENS;
        kv_tiles_get(tiles, &s->engine->store, &s->table, pos, n - pos < KV_TILE_TOKENS ? n - pos : KV_TILE_TOKENS);
        const uint64_t sum = eng_state_tile_sum(tiles, bytes, (uint64_t)i);
        status = base_new_file_write(f, tiles, bytes, err);
        status = status == CHOIR_OK ? base_new_file_write(f, &sum, sizeof sum, err) : status;
    }
    free(tiles);
    return status;
}

static choir_status write_all(struct base_new_file *f, const struct eng_state_header *h, const struct choir_sequence *s,
                              choir_error *err)
{
    uint64_t bytes;
    eng_state_bytes(&bytes, h, &s->engine->store.shape);
    choir_status status = base_new_file_room(f, bytes, err);
    status = status == CHOIR_OK ? base_new_file_write(f, h, sizeof *h, err) : status;
    status = status == CHOIR_OK ? base_new_file_write(f, s->ids, (size_t)s->n_ids * sizeof *s->ids, err) : status;
    status = status == CHOIR_OK ? write_tiles(f, h, s, err) : status;
    return status == CHOIR_OK ? base_new_file_finish(f, err) : status;
}

choir_status choir_sequence_save(const choir_sequence *s, const char *path, choir_error *err)
{
    struct eng_state_header h;
    struct base_new_file f;
    choir_error cause;
    if (s->engine->opt.infinite) {
        return base_fail(err, CHOIR_USAGE, "a text without end cannot be kept");
    }
    choir_status status = eng_state_describe(&h, s, err);
    if (status != CHOIR_OK) {
        return status;
    }
    h.ids_sum = eng_state_ids_sum(s->ids, (size_t)s->n_ids);
    h.header_sum = eng_state_header_sum(&h);
    status = base_new_file_open(&f, path, err);
    if (status != CHOIR_OK) {
        return status;
    }
    status = write_all(&f, &h, s, &cause);
    base_new_file_close(&f);
    return status == CHOIR_OK ? CHOIR_OK : base_fail(err, status, "%s; what stood there before is kept", cause.msg);
}
