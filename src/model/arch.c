/* The rows of the architecture table.  Adding a family that differs only in names and layouts is one more row. */
#include "model/arch.h"

#include <stdio.h>
#include <string.h>

#include "model/config.h"

/* Names that Hugging Face's LlamaForCausalLM and MistralForCausalLM give their tensors. */
static const char *const llama_hf_names[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = "model.embed_tokens.weight",
    [MDL_OUTPUT_NORM] = "model.norm.weight",
    [MDL_OUTPUT] = "lm_head.weight",
    [MDL_ATT_NORM] = "model.layers.%d.input_layernorm.weight",
    [MDL_WQ] = "model.layers.%d.self_attn.q_proj.weight",
    [MDL_WK] = "model.layers.%d.self_attn.k_proj.weight",
    [MDL_WV] = "model.layers.%d.self_attn.v_proj.weight",
    [MDL_WO] = "model.layers.%d.self_attn.o_proj.weight",
    [MDL_FFN_NORM] = "model.layers.%d.post_attention_layernorm.weight",
    [MDL_W_GATE] = "model.layers.%d.mlp.gate_proj.weight",
    [MDL_W_UP] = "model.layers.%d.mlp.up_proj.weight",
    [MDL_W_DOWN] = "model.layers.%d.mlp.down_proj.weight",
};

/* GGUF's standard names (docs/gguf.md); weights/ gives llama2.c's tensors the same ones. */
static const char *const llama_gguf_names[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = "token_embd.weight",
    [MDL_OUTPUT_NORM] = "output_norm.weight",
    [MDL_OUTPUT] = "output.weight",
    [MDL_ATT_NORM] = "blk.%d.attn_norm.weight",
    [MDL_WQ] = "blk.%d.attn_q.weight",
    [MDL_WK] = "blk.%d.attn_k.weight",
    [MDL_WV] = "blk.%d.attn_v.weight",
    [MDL_WO] = "blk.%d.attn_output.weight",
    [MDL_FFN_NORM] = "blk.%d.ffn_norm.weight",
    [MDL_W_GATE] = "blk.%d.ffn_gate.weight",
    [MDL_W_UP] = "blk.%d.ffn_up.weight",
    [MDL_W_DOWN] = "blk.%d.ffn_down.weight",
};

static const char *const llama_hf_types[] = {"llama", "mistral", NULL};
static const char *const llama_gguf_archs[] = {"llama", NULL};

static const struct mdl_arch arch_table[] = {
    {
        .name = "llama",
        .hf_types = llama_hf_types,
        .gguf_archs = llama_gguf_archs,
        /* GGUF's converter permutes the rows of W_Q and W_K back to the pairs of the original model. */
        .gguf_rope_layout = MDL_ROPE_INTERLEAVED,
        .hf_rope_layout = MDL_ROPE_HALF,
        .hf_names = llama_hf_names,
        .gguf_names = llama_gguf_names,
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

void mdl_tensor_name(char *dst, size_t cap, const char *pattern, int layer)
{
    const char *mark = strstr(pattern, "%d");
    if (mark == NULL) {
        snprintf(dst, cap, "%s", pattern);
    } else {
        snprintf(dst, cap, "%.*s%d%s", (int)(mark - pattern), pattern, layer, mark + 2);
    }
}
