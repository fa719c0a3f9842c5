/* One settings file of a folder being read.  Private to hf*.c. */
#ifndef MDL_CONFIG_HF_H
#define MDL_CONFIG_HF_H

#include "base/error.h"
#include "base/json.h"
#include "model/config/read.h"

struct mdl_hf_reader {
    const json_t *root;
    const json_t *text;         /* its text_config: what is there goes before what is in root; or NULL */
    char file[BASE_ESCAPE_CAP]; /* as messages name it */
    choir_error *err;
};

/* The object that has the key: text_config or the whole. */
static inline const json_t *mdl_hf_object(const struct mdl_hf_reader *r, const char *key)
{
    return r->text != NULL && json_object_get(r->text, key) != NULL ? r->text : r->root;
}

/* The first of the keys "a|b" that is there, else "a". */
enum { MDL_HF_KEY_CAP = 64 };
const char *mdl_hf_key(char key[MDL_HF_KEY_CAP], const struct mdl_hf_reader *r, const char *keys);
choir_status mdl_hf_flag(bool *out, const struct mdl_hf_reader *r, const char *key, bool fallback);
/* "FILE: KEY "VALUE" not supported" */
choir_status mdl_hf_refuse(const struct mdl_hf_reader *r, const char *key, const char *value);

/* A setting as the family says it.  Counts are whole; flags are 0 or 1. */
choir_status mdl_hf_setting(double *out, const struct mdl_config *c, const struct mdl_hf_reader *r,
                            enum mdl_setting which);

/* theta, rope_dim, scalings; c has the sizes already. */
choir_status mdl_hf_rope(struct mdl_config *c, const struct mdl_hf_reader *r);
/* How Falcon says which of its three blocks a model has. */
choir_status mdl_hf_falcon(struct mdl_config *c, const struct mdl_hf_reader *r);
/* Which layers are windowed. */
choir_status mdl_hf_window(struct mdl_config *c, const struct mdl_hf_reader *r);
/* How many experts, how wide, in which layers. */
choir_status mdl_hf_experts(struct mdl_config *c, const struct mdl_hf_reader *r);

#endif
