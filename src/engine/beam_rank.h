/* The best continuations of several sequences: what a beam search goes on with.  Private to src/engine. */
#ifndef ENG_BEAM_RANK_H
#define ENG_BEAM_RANK_H

#include <stdint.h>

#include "engine/engine.h"

/* A sequence and the id that follows it. */
struct eng_candidate {
    double log_prob; /* of all ids drawn so far, this one included */
    int32_t beam, id;
};

struct eng_ranking {
    int32_t n_beams, n_best; /* room */
    int32_t n_vocab, n_threads;
    struct eng_candidate *lists; /* [n_beams, n_best] the best of each sequence */
    int32_t *n_list, *n_taken;   /* [n_beams] entries of a list, and of these the ones that are in best */
    struct eng_candidate *best;  /* [n_best] of all, best first; equals: of the lower beam, then the lower id */
    float *rows;                 /* [n_beams, n_vocab] logits with biases; NULL without biases */
};

/* Room for the n_best best of n_beams sequences like seq. */
choir_status eng_ranking_open(struct eng_ranking *r, const struct choir_sequence *seq, int32_t n_beams, int32_t n_best,
                              choir_error *err);
void eng_ranking_close(struct eng_ranking *r);

/* Fills r->best from n sequences that have logits; log_probs: of what each has drawn.  Returns how many there are: less than
 * n_best only when that many ids are not to be had.  The same bits for any number of threads. */
int32_t eng_rank(struct eng_ranking *r, struct choir_sequence *const *seqs, const double *log_probs, int32_t n);

#endif
