/* choir heads explain: which parts of the model wrote the next token.
 *
 * The residual stream x after the last layer is the embedding plus what every head, every bias of W_O and every feed-forward
 * block added to it.  With the factor of the last norm held, a token's logit is linear in x, so each part has its share of
 * it, and the shares add up (direct logit attribution).  Cutting the layers off after each of them gives what the model
 * would have said there (the logit lens). */
#ifndef CHOIR_CLI_HEADS_EXPLAIN_H
#define CHOIR_CLI_HEADS_EXPLAIN_H

#include "cli/heads/heads.h"

enum { LENS_TOP_MOST = 100 };

/* What the model would say after a layer. */
typedef struct lens {
    int32_t layer;                       /* -1: the embedding alone */
    choir_token_prob top[LENS_TOP_MOST]; /* [n_top] */
    double log_prob;                     /* of the token that is explained */
    int64_t rank;                        /* its place, from 1 */
} lens;

typedef struct explanation {
    heads_text text;
    int32_t id;             /* the token that is explained */
    double logit, log_prob; /* as the model has it */
    double uncapped;        /* the logit before a cap */
    double most;            /* the largest logit, without its sign */
    lens *lenses;           /* [n_layers + 1] */
    int32_t n_top;
    double constant;      /* what of the logit does not come from x */
    double embedding;     /* shares of the uncapped logit */
    double *heads;        /* [n_layers, n_heads] */
    double *feed_forward; /* [n_layers] */
    double bias;          /* of all W_O */
    /* What the output matrix made of its input being rounded to its type's activations: the model's logit less that of the
     * exact stream; next to nothing for float weights. */
    double activations;
    double rounding; /* what is left of the uncapped logit */
} explanation;

choir_status heads_explanation_make(explanation *x, session *s, choir_error *err);
void heads_explanation_free(explanation *x);
choir_status heads_explanation_table(const explanation *x, choir_error *err);
choir_status heads_explanation_json(const explanation *x, choir_error *err);

#endif
