/* A configuration as GGUF's keys of the architecture.  docs/gguf.md of ggml names them; what other readers know without being
 * told (the pattern of a family's windows, say) is written only where a model differs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/quantize.h"

struct arch_keys {
    struct wts_writer *w;
    const struct mdl_config *c;
    char key[128];
};

static const char *arch_key(struct arch_keys *k, const char *name)
{
    snprintf(k->key, sizeof k->key, "%s.%s", k->c->arch->gguf_archs[0], name);
    return k->key;
}

static void put_u32(struct arch_keys *k, const char *name, int32_t value)
{
    wts_writer_put_u32(k->w, arch_key(k, name), (uint32_t)value);
}

static void put_f32(struct arch_keys *k, const char *name, double value)
{
    wts_writer_put_f32(k->w, arch_key(k, name), (float)value);
}

static void put_text(struct arch_keys *k, const char *name, const char *value)
{
    wts_writer_put_string(k->w, arch_key(k, name), value);
}

static void write_sizes(struct arch_keys *k)
{
    const struct mdl_config *c = k->c;
    /* no file says that theta grows: without that, the model is good for its own length */
    const bool dynamic = c->rope[0].scaling == MDL_SCALING_DYNAMIC;
    put_u32(k, "block_count", c->n_layers);
    put_u32(k, "context_length", dynamic ? c->rope[0].original_len : c->max_seq_len);
    put_u32(k, "embedding_length", c->dim);
    put_u32(k, "feed_forward_length", c->hidden_dim);
    put_u32(k, "attention.head_count", c->n_heads);
    put_u32(k, "attention.head_count_kv", c->n_kv_heads);
    put_u32(k, "attention.key_length", c->head_dim);
    put_u32(k, "attention.value_length", c->head_dim);
    put_f32(k, c->norm == MDL_NORM_RMS ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
            (double)c->norm_eps);
    put_u32(k, "vocab_size", c->vocab_size);
    if (c->arch->hf_falcon_keys) {
        put_text(k, "tensor_data_layout", "jploski"); /* W_Q, W_K, W_V one after the other */
    }
}

static void write_scores(struct arch_keys *k)
{
    const struct mdl_config *c = k->c;
    const int32_t width = c->arch->gguf_wide_layers == c->n_layers ? c->dim / c->n_heads : c->head_dim;
    if (c->arch->attn_cap != 0 || c->attn_softcap != 0) {
        put_f32(k, "attn_logit_softcapping", (double)c->attn_softcap);
    }
    if (c->arch->logit_cap != 0 || c->logit_softcap != 0) {
        put_f32(k, "final_logit_softcapping", (double)c->logit_softcap);
    }
    if (c->attn_scale != 1.0f / sqrtf((float)width)) {
        put_f32(k, "attention.scale", (double)c->attn_scale);
    }
}

/* Whether the layers' windows are what a reader expects of the family. */
static bool usual_windows(const struct mdl_config *c)
{
    const int32_t period = c->arch->window == MDL_WINDOW_PATTERN ? c->arch->window_period : 0;
    for (int32_t l = 0; l < c->n_layers; l++) {
        if (mdl_is_windowed(c, l) != (period == 0 || (l + 1) % period != 0)) {
            return false;
        }
    }
    return true;
}

static void write_windows(struct arch_keys *k)
{
    const struct mdl_config *c = k->c;
    if (c->sliding_window == 0 && c->arch->gguf_window == 0) {
        return;
    }
    put_u32(k, "attention.sliding_window", c->sliding_window);
    if (c->sliding_window == 0 || usual_windows(c)) {
        return;
    }
    uint8_t flags[MDL_LAYERS_MAX];
    for (int32_t l = 0; l < c->n_layers; l++) {
        flags[l] = mdl_is_windowed(c, l) ? 1 : 0;
    }
    const char *key = arch_key(k, "attention.sliding_window_pattern");
    const struct wts_meta m = {
        .key = {key, strlen(key)},
        .type = WTS_ARRAY,
        .elem_type = WTS_BOOL,
        .n = (uint64_t)c->n_layers,
        .v.array = flags,
    };
    wts_writer_put(k->w, &m);
}

static void write_scaling(struct arch_keys *k, const struct mdl_rope *rope)
{
    switch (rope->scaling) {
    case MDL_SCALING_LINEAR:
        put_text(k, "rope.scaling.type", "linear");
        put_f32(k, "rope.scaling.factor", rope->factor);
        break;
    case MDL_SCALING_DYNAMIC: /* a key of our own, that others pass over */
        put_f32(k, "rope.scaling.dynamic_factor", rope->factor);
        break;
    case MDL_SCALING_YARN:
        put_text(k, "rope.scaling.type", "yarn");
        put_f32(k, "rope.scaling.factor", rope->factor);
        put_u32(k, "rope.scaling.original_context_length", rope->original_len);
        put_f32(k, "rope.scaling.yarn_beta_fast", rope->beta_fast);
        put_f32(k, "rope.scaling.yarn_beta_slow", rope->beta_slow);
        /* what readers multiply YaRN's own magnitude by */
        put_f32(k, "rope.scaling.attn_factor", rope->magnitude / mdl_yarn_magnitude(rope->factor, 1));
        break;
    case MDL_SCALING_LONGROPE:
        put_text(k, "rope.scaling.type", "longrope");
        put_u32(k, "rope.scaling.original_context_length", rope->original_len);
        put_f32(k, "rope.scaling.attn_factor", rope->magnitude);
        break;
    case MDL_SCALING_NONE:
    case MDL_SCALING_LLAMA3: /* rope_freqs.weight */
        break;
    }
}

static void write_rope(struct arch_keys *k)
{
    const struct mdl_config *c = k->c;
    put_u32(k, "rope.dimension_count", c->rope_dim);
    put_f32(k, "rope.freq_base", c->rope[0].theta);
    if (c->sliding_window > 0 && c->rope[1].theta != c->rope[0].theta) {
        put_f32(k, "rope.freq_base_swa", c->rope[1].theta);
    }
    write_scaling(k, &c->rope[0]);
}

static void write_experts(struct arch_keys *k)
{
    const struct mdl_config *c = k->c;
    put_u32(k, "expert_count", c->n_experts);
    put_u32(k, "expert_used_count", c->n_experts_used);
    if (c->expert_dim != c->hidden_dim) {
        put_u32(k, "expert_feed_forward_length", c->expert_dim);
    }
    if (c->arch->shared_gated) {
        put_u32(k, "expert_shared_feed_forward_length", c->shared_dim);
    }
    if (c->expert_weights_normed != c->arch->experts_normed) {
        wts_writer_put_bool(k->w, arch_key(k, "expert_weights_norm"), c->expert_weights_normed);
    }
}

void eng_write_config(struct wts_writer *w, const struct mdl_config *c)
{
    struct arch_keys k = {.w = w, .c = c};
    wts_writer_put_string(w, "general.architecture", c->arch->gguf_archs[0]);
    write_sizes(&k);
    write_scores(&k);
    write_windows(&k);
    if (c->position == MDL_POSITION_ROPE) {
        write_rope(&k);
    }
    if (c->n_experts > 0) {
        write_experts(&k);
    }
}
