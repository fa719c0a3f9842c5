/* Settings of a GGUF file being read.  Private to gguf*.c. */
#ifndef MDL_CONFIG_GGUF_H
#define MDL_CONFIG_GGUF_H

#include "model/config/read.h"

enum { MDL_GGUF_KEY_CAP = 96, MDL_GGUF_PREFIX_CAP = 40 };

struct mdl_gguf_reader {
    const struct wts_set *set;
    const char *file;                 /* as messages name it */
    char prefix[MDL_GGUF_PREFIX_CAP]; /* "llama." */
    choir_error *err;
};

/* `name` is a key without the architecture's prefix, `key` a whole one. */

/* The setting called `name`; its whole key goes to key[MDL_GGUF_KEY_CAP].  NULL when absent. */
const struct wts_meta *mdl_gguf_find(const struct mdl_gguf_reader *r, const char *name, char key[MDL_GGUF_KEY_CAP]);
choir_status mdl_gguf_missing(const struct mdl_gguf_reader *r, const char *key);
/* Absent: *out keeps its value, or, with `need`, it is an error. */
choir_status mdl_gguf_int(int32_t *out, const struct mdl_gguf_reader *r, const char *name, bool need, int32_t min,
                          int32_t max);
/* The same, but the file may give one number a layer: they must be equal, since every layer has one shape here. */
choir_status mdl_gguf_layers_int(int32_t *out, const struct mdl_gguf_reader *r, const char *name, bool need,
                                 int32_t n_layers, int32_t max);
/* *found (may be NULL) tells whether the key is there. */
choir_status mdl_gguf_real(double *out, const struct mdl_gguf_reader *r, const char *name, bool need, bool *found);
choir_status mdl_gguf_bool(bool *out, const struct mdl_gguf_reader *r, const char *name);
/* NULL when absent.  One with a NUL inside equals nothing we know. */
choir_status mdl_gguf_string(const struct wts_string **out, const struct mdl_gguf_reader *r, const char *key);
bool mdl_gguf_string_is(const struct wts_string *s, const char *text);
/* Sets the bits of the layers whose entry in the array m is true. */
choir_status mdl_gguf_layer_bits(uint64_t *bits, const struct mdl_gguf_reader *r, const struct wts_meta *m,
                                 const char *key, int32_t n_layers);
/* A token's id; -1 when absent, or said to be -1. */
choir_status mdl_gguf_id(int64_t *out, const struct mdl_gguf_reader *r, const char *key);

/* theta and scalings; c has its sizes and its windows already. */
choir_status mdl_gguf_rope(struct mdl_config *c, const struct mdl_gguf_reader *r);

#endif
