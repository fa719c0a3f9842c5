/* The sampler as its definitions read: everything sorted, libm's exp and log.  What the real one is compared with. */
#ifndef SUPPORT_PLAIN_SAMPLER_H
#define SUPPORT_PLAIN_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "choir.h"

enum { PLAIN_MAX = 2000 };

/* Candidates; after plain_sort and every filter in order, with probabilities. */
struct plain {
    int32_t n;
    int32_t id[PLAIN_MAX];
    double logit[PLAIN_MAX];
    double p[PLAIN_MAX];
};

void plain_sort(struct plain *s);
void plain_top_k(struct plain *s, int32_t k);
void plain_top_p(struct plain *s, double p);
void plain_min_p(struct plain *s, double p);
void plain_typical(struct plain *s, double p);
void plain_temperature(struct plain *s, double temp);
void plain_penalties(struct plain *s, const int32_t *history, int32_t n_history, const choir_sampling *o);

/* The whole chain; leaves what could have been drawn in *s.  o->temp is above 0. */
int32_t plain_draw(struct plain *s, const float *logits, int32_t n, const int32_t *history, int32_t n_history,
                   int32_t pos, const choir_sampling *o);

/* Test data.  *state is not 0. */
uint32_t plain_random(uint64_t *state, uint32_t n); /* 0 .. n-1 */
double plain_random_unit(uint64_t *state);          /* [0, 1) */
/* Like logits: bell-shaped, with equal ones among them when `ties`. */
void plain_random_logits(float *logits, int32_t n, bool ties, uint64_t *state);

#endif
