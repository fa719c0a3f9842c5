/* The places of a step at which the tap looks.  All threads come there.  Private to src/model. */
#ifndef MDL_TAP_STEP_H
#define MDL_TAP_STEP_H

#include "model/state.h"
#include "model/tap.h"

struct mdl_tap {
    struct mdl_tap_options opt;
    int32_t tile_tokens; /* whose rows are worked out together */
    float *keys;         /* [n_kv_heads, head_dim, most_tokens] of the layer and run at hand */
    float *rows;         /* [tile_tokens, n_heads, most_tokens] */
    float *before;       /* [T, dim] the stream before what is told next */
    float *masked;       /* [T, n_heads * head_dim] what attention gave, but for one head 0 */
    float *part;         /* [T, dim] */
    /* The first row that does not add up to 1; head -1: none. */
    struct mdl_seen odd;
    int32_t odd_head;
    double odd_sum;
};

/* Heads that are masked: their part of what attention gave. */
void mdl_mask_heads(struct par_thread *me, struct mdl_state *s, int32_t l);
void mdl_tap_embedded(struct par_thread *me, struct mdl_state *s);
/* After the attention block of layer l: q, att, block and the layer's keys are there. */
void mdl_tap_attended(struct par_thread *me, struct mdl_state *s, int32_t l);
void mdl_tap_layer(struct par_thread *me, struct mdl_state *s, int32_t l);

/* tap_rows.c: the attention weights of layer l, told. */
void mdl_tap_rows(struct par_thread *me, struct mdl_state *s, int32_t l);

/* What the tap found wrong since it was last asked. */
choir_status mdl_tap_verdict(struct mdl_tap *tap, choir_error *err);

/* First token of run r that is told of; r->n: none. */
static inline int32_t mdl_tap_first(const struct mdl_tap *tap, const struct mdl_run *r)
{
    if (tap->opt.from <= r->pos) { /* before the difference: from may be as low as it likes */
        return 0;
    }
    const int32_t skip = tap->opt.from - r->pos;
    return skip < r->n ? skip : r->n;
}

#endif
