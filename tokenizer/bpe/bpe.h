/* Byte-level byte-pair encoding (GPT-2, Llama 3, Qwen2, ...), and what tokenizer.json makes of SentencePiece models: what
 * stands behind a struct tokenizer of these kinds.
 *
 *   text -> added tokens -> normalizer -> added tokens -> words -> merges, or the best cut -> ids
 *
 * The order and every detail are those of Hugging Face's tokenizers with special tokens in text taken as text. */
#ifndef TOK_BPE_H
#define TOK_BPE_H

#include "tokenizer/bpe/added.h"
#include "tokenizer/bpe/split.h"
#include "tokenizer/normalizer/norm.h"
#include "tokenizer/tokenizer.h"

enum {
    BPE_MAX_PIECES = 1 << 24,
    BPE_MAX_PIECE_BYTES = 4096,
    BPE_MAX_TEXT_BYTES = 1 << 29,
};

/* What the words consist of, and what makes pieces of them. */
enum bpe_kind {
    BPE_BYTES,      /* bytes, in the byte alphabet; merges */
    BPE_CHARACTERS, /* characters, and bytes "<0x0A>" for those that are no pieces; merges */
    BPE_UNIGRAM,    /* the same with scores in place of merges */
};

/* What a name of tokenizer.ggml.pre, or the settings of a tokenizer.json, stand for. */
struct bpe_recipe {
    const char *name;             /* static; NULL: has none, or it is to be looked up */
    enum bpe_form form;           /* a normalizer of just this, */
    const struct norm_step *norm; /* or these steps */
    bool ignore_merges;           /* a word that is a piece is that piece */
    bool adds_bos;                /* unless the file says otherwise */
    const struct bpe_step *steps;
};

/* Texts of a merge: left and right. */
struct bpe_merge_text {
    const char *left, *right;
    size_t n_left, n_right;
};

/* All that a tokenizer is made of; borrowed for the call. */
struct bpe_source {
    const char *file;          /* printable, for messages */
    int32_t n_pieces;          /* 1 to BPE_MAX_PIECES */
    const char *const *pieces; /* [n_pieces] */
    const size_t *piece_bytes;
    const int32_t *types;                /* [n_pieces] enum tok_type; TOK_UNUSED are of no account */
    const struct bpe_merge_text *merges; /* in their order */
    size_t n_merges;
    const bool *beside; /* [n_pieces]: an added token that the model itself does not have; NULL: none */
    const struct bpe_added *added;
    size_t n_added;
    struct bpe_recipe recipe;
    int32_t bos_id, eos_id;
    int32_t unk_id; /* for a byte that has no piece; -1: such a byte vanishes */
    bool fuse_unk;  /* several in a row are one */
    enum bpe_kind kind;
    /* Not of BPE_BYTES: */
    bool byte_fallback;
    const double *scores; /* [n_pieces], of BPE_UNIGRAM */
    enum tok_first_space first_space;
};

choir_status bpe_open(struct tokenizer **out, const struct bpe_source *source, int64_t vocab_rows, choir_error *err);

/* A vocabulary of a GGUF file (vocab->byte_level). */
choir_status bpe_open_vocab(struct tokenizer **out, const struct tok_vocab *vocab, int64_t vocab_rows,
                            choir_error *err);

struct bpe;
void bpe_close(struct bpe *b); /* NULL is allowed */
choir_status bpe_encode(const struct bpe *b, const char *text, size_t n, int32_t **ids, size_t *n_ids,
                        choir_error *err);
int32_t bpe_find_piece(const struct bpe *b, const char *text, size_t n);

/* The merges as pairs of ids, in order; the name of the recipe in GGUF files, NULL where it has none. */
const int32_t (*bpe_merge_list(const struct bpe *b, size_t *n))[2];
const char *bpe_pre_name(const struct bpe *b);
/* Scores of BPE_UNIGRAM; the steps of the normalizer and those that cut words. */
const double *bpe_scores(const struct bpe *b);
const struct norm_step *bpe_norm_steps(const struct bpe *b);
const struct bpe_step *bpe_word_steps(const struct bpe *b);
/* A piece as decoding has it: of tokens that are found in the normalized text, the normalized form. */
const char *bpe_shown_piece(const struct tokenizer *t, int32_t id, size_t *n);
enum bpe_kind bpe_kind_of(const struct bpe *b);

/* ---- recipes by name: pre.c ---- */

/* NULL for an unknown name. */
const struct bpe_recipe *bpe_recipe_find(const char *pre, size_t n);
/* A name whose recipe does the same, or NULL. */
const char *bpe_recipe_name(const struct bpe_recipe *r);

/* ---- detokenizing: detok.c ---- */

size_t bpe_detok_bound(size_t max_piece_bytes);
/* tok_text's part. */
size_t bpe_text(const struct tokenizer *t, int32_t id, char *dst);
size_t bpe_detok_push(struct tok_detok *d, int32_t id, char *dst);
size_t bpe_detok_flush(struct tok_detok *d, char *dst);

#endif
