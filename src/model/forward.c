/* One step of the model, read as the paper has it:
 *
 *   x = embed[ids]
 *   each layer:  x += Wo attention(rope(Wq norm(x)), cache of rope(Wk norm(x)), Wv norm(x))
 *                x += W_down (silu(W_gate norm(x)) * W_up norm(x))
 *   logits = W_out norm(x)
 *
 * Every thread runs the whole of it, a loop at a time (kernels/parallel.h), on rows, heads or tokens; a loop ends
 * wherever what one thread wrote becomes the input of another. */
#include "model/forward.h"

#include "base/error.h"
#include "kernels/pack.h"
#include "model/rope.h"
#include "model/state.h"
#include "weights/quants.h"

/* Row `id` of the embedding table. */
static void embed_token(const struct mdl_state *s, float *x, int32_t id)
{
    const struct mdl_matrix *e = &s->model->embed;
    if (e->panels != NULL) {
        size_t panel = (size_t)id / DTYPE_PANEL_ROWS;
        kern_unpack_row(e->type, x, e->panels + panel * e->panel_bytes, id % DTYPE_PANEL_ROWS, e->n_cols);
    } else {
        wts_dequantize_row(e->type, x, e->rows + (size_t)id * e->row_bytes, (size_t)e->n_cols);
    }
}

/* Loops below a few thousand numbers an item are not worth sharing out in parts. */
enum { GRAIN_NUMBERS = 1 << 15 };

static int grain_of(int64_t numbers_per_item)
{
    int64_t n = GRAIN_NUMBERS / (numbers_per_item > 0 ? numbers_per_item : 1);
    return n > 1 ? (int)n : 1;
}

static void embed(struct par_thread *me, struct mdl_state *s)
{
    const struct mdl_config *c = &s->model->config;
    size_t half = (size_t)c->rope_dim / 2;
    int begin, end;
    par_loop_begin(me, s->batch->n_tokens, 1, grain_of(c->dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int t = begin; t < end; t++) {
            const struct mdl_run *r = &s->batch->runs[s->token_run[t]];
            embed_token(s, s->x + (size_t)t * (size_t)c->dim, s->batch->ids[t]);
            mdl_rope_angles(s->cosine + (size_t)t * half, s->sine + (size_t)t * half, s->inv_freq, (int32_t)half,
                            r->pos + t - r->first);
        }
    }
    par_loop_end(me);
}

/* Norm of the tokens, packed in the forms. */
static void norm_and_pack(struct par_thread *me, struct mdl_state *s, int32_t layer, const float *w, unsigned forms)
{
    const struct mdl_config *c = &s->model->config;
    const int n = s->batch->n_tokens;
    int begin, end;
    par_loop_begin(me, n, mdl_pack_unit(s, forms, n), grain_of(c->dim));
    while (par_loop_next(me, &begin, &end)) {
        if (begin == 0 && atomic_load_explicit(s->cancel, memory_order_relaxed) != 0) {
            atomic_store(&s->stop_layer, layer);
        }
        for (int t = begin; t < end; t++) {
            size_t at = (size_t)t * (size_t)c->dim;
            s->kernels->rmsnorm(s->xb + at, s->x + at, w, c->dim, c->norm_eps);
        }
        mdl_pack(s, s->act, forms, s->xb, c->dim, n, begin, end, 0, c->dim);
    }
    par_loop_end(me);
}

/* Packs x [n_tokens, n_cols] for the jobs: shared by tokens, or, when there are few, by columns. */
static void pack(struct par_thread *me, struct mdl_state *s, const float *x, const struct mdl_job *jobs, int n_jobs,
                 int n_tokens)
{
    const int n_cols = jobs[0].w->n_cols;
    const unsigned forms = mdl_forms(s, jobs, n_jobs);
    const bool by_token = n_tokens >= 4 * me->n;
    int begin, end;
    if (by_token) {
        par_loop_begin(me, n_tokens, mdl_pack_unit(s, forms, n_tokens), grain_of(n_cols));
    } else {
        par_loop_begin(me, n_cols, 64, grain_of(n_tokens));
    }
    while (par_loop_next(me, &begin, &end)) {
        if (by_token) {
            mdl_pack(s, s->act, forms, x, n_cols, n_tokens, begin, end, 0, n_cols);
        } else {
            mdl_pack(s, s->act, forms, x, n_cols, n_tokens, 0, n_tokens, begin, end);
        }
    }
    par_loop_end(me);
}

/* ---- attention block ---- */

static void rotate(const struct mdl_state *s, float *head, int t)
{
    const struct mdl_config *c = &s->model->config;
    size_t at = (size_t)t * (size_t)(c->rope_dim / 2);
    if (c->rope_layout == MDL_ROPE_HALF) {
        s->kernels->rope_half(head, s->cosine + at, s->sine + at, 1, c->head_dim, c->rope_dim);
    } else {
        s->kernels->rope_interleaved(head, s->cosine + at, s->sine + at, 1, c->head_dim, c->rope_dim);
    }
}

/* Rotates the key of token t, head h, and writes key and value into the cache. */
static void store_kv(struct mdl_state *s, int32_t layer, int t, int h)
{
    const struct mdl_config *c = &s->model->config;
    const struct kv_store *kv = s->kv;
    const struct mdl_run *r = &s->batch->runs[s->token_run[t]];
    size_t at = (size_t)t * (size_t)mdl_kv_dim(c) + (size_t)h * (size_t)c->head_dim;
    rotate(s, s->k + at, t);
    int32_t pos = r->pos + t - r->first;
    int32_t block = r->table->blocks[pos / kv->shape.block_size];
    int32_t in_block = pos % kv->shape.block_size;
    int32_t lane = in_block % kv->tile;
    size_t tile = (size_t)(in_block / kv->tile) * kv->tile_bytes;
    enum kern_kv type = (enum kern_kv)kv->shape.type;
    s->kernels->kv_put_k[type](kv_store_k(kv, layer, block, h) + tile, kv->tile, lane, s->k + at, c->head_dim);
    s->kernels->kv_put_v[type](kv_store_v(kv, layer, block, h) + tile, kv->tile, lane, s->v + at, c->head_dim);
}

/* Rotates queries, rotates and stores keys, stores values; items are (head, token), a head's tokens together. */
static void rotate_and_store(struct par_thread *me, struct mdl_state *s, int32_t layer)
{
    const struct mdl_config *c = &s->model->config;
    const int n = s->batch->n_tokens;
    int begin, end;
    par_loop_begin(me, (c->n_heads + c->n_kv_heads) * n, 1, grain_of(c->head_dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            int h = i / n;
            int t = i % n;
            if (h < c->n_heads) {
                rotate(s, s->q + (size_t)t * (size_t)mdl_q_dim(c) + (size_t)h * (size_t)c->head_dim, t);
            } else {
                store_kv(s, layer, t, h - c->n_heads);
            }
        }
    }
    par_loop_end(me);
}

static void attention_block(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_layer *y = &s->model->layers[l];
    const int n = s->batch->n_tokens;
    const struct mdl_job qkv[] = {{&y->wq, s->q, false}, {&y->wk, s->k, false}, {&y->wv, s->v, false}};
    const struct mdl_job out[] = {{&y->wo, s->x, true}};
    norm_and_pack(me, s, l, y->att_norm, mdl_forms(s, qkv, 3));
    mdl_linear(me, s, qkv, 3, n);
    rotate_and_store(me, s, l);
    mdl_attention(me, s, l);
    pack(me, s, s->att, out, 1, n);
    mdl_linear(me, s, out, 1, n);
}

/* ---- feed-forward block ---- */

/* Rows [row0, row1) of gate and up, activated and packed for W_down.  These rows are its columns. */
static void gate_and_up(struct mdl_state *s, int thread, const struct mdl_layer *y, int row0, int row1)
{
    const int n = s->batch->n_tokens;
    const struct mdl_job gate = {&y->ffn.w_gate, s->gate, false}, up = {&y->ffn.w_up, s->up, false},
                         out = {&y->ffn.w_down, s->x, true};
    const size_t hidden = (size_t)s->model->config.hidden_dim;
    mdl_linear_rows(s, thread, s->act, &gate, n, row0, row1);
    mdl_linear_rows(s, thread, s->act, &up, n, row0, row1);
    for (size_t t = 0; t < (size_t)n; t++) {
        const size_t at = t * hidden + (size_t)row0;
        s->kernels->swiglu(s->gate + at, s->up + at, row1 - row0);
    }
    mdl_pack(s, s->act_hidden, mdl_forms(s, &out, 1), s->gate, (int)hidden, n, 0, n, row0, row1);
}

static void feed_forward_block(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_layer *y = &s->model->layers[l];
    const int n = s->batch->n_tokens;
    const struct mdl_job in[] = {{&y->ffn.w_gate, s->gate, false}, {&y->ffn.w_up, s->up, false}};
    const struct mdl_job out[] = {{&y->ffn.w_down, s->x, true}};
    int begin, end;
    norm_and_pack(me, s, l, y->ffn_norm, mdl_forms(s, in, 2));
    par_loop_begin(me, y->ffn.w_gate.n_rows, KERN_ACT_COLS, mdl_grain_rows(y->ffn.w_gate.n_cols, 2 * n));
    while (par_loop_next(me, &begin, &end)) {
        gate_and_up(s, me->id, y, begin, end);
    }
    par_loop_end(me);
    mdl_linear_from(me, s, s->act_hidden, out, 1, n);
}

/* ---- logits ---- */

/* Final norm of the tokens that logits are wanted for, and the output matrix. */
static void output(struct par_thread *me, struct mdl_state *s)
{
    const struct mdl_model *m = s->model;
    size_t dim = (size_t)m->config.dim;
    const struct mdl_job out[] = {{&m->output, s->logits, false}};
    int begin, end;
    par_loop_begin(me, s->n_logits, 1, grain_of(m->config.dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            s->kernels->rmsnorm(s->xb + (size_t)i * dim, s->x + (size_t)s->logit_token[i] * dim, m->output_norm,
                                m->config.dim, m->config.norm_eps);
        }
    }
    par_loop_end(me);
    pack(me, s, s->xb, out, 1, s->n_logits);
    mdl_linear(me, s, out, 1, s->n_logits);
}

static void forward(struct par_thread *me, void *ctx)
{
    struct mdl_state *s = ctx;
    const int32_t n_layers = s->model->config.n_layers;
    embed(me, s);
    for (int32_t l = 0; l < n_layers; l++) {
        attention_block(me, s, l);
        feed_forward_block(me, s, l);
        if (atomic_load(&s->stop_layer) <= l) {
            return;
        }
    }
    if (s->n_logits > 0) {
        output(me, s);
    }
}

/* Threads that are worth waking for this much work: a step of a tiny model is faster alone. */
static int useful_threads(const struct mdl_state *s)
{
    const uint64_t work_per_thread = 400000; /* multiply-adds; about 20 us, some 50 barriers' worth */
    const struct mdl_config *c = &s->model->config;
    uint64_t per_token =
        (uint64_t)c->dim * (uint64_t)(2 * mdl_q_dim(c) + 2 * mdl_kv_dim(c) + 3 * c->hidden_dim) * (uint64_t)c->n_layers;
    uint64_t past = 0; /* pairs of a query and a key */
    for (int32_t r = 0; r < s->batch->n_runs; r++) {
        const struct mdl_run *run = &s->batch->runs[r];
        past += (uint64_t)run->n * ((uint64_t)run->pos + (uint64_t)run->n / 2);
    }
    uint64_t work = past * 2 * (uint64_t)mdl_q_dim(c) * (uint64_t)c->n_layers +
                    per_token * (uint64_t)s->batch->n_tokens +
                    (uint64_t)s->n_logits * (uint64_t)c->dim * (uint64_t)c->vocab_size;
    uint64_t useful = work / work_per_thread;
    return useful >= (uint64_t)s->opt.n_threads ? s->opt.n_threads : useful < 1 ? 1 : (int)useful;
}

/* Which run each token belongs to, and which tokens give logits. */
static void index_batch(struct mdl_state *s, const struct mdl_batch *batch)
{
    s->n_logits = 0;
    for (int32_t r = 0; r < batch->n_runs; r++) {
        const struct mdl_run *run = &batch->runs[r];
        for (int32_t i = 0; i < run->n; i++) {
            s->token_run[run->first + i] = r;
        }
        for (int32_t i = run->n - run->n_logits; i < run->n; i++) {
            s->logit_token[s->n_logits++] = run->first + i;
        }
    }
}

choir_status mdl_forward(struct mdl_state *s, const struct mdl_batch *batch, const atomic_int *cancel, choir_error *err)
{
    s->batch = batch;
    s->cancel = cancel;
    atomic_store(&s->stop_layer, INT32_MAX);
    index_batch(s, batch);
    par_run(useful_threads(s), forward, s);
    if (atomic_load(&s->stop_layer) != INT32_MAX) {
        return base_fail(err, CHOIR_CANCELLED, "cancelled");
    }
    for (int32_t i = 0; i < s->n_logits; i++) {
        if (!s->kernels->all_finite(mdl_logits(s, i), s->model->config.vocab_size)) {
            const struct mdl_run *r = &batch->runs[s->token_run[s->logit_token[i]]];
            return base_fail(err, CHOIR_FILE, "logits at position %d are not finite",
                             r->pos + s->logit_token[i] - r->first);
        }
    }
    return CHOIR_OK;
}
