/* Text to ids and back, in one of two ways.  For SentencePiece models the library itself does the work (arXiv:1808.06226),
 * behind this C border: no exception and no C++ type comes out; a model file is checked by sentencepiece/validate.c before the
 * library sees a byte of it.  Byte-level BPE is ours (bpe/bpe.h), and so is what a tokenizer.json made of a SentencePiece model:
 * merges of pairs where the library merges by pieces, doubles where it has floats.
 *
 * Text never makes a special id: control, unknown and user-hidden pieces are reached by id only.
 * A struct tokenizer is immutable after open; all calls on it are thread-safe. */
#ifndef TOK_TOKENIZER_H
#define TOK_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

struct tokenizer;

/* SentencePiece's piece types (and GGUF's token types): the same numbers. */
enum tok_type { TOK_NORMAL = 1, TOK_UNKNOWN = 2, TOK_CONTROL = 3, TOK_USER_DEFINED = 4, TOK_UNUSED = 5, TOK_BYTE = 6 };

/* What decoding does with spaces in front of a text. */
enum tok_first_space {
    TOK_SPACE_KEPT,
    TOK_SPACE_DROPPED,   /* that with which the first piece begins */
    TOK_SPACES_TO_TEXT,  /* of each piece the first one, until there is text */
    TOK_SPACES_OF_FIRST, /* all of the first piece, wherever they stand in it */
};

/* A vocabulary as a GGUF file lists it.  Everything is borrowed for the time of the call. */
struct tok_vocab {
    const char *file; /* for messages */
    int32_t n_pieces;
    const char *const *pieces;      /* [n_pieces] text, any bytes */
    const size_t *piece_bytes;      /* [n_pieces] */
    const float *scores;            /* [n_pieces] */
    const int32_t *types;           /* [n_pieces] enum tok_type */
    int32_t bos_id, eos_id, unk_id; /* -1: none */
    bool add_dummy_prefix;          /* GGUF: tokenizer.ggml.add_space_prefix, default true */
    bool remove_extra_whitespaces;  /* tokenizer.ggml.remove_extra_whitespaces, default false */
    bool unigram;                   /* the vocabulary is of the unigram kind ("t5"), not BPE */
    const char *charsmap;           /* tokenizer.ggml.precompiled_charsmap, or NULL */
    size_t charsmap_bytes;
    /* Byte-level BPE ("gpt2"); scores, and all settings from add_dummy_prefix on, are then of no account. */
    bool byte_level;
    const char *pre; /* tokenizer.ggml.pre */
    size_t pre_bytes;
    const char *const *merges; /* [n_merges] "LEFT RIGHT" */
    const size_t *merge_bytes; /* [n_merges] */
    size_t n_merges;
};

/* A tokenizer from a file (a SentencePiece model, with what files beside it add (tok_added.h), or a tokenizer.json), a
 * SentencePiece model from memory, or one built from a vocabulary.  vocab_rows: rows of the embedding table, or -1; more pieces than rows is refused (CHOIR_FILE). */
choir_status tok_open_file(struct tokenizer **out, const char *path, int64_t vocab_rows, choir_error *err);
choir_status tok_open_memory(struct tokenizer **out, const char *name, const void *data, size_t size,
                             int64_t vocab_rows, choir_error *err);
choir_status tok_open_vocab(struct tokenizer **out, const struct tok_vocab *vocab, int64_t vocab_rows,
                            choir_error *err);
void tok_close(struct tokenizer *t);

int32_t tok_n_pieces(const struct tokenizer *t);
int32_t tok_bos(const struct tokenizer *t); /* -1: none */
int32_t tok_eos(const struct tokenizer *t); /* -1: none */
int32_t tok_unk(const struct tokenizer *t); /* -1: none */
/* Whether a text begins with tok_bos unless the model's other files say otherwise. */
bool tok_adds_bos(const struct tokenizer *t);
const char *tok_kind(const struct tokenizer *t); /* "sentencepiece bpe", "sentencepiece unigram", "byte-level bpe" */
/* The piece as the vocabulary writes it (with U+2581 for space, "<0x0A>" for a byte); *n its bytes.  Valid as long as
 * the tokenizer.  NULL for an id out of range. */
const char *tok_piece(const struct tokenizer *t, int32_t id, size_t *n);
/* The id whose piece is exactly these n bytes, of any type: how a template finds its special tokens.  -1: none. */
int32_t tok_find_piece(const struct tokenizer *t, const char *text, size_t n);
enum tok_type tok_piece_type(const struct tokenizer *t, int32_t id);

/* A SentencePiece model file with this tokenizer's content (a GGUF vocabulary turned into one), but for tokens that other files
 * add; NULL for what the library does not run.
 * Valid as long as the tokenizer. */
const void *tok_model_bytes(const struct tokenizer *t, size_t *n);

/* The tokenizer as a vocabulary, which tok_open_vocab makes the same tokenizer of (of a tokenizer.json only what GGUF files can
 * tell: CHOIR_FILE where a pre-tokenizer or normal form has no name there, and pieces for pairs where SentencePiece's kind
 * merges by pairs).  Texts stay the tokenizer's; the arrays are
 * freed by tok_export_free. */
struct tok_export {
    struct tok_vocab vocab; /* .file NULL */
    const char **pieces;
    size_t *piece_bytes;
    float *scores;
    int32_t *types;
    const char **merges;
    size_t *merge_bytes;
    char *merge_texts;
};
choir_status tok_export(struct tok_export *e, const struct tokenizer *t, choir_error *err);
void tok_export_free(struct tok_export *e);

/* Ids of n bytes of valid UTF-8 (embedded NUL allowed), no BOS, no EOS: exactly what SentencePiece's Encode gives
 * (of each part between added tokens), or Hugging Face's tokenizers with special tokens in the text taken as text.
 * *ids is malloc'ed (free it), *n_ids its length. */
choir_status tok_encode(const struct tokenizer *t, const char *text, size_t n, int32_t **ids, size_t *n_ids,
                        choir_error *err);

/* Bytes of the ids, exactly as the library's Decode gives it (control pieces vanish, the first space is dropped where
 * encoding adds one, byte pieces are joined; invalid ones become U+FFFD).  *text is malloc'ed, NUL-terminated, *n its bytes. */
choir_status tok_decode(const struct tokenizer *t, const int32_t *ids, size_t n_ids, char **text, size_t *n,
                        choir_error *err);

/* The bytes that id adds to a text, which may be part of a character; none for pieces that are not text.  dst has
 * tok_detok_bound bytes.  at_start: as in tok_detok_init. */
size_t tok_text(const struct tokenizer *t, int32_t id, bool at_start, char *dst);

/* ---- streaming: ids come one by one, whole UTF-8 goes out ---- */

enum { TOK_DETOK_CAP = 8 };

/* Plain data; copy it to fork a stream. */
struct tok_detok {
    const struct tokenizer *t;
    bool at_start; /* the next piece's leading space is dropped (add_dummy_prefix undone) */
    int n_pending; /* bytes of an unfinished UTF-8 sequence */
    char pending[TOK_DETOK_CAP];
};

/* at_start: true when the stream begins a text; false when it goes on after a prompt. */
void tok_detok_init(struct tok_detok *d, const struct tokenizer *t, bool at_start);
/* Most bytes one push or flush can give. */
size_t tok_detok_bound(const struct tokenizer *t);
/* Text that `id` completes, into dst (tok_detok_bound bytes): only whole UTF-8 sequences; a byte piece waits for the
 * rest of its sequence; bytes that turn out invalid become U+FFFD.  Returns the number of bytes (0 is common). */
size_t tok_detok_push(struct tok_detok *d, int32_t id, char *dst);
/* The end: each byte of an unfinished sequence becomes U+FFFD, as in tok_decode. */
size_t tok_detok_flush(struct tok_detok *d, char *dst);

#endif
