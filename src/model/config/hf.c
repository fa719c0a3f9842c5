/* Settings of a Hugging Face folder: config.json, then the stop ids of generation_config.json.  Keys and the defaults of
 * absent ones are those of the family's row.  What would change the numbers and is not computed is refused by name. */
#include "model/config/hf.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_MAX_BYTES = 16 << 20 };

enum kind { COUNT, REAL, FLAG };

/* What values a setting may have.  A null where 0 is allowed as a default means 0 ("none"), else the default. */
static const struct {
    enum kind kind;
    int32_t min, max;
    bool null_is_zero;
} settings[MDL_SETTING_COUNT] = {
    [MDL_SET_DIM] = {COUNT, 1, MDL_DIM_MAX, false},
    [MDL_SET_HIDDEN] = {COUNT, 1, MDL_HIDDEN_MAX, true},
    [MDL_SET_LAYERS] = {COUNT, 1, MDL_LAYERS_MAX, false},
    [MDL_SET_HEADS] = {COUNT, 1, MDL_HEADS_MAX, false},
    [MDL_SET_KV_HEADS] = {COUNT, 1, MDL_HEADS_MAX, true},
    [MDL_SET_HEAD_DIM] = {COUNT, 1, MDL_HEAD_DIM_MAX, true},
    [MDL_SET_VOCAB] = {COUNT, 1, MDL_VOCAB_MAX, false},
    [MDL_SET_MAX_SEQ] = {COUNT, 1, MDL_SEQ_MAX, false},
    [MDL_SET_WINDOW] = {COUNT, 1, MDL_SEQ_MAX, true},
    [MDL_SET_EXPERTS] = {COUNT, 0, MDL_EXPERTS_MAX, false},
    [MDL_SET_EXPERTS_USED] = {COUNT, 1, MDL_EXPERTS_MAX, false},
    [MDL_SET_EXPERT_DIM] = {COUNT, 1, MDL_EXPERT_DIM_MAX, false},
    [MDL_SET_SHARED_DIM] = {COUNT, 0, MDL_HIDDEN_MAX, true},
    [MDL_SET_NORM_EPS] = {REAL, 0, 0, false},
    [MDL_SET_THETA] = {REAL, 0, 0, false},
    [MDL_SET_LOCAL_THETA] = {REAL, 0, 0, false},
    [MDL_SET_ATTN_SCALAR] = {REAL, 0, 0, false},
    [MDL_SET_ATTN_CAP] = {REAL, 0, 0, true},
    [MDL_SET_LOGIT_CAP] = {REAL, 0, 0, true},
    [MDL_SET_TIED] = {FLAG, 0, 0, false},
    [MDL_SET_QKV_BIAS] = {FLAG, 0, 0, false},
    [MDL_SET_OUT_BIAS] = {FLAG, 0, 0, false},
    [MDL_SET_FFN_BIAS] = {FLAG, 0, 0, false},
    [MDL_SET_EXPERTS_NORMED] = {FLAG, 0, 0, false},
};

const char *mdl_hf_key(char key[MDL_HF_KEY_CAP], const struct mdl_hf_reader *r, const char *keys)
{
    for (const char *at = keys;; at++) {
        size_t n = strcspn(at, "|");
        snprintf(key, MDL_HF_KEY_CAP, "%.*s", (int)n, at);
        if (json_object_get(mdl_hf_object(r, key), key) != NULL) {
            return key;
        }
        at += n;
        if (*at == '\0') {
            break;
        }
    }
    snprintf(key, MDL_HF_KEY_CAP, "%.*s", (int)strcspn(keys, "|"), keys);
    return key;
}

static choir_status read_count(double *out, const struct mdl_hf_reader *r, const char *key, double fallback,
                               int32_t min, int32_t max)
{
    int64_t v = 0;
    const json_t *o = mdl_hf_object(r, key);
    choir_status status = fallback == MDL_NEEDED
                              ? base_json_need_int(&v, o, r->file, key, min, max, r->err)
                              : base_json_int(&v, o, r->file, key, (int64_t)fallback, min, max, r->err);
    *out = (double)v;
    return status;
}

choir_status mdl_hf_setting(double *out, const struct mdl_config *c, const struct mdl_hf_reader *r,
                            enum mdl_setting which)
{
    char key[MDL_HF_KEY_CAP];
    const struct mdl_hf_setting s = mdl_arch_setting(c->arch, which);
    *out = s.value;
    if (s.key == NULL) {
        return CHOIR_OK;
    }
    const json_t *o = mdl_hf_object(r, mdl_hf_key(key, r, s.key));
    const bool is_null = json_is_null(json_object_get(o, key));
    if (is_null && settings[which].null_is_zero && s.value != MDL_NEEDED) {
        *out = 0;
        return CHOIR_OK;
    }
    bool flag = false;
    choir_status status;
    switch (settings[which].kind) {
    case COUNT:
        return read_count(out, r, key, s.value, settings[which].min, settings[which].max);
    case REAL:
        return base_json_number(out, o, r->file, key, s.value, -DBL_MAX, DBL_MAX, r->err);
    case FLAG:
        status = base_json_bool(&flag, o, r->file, key, s.value != 0, r->err);
        *out = flag ? 1 : 0;
        return status;
    }
    return CHOIR_OK;
}

choir_status mdl_hf_refuse(const struct mdl_hf_reader *r, const char *key, const char *value)
{
    char shown[BASE_ESCAPE_CAP];
    return base_fail(r->err, CHOIR_FILE, "%s: %s \"%s\" not supported", r->file, key, base_escape_str(shown, value));
}

static choir_status read_family(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    const char *type;
    choir_status status = base_json_string(&type, r->root, r->file, "model_type", r->err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (type == NULL) {
        return base_fail(r->err, CHOIR_FILE, "%s: model_type missing", r->file);
    }
    c->arch = mdl_arch_by_hf_type(type);
    if (c->arch == NULL) {
        return mdl_hf_refuse(r, "model_type", type);
    }
    mdl_config_from_arch(c, c->arch);
    c->rope_layout = MDL_ROPE_HALF;
    c->norm_plus_one = c->arch->hf_norm_plus_one;
    return CHOIR_OK;
}

static choir_status read_counts(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    const struct {
        int32_t *field;
        enum mdl_setting which;
    } list[] = {
        {&c->dim, MDL_SET_DIM},          {&c->hidden_dim, MDL_SET_HIDDEN},   {&c->n_layers, MDL_SET_LAYERS},
        {&c->n_heads, MDL_SET_HEADS},    {&c->n_kv_heads, MDL_SET_KV_HEADS}, {&c->head_dim, MDL_SET_HEAD_DIM},
        {&c->vocab_size, MDL_SET_VOCAB}, {&c->max_seq_len, MDL_SET_MAX_SEQ},
    };
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < sizeof list / sizeof list[0] && status == CHOIR_OK; i++) {
        double v = 0;
        status = mdl_hf_setting(&v, c, r, list[i].which);
        *list[i].field = (int32_t)v;
    }
    if (status != CHOIR_OK) {
        return status;
    }
    c->n_kv_heads = c->n_kv_heads > 0 ? c->n_kv_heads : c->n_heads;
    c->hidden_dim = c->hidden_dim > 0 ? c->hidden_dim : 4 * c->dim; /* GPT-2, Falcon; 4 x 2^20 is the limit */
    return CHOIR_OK;
}

choir_status mdl_hf_flag(bool *out, const struct mdl_hf_reader *r, const char *key, bool fallback)
{
    return base_json_bool(out, mdl_hf_object(r, key), r->file, key, fallback, r->err);
}

/* Flags that change the numbers, and the value they must not have. */
static choir_status refuse_flags(const struct mdl_hf_reader *r)
{
    static const struct {
        const char *key;
        bool refused;
    } flags[] = {
        {"alibi", true},
        {"use_bidirectional_attention", true},
        {"scale_attn_by_inverse_layer_idx", true},
        {"scale_attn_weights", false},
        {"add_cross_attention", true},
        {"attention_sink", true},
        {"use_qk_norm", true},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        bool value;
        choir_status status = mdl_hf_flag(&value, r, flags[i].key, !flags[i].refused);
        if (status != CHOIR_OK) {
            return status;
        }
        if (value == flags[i].refused) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s: %s not supported", r->file, flags[i].key,
                             value ? "true" : "false");
        }
    }
    return CHOIR_OK;
}

/* Numbers that stand for parts forward does not have: low-rank attention, clipped queries, multipliers. */
static choir_status refuse_numbers(const struct mdl_hf_reader *r)
{
    static const struct {
        const char *key;
        double harmless;
    } numbers[] = {
        {"kv_lora_rank", 0},         {"q_lora_rank", 0},        {"clip_qkv", 0},    {"embedding_multiplier", 1},
        {"residual_multiplier", 1},  {"logits_scaling", 1},     {"logit_scale", 1}, {"attention_multiplier", 1},
        {"attention_chunk_size", 0}, {"num_shared_experts", 0}, {"n_group", 1},     {"routed_scaling_factor", 1},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        double v;
        choir_status status = base_json_number(&v, mdl_hf_object(r, numbers[i].key), r->file, numbers[i].key,
                                               numbers[i].harmless, -DBL_MAX, DBL_MAX, r->err);
        if (status != CHOIR_OK) {
            return status;
        }
        if (v != numbers[i].harmless) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s: %g not supported", r->file, numbers[i].key, v);
        }
    }
    return CHOIR_OK;
}

static choir_status refuse_others(const struct mdl_hf_reader *r)
{
    choir_status status = refuse_flags(r);
    if (status == CHOIR_OK) {
        status = refuse_numbers(r);
    }
    const json_t *quant = json_object_get(r->root, "quantization_config");
    if (status != CHOIR_OK || quant == NULL || json_is_null(quant)) {
        return status;
    }
    const char *method = json_string_value(json_object_get(quant, "quant_method"));
    return mdl_hf_refuse(r, "quantization_config: method", method != NULL ? method : "?");
}

static choir_status read_activation(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    static const struct {
        const char *name;
        enum mdl_activation act;
    } known[] = {
        {"silu", MDL_ACTIVATION_SILU},
        {"swish", MDL_ACTIVATION_SILU},
        {"gelu", MDL_ACTIVATION_GELU},
        {"gelu_new", MDL_ACTIVATION_GELU_TANH},
        {"gelu_pytorch_tanh", MDL_ACTIVATION_GELU_TANH},
    };
    char key[MDL_HF_KEY_CAP];
    const char *name;
    mdl_hf_key(key, r, "hidden_activation|hidden_act|activation_function|activation");
    choir_status status = base_json_string(&name, mdl_hf_object(r, key), r->file, key, r->err);
    if (status != CHOIR_OK || name == NULL) {
        return status;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0 && (!c->arch->gelu_is_tanh || known[i].act != MDL_ACTIVATION_SILU)) {
            c->activation = c->arch->gelu_is_tanh ? MDL_ACTIVATION_GELU_TANH : known[i].act;
            return CHOIR_OK;
        }
    }
    return mdl_hf_refuse(r, key, name);
}

static choir_status read_reals(struct mdl_config *c, const struct mdl_hf_reader *r, double *eps)
{
    double scalar = 0, attn_cap = 0, logit_cap = 0;
    choir_status status = mdl_hf_setting(eps, c, r, MDL_SET_NORM_EPS);
    if (status == CHOIR_OK) {
        status = mdl_hf_setting(&scalar, c, r, MDL_SET_ATTN_SCALAR);
    }
    if (status == CHOIR_OK) {
        status = mdl_hf_setting(&attn_cap, c, r, MDL_SET_ATTN_CAP);
    }
    if (status == CHOIR_OK) {
        status = mdl_hf_setting(&logit_cap, c, r, MDL_SET_LOGIT_CAP);
    }
    const bool said = mdl_arch_setting(c->arch, MDL_SET_ATTN_SCALAR).key != NULL;
    if (status == CHOIR_OK && said && !(scalar >= 1e-6 && scalar <= 1e12)) {
        status = base_fail(r->err, CHOIR_FILE, "%s: query_pre_attn_scalar: %g must be above 0", r->file, scalar);
    }
    c->attn_scale = scalar != 0 ? (float)(1.0 / sqrt(scalar)) : 0;
    c->attn_softcap = (float)attn_cap;
    c->logit_softcap = (float)logit_cap;
    return status;
}

static choir_status read_flags(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    const struct {
        bool *field;
        enum mdl_setting which;
    } list[] = {
        {&c->tied_output, MDL_SET_TIED},
        {&c->qkv_bias, MDL_SET_QKV_BIAS},
        {&c->out_bias, MDL_SET_OUT_BIAS},
        {&c->ffn_bias, MDL_SET_FFN_BIAS},
        {&c->expert_weights_normed, MDL_SET_EXPERTS_NORMED},
    };
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < sizeof list / sizeof list[0] && status == CHOIR_OK; i++) {
        double v = 0;
        status = mdl_hf_setting(&v, c, r, list[i].which);
        *list[i].field = v != 0;
    }
    return status;
}

/* ---- the files ---- */

static choir_status read_id(int32_t *out, const struct mdl_config *c, const struct mdl_hf_reader *r, const char *key,
                            const json_t *value)
{
    if (!json_is_integer(value)) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: a whole number is needed", r->file, key);
    }
    choir_status status = mdl_config_check_id(c, r->file, key, json_integer_value(value), r->err);
    *out = status == CHOIR_OK ? (int32_t)json_integer_value(value) : -1;
    return status;
}

/* What is here replaces what an earlier file said. */
static choir_status read_ids(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    /* of a model with a text part the outer ids are the newer ones */
    const json_t *bos = json_object_get(r->root, "bos_token_id"), *eos = json_object_get(r->root, "eos_token_id");
    bos = bos != NULL || r->text == NULL ? bos : json_object_get(r->text, "bos_token_id");
    eos = eos != NULL || r->text == NULL ? eos : json_object_get(r->text, "eos_token_id");
    choir_status status = CHOIR_OK;
    if (bos != NULL && !json_is_null(bos)) {
        status = read_id(&c->bos_id, c, r, "bos_token_id", bos);
    }
    if (status != CHOIR_OK || eos == NULL || json_is_null(eos)) {
        return status;
    }
    c->n_eos = 0;
    size_t n = json_is_array(eos) ? json_array_size(eos) : 1;
    for (size_t i = 0; i < n && status == CHOIR_OK; i++) {
        int32_t id = -1;
        status = read_id(&id, c, r, "eos_token_id", json_is_array(eos) ? json_array_get(eos, i) : eos);
        if (status == CHOIR_OK && !mdl_config_add_eos(c, id)) {
            status = base_fail(r->err, CHOIR_FILE, "%s: eos_token_id: more than %d ids", r->file, (int)MDL_EOS_CAP);
        }
    }
    return status;
}

typedef choir_status part_fn(struct mdl_config *c, const struct mdl_hf_reader *r);

static choir_status read_parts(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    static part_fn *const parts[] = {read_activation, read_flags, mdl_hf_experts, mdl_hf_window};
    choir_status status = read_family(c, r);
    if (status == CHOIR_OK) {
        status = read_counts(c, r);
    }
    if (status == CHOIR_OK) {
        status = refuse_others(r);
    }
    if (status == CHOIR_OK && c->arch->hf_falcon_keys) {
        status = mdl_hf_falcon(c, r);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == CHOIR_OK; i++) {
        status = parts[i](c, r);
    }
    return status == CHOIR_OK && c->position == MDL_POSITION_ROPE ? mdl_hf_rope(c, r) : status;
}

static choir_status read_config(struct mdl_config *c, const struct mdl_hf_reader *from)
{
    struct mdl_hf_reader r = *from;
    const json_t *text = json_object_get(r.root, "text_config");
    r.text = json_is_object(text) ? text : NULL;
    struct mdl_spelling spelling = {.file = r.file,
                                    .prefix = "",
                                    .head_dim = "head_dim",
                                    .rope_dim = "head_dim",
                                    .rope_theta = "rope_theta",
                                    .rope_scaling = "rope_scaling"};
    choir_status status = read_parts(c, &r);
    if (status == CHOIR_OK) {
        status = read_reals(c, &r, &spelling.norm_eps_value);
    }
    if (status == CHOIR_OK) {
        char dim[MDL_HF_KEY_CAP], eps[MDL_HF_KEY_CAP];
        spelling.dim = mdl_hf_key(dim, &r, mdl_arch_setting(c->arch, MDL_SET_DIM).key);
        spelling.norm_eps = mdl_hf_key(eps, &r, mdl_arch_setting(c->arch, MDL_SET_NORM_EPS).key);
        status = mdl_config_finish(c, &spelling, r.err);
    }
    return status == CHOIR_OK ? read_ids(c, &r) : status;
}

/* "FOLDER/NAME", to be freed. */
static char *path_in(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    size_t cap = n + strlen(name) + 2;
    char *path = malloc(cap);
    if (path != NULL) {
        snprintf(path, cap, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
    }
    return path;
}

static choir_status with_file(struct mdl_config *c, const char *folder, const char *name, bool optional, part_fn *read,
                              choir_error *err)
{
    char *path = path_in(folder, name);
    if (path == NULL) {
        return base_fail_memory(err, strlen(folder), "a path");
    }
    choir_status status = CHOIR_OK;
    if (!optional || access(path, F_OK) == 0 || errno != ENOENT) {
        struct mdl_hf_reader r = {.err = err};
        base_escape_str(r.file, path);
        json_t *root;
        status = base_json_load(&root, path, CONFIG_MAX_BYTES, err);
        if (status == CHOIR_OK) {
            r.root = root;
            status = read(c, &r);
            json_decref(root);
        }
    }
    free(path);
    return status;
}

choir_status mdl_config_read_hf(struct mdl_config *c, const struct wts_set *set, choir_error *err)
{
    choir_status status = with_file(c, set->path, "config.json", false, read_config, err);
    return status == CHOIR_OK ? with_file(c, set->path, "generation_config.json", true, read_ids, err) : status;
}
