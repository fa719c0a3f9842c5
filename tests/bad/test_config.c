/* Hyper-parameters that are refused, and with which words (BAD-INPUT C01 to C22), in config.json and in GGUF settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/tiny_config.h"

struct row {
    const char *id, *changes, *message;
};

static const struct row gguf_rows[] = {
    {"G20", "general.architecture=none:", "m.gguf: general.architecture missing"},
    {"G20", "general.architecture=u32:1", "m.gguf: general.architecture: has type u32, must be string"},
    {"G20", "general.architecture=string:gpt9", "m.gguf: architecture \"gpt9\" not supported"},
    {"C01", "llama.block_count=u32:0", "m.gguf: llama.block_count: 0 (1 to 1024 allowed)"},
    {"C01", "llama.block_count=string:2", "m.gguf: llama.block_count: has type string, must be u32"},
    {"C01", "llama.block_count=array:u32:2,2", "m.gguf: llama.block_count: has type array of u32, must be u32"},
    {"C01", "llama.block_count=none:", "m.gguf: llama.block_count missing"},
    {"C02", "llama.block_count=u32:1025", "m.gguf: llama.block_count: 1025 (1 to 1024 allowed)"},
    {"C02", "llama.block_count=u32:2147483648", "m.gguf: llama.block_count: 2147483648 (1 to 1024 allowed)"},
    {"C02", "llama.block_count=u32:4294967295", "m.gguf: llama.block_count: 4294967295 (1 to 1024 allowed)"},
    {"C02", "llama.block_count=u64:18446744073709551615",
     "m.gguf: llama.block_count: 18446744073709551615 (1 to 1024 allowed)"},
    {"C02", "llama.block_count=i32:-1", "m.gguf: llama.block_count: -1 (1 to 1024 allowed)"},
    {"C03", "llama.attention.head_count=u32:0", "m.gguf: llama.attention.head_count: 0 (1 to 4096 allowed)"},
    {"C04", "llama.attention.head_count_kv=u32:0", "m.gguf: llama.attention.head_count_kv: 0 (1 to 4096 allowed)"},
    {"C04", "llama.attention.head_count_kv=array:u32:0,2",
     "m.gguf: llama.attention.head_count_kv: 0 (1 to 4096 allowed)"},
    {"C04", "llama.attention.head_count_kv=array:i8:-1,2",
     "m.gguf: llama.attention.head_count_kv: -1 (1 to 4096 allowed)"},
    {"C04", "llama.attention.head_count_kv=array:u16:2,1",
     "m.gguf: llama.attention.head_count_kv: 2 in layer 0, 1 in layer 1: layers that differ are not supported"},
    {"C04", "llama.attention.head_count_kv=array:u32:2,2,2",
     "m.gguf: llama.attention.head_count_kv: 3 entries, the model has 2 layers"},
    {"C04", "llama.attention.head_count_kv=array:f32:2,2",
     "m.gguf: llama.attention.head_count_kv: has type array of f32, must be u32"},
    {"C05", "llama.attention.head_count_kv=u32:3", "m.gguf: 4 attention heads not divisible by 3 key/value heads"},
    {"C06", "llama.attention.head_count=u32:7;llama.attention.head_count_kv=u32:7",
     "m.gguf: llama.embedding_length 64 not divisible by 7 attention heads"},
    {"C08", "llama.attention.key_length=u32:17", "m.gguf: llama.attention.key_length: 17 must be even"},
    {"C08", "llama.attention.key_length=u32:0", "m.gguf: llama.attention.key_length: 0 (1 to 1024 allowed)"},
    {"C08", "llama.attention.value_length=u32:8",
     "m.gguf: llama.attention.value_length: 8, keys have 16: not supported"},
    {"C09", "llama.rope.dimension_count=u32:256", "m.gguf: llama.rope.dimension_count: 256 exceeds head size 16"},
    {"C09", "llama.rope.dimension_count=u32:7", "m.gguf: llama.rope.dimension_count: 7 must be even"},
    {"C10", "llama.rope.freq_base=f32:0", "m.gguf: llama.rope.freq_base: 0 must be finite and at least 1"},
    {"C10", "llama.rope.freq_base=f32:nan", "m.gguf: llama.rope.freq_base: nan must be finite and at least 1"},
    {"C10", "llama.rope.freq_base=f32:inf", "m.gguf: llama.rope.freq_base: inf must be finite and at least 1"},
    {"C10", "llama.rope.freq_base=f64:1e-300", "m.gguf: llama.rope.freq_base: 1e-300 must be finite and at least 1"},
    {"C10", "llama.rope.freq_base=u32:10000", "m.gguf: llama.rope.freq_base: has type u32, must be f32"},
    {"C11", "llama.rope.scaling.type=string:ntk", "m.gguf: llama.rope.scaling.type: type \"ntk\" not supported"},
    {"C11", "llama.rope.scaling.type=string:yarn", "m.gguf: llama.rope.scaling.factor missing"},
    {"C11",
     "llama.rope.scaling.type=string:yarn;llama.rope.scaling.factor=f32:4;llama.rope.scaling.yarn_beta_slow=f32:0",
     "m.gguf: llama.rope.scaling.factor: beta_slow 0, beta_fast 32: 0 < slow <= fast needed"},
    {"C11",
     "llama.rope.scaling.type=string:yarn;llama.rope.scaling.factor=f32:4;llama.rope.scaling.attn_factor=f32:nan",
     "m.gguf: llama.rope.scaling.factor: attention factor nan must be finite and above 0"},
    {"C11", "llama.rope.scaling.type=string:longrope", "m.gguf: tensor rope_factors_short.weight missing"},
    {"C11", "llama.rope.scaling.factor=f32:0",
     "m.gguf: llama.rope.scaling.factor: factor 0 must be finite and above 0"},
    {"C11", "llama.rope.scaling.factor=f32:nan",
     "m.gguf: llama.rope.scaling.factor: factor nan must be finite and above 0"},
    {"C12", "llama.attention.layer_norm_rms_epsilon=f32:-1",
     "m.gguf: llama.attention.layer_norm_rms_epsilon: -1 must be between 0 and 1"},
    {"C12", "llama.attention.layer_norm_rms_epsilon=f32:nan",
     "m.gguf: llama.attention.layer_norm_rms_epsilon: nan must be between 0 and 1"},
    {"C12", "llama.attention.layer_norm_rms_epsilon=none:", "m.gguf: llama.attention.layer_norm_rms_epsilon missing"},
    {"C14", "llama.context_length=u64:9223372036854775808",
     "m.gguf: llama.context_length: 9223372036854775808 (1 to 1073741824 allowed)"},
    {"C14", "llama.context_length=u32:0", "m.gguf: llama.context_length: 0 (1 to 1073741824 allowed)"},
    {"C21", "llama.expert_count=u32:8", "m.gguf: llama.expert_used_count missing"},
    {"C21", "llama.expert_count=u32:8;llama.expert_used_count=u32:0",
     "m.gguf: llama.expert_used_count: 0 (1 to 8 allowed)"},
    {"C21", "llama.expert_count=u32:8;llama.expert_used_count=u32:9",
     "m.gguf: llama.expert_used_count: 9 (1 to 8 allowed)"},
    {"C21", "llama.expert_count=u32:513", "m.gguf: llama.expert_count: 513 (0 to 512 allowed)"},
    {"C21", "llama.expert_count=u32:8;llama.expert_used_count=u32:2;llama.expert_shared_feed_forward_length=u32:64",
     "m.gguf: llama.expert_shared_feed_forward_length: 64 not supported"},
    {"C21", "llama.expert_count=u32:8;llama.expert_used_count=u32:2;llama.expert_gating_func=u32:2",
     "m.gguf: llama.expert_gating_func: 2 not supported"},
    {"C21", "llama.expert_count=u32:8;llama.expert_used_count=u32:2;llama.expert_group_count=u32:4",
     "m.gguf: llama.expert_group_count: 4 not supported"},
    {"C21", "llama.expert_count=u32:8;llama.expert_used_count=u32:2;llama.expert_weights_scale=f32:2.5",
     "m.gguf: llama.expert_weights_scale: 2.5 not supported"},
    {"C19", "llama.attention.causal=bool:0", "m.gguf: llama.attention.causal: false not supported"},
    {"C19", "llama.attention.max_alibi_bias=f32:8", "m.gguf: llama.attention.max_alibi_bias: 8 not supported"},
    {"C19", "llama.attention.clamp_kqv=f32:8", "m.gguf: llama.attention.clamp_kqv: 8 not supported"},
    {"C19", "llama.attention.causal=u32:1", "m.gguf: llama.attention.causal: has type u32, must be bool"},
    {"C12", "llama.attn_logit_softcapping=f32:-1",
     "m.gguf: llama.attn_logit_softcapping: -1 must be finite, 0 or more"},
    {"C22", "llama.attention.sliding_window=u32:4;llama.attention.sliding_window_pattern=array:u8:1,0,1",
     "m.gguf: llama.attention.sliding_window_pattern: 3 entries, the model has 2 layers"},
    {"C22", "llama.attention.sliding_window=i32:-1",
     "m.gguf: llama.attention.sliding_window: -1 (0 to 1073741824 allowed)"},
    {"C22", "llama.attention.sliding_window=u32:4;llama.attention.sliding_window_pattern=array:string:a,b",
     "m.gguf: llama.attention.sliding_window_pattern: has type array of string, must be array of bool"},
    {"C12", "llama.attention.scale=f32:-1", "m.gguf: llama.attention.scale: -1 not supported"},
    {"C12", "llama.attention.scale=f32:nan", "m.gguf: llama.attention.scale: nan not supported"},
    {"C12", "llama.attention.scale=f32:2e6", "m.gguf: llama.attention.scale: 2e+06 not supported"},
    {"C01", "llama.block_count=i64:-9223372036854775808",
     "m.gguf: llama.block_count: -9223372036854775808 (1 to 1024 allowed)"},
    {"T05", "tokenizer.ggml.eos_token_id=u32:4294967295",
     "m.gguf: tokenizer.ggml.eos_token_id: 4294967295, vocabulary has 50"},
    {"T05", "tokenizer.ggml.bos_token_id=u32:50", "m.gguf: tokenizer.ggml.bos_token_id: 50, vocabulary has 50"},
    {"T05", "tokenizer.ggml.eot_token_id=string:x",
     "m.gguf: tokenizer.ggml.eot_token_id: has type string, must be u32"},
};

static const struct row hf_rows[] = {
    {"C01", "{\"num_hidden_layers\": 0}", "config.json: num_hidden_layers: 0 (1 to 1024 allowed)"},
    {"C01", "{\"num_hidden_layers\": \"2\"}", "config.json: num_hidden_layers: \"2\" (1 to 1024 allowed)"},
    {"C01", "{\"num_hidden_layers\": \"-\"}", "config.json: num_hidden_layers missing"},
    {"C02", "{\"num_hidden_layers\": 1025}", "config.json: num_hidden_layers: 1025 (1 to 1024 allowed)"},
    {"C03", "{\"num_attention_heads\": 0}", "config.json: num_attention_heads: 0 (1 to 4096 allowed)"},
    {"C04", "{\"num_key_value_heads\": 0}", "config.json: num_key_value_heads: 0 (1 to 4096 allowed)"},
    {"C05", "{\"num_attention_heads\": 32, \"num_key_value_heads\": 5}",
     "config.json: 32 attention heads not divisible by 5 key/value heads"},
    {"C06", "{\"hidden_size\": 4096, \"num_attention_heads\": 7, \"num_key_value_heads\": 7}",
     "config.json: hidden_size 4096 not divisible by 7 attention heads"},
    {"C06", "{\"num_attention_heads\": 64}",
     "config.json: hidden_size 64 of 64 heads: head size 1 must be even, at most 1024"},
    {"C06", "{\"hidden_size\": 1048576, \"num_attention_heads\": 2}",
     "config.json: hidden_size 1048576 of 2 heads: head size 524288 must be even, at most 1024"},
    {"C08", "{\"head_dim\": 127}", "config.json: head_dim: 127 must be even"},
    {"C08", "{\"head_dim\": 0}", "config.json: head_dim: 0 (1 to 1024 allowed)"},
    {"C08", "{\"head_dim\": 1048576}", "config.json: head_dim: 1048576 (1 to 1024 allowed)"},
    {"C10", "{\"rope_theta\": 0}", "config.json: rope_theta: 0 must be finite and at least 1"},
    {"C10", "{\"rope_theta\": -1}", "config.json: rope_theta: -1 must be finite and at least 1"},
    {"C10", "{\"rope_theta\": 1e-300}", "config.json: rope_theta: 1e-300 must be finite and at least 1"},
    {"C10", "{\"rope_parameters\": {\"rope_theta\": 0.5}}",
     "config.json: rope_theta: 0.5 must be finite and at least 1"},
    {"C11", "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}}",
     "config.json: rope_scaling: factor 0 must be finite and above 0"},
    {"C11", "{\"rope_scaling\": {\"type\": \"linear\"}}",
     "config.json: rope_scaling: factor 0 must be finite and above 0"},
    {"C11", "{\"rope_scaling\": {\"type\": \"foo\", \"factor\": 2}}",
     "config.json: rope_scaling: type \"foo\" not supported"},
    {"C11", "{\"rope_parameters\": {\"rope_type\": \"mrope\", \"factor\": 2}}",
     "config.json: rope_parameters: type \"mrope\" not supported"},
    {"C11", "{\"rope_parameters\": {\"compress\": {\"rope_type\": \"default\"}}}",
     "config.json: rope_parameters: parameters of \"compress\" not supported"},
    {"C11", "{\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"foo\"}}}",
     "config.json: rope_parameters: full_attention: type \"foo\" not supported"},
    {"C11", "{\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"truncate\": false}}",
     "config.json: rope_scaling: truncate: false not supported"},
    {"C11", "{\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"beta_fast\": 0.5}}",
     "config.json: rope_scaling: beta_slow 1, beta_fast 0.5: 0 < slow <= fast needed"},
    {"C11", "{\"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1, 1], \"long_factor\": [1, 1]}}",
     "config.json: rope_scaling: short_factor: 2 entries, 8 wanted for 16 rotated dimensions"},
    {"C11",
     "{\"rope_scaling\": {\"type\": \"su\", \"short_factor\": [1,1,1,1,1,1,1,0], \"long_factor\": [1,1,1,1,1,1,1,1]}}",
     "config.json: rope_scaling: short_factor: entry 7: 0 must be above 0"},
    {"C11", "{\"rope_scaling\": {\"type\": \"dynamic\"}}",
     "config.json: rope_scaling: factor 0 must be finite and above 0"},
    {"C11", "{\"rope_scaling\": [1]}", "config.json: rope_scaling: an object is needed"},
    {"C11",
     "{\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4,"
     " \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}}",
     "config.json: rope_scaling: low_freq_factor 4, high_freq_factor 4: 0 < low < high needed"},
    {"C11",
     "{\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1,"
     " \"high_freq_factor\": 4}}",
     "config.json: rope_scaling: original_max_position_embeddings missing"},
    {"C11", "{\"rope_scaling\": {\"type\": \"su\", \"short_factor\": 1}}",
     "config.json: rope_scaling: short_factor: 0 entries, 8 wanted for 16 rotated dimensions"},
    {"C12", "{\"rms_norm_eps\": -1}", "config.json: rms_norm_eps: -1 must be between 0 and 1"},
    {"C12", "{\"rms_norm_eps\": 2}", "config.json: rms_norm_eps: 2 must be between 0 and 1"},
    {"C13", "{\"vocab_size\": 0}", "config.json: vocab_size: 0 (1 to 16777216 allowed)"},
    {"C13", "{\"vocab_size\": -1}", "config.json: vocab_size: -1 (1 to 16777216 allowed)"},
    {"C13", "{\"vocab_size\": 2147483648}", "config.json: vocab_size: 2147483648 (1 to 16777216 allowed)"},
    {"C13", "{\"vocab_size\": 4096.5}", "config.json: vocab_size: 4096.5 (1 to 16777216 allowed)"},
    {"C14", "{\"max_position_embeddings\": 0}", "config.json: max_position_embeddings: 0 (1 to 1073741824 allowed)"},
    {"C14", "{\"max_position_embeddings\": -1}", "config.json: max_position_embeddings: -1 (1 to 1073741824 allowed)"},
    {"C19", "{\"model_type\": \"foo\"}", "config.json: model_type \"foo\" not supported"},
    {"C19", "{\"model_type\": \"-\"}", "config.json: model_type missing"},
    {"C19", "{\"hidden_act\": \"foo\"}", "config.json: hidden_act \"foo\" not supported"},
    {"C19", "{\"attention_bias\": 1}", "config.json: attention_bias: 1 (true or false allowed)"},
    {"C19", "{\"partial_rotary_factor\": 0}", "config.json: partial_rotary_factor: 0 (1e-06 to 1 allowed)"},
    {"C19", "{\"partial_rotary_factor\": 0.2}", "config.json: head_dim: 3 must be even"},
    {"C19", "{\"alibi\": true}", "config.json: alibi: true not supported"},
    {"C19", "{\"use_bidirectional_attention\": true}", "config.json: use_bidirectional_attention: true not supported"},
    {"C19", "{\"scale_attn_weights\": false}", "config.json: scale_attn_weights: false not supported"},
    {"C19", "{\"scale_attn_by_inverse_layer_idx\": true}",
     "config.json: scale_attn_by_inverse_layer_idx: true not supported"},
    {"C19", "{\"kv_lora_rank\": 512}", "config.json: kv_lora_rank: 512 not supported"},
    {"C19", "{\"clip_qkv\": 8.0}", "config.json: clip_qkv: 8 not supported"},
    {"C19", "{\"embedding_multiplier\": 12}", "config.json: embedding_multiplier: 12 not supported"},
    {"C21", "{\"model_type\": \"mixtral\", \"num_local_experts\": 4, \"num_experts_per_tok\": 5}",
     "config.json: num_experts_per_tok: 5 (1 to 4 allowed)"},
    {"C21", "{\"model_type\": \"mixtral\", \"num_experts_per_tok\": 0}",
     "config.json: num_experts_per_tok: 0 (1 to 512 allowed)"},
    {"C21", "{\"model_type\": \"qwen2_moe\", \"mlp_only_layers\": [2]}",
     "config.json: mlp_only_layers: entry 0 is not one of 2 layers"},
    {"C21", "{\"model_type\": \"qwen2_moe\", \"decoder_sparse_step\": 0}",
     "config.json: decoder_sparse_step: 0 (1 to 1024 allowed)"},
    {"C22", "{\"model_type\": \"gemma2\", \"layer_types\": [\"full_attention\"]}",
     "config.json: layer_types: 1 entries, the model has 2 layers"},
    {"C22", "{\"model_type\": \"gemma2\", \"layer_types\": [\"full_attention\", \"linear_attention\"]}",
     "config.json: layer_types: \"linear_attention\" not supported"},
    {"C21", "{\"model_type\": \"qwen2_moe\", \"mlp_only_layers\": 1}",
     "config.json: mlp_only_layers: a list is needed"},
    {"C21", "{\"model_type\": \"mixtral\", \"num_local_experts\": 0}",
     "config.json: no experts: a model_type without any other feed-forward network"},
    {"C22", "{\"model_type\": \"gemma2\", \"layer_types\": \"full_attention\"}",
     "config.json: layer_types: a list is needed"},
    {"C22", "{\"model_type\": \"qwen2_moe\", \"use_sliding_window\": true}",
     "config.json: use_sliding_window without layer_types not supported"},
    {"C12", "{\"model_type\": \"gemma2\", \"final_logit_softcapping\": \"x\"}",
     "config.json: final_logit_softcapping: \"x\" (a number is needed)"},
    {"C12", "{\"model_type\": \"gemma2\", \"query_pre_attn_scalar\": 0}",
     "config.json: query_pre_attn_scalar: 0 must be above 0"},
    {"C19", "{\"model_type\": \"gemma\", \"hidden_act\": \"silu\"}", "config.json: hidden_act \"silu\" not supported"},
    {"C19", "{\"partial_rotary_factor\": 0.01}", "config.json: partial_rotary_factor: 0.01 of 16 dimensions is none"},
    {"C12", "{\"model_type\": \"gemma2\", \"final_logit_softcapping\": -30.0}",
     "config.json: final_logit_softcapping: -30 must be finite, 0 or more"},
    {"C12", "{\"model_type\": \"gemma2\", \"query_pre_attn_scalar\": -1}",
     "config.json: query_pre_attn_scalar: -1 must be above 0"},
    {"C06", "{\"model_type\": \"gpt2\", \"n_embd\": 64, \"n_layer\": 2}", "config.json: n_head missing"},
    {"C06", "{\"model_type\": \"gpt2\", \"n_embd\": 64, \"n_layer\": 2, \"n_head\": 7}",
     "config.json: n_embd 64 not divisible by 7 attention heads"},
    {"C19", "{\"quantization_config\": {\"quant_method\": \"gptq\"}}",
     "config.json: quantization_config: method \"gptq\" not supported"},
    {"C22", "{\"model_type\": \"mistral\", \"sliding_window\": -1}",
     "config.json: sliding_window: -1 (1 to 1073741824 allowed)"},
    {"C22", "{\"model_type\": \"mistral\", \"sliding_window\": 0}",
     "config.json: sliding_window: 0 (1 to 1073741824 allowed)"},
    {"T05", "{\"eos_token_id\": 50}", "config.json: eos_token_id: 50, vocabulary has 50"},
    {"T05", "{\"eos_token_id\": [1, -1]}", "config.json: eos_token_id: -1, vocabulary has 50"},
    {"T05", "{\"eos_token_id\": [1, \"a\"]}", "config.json: eos_token_id: a whole number is needed"},
    {"T05", "{\"eos_token_id\": [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}",
     "config.json: eos_token_id: more than 16 ids"},
    {"T05", "{\"bos_token_id\": 1099511627776}", "config.json: bos_token_id: 1099511627776, vocabulary has 50"},
};

static void check(const struct row *row, choir_status status, const choir_error *err)
{
    if (status != CHOIR_FILE || err->code != CHOIR_FILE || strcmp(err->msg, row->message) != 0) {
        fail_msg("%s, %s: status %d, \"%s\" instead of \"%s\"", row->id, row->changes, (int)status, err->msg,
                 row->message);
    }
}

static void refused_gguf(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gguf_rows / sizeof gguf_rows[0]; i++) {
        struct mdl_config c;
        choir_error err = {0};
        choir_status status = tiny_read_gguf(&c, gguf_rows[i].changes, &err);
        check(&gguf_rows[i], status, &err);
    }
}

static void refused_hf(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hf_rows / sizeof hf_rows[0]; i++) {
        struct mdl_config c;
        choir_error err = {0};
        choir_status status = tiny_read_hf(&c, hf_rows[i].changes, NULL, &err);
        check(&hf_rows[i], status, &err);
    }
}

/* C15 to C17: text that is no settings at all. */
static void refused_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n; /* 0: strlen */
        const char *message;
    } rows[] = {
        {"", 0, "config.json: empty file"},
        {"[]", 0, "config.json: not an object"},
        {"{\"hidden_size\": 64, \"hidden_size\": 64}", 0, "config.json:1:21: duplicate key \"hidden_size\""},
        {"{\"a\": 1e999}", 0, "number out of range"},
        {"{\"a\": 12345678901234567890}", 0, "number out of range"},
        {"{\"a\": NaN}", 0, "config.json:1:"},
        {"{\"a\": \"\\ud800\"}", 0, "config.json:1:"},
        {"{\"a\": \"\xff\"}", 0, "config.json:1:8: invalid UTF-8"},
        {"{} {}", 0, "text after the end"},
        {"{\"a\0\": 1}", 9, "config.json:1:4: NUL byte"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mdl_config c;
        choir_error err = {0};
        size_t n = rows[i].n > 0 ? rows[i].n : strlen(rows[i].text);
        choir_status status = tiny_read_json(&c, rows[i].text, n, NULL, &err);
        if (status != CHOIR_FILE || strstr(err.msg, rows[i].message) == NULL) {
            fail_msg("row %zu: status %d, \"%s\" instead of \"%s\"", i, (int)status, err.msg, rows[i].message);
        }
    }
}

static void refused_depth(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, '[', N);
    struct mdl_config c;
    choir_error err = {0};
    assert_int_equal(tiny_read_json(&c, text, N, NULL, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "config.json:1:65: nested deeper than 64");
    free(text);
}

static void refused_generation_config(void **state)
{
    (void)state;
    struct mdl_config c;
    choir_error err = {0};
    assert_int_equal(tiny_read_hf(&c, "{}", "{\"eos_token_id\": 99}", &err), CHOIR_FILE);
    assert_string_equal(err.msg, "generation_config.json: eos_token_id: 99, vocabulary has 50");
    assert_int_equal(tiny_read_hf(&c, "{}", "{\"eos_token_id\": ", &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "generation_config.json:1:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_gguf),
        cmocka_unit_test(refused_hf),
        cmocka_unit_test(refused_json),
        cmocka_unit_test(refused_depth),
        cmocka_unit_test(refused_generation_config),
    };
    return cmocka_run_group_tests_name("bad config", tests, NULL, NULL);
}
