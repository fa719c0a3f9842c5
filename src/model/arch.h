/* THE architecture table: a model family is a row of data, and everything that reads or computes reads that row. */
#ifndef MDL_ARCH_H
#define MDL_ARCH_H

#include <stdbool.h>
#include <stddef.h>

enum mdl_norm_kind {
    MDL_NORM_RMS,  /* arXiv:1910.07467 */
    MDL_NORM_LAYER /* arXiv:1607.06450; with a bias */
};
enum mdl_position_kind { MDL_POSITION_ROPE, MDL_POSITION_LEARNED };
enum mdl_activation { MDL_ACTIVATION_SILU, MDL_ACTIVATION_GELU, MDL_ACTIVATION_GELU_TANH };
enum mdl_qk_norm {
    MDL_QK_NORM_NONE,
    MDL_QK_NORM_HEAD, /* each head by itself, one weight [head_dim] for all */
    MDL_QK_NORM_ROW   /* all heads of a token together, weights [q_dim] and [kv_dim] */
};
enum mdl_rope_layout { MDL_ROPE_INTERLEAVED, MDL_ROPE_HALF };

/* Tensors of the model around the layers, then those of a layer, then those of an expert. */
enum mdl_tensor {
    MDL_EMBED,
    MDL_POSITIONS, /* learned ones */
    MDL_OUTPUT_NORM,
    MDL_OUTPUT_NORM_BIAS,
    MDL_OUTPUT,
    MDL_OUTPUT_BIAS,
    MDL_ROPE_FREQS, /* GGUF: divisors of the frequencies */

    MDL_ATT_NORM, /* of a parallel block with two norms: that of the feed-forward network */
    MDL_ATT_NORM_BIAS,
    MDL_ATT_NORM_2, /* such a block's norm before attention */
    MDL_ATT_NORM_2_BIAS,
    MDL_QKV, /* W_Q, W_K, W_V in one */
    MDL_WQ,
    MDL_WK,
    MDL_WV,
    MDL_WO,
    MDL_QKV_BIAS,
    MDL_BQ,
    MDL_BK,
    MDL_BV,
    MDL_BO,
    MDL_Q_NORM,
    MDL_K_NORM,
    MDL_POST_ATT_NORM,
    MDL_FFN_NORM,
    MDL_FFN_NORM_BIAS,
    MDL_GATE_UP, /* W_GATE and W_UP in one */
    MDL_W_GATE,
    MDL_W_UP,
    MDL_W_DOWN,
    MDL_B_GATE,
    MDL_B_UP,
    MDL_B_DOWN,
    MDL_POST_FFN_NORM,
    MDL_ROUTER,
    MDL_SHARED_W_GATE, /* the expert that every token takes */
    MDL_SHARED_W_UP,
    MDL_SHARED_W_DOWN,
    MDL_SHARED_GATE, /* the vector its weight comes from */

    MDL_EXPERT_GATE_UP,
    MDL_EXPERT_W_GATE,
    MDL_EXPERT_W_UP,
    MDL_EXPERT_W_DOWN,
    MDL_TENSOR_COUNT
};
enum { MDL_FIRST_LAYER_TENSOR = MDL_ATT_NORM, MDL_FIRST_EXPERT_TENSOR = MDL_EXPERT_GATE_UP };

/* Settings of config.json that differ by family in name or default. */
enum mdl_setting {
    MDL_SET_DIM,
    MDL_SET_HIDDEN,
    MDL_SET_LAYERS,
    MDL_SET_HEADS,
    MDL_SET_KV_HEADS, /* 0: as many as heads */
    MDL_SET_HEAD_DIM, /* 0: dim / heads */
    MDL_SET_VOCAB,
    MDL_SET_MAX_SEQ,
    MDL_SET_WINDOW, /* 0: none */
    MDL_SET_EXPERTS,
    MDL_SET_EXPERTS_USED,
    MDL_SET_EXPERT_DIM, /* 0: that of HIDDEN */
    MDL_SET_SHARED_DIM, /* 0: no shared expert */
    MDL_SET_NORM_EPS,
    MDL_SET_THETA,
    MDL_SET_LOCAL_THETA, /* of windowed layers; 0: the same */
    MDL_SET_ATTN_SCALAR, /* scores are divided by its root; 0: head_dim */
    MDL_SET_ATTN_CAP,    /* 0: none */
    MDL_SET_LOGIT_CAP,   /* 0: none */
    MDL_SET_TIED,
    MDL_SET_QKV_BIAS,
    MDL_SET_OUT_BIAS,
    MDL_SET_FFN_BIAS,
    MDL_SET_EXPERTS_NORMED,
    MDL_SETTING_COUNT
};

/* A setting: the key it stands under (several: "new|old"; NULL: it is always `value`) and what it is when the key is
 * absent. */
struct mdl_hf_setting {
    enum mdl_setting which;
    const char *key;
    double value; /* MDL_NEEDED: the key must be there */
};
#define MDL_NEEDED (-1.0)

/* Which layers a sliding window is of, where the file does not list them. */
enum mdl_window_rule {
    MDL_WINDOW_ALL,     /* every layer */
    MDL_WINDOW_PATTERN, /* all but every window_period-th */
    MDL_WINDOW_UPPER,   /* if use_sliding_window: those from max_window_layers on */
    MDL_WINDOW_FLAG,    /* if use_sliding_window: every layer */
    MDL_WINDOW_LISTED /* if use_sliding_window: those that layer_types lists; transformers' rule for the rest changed */
};

/* A family.  Where a file can say otherwise (activation, biases, caps), the file wins. */
struct mdl_arch {
    const char *name;              /* as Choir shows it: "llama" */
    const char *const *hf_types;   /* NULL-terminated config.json model_type values; NULL: GGUF only */
    const char *const *gguf_archs; /* NULL-terminated general.architecture values; the first is the one written */

    /* ---- what is computed ---- */
    enum mdl_norm_kind norm;
    enum mdl_position_kind position;
    enum mdl_activation activation;
    bool gelu_is_tanh; /* "gelu" in config.json means gelu_pytorch_tanh, and no other is known */
    enum mdl_qk_norm qk_norm;
    bool no_pre_norm, post_norm;
    bool parallel;
    bool ungated;               /* act(up x), no gate */
    bool embed_by_sqrt_dim;     /* embeddings are multiplied by it */
    bool local_rope_plain;      /* windowed layers' positions are not scaled */
    double local_theta;         /* GGUF: theta of windowed layers unless said; 0: the same */
    bool shared_gated;          /* the shared expert's result is weighed */
    bool experts_normed;        /* GGUF: the chosen experts' weights sum to 1 unless said otherwise */
    double attn_cap, logit_cap; /* GGUF: unless said otherwise */
    enum mdl_window_rule window;
    int window_period;
    int gguf_window;      /* GGUF: the window unless said */
    int gguf_wide_layers; /* GGUF: the model of so many layers divides scores by the root of dim / n_heads */

    /* ---- how files spell it ---- */
    enum mdl_rope_layout gguf_rope_layout; /* of a GGUF file (and of llama2.c); folders are half-split */
    bool gguf_fused_qkv, gguf_fused_ffn;   /* GGUF has MDL_QKV, MDL_GATE_UP instead of the parts */
    bool
        hf_grouped_qkv; /* MDL_QKV of a folder: for each key/value head its query heads, k, v; else all q, all k, all v */
    bool hf_falcon_keys; /* folders say multi_query, new_decoder_architecture, parallel_attn, num_ln_in_parallel_attn */
    bool hf_transposed;  /* matrices of layers lie [n_cols, n_rows] in a folder */
    bool hf_norm_plus_one;          /* a folder's norm weights w stand for 1 + w */
    const char *const *hf_prefixes; /* NULL-terminated: what '^' in a name may stand for */
    const char *const *hf_names;    /* [MDL_TENSOR_COUNT]: "%d" for the layer, then for the expert; NULL: never there;
                                       "a|b": either */
    const struct mdl_hf_setting *hf_settings; /* ended by MDL_SETTING_COUNT: what differs from mdl_hf_settings */
};

/* NULL when no row has that name. */
const struct mdl_arch *mdl_arch_by_hf_type(const char *model_type);
const struct mdl_arch *mdl_arch_by_gguf(const char *architecture);

/* How the family says a setting. */
struct mdl_hf_setting mdl_arch_setting(const struct mdl_arch *arch, enum mdl_setting which);

/* GGUF's names, one set for all families; as hf_names, without prefix. */
extern const char *const mdl_gguf_names[MDL_TENSOR_COUNT];

enum { MDL_NAME_CAP = 128 };
/* The i-th of a name's alternatives with prefix, layer and expert put in; false when there are fewer. */
bool mdl_tensor_name(char *dst, size_t cap, const char *pattern, int i, const char *prefix, int layer, int expert);

#endif
