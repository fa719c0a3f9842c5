/* Everything that must hold before the library sees a model, and what it is told where a model is odd. */
#ifndef TOK_SP_VALIDATE_H
#define TOK_SP_VALIDATE_H

#include "tokenizer/sentencepiece/model.h"

/* The byte that "<0x0A>" names, or -1: exactly this form, digits in upper case. */
int sp_byte_of(struct sp_text t);

/* Checks the whole model and fills lib_type, hidden, unk_id and what struct sp_model says.  vocab_rows: rows of the
 * embedding table, or -1.  CHOIR_FILE with the place; O(n log n) in the bytes of the model. */
choir_status sp_validate(struct sp_model *m, int64_t vocab_rows, choir_error *err);

#endif
