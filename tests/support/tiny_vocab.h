/* A small vocabulary made here, so that tokenizer tests need no file: BPE or unigram, with or without byte pieces. */
#ifndef TEST_TINY_VOCAB_H
#define TEST_TINY_VOCAB_H

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/tokenizer.h"

enum { TINY_CAP = 512, TINY_UNK = 0, TINY_BOS = 1, TINY_EOS = 2 };

struct tiny_vocab {
    struct tok_vocab vocab; /* points into this struct: do not copy */
    const char *pieces[TINY_CAP];
    size_t bytes[TINY_CAP];
    float scores[TINY_CAP];
    int32_t types[TINY_CAP];
    char byte_names[256][7];
};

/* <unk>, <s>, </s>, the 256 bytes if `with_bytes`, letters and a few words with their parts. */
void tiny_vocab_init(struct tiny_vocab *v, bool unigram, bool with_bytes);
/* Adds a piece, which must outlive v; returns its id. */
int32_t tiny_vocab_add(struct tiny_vocab *v, const char *piece, size_t bytes, float score, enum tok_type type);
/* The same for a C string of a normal piece, scored by its place. */
int32_t tiny_vocab_word(struct tiny_vocab *v, const char *piece);

#endif
