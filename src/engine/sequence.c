/* A sequence: one timeline of ids, the blocks that hold what is computed of it, and its sampler. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/engine.h"
#include "model/rope.h"

static choir_status open_empty(struct choir_sequence **out, struct choir_engine *e, const choir_sampling *sampling,
                               choir_error *err)
{
    *out = NULL;
    const struct choir_model *m = e->model;
    struct choir_sequence *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return base_fail_memory(err, sizeof *s, "a sequence");
    }
    s->engine = e;
    s->want_from = INT32_MAX;
    int32_t n_pieces = m->tokenizer != NULL ? tok_n_pieces(m->tokenizer) : m->config.vocab_size;
    choir_status status = smp_open(&s->chain, sampling, m->config.vocab_size, n_pieces, m->eos_ids, m->n_eos, err);
    if (status == CHOIR_OK) {
        status = kv_table_open(&s->table, e->pool, e->most_computed, err);
    }
    if (status == CHOIR_OK) {
        size_t most = (size_t)e->most_computed + (e->opt.infinite ? (size_t)e->opt.ctx_size : 0);
        size_t ids_bytes = most * sizeof *s->ids;
        size_t logits_bytes = (size_t)m->config.vocab_size * sizeof *s->logits;
        s->ids = malloc(ids_bytes);
        s->logits = malloc(logits_bytes);
        if (s->ids == NULL || s->logits == NULL) {
            status = base_fail_memory(err, ids_bytes + logits_bytes, "a sequence");
        }
    }
    if (status != CHOIR_OK) {
        choir_sequence_close(s);
        return status;
    }
    *out = s;
    return CHOIR_OK;
}

choir_status choir_sequence_open(choir_sequence **out, choir_engine *engine, const choir_sampling *sampling,
                                 choir_error *err)
{
    choir_sampling plain;
    choir_sampling_default(&plain);
    return open_empty(out, engine, sampling != NULL ? sampling : &plain, err);
}

choir_status eng_sequence_share(struct choir_sequence *dst, const struct choir_sequence *src, choir_error *err)
{
    struct choir_engine *e = src->engine;
    choir_status status = kv_table_fork(&dst->table, &src->table, e->pool, err);
    if (status != CHOIR_OK) {
        return status;
    }
    memcpy(dst->ids, src->ids, (size_t)src->n_ids * sizeof *dst->ids);
    dst->n_ids = src->n_ids;
    dst->n_cached = src->n_cached;
    dst->cut = src->cut;
    dst->has_logits = src->has_logits;
    if (dst->has_logits) {
        memcpy(dst->logits, src->logits, (size_t)e->model->config.vocab_size * sizeof *dst->logits);
    }
    return CHOIR_OK;
}

choir_status choir_sequence_fork(choir_sequence **out, const choir_sequence *src, const choir_sampling *sampling,
                                 choir_error *err)
{
    struct choir_sequence *s;
    *out = NULL;
    choir_status status = open_empty(&s, src->engine, sampling != NULL ? sampling : smp_options(src->chain), err);
    if (status == CHOIR_OK) {
        s->want_from = src->want_from;
        status = eng_sequence_share(s, src, err);
    }
    if (status != CHOIR_OK) {
        choir_sequence_close(s);
        return status;
    }
    *out = s;
    return CHOIR_OK;
}

void choir_sequence_close(choir_sequence *s)
{
    if (s == NULL) {
        return;
    }
    s->engine->last.n_runs = 0;
    kv_table_close(&s->table, s->engine->pool);
    smp_close(s->chain);
    free(s->ids);
    free(s->logits);
    free(s);
}

static choir_status too_long(const choir_sequence *s, size_t n, choir_error *err)
{
    const int32_t ctx = s->engine->opt.ctx_size;
    const struct mdl_config *c = &s->engine->model->config;
    if (n < (size_t)mdl_rope_longest(c)) { /* with room for a token more */
        return base_fail(err, CHOIR_PROMPT, "prompt is %zu tokens, context is %d; raise --ctx-size to %zu", n, ctx,
                         n + 1);
    }
    return base_fail(err, CHOIR_PROMPT, "prompt is %zu tokens, context is %d%s", n, ctx,
                     ctx == c->max_seq_len ? ", all that the model was made for" : "");
}

choir_status choir_sequence_append(choir_sequence *s, const int32_t *ids, size_t n, choir_error *err)
{
    int32_t ctx = s->engine->opt.ctx_size;
    int32_t vocab = s->engine->model->config.vocab_size;
    if (s->engine->opt.infinite && n > (size_t)(ctx - (s->n_ids - s->table.n_tokens))) {
        return base_fail(err, CHOIR_PROMPT, "%zu tokens are too many at once: at most %d can wait to be computed", n,
                         ctx);
    }
    if (!s->engine->opt.infinite && n > (size_t)(ctx - s->n_ids)) {
        return too_long(s, n + (size_t)s->n_ids, err);
    }
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= vocab) {
            return base_fail(err, CHOIR_USAGE, "id %d is not in the vocabulary (0 to %d)", ids[i], vocab - 1);
        }
    }
    memcpy(s->ids + s->n_ids, ids, n * sizeof *ids);
    s->n_ids += (int32_t)n;
    s->has_logits = s->has_logits && n == 0;
    return CHOIR_OK;
}

/* Lowest position behind the sinks that the token at position pos sees. */
static int32_t window_begin(const struct choir_sequence *s, int32_t pos)
{
    const choir_engine_options *o = &s->engine->opt;
    return s->cut + pos < o->ctx_size ? 0 : pos - (o->ctx_size - o->n_sinks) + 1;
}

void eng_sequence_slide(struct choir_sequence *s)
{
    struct choir_engine *e = s->engine;
    const int32_t first = eng_sink_blocks(e), size = e->opt.kv_block;
    const int32_t n = window_begin(s, s->table.n_tokens) / size - first;
    if (n > 0) {
        int32_t at = first * size, cut = n * size;
        kv_table_cut(&s->table, e->pool, first, n);
        s->n_ids -= cut;
        s->cut += cut;
        s->n_rows = 0;
        if (s->want_from > at && s->want_from != INT32_MAX) {
            s->want_from = s->want_from - cut > at ? s->want_from - cut : at;
        }
        memmove(s->ids + at, s->ids + at + cut, (size_t)(s->n_ids - at) * sizeof *s->ids);
    }
}

/* Whether the last token of the first n can be computed again: what it sees is there. */
static bool can_go_back(const struct choir_sequence *s, int32_t n)
{
    return s->cut == 0 || n > s->table.n_tokens ||
           (n > 0 && window_begin(s, n - 1) >= eng_sink_blocks(s->engine) * s->engine->opt.kv_block);
}

void eng_sequence_cut(struct choir_sequence *s, int32_t n, int32_t computed)
{
    s->n_ids = n;
    s->has_logits = false;
    if (s->n_rows > 0 && s->rows_pos + s->n_rows > n) {
        s->n_rows = n > s->rows_pos ? n - s->rows_pos : 0;
    }
    if (computed < s->table.n_tokens) {
        eng_truncate_computed(s, computed);
    }
}

/* First position that a token at pos sees. */
static int32_t first_seen(const struct choir_engine *e, int32_t pos)
{
    return e->window > 0 && pos >= e->window ? pos - e->window + 1 : 0;
}

void eng_truncate_computed(struct choir_sequence *s, int32_t n)
{
    struct kv_pool *pool = s->engine->pool;
    if (!kv_table_holds(&s->table, pool, first_seen(s->engine, n), n)) {
        n = 0; /* the past that it goes on from was given back: once more from the start */
    }
    kv_table_truncate(&s->table, pool, n);
    s->n_cached = s->n_cached < n ? s->n_cached : n;
}

void eng_release_passed(struct choir_sequence *s)
{
    const struct choir_engine *e = s->engine;
    const int32_t n = s->table.n_tokens - s->n_guesses; /* what a guess sees, the token in its place sees too */
    if (e->window > 0 && n > e->window) {
        kv_table_release(&s->table, e->pool, 0, n - e->window);
    }
}

void choir_sequence_truncate(choir_sequence *s, int32_t n)
{
    if (n >= 0 && n < s->n_ids && can_go_back(s, n)) {
        eng_sequence_cut(s, n, n > 0 ? n - 1 : 0); /* the last token again: its logits are gone */
    }
}

int32_t choir_sequence_length(const choir_sequence *s)
{
    return s->n_ids;
}

int32_t choir_sequence_computed(const choir_sequence *s)
{
    return s->table.n_tokens;
}

int32_t choir_sequence_cached(const choir_sequence *s)
{
    return s->n_cached;
}

int64_t choir_sequence_forgotten(const choir_sequence *s)
{
    return s->cut;
}

const int32_t *choir_sequence_ids(const choir_sequence *s)
{
    return s->ids;
}

int32_t choir_sequence_blocks(const choir_sequence *s, int32_t *blocks, int32_t *n_holders, int32_t cap)
{
    for (int32_t i = 0; i < cap && i < s->table.n_blocks; i++) {
        blocks[i] = s->table.blocks[i];
        n_holders[i] = blocks[i] >= 0 ? kv_pool_ref_count(s->engine->pool, blocks[i]) : 0;
    }
    return s->table.n_blocks;
}

const float *choir_sequence_logits(const choir_sequence *s)
{
    return s->has_logits ? s->logits : NULL;
}

/* Tokens that penalties may look back on: of an infinite sequence the window's, which do not depend on the size of blocks. */
static int32_t window_seen(const struct choir_sequence *s)
{
    const choir_engine_options *o = &s->engine->opt;
    const int32_t window = o->ctx_size - o->n_sinks;
    return o->infinite && s->n_ids > window ? window : s->n_ids;
}

choir_status choir_sequence_sample(choir_sequence *s, int32_t *id, choir_error *err)
{
    *id = 0;
    if (!s->has_logits) {
        return base_fail(err, CHOIR_USAGE, "no logits to draw from: step the sequence first");
    }
    const int32_t seen = window_seen(s);
    *id = smp_draw(s->chain, s->logits, s->ids + s->n_ids - seen, seen, s->cut + s->n_ids);
    return CHOIR_OK;
}
