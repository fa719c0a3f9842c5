/* Inside of struct bpe. */
#ifndef TOK_BPE_INTERNAL_H
#define TOK_BPE_INTERNAL_H

#include "tokenizer/bpe/bpe.h"
#include "tokenizer/bpe/merge.h"
#include "tokenizer/tok_internal.h"
#include "tokenizer/unigram.h"

struct bpe {
    enum bpe_kind kind;
    struct bpe_names names;
    struct bpe_merges merges;
    int32_t (*merge_list)[2];
    size_t n_merges;
    struct unigram *unigram; /* BPE_UNIGRAM's */
    int32_t byte_ids[256];   /* the piece of each byte, or -1 */
    const uint8_t *types;    /* the tokenizer's */
    bool *beside;            /* [n_pieces]: found before the model's turn only; NULL: none */
    struct norm *norm;
    struct bpe_splitter *splitter;
    struct bpe_added_set raw, normalized;
    bool ignore_merges, fuse_unk, byte_fallback;
    int32_t unk_id;
    const char *pre; /* static */
};

/* Whether the model may make the piece of text. */
static inline bool bpe_is_text(const struct bpe *b, int32_t id)
{
    return (b->beside == NULL || !b->beside[id]) && b->types[id] != TOK_CONTROL && b->types[id] != TOK_UNKNOWN;
}

#endif
