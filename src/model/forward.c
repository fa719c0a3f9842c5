/* One step of the model, read as the papers have it:
 *
 *   x = embed[ids]
 *   each layer:  x += Wo attention(rope(Wq norm(x)), cache of rope(Wk norm(x)), Wv norm(x))
 *                x += W_down (act(W_gate norm(x)) * W_up norm(x))
 *   logits = W_out norm(x)
 *
 * What a family does differently (norms, biases, activation, positions, windows, caps) the configuration says, and each
 * part reads it there; there is one forward.
 *
 * Every thread runs the whole of it, a loop at a time (kernels/parallel.h), on rows, heads or tokens; a loop ends
 * wherever what one thread wrote becomes the input of another. */
#include "model/forward.h"

#include <string.h>

#include "base/error.h"
#include "model/blocks.h"
#include "model/rope.h"
#include "model/tap_step.h"

/* x of one token, and, where positions turn queries and keys, their angles. */
static void embed_token(struct mdl_state *s, int t, int64_t pos)
{
    const struct mdl_model *m = s->model;
    const struct mdl_config *c = &m->config;
    const int32_t half = c->rope_dim / 2;
    float *x = s->x + (size_t)t * (size_t)c->dim;
    mdl_read_row(x, &m->embed, s->batch->ids[t]);
    if (c->embed_scale != 1.0f) {
        s->kernels->scale(x, c->embed_scale, c->dim);
    }
    if (c->position == MDL_POSITION_LEARNED) {
        float *position = s->xb + (size_t)t * (size_t)c->dim;
        mdl_read_row(position, &m->positions, (int32_t)pos);
        s->kernels->add(x, position, c->dim);
    }
    for (int i = 0; i < s->n_angles; i++) {
        const struct mdl_angles *a = &s->angles[i];
        size_t at = (size_t)t * (size_t)half;
        mdl_rope_angles(a->cosine + at, a->sine + at, a->inv_freq, a->magnitude, half, pos);
    }
}

static void embed(struct par_thread *me, struct mdl_state *s)
{
    int begin, end;
    par_loop_begin(me, s->batch->n_tokens, 1, mdl_grain(s->model->config.dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int t = begin; t < end; t++) {
            const struct mdl_run *r = &s->batch->runs[s->token_run[t]];
            embed_token(s, t, mdl_text_pos(r, t));
        }
    }
    par_loop_end(me);
}

/* x of every token as the layers before first_layer made it. */
static void resume(struct par_thread *me, struct mdl_state *s)
{
    const size_t dim = (size_t)s->model->config.dim;
    int begin, end;
    par_loop_begin(me, s->batch->n_tokens, 1, mdl_grain((int64_t)dim));
    while (par_loop_next(me, &begin, &end)) {
        memcpy(s->x + (size_t)begin * dim, s->resumed + (size_t)begin * dim,
               (size_t)(end - begin) * dim * sizeof *s->x);
    }
    par_loop_end(me);
}

static void layer(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    if (s->model->config.parallel) { /* both read x before either is added to it */
        mdl_feed_forward_in(me, s, l);
        mdl_attention_block(me, s, l);
        mdl_feed_forward_out(me, s, l);
        return;
    }
    mdl_attention_block(me, s, l);
    if (s->model->layers[l].experts != NULL) {
        mdl_experts(me, s, l);
        return;
    }
    mdl_feed_forward_in(me, s, l);
    mdl_feed_forward_out(me, s, l);
}

/* logits = cap tanh(logits / cap). */
static void cap_logits(struct par_thread *me, struct mdl_state *s)
{
    const struct mdl_config *c = &s->model->config;
    int begin, end;
    par_loop_begin(me, c->vocab_size, KERN_ACT_COLS, mdl_grain(s->n_logits));
    while (par_loop_next(me, &begin, &end)) {
        for (size_t i = 0; i < (size_t)s->n_logits; i++) {
            s->kernels->softcap(s->logits + i * (size_t)c->vocab_size + begin, c->logit_softcap, end - begin);
        }
    }
    par_loop_end(me);
}

/* Final norm of the tokens that logits are wanted for, and the output matrix. */
static void output(struct par_thread *me, struct mdl_state *s)
{
    const struct mdl_model *m = s->model;
    const size_t dim = (size_t)m->config.dim;
    const struct mdl_norm norm = {m->output_norm, m->output_norm_bias};
    const struct mdl_job out[] = {{&m->output, s->logits, false, m->output_bias}};
    int begin, end;
    par_loop_begin(me, s->n_logits, 1, mdl_grain(m->config.dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            mdl_norm_token(s, s->xb + (size_t)i * dim, s->x + (size_t)s->logit_token[i] * dim, norm);
        }
    }
    par_loop_end(me);
    mdl_pack_shared(me, s, s->xb, out, 1, s->n_logits);
    mdl_linear(me, s, out, 1, s->n_logits);
    if (m->config.logit_softcap > 0) {
        cap_logits(me, s);
    }
}

static void forward(struct par_thread *me, void *ctx)
{
    struct mdl_state *s = ctx;
    const int32_t n_layers = s->model->config.n_layers;
    embed(me, s);
    if (s->tap != NULL) {
        mdl_tap_embedded(me, s);
    }
    if (s->resumed != NULL) {
        resume(me, s);
    }
    for (int32_t l = s->first_layer; l < n_layers; l++) {
        layer(me, s, l);
        if (s->tap != NULL) {
            mdl_tap_layer(me, s, l);
        }
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
    int64_t hidden = c->n_experts > 0 ? (int64_t)c->n_experts_used * c->expert_dim + c->shared_dim : c->hidden_dim;
    int64_t rows = 2 * (int64_t)mdl_q_dim(c) + 2 * (int64_t)mdl_kv_dim(c) + (c->gated ? 3 : 2) * hidden;
    uint64_t per_token = (uint64_t)c->dim * (uint64_t)rows * (uint64_t)c->n_layers;
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
    return mdl_forward_from(s, batch, 0, NULL, cancel, err);
}

choir_status mdl_forward_from(struct mdl_state *s, const struct mdl_batch *batch, int32_t layer, const float *x,
                              const atomic_int *cancel, choir_error *err)
{
    s->first_layer = layer;
    s->resumed = x;
    s->batch = batch;
    s->cancel = cancel;
    atomic_store(&s->stop_layer, INT32_MAX);
    index_batch(s, batch);
    par_run_crew(&s->crew, useful_threads(s), forward, s);
    if (atomic_load(&s->stop_layer) != INT32_MAX) {
        return base_fail(err, CHOIR_CANCELLED, "cancelled");
    }
    if (s->tap != NULL) {
        choir_status status = mdl_tap_verdict(s->tap, err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    for (int32_t i = 0; i < s->n_logits; i++) {
        if (!s->kernels->all_finite(mdl_logits(s, i), s->model->config.vocab_size)) {
            const struct mdl_run *r = &batch->runs[s->token_run[s->logit_token[i]]];
            return base_fail(err, CHOIR_FILE, "logits at position %lld are not finite",
                             (long long)mdl_text_pos(r, s->logit_token[i]));
        }
    }
    return CHOIR_OK;
}

static void unembed(struct par_thread *me, void *ctx)
{
    output(me, ctx);
}

void mdl_unembed(struct mdl_state *s, const float *x, float *logits)
{
    const struct mdl_config *c = &s->model->config;
    memcpy(s->x, x, (size_t)c->dim * sizeof *x);
    s->n_logits = 1;
    s->logit_token[0] = 0;
    par_run(s->opt.n_threads, unembed, s);
    memcpy(logits, mdl_logits(s, 0), (size_t)c->vocab_size * sizeof *logits);
}
