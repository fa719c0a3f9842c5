/* The attention block around attention itself: queries, keys and values of norm(x); norms and rotation of queries and
 * keys; keys and values into the cache; W_o. */
#include <string.h>

#include "model/blocks.h"
#include "model/tap_step.h"

/* A query or key rotated. */
static void rotate(const struct mdl_state *s, float *head, const float *cosine, const float *sine)
{
    const struct mdl_config *c = &s->model->config;
    if (c->rope_layout == MDL_ROPE_HALF) {
        s->kernels->rope_half(head, cosine, sine, 1, c->head_dim, c->rope_dim);
    } else {
        s->kernels->rope_interleaved(head, cosine, sine, 1, c->head_dim, c->rope_dim);
    }
}

/* A query or key of token t: normed, where the family does that head by head, and rotated.  for_sinks: NULL, or where what
 * meets the sinks of a stream goes. */
static void turn_head(const struct mdl_state *s, const struct mdl_layer *y, float *head, float *for_sinks,
                      const float *norm, int t)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_angles *a = s->angles_of[y->rope];
    const size_t at = (size_t)t * (size_t)(c->rope_dim / 2);
    if (c->qk_norm == MDL_QK_NORM_HEAD) {
        s->kernels->rmsnorm(head, head, norm, c->head_dim, c->norm_eps);
    }
    if (for_sinks != NULL) {
        memcpy(for_sinks, head, (size_t)c->head_dim * sizeof *head);
        rotate(s, for_sinks, a->sink_cosine, a->sink_sine);
    }
    rotate(s, head, a->cosine + at, a->sine + at);
}

static void turn_query(struct mdl_state *s, const struct mdl_layer *y, int t, int h)
{
    const struct mdl_config *c = &s->model->config;
    const size_t at = (size_t)t * (size_t)mdl_q_dim(c) + (size_t)h * (size_t)c->head_dim;
    const bool sinks = mdl_sees_sinks(s, mdl_text_pos(&s->batch->runs[s->token_run[t]], t));
    turn_head(s, y, s->q + at, sinks ? s->q_sink + at : NULL, y->q_norm, t);
}

/* Turns the key of token t, head h, and writes key and value into the cache. */
static void store_kv(struct mdl_state *s, int32_t layer, int t, int h)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_layer *y = &s->model->layers[layer];
    const struct kv_store *kv = s->kv;
    const struct mdl_run *r = &s->batch->runs[s->token_run[t]];
    size_t at = (size_t)t * (size_t)mdl_kv_dim(c) + (size_t)h * (size_t)c->head_dim;
    turn_head(s, y, s->k + at, NULL, y->k_norm, t);
    int32_t pos = r->pos + t - r->first;
    int32_t block = r->table->blocks[pos / kv->shape.block_size];
    int32_t in_block = pos % kv->shape.block_size;
    int32_t lane = in_block % kv->tile;
    size_t tile = (size_t)(in_block / kv->tile) * kv->tile_bytes;
    enum kern_kv type = (enum kern_kv)kv->shape.type;
    s->kernels->kv_put_k[type](kv_store_k(kv, layer, block, h) + tile, kv->tile, lane, s->k + at, c->head_dim);
    s->kernels->kv_put_v[type](kv_store_v(kv, layer, block, h) + tile, kv->tile, lane, s->v + at, c->head_dim);
}

/* Norms that take all heads of a token together, in place. */
static void norm_rows(struct par_thread *me, struct mdl_state *s, const struct mdl_layer *y)
{
    const struct mdl_config *c = &s->model->config;
    const int q_dim = mdl_q_dim(c), kv_dim = mdl_kv_dim(c);
    int begin, end;
    par_loop_begin(me, s->batch->n_tokens, 1, mdl_grain(q_dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int t = begin; t < end; t++) {
            float *q = s->q + (size_t)t * (size_t)q_dim, *k = s->k + (size_t)t * (size_t)kv_dim;
            s->kernels->rmsnorm(q, q, y->q_norm, q_dim, c->norm_eps);
            s->kernels->rmsnorm(k, k, y->k_norm, kv_dim, c->norm_eps);
        }
    }
    par_loop_end(me);
}

/* Turns queries, turns and stores keys, stores values; items are (head, token), a head's tokens together. */
static void turn_and_store(struct par_thread *me, struct mdl_state *s, int32_t layer)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_layer *y = &s->model->layers[layer];
    const int n = s->batch->n_tokens;
    int begin, end;
    par_loop_begin(me, (c->n_heads + c->n_kv_heads) * n, 1, mdl_grain(c->head_dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            int h = i / n;
            int t = i % n;
            if (h < c->n_heads) {
                turn_query(s, y, t, h);
            } else {
                store_kv(s, layer, t, h - c->n_heads);
            }
        }
    }
    par_loop_end(me);
}

void mdl_attention_block(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_layer *y = &s->model->layers[l];
    const int n = s->batch->n_tokens;
    const struct mdl_job qkv[] = {
        {&y->wq, s->q, false, y->bq}, {&y->wk, s->k, false, y->bk}, {&y->wv, s->v, false, y->bv}};
    const struct mdl_job out[] = {mdl_result_job(s, &y->wo, y->bo)};
    mdl_read_stream(me, s, l, (struct mdl_norm){y->att_norm, y->att_norm_bias}, mdl_forms(s, qkv, 3));
    mdl_linear(me, s, qkv, 3, n);
    if (s->model->config.qk_norm == MDL_QK_NORM_ROW) {
        norm_rows(me, s, y);
    }
    turn_and_store(me, s, l);
    mdl_attention(me, s, l);
    if (s->masked != NULL) {
        mdl_mask_heads(me, s, l);
    }
    mdl_pack_shared(me, s, s->att, out, 1, n);
    mdl_linear(me, s, out, 1, n);
    mdl_add_result(me, s, y->post_att_norm);
    if (s->tap != NULL) {
        mdl_tap_attended(me, s, l);
    }
}
