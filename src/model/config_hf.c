/* Settings of a Hugging Face folder: config.json, then the stop ids of generation_config.json.  Defaults of absent keys
 * are those of transformers' LlamaConfig.  What would change the numbers and is not computed here is refused by name. */
#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "model/config_read.h"

enum { CONFIG_MAX_BYTES = 16 << 20, WHERE_CAP = BASE_ESCAPE_CAP + 32 };

/* One settings file being read. */
struct reader {
    const json_t *root;
    char file[BASE_ESCAPE_CAP]; /* as messages name it */
    choir_error *err;
};

static choir_status need_count(int32_t *out, const struct reader *r, const char *key, int32_t max)
{
    int64_t v;
    choir_status status = base_json_need_int(&v, r->root, r->file, key, 1, max, r->err);
    *out = (int32_t)v;
    return status;
}

static choir_status get_count(int32_t *out, const struct reader *r, const char *key, int32_t fallback, int32_t max)
{
    int64_t v;
    choir_status status = base_json_int(&v, r->root, r->file, key, fallback, 1, max, r->err);
    *out = (int32_t)v;
    return status;
}

static choir_status refuse_value(const struct reader *r, const char *key, const char *value)
{
    char shown[BASE_ESCAPE_CAP];
    return base_fail(r->err, CHOIR_FILE, "%s: %s \"%s\" not supported", r->file, key, base_escape_str(shown, value));
}

static choir_status read_family(struct mdl_config *c, const struct reader *r)
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
        return refuse_value(r, "model_type", type);
    }
    c->rope_layout = (enum mdl_rope_layout)c->arch->hf_rope_layout;
    return CHOIR_OK;
}

static choir_status read_counts(struct mdl_config *c, const struct reader *r)
{
    choir_status status = need_count(&c->dim, r, "hidden_size", MDL_DIM_MAX);
    if (status == CHOIR_OK) {
        status = need_count(&c->hidden_dim, r, "intermediate_size", MDL_HIDDEN_MAX);
    }
    if (status == CHOIR_OK) {
        status = need_count(&c->n_layers, r, "num_hidden_layers", MDL_LAYERS_MAX);
    }
    if (status == CHOIR_OK) {
        status = need_count(&c->n_heads, r, "num_attention_heads", MDL_HEADS_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_count(&c->n_kv_heads, r, "num_key_value_heads", c->n_heads, MDL_HEADS_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_count(&c->head_dim, r, "head_dim", 0, MDL_HEAD_DIM_MAX);
    }
    if (status == CHOIR_OK) {
        status = need_count(&c->vocab_size, r, "vocab_size", MDL_VOCAB_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_count(&c->max_seq_len, r, "max_position_embeddings", 2048, MDL_SEQ_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_count(&c->sliding_window, r, "sliding_window", 0, MDL_SEQ_MAX);
    }
    return status;
}

/* A flag that must be absent, null or false. */
static choir_status refuse_flag(const struct reader *r, const char *key)
{
    bool set;
    choir_status status = base_json_bool(&set, r->root, r->file, key, false, r->err);
    if (status == CHOIR_OK && set) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: true not supported", r->file, key);
    }
    return status;
}

/* Everything that forward does not compute. */
static choir_status refuse_others(const struct reader *r)
{
    const char *act, *method = NULL;
    double rotary;
    choir_status status = base_json_string(&act, r->root, r->file, "hidden_act", r->err);
    if (status == CHOIR_OK && act != NULL && strcmp(act, "silu") != 0) {
        return refuse_value(r, "hidden_act", act);
    }
    if (status == CHOIR_OK) {
        status = refuse_flag(r, "attention_bias");
    }
    if (status == CHOIR_OK) {
        status = refuse_flag(r, "mlp_bias");
    }
    if (status == CHOIR_OK) {
        status = base_json_number(&rotary, r->root, r->file, "partial_rotary_factor", 1, 1, 1, r->err);
    }
    const json_t *quant = json_object_get(r->root, "quantization_config");
    if (status != CHOIR_OK || quant == NULL || json_is_null(quant)) {
        return status;
    }
    method = json_string_value(json_object_get(quant, "quant_method"));
    return refuse_value(r, "quantization_config: method", method != NULL ? method : "?");
}

/* An object that describes RoPE: rope_scaling, or transformers 5's rope_parameters. */
static choir_status read_rope_object(struct mdl_config *c, const struct reader *r, json_t *rope, const char *key)
{
    char where[WHERE_CAP];
    snprintf(where, sizeof where, "%s: %s", r->file, key);
    const char *inner;
    json_t *value;
    json_object_foreach(rope, inner, value)
    {
        if (json_is_object(value)) {
            return base_fail(r->err, CHOIR_FILE, "%s: parameters by kind of layer not supported", where);
        }
    }
    const char *type;
    choir_status status = base_json_string(&type, rope, where, "rope_type", r->err);
    if (status == CHOIR_OK && type == NULL) { /* the older spelling */
        status = base_json_string(&type, rope, where, "type", r->err);
    }
    if (status == CHOIR_OK) {
        status =
            base_json_number(&c->rope[0].theta, rope, where, "rope_theta", c->rope[0].theta, -DBL_MAX, DBL_MAX, r->err);
    }
    if (status != CHOIR_OK || type == NULL || strcmp(type, "default") == 0) {
        return status;
    }
    if (strcmp(type, "linear") != 0 && strcmp(type, "llama3") != 0) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(r->err, CHOIR_FILE, "%s: type \"%s\" not supported", where, base_escape_str(shown, type));
    }
    c->rope[0].scaling = strcmp(type, "linear") == 0 ? MDL_SCALING_LINEAR : MDL_SCALING_LLAMA3;
    status = base_json_number(&c->rope[0].factor, rope, where, "factor", 0, -DBL_MAX, DBL_MAX, r->err);
    if (status != CHOIR_OK || c->rope[0].scaling == MDL_SCALING_LINEAR) {
        return status;
    }
    int64_t original = 0;
    status = base_json_number(&c->rope[0].low_freq, rope, where, "low_freq_factor", 0, -DBL_MAX, DBL_MAX, r->err);
    if (status == CHOIR_OK) {
        status = base_json_number(&c->rope[0].high_freq, rope, where, "high_freq_factor", 0, -DBL_MAX, DBL_MAX, r->err);
    }
    if (status == CHOIR_OK) {
        status = base_json_need_int(&original, rope, where, "original_max_position_embeddings", 1, MDL_SEQ_MAX, r->err);
    }
    c->rope[0].original_len = (int32_t)original;
    return status;
}

static choir_status read_rope(struct mdl_config *c, const struct reader *r)
{
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    choir_status status =
        base_json_number(&c->rope[0].theta, r->root, r->file, "rope_theta", 10000, -DBL_MAX, DBL_MAX, r->err);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && status == CHOIR_OK; i++) {
        json_t *rope = json_object_get(r->root, keys[i]);
        if (rope == NULL || json_is_null(rope)) {
            continue;
        }
        if (!json_is_object(rope)) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s: an object is needed", r->file, keys[i]);
        }
        status = read_rope_object(c, r, rope, keys[i]);
    }
    return status;
}

static choir_status read_id(int32_t *out, const struct mdl_config *c, const struct reader *r, const char *key,
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
static choir_status read_ids(struct mdl_config *c, const struct reader *r)
{
    const json_t *bos = json_object_get(r->root, "bos_token_id");
    const json_t *eos = json_object_get(r->root, "eos_token_id");
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

static choir_status read_config(struct mdl_config *c, const struct reader *r)
{
    struct mdl_spelling spelling = {
        .file = r->file,
        .prefix = "",
        .dim = "hidden_size",
        .head_dim = "head_dim",
        .rope_dim = "head_dim",
        .rope_theta = "rope_theta",
        .norm_eps = "rms_norm_eps",
        .rope_scaling = "rope_scaling",
    };
    choir_status status = read_family(c, r);
    if (status == CHOIR_OK) {
        status = read_counts(c, r);
    }
    if (status == CHOIR_OK) {
        status = refuse_others(r);
    }
    if (status == CHOIR_OK) {
        status = read_rope(c, r);
    }
    if (status == CHOIR_OK) {
        status = base_json_number(&spelling.norm_eps_value, r->root, r->file, "rms_norm_eps", 1e-6, -DBL_MAX, DBL_MAX,
                                  r->err);
    }
    if (status == CHOIR_OK) {
        status = base_json_bool(&c->tied_output, r->root, r->file, "tie_word_embeddings", false, r->err);
    }
    if (status == CHOIR_OK) {
        status = mdl_config_finish(c, &spelling, r->err);
    }
    return status == CHOIR_OK ? read_ids(c, r) : status;
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

typedef choir_status read_fn(struct mdl_config *c, const struct reader *r);

static choir_status with_file(struct mdl_config *c, const char *folder, const char *name, bool optional, read_fn *read,
                              choir_error *err)
{
    char *path = path_in(folder, name);
    if (path == NULL) {
        return base_fail_memory(err, strlen(folder), "a path");
    }
    choir_status status = CHOIR_OK;
    if (!optional || access(path, F_OK) == 0 || errno != ENOENT) {
        struct reader r = {.err = err};
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
