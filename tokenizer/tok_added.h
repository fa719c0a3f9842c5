/* What Hugging Face's files beside a tokenizer.model add to it: tokenizer_config.json (added_tokens_decoder), or, in older
 * folders, added_tokens.json with special_tokens_map.json. */
#ifndef TOK_ADDED_H
#define TOK_ADDED_H

#include <jansson.h>

#include "tokenizer/bpe/added.h"

struct tok_added {
    struct bpe_added *tokens;
    size_t n;
    /* "legacy": each text between added tokens is encoded as if it were the whole one, with a space put in front; else only
     * the first one is. */
    bool legacy;
    json_t *roots[2]; /* of the files whose texts these are */
};

/* From the folder that `path` is in; no files is no tokens.  Those with ids from vocab_rows on (-1: any) are left out, for the
 * model has no rows for them.  Free it in any case. */
choir_status tok_added_read(struct tok_added *a, const char *path, int64_t vocab_rows, choir_error *err);
void tok_added_free(struct tok_added *a);

#endif
