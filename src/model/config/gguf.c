/* Settings of a GGUF file: the keys of its architecture ("llama.block_count", ...) as docs/gguf.md lists them, and the ids
 * of the vocabulary's special tokens.  What a key does not say, the names of the tensors do. */
#include "model/config/gguf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static choir_status read_family(struct mdl_config *c, struct mdl_gguf_reader *r)
{
    const struct wts_string *name;
    const struct mdl_arch *arch = NULL;
    choir_status status = mdl_gguf_string(&name, r, "general.architecture");
    if (status != CHOIR_OK) {
        return status;
    }
    if (name == NULL) {
        return mdl_gguf_missing(r, "general.architecture");
    }
    if (name->n < MDL_GGUF_PREFIX_CAP - 1 && memchr(name->data, '\0', (size_t)name->n) == NULL) {
        arch = mdl_arch_by_gguf(name->data);
    }
    if (arch == NULL) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(r->err, CHOIR_FILE, "%s: architecture \"%s\" not supported", r->file,
                         base_escape(shown, name->data, (size_t)name->n));
    }
    snprintf(r->prefix, sizeof r->prefix, "%s.", name->data);
    mdl_config_from_arch(c, arch);
    c->rope_layout = arch->gguf_rope_layout;
    return CHOIR_OK;
}

static choir_status read_counts(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    choir_status status = mdl_gguf_int(&c->n_layers, r, "block_count", true, 1, MDL_LAYERS_MAX);
    if (status == CHOIR_OK) {
        status = mdl_gguf_int(&c->dim, r, "embedding_length", true, 1, MDL_DIM_MAX);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_layers_int(&c->hidden_dim, r, "feed_forward_length", true, c->n_layers, MDL_HIDDEN_MAX);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_layers_int(&c->n_heads, r, "attention.head_count", true, c->n_layers, MDL_HEADS_MAX);
    }
    if (status == CHOIR_OK) {
        c->n_kv_heads = c->n_heads;
        status = mdl_gguf_layers_int(&c->n_kv_heads, r, "attention.head_count_kv", false, c->n_layers, MDL_HEADS_MAX);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_int(&c->max_seq_len, r, "context_length", true, 1, MDL_SEQ_MAX);
    }
    return status;
}

static choir_status read_head_dims(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    int32_t value_dim = 0;
    choir_status status = mdl_gguf_int(&c->head_dim, r, "attention.key_length", false, 1, MDL_HEAD_DIM_MAX);
    if (status == CHOIR_OK) {
        status = mdl_gguf_int(&value_dim, r, "attention.value_length", false, 1, MDL_HEAD_DIM_MAX);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_int(&c->rope_dim, r, "rope.dimension_count", false, 1, MDL_DIM_MAX);
    }
    if (status != CHOIR_OK || value_dim == 0) {
        return status;
    }
    int32_t key_dim = c->head_dim != 0 ? c->head_dim : c->dim / c->n_heads;
    if (value_dim != key_dim) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sattention.value_length: %d, keys have %d: not supported", r->file,
                         r->prefix, value_dim, key_dim);
    }
    return CHOIR_OK;
}

/* Which layers are windowed: an array of flags, or "all but every n-th", or what the family does. */
static choir_status read_window(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    char key[MDL_GGUF_KEY_CAP];
    c->sliding_window = c->arch->gguf_window;
    choir_status status = mdl_gguf_int(&c->sliding_window, r, "attention.sliding_window", false, 0, MDL_SEQ_MAX);
    if (status != CHOIR_OK || c->sliding_window == 0) {
        return status;
    }
    const struct wts_meta *m = mdl_gguf_find(r, "attention.sliding_window_pattern", key);
    if (m != NULL && m->type == WTS_ARRAY) {
        return mdl_gguf_layer_bits(c->windowed, r, m, key, c->n_layers);
    }
    int32_t period = c->arch->window == MDL_WINDOW_PATTERN ? c->arch->window_period : 0; /* 0: none sees all */
    status = mdl_gguf_int(&period, r, "attention.sliding_window_pattern", false, 0, MDL_LAYERS_MAX);
    for (int32_t l = 0; l < c->n_layers && status == CHOIR_OK; l++) {
        if (period == 0 || (l + 1) % period != 0) {
            c->windowed[l / 64] |= (uint64_t)1 << (l % 64);
        }
    }
    return status;
}

static choir_status read_reals(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    double attn_cap = c->arch->attn_cap, logit_cap = c->arch->logit_cap;
    choir_status status = mdl_gguf_real(&attn_cap, r, "attn_logit_softcapping", false, NULL);
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&logit_cap, r, "final_logit_softcapping", false, NULL);
    }
    c->attn_softcap = (float)attn_cap;
    c->logit_softcap = (float)logit_cap;
    double scale = 0;
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&scale, r, "attention.scale", false, NULL);
    }
    if (status == CHOIR_OK && !(scale >= 0 && scale <= 1e6)) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sattention.scale: %g not supported", r->file, r->prefix, scale);
    }
    c->attn_scale = (float)scale;
    if (scale == 0 && c->arch->gguf_wide_layers == c->n_layers) {
        c->attn_scale = 1.0f / sqrtf((float)(c->dim / c->n_heads));
    }
    return status;
}

static bool has_tensor(const struct mdl_gguf_reader *r, enum mdl_tensor which, int layer)
{
    char name[MDL_NAME_CAP];
    for (int i = 0; mdl_tensor_name(name, sizeof name, mdl_gguf_names[which], i, "", layer, 0); i++) {
        if (wts_has(r->set, name)) {
            return true;
        }
    }
    return false;
}

/* A bias that the family always has must be there; one that it may have is there or not. */
static bool has_bias(const struct mdl_config *c, const struct mdl_gguf_reader *r, enum mdl_setting which,
                     enum mdl_tensor bias)
{
    const struct mdl_hf_setting s = mdl_arch_setting(c->arch, which);
    return s.key == NULL && s.value != 0 ? true : has_tensor(r, bias, 0);
}

static void read_from_names(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    c->qkv_bias = has_bias(c, r, MDL_SET_QKV_BIAS, MDL_BQ) || has_tensor(r, MDL_QKV_BIAS, 0);
    c->out_bias = has_bias(c, r, MDL_SET_OUT_BIAS, MDL_BO);
    c->ffn_bias = has_bias(c, r, MDL_SET_FFN_BIAS, MDL_B_UP);
    c->output_bias = has_tensor(r, MDL_OUTPUT_BIAS, -1);
    c->two_norms = c->parallel && has_tensor(r, MDL_ATT_NORM_2, 0);
    for (int32_t l = 0; l < c->n_layers && c->n_experts > 0; l++) {
        if (!has_tensor(r, MDL_W_DOWN, l)) {
            c->routed[l / 64] |= (uint64_t)1 << (l % 64);
        }
    }
}

/* Routing that is not computed. */
static choir_status refuse_routing(const struct mdl_gguf_reader *r)
{
    static const struct {
        const char *name;
        int32_t most; /* softmax over all is 1; one group is none */
    } counts[] = {{"expert_gating_func", 1}, {"expert_group_count", 1}};
    double scale = 1;
    choir_status status = mdl_gguf_real(&scale, r, "expert_weights_scale", false, NULL);
    if (status == CHOIR_OK && scale != 1 && scale != 0) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sexpert_weights_scale: %g not supported", r->file, r->prefix, scale);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0] && status == CHOIR_OK; i++) {
        int32_t n = 0;
        status = mdl_gguf_int(&n, r, counts[i].name, false, 0, INT32_MAX);
        if (status == CHOIR_OK && n > counts[i].most) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s%s: %d not supported", r->file, r->prefix, counts[i].name, n);
        }
    }
    return status;
}

static choir_status read_experts(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    choir_status status = mdl_gguf_int(&c->n_experts, r, "expert_count", false, 0, MDL_EXPERTS_MAX);
    if (status != CHOIR_OK || c->n_experts == 0) {
        return status;
    }
    c->expert_weights_normed = c->arch->experts_normed;
    status = mdl_gguf_int(&c->n_experts_used, r, "expert_used_count", true, 1, c->n_experts);
    if (status == CHOIR_OK) {
        /* Mixtral has no width of its own for experts; in other families' first files they share the layer's */
        const bool own = mdl_arch_setting(c->arch, MDL_SET_EXPERT_DIM).key != NULL;
        c->expert_dim = own && c->hidden_dim >= c->n_experts_used ? c->hidden_dim / c->n_experts_used : c->hidden_dim;
        status = mdl_gguf_layers_int(&c->expert_dim, r, "expert_feed_forward_length", false, c->n_layers,
                                     MDL_EXPERT_DIM_MAX);
    }
    if (status == CHOIR_OK) {
        c->shared_dim = c->arch->shared_gated ? c->hidden_dim : 0;
        status = mdl_gguf_int(&c->shared_dim, r, "expert_shared_feed_forward_length", false, 0, MDL_HIDDEN_MAX);
    }
    if (status == CHOIR_OK && c->shared_dim > 0 && !c->arch->shared_gated) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sexpert_shared_feed_forward_length: %d not supported", r->file,
                         r->prefix, c->shared_dim);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_bool(&c->expert_weights_normed, r, "expert_weights_norm");
    }
    return status == CHOIR_OK ? refuse_routing(r) : status;
}

/* Other things that would change the numbers. */
static choir_status refuse_others(const struct mdl_gguf_reader *r)
{
    static const struct {
        const char *name;
        double harmless;
    } numbers[] = {
        {"attention.max_alibi_bias", 0}, {"attention.clamp_kqv", 0}, {"logit_scale", 1},
        {"embedding_scale", 1},          {"residual_scale", 1},
    };
    bool causal = true;
    choir_status status = mdl_gguf_bool(&causal, r, "attention.causal");
    if (status == CHOIR_OK && !causal) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sattention.causal: false not supported", r->file, r->prefix);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == CHOIR_OK; i++) {
        double v = numbers[i].harmless;
        status = mdl_gguf_real(&v, r, numbers[i].name, false, NULL);
        if (status == CHOIR_OK && v != numbers[i].harmless && v != 0) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s%s: %g not supported", r->file, r->prefix, numbers[i].name, v);
        }
    }
    return status;
}

/* The embedding table says how large the vocabulary is; tokenizers may know fewer pieces than it has rows. */
static choir_status read_vocab(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    const char *name = mdl_gguf_names[MDL_EMBED];
    const struct wts_tensor *t = wts_find(r->set, name);
    if (t == NULL) {
        return wts_why_missing(r->set, name, r->err);
    }
    if (t->n_rows < 1 || t->n_rows > MDL_VOCAB_MAX) {
        return base_fail(r->err, CHOIR_FILE, "%s: tensor %s: %" PRIu64 " rows (1 to %d allowed)", r->file, name,
                         t->n_rows, MDL_VOCAB_MAX);
    }
    c->vocab_size = (int32_t)t->n_rows;
    c->tied_output = !wts_has(r->set, mdl_gguf_names[MDL_OUTPUT]);
    return CHOIR_OK;
}

static choir_status read_id(int32_t *out, const struct mdl_config *c, const struct mdl_gguf_reader *r, const char *key)
{
    int64_t id;
    *out = -1;
    choir_status status = mdl_gguf_id(&id, r, key);
    if (status != CHOIR_OK || id == -1) {
        return status;
    }
    status = mdl_config_check_id(c, r->file, key, id, r->err);
    *out = status == CHOIR_OK ? (int32_t)id : -1;
    return status;
}

static choir_status read_ids(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    static const char *const stops[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                        "tokenizer.ggml.eom_token_id"};
    choir_status status = read_id(&c->bos_id, c, r, "tokenizer.ggml.bos_token_id");
    for (size_t i = 0; i < sizeof stops / sizeof stops[0] && status == CHOIR_OK; i++) {
        int32_t id = -1;
        status = read_id(&id, c, r, stops[i]);
        if (status == CHOIR_OK && id >= 0) {
            mdl_config_add_eos(c, id); /* three always fit */
        }
    }
    return status;
}

typedef choir_status part_fn(struct mdl_config *c, const struct mdl_gguf_reader *r);

choir_status mdl_config_read_gguf(struct mdl_config *c, const struct wts_set *set, choir_error *err)
{
    static part_fn *const parts[] = {read_counts, read_head_dims, read_window, read_reals, read_experts};
    struct mdl_gguf_reader r = {.set = set, .file = set->model_file, .err = err};
    choir_status status = read_family(c, &r);
    struct mdl_spelling spelling = {
        .file = r.file,
        .prefix = r.prefix,
        .dim = "embedding_length",
        .head_dim = "attention.key_length",
        .rope_dim = "rope.dimension_count",
        .rope_theta = "rope.freq_base",
        .norm_eps = c->norm == MDL_NORM_RMS ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
        .rope_scaling = "rope.scaling.factor",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == CHOIR_OK; i++) {
        status = parts[i](c, &r);
    }
    if (status == CHOIR_OK) {
        status = refuse_others(&r);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&spelling.norm_eps_value, &r, spelling.norm_eps, true, NULL);
    }
    if (status == CHOIR_OK && c->position == MDL_POSITION_ROPE) {
        status = mdl_gguf_rope(c, &r);
    }
    if (status == CHOIR_OK) {
        status = read_vocab(c, &r);
    }
    if (status == CHOIR_OK) {
        read_from_names(c, &r);
        status = mdl_config_finish(c, &spelling, err);
    }
    return status == CHOIR_OK ? read_ids(c, &r) : status;
}
