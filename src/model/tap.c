/* What the tap tells of the residual stream; heads that are masked. */
#include "model/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernels/reduce.h"
#include "model/blocks.h"
#include "model/tap_step.h"

/* Numbers of rows that are worked out before they are told. */
enum { ROW_NUMBERS = 1 << 20 };

/* Numbers of a tap's parts; 0: it has no such part. */
struct sizes {
    size_t tile_tokens, keys, rows, stream, masked; /* stream: of each of two */
};

static struct sizes sizes_of(const struct mdl_state *s, const struct mdl_tap_options *opt)
{
    const struct mdl_config *c = &s->model->config;
    const size_t most = (size_t)opt->most_tokens, tokens = (size_t)s->opt.max_tokens, heads = (size_t)c->n_heads;
    const size_t tile = ROW_NUMBERS / (heads * most);
    struct sizes n = {.tile_tokens = tile < 1 ? 1 : tile > tokens ? tokens : tile};
    if (opt->attention != NULL) {
        n.keys = (size_t)mdl_kv_dim(c) * most;
        n.rows = n.tile_tokens * heads * most;
    }
    if (opt->part != NULL) {
        n.stream = tokens * (size_t)c->dim;
        n.masked = tokens * (size_t)mdl_q_dim(c);
    }
    return n;
}

uint64_t mdl_tap_bytes(const struct mdl_state *s, const struct mdl_tap_options *opt)
{
    const struct sizes n = sizes_of(s, opt);
    return sizeof(struct mdl_tap) + (n.keys + n.rows + 2 * n.stream + n.masked) * sizeof(float);
}

static float *take(bool *failed, size_t n)
{
    float *numbers = n > 0 ? malloc(n * sizeof *numbers) : NULL;
    *failed = *failed || (n > 0 && numbers == NULL);
    return numbers;
}

choir_status mdl_tap_open(struct mdl_tap **out, const struct mdl_state *s, const struct mdl_tap_options *opt,
                          choir_error *err)
{
    const struct sizes n = sizes_of(s, opt);
    bool failed = false;
    *out = NULL;
    struct mdl_tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        return base_fail_memory(err, sizeof *tap, "a tap");
    }
    tap->opt = *opt;
    tap->odd_head = -1;
    tap->tile_tokens = (int32_t)n.tile_tokens;
    tap->keys = take(&failed, n.keys);
    tap->rows = take(&failed, n.rows);
    tap->before = take(&failed, n.stream);
    tap->part = take(&failed, n.stream);
    tap->masked = take(&failed, n.masked);
    if (failed) {
        mdl_tap_close(tap);
        return base_fail_memory(err, mdl_tap_bytes(s, opt), "a tap");
    }
    *out = tap;
    return CHOIR_OK;
}

void mdl_tap_close(struct mdl_tap *tap)
{
    if (tap != NULL) {
        free(tap->keys);
        free(tap->rows);
        free(tap->before);
        free(tap->part);
        free(tap->masked);
        free(tap);
    }
}

void mdl_state_tap(struct mdl_state *s, struct mdl_tap *tap)
{
    s->tap = tap;
}

void mdl_state_mask(struct mdl_state *s, const bool *masked)
{
    s->masked = masked;
}

choir_status mdl_tap_verdict(struct mdl_tap *tap, choir_error *err)
{
    const int32_t head = tap->odd_head;
    tap->odd_head = -1;
    if (head < 0) {
        return CHOIR_OK;
    }
    return base_fail(err, isfinite(tap->odd_sum) ? CHOIR_INTERNAL : CHOIR_FILE,
                     "layer %d, head %d, position %d: the attention weights add up to %g", tap->odd.layer, head,
                     tap->odd.pos, tap->odd_sum);
}

void mdl_mask_heads(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_config *c = &s->model->config;
    const bool *masked = s->masked + (size_t)l * (size_t)c->n_heads;
    int begin, end;
    par_loop_begin(me, s->batch->n_tokens, 1, mdl_grain(mdl_q_dim(c)));
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin * c->n_heads; i < end * c->n_heads; i++) {
            if (masked[i % c->n_heads]) {
                memset(s->att + (size_t)i * (size_t)c->head_dim, 0, (size_t)c->head_dim * sizeof *s->att);
            }
        }
    }
    par_loop_end(me);
}

/* ---- parts of the stream ---- */

typedef void told_fn(struct mdl_state *s, struct mdl_seen seen, int32_t token, int32_t head);

/* Every token of the batch that is told of, by the thread that called. */
static void for_tokens(struct par_thread *me, struct mdl_state *s, int32_t l, int32_t head, told_fn *fn)
{
    par_barrier(me);
    for (int32_t r = 0; me->id == 0 && r < s->batch->n_runs; r++) {
        const struct mdl_run *run = &s->batch->runs[r];
        for (int32_t t = mdl_tap_first(s->tap, run); t < run->n; t++) {
            fn(s, (struct mdl_seen){r, run->pos + t, l}, run->first + t, head);
        }
    }
    par_barrier(me);
}

static void tell_stream(struct mdl_state *s, struct mdl_seen seen, int32_t token, int32_t head)
{
    (void)head;
    s->tap->opt.stream(s->tap->opt.user, seen, s->x + (size_t)token * (size_t)s->model->config.dim);
}

static void keep_stream(struct mdl_state *s, struct mdl_seen seen, int32_t token, int32_t head)
{
    const size_t dim = (size_t)s->model->config.dim, at = (size_t)token * dim;
    (void)seen;
    (void)head;
    memcpy(s->tap->before + at, s->x + at, dim * sizeof *s->x);
}

/* The stream now less what it was. */
static void tell_difference(struct mdl_state *s, struct mdl_seen seen, int32_t token, int32_t head)
{
    const size_t dim = (size_t)s->model->config.dim, at = (size_t)token * dim;
    float *y = s->tap->part + at;
    for (size_t i = 0; i < dim; i++) {
        y[i] = s->x[at + i] - s->tap->before[at + i];
    }
    s->tap->opt.part(s->tap->opt.user, seen, MDL_PART_FFN, head, y);
}

static double mean_of(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
    }
    return sum / (double)n;
}

/* A part of a block's result as it comes out of the norm of all of it. */
static void norm_part(const struct mdl_state *s, float *y, const float *block, const float *w)
{
    const struct mdl_config *c = &s->model->config;
    const size_t dim = (size_t)c->dim;
    const bool centred = c->norm == MDL_NORM_LAYER;
    const double mean = centred ? mean_of(block, dim) : 0, own = centred ? mean_of(y, dim) : 0;
    double squares = 0;
    for (size_t i = 0; i < dim; i++) {
        squares += ((double)block[i] - mean) * ((double)block[i] - mean);
    }
    const double factor = 1 / sqrt(squares / (double)dim + (double)c->norm_eps);
    for (size_t i = 0; i < dim; i++) {
        y[i] = (float)(((double)y[i] - own) * factor * (double)w[i]);
    }
}

static void tell_part(struct mdl_state *s, struct mdl_seen seen, int32_t token, int32_t head)
{
    const size_t dim = (size_t)s->model->config.dim, at = (size_t)token * dim;
    const struct mdl_layer *y = &s->model->layers[seen.layer];
    float *part = s->tap->part + at, *less = s->tap->before + at;
    if (head < 0) {
        memcpy(part, y->bo, dim * sizeof *part);
    } else { /* what all heads up to this one give, less what those before it gave */
        for (size_t i = 0; i < dim; i++) {
            const float all = part[i];
            part[i] = all - less[i];
            less[i] = all;
        }
    }
    if (s->model->config.post_norm) {
        norm_part(s, part, s->block + at, y->post_att_norm);
    }
    s->tap->opt.part(s->tap->opt.user, seen, head < 0 ? MDL_PART_ATT_BIAS : MDL_PART_HEAD, head, part);
}

/* What attention gave, up to head h. */
static void reveal(struct par_thread *me, const struct mdl_state *s, int32_t h)
{
    const struct mdl_config *c = &s->model->config;
    const size_t q_dim = (size_t)mdl_q_dim(c), hd = (size_t)c->head_dim;
    int begin, end;
    par_loop_begin(me, s->batch->n_tokens, 1, mdl_grain((int64_t)q_dim));
    while (par_loop_next(me, &begin, &end)) {
        for (size_t t = (size_t)begin; t < (size_t)end; t++) {
            const size_t at = t * q_dim + (size_t)h * hd, dim = (size_t)c->dim;
            if (h == 0) {
                memset(s->tap->masked + t * q_dim, 0, q_dim * sizeof *s->tap->masked);
                memset(s->tap->before + t * dim, 0, dim * sizeof *s->tap->before);
            }
            memcpy(s->tap->masked + at, s->att + at, hd * sizeof *s->att);
        }
    }
    par_loop_end(me);
}

/* The heads are revealed one after the other, and each is told by how much the result changes: so parts add up to it whatever
 * the quantization of W_O's input, whose blocks may hold numbers of two heads. */
static void tell_heads(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_layer *y = &s->model->layers[l];
    const struct mdl_job job = {&y->wo, s->tap->part, false, NULL};
    for (int32_t h = 0; h < s->model->config.n_heads; h++) {
        reveal(me, s, h);
        mdl_pack_shared(me, s, s->tap->masked, &job, 1, s->batch->n_tokens);
        mdl_linear(me, s, &job, 1, s->batch->n_tokens);
        for_tokens(me, s, l, h, tell_part);
    }
    if (y->bo != NULL) {
        for_tokens(me, s, l, -1, tell_part);
    }
}

void mdl_tap_embedded(struct par_thread *me, struct mdl_state *s)
{
    if (s->tap->opt.stream != NULL) {
        for_tokens(me, s, -1, -1, tell_stream);
    }
}

void mdl_tap_attended(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    if (s->tap->opt.attention != NULL) {
        mdl_tap_rows(me, s, l);
    }
    if (s->tap->opt.part != NULL) {
        tell_heads(me, s, l);
        for_tokens(me, s, l, -1, keep_stream);
    }
}

void mdl_tap_layer(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    if (s->tap->opt.part != NULL) {
        for_tokens(me, s, l, -1, tell_difference);
    }
    if (s->tap->opt.stream != NULL) {
        for_tokens(me, s, l, -1, tell_stream);
    }
}
