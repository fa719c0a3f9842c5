/* The steps of the sampler on a set of candidates.
 *
 * Order of candidates: greater logit first, lower id first among equals.  It is total, so "the first k" and "the sorted
 * set" do not depend on how they are found.  Weights are exp(logit - greatest logit) by fmath_exp, summed in double in the
 * order in which the set lies; each step leaves the set in an order that depends on nothing but the set and the steps
 * before.  Logits are double: no bias, penalty or temperature can overflow them. */
#ifndef ENG_SAMPLER_STEPS_H
#define ENG_SAMPLER_STEPS_H

#include <stdbool.h>
#include <stdint.h>

struct smp_cand {
    double logit;
    int32_t id;
    float weight; /* set by the steps that need it, stale after every change of a logit */
};

struct smp_set {
    struct smp_cand *cands; /* [n], n >= 1; no logit is -infinity */
    int32_t n;
    bool sorted;
};

/* Candidates are the ids 0 .. n_row-1 whose row[id] is not -INFINITY; of these the first k (k >= n_row: all).  A set of
 * the first k of more is sorted.  At least one id is a candidate. */
void smp_gather(struct smp_set *set, const double *row, int32_t n_row, int32_t k);

/* Keeps the first k (k >= 1). */
void smp_top_k(struct smp_set *set, int32_t k);
/* Keeps the smallest beginning of the sorted set that has at least the share p of all weight, at least one candidate. */
void smp_top_p(struct smp_set *set, double p);
/* Keeps those at least min_p (> 0) times as likely as the first. */
void smp_min_p(struct smp_set *set, double min_p);
/* Keeps those whose surprise -log p is nearest to the entropy, as many as it takes to have more than the share p of all
 * weight.  Locally typical sampling, arXiv:2202.00666.  scratch: room for set->n. */
void smp_typical(struct smp_set *set, double p, struct smp_cand *scratch);
/* Divides all logits by temp (> 0). */
void smp_temperature(struct smp_set *set, double temp);

struct smp_penalty {
    double repeat, presence, frequency;
};

/* The logit of a token seen `count` times: a positive one is divided by repeat, another multiplied by it, so that both
 * become less likely; then frequency for each time and presence once are taken away.  arXiv:1909.05858. */
double smp_penalized(double logit, int32_t count, const struct smp_penalty *penalty);
/* counts: [ids], how often each id was seen. */
void smp_penalties(struct smp_set *set, const int32_t *counts, const struct smp_penalty *penalty);

/* The candidate at which the running sum of weights of the sorted set passes the share u (0 <= u < 1) of all.  The set is
 * used up. */
int32_t smp_pick(struct smp_set *set, double u);

#endif
