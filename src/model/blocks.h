/* What a layer is made of, as forward puts it together.  Private to src/model. */
#ifndef MDL_BLOCKS_H
#define MDL_BLOCKS_H

#include "model/state.h"

/* Loops below a few thousand numbers an item are not worth sharing out in parts. */
int mdl_grain(int64_t numbers_per_item);

/* ---- residual.c: between the stream x and the blocks ---- */

/* A norm's weights [dim]; both NULL: none. */
struct mdl_norm {
    const float *w, *bias;
};

/* y [dim] = norm of x [dim], of the kind that the configuration names. */
void mdl_norm_token(const struct mdl_state *s, float *y, const float *x, struct mdl_norm norm);
/* What a block takes: x, normed, of every token, packed into s->act in the forms.  Looks at the cancel flag. */
void mdl_read_stream(struct par_thread *me, struct mdl_state *s, int32_t layer, struct mdl_norm norm, unsigned forms);
/* Packs x [n_tokens, n_cols] into s->act for the jobs: shared by tokens, or, when there are few, by columns. */
void mdl_pack_shared(struct par_thread *me, struct mdl_state *s, const float *x, const struct mdl_job *jobs, int n_jobs,
                     int n_tokens);
/* The job that gives a block's result: added to x, or, where a norm comes first, into s->block. */
struct mdl_job mdl_result_job(struct mdl_state *s, const struct mdl_matrix *w, const float *bias);
/* Where a norm comes first: x += norm(s->block).  Else nothing. */
void mdl_add_result(struct par_thread *me, struct mdl_state *s, const float *norm);

/* ---- attention_block.c ---- */

void mdl_attention_block(struct par_thread *me, struct mdl_state *s, int32_t l);

/* ---- feed_forward.c ---- */

/* A feed-forward network on its way through some tokens: all of the batch, or those that an expert was chosen for. */
struct mdl_ffn_pass {
    const struct mdl_ffn *ffn;
    int n_tokens;
    uint8_t *const *act;        /* their packed input, for w_gate and w_up */
    uint8_t *const *act_hidden; /* what comes out: packed for w_down */
    float *hidden;              /* [n_tokens, h] scratch */
    float *up;                  /* the same; unused unless gated */
};

/* Rows [row0, row1) of gate and up, activated and packed into act_hidden: these rows are columns of w_down.  row0 is a
 * multiple of KERN_ACT_COLS, and so is row1, unless it is h. */
void mdl_ffn_hidden_rows(struct mdl_state *s, int thread, const struct mdl_ffn_pass *p, int row0, int row1);

/* The block's first half: what x gives in the hidden layer, into s->act_hidden. */
void mdl_feed_forward_in(struct par_thread *me, struct mdl_state *s, int32_t l);
/* Its second half: w_down, and to x. */
void mdl_feed_forward_out(struct par_thread *me, struct mdl_state *s, int32_t l);

/* ---- experts.c ---- */

/* The feed-forward block of layer l, which has experts: x += what they make of norm(x).
 *
 * A token's experts are those of its n_experts_used largest router logits, ties to the lower id; weighted by the softmax
 * over all logits, or, with expert_weights_normed, over the chosen ones'.  Their results are summed in ascending order of
 * their ids, then comes the shared expert's; x is added last.  No other expert's weights are read.  A logit that is not
 * finite makes the token's result NaN. */
void mdl_experts(struct par_thread *me, struct mdl_state *s, int32_t l);

#endif
