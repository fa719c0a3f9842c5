/* The normalizer of tokenizer.json. */
#ifndef TOK_NORM_JSON_H
#define TOK_NORM_JSON_H

#include "base/json.h"
#include "tokenizer/normalizer/norm.h"

/* The steps of a file; their texts are the file's, but for maps. */
struct norm_list {
    int n;
    struct norm_step steps[NORM_MAX_STEPS + 1];
    char *maps[NORM_MAX_STEPS]; /* owned */
};

/* root: the whole file; no normalizer is no steps.  Kinds that are not known are refused by their names (CHOIR_FILE).  Free
 * it in any case. */
choir_status norm_json_read(struct norm_list *list, const char *file, const json_t *root, choir_error *err);
void norm_json_free(struct norm_list *list);

#endif
