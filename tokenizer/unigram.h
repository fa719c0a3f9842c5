/* The unigram language model of SentencePiece (Kudo 2018) as Hugging Face's tokenizers runs it: of all ways to cut a word into
 * pieces the one with the greatest sum of scores, in doubles, the first found of equals; a character that no piece begins
 * with is unknown, and a run of those is one. */
#ifndef TOK_UNIGRAM_H
#define TOK_UNIGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

struct unigram;

/* Pieces: text i is texts[starts[i] .. starts[i + 1]); those with visible[i] false are never found.  scores: [n_pieces], finite,
 * of all pieces.  Everything is borrowed for the call. */
choir_status unigram_open(struct unigram **out, const char *texts, const size_t *starts, const bool *visible,
                          const double *scores, int32_t n_pieces, choir_error *err);
void unigram_close(struct unigram *u); /* NULL is allowed */
/* [n_pieces] */
const double *unigram_scores(const struct unigram *u);

struct unigram_part {
    uint32_t from, to;
    int32_t id; /* -1: unknown characters */
};

/* Memory that is kept from word to word.  Start from {0}. */
struct unigram_work {
    struct unigram_node *nodes;
    struct unigram_part *parts; /* of the last word, in order */
    size_t n_parts, cap;
};

void unigram_work_free(struct unigram_work *w);
/* Cuts n bytes of valid UTF-8 (n below 2^31) into w->parts. */
choir_status unigram_cut(struct unigram_work *w, const struct unigram *u, const char *word, size_t n, choir_error *err);

#endif
