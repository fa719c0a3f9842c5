/* Settings for tests: a small valid model's, with some of them changed, read the way a user's file is. */
#ifndef TEST_TINY_CONFIG_H
#define TEST_TINY_CONFIG_H

#include "model/config/config.h"

/* A GGUF file m.gguf: dim 64, hidden 96, 2 layers, 4 heads, 2 key/value heads, vocabulary 50, context 32.
 * changes: "key=type:value;..." as tiny_gguf_set takes them, "key=none:" leaves one out.  The error's message does not
 * name the temporary folder. */
choir_status tiny_read_gguf(struct mdl_config *c, const char *changes, choir_error *err);

/* The same model as config.json; changes: a JSON object merged over it (a value of "-" takes the key out).
 * generation: generation_config.json, or NULL for none. */
choir_status tiny_read_hf(struct mdl_config *c, const char *changes, const char *generation, choir_error *err);

/* A whole config.json of n bytes. */
choir_status tiny_read_json(struct mdl_config *c, const char *text, size_t n, const char *generation, choir_error *err);

#endif
