/* Perplexity of a text, and how far a model is from another's logits: the windows over the text, the run through them, the
 * statistics.
 *
 * The windows are those of llama.cpp's llama-perplexity, so that numbers compare.
 *   - By default the text is cut into windows of ctx tokens; the first token of each is replaced by the one that begins a text
 *     (where the model has one and wants it), and of each the second half is scored, from its second token on: ctx - 1 -
 *     ctx/2 tokens.  What is left at the end is not used.
 *   - With a stride, windows begin every `stride` tokens, nothing is replaced, and the last `stride` tokens of each are
 *     scored: every token after the first window is, once.
 * Either way the text must have 2 ctx tokens. */
#ifndef CHOIR_CLI_PERPLEXITY_H
#define CHOIR_CLI_PERPLEXITY_H

#include "choir.h"

/* ---- windows ---- */

typedef struct ppl_windows {
    int32_t ctx, stride; /* stride 0: none */
    int32_t n;           /* windows */
    int32_t first;       /* in a window: the position after which the first scored token stands */
    int32_t n_scored;    /* tokens scored in a window */
} ppl_windows;

/* chunks: most windows; 0: all there are.  CHOIR_USAGE for a window or a stride that leaves nothing to score, CHOIR_PROMPT with
 * the numbers for a text that is too short. */
choir_status ppl_windows_plan(ppl_windows *w, int32_t ctx, int32_t stride, int32_t chunks, size_t n_ids,
                              choir_error *err);
/* Index in the text of the first token of window i. */
size_t ppl_window_start(const ppl_windows *w, int32_t i);

/* ---- statistics ---- */

typedef struct ppl_estimate {
    double value, error; /* error: the standard error; 0 with fewer than two numbers */
} ppl_estimate;

/* What is added up, a scored token at a time. */
typedef struct ppl_sums {
    uint64_t n, n_same_best;
    double nll, nll2;                /* minus log-probabilities, and their squares */
    double base, base2, both;        /* of the base, and products of the two */
    double divergence, divergence2;  /* Kullback-Leibler */
    double change, change2, change4; /* of the token's probability, model minus base */
} ppl_sums;

void ppl_add(ppl_sums *s, const choir_score *score);

typedef struct ppl_result {
    ppl_estimate nll, perplexity;
} ppl_result;

ppl_result ppl_summary(const ppl_sums *s);

typedef struct ppl_comparison {
    ppl_estimate base;             /* the base's perplexity */
    ppl_estimate log_ratio, ratio; /* of the perplexities, model by base */
    double correlation;            /* of the two log-probabilities; 0 where one does not vary */
    ppl_estimate divergence;       /* mean, in nats */
    double most, p999, p99, p95, p90, median, least;
    ppl_estimate same_best;          /* share of tokens with the same most likely id */
    ppl_estimate change, change_rms; /* of the token's probability: mean and root of the mean square */
} ppl_comparison;

/* divergences: [s->n], all that were added; sorted by this. */
ppl_comparison ppl_compare(const ppl_sums *s, double *divergences);

#endif
