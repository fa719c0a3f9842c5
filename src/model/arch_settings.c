/* What families call their settings in config.json, and what an absent one means: the defaults of transformers' classes. */
#include "model/arch_rows.h"

#define END                                                                                                            \
    {                                                                                                                  \
        MDL_SETTING_COUNT, NULL, 0                                                                                     \
    }

/* Where a family says nothing else. */
static const struct mdl_hf_setting common_settings[MDL_SETTING_COUNT] = {
    [MDL_SET_DIM] = {MDL_SET_DIM, "hidden_size", MDL_NEEDED},
    [MDL_SET_HIDDEN] = {MDL_SET_HIDDEN, "intermediate_size", MDL_NEEDED},
    [MDL_SET_LAYERS] = {MDL_SET_LAYERS, "num_hidden_layers", MDL_NEEDED},
    [MDL_SET_HEADS] = {MDL_SET_HEADS, "num_attention_heads", MDL_NEEDED},
    [MDL_SET_KV_HEADS] = {MDL_SET_KV_HEADS, "num_key_value_heads", 0},
    [MDL_SET_HEAD_DIM] = {MDL_SET_HEAD_DIM, "head_dim", 0},
    [MDL_SET_VOCAB] = {MDL_SET_VOCAB, "vocab_size", MDL_NEEDED},
    [MDL_SET_MAX_SEQ] = {MDL_SET_MAX_SEQ, "max_position_embeddings", 2048},
    [MDL_SET_WINDOW] = {MDL_SET_WINDOW, "sliding_window", 0},
    [MDL_SET_EXPERTS] = {MDL_SET_EXPERTS, NULL, 0},
    [MDL_SET_EXPERTS_USED] = {MDL_SET_EXPERTS_USED, NULL, 0},
    [MDL_SET_EXPERT_DIM] = {MDL_SET_EXPERT_DIM, NULL, 0},
    [MDL_SET_SHARED_DIM] = {MDL_SET_SHARED_DIM, NULL, 0},
    [MDL_SET_NORM_EPS] = {MDL_SET_NORM_EPS, "rms_norm_eps", 1e-6},
    [MDL_SET_THETA] = {MDL_SET_THETA, "rope_theta", 10000},
    [MDL_SET_LOCAL_THETA] = {MDL_SET_LOCAL_THETA, NULL, 0},
    [MDL_SET_ATTN_SCALAR] = {MDL_SET_ATTN_SCALAR, NULL, 0},
    [MDL_SET_ATTN_CAP] = {MDL_SET_ATTN_CAP, NULL, 0},
    [MDL_SET_LOGIT_CAP] = {MDL_SET_LOGIT_CAP, NULL, 0},
    [MDL_SET_TIED] = {MDL_SET_TIED, "tie_word_embeddings", 0},
    [MDL_SET_QKV_BIAS] = {MDL_SET_QKV_BIAS, "attention_bias", 0},
    [MDL_SET_OUT_BIAS] = {MDL_SET_OUT_BIAS, "attention_bias", 0},
    [MDL_SET_FFN_BIAS] = {MDL_SET_FFN_BIAS, "mlp_bias", 0},
    [MDL_SET_EXPERTS_NORMED] = {MDL_SET_EXPERTS_NORMED, NULL, 1},
};

/* Llama's and InternLM2's classes have no window, whatever else a file says. */
const struct mdl_hf_setting mdl_settings_llama[] = {
    {MDL_SET_WINDOW, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_mistral[] = {
    {MDL_SET_KV_HEADS, "num_key_value_heads", 8},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 131072},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_QKV_BIAS, NULL, 0},
    {MDL_SET_OUT_BIAS, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_mixtral[] = {
    {MDL_SET_KV_HEADS, "num_key_value_heads", 8},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 131072},
    {MDL_SET_NORM_EPS, "rms_norm_eps", 1e-5},
    {MDL_SET_THETA, "rope_theta", 1e6},
    {MDL_SET_QKV_BIAS, NULL, 0},
    {MDL_SET_OUT_BIAS, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    {MDL_SET_EXPERTS, "num_local_experts|num_experts", 8},
    {MDL_SET_EXPERTS_USED, "num_experts_per_tok", 2},
    END,
};
const struct mdl_hf_setting mdl_settings_internlm2[] = {
    {MDL_SET_WINDOW, NULL, 0},
    {MDL_SET_QKV_BIAS, "bias", 1},
    {MDL_SET_OUT_BIAS, "bias", 1},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_gemma[] = {
    {MDL_SET_KV_HEADS, "num_key_value_heads", 16},
    {MDL_SET_HEAD_DIM, "head_dim", 256},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 8192},
    {MDL_SET_TIED, "tie_word_embeddings", 1},
    {MDL_SET_WINDOW, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_gemma2[] = {
    {MDL_SET_KV_HEADS, "num_key_value_heads", 4},
    {MDL_SET_HEAD_DIM, "head_dim", 256},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 8192},
    {MDL_SET_TIED, "tie_word_embeddings", 1},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_ATTN_SCALAR, "query_pre_attn_scalar", 256},
    {MDL_SET_ATTN_CAP, "attn_logit_softcapping", 50},
    {MDL_SET_LOGIT_CAP, "final_logit_softcapping", 30},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
/* The config.json of a model with a vision part says of the text part only what differs from the class. */
const struct mdl_hf_setting mdl_settings_gemma3[] = {
    {MDL_SET_DIM, "hidden_size", 2304},
    {MDL_SET_HIDDEN, "intermediate_size", 9216},
    {MDL_SET_LAYERS, "num_hidden_layers", 26},
    {MDL_SET_HEADS, "num_attention_heads", 8},
    {MDL_SET_KV_HEADS, "num_key_value_heads", 4},
    {MDL_SET_HEAD_DIM, "head_dim", 256},
    {MDL_SET_VOCAB, "vocab_size", 262208},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 131072},
    {MDL_SET_TIED, "tie_word_embeddings", 1},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_THETA, "rope_theta", 1e6},
    {MDL_SET_LOCAL_THETA, "rope_local_base_freq", 1e4},
    {MDL_SET_ATTN_SCALAR, "query_pre_attn_scalar", 256},
    {MDL_SET_ATTN_CAP, "attn_logit_softcapping", 0},
    {MDL_SET_LOGIT_CAP, "final_logit_softcapping", 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_qwen2[] = {
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 32768},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_QKV_BIAS, NULL, 1},
    {MDL_SET_OUT_BIAS, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_qwen3[] = {
    {MDL_SET_HEAD_DIM, "head_dim", 128},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 32768},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_qwen2moe[] = {
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 32768},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_QKV_BIAS, "qkv_bias", 1},
    {MDL_SET_OUT_BIAS, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    {MDL_SET_EXPERTS, "num_experts|num_local_experts", 60},
    {MDL_SET_EXPERTS_USED, "num_experts_per_tok", 4},
    {MDL_SET_EXPERT_DIM, "moe_intermediate_size", 1408},
    {MDL_SET_SHARED_DIM, "shared_expert_intermediate_size", 5632},
    {MDL_SET_EXPERTS_NORMED, "norm_topk_prob", 0},
    END,
};
const struct mdl_hf_setting mdl_settings_qwen3moe[] = {
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 32768},
    {MDL_SET_KV_HEADS, "num_key_value_heads", 4},
    {MDL_SET_WINDOW, "sliding_window", 4096},
    {MDL_SET_FFN_BIAS, NULL, 0},
    {MDL_SET_EXPERTS, "num_experts|num_local_experts", 128},
    {MDL_SET_EXPERTS_USED, "num_experts_per_tok", 8},
    {MDL_SET_EXPERT_DIM, "moe_intermediate_size", 768},
    {MDL_SET_EXPERTS_NORMED, "norm_topk_prob", 0},
    END,
};
const struct mdl_hf_setting mdl_settings_phi3[] = {
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 4096},
    {MDL_SET_NORM_EPS, "rms_norm_eps", 1e-5},
    {MDL_SET_QKV_BIAS, NULL, 0},
    {MDL_SET_OUT_BIAS, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};
const struct mdl_hf_setting mdl_settings_gpt2[] = {
    {MDL_SET_DIM, "n_embd", MDL_NEEDED},
    {MDL_SET_HIDDEN, "n_inner", 0},
    {MDL_SET_LAYERS, "n_layer", MDL_NEEDED},
    {MDL_SET_HEADS, "n_head", MDL_NEEDED},
    {MDL_SET_KV_HEADS, NULL, 0},
    {MDL_SET_HEAD_DIM, NULL, 0},
    {MDL_SET_MAX_SEQ, "n_positions|n_ctx", 1024},
    {MDL_SET_WINDOW, NULL, 0},
    {MDL_SET_NORM_EPS, "layer_norm_epsilon", 1e-5},
    {MDL_SET_TIED, "tie_word_embeddings", 1},
    {MDL_SET_QKV_BIAS, NULL, 1},
    {MDL_SET_OUT_BIAS, NULL, 1},
    {MDL_SET_FFN_BIAS, NULL, 1},
    END,
};
const struct mdl_hf_setting mdl_settings_falcon[] = {
    {MDL_SET_DIM, "hidden_size|n_embed", MDL_NEEDED},
    {MDL_SET_HIDDEN, "ffn_hidden_size", 0},
    {MDL_SET_LAYERS, "num_hidden_layers|n_layer", MDL_NEEDED},
    {MDL_SET_HEADS, "num_attention_heads|n_head", MDL_NEEDED},
    {MDL_SET_KV_HEADS, "num_kv_heads|n_head_kv", 0},
    {MDL_SET_HEAD_DIM, NULL, 0},
    {MDL_SET_WINDOW, NULL, 0},
    {MDL_SET_NORM_EPS, "layer_norm_epsilon", 1e-5},
    {MDL_SET_TIED, "tie_word_embeddings", 1},
    {MDL_SET_QKV_BIAS, "bias", 0},
    {MDL_SET_OUT_BIAS, "bias", 0},
    {MDL_SET_FFN_BIAS, "bias", 0},
    END,
};
const struct mdl_hf_setting mdl_settings_starcoder2[] = {
    {MDL_SET_KV_HEADS, "num_key_value_heads", 2},
    {MDL_SET_MAX_SEQ, "max_position_embeddings", 4096},
    {MDL_SET_NORM_EPS, "norm_epsilon", 1e-5},
    {MDL_SET_TIED, "tie_word_embeddings", 1},
    {MDL_SET_QKV_BIAS, "use_bias", 1},
    {MDL_SET_OUT_BIAS, "use_bias", 1},
    {MDL_SET_FFN_BIAS, "use_bias", 1},
    END,
};
const struct mdl_hf_setting mdl_settings_olmo2[] = {
    {MDL_SET_NORM_EPS, "rms_norm_eps", 1e-5},
    {MDL_SET_WINDOW, NULL, 0},
    {MDL_SET_FFN_BIAS, NULL, 0},
    END,
};

struct mdl_hf_setting mdl_arch_setting(const struct mdl_arch *arch, enum mdl_setting which)
{
    for (const struct mdl_hf_setting *s = arch->hf_settings; s->which != MDL_SETTING_COUNT; s++) {
        if (s->which == which) {
            return *s;
        }
    }
    return common_settings[which];
}
