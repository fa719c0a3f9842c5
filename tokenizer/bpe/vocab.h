/* The two tables of byte-pair merging: pieces by text, and merges by the pair of ids they join. */
#ifndef TOK_BPE_VOCAB_H
#define TOK_BPE_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

/* Ids by text: open addressing, at most half full.  The texts stay the owner's. */
struct bpe_names {
    const char *texts;    /* all pieces, one behind the other */
    const size_t *starts; /* [n + 1] */
    uint32_t *slots;      /* id + 1, or 0 */
    size_t mask;
};

/* Room for n_pieces of texts. */
choir_status bpe_names_open(struct bpe_names *v, const char *texts, const size_t *starts, size_t n_pieces,
                            choir_error *err);
void bpe_names_close(struct bpe_names *v);
/* Adds a piece; returns its id, or that of the piece that has the same text already. */
int32_t bpe_names_add(struct bpe_names *v, int32_t id);
/* -1: none */
int32_t bpe_names_find(const struct bpe_names *v, const char *text, size_t n);

/* What joining two pieces gives, and how early it is done. */
struct bpe_merge {
    int32_t left, right; /* left -1: a free slot */
    int32_t rank, id;
};

struct bpe_merges {
    struct bpe_merge *slots;
    size_t mask;
};

choir_status bpe_merges_open(struct bpe_merges *m, size_t n_merges, choir_error *err);
void bpe_merges_close(struct bpe_merges *m);
/* Of two merges of the same pair the later one counts. */
void bpe_merges_add(struct bpe_merges *m, struct bpe_merge merge);
const struct bpe_merge *bpe_merges_find(const struct bpe_merges *m, int32_t left, int32_t right);

#endif
