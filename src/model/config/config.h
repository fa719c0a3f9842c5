/* What a model is: the numbers of its architecture, read from config.json, GGUF settings or a llama2.c header, and
 * checked.  After mdl_config_read every field is in its stated range. */
#ifndef MDL_CONFIG_H
#define MDL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "choir/status.h"
#include "model/arch.h"
#include "weights/weights.h"

enum mdl_rope_scaling {
    MDL_SCALING_NONE,
    MDL_SCALING_LINEAR,  /* position interpolation, arXiv:2306.15595 */
    MDL_SCALING_DYNAMIC, /* theta grows with the length a sequence may have */
    MDL_SCALING_YARN,    /* arXiv:2309.00071 */
    MDL_SCALING_LLAMA3,  /* by wavelength */
    MDL_SCALING_LONGROPE /* a divisor for each pair, one set for short and one for long texts, arXiv:2402.13753 */
};

enum { MDL_EOS_CAP = 16, MDL_ROPE_KINDS = 2, MDL_ROPE_PAIRS_MAX = 512, MDL_LAYERS_MAX = 1024 };

/* How positions become angles. */
struct mdl_rope {
    double theta; /* >= 1 */
    enum mdl_rope_scaling scaling;
    double factor;               /* of all but none and llama3's blend; > 0 */
    double low_freq, high_freq;  /* llama3 */
    double beta_fast, beta_slow; /* yarn; 32 and 1 unless said */
    double magnitude;            /* yarn, longrope: what cosines and sines are multiplied by; 1 elsewhere */
    int32_t original_len;        /* dynamic, yarn, llama3, longrope: positions before stretching */
};

struct mdl_config {
    const struct mdl_arch *arch;
    int32_t dim;         /* 1 to 2^20 */
    int32_t hidden_dim;  /* feed-forward width; of the dense layers where there are experts */
    int32_t n_layers;    /* 1 to 1024 */
    int32_t n_heads;     /* 1 to 4096 */
    int32_t n_kv_heads;  /* divides n_heads */
    int32_t head_dim;    /* even, 2 to 1024; n_heads * head_dim may differ from dim */
    int32_t vocab_size;  /* rows of the embedding table, 1 to 2^24 */
    int32_t max_seq_len; /* positions the model was made for */
    bool tied_output;    /* output matrix = embedding table */

    enum mdl_norm_kind norm;
    float norm_eps;     /* 0 to 1 */
    bool norm_plus_one; /* the file's norm weights w stand for 1 + w; in memory they are 1 + w */
    bool post_norm;     /* what a block gives is normed before it is added (Gemma 2 and 3, OLMo 2) */
    bool pre_norm;      /* what a block takes is normed (all but OLMo 2) */
    enum mdl_qk_norm qk_norm;
    bool parallel;  /* attention and feed-forward read the same x and are added to it together */
    bool two_norms; /* parallel: a norm for each of them; else one for both */
    bool qkv_bias, out_bias, ffn_bias,
        output_bias; /* W_Q, W_K, W_V; W_O; the feed-forward network's; the output matrix's */
    bool gated;      /* act(gate x) * up x; else act(up x) */
    enum mdl_activation activation;
    float embed_scale;   /* embeddings are multiplied by it; 1 */
    float attn_scale;    /* scores are q.k times it; 1/sqrt(head_dim) unless the model says otherwise */
    float attn_softcap;  /* score = cap tanh(score / cap); 0: none */
    float logit_softcap; /* the same of logits; 0: none */

    int32_t sliding_window; /* tokens a query of a windowed layer sees, itself included; 0: no layer is windowed */
    uint64_t windowed[MDL_LAYERS_MAX / 64]; /* bit l: layer l is */

    enum mdl_position_kind position;
    enum mdl_rope_layout rope_layout;
    int32_t rope_dim;                     /* rotated part of a head, even, <= head_dim; 0 with learned positions */
    struct mdl_rope rope[MDL_ROPE_KINDS]; /* of layers that see all; of windowed layers */
    float rope_short[MDL_ROPE_PAIRS_MAX], rope_long[MDL_ROPE_PAIRS_MAX]; /* longrope's divisors [rope_dim / 2] */

    int32_t n_experts;                    /* 0: one feed-forward network a layer */
    uint64_t routed[MDL_LAYERS_MAX / 64]; /* bit l: layer l has experts */
    int32_t n_experts_used;               /* of a token, 1 to n_experts */
    int32_t expert_dim;                   /* an expert's hidden width */
    int32_t shared_dim;                   /* hidden width of the expert that every token takes; 0: none */
    bool shared_gated;                    /* its result is multiplied by sigmoid(shared_gate . x) */
    bool expert_weights_normed;           /* the chosen experts' weights are made to sum to 1 */

    int32_t bos_id; /* -1: not said here */
    int32_t eos_ids[MDL_EOS_CAP];
    int32_t n_eos;
};

/* Reads and checks the settings of a set (config.json and generation_config.json of a folder). */
choir_status mdl_config_read(struct mdl_config *c, const struct wts_set *set, choir_error *err);

/* What YaRN multiplies cosines and sines by unless told otherwise: 1 + 0.1 m ln(factor); 1 where nothing is stretched. */
double mdl_yarn_magnitude(double factor, double m);

static inline int32_t mdl_q_dim(const struct mdl_config *c)
{
    return c->n_heads * c->head_dim;
}

static inline int32_t mdl_kv_dim(const struct mdl_config *c)
{
    return c->n_kv_heads * c->head_dim;
}

/* Whether layer l has experts. */
static inline bool mdl_is_routed(const struct mdl_config *c, int32_t l)
{
    return (c->routed[l / 64] >> (l % 64) & 1) != 0;
}

/* Whether layer l sees only the last sliding_window tokens. */
static inline bool mdl_is_windowed(const struct mdl_config *c, int32_t l)
{
    return (c->windowed[l / 64] >> (l % 64) & 1) != 0;
}

#endif
