/* choir heads prune-scan: what the text's perplexity rises by when a head gives nothing.
 *
 * Every head is masked in turn, and the perplexity of the same windows (cli/perplexity/perplexity.h) is measured again; the error of a
 * price is that of the mean of the tokens' differences, so most of what a text's own perplexity is uncertain by drops out.
 * Then the cheapest are masked together, more and more of them: in the order of these prices, or (--rerank) of prices that
 * are measured again, with those that went before them masked, after each drop. */
#ifndef CHOIR_CLI_HEADS_SCAN_H
#define CHOIR_CLI_HEADS_SCAN_H

#include "cli/heads/heads.h"
#include "cli/perplexity/perplexity.h"

/* A head, or several, without which the text was measured. */
typedef struct head_price {
    choir_head head;   /* of a curve: the last that was dropped */
    int32_t n_dropped; /* 1, or those of a curve up to it */
    double perplexity;
    ppl_estimate change; /* of the mean of minus log-probabilities, in nats */
} head_price;

typedef struct heads_scan {
    heads_text text;
    ppl_windows windows;
    int32_t max_rows;
    int32_t *window;     /* [windows.ctx] the one at hand */
    choir_score *scores; /* [max_rows] */
    double *base, *nll; /* [n_scored] minus log-probabilities, before anything is dropped and at a point of the curve */
    double *without;    /* [n_prices, n_scored] of the model without each head */
    /* [n_layers, ctx - 1, dim] the residual stream of the window at hand before each layer: heads of a layer share what is
     * before it.  NULL: a window takes several steps, and is computed again for each head. */
    float *streams;
    size_t n_scored;
    ppl_estimate mean;  /* of base */
    choir_head *masked; /* those of --mask-heads, then all others in the order in which the curve drops them */
    size_t n_given;     /* of --mask-heads */
    size_t n_masked;    /* of masked, those that give nothing at the moment */
    head_price *prices; /* [n_prices] of each head that is not masked from the start, cheapest first */
    head_price *left;   /* [n_prices] the same, while the curve is followed */
    int32_t n_prices;
    head_price *curve; /* [n_curve] */
    int32_t n_curve;
    progress bar;
    char after[64];         /* what stands behind it */
    uint64_t n_done, n_all; /* layers of windows */
} heads_scan;

/* How many of the cheapest can go together for less than a hundredth more perplexity. */
int32_t heads_scan_free(const heads_scan *x);
void heads_scan_table(const heads_scan *x);
choir_status heads_scan_json(const heads_scan *x, choir_error *err);

#endif
