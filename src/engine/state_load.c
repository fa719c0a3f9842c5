/* Reading a sequence from a file.  All of it is read and checked before the sequence is touched; then keys and values are
 * read once more, into its blocks, and checked again: should the file have changed meanwhile, the sequence has its own ids
 * still, and computes them once more. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "engine/state_file.h"
#include "kv/kv_tiles.h"

struct reader {
    struct base_file file;
    struct eng_state_header h;
    char name[BASE_ESCAPE_CAP];
    int32_t *ids;   /* [h.n_ids] */
    uint8_t *tiles; /* [tile_bytes] and a sum */
    size_t tile_bytes;
};

static choir_status refuse(const struct reader *r, const char *what, choir_error *err)
{
    return base_fail(err, CHOIR_FILE, "%s: %s", r->name, what);
}

static choir_status read_header(struct reader *r, choir_error *err)
{
    static const char magic[8] = {'c', 'h', 'o', 'i', 'r', 'k', 'v', 's'};
    const size_t n = r->file.size < sizeof r->h ? (size_t)r->file.size : sizeof r->h;
    choir_status status = base_file_read(&r->file, 0, &r->h, n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (n < sizeof magic || memcmp(r->h.magic, magic, sizeof magic) != 0) {
        return refuse(r, "not a choir state file", err);
    }
    if (n >= offsetof(struct eng_state_header, kv_type) && r->h.version != ENG_STATE_VERSION) {
        return base_fail(err, CHOIR_FILE, "%s: state version %u not supported (%d is)", r->name, r->h.version,
                         ENG_STATE_VERSION);
    }
    if (n < sizeof r->h) {
        return base_fail(err, CHOIR_FILE, "%s: truncated: %zu bytes, its header has %zu", r->name, n, sizeof r->h);
    }
    return r->h.header_sum == eng_state_header_sum(&r->h) ? CHOIR_OK
                                                          : refuse(r, "checksum mismatch in section header", err);
}

/* Whether it was kept with what the sequence has. */
static choir_status check_origin(const struct reader *r, const struct choir_sequence *s, choir_error *err)
{
    struct eng_state_header own;
    const struct eng_state_header *h = &r->h;
    choir_status status = eng_state_describe(&own, s, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (h->model != own.model || h->n_layers != own.n_layers || h->n_kv_heads != own.n_kv_heads ||
        h->head_dim != own.head_dim) {
        return refuse(r, "was saved with another model", err);
    }
    if (h->tokenizer != own.tokenizer) {
        return refuse(r, "was saved with another tokenizer", err);
    }
    if (h->kv_type != own.kv_type) {
        const char *type = h->kv_type < KV_TYPE_COUNT ? kv_type_name((enum kv_type)h->kv_type) : "unknown";
        return base_fail(err, CHOIR_FILE, "%s: saved with %s keys and values, this run uses %s", r->name, type,
                         kv_type_name(s->engine->kv_type));
    }
    return h->rope == own.rope ? CHOIR_OK : refuse(r, "was saved with other rotations: give the same --ctx-size", err);
}

static choir_status check_sizes(struct reader *r, const struct choir_sequence *s, choir_error *err)
{
    uint64_t bytes;
    if (r->h.n_ids > (uint64_t)s->engine->opt.ctx_size) {
        return base_fail(err, CHOIR_FILE, "%s: %llu tokens, context is %d; raise --ctx-size", r->name,
                         (unsigned long long)r->h.n_ids, s->engine->opt.ctx_size);
    }
    if (!eng_state_bytes(&bytes, &r->h, &s->engine->store.shape)) {
        return base_fail(err, CHOIR_FILE, "%s: keys and values of tokens %llu to %llu, of %llu tokens", r->name,
                         (unsigned long long)r->h.first_held, (unsigned long long)r->h.n_computed,
                         (unsigned long long)r->h.n_ids);
    }
    if (r->file.size != bytes) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %llu bytes, should have %llu", r->name,
                         r->file.size < bytes ? "truncated" : "too long", (unsigned long long)r->file.size,
                         (unsigned long long)bytes);
    }
    return CHOIR_OK;
}

static choir_status read_ids(struct reader *r, const struct choir_sequence *s, choir_error *err)
{
    const size_t n = (size_t)r->h.n_ids;
    const int32_t vocab = s->engine->model->config.vocab_size;
    r->ids = base_array(n > 0 ? n : 1, sizeof *r->ids);
    if (r->ids == NULL) {
        return base_fail_memory(err, n * sizeof *r->ids, "ids");
    }
    choir_status status = base_file_read(&r->file, sizeof r->h, r->ids, n * sizeof *r->ids, err);
    if (status == CHOIR_OK && eng_state_ids_sum(r->ids, n) != r->h.ids_sum) {
        status = refuse(r, "checksum mismatch in section tokens", err);
    }
    for (size_t i = 0; i < n && status == CHOIR_OK; i++) {
        if (r->ids[i] < 0 || r->ids[i] >= vocab) {
            status =
                base_fail(err, CHOIR_FILE, "%s: token %zu: id %d, vocabulary has %d", r->name, i, r->ids[i], vocab);
        }
    }
    return status;
}

/* Reads and checks all keys and values; into the sequence, unless that is NULL. */
static choir_status read_tiles(struct reader *r, struct choir_sequence *into, choir_error *err)
{
    const int32_t n = (int32_t)r->h.n_computed, first = (int32_t)r->h.first_held / KV_TILE_TOKENS;
    uint64_t at = sizeof r->h + r->h.n_ids * sizeof *r->ids, sum;
    choir_status status = CHOIR_OK;
    for (int32_t i = first; i * KV_TILE_TOKENS < n && status == CHOIR_OK; i++) {
        const int32_t pos = i * KV_TILE_TOKENS, left = n - pos < KV_TILE_TOKENS ? n - pos : KV_TILE_TOKENS;
        status = base_file_read(&r->file, at, r->tiles, r->tile_bytes + sizeof sum, err);
        memcpy(&sum, r->tiles + r->tile_bytes, sizeof sum);
        at += r->tile_bytes + sizeof sum;
        if (status == CHOIR_OK && sum != eng_state_tile_sum(r->tiles, r->tile_bytes, (uint64_t)i)) {
            status = base_fail(err, CHOIR_FILE, "%s: checksum mismatch in keys and values of tokens %d to %d", r->name,
                               pos, pos + left - 1);
        }
        if (status == CHOIR_OK && into != NULL) {
            kv_tiles_put(&into->engine->store, &into->table, pos, left, r->tiles);
        }
    }
    return status;
}

static choir_status check_all(struct reader *r, const struct choir_sequence *s, choir_error *err)
{
    r->tile_bytes = kv_tiles_bytes(&s->engine->store.shape);
    r->tiles = malloc(r->tile_bytes + sizeof(uint64_t));
    if (r->tiles == NULL) {
        return base_fail_memory(err, r->tile_bytes, "keys and values of 16 tokens");
    }
    choir_status status = read_header(r, err);
    status = status == CHOIR_OK ? check_origin(r, s, err) : status;
    status = status == CHOIR_OK ? check_sizes(r, s, err) : status;
    status = status == CHOIR_OK ? read_ids(r, s, err) : status;
    return status == CHOIR_OK ? read_tiles(r, NULL, err) : status;
}

/* Blocks for all n tokens, of which those wholly before `first` are let go at once.  False, with no block, when the pool has
 * too few. */
static bool take_blocks(struct choir_sequence *s, int32_t n, int32_t first)
{
    struct kv_pool *pool = s->engine->pool;
    const int32_t size = s->engine->opt.kv_block;
    struct kv_copy copy;
    for (int32_t at = 0; at < n;) {
        const int32_t more = at + size <= first ? size : n - at;
        if (!kv_table_extend(&s->table, pool, more, &copy)) {
            kv_table_truncate(&s->table, pool, 0);
            return false;
        }
        at += more;
        kv_table_release(&s->table, pool, 0, at < first ? at : first);
    }
    return true;
}

/* What the file has, which is right, becomes the sequence. */
static choir_status take_over(struct reader *r, struct choir_sequence *s, choir_error *err)
{
    int32_t n = (int32_t)r->h.n_computed, first = (int32_t)r->h.first_held;
    if (first % s->engine->opt.kv_block != 0) { /* a part of a block cannot be missing: from the start, then */
        n = first = 0;
        r->h.n_computed = r->h.first_held = 0;
    }
    s->has_logits = false;
    s->n_rows = 0;
    kv_table_truncate(&s->table, s->engine->pool, 0);
    if (!take_blocks(s, n, first)) {
        return base_fail(err, CHOIR_RESOURCE, "%s: no free block for its %d tokens", r->name, n);
    }
    choir_status status = read_tiles(r, s, err);
    if (status != CHOIR_OK) {
        kv_table_truncate(&s->table, s->engine->pool, 0);
        return status;
    }
    s->n_ids = (int32_t)r->h.n_ids;
    memcpy(s->ids, r->ids, (size_t)s->n_ids * sizeof *s->ids);
    s->n_cached = s->n_adopted = 0;
    /* logits were not kept; and all is computed anew when the next token sees what is not there */
    eng_truncate_computed(s, n == s->n_ids && n > 0 ? n - 1 : n);
    return CHOIR_OK;
}

choir_status choir_sequence_load(choir_sequence *s, const char *path, choir_error *err)
{
    struct reader r = {.ids = NULL};
    if (s->engine->opt.infinite) {
        return base_fail(err, CHOIR_USAGE, "a text without end cannot go on from one that was kept");
    }
    base_escape_str(r.name, path);
    choir_status status = base_file_open(&r.file, path, err);
    if (status != CHOIR_OK) {
        return status;
    }
    status = check_all(&r, s, err);
    status = status == CHOIR_OK ? take_over(&r, s, err) : status;
    base_file_close(&r.file);
    free(r.ids);
    free(r.tiles);
    return status;
}
