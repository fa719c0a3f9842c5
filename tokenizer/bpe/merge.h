/* Byte-pair merging of one word (Sennrich et al. 2016): of all pairs of neighbours the one whose merge is earliest in the
 * list is joined, the leftmost of equals, until no pair has a merge.  n log n for n symbols, by a heap of pairs. */
#ifndef TOK_BPE_MERGE_H
#define TOK_BPE_MERGE_H

#include "tokenizer/bpe/vocab.h"

struct bpe_symbol {
    int32_t id;         /* -1: joined to the one on its left */
    int32_t prev, next; /* -1: none */
};

struct bpe_pair {
    uint64_t order; /* rank, then place: the smallest is joined first */
    int32_t id;     /* what it becomes */
};

/* Keeps its memory from word to word.  Start from {0}. */
struct bpe_merger {
    struct bpe_symbol *symbols;
    struct bpe_pair *heap;
    size_t cap, n_heap;
};

void bpe_merger_free(struct bpe_merger *m);
/* Joins ids[0 .. *n) in place; *n becomes smaller.  n below 2^31. */
choir_status bpe_merge_word(struct bpe_merger *m, const struct bpe_merges *merges, int32_t *ids, size_t *n,
                            choir_error *err);

#endif
