/* The feed-forward block: x += W_down (act(W_gate y) * W_up y), or W_down act(W_up y) without a gate; y = norm(x).
 *
 * The hidden layer is activated and packed for W_down by who computed it, while it is in the cache.  In two halves,
 * because a parallel block has attention between them. */
#include "model/blocks.h"

_Static_assert((int)MDL_ACTIVATION_GELU_TANH == (int)KERN_GELU_TANH && (int)MDL_ACTIVATION_GELU == (int)KERN_GELU,
               "the configuration's activations are the kernels'");

static bool is_gated(const struct mdl_ffn *f)
{
    return f->w_gate.n_rows > 0;
}

/* The matrices that meet the input; returns how many. */
static int input_jobs(struct mdl_job jobs[2], const struct mdl_ffn_pass *p)
{
    const struct mdl_ffn *f = p->ffn;
    if (!is_gated(f)) {
        jobs[0] = (struct mdl_job){&f->w_up, p->hidden, false, f->b_up};
        return 1;
    }
    jobs[0] = (struct mdl_job){&f->w_gate, p->hidden, false, f->b_gate};
    jobs[1] = (struct mdl_job){&f->w_up, p->up, false, f->b_up};
    return 2;
}

void mdl_ffn_hidden_rows(struct mdl_state *s, int thread, const struct mdl_ffn_pass *p, int row0, int row1)
{
    const struct mdl_job out = {&p->ffn->w_down, NULL, false, NULL};
    const size_t width = (size_t)p->ffn->w_up.n_rows;
    struct mdl_job in[2];
    const int n_in = input_jobs(in, p);
    for (int i = 0; i < n_in; i++) {
        mdl_linear_rows(s, thread, p->act, &in[i], p->n_tokens, row0, row1);
    }
    for (size_t t = 0; t < (size_t)p->n_tokens; t++) {
        const size_t at = t * width + (size_t)row0;
        s->kernels->activate[s->model->config.activation](p->hidden + at, n_in > 1 ? p->up + at : NULL, row1 - row0);
    }
    mdl_pack(s, p->act_hidden, mdl_forms(s, &out, 1), p->hidden, (int)width, p->n_tokens, 0, p->n_tokens, row0, row1);
}

/* The norm in front of the block: a parallel block may share attention's. */
static struct mdl_norm block_norm(const struct mdl_config *c, const struct mdl_layer *y)
{
    if (c->parallel && y->ffn_norm == NULL) {
        return (struct mdl_norm){y->att_norm, y->att_norm_bias};
    }
    return (struct mdl_norm){y->ffn_norm, y->ffn_norm_bias};
}

void mdl_feed_forward_in(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_layer *y = &s->model->layers[l];
    const struct mdl_ffn_pass p = {&y->ffn, s->batch->n_tokens, s->act, s->act_hidden, s->hidden, s->up};
    struct mdl_job in[2];
    const int n_in = input_jobs(in, &p);
    int begin, end;
    mdl_read_stream(me, s, l, block_norm(&s->model->config, y), mdl_forms(s, in, n_in));
    par_loop_begin(me, y->ffn.w_up.n_rows, KERN_ACT_COLS, mdl_grain_rows(y->ffn.w_up.n_cols, n_in * p.n_tokens));
    while (par_loop_next(me, &begin, &end)) {
        mdl_ffn_hidden_rows(s, me->id, &p, begin, end);
    }
    par_loop_end(me);
}

void mdl_feed_forward_out(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_layer *y = &s->model->layers[l];
    const struct mdl_job out[] = {mdl_result_job(s, &y->ffn.w_down, y->ffn.b_down)};
    mdl_linear_from(me, s, s->act_hidden, out, 1, s->batch->n_tokens);
    mdl_add_result(me, s, y->post_ffn_norm);
}
