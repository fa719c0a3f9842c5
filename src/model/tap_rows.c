/* Attention weights, worked out apart from attention: the layer's queries against its cached keys, widened once.
 *
 * A score is scaled and capped as attention does it; the sums of products are plain ones, so a weight may differ in its last
 * bits from what attention used. */
#include <math.h>
#include <string.h>

#include "base/dtype.h"
#include "base/fmath.h"
#include "model/blocks.h"
#include "model/tap_step.h"

/* Number i of a tile; a Q8_0 one times its token's scale for dimension d. */
static float number(const struct kv_store *kv, const uint8_t *tile, size_t i, size_t d, size_t lane)
{
    uint16_t half;
    float f;
    switch (kv->shape.type) {
    case KV_F32:
        memcpy(&f, tile + i * sizeof f, sizeof f);
        return f;
    case KV_F16:
        memcpy(&half, tile + i * sizeof half, sizeof half);
        return base_f32_from_f16(half);
    default:
        break;
    }
    const size_t tokens = (size_t)kv->tile, quants = tokens * (size_t)kv->shape.head_dim;
    memcpy(&half, tile + quants + (d / KERN_KV_BLOCK * tokens + lane) * sizeof half, sizeof half);
    return (float)(int8_t)tile[i] * base_f32_from_f16(half);
}

/* Keys [head_dim, most_tokens] of positions 0 to n - 1 of a head, as far as they are there. */
static void read_keys(const struct mdl_state *s, const struct kv_table *table, int32_t l, int32_t kv_head, int32_t n)
{
    const struct kv_store *kv = s->kv;
    const size_t hd = (size_t)kv->shape.head_dim, most = (size_t)s->tap->opt.most_tokens;
    float *keys = s->tap->keys + (size_t)kv_head * hd * most;
    for (int32_t pos = 0; pos < n; pos += kv->tile) {
        const int32_t block = table->blocks[pos / kv->shape.block_size];
        if (block < 0) {
            continue;
        }
        const uint8_t *tile =
            kv_store_k(kv, l, block, kv_head) + (size_t)(pos % kv->shape.block_size / kv->tile) * kv->tile_bytes;
        const size_t lanes = (size_t)(n - pos < kv->tile ? n - pos : kv->tile);
        for (size_t d = 0; d < hd; d++) {
            for (size_t lane = 0; lane < lanes; lane++) {
                keys[d * most + (size_t)pos + lane] = number(kv, tile, d * (size_t)kv->tile + lane, d, lane);
            }
        }
    }
}

/* Scores of positions from to to - 1, at their places. */
static void score(const struct mdl_state *s, const float *q, const float *keys, int32_t from, int32_t to, float *row)
{
    const struct mdl_config *c = &s->model->config;
    const size_t most = (size_t)s->tap->opt.most_tokens;
    for (int32_t t = from; t < to; t++) {
        row[t] = 0;
    }
    for (int32_t d = 0; d < c->head_dim; d++) {
        const float x = q[d] * c->attn_scale;
        const float *k = keys + (size_t)d * most;
        for (int32_t t = from; t < to; t++) {
            row[t] += x * k[t];
        }
    }
    for (int32_t t = from; c->attn_softcap > 0 && t < to; t++) {
        row[t] = fmath_softcap(row[t], c->attn_softcap);
    }
}

static float largest(const float *row, int32_t from, int32_t to, float m)
{
    for (int32_t t = from; t < to; t++) {
        m = row[t] > m ? row[t] : m;
    }
    return m;
}

static double exponentials(float *row, int32_t from, int32_t to, float m)
{
    double sum = 0;
    for (int32_t t = from; t < to; t++) {
        row[t] = fmath_exp(row[t] - m);
        sum += (double)row[t];
    }
    return sum;
}

/* Weights of token t of run r, head h, into row [pos + 1]. */
static void weigh(const struct mdl_state *s, const struct mdl_run *r, int32_t l, int32_t t, int32_t h, float *row)
{
    const struct mdl_config *c = &s->model->config;
    const int32_t pos = r->pos + t, window = s->model->layers[l].window;
    const size_t hd = (size_t)c->head_dim;
    const size_t at = ((size_t)(r->first + t) * (size_t)c->n_heads + (size_t)h) * hd;
    const float *keys =
        s->tap->keys + (size_t)(h / (c->n_heads / c->n_kv_heads)) * hd * (size_t)s->tap->opt.most_tokens;
    const bool sinks = mdl_sees_sinks(s, r->cut + pos);
    const int32_t from = mdl_first_seen(s, r, window, pos);
    const int32_t sink0 = sinks ? mdl_first_sink(s, window) : 0, sink1 = sinks ? s->opt.n_sinks : 0;
    memset(row, 0, ((size_t)pos + 1) * sizeof *row);
    if (sink0 < sink1) {
        score(s, s->q_sink + at, keys, sink0, sink1, row);
    }
    score(s, s->q + at, keys, from, pos + 1, row);
    const float m = largest(row, from, pos + 1, largest(row, sink0, sink1, -INFINITY));
    const double sum = exponentials(row, sink0, sink1, m) + exponentials(row, from, pos + 1, m);
    const float factor = (float)(1.0 / sum);
    for (int32_t i = 0; i <= pos; i++) {
        row[i] *= factor;
    }
}

static float *row_of(const struct mdl_state *s, int32_t t, int32_t h)
{
    return s->tap->rows + ((size_t)t * (size_t)s->model->config.n_heads + (size_t)h) * (size_t)s->tap->opt.most_tokens;
}

static void check(struct mdl_tap *tap, struct mdl_seen seen, int32_t h, const float *row)
{
    double sum = 0;
    for (int32_t i = 0; i <= seen.pos; i++) {
        sum += (double)row[i];
    }
    if (tap->odd_head < 0 && !(fabs(sum - 1) <= 1e-5)) {
        tap->odd = seen;
        tap->odd_head = h;
        tap->odd_sum = sum;
    }
}

static void tell(struct mdl_state *s, int32_t r, int32_t l, int32_t t0, int32_t t1)
{
    for (int32_t t = t0; t < t1; t++) {
        const struct mdl_seen seen = {r, s->batch->runs[r].pos + t, l};
        for (int32_t h = 0; h < s->model->config.n_heads; h++) {
            check(s->tap, seen, h, row_of(s, t - t0, h));
            s->tap->opt.attention(s->tap->opt.user, seen, h, row_of(s, t - t0, h));
        }
    }
}

static void tell_run(struct par_thread *me, struct mdl_state *s, int32_t run, int32_t l)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_run *r = &s->batch->runs[run];
    int begin, end;
    par_loop_begin(me, c->n_kv_heads, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        for (int h = begin; h < end; h++) {
            read_keys(s, r->table, l, h, r->pos + r->n);
        }
    }
    par_loop_end(me);
    for (int32_t t0 = mdl_tap_first(s->tap, r); t0 < r->n; t0 += s->tap->tile_tokens) {
        const int32_t n = r->n - t0 < s->tap->tile_tokens ? r->n - t0 : s->tap->tile_tokens;
        par_loop_begin(me, n * c->n_heads, 1, 1);
        while (par_loop_next(me, &begin, &end)) {
            for (int i = begin; i < end; i++) {
                weigh(s, r, l, t0 + i / c->n_heads, i % c->n_heads, row_of(s, i / c->n_heads, i % c->n_heads));
            }
        }
        par_loop_end(me);
        if (me->id == 0) {
            tell(s, run, l, t0, t0 + n);
        }
        par_barrier(me);
    }
}

void mdl_tap_rows(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    for (int32_t r = 0; r < s->batch->n_runs; r++) {
        if (mdl_tap_first(s->tap, &s->batch->runs[r]) < s->batch->runs[r].n) {
            tell_run(me, s, r, l);
        }
    }
}
