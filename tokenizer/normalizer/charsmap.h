/* A SentencePiece model's precompiled map, applied as tokenizers does it (spm_precompiled): where a grapheme cluster of less
 * than six bytes begins with a rule, the shortest such rule stands for all of it; else each character for itself likewise. */
#ifndef TOK_NORM_CHARSMAP_H
#define TOK_NORM_CHARSMAP_H

#include "tokenizer/normalizer/buffer.h"

/* The map has passed sp_charsmap_check. */
choir_status norm_charsmap(struct norm_buffer *out, const char *map, const char *text, size_t n, choir_error *err);

#endif
