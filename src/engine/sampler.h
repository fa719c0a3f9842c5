/* From logits to one id: a chain of named steps in a stated order.  Each step is a pure function on the candidates.
 *
 * Ties go to the lower id everywhere, the draw is base_rng_uniform(seed, choice, pos), and exp and log are ours
 * (base/fmath.h), so the same logits give the same id on every machine.  The meaning of each step is llama.cpp's. */
#ifndef ENG_SAMPLER_H
#define ENG_SAMPLER_H

#include <stdint.h>

#include "choir.h"

struct smp_chain;

/* vocab_size: numbers in a row of logits.  n_pieces: ids from here on have no text and are never drawn (<= vocab_size).
 * eos_ids are banned when sampling->ignore_eos.  Copies what it needs of *sampling.  Allocates all it will ever need. */
choir_status smp_open(struct smp_chain **out, const choir_sampling *sampling, int32_t vocab_size, int32_t n_pieces,
                      const int32_t *eos_ids, int32_t n_eos, choir_error *err);
void smp_close(struct smp_chain *chain);
const choir_sampling *smp_options(const struct smp_chain *chain);

/* history: the ids of the sequence so far [n_history]; pos: position that the drawn id will have.  Allocates nothing. */
int32_t smp_draw(struct smp_chain *chain, const float *logits, const int32_t *history, int32_t n_history, int64_t pos);

/* Whether logits are changed before any step looks at them; and that change of a row [vocab_size]: biases added, -INFINITY where
 * an id is banned. */
bool smp_is_biased(const struct smp_chain *chain);
void smp_bias(const struct smp_chain *chain, float *row);
bool smp_has_penalties(const struct smp_chain *chain);
/* Ids from here on are never drawn. */
int32_t smp_n_pieces(const struct smp_chain *chain);

#endif
