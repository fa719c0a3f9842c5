/* Routed experts: feed-forward networks of which every token takes a few (Shazeer et al. 2017, arXiv:1701.06538; as
 * Mixtral has them, arXiv:2401.04088).  What a step keeps for them.  Private to src/model. */
#ifndef MDL_EXPERTS_H
#define MDL_EXPERTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

struct mdl_ffn;

/* The tokens of one expert.  A pair of a token and one of its experts has a row in the arrays below; an expert's rows are
 * consecutive, in the order of the tokens. */
struct mdl_group {
    const struct mdl_ffn *ffn;
    int32_t first; /* row */
    int32_t n;     /* rows, 1 or more */
};

/* There are R = T * n_experts_used rows of routed experts; behind them T of the shared one. */
struct mdl_routes {
    float *logits;                        /* [T, n_experts] */
    int32_t *chosen;                      /* [T, n_experts_used] experts of each token, ascending */
    float *weights;                       /* [T, n_experts_used] what their results are multiplied by */
    float *shared_weights;                /* [T] */
    int32_t *rows;                        /* [T, n_experts_used] the row of each pair */
    int32_t *tokens;                      /* [R] the token of each row */
    int32_t *next;                        /* [n_experts] for counting */
    struct mdl_group *groups;             /* [n_groups] ascending by expert, the shared one last */
    int32_t n_groups;                     /* those with tokens */
    unsigned forms;                       /* that some expert's W_gate or W_up wants, see mdl_forms */
    float *x;                             /* [R + T, dim] inputs, gathered; then results */
    float *hidden, *up;                   /* [R, expert_dim], then [T, shared_dim] */
    uint8_t *act[DTYPE_ACT_COUNT];        /* packed inputs, each group's by itself */
    uint8_t *act_hidden[DTYPE_ACT_COUNT]; /* the same for W_down; the shared expert's last */
};

#endif
