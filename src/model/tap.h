/* The tap: what a step computes, told while it runs.  Without one a step pays a test of a pointer for each layer.
 *
 * Attention itself never has a row of weights in one place (online softmax, src/model/attention.c), so the tap works them out
 * once more, in plain C, from the same queries and the same cached keys. */
#ifndef MDL_TAP_H
#define MDL_TAP_H

#include "model/forward.h"

/* The token that is told of. */
struct mdl_seen {
    int32_t run;   /* of the batch */
    int32_t pos;   /* in the run's table */
    int32_t layer; /* -1: before the first */
};

enum mdl_stream_part {
    MDL_PART_HEAD,     /* what a head adds to the residual stream, through W_O */
    MDL_PART_ATT_BIAS, /* the same of W_O's bias */
    MDL_PART_FFN       /* of the feed-forward block */
};

struct mdl_tap_options {
    int32_t from;        /* only tokens at this position in their table or above are told of */
    int32_t most_tokens; /* that a table has room for */
    /* Each may be NULL.  All calls come from the thread that called mdl_forward, in order of layer, token and head. */

    /* weights [seen.pos + 1]: what query head `head` gives to each token, 0 to those it does not see; they add up to 1. */
    void (*attention)(void *user, struct mdl_seen seen, int32_t head, const float *weights);
    /* x [dim]: the residual stream after the layer. */
    void (*stream)(void *user, struct mdl_seen seen, const float *x);
    /* y [dim]: what was added to it; head: -1 for other parts.  Heads are added in order: a head's part is by how much W_O's
     * result changes. */
    void (*part)(void *user, struct mdl_seen seen, enum mdl_stream_part part, int32_t head, const float *y);
    void *user;
};

struct mdl_tap;

/* What such a tap takes. */
uint64_t mdl_tap_bytes(const struct mdl_state *s, const struct mdl_tap_options *opt);
choir_status mdl_tap_open(struct mdl_tap **out, const struct mdl_state *s, const struct mdl_tap_options *opt,
                          choir_error *err);
void mdl_tap_close(struct mdl_tap *tap);
/* From the next step on; NULL: no more. */
void mdl_state_tap(struct mdl_state *s, struct mdl_tap *tap);

/* The heads whose results become 0 before W_O, masked [n_layers * n_heads]; it must live as long as the state, or until the
 * next call.  NULL: none.  What is cached was computed with the heads that were masked then. */
void mdl_state_mask(struct mdl_state *s, const bool *masked);

/* logits [vocab_size] of a residual stream x [dim], as after the last layer.  The last step's logits are gone. */
void mdl_unembed(struct mdl_state *s, const float *x, float *logits);
/* How token id's logit, before a cap, depends on x when the last norm's factor is held at what it is for x: it is the sum of
 * direction[i] x[i] plus *constant.  direction [dim]. */
choir_status mdl_readout(double *direction, double *constant, const struct mdl_state *s, const float *x, int32_t id,
                         choir_error *err);

#endif
