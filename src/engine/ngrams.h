/* Where in a text the last few tokens were said before: what followed them there is a guess at what follows now (prompt
 * lookup decoding, arXiv:2304.04487 is its kin).
 *
 *     ids   ... a b c d e ...... a b c d e ?          the guess: what came after the earlier "... d e"
 *                       ^ found            ^ n_ids
 *
 * Every position is entered under the hashes of the 3 and of the 2 tokens before it; positions of one hash are a chain, the
 * newest first.  Each call looks at a bounded number of candidates.  Private to src/engine. */
#ifndef ENG_NGRAMS_H
#define ENG_NGRAMS_H

#include <stdint.h>

#include "choir/status.h"

enum { NGRAM_KINDS = 2 }; /* of 3 tokens, of 2 */

struct eng_ngrams {
    int32_t *heads[NGRAM_KINDS]; /* [1 << bits] newest position of the hash, -1: none */
    int32_t *links[NGRAM_KINDS]; /* [cap] the position before it, -1: none */
    unsigned bits;
    int32_t cap;
    int32_t n; /* positions below it are entered */
};

/* For texts of up to cap tokens. */
choir_status eng_ngrams_open(struct eng_ngrams *x, int32_t cap, choir_error *err);
void eng_ngrams_close(struct eng_ngrams *x);

/* The position whose past is most like the end of ids: the most equal tokens before it, the newest of equals; at least
 * two.  *length: how many equal tokens, at most 32.  -1: none.  ids may only have grown since the last call.  Allocates
 * nothing. */
int32_t eng_ngrams_find(struct eng_ngrams *x, const int32_t *ids, int32_t n_ids, int32_t *length);

#endif
