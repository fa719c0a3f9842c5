/* Vocabularies for the model files of tests. */
#ifndef TEST_TINY_TEXT_H
#define TEST_TINY_TEXT_H

#include "tests/support/tiny.h"

enum { TINY_TEXT_PIECES = 50 };

/* Adds the settings of a BPE vocabulary of TINY_TEXT_PIECES pieces (support/tiny_vocab.h's, without bytes), BOS 1, EOS 2; the key
 * `without` is left out (NULL: none). */
void tiny_text_gguf(struct tiny_gguf *g, const char *without);
/* dir/NAME: a SentencePiece file of six pieces: <unk>, <s>, </s>, a, b, ab. */
void tiny_text_sp(const char *dir, const char *name);

#endif
