/* A look inside: attention weights, the residual stream and what each head and block adds to it; heads that are masked.
 *
 * A tap is off until it is asked for, and costs nothing then.  To see a text that has been generated already, replay its ids:
 * append them to a sequence of an engine with a tap and step.  Only what is computed is told of, not what a sequence holds
 * already or takes from the prefix cache: of a long text whose end is looked at, the start is reused; an engine whose taps
 * shall see every token is opened without a prefix cache. */
#ifndef CHOIR_TAP_H
#define CHOIR_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/sequence.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What adds to the residual stream. */
typedef enum choir_part {
    CHOIR_PART_HEAD, /* a head, through its columns of W_O (and the norm behind the block, where there is one) */
    CHOIR_PART_ATTENTION_BIAS, /* the bias of W_O */
    CHOIR_PART_FEED_FORWARD    /* the feed-forward block, experts included */
} choir_part;

/* The token that is told of. */
typedef struct choir_seen {
    const choir_sequence *seq;
    int32_t pos;   /* its position in seq, as choir_sequence_ids has it */
    int32_t layer; /* from 0; -1: the embedding, before the first */
} choir_seen;

/* What is told of each token that a step computes.  The functions may be NULL; they are called by the thread that called the
 * step, from inside it, layer by layer, and must leave engine and sequences alone.  What they are given is valid during the
 * call. */
typedef struct choir_tap {
    int32_t from; /* only tokens at this position or above; 0 */
    /* Softmax weights of a query head, n = pos + 1 of them: weights[i] is what it gives to the token at position i, 0 to one
     * that its window does not reach.  They add up to 1 within 1e-5: a step in which they don't fails.  Worked out from the
     * queries and the cached keys that attention used. */
    void (*attention)(void *user, choir_seen seen, int32_t head, const float *weights, int32_t n);
    /* The residual stream [dim] after the layer. */
    void (*stream)(void *user, choir_seen seen, const float *x, int32_t dim);
    /* What was added to it [dim]; head: -1 for parts other than heads.  All parts of all layers and the embedding add up to
     * the stream after the last layer, but for rounding; a head's part is by how much W_O's result changes when the head is
     * added to those before it.  This multiplies the work of W_O by the number of heads. */
    void (*part)(void *user, choir_seen seen, choir_part part, int32_t head, const float *y, int32_t dim);
    void *user;
} choir_tap;

CHOIR_API void choir_tap_default(choir_tap *tap);
/* From the engine's next step on, until the next call; NULL: no tap.  *tap is copied.  CHOIR_RESOURCE, which a tap that takes
 * more than choir_engine_room is, too, leaves it without. */
CHOIR_API choir_status choir_engine_tap(choir_engine *engine, const choir_tap *tap, choir_error *err);
/* Bytes that it takes. */
CHOIR_API uint64_t choir_tap_bytes(const choir_engine *engine, const choir_tap *tap);

/* Logits [vocab_size] of a residual stream x [dim], read as if no layer followed: norm, output matrix, cap.  After the last
 * layer they are the model's.  Rows of logits of the last step (choir_sequence_logits_at) are gone. */
CHOIR_API choir_status choir_engine_unembed(choir_engine *engine, const float *x, float *logits, choir_error *err);
/* How the logit of id, before a cap, reads a stream x [dim] when the last norm's factor is held at what it is for x: the sum
 * of direction[i] x[i], plus *constant.  So the sum of direction[i] y[i] is what a part y of x adds to it.  direction [dim].
 * CHOIR_USAGE for an id out of range. */
CHOIR_API choir_status choir_engine_readout(double *direction, double *constant, const choir_engine *engine,
                                            const float *x, int32_t id, choir_error *err);

/* A head, from 0. */
typedef struct choir_head {
    int32_t layer;
    int32_t head; /* -1: all of the layer's */
} choir_head;

/* From now on these heads, and no others, give 0 where W_O takes them up.  n 0: none.  CHOIR_USAGE for a layer or head that the
 * model does not have, and while the cache holds anything that was computed otherwise: sequences are empty or closed, and
 * the prefix cache is too, so that an engine which is to be masked more than once is opened without one. */
CHOIR_API choir_status choir_engine_mask_heads(choir_engine *engine, const choir_head *heads, size_t n,
                                               choir_error *err);

/* The engine's last step once more, from a layer on, with these heads masked and no others: what the layers before do needs no
 * doing again.  x [tokens of the step, dim]: the residual stream after the layer before (choir_tap.stream), in the order of
 * the step.  Gives the step's rows of logits anew.  Meant for sequences that began with the step: of a token before it the
 * cache has what it had.  What is cached then goes with these heads, so sequences are truncated to 0 before another mask counts.
 * CHOIR_USAGE when the sequences have changed since, share blocks, or the prefix cache holds them, and when the step was longer
 * than any layer sees (choir_model_window): its first blocks are gone then. */
CHOIR_API choir_status choir_engine_redo(choir_engine *engine, int32_t layer, const float *x, const choir_head *heads,
                                         size_t n, choir_error *err);

#ifdef __cplusplus
}
#endif
#endif
