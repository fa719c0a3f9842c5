/* Names of tensors: GGUF's (one set for all families, docs/gguf.md), and those of the classes of transformers. */
#include "model/arch_rows.h"

const char *const mdl_gguf_names[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = "token_embd.weight",
    [MDL_POSITIONS] = "position_embd.weight",
    [MDL_OUTPUT_NORM] = "output_norm.weight",
    [MDL_OUTPUT_NORM_BIAS] = "output_norm.bias",
    [MDL_OUTPUT] = "output.weight",
    [MDL_OUTPUT_BIAS] = "output.bias",
    [MDL_ROPE_FREQS] = "rope_freqs.weight",
    [MDL_ATT_NORM] = "blk.%d.attn_norm.weight",
    [MDL_ATT_NORM_BIAS] = "blk.%d.attn_norm.bias",
    [MDL_ATT_NORM_2] = "blk.%d.attn_norm_2.weight",
    [MDL_ATT_NORM_2_BIAS] = "blk.%d.attn_norm_2.bias",
    [MDL_QKV] = "blk.%d.attn_qkv.weight",
    [MDL_WQ] = "blk.%d.attn_q.weight",
    [MDL_WK] = "blk.%d.attn_k.weight",
    [MDL_WV] = "blk.%d.attn_v.weight",
    [MDL_WO] = "blk.%d.attn_output.weight",
    [MDL_QKV_BIAS] = "blk.%d.attn_qkv.bias",
    [MDL_BQ] = "blk.%d.attn_q.bias",
    [MDL_BK] = "blk.%d.attn_k.bias",
    [MDL_BV] = "blk.%d.attn_v.bias",
    [MDL_BO] = "blk.%d.attn_output.bias",
    [MDL_Q_NORM] = "blk.%d.attn_q_norm.weight",
    [MDL_K_NORM] = "blk.%d.attn_k_norm.weight",
    [MDL_POST_ATT_NORM] = "blk.%d.post_attention_norm.weight",
    [MDL_FFN_NORM] = "blk.%d.ffn_norm.weight",
    [MDL_FFN_NORM_BIAS] = "blk.%d.ffn_norm.bias",
    [MDL_GATE_UP] = "blk.%d.ffn_up.weight",
    [MDL_W_GATE] = "blk.%d.ffn_gate.weight",
    [MDL_W_UP] = "blk.%d.ffn_up.weight",
    [MDL_W_DOWN] = "blk.%d.ffn_down.weight",
    [MDL_B_GATE] = "blk.%d.ffn_gate.bias",
    [MDL_B_UP] = "blk.%d.ffn_up.bias",
    [MDL_B_DOWN] = "blk.%d.ffn_down.bias",
    [MDL_POST_FFN_NORM] = "blk.%d.post_ffw_norm.weight",
    [MDL_ROUTER] = "blk.%d.ffn_gate_inp.weight",
    [MDL_SHARED_W_GATE] = "blk.%d.ffn_gate_shexp.weight",
    [MDL_SHARED_W_UP] = "blk.%d.ffn_up_shexp.weight",
    [MDL_SHARED_W_DOWN] = "blk.%d.ffn_down_shexp.weight",
    [MDL_SHARED_GATE] = "blk.%d.ffn_gate_inp_shexp.weight",
    /* stacked; or, in files of Mixtral's first months, one by one */
    [MDL_EXPERT_GATE_UP] = "blk.%d.ffn_gate_up_exps.weight",
    [MDL_EXPERT_W_GATE] = "blk.%d.ffn_gate_exps.weight|blk.%d.ffn_gate.%d.weight",
    [MDL_EXPERT_W_UP] = "blk.%d.ffn_up_exps.weight|blk.%d.ffn_up.%d.weight",
    [MDL_EXPERT_W_DOWN] = "blk.%d.ffn_down_exps.weight|blk.%d.ffn_down.%d.weight",
};

/* What most classes have in common. */
#define ENDS                                                                                                           \
    [MDL_EMBED] = "^embed_tokens.weight", [MDL_OUTPUT_NORM] = "^norm.weight",                                          \
    [MDL_OUTPUT] = "lm_head.weight|language_model.lm_head.weight"
#define ATTENTION                                                                                                      \
    [MDL_WQ] = "^layers.%d.self_attn.q_proj.weight", [MDL_WK] = "^layers.%d.self_attn.k_proj.weight",                  \
    [MDL_WV] = "^layers.%d.self_attn.v_proj.weight", [MDL_WO] = "^layers.%d.self_attn.o_proj.weight",                  \
    [MDL_BQ] = "^layers.%d.self_attn.q_proj.bias", [MDL_BK] = "^layers.%d.self_attn.k_proj.bias",                      \
    [MDL_BV] = "^layers.%d.self_attn.v_proj.bias", [MDL_BO] = "^layers.%d.self_attn.o_proj.bias",                      \
    [MDL_Q_NORM] = "^layers.%d.self_attn.q_norm.weight", [MDL_K_NORM] = "^layers.%d.self_attn.k_norm.weight"
#define NORMS                                                                                                          \
    [MDL_ATT_NORM] = "^layers.%d.input_layernorm.weight", [MDL_FFN_NORM] = "^layers.%d.post_attention_layernorm."      \
                                                                           "weight"
#define GATED_FFN                                                                                                      \
    [MDL_W_GATE] = "^layers.%d.mlp.gate_proj.weight", [MDL_W_UP] = "^layers.%d.mlp.up_proj.weight",                    \
    [MDL_W_DOWN] = "^layers.%d.mlp.down_proj.weight", [MDL_B_GATE] = "^layers.%d.mlp.gate_proj.bias",                  \
    [MDL_B_UP] = "^layers.%d.mlp.up_proj.bias", [MDL_B_DOWN] = "^layers.%d.mlp.down_proj.bias"

const char *const mdl_names_llama[MDL_TENSOR_COUNT] = {
    ENDS,
    NORMS,
    ATTENTION,
    GATED_FFN,
    /* Qwen2Moe and Qwen3Moe; the stacked ones as transformers 5 keeps them in memory */
    [MDL_ROUTER] = "^layers.%d.mlp.gate.weight",
    [MDL_SHARED_W_GATE] = "^layers.%d.mlp.shared_expert.gate_proj.weight",
    [MDL_SHARED_W_UP] = "^layers.%d.mlp.shared_expert.up_proj.weight",
    [MDL_SHARED_W_DOWN] = "^layers.%d.mlp.shared_expert.down_proj.weight",
    [MDL_SHARED_GATE] = "^layers.%d.mlp.shared_expert_gate.weight",
    [MDL_EXPERT_GATE_UP] = "^layers.%d.mlp.experts.gate_up_proj",
    [MDL_EXPERT_W_GATE] = "^layers.%d.mlp.experts.%d.gate_proj.weight",
    [MDL_EXPERT_W_UP] = "^layers.%d.mlp.experts.%d.up_proj.weight",
    [MDL_EXPERT_W_DOWN] = "^layers.%d.mlp.experts.%d.down_proj.weight|^layers.%d.mlp.experts.down_proj",
};

const char *const mdl_names_mixtral[MDL_TENSOR_COUNT] = {
    ENDS,
    NORMS,
    ATTENTION,
    [MDL_ROUTER] = "^layers.%d.block_sparse_moe.gate.weight|^layers.%d.mlp.gate.weight",
    [MDL_EXPERT_GATE_UP] = "^layers.%d.mlp.experts.gate_up_proj",
    [MDL_EXPERT_W_GATE] = "^layers.%d.block_sparse_moe.experts.%d.w1.weight",
    [MDL_EXPERT_W_UP] = "^layers.%d.block_sparse_moe.experts.%d.w3.weight",
    [MDL_EXPERT_W_DOWN] = "^layers.%d.block_sparse_moe.experts.%d.w2.weight|^layers.%d.mlp.experts.down_proj",
};

const char *const mdl_names_gemma2[MDL_TENSOR_COUNT] = {
    ENDS,
    ATTENTION,
    GATED_FFN,
    [MDL_ATT_NORM] = "^layers.%d.input_layernorm.weight",
    [MDL_POST_ATT_NORM] = "^layers.%d.post_attention_layernorm.weight",
    [MDL_FFN_NORM] = "^layers.%d.pre_feedforward_layernorm.weight",
    [MDL_POST_FFN_NORM] = "^layers.%d.post_feedforward_layernorm.weight",
};

const char *const mdl_names_olmo2[MDL_TENSOR_COUNT] = {
    ENDS,
    ATTENTION,
    GATED_FFN,
    [MDL_POST_ATT_NORM] = "^layers.%d.post_attention_layernorm.weight",
    [MDL_POST_FFN_NORM] = "^layers.%d.post_feedforward_layernorm.weight",
};

const char *const mdl_names_phi3[MDL_TENSOR_COUNT] = {
    ENDS,
    NORMS,
    [MDL_QKV] = "^layers.%d.self_attn.qkv_proj.weight",
    [MDL_WO] = "^layers.%d.self_attn.o_proj.weight",
    [MDL_GATE_UP] = "^layers.%d.mlp.gate_up_proj.weight",
    [MDL_W_DOWN] = "^layers.%d.mlp.down_proj.weight",
};

const char *const mdl_names_internlm2[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = "^tok_embeddings.weight",
    [MDL_OUTPUT_NORM] = "^norm.weight",
    [MDL_OUTPUT] = "output.weight",
    [MDL_ATT_NORM] = "^layers.%d.attention_norm.weight",
    [MDL_QKV] = "^layers.%d.attention.wqkv.weight",
    [MDL_QKV_BIAS] = "^layers.%d.attention.wqkv.bias",
    [MDL_WO] = "^layers.%d.attention.wo.weight",
    [MDL_BO] = "^layers.%d.attention.wo.bias",
    [MDL_FFN_NORM] = "^layers.%d.ffn_norm.weight",
    [MDL_W_GATE] = "^layers.%d.feed_forward.w1.weight",
    [MDL_W_UP] = "^layers.%d.feed_forward.w3.weight",
    [MDL_W_DOWN] = "^layers.%d.feed_forward.w2.weight",
};

const char *const mdl_names_gpt2[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = "^wte.weight",
    [MDL_POSITIONS] = "^wpe.weight",
    [MDL_OUTPUT_NORM] = "^ln_f.weight",
    [MDL_OUTPUT_NORM_BIAS] = "^ln_f.bias",
    [MDL_OUTPUT] = "lm_head.weight",
    [MDL_ATT_NORM] = "^h.%d.ln_1.weight",
    [MDL_ATT_NORM_BIAS] = "^h.%d.ln_1.bias",
    [MDL_QKV] = "^h.%d.attn.c_attn.weight",
    [MDL_QKV_BIAS] = "^h.%d.attn.c_attn.bias",
    [MDL_WO] = "^h.%d.attn.c_proj.weight",
    [MDL_BO] = "^h.%d.attn.c_proj.bias",
    [MDL_FFN_NORM] = "^h.%d.ln_2.weight",
    [MDL_FFN_NORM_BIAS] = "^h.%d.ln_2.bias",
    [MDL_W_UP] = "^h.%d.mlp.c_fc.weight",
    [MDL_B_UP] = "^h.%d.mlp.c_fc.bias",
    [MDL_W_DOWN] = "^h.%d.mlp.c_proj.weight",
    [MDL_B_DOWN] = "^h.%d.mlp.c_proj.bias",
};

const char *const mdl_names_falcon[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = "^word_embeddings.weight",
    [MDL_OUTPUT_NORM] = "^ln_f.weight",
    [MDL_OUTPUT_NORM_BIAS] = "^ln_f.bias",
    [MDL_OUTPUT] = "lm_head.weight",
    [MDL_ATT_NORM] = "^h.%d.input_layernorm.weight|^h.%d.ln_mlp.weight",
    [MDL_ATT_NORM_BIAS] = "^h.%d.input_layernorm.bias|^h.%d.ln_mlp.bias",
    [MDL_ATT_NORM_2] = "^h.%d.ln_attn.weight",
    [MDL_ATT_NORM_2_BIAS] = "^h.%d.ln_attn.bias",
    [MDL_QKV] = "^h.%d.self_attention.query_key_value.weight",
    [MDL_QKV_BIAS] = "^h.%d.self_attention.query_key_value.bias",
    [MDL_WO] = "^h.%d.self_attention.dense.weight",
    [MDL_BO] = "^h.%d.self_attention.dense.bias",
    [MDL_FFN_NORM] = "^h.%d.post_attention_layernorm.weight",
    [MDL_FFN_NORM_BIAS] = "^h.%d.post_attention_layernorm.bias",
    [MDL_W_UP] = "^h.%d.mlp.dense_h_to_4h.weight",
    [MDL_B_UP] = "^h.%d.mlp.dense_h_to_4h.bias",
    [MDL_W_DOWN] = "^h.%d.mlp.dense_4h_to_h.weight",
    [MDL_B_DOWN] = "^h.%d.mlp.dense_4h_to_h.bias",
};

const char *const mdl_names_starcoder2[MDL_TENSOR_COUNT] = {
    ENDS,
    NORMS,
    ATTENTION,
    [MDL_OUTPUT_NORM_BIAS] = "^norm.bias",
    [MDL_ATT_NORM_BIAS] = "^layers.%d.input_layernorm.bias",
    [MDL_FFN_NORM_BIAS] = "^layers.%d.post_attention_layernorm.bias",
    [MDL_W_UP] = "^layers.%d.mlp.c_fc.weight",
    [MDL_B_UP] = "^layers.%d.mlp.c_fc.bias",
    [MDL_W_DOWN] = "^layers.%d.mlp.c_proj.weight",
    [MDL_B_DOWN] = "^layers.%d.mlp.c_proj.bias",
};
