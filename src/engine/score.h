/* A row of logits as a distribution.  Private to src/engine. */
#ifndef ENG_SCORE_H
#define ENG_SCORE_H

#include <stdint.h>

#include "choir.h"

/* The n_top (<= n_vocab) most likely ids of a row, best first, the lower one of equals first, with their log-probabilities;
 * returns id's. */
double eng_row_log_probs(choir_token_prob *top, int32_t n_top, const float *row, int32_t n_vocab, int32_t id);

#endif
