/* What config.json says of layers: Falcon's kinds of block, which layers are windowed, which have experts. */
#include "model/config/hf.h"

#include <string.h>

choir_status mdl_hf_falcon(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    bool newer, parallel, multi_query;
    int64_t n_norms = 0;
    choir_status status = mdl_hf_flag(&newer, r, "new_decoder_architecture", false);
    if (status == CHOIR_OK) {
        status = mdl_hf_flag(&parallel, r, "parallel_attn", true);
    }
    if (status == CHOIR_OK) {
        status = mdl_hf_flag(&multi_query, r, "multi_query", true);
    }
    if (status == CHOIR_OK) {
        status = base_json_int(&n_norms, r->root, r->file, "num_ln_in_parallel_attn", newer ? 2 : 1, 1, 2, r->err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    c->parallel = newer || parallel;
    c->two_norms = newer && n_norms == 2;
    if (!newer) {
        c->n_kv_heads = multi_query ? 1 : c->n_heads;
    }
    return CHOIR_OK;
}

static void set_bit(uint64_t *bits, size_t l)
{
    bits[l / 64] |= (uint64_t)1 << (l % 64);
}

/* layer_types: which layers are windowed, one by one. */
static choir_status read_layer_types(struct mdl_config *c, const struct mdl_hf_reader *r, const json_t *list)
{
    if (!json_is_array(list)) {
        return base_fail(r->err, CHOIR_FILE, "%s: layer_types: a list is needed", r->file);
    }
    if (json_array_size(list) != (size_t)c->n_layers) {
        return base_fail(r->err, CHOIR_FILE, "%s: layer_types: %zu entries, the model has %d layers", r->file,
                         json_array_size(list), c->n_layers);
    }
    for (size_t l = 0; l < json_array_size(list); l++) {
        const char *type = json_string_value(json_array_get(list, l));
        if (type == NULL || (strcmp(type, "full_attention") != 0 && strcmp(type, "sliding_attention") != 0)) {
            return mdl_hf_refuse(r, "layer_types:", type != NULL ? type : "?");
        }
        if (strcmp(type, "sliding_attention") == 0) {
            set_bit(c->windowed, l);
        }
    }
    return CHOIR_OK;
}

static choir_status apply_window_rule(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    int64_t period = 1, from = 0;
    choir_status status = CHOIR_OK;
    if (c->arch->window == MDL_WINDOW_LISTED) {
        return base_fail(r->err, CHOIR_FILE, "%s: use_sliding_window without layer_types not supported", r->file);
    }
    if (c->arch->window == MDL_WINDOW_PATTERN) {
        char key[MDL_HF_KEY_CAP];
        mdl_hf_key(key, r, "sliding_window_pattern|_sliding_window_pattern");
        status = base_json_int(&period, mdl_hf_object(r, key), r->file, key, c->arch->window_period, 1, MDL_LAYERS_MAX,
                               r->err);
    } else if (c->arch->window == MDL_WINDOW_UPPER) {
        status = base_json_int(&from, mdl_hf_object(r, "max_window_layers"), r->file, "max_window_layers", 28, 0,
                               INT32_MAX, r->err);
    }
    const bool pattern = c->arch->window == MDL_WINDOW_PATTERN;
    for (int32_t l = 0; l < c->n_layers && status == CHOIR_OK; l++) {
        if (pattern ? (l + 1) % period != 0 : l >= from) {
            set_bit(c->windowed, (size_t)l);
        }
    }
    return status;
}

choir_status mdl_hf_window(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    bool use = true;
    double window = 0;
    choir_status status = CHOIR_OK;
    if (c->arch->window == MDL_WINDOW_UPPER || c->arch->window == MDL_WINDOW_FLAG ||
        c->arch->window == MDL_WINDOW_LISTED) {
        status = mdl_hf_flag(&use, r, "use_sliding_window", false);
    }
    if (status == CHOIR_OK && use) {
        status = mdl_hf_setting(&window, c, r, MDL_SET_WINDOW);
    }
    if (status != CHOIR_OK || window == 0) {
        return status;
    }
    c->sliding_window = (int32_t)window;
    const json_t *types = json_object_get(mdl_hf_object(r, "layer_types"), "layer_types");
    return types != NULL && !json_is_null(types) ? read_layer_types(c, r, types) : apply_window_rule(c, r);
}

/* Which layers have experts: every decoder_sparse_step-th, but for those of mlp_only_layers. */
static choir_status read_routed(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    int64_t step = 1;
    choir_status status = base_json_int(&step, r->root, r->file, "decoder_sparse_step", 1, 1, MDL_LAYERS_MAX, r->err);
    const json_t *dense = json_object_get(r->root, "mlp_only_layers");
    if (status == CHOIR_OK && dense != NULL && !json_is_null(dense) && !json_is_array(dense)) {
        return base_fail(r->err, CHOIR_FILE, "%s: mlp_only_layers: a list is needed", r->file);
    }
    for (int32_t l = 0; l < c->n_layers && status == CHOIR_OK; l++) {
        if ((l + 1) % step == 0) {
            set_bit(c->routed, (size_t)l);
        }
    }
    for (size_t i = 0; i < json_array_size(dense) && status == CHOIR_OK; i++) {
        const json_t *v = json_array_get(dense, i);
        const int64_t l = json_is_integer(v) ? json_integer_value(v) : -1;
        if (l < 0 || l >= c->n_layers) {
            return base_fail(r->err, CHOIR_FILE, "%s: mlp_only_layers: entry %zu is not one of %d layers", r->file, i,
                             c->n_layers);
        }
        c->routed[l / 64] &= ~((uint64_t)1 << (l % 64));
    }
    return status;
}

choir_status mdl_hf_experts(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    const struct {
        int32_t *field;
        enum mdl_setting which;
    } list[] = {
        {&c->n_experts_used, MDL_SET_EXPERTS_USED},
        {&c->expert_dim, MDL_SET_EXPERT_DIM},
        {&c->shared_dim, MDL_SET_SHARED_DIM},
    };
    double v = 0;
    choir_status status = mdl_hf_setting(&v, c, r, MDL_SET_EXPERTS);
    c->n_experts = (int32_t)v;
    if (status == CHOIR_OK && c->n_experts == 0 && c->arch->hf_names[MDL_W_UP] == NULL &&
        c->arch->hf_names[MDL_GATE_UP] == NULL) {
        return base_fail(r->err, CHOIR_FILE, "%s: no experts: a model_type without any other feed-forward network",
                         r->file);
    }
    for (size_t i = 0; i < sizeof list / sizeof list[0] && status == CHOIR_OK && c->n_experts > 0; i++) {
        status = mdl_hf_setting(&v, c, r, list[i].which);
        *list[i].field = (int32_t)v;
    }
    if (status != CHOIR_OK || c->n_experts == 0) {
        return status;
    }
    if (c->n_experts_used > c->n_experts) {
        return base_fail(r->err, CHOIR_FILE, "%s: num_experts_per_tok: %d (1 to %d allowed)", r->file,
                         c->n_experts_used, c->n_experts);
    }
    c->expert_dim = c->expert_dim > 0 ? c->expert_dim : c->hidden_dim;
    return read_routed(c, r);
}
