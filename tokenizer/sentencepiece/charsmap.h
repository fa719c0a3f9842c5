/* The precompiled character map of a SentencePiece normalizer: a double-array trie of rules and the texts that they put
 * in.  The library trusts it blindly, so every step it can take is checked here, before it is given the map. */
#ifndef TOK_SP_CHARSMAP_H
#define TOK_SP_CHARSMAP_H

#include "tokenizer/sentencepiece/model.h"

/* CHOIR_FILE "FILE: precompiled_charsmap: WHAT" if any text could lead the library astray.  *max_bytes: the longest
 * text a rule puts in, spaces counted as three bytes (U+2581). */
choir_status sp_charsmap_check(const char *file, struct sp_text map, size_t *max_bytes, choir_error *err);

#endif
