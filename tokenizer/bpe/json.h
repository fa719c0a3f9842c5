/* tokenizer.json, in parts: the model and added tokens, and what stands around them. */
#ifndef TOK_BPE_JSON_H
#define TOK_BPE_JSON_H

#include "base/json.h"
#include "tokenizer/bpe/bpe.h"

/* file: printable, for messages.  bytes: byte-level; else it is of SentencePiece's kind. */
choir_status bpe_open_json(struct tokenizer **out, const char *file, const json_t *root, bool bytes, int64_t vocab_rows,
                           choir_error *err);

/* The pre_tokenizer as steps; their patterns are the file's.  Anything else than what tokenizers of that kind use is refused
 * by its name. */
choir_status bpe_json_steps(struct bpe_step steps[BPE_MAX_STEPS + 1], const char *file, const json_t *root, bool bytes,
                            choir_error *err);

/* Metaspace's prepend_scheme. */
choir_status bpe_json_prepend(enum bpe_prepend *out, const char *file, const json_t *part, choir_error *err);

/* What a decoder of SentencePiece's kind does. */
struct bpe_json_decoder {
    bool marks; /* U+2581 to spaces; without it a decoder is refused */
    bool bytes; /* pieces "<0x0A>" to bytes */
    enum tok_first_space first_space;
};
choir_status bpe_json_read_decoder(struct bpe_json_decoder *d, const char *file, const json_t *root, choir_error *err);

/* The token that the post_processor puts in front of a text, borrowed, or NULL; its id, or -1 where it is not stated. */
choir_status bpe_json_first_token(const char **text, int32_t *id, const char *file, const json_t *root,
                                  choir_error *err);

#endif
