/* Byte-level BPE from tokenizer.json. */
#ifndef TOK_BPE_JSON_H
#define TOK_BPE_JSON_H

#include "base/json.h"
#include "tokenizer/bpe.h"

/* file: printable, for messages. */
choir_status bpe_open_json(struct tokenizer **out, const char *file, const json_t *root, int64_t vocab_rows,
                           choir_error *err);

/* The normalizer and the pre_tokenizer, as a recipe whose steps are the ones given here; their patterns are the file's.
 * Anything that is not among what byte-level tokenizers use is refused by its name. */
choir_status bpe_json_recipe(struct bpe_recipe *r, struct bpe_step steps[BPE_MAX_STEPS + 1], const char *file,
                             const json_t *root, choir_error *err);

/* The token that the post_processor puts in front of a text, borrowed, or NULL; its id, or -1 where it is not stated. */
choir_status bpe_json_first_token(const char **text, int32_t *id, const char *file, const json_t *root,
                                  choir_error *err);

#endif
