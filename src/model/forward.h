/* One step of the model: a batch of tokens in, logits out. */
#ifndef MDL_FORWARD_H
#define MDL_FORWARD_H

#include <stdatomic.h>

#include "kernels/kernels.h"
#include "kv/kv_store.h"
#include "model/model.h"

/* Consecutive tokens of one sequence: a prefill chunk, or one decoded token. */
struct mdl_run {
    const struct kv_table *table; /* already extended to hold these tokens */
    int32_t first;                /* index in the batch of its first token */
    int32_t n;                    /* tokens, 1 or more */
    int32_t pos;                  /* position of its first token */
    int32_t n_logits;             /* of its last n_logits tokens logits are wanted, 0 to n */
    int64_t cut; /* tokens of a stream that were cut out of the table, before pos and behind the sinks */
};

struct mdl_batch {
    int32_t n_tokens;   /* 1 .. max_tokens of the state */
    const int32_t *ids; /* [n_tokens] */
    int32_t n_runs;
    const struct mdl_run *runs; /* [n_runs], in batch order, no gaps */
};

struct mdl_state_options {
    int32_t max_tokens;  /* most tokens in a batch */
    int32_t max_logits;  /* most rows of logits in a batch */
    int32_t max_seq_len; /* most positions in a sequence, or that a token of a stream sees */
    int32_t rope_len;    /* the length that scalings which depend on one are for; never what is free or running */
    int n_threads;
    /* A stream: a sequence goes on for ever, and a token sees no more than max_seq_len tokens, itself included: the first
     * n_sinks, and the last max_seq_len - n_sinks.  Not with learned positions. */
    bool stream;
    int32_t n_sinks; /* 0 to KERN_ATTN_SPAN, less than max_seq_len */
};

/* Activations of a step.  One step at a time. */
struct mdl_state;

choir_status mdl_state_open(struct mdl_state **out, const struct mdl_model *m, const struct choir_kernels *k,
                            struct kv_store *kv, const struct mdl_state_options *opt, choir_error *err);
void mdl_state_close(struct mdl_state *s);
/* Bytes mdl_state_open takes.  A model of which only `config` is filled (layers NULL) will do when
 * its matrices are to be packed. */
size_t mdl_state_bytes(const struct mdl_model *m, const struct kv_shape *kv, const struct mdl_state_options *opt);

/* Runs the batch: writes K and V of its tokens into the store, and one row of vocab_size logits per token asked for,
 * in batch order, readable through mdl_logits until the next step.
 * *cancel is looked at in every layer: when set, the step ends with CHOIR_CANCELLED, and K and V of the batch are
 * undefined (truncate the tables).  Logits that are not finite: CHOIR_FILE.  Allocates nothing. */
choir_status mdl_forward(struct mdl_state *s, const struct mdl_batch *batch, const atomic_int *cancel,
                         choir_error *err);

/* The same from layer `layer` on: x [n_tokens, dim] is what the layers before it, which are not run, made of the batch. */
choir_status mdl_forward_from(struct mdl_state *s, const struct mdl_batch *batch, int32_t layer, const float *x,
                              const atomic_int *cancel, choir_error *err);

/* The same for states that turn queries and keys alike, and mask the same heads. */
uint64_t mdl_rope_fingerprint(const struct mdl_state *s);

/* [vocab_size], row i of the last step. */
const float *mdl_logits(const struct mdl_state *s, int32_t i);

#endif
