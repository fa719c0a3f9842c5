/* The rows of the architecture table.  Adding a family that is made of parts others have is one more row. */
#include "model/arch.h"

#include <stdio.h>
#include <string.h>

#include "model/arch_rows.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const model_prefixes[] = {"model.", "", NULL};
static const char *const gemma3_prefixes[] = {"model.", "language_model.model.", "model.language_model.", "", NULL};
static const char *const transformer_prefixes[] = {"transformer.", "", NULL};

static const struct mdl_arch arch_table[] = {
    {
        .name = "llama",
        .hf_types = LIST("llama"),
        .gguf_archs = LIST("llama"),
        /* GGUF's converter permutes the rows of W_Q and W_K back to the pairs of the original model. */
        .gguf_rope_layout = MDL_ROPE_INTERLEAVED,
        .experts_normed = true,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_llama,
    },
    {
        .name = "mistral",
        .hf_types = LIST("mistral"),
        .gguf_archs = LIST("llama"),
        .gguf_rope_layout = MDL_ROPE_INTERLEAVED,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_mistral,
    },
    {
        .name = "mixtral",
        .hf_types = LIST("mixtral"),
        .gguf_archs = LIST("llama"),
        .gguf_rope_layout = MDL_ROPE_INTERLEAVED,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_mixtral,
        .hf_settings = mdl_settings_mixtral,
    },
    {
        .name = "internlm2",
        .hf_types = LIST("internlm2"),
        .gguf_archs = LIST("internlm2"),
        .gguf_rope_layout = MDL_ROPE_INTERLEAVED,
        .hf_grouped_qkv = true,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_internlm2,
        .hf_settings = mdl_settings_internlm2,
    },
    {
        .name = "gemma",
        .hf_types = LIST("gemma"),
        .gguf_archs = LIST("gemma"),
        .activation = MDL_ACTIVATION_GELU_TANH,
        .gelu_is_tanh = true,
        .embed_by_sqrt_dim = true,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_norm_plus_one = true,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_gemma,
    },
    {
        .name = "gemma2",
        .hf_types = LIST("gemma2"),
        .gguf_archs = LIST("gemma2"),
        .activation = MDL_ACTIVATION_GELU_TANH,
        .post_norm = true,
        .embed_by_sqrt_dim = true,
        .attn_cap = 50,
        .logit_cap = 30,
        .window = MDL_WINDOW_PATTERN,
        .window_period = 2,
        .gguf_window = 4096,
        .gguf_wide_layers = 46,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_norm_plus_one = true,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_gemma2,
        .hf_settings = mdl_settings_gemma2,
    },
    {
        .name = "gemma3",
        .hf_types = LIST("gemma3_text", "gemma3"),
        .gguf_archs = LIST("gemma3"),
        .activation = MDL_ACTIVATION_GELU_TANH,
        .qk_norm = MDL_QK_NORM_HEAD,
        .post_norm = true,
        .embed_by_sqrt_dim = true,
        .window = MDL_WINDOW_PATTERN,
        .window_period = 6,
        .local_rope_plain = true,
        .local_theta = 10000,
        .gguf_wide_layers = 62,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_norm_plus_one = true,
        .hf_prefixes = gemma3_prefixes,
        .hf_names = mdl_names_gemma2,
        .hf_settings = mdl_settings_gemma3,
    },
    {
        .name = "qwen2",
        .hf_types = LIST("qwen2"),
        .gguf_archs = LIST("qwen2"),
        .window = MDL_WINDOW_UPPER,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_qwen2,
    },
    {
        .name = "qwen3",
        .hf_types = LIST("qwen3"),
        .gguf_archs = LIST("qwen3"),
        .qk_norm = MDL_QK_NORM_HEAD,
        .window = MDL_WINDOW_UPPER,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_qwen3,
    },
    {
        .name = "qwen2moe",
        .hf_types = LIST("qwen2_moe"),
        .gguf_archs = LIST("qwen2moe"),
        .shared_gated = true,
        .window = MDL_WINDOW_LISTED,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_qwen2moe,
    },
    {
        .name = "qwen3moe",
        .hf_types = LIST("qwen3_moe"),
        .gguf_archs = LIST("qwen3moe"),
        .qk_norm = MDL_QK_NORM_HEAD,
        .experts_normed = true,
        .window = MDL_WINDOW_FLAG,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_llama,
        .hf_settings = mdl_settings_qwen3moe,
    },
    {
        .name = "phi3",
        .hf_types = LIST("phi3"),
        .gguf_archs = LIST("phi3"),
        .gguf_rope_layout = MDL_ROPE_HALF,
        .gguf_fused_qkv = true,
        .gguf_fused_ffn = true,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_phi3,
        .hf_settings = mdl_settings_phi3,
    },
    {
        .name = "gpt2",
        .hf_types = LIST("gpt2"),
        .gguf_archs = LIST("gpt2"),
        .norm = MDL_NORM_LAYER,
        .position = MDL_POSITION_LEARNED,
        .activation = MDL_ACTIVATION_GELU_TANH,
        .ungated = true,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .gguf_fused_qkv = true,
        .hf_transposed = true,
        .hf_prefixes = transformer_prefixes,
        .hf_names = mdl_names_gpt2,
        .hf_settings = mdl_settings_gpt2,
    },
    {
        .name = "falcon",
        .hf_types = LIST("falcon"),
        .gguf_archs = LIST("falcon"),
        .norm = MDL_NORM_LAYER,
        .activation = MDL_ACTIVATION_GELU,
        .parallel = true,
        .ungated = true,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .gguf_fused_qkv = true,
        .hf_grouped_qkv = true,
        .hf_falcon_keys = true,
        .hf_prefixes = transformer_prefixes,
        .hf_names = mdl_names_falcon,
        .hf_settings = mdl_settings_falcon,
    },
    {
        .name = "starcoder2",
        .hf_types = LIST("starcoder2"),
        .gguf_archs = LIST("starcoder2"),
        .norm = MDL_NORM_LAYER,
        .activation = MDL_ACTIVATION_GELU_TANH,
        .ungated = true,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_starcoder2,
        .hf_settings = mdl_settings_starcoder2,
    },
    {
        .name = "olmo2",
        .hf_types = LIST("olmo2"),
        .gguf_archs = LIST("olmo2"),
        .qk_norm = MDL_QK_NORM_ROW,
        .no_pre_norm = true,
        .post_norm = true,
        .window = MDL_WINDOW_PATTERN,
        .window_period = 4,
        .local_rope_plain = true,
        .gguf_rope_layout = MDL_ROPE_HALF,
        .hf_prefixes = model_prefixes,
        .hf_names = mdl_names_olmo2,
        .hf_settings = mdl_settings_olmo2,
    },
};

static bool listed(const char *const *list, const char *name)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, name) == 0) {
            return true;
        }
    }
    return false;
}

const struct mdl_arch *mdl_arch_by_hf_type(const char *model_type)
{
    for (size_t i = 0; i < sizeof arch_table / sizeof arch_table[0]; i++) {
        if (listed(arch_table[i].hf_types, model_type)) {
            return &arch_table[i];
        }
    }
    return NULL;
}

const struct mdl_arch *mdl_arch_by_gguf(const char *architecture)
{
    for (size_t i = 0; i < sizeof arch_table / sizeof arch_table[0]; i++) {
        if (listed(arch_table[i].gguf_archs, architecture)) {
            return &arch_table[i];
        }
    }
    return NULL;
}

/* The i-th of "a|b|c": where it begins, and its length. */
static const char *alternative(const char *pattern, int i, size_t *n)
{
    for (; i > 0; i--) {
        pattern = strchr(pattern, '|');
        if (pattern == NULL) {
            return NULL;
        }
        pattern++;
    }
    *n = strcspn(pattern, "|");
    return pattern;
}

bool mdl_tensor_name(char *dst, size_t cap, const char *pattern, int i, const char *prefix, int layer, int expert)
{
    size_t n, at = 0;
    int numbers[2] = {layer, expert}, used = 0;
    const char *from = alternative(pattern, i, &n);
    if (from == NULL) {
        return false;
    }
    dst[0] = '\0';
    for (size_t j = 0; j < n && at < cap; j++) {
        if (from[j] == '^') {
            at += (size_t)snprintf(dst + at, cap - at, "%s", prefix);
        } else if (from[j] == '%' && used < 2) {
            at += (size_t)snprintf(dst + at, cap - at, "%d", numbers[used++]);
            j++; /* the d */
        } else {
            at += (size_t)snprintf(dst + at, cap - at, "%c", from[j]);
        }
    }
    return true;
}
