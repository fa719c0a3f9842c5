/* Inside of struct tokenizer. */
#ifndef TOK_INTERNAL_H
#define TOK_INTERNAL_H

#include "tokenizer/bpe/bpe.h"
#include "tokenizer/sentencepiece/build.h"
#include "tokenizer/sentencepiece/wrapper.h"
#include "tokenizer/tokenizer.h"

struct tokenizer {
    int32_t n_pieces;
    int32_t bos_id, eos_id, unk_id; /* -1: none */
    bool adds_bos;
    bool unigram;
    enum tok_first_space first_space;
    char *texts;       /* all pieces, one behind the other */
    size_t *starts;    /* [n_pieces + 1] in texts */
    uint8_t *types;    /* [n_pieces] enum tok_type */
    char *unk_surface; /* what an unknown piece decodes to */
    size_t unk_surface_bytes;
    size_t max_piece_bytes; /* the longest of the pieces and unk_surface */
    size_t max_text_bytes;  /* the library counts normalized bytes in int */
    struct bpe *bpe;        /* byte-level BPE; NULL: SentencePiece, by what follows */
    struct sp_built model;
    struct sp_lib *lib;
    int32_t n_model_pieces;     /* of the model itself; added tokens may follow */
    struct bpe_added_set added; /* found in a text before the model's turn */
    struct sp_lib *lib_inner;   /* for a text behind an added token; NULL: lib */
};

/* The library crashes (in protobuf's destructors) when memory runs out while it works.  So what it may need is asked for
 * first, and given back: best effort, but then it is an error message. */
choir_status tok_probe_memory(uint64_t bytes, const char *what, choir_error *err);

#endif
