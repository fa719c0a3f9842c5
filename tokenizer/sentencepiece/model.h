/* A SentencePiece model in plain C: what was read from a model file or given as a vocabulary, checked by sp_validate,
 * written out for the library by sp_build.  Texts are borrowed from where they came; only `pieces` is owned. */
#ifndef TOK_SP_MODEL_H
#define TOK_SP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

enum {
    SP_MAX_PIECES = 1 << 24,
    SP_MAX_PIECE_BYTES = 4096,
    SP_MAX_NESTED_BYTES = 1024,      /* of a piece that the library recurses over, once a byte */
    SP_MAX_CHARSMAP_BYTES = 4 << 20, /* those of the trainer are 0.3 MB */
    SP_MAX_RULE_BYTES = 1024,        /* what one rule of the map puts in; NFKC: 33 */
    SP_MAX_FILE_BYTES = 512 << 20,
    SP_MAX_UNK_SURFACE = 256,
};

struct sp_text {
    const char *s;
    size_t n;
};

struct sp_piece {
    struct sp_text text;
    float score;
    int32_t type; /* enum tok_type, as the model says it */
    /* What the library is told, so that text never makes a special id and no two pieces share a name: */
    uint8_t lib_type; /* enum tok_type */
    bool hidden;      /* its text is replaced by one that no text can contain */
};

struct sp_model {
    const char *file; /* for messages */
    const char *noun; /* "piece", or "token" for a GGUF vocabulary */
    bool lenient;     /* a GGUF vocabulary: several or no unknown pieces are mended, not refused */
    int32_t n_pieces;
    struct sp_piece *pieces;        /* [n_pieces], owned */
    char *escaped;                  /* texts that are not the file's, owned; or NULL */
    int32_t bos_id, eos_id, unk_id; /* -1: none */
    bool unigram;                   /* else BPE */
    bool byte_fallback;
    bool add_dummy_prefix;
    bool remove_extra_whitespaces;
    bool escape_whitespaces;
    bool whitespace_as_suffix;
    struct sp_text charsmap; /* may be empty */
    struct sp_text bos_piece, eos_piece;
    struct sp_text unk_surface; /* what an unknown piece decodes to */
    /* Set by sp_validate: */
    size_t max_expansion; /* most bytes that normalizing makes of one byte */
    bool byte_names;      /* some piece is spelled like a byte piece: "<0x0A>" */
};

static inline bool sp_text_is(struct sp_text a, struct sp_text b)
{
    return a.n == b.n && (a.n == 0 || __builtin_memcmp(a.s, b.s, a.n) == 0);
}

/* Frees what it owns. */
void sp_model_clear(struct sp_model *m);

#endif
