/* config.json of published models, as far as it says what is computed: every family's keys and defaults, held against the
 * models' published numbers of parameters; and GGUF's keys of every architecture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "tests/support/tiny_config.h"

struct model {
    const char *name, *arch;
    uint64_t total, active; /* active 0: all */
    const char *json;
};

static const struct model models[] = {
    {"Llama-3.1-8B", "llama", 8030261248, 0,
     "{\"attention_bias\": false, \"bos_token_id\": 128000, \"eos_token_id\": 128001, \"hidden_act\": \"silu\","
     " \"hidden_size\": 4096, \"intermediate_size\": 14336, \"max_position_embeddings\": 131072, \"mlp_bias\": false,"
     " \"model_type\": \"llama\", \"num_attention_heads\": 32, \"num_hidden_layers\": 32, \"num_key_value_heads\": 8,"
     " \"pretraining_tp\": 1, \"rms_norm_eps\": 1e-05, \"rope_scaling\": {\"factor\": 8.0, \"low_freq_factor\": 1.0,"
     " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192, \"rope_type\": \"llama3\"},"
     " \"rope_theta\": 500000.0, \"tie_word_embeddings\": false, \"vocab_size\": 128256}"},
    {"SmolLM2-135M", "llama", 134515008, 0,
     "{\"hidden_act\": \"silu\", \"hidden_size\": 576, \"intermediate_size\": 1536, \"is_llama_config\": true,"
     " \"max_position_embeddings\": 8192, \"model_type\": \"llama\", \"num_attention_heads\": 9, "
     "\"num_hidden_layers\": 30,"
     " \"num_key_value_heads\": 3, \"rms_norm_eps\": 1e-05, \"rope_interleaved\": false, \"rope_scaling\": null,"
     " \"rope_theta\": 100000, \"tie_word_embeddings\": true, \"vocab_size\": 49152}"},
    {"Yi-6B", "llama", 6061035520, 0,
     "{\"hidden_act\": \"silu\", \"hidden_size\": 4096, \"intermediate_size\": 11008, \"max_position_embeddings\": "
     "4096,"
     " \"model_type\": \"llama\", \"num_attention_heads\": 32, \"num_hidden_layers\": 32, \"num_key_value_heads\": 4,"
     " \"rms_norm_eps\": 1e-05, \"rope_theta\": 5000000.0, \"tie_word_embeddings\": false, \"vocab_size\": 64000}"},
    {"Mistral-7B-v0.1", "mistral", 7241732096, 0,
     "{\"hidden_act\": \"silu\", \"hidden_size\": 4096, \"intermediate_size\": 14336, \"max_position_embeddings\": "
     "32768,"
     " \"model_type\": \"mistral\", \"num_attention_heads\": 32, \"num_hidden_layers\": 32, \"num_key_value_heads\": 8,"
     " \"rms_norm_eps\": 1e-05, \"rope_theta\": 10000.0, \"sliding_window\": 4096, \"tie_word_embeddings\": false,"
     " \"vocab_size\": 32000}"},
    {"internlm2-7b", "internlm2", 7737708544, 0,
     "{\"bias\": false, \"hidden_act\": \"silu\", \"hidden_size\": 4096, \"intermediate_size\": 14336,"
     " \"max_position_embeddings\": 32768, \"model_type\": \"internlm2\", \"num_attention_heads\": 32,"
     " \"num_hidden_layers\": 32, \"num_key_value_heads\": 8, \"rms_norm_eps\": 1e-05, \"rope_theta\": 1000000,"
     " \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}, \"tie_word_embeddings\": false, \"vocab_size\": "
     "92544}"},
    {"gemma-2b", "gemma", 2506172416, 0,
     "{\"attention_bias\": false, \"head_dim\": 256, \"hidden_act\": \"gelu\", \"hidden_size\": 2048,"
     " \"intermediate_size\": 16384, \"max_position_embeddings\": 8192, \"model_type\": \"gemma\","
     " \"num_attention_heads\": 8, \"num_hidden_layers\": 18, \"num_key_value_heads\": 1, \"rms_norm_eps\": 1e-06,"
     " \"rope_scaling\": null, \"rope_theta\": 10000.0, \"vocab_size\": 256000}"},
    {"gemma-2-2b", "gemma2", 2614341888, 0,
     "{\"attn_logit_softcapping\": 50.0, \"final_logit_softcapping\": 30.0, \"head_dim\": 256,"
     " \"hidden_act\": \"gelu_pytorch_tanh\", \"hidden_activation\": \"gelu_pytorch_tanh\", \"hidden_size\": 2304,"
     " \"intermediate_size\": 9216, \"max_position_embeddings\": 8192, \"model_type\": \"gemma2\","
     " \"num_attention_heads\": 8, \"num_hidden_layers\": 26, \"num_key_value_heads\": 4, \"query_pre_attn_scalar\": "
     "256,"
     " \"rms_norm_eps\": 1e-06, \"rope_theta\": 10000.0, \"sliding_window\": 4096, \"vocab_size\": 256000}"},
    {"gemma-3-270m", "gemma3", 268098176, 0,
     "{\"_sliding_window_pattern\": 6, \"attention_bias\": false, \"attn_logit_softcapping\": null,"
     " \"final_logit_softcapping\": null, \"head_dim\": 256, \"hidden_activation\": \"gelu_pytorch_tanh\","
     " \"hidden_size\": 640, \"intermediate_size\": 2048, \"max_position_embeddings\": 32768,"
     " \"model_type\": \"gemma3_text\", \"num_attention_heads\": 4, \"num_hidden_layers\": 18, "
     "\"num_key_value_heads\": 1,"
     " \"query_pre_attn_scalar\": 256, \"rms_norm_eps\": 1e-06, \"rope_local_base_freq\": 10000.0, \"rope_scaling\": "
     "null,"
     " \"rope_theta\": 1000000.0, \"sliding_window\": 512, \"use_bidirectional_attention\": false, \"vocab_size\": "
     "262144}"},
    {"gemma-3-4b (its text)", "gemma3", 3880263168, 0,
     "{\"boi_token_index\": 255999, \"eos_token_id\": [1, 106], \"model_type\": \"gemma3\", \"text_config\":"
     " {\"hidden_size\": 2560, \"intermediate_size\": 10240, \"model_type\": \"gemma3_text\", \"num_hidden_layers\": "
     "34,"
     " \"rope_scaling\": {\"factor\": 8.0, \"rope_type\": \"linear\"}, \"sliding_window\": 1024},"
     " \"vision_config\": {\"hidden_size\": 1152, \"num_hidden_layers\": 27}}"},
    {"Qwen2.5-0.5B", "qwen2", 494032768, 0,
     "{\"hidden_act\": \"silu\", \"hidden_size\": 896, \"intermediate_size\": 4864, \"max_position_embeddings\": 32768,"
     " \"max_window_layers\": 24, \"model_type\": \"qwen2\", \"num_attention_heads\": 14, \"num_hidden_layers\": 24,"
     " \"num_key_value_heads\": 2, \"rms_norm_eps\": 1e-06, \"rope_theta\": 1000000.0, \"sliding_window\": 32768,"
     " \"tie_word_embeddings\": true, \"use_mrope\": false, \"use_sliding_window\": false, \"vocab_size\": 151936}"},
    {"Qwen3-0.6B", "qwen3", 596049920, 0,
     "{\"attention_bias\": false, \"head_dim\": 128, \"hidden_act\": \"silu\", \"hidden_size\": 1024,"
     " \"intermediate_size\": 3072, \"max_position_embeddings\": 40960, \"max_window_layers\": 28, \"model_type\": "
     "\"qwen3\","
     " \"num_attention_heads\": 16, \"num_hidden_layers\": 28, \"num_key_value_heads\": 8, \"rms_norm_eps\": 1e-06,"
     " \"rope_scaling\": null, \"rope_theta\": 1000000, \"sliding_window\": null, \"tie_word_embeddings\": true,"
     " \"use_sliding_window\": false, \"vocab_size\": 151936}"},
    {"Phi-3-mini-4k-instruct", "phi3", 3821079552, 0,
     "{\"attention_bias\": false, \"hidden_act\": \"silu\", \"hidden_size\": 3072, \"intermediate_size\": 8192,"
     " \"max_position_embeddings\": 4096, \"model_type\": \"phi3\", \"num_attention_heads\": 32, "
     "\"num_hidden_layers\": 32,"
     " \"num_key_value_heads\": 32, \"original_max_position_embeddings\": 4096, \"rms_norm_eps\": 1e-05,"
     " \"rope_scaling\": null, \"rope_theta\": 10000.0, \"sliding_window\": 2047, \"tie_word_embeddings\": false,"
     " \"vocab_size\": 32064}"},
    {"gpt2", "gpt2", 124439808, 0,
     "{\"activation_function\": \"gelu_new\", \"bos_token_id\": 50256, \"eos_token_id\": 50256, "
     "\"layer_norm_epsilon\": 1e-05,"
     " \"model_type\": \"gpt2\", \"n_ctx\": 1024, \"n_embd\": 768, \"n_head\": 12, \"n_layer\": 12, \"n_positions\": "
     "1024,"
     " \"vocab_size\": 50257}"},
    {"falcon-7b", "falcon", 6921720704, 0,
     "{\"alibi\": false, \"bias\": false, \"hidden_size\": 4544, \"layer_norm_epsilon\": 1e-05, \"model_type\": "
     "\"falcon\","
     " \"multi_query\": true, \"new_decoder_architecture\": false, \"num_attention_heads\": 71, \"num_hidden_layers\": "
     "32,"
     " \"parallel_attn\": true, \"vocab_size\": 65024}"},
    {"falcon-40b", "falcon", 41303293952, 0,
     "{\"alibi\": false, \"bias\": false, \"hidden_size\": 8192, \"layer_norm_epsilon\": 1e-05, \"model_type\": "
     "\"falcon\","
     " \"new_decoder_architecture\": true, \"num_attention_heads\": 128, \"num_hidden_layers\": 60, \"num_kv_heads\": "
     "8,"
     " \"parallel_attn\": true, \"vocab_size\": 65024}"},
    {"starcoder2-3b", "starcoder2", 3030371328, 0,
     "{\"activation_function\": \"gelu\", \"hidden_act\": \"gelu_pytorch_tanh\", \"hidden_size\": 3072,"
     " \"intermediate_size\": 12288, \"layer_norm_epsilon\": 1e-05, \"max_position_embeddings\": 16384,"
     " \"mlp_type\": \"default\", \"model_type\": \"starcoder2\", \"norm_epsilon\": 1e-05, \"num_attention_heads\": 24,"
     " \"num_hidden_layers\": 30, \"num_key_value_heads\": 2, \"rope_theta\": 999999.4420358813, \"sliding_window\": "
     "4096,"
     " \"use_bias\": true, \"vocab_size\": 49152}"},
    {"OLMo-2-1124-7B", "olmo2", 7298617344, 0,
     "{\"attention_bias\": false, \"hidden_act\": \"silu\", \"hidden_size\": 4096, \"intermediate_size\": 11008,"
     " \"max_position_embeddings\": 4096, \"model_type\": \"olmo2\", \"num_attention_heads\": 32, "
     "\"num_hidden_layers\": 32,"
     " \"num_key_value_heads\": 32, \"rms_norm_eps\": 1e-06, \"rope_scaling\": null, \"rope_theta\": 500000,"
     " \"tie_word_embeddings\": false, \"vocab_size\": 100352}"},
    {"Mixtral-8x7B-v0.1", "mixtral", 46702792704, 12879925248,
     "{\"hidden_act\": \"silu\", \"hidden_size\": 4096, \"intermediate_size\": 14336, \"max_position_embeddings\": "
     "32768,"
     " \"model_type\": \"mixtral\", \"num_attention_heads\": 32, \"num_experts_per_tok\": 2, \"num_hidden_layers\": 32,"
     " \"num_key_value_heads\": 8, \"num_local_experts\": 8, \"rms_norm_eps\": 1e-05, \"rope_theta\": 1000000.0,"
     " \"sliding_window\": null, \"tie_word_embeddings\": false, \"vocab_size\": 32000}"},
    {"Qwen1.5-MoE-A2.7B", "qwen2moe", 14315784192, 2689173504,
     "{\"decoder_sparse_step\": 1, \"hidden_act\": \"silu\", \"hidden_size\": 2048, \"intermediate_size\": 5632,"
     " \"max_position_embeddings\": 8192, \"max_window_layers\": 21, \"model_type\": \"qwen2_moe\","
     " \"moe_intermediate_size\": 1408, \"norm_topk_prob\": false, \"num_attention_heads\": 16, \"num_experts\": 60,"
     " \"num_experts_per_tok\": 4, \"num_hidden_layers\": 24, \"num_key_value_heads\": 16, \"rms_norm_eps\": 1e-06,"
     " \"rope_theta\": 1000000.0, \"shared_expert_intermediate_size\": 5632, \"sliding_window\": 32768,"
     " \"tie_word_embeddings\": false, \"use_sliding_window\": false, \"vocab_size\": 151936}"},
    {"Qwen3-30B-A3B", "qwen3moe", 30532122624, 3353032704,
     "{\"attention_bias\": false, \"decoder_sparse_step\": 1, \"head_dim\": 128, \"hidden_act\": \"silu\","
     " \"hidden_size\": 2048, \"intermediate_size\": 6144, \"max_position_embeddings\": 40960, \"max_window_layers\": "
     "48,"
     " \"mlp_only_layers\": [], \"model_type\": \"qwen3_moe\", \"moe_intermediate_size\": 768, \"norm_topk_prob\": "
     "true,"
     " \"num_attention_heads\": 32, \"num_experts\": 128, \"num_experts_per_tok\": 8, \"num_hidden_layers\": 48,"
     " \"num_key_value_heads\": 4, \"rms_norm_eps\": 1e-06, \"rope_scaling\": null, \"rope_theta\": 1000000.0,"
     " \"sliding_window\": null, \"tie_word_embeddings\": false, \"use_sliding_window\": false, \"vocab_size\": "
     "151936}"},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

static void read_model(struct mdl_config *c, const char *name)
{
    for (int i = 0; i < N_MODELS; i++) {
        if (strcmp(models[i].name, name) == 0) {
            choir_error err = {0};
            if (tiny_read_json(c, models[i].json, strlen(models[i].json), NULL, &err) != CHOIR_OK) {
                fail_msg("%s: %s", name, err.msg);
            }
            return;
        }
    }
    fail_msg("no %s", name);
}

static void published_sizes(void **state)
{
    (void)state;
    for (int i = 0; i < N_MODELS; i++) {
        const struct model *m = &models[i];
        struct mdl_config c;
        struct mdl_params p;
        read_model(&c, m->name);
        mdl_count_params(&c, &p);
        assert_string_equal(c.arch->name, m->arch);
        const uint64_t active = m->active != 0 ? m->active : m->total;
        if (p.total != m->total || p.active != active) {
            fail_msg("%s: %llu parameters, %llu active, not %llu, %llu", m->name, (unsigned long long)p.total,
                     (unsigned long long)p.active, (unsigned long long)m->total, (unsigned long long)active);
        }
    }
}

static void gemmas(void **state)
{
    (void)state;
    struct mdl_config c;
    read_model(&c, "gemma-2b");
    assert_int_equal(c.activation, MDL_ACTIVATION_GELU_TANH); /* whatever the file says */
    assert_true(c.norm_plus_one && c.tied_output && !c.post_norm);
    assert_true(c.embed_scale == 45.25483399593904f);
    read_model(&c, "gemma-2-2b");
    assert_true(c.post_norm && c.pre_norm && c.attn_softcap == 50 && c.logit_softcap == 30 && c.attn_scale == 0.0625f);
    assert_int_equal(c.windowed[0], 0x1555555);
    assert_int_equal(c.sliding_window, 4096);
    read_model(&c, "gemma-3-270m");
    assert_int_equal(c.qk_norm, MDL_QK_NORM_HEAD);
    assert_int_equal(c.windowed[0], 0x1f7df); /* all but layers 5, 11, 17 */
    assert_true(c.rope[0].theta == 1e6 && c.rope[1].theta == 1e4 && c.attn_softcap == 0);
    read_model(&c, "gemma-3-4b (its text)");
    assert_true(c.n_heads == 8 && c.n_kv_heads == 4 && c.head_dim == 256 && c.vocab_size == 262208);
    assert_true(c.rope[0].scaling == MDL_SCALING_LINEAR && c.rope[0].factor == 8);
    assert_true(c.rope[1].scaling == MDL_SCALING_NONE && c.rope[1].theta == 1e4);
    assert_int_equal(c.n_eos, 2);
    assert_int_equal(c.eos_ids[1], 106);
}

static void windows_and_biases(void **state)
{
    (void)state;
    struct mdl_config c;
    read_model(&c, "Mistral-7B-v0.1");
    assert_true(c.sliding_window == 4096 && mdl_is_windowed(&c, 0) && mdl_is_windowed(&c, 31));
    read_model(&c, "Qwen2.5-0.5B");
    assert_true(c.sliding_window == 0 && c.qkv_bias && !c.out_bias && !c.ffn_bias);
    read_model(&c, "Qwen3-0.6B");
    assert_true(!c.qkv_bias && c.qk_norm == MDL_QK_NORM_HEAD && mdl_q_dim(&c) == 2048);
    read_model(&c, "OLMo-2-1124-7B");
    assert_true(!c.pre_norm && c.post_norm && c.qk_norm == MDL_QK_NORM_ROW);
    read_model(&c, "starcoder2-3b");
    assert_true(c.norm == MDL_NORM_LAYER && c.qkv_bias && c.out_bias && c.ffn_bias && !c.gated);
    assert_int_equal(c.activation, MDL_ACTIVATION_GELU_TANH);
    read_model(&c, "internlm2-7b");
    assert_true(c.rope[0].scaling == MDL_SCALING_DYNAMIC && c.rope[0].original_len == 32768);
    assert_int_equal(c.max_seq_len, 65536);
}

/* transformers' classes of Llama and InternLM2 do not look at the key. */
static void window_of_no_family(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct mdl_config c;
        choir_error err;
        assert_int_equal(tiny_read_hf(&c,
                                      i == 0 ? "{\"model_type\": \"llama\", \"sliding_window\": 8}"
                                             : "{\"model_type\": \"internlm2\", \"sliding_window\": 8}",
                                      NULL, &err),
                         CHOIR_OK);
        assert_true(c.sliding_window == 0 && !mdl_is_windowed(&c, 0));
    }
}

static void learned_and_parallel(void **state)
{
    (void)state;
    struct mdl_config c;
    read_model(&c, "gpt2");
    assert_true(c.position == MDL_POSITION_LEARNED && c.rope_dim == 0 && c.hidden_dim == 3072 && c.norm_eps == 1e-5f);
    assert_true(c.qkv_bias && c.out_bias && c.ffn_bias && c.tied_output && !c.gated);
    read_model(&c, "falcon-7b");
    assert_true(c.parallel && !c.two_norms && c.n_kv_heads == 1 && c.hidden_dim == 18176 && c.head_dim == 64);
    assert_int_equal(c.activation, MDL_ACTIVATION_GELU);
    read_model(&c, "falcon-40b");
    assert_true(c.parallel && c.two_norms && c.n_kv_heads == 8);
}

static void experts(void **state)
{
    (void)state;
    struct mdl_config c;
    read_model(&c, "Mixtral-8x7B-v0.1");
    assert_true(c.n_experts == 8 && c.n_experts_used == 2 && c.expert_dim == 14336 && c.expert_weights_normed);
    assert_true(mdl_is_routed(&c, 0) && mdl_is_routed(&c, 31) && c.shared_dim == 0);
    read_model(&c, "Qwen1.5-MoE-A2.7B");
    assert_true(c.shared_dim == 5632 && c.shared_gated && !c.expert_weights_normed && c.expert_dim == 1408);
    read_model(&c, "Qwen3-30B-A3B");
    assert_true(c.n_experts == 128 && c.expert_weights_normed && c.shared_dim == 0);
}

/* Phi-3-mini-128k, made short: the original length stands outside, the factor is the ratio of the lengths. */
static void longrope(void **state)
{
    (void)state;
    static const char phi3[] =
        "{\"model_type\": \"phi3\", \"max_position_embeddings\": 131072, \"original_max_position_embeddings\": 4096,"
        " \"rope_scaling\": {\"type\": \"%s\", \"short_factor\": [1,1,1,1,1,1,1,1.5],"
        " \"long_factor\": [1,2,3,4,5,6,7,64.5]}}";
    static const char *const types[] = {"longrope", "su", "yarn"}; /* the last in files of its first weeks */
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        struct mdl_config c;
        choir_error err = {0};
        snprintf(text, sizeof text, phi3, types[i]);
        assert_int_equal(tiny_read_hf(&c, text, NULL, &err), CHOIR_OK);
        assert_int_equal(c.rope[0].scaling, MDL_SCALING_LONGROPE);
        assert_int_equal(c.rope[0].original_len, 4096);
        assert_true(c.rope_short[7] == 1.5f && c.rope_long[7] == 64.5f);
        assert_true((float)c.rope[0].magnitude == 1.1902380714238083f);
        assert_int_equal(c.max_seq_len, 131072);
    }
}

static void yarn(void **state)
{
    (void)state;
    struct mdl_config c;
    choir_error err = {0};
    assert_int_equal(tiny_read_hf(&c,
                                  "{\"model_type\": \"qwen2\", \"rope_scaling\": {\"factor\": 4.0, \"type\": \"yarn\","
                                  " \"original_max_position_embeddings\": 32}}",
                                  NULL, &err),
                     CHOIR_OK);
    assert_true(c.rope[0].scaling == MDL_SCALING_YARN && c.rope[0].beta_fast == 32 && c.rope[0].beta_slow == 1);
    assert_true((float)c.rope[0].magnitude == 1.138629436111989f); /* 1 + 0.1 ln 4 */
    assert_int_equal(c.max_seq_len, 128);
    assert_int_equal(tiny_read_gguf(&c,
                                    "llama.rope.scaling.type=string:yarn;llama.rope.scaling.factor=f32:4;"
                                    "llama.rope.scaling.original_context_length=u32:8;"
                                    "llama.rope.scaling.yarn_beta_fast=f32:16;llama.rope.scaling.attn_factor=f32:0.5",
                                    &err),
                     CHOIR_OK);
    assert_true(c.rope[0].original_len == 8 && c.rope[0].beta_fast == 16);
    assert_true((float)c.rope[0].magnitude == 0.5693147180559945f);
}

/* ---- GGUF ---- */

/* The tiny model's settings as another architecture's; eps: the key's end. */
static void read_as(struct mdl_config *c, const char *arch, const char *eps, const char *more)
{
    char text[1024];
    choir_error err = {0};
    snprintf(
        text, sizeof text,
        "general.architecture=string:%s;%s.block_count=u32:2;%s.embedding_length=u32:64;%s.feed_forward_length=u32:96;"
        "%s.attention.head_count=u32:4;%s.attention.head_count_kv=u32:2;%s.context_length=u32:32;"
        "%s.attention.%s=f32:1e-5%s%s",
        arch, arch, arch, arch, arch, arch, arch, arch, eps, more[0] != 0 ? ";" : "", more);
    if (tiny_read_gguf(c, text, &err) != CHOIR_OK) {
        fail_msg("%s: %s", arch, err.msg);
    }
}

static void gguf_architectures(void **state)
{
    (void)state;
    static const struct {
        const char *arch;
        enum mdl_norm_kind norm;
        enum mdl_rope_layout layout;
    } rows[] = {
        {"llama", MDL_NORM_RMS, MDL_ROPE_INTERLEAVED}, {"internlm2", MDL_NORM_RMS, MDL_ROPE_INTERLEAVED},
        {"gemma", MDL_NORM_RMS, MDL_ROPE_HALF},        {"gemma2", MDL_NORM_RMS, MDL_ROPE_HALF},
        {"gemma3", MDL_NORM_RMS, MDL_ROPE_HALF},       {"qwen2", MDL_NORM_RMS, MDL_ROPE_HALF},
        {"qwen3", MDL_NORM_RMS, MDL_ROPE_HALF},        {"qwen2moe", MDL_NORM_RMS, MDL_ROPE_HALF},
        {"qwen3moe", MDL_NORM_RMS, MDL_ROPE_HALF},     {"phi3", MDL_NORM_RMS, MDL_ROPE_HALF},
        {"olmo2", MDL_NORM_RMS, MDL_ROPE_HALF},        {"gpt2", MDL_NORM_LAYER, MDL_ROPE_HALF},
        {"falcon", MDL_NORM_LAYER, MDL_ROPE_HALF},     {"starcoder2", MDL_NORM_LAYER, MDL_ROPE_HALF},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mdl_config c;
        read_as(&c, rows[i].arch, rows[i].norm == MDL_NORM_RMS ? "layer_norm_rms_epsilon" : "layer_norm_epsilon", "");
        assert_string_equal(c.arch->name, rows[i].arch);
        assert_int_equal(c.norm, rows[i].norm);
        assert_int_equal(c.rope_layout, rows[i].layout);
        assert_true(c.norm_eps == 1e-5f && !c.norm_plus_one); /* converters have added the 1 */
        assert_true(c.n_experts == 0 && c.head_dim == 16);
    }
}

static void gguf_gemmas(void **state)
{
    (void)state;
    struct mdl_config c;
    read_as(&c, "gemma2", "layer_norm_rms_epsilon", "");
    assert_true(c.sliding_window == 4096 && c.windowed[0] == 1 && c.attn_softcap == 50 && c.logit_softcap == 30);
    read_as(&c, "gemma2", "layer_norm_rms_epsilon",
            "gemma2.attention.sliding_window=u32:8;gemma2.attn_logit_softcapping=f32:20;gemma2.rope.freq_base=f32:5e4");
    assert_true(c.sliding_window == 8 && c.attn_softcap == 20 && c.rope[1].theta == 5e4 && c.attn_scale == 0.25f);
    read_as(
        &c, "gemma3", "layer_norm_rms_epsilon",
        "gemma3.attention.sliding_window=u32:8;gemma3.rope.freq_base=f32:1e6;gemma3.rope.scaling.type=string:linear;"
        "gemma3.rope.scaling.factor=f32:8");
    assert_true(c.windowed[0] == 3 && c.rope[0].theta == 1e6 && c.rope[1].theta == 1e4);
    assert_true(c.rope[0].scaling == MDL_SCALING_LINEAR && c.rope[1].scaling == MDL_SCALING_NONE);
    read_as(&c, "gemma3", "layer_norm_rms_epsilon",
            "gemma3.attention.sliding_window=u32:8;gemma3.attention.sliding_window_pattern=array:u8:0,1;"
            "gemma3.rope.freq_base_swa=f32:2e4;gemma3.attention.scale=f32:0.5");
    assert_true(c.windowed[0] == 2 && c.rope[1].theta == 2e4 && c.attn_scale == 0.5f);
    read_as(&c, "gemma3", "layer_norm_rms_epsilon", "");
    assert_true(c.sliding_window == 0 && c.windowed[0] == 0);
}

static void gguf_experts(void **state)
{
    (void)state;
    struct mdl_config c;
    read_as(&c, "llama", "layer_norm_rms_epsilon", "llama.expert_count=u32:8;llama.expert_used_count=u32:2");
    assert_true(c.n_experts == 8 && c.n_experts_used == 2 && c.expert_dim == 96 && c.expert_weights_normed);
    assert_true(c.shared_dim == 0 && c.routed[0] == 3);
    read_as(&c, "qwen2moe", "layer_norm_rms_epsilon", "qwen2moe.expert_count=u32:8;qwen2moe.expert_used_count=u32:4");
    assert_true(c.expert_dim == 24 && c.shared_dim == 96 && c.shared_gated && !c.expert_weights_normed);
    read_as(&c, "qwen3moe", "layer_norm_rms_epsilon",
            "qwen3moe.expert_count=u32:8;qwen3moe.expert_used_count=u32:4;"
            "qwen3moe.expert_feed_forward_length=u32:40;qwen3moe.expert_weights_norm=bool:0");
    assert_true(c.expert_dim == 40 && c.shared_dim == 0 && !c.expert_weights_normed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_sizes),
        cmocka_unit_test(gemmas),
        cmocka_unit_test(windows_and_biases),
        cmocka_unit_test(window_of_no_family),
        cmocka_unit_test(learned_and_parallel),
        cmocka_unit_test(experts),
        cmocka_unit_test(longrope),
        cmocka_unit_test(yarn),
        cmocka_unit_test(gguf_architectures),
        cmocka_unit_test(gguf_gemmas),
        cmocka_unit_test(gguf_experts),
    };
    return cmocka_run_group_tests_name("families' configurations", tests, NULL, NULL);
}
