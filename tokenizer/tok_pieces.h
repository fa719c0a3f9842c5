/* A SentencePiece model's pieces together with the tokens that other files add to it. */
#ifndef TOK_PIECES_H
#define TOK_PIECES_H

#include "tokenizer/sentencepiece/model.h"
#include "tokenizer/tok_added.h"

struct tok_listed {
    struct sp_text text;
    int32_t type; /* enum tok_type */
};

struct tok_piece_list {
    struct tok_listed *pieces; /* [n] what an id shows */
    int32_t n;
    struct bpe_added *found; /* [n_found] tokens to be found in a text before the model's turn */
    size_t n_found;
    char (*holes)[16]; /* texts for ids that nobody has */
};

/* *m has not passed sp_validate yet: pieces that added tokens make special become control pieces in it, which no
 * text gives.  User-defined pieces without flags stay the library's.  added: NULL for none.  The texts are those
 * of their owners.  Free the list in any case. */
choir_status tok_piece_list_make(struct tok_piece_list *list, struct sp_model *m, const struct tok_added *added,
                                 choir_error *err);
void tok_piece_list_free(struct tok_piece_list *list);

#endif
