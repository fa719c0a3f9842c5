/* What the readers of the three containers share: limits, and the checks that do not depend on where a number stood.
 * Private to src/model/config*.c. */
#ifndef MDL_CONFIG_READ_H
#define MDL_CONFIG_READ_H

#include "model/config.h"

/* Every product of two or three of these fits 64 bits; q_dim and kv_dim fit 32. */
enum {
    MDL_DIM_MAX = 1 << 20,
    MDL_HIDDEN_MAX = 1 << 22,
    MDL_HEADS_MAX = 4096,
    MDL_HEAD_DIM_MAX = 1024,
    MDL_VOCAB_MAX = 1 << 24,
    MDL_SEQ_MAX = 1 << 30
};

/* How the container spells its settings ("llama." "rope.freq_base"), for messages, and what has no field of its own. */
struct mdl_spelling {
    const char *file;   /* as messages name it */
    const char *prefix; /* before every key */
    const char *dim, *head_dim, *rope_dim, *rope_theta, *norm_eps, *rope_scaling;
    double norm_eps_value;
};

/* Fills *c but for what mdl_config_finish derives: head_dim 0 stands for dim / n_heads, rope_dim 0 for head_dim. */
choir_status mdl_config_read_hf(struct mdl_config *c, const struct wts_set *set, choir_error *err);
choir_status mdl_config_read_gguf(struct mdl_config *c, const struct wts_set *set, choir_error *err);
choir_status mdl_config_read_llama2c(struct mdl_config *c, const struct wts_set *set, choir_error *err);

/* Derives what was left open and checks the fields against each other. */
choir_status mdl_config_finish(struct mdl_config *c, const struct mdl_spelling *s, choir_error *err);

/* "FILE: KEY: ID, vocabulary has N" unless the id is a row of the embedding table. */
choir_status mdl_config_check_id(const struct mdl_config *c, const char *file, const char *key, int64_t id,
                                 choir_error *err);
/* Adds a stop id once; false when there is no room. */
bool mdl_config_add_eos(struct mdl_config *c, int32_t id);

#endif
