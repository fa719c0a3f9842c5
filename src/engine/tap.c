/* The public tap on the model's, and masked heads. */
#include "model/tap.h"

#include <stdlib.h>

#include "base/error.h"
#include "engine/engine.h"

/* Between the two: runs become sequences. */
struct eng_tap {
    choir_tap tap;
    const struct choir_engine *engine;
    struct mdl_tap *model;
};

static const double mib = 1024.0 * 1024.0;

_Static_assert((int)CHOIR_PART_FEED_FORWARD == (int)MDL_PART_FFN && (int)CHOIR_PART_HEAD == (int)MDL_PART_HEAD,
               "the parts are the model's");

void choir_tap_default(choir_tap *tap)
{
    *tap = (choir_tap){.from = 0};
}

static choir_seen seen_by(const struct eng_tap *t, struct mdl_seen seen)
{
    return (choir_seen){t->engine->run_seqs[seen.run], seen.pos, seen.layer};
}

static void on_attention(void *user, struct mdl_seen seen, int32_t head, const float *weights)
{
    const struct eng_tap *t = user;
    t->tap.attention(t->tap.user, seen_by(t, seen), head, weights, seen.pos + 1);
}

static void on_stream(void *user, struct mdl_seen seen, const float *x)
{
    const struct eng_tap *t = user;
    t->tap.stream(t->tap.user, seen_by(t, seen), x, t->engine->model->config.dim);
}

static void on_part(void *user, struct mdl_seen seen, enum mdl_stream_part part, int32_t head, const float *y)
{
    const struct eng_tap *t = user;
    t->tap.part(t->tap.user, seen_by(t, seen), (choir_part)part, head, y, t->engine->model->config.dim);
}

void eng_tap_close(struct choir_engine *e)
{
    if (e->tap != NULL) {
        mdl_state_tap(e->state, NULL);
        mdl_tap_close(e->tap->model);
        free(e->tap);
        e->tap = NULL;
    }
}

static struct mdl_tap_options options_of(const struct choir_engine *e, const choir_tap *tap, struct eng_tap *user)
{
    return (struct mdl_tap_options){
        .from = tap->from,
        .most_tokens = e->most_computed,
        .attention = tap->attention != NULL ? on_attention : NULL,
        .stream = tap->stream != NULL ? on_stream : NULL,
        .part = tap->part != NULL ? on_part : NULL,
        .user = user,
    };
}

uint64_t choir_tap_bytes(const choir_engine *e, const choir_tap *tap)
{
    const struct mdl_tap_options opt = options_of(e, tap, NULL);
    return sizeof(struct eng_tap) + mdl_tap_bytes(e->state, &opt);
}

uint64_t eng_tap_bytes(const struct choir_engine *e)
{
    return e->tap != NULL ? choir_tap_bytes(e, &e->tap->tap) : 0;
}

choir_status choir_engine_tap(choir_engine *e, const choir_tap *tap, choir_error *err)
{
    eng_tap_close(e);
    if (tap == NULL) {
        return CHOIR_OK;
    }
    const uint64_t bytes = choir_tap_bytes(e, tap), left = choir_engine_room(e);
    if (bytes > left) {
        return base_fail(err, CHOIR_RESOURCE, "looking inside takes %.1f MiB, %.1f MiB are left", (double)bytes / mib,
                         (double)left / mib);
    }
    struct eng_tap *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return base_fail_memory(err, sizeof *t, "a tap");
    }
    const struct mdl_tap_options opt = options_of(e, tap, t);
    t->tap = *tap;
    t->engine = e;
    choir_status status = mdl_tap_open(&t->model, e->state, &opt, err);
    if (status != CHOIR_OK) {
        free(t);
        return status;
    }
    e->tap = t;
    mdl_state_tap(e->state, t->model);
    return CHOIR_OK;
}

choir_status choir_engine_unembed(choir_engine *e, const float *x, float *logits, choir_error *err)
{
    const int32_t n = e->model->config.vocab_size;
    e->n_steps++; /* rows of the last step are gone */
    mdl_unembed(e->state, x, logits);
    if (!e->model->kernels.all_finite(logits, n)) {
        return base_fail(err, CHOIR_FILE, "%s: logits of a residual stream are not finite", e->model->path);
    }
    return CHOIR_OK;
}

choir_status choir_engine_readout(double *direction, double *constant, const choir_engine *e, const float *x,
                                  int32_t id, choir_error *err)
{
    const int32_t n = e->model->config.vocab_size;
    if (id < 0 || id >= n) {
        return base_fail(err, CHOIR_USAGE, "id %d is not in the vocabulary (0 to %d)", id, n - 1);
    }
    return mdl_readout(direction, constant, e->state, x, id, err);
}

/* ---- masked heads ------------------------------------------------------------------------------------ */

static choir_status check_head(const struct mdl_config *c, choir_head h, choir_error *err)
{
    if (h.layer < 0 || h.layer >= c->n_layers) {
        return base_fail(err, CHOIR_USAGE, "layer %d of a head to be masked: the model has layers 0 to %d", h.layer,
                         c->n_layers - 1);
    }
    if (h.head < -1 || h.head >= c->n_heads) {
        return base_fail(err, CHOIR_USAGE, "head %d to be masked: the model has heads 0 to %d", h.head, c->n_heads - 1);
    }
    return CHOIR_OK;
}

/* From the next forward on; nothing is checked but the heads. */
static choir_status set_mask(struct choir_engine *e, const choir_head *heads, size_t n, choir_error *err)
{
    const struct mdl_config *c = &e->model->config;
    const size_t n_heads = (size_t)c->n_heads, n_all = (size_t)c->n_layers * n_heads;
    for (size_t i = 0; i < n; i++) {
        choir_status status = check_head(c, heads[i], err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    if (e->masked == NULL && n > 0) {
        e->masked = malloc(n_all * sizeof *e->masked);
        if (e->masked == NULL) {
            return base_fail_memory(err, n_all * sizeof *e->masked, "a mask of heads");
        }
    }
    for (size_t i = 0; e->masked != NULL && i < n_all; i++) {
        e->masked[i] = false;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)heads[i].layer * n_heads;
        for (size_t h = 0; h < n_heads; h++) {
            e->masked[at + h] = e->masked[at + h] || heads[i].head < 0 || (size_t)heads[i].head == h;
        }
    }
    mdl_state_mask(e->state, n > 0 ? e->masked : NULL);
    return CHOIR_OK;
}

choir_status choir_engine_mask_heads(choir_engine *e, const choir_head *heads, size_t n, choir_error *err)
{
    if (kv_pool_n_free(e->pool) - kv_pool_n_cached(e->pool) != kv_pool_n_blocks(e->pool)) {
        return base_fail(err, CHOIR_USAGE, "heads are masked before anything is computed: the cache is in use");
    }
    return set_mask(e, heads, n, err);
}

/* Whether the run's keys and values are where they were, and nobody else's. */
static bool is_untouched(const struct choir_engine *e, const struct mdl_run *r, const struct choir_sequence *s)
{
    bool own = s->table.n_tokens == r->pos + r->n && s->cut == r->cut;
    for (int32_t b = r->pos / e->opt.kv_block; own && b < s->table.n_blocks; b++) {
        own = s->table.blocks[b] >= 0 && kv_pool_ref_count(e->pool, s->table.blocks[b]) == 1 &&
              !kv_pool_is_published(e->pool, s->table.blocks[b]);
    }
    return own;
}

choir_status choir_engine_redo(choir_engine *e, int32_t layer, const float *x, const choir_head *heads, size_t n,
                               choir_error *err)
{
    bool possible = e->last.n_runs > 0 && layer >= 0 && layer < e->model->config.n_layers;
    for (int32_t r = 0; possible && r < e->last.n_runs; r++) {
        possible = is_untouched(e, &e->runs[r], e->run_seqs[r]);
    }
    if (!possible) {
        return base_fail(err, CHOIR_USAGE, "there is no step that could be done again from layer %d on", layer);
    }
    choir_error cause;
    choir_status status = set_mask(e, heads, n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    e->n_steps++;
    status = mdl_forward_from(e->state, &e->last, layer, x, &e->cancel, &cause);
    if (status != CHOIR_OK) {
        return base_fail(err, status, "%s", cause.msg);
    }
    eng_hand_out_logits(e, &e->last);
    return CHOIR_OK;
}
