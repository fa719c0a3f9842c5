/* A SentencePiece model file (a ModelProto) taken apart. */
#ifndef TOK_SP_PARSE_H
#define TOK_SP_PARSE_H

#include "tokenizer/sentencepiece/model.h"

/* Reads n bytes at `data`, which must outlive *m.  Only the wire format is checked here, sp_validate does the rest.
 * `file` stands in messages.  On failure *m is cleared. */
choir_status sp_parse(struct sp_model *m, const char *file, const char *data, size_t n, choir_error *err);

#endif
