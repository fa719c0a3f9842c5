/* What a model is: the numbers of its architecture, read from config.json, GGUF settings or a llama2.c header, and
 * checked.  After mdl_config_read every field is in its stated range. */
#ifndef MDL_CONFIG_H
#define MDL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "choir_status.h"
#include "model/arch.h"
#include "weights/weights.h"

enum mdl_rope_layout { MDL_ROPE_INTERLEAVED, MDL_ROPE_HALF };
enum mdl_rope_scaling { MDL_SCALING_NONE, MDL_SCALING_LINEAR, MDL_SCALING_LLAMA3 };

enum { MDL_EOS_CAP = 16 };

struct mdl_config {
    const struct mdl_arch *arch;
    int32_t dim;            /* 1 to 2^20 */
    int32_t hidden_dim;     /* feed-forward width */
    int32_t n_layers;       /* 1 to 1024 */
    int32_t n_heads;        /* 1 to 4096 */
    int32_t n_kv_heads;     /* divides n_heads */
    int32_t head_dim;       /* even, 2 to 1024; n_heads * head_dim may differ from dim */
    int32_t vocab_size;     /* rows of the embedding table, 1 to 2^24 */
    int32_t max_seq_len;    /* positions the model was made for */
    float norm_eps;         /* 0 to 1 */
    bool tied_output;       /* output matrix = embedding table */
    int32_t sliding_window; /* tokens a query sees, itself included; 0: all */
    enum mdl_rope_layout rope_layout;
    int32_t rope_dim;  /* rotated part of a head, even, <= head_dim */
    double rope_theta; /* >= 1 */
    enum mdl_rope_scaling rope_scaling;
    double rope_factor;                   /* linear, llama3; >= 1 unless the file says otherwise, > 0 */
    double rope_low_freq, rope_high_freq; /* llama3 */
    int32_t rope_original_len;            /* llama3 */
    int32_t bos_id;                       /* -1: not said here */
    int32_t eos_ids[MDL_EOS_CAP];
    int32_t n_eos;
};

/* Reads and checks the settings of a set (config.json and generation_config.json of a folder). */
choir_status mdl_config_read(struct mdl_config *c, const struct wts_set *set, choir_error *err);

static inline int32_t mdl_q_dim(const struct mdl_config *c)
{
    return c->n_heads * c->head_dim;
}

static inline int32_t mdl_kv_dim(const struct mdl_config *c)
{
    return c->n_kv_heads * c->head_dim;
}

#endif
