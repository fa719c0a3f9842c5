/* What the readers of the three containers share: limits, and the checks that do not depend on where a number stood.
 * For src/model/config, and its limits for src/model. */
#ifndef MDL_CONFIG_READ_H
#define MDL_CONFIG_READ_H

#include "model/config/config.h"

/* Every product of two or three of these fits 64 bits; q_dim and kv_dim fit 32. */
enum {
    MDL_DIM_MAX = 1 << 20,
    MDL_HIDDEN_MAX = 1 << 22,
    MDL_HEADS_MAX = 4096,
    MDL_HEAD_DIM_MAX = 1024,
    MDL_VOCAB_MAX = 1 << 24,
    MDL_SEQ_MAX = 1 << 30,
    MDL_EXPERTS_MAX = 512,
    MDL_EXPERT_DIM_MAX = 1 << 20
};

/* arXiv:2309.00071, as every file leaves them. */
#define MDL_YARN_BETA_FAST 32.0
#define MDL_YARN_BETA_SLOW 1.0

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

/* What the family's row says, before any file has its word. */
void mdl_config_from_arch(struct mdl_config *c, const struct mdl_arch *arch);
/* Head size before mdl_config_finish derives and checks it; at most MDL_HEAD_DIM_MAX. */
int32_t mdl_config_head_dim(const struct mdl_config *c);
/* longrope: the root of 1 + ln(factor) / ln(original_len); 1 where nothing is stretched. */
double mdl_longrope_magnitude(double factor, int32_t original_len);

/* Derives what was left open and checks the fields against each other. */
choir_status mdl_config_finish(struct mdl_config *c, const struct mdl_spelling *s, choir_error *err);

/* "FILE: KEY: ID, vocabulary has N" unless the id is a row of the embedding table. */
choir_status mdl_config_check_id(const struct mdl_config *c, const char *file, const char *key, int64_t id,
                                 choir_error *err);
/* Adds a stop id once; false when there is no room. */
bool mdl_config_add_eos(struct mdl_config *c, int32_t id);

#endif
