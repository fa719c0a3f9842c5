/* tokenizer.json, the file of Hugging Face's tokenizers library. */
#ifndef TOK_JSON_H
#define TOK_JSON_H

#include "base/json.h"
#include "tokenizer/tokenizer.h"

/* A text of n bytes; `name` stands in messages.  Chooses between the two kinds below. */
choir_status tok_open_json(struct tokenizer **out, const char *name, const char *text, size_t n, int64_t vocab_rows,
                           choir_error *err);

#endif
