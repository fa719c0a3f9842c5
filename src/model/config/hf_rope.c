/* RoPE as config.json says it: rope_theta, rope_scaling, and the rope_parameters of transformers 5, for all layers or by
 * kind of layer. */
#include "model/config/hf.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

enum { WHERE_CAP = BASE_ESCAPE_CAP + 64 };

/* One object of parameters. */
struct object {
    const struct mdl_hf_reader *r;
    json_t *json;
    const char *key;       /* "rope_scaling" */
    char where[WHERE_CAP]; /* "config.json: rope_scaling" */
};

static choir_status get_number(double *out, const struct object *o, const char *key, double fallback)
{
    return base_json_number(out, o->json, o->where, key, fallback, -DBL_MAX, DBL_MAX, o->r->err);
}

/* Where the model's own length stands: Phi-3 says it outside, which goes first. */
static choir_status read_original_len(int32_t *out, const struct mdl_config *c, const struct object *o, bool need)
{
    static const char key[] = "original_max_position_embeddings";
    int64_t v = 0;
    const json_t *outside = mdl_hf_object(o->r, key);
    choir_status status = base_json_int(&v, outside, o->r->file, key, 0, 1, MDL_SEQ_MAX, o->r->err);
    if (status == CHOIR_OK && v == 0) {
        status = need ? base_json_need_int(&v, o->json, o->where, key, 1, MDL_SEQ_MAX, o->r->err)
                      : base_json_int(&v, o->json, o->where, key, c->max_seq_len, 1, MDL_SEQ_MAX, o->r->err);
    }
    *out = (int32_t)v;
    return status;
}

static choir_status read_llama3(struct mdl_config *c, struct mdl_rope *rope, const struct object *o)
{
    choir_status status = get_number(&rope->factor, o, "factor", 0);
    if (status == CHOIR_OK) {
        status = get_number(&rope->low_freq, o, "low_freq_factor", 0);
    }
    if (status == CHOIR_OK) {
        status = get_number(&rope->high_freq, o, "high_freq_factor", 0);
    }
    return status == CHOIR_OK ? read_original_len(&rope->original_len, c, o, true) : status;
}

static choir_status read_linear(struct mdl_config *c, struct mdl_rope *rope, const struct object *o)
{
    (void)c;
    return get_number(&rope->factor, o, "factor", 0);
}

static choir_status read_dynamic(struct mdl_config *c, struct mdl_rope *rope, const struct object *o)
{
    rope->original_len = c->max_seq_len;
    return get_number(&rope->factor, o, "factor", 0);
}

/* The factor that is not said is the ratio of the lengths; so is a null one. */
static choir_status read_stretch(struct mdl_config *c, struct mdl_rope *rope, const struct object *o, double *magnitude)
{
    choir_status status = read_original_len(&rope->original_len, c, o, false);
    if (status == CHOIR_OK) {
        status = get_number(&rope->factor, o, "factor", (double)c->max_seq_len / rope->original_len);
    }
    return status == CHOIR_OK ? get_number(magnitude, o, "attention_factor", 0) : status;
}

static choir_status read_yarn(struct mdl_config *c, struct mdl_rope *rope, const struct object *o)
{
    double magnitude = 0, mscale = 0, all_dims = 0;
    bool truncate;
    choir_status status = read_stretch(c, rope, o, &magnitude);
    if (status == CHOIR_OK) {
        status = get_number(&rope->beta_fast, o, "beta_fast", MDL_YARN_BETA_FAST);
    }
    if (status == CHOIR_OK) {
        status = get_number(&rope->beta_slow, o, "beta_slow", MDL_YARN_BETA_SLOW);
    }
    if (status == CHOIR_OK) {
        status = get_number(&mscale, o, "mscale", 0);
    }
    if (status == CHOIR_OK) {
        status = get_number(&all_dims, o, "mscale_all_dim", 0);
    }
    if (status == CHOIR_OK) {
        status = base_json_bool(&truncate, o->json, o->where, "truncate", true, o->r->err);
    }
    if (status == CHOIR_OK && !truncate) {
        return base_fail(o->r->err, CHOIR_FILE, "%s: truncate: false not supported", o->where);
    }
    if (magnitude != 0) {
        rope->magnitude = magnitude;
    } else if (mscale != 0 && all_dims != 0) {
        rope->magnitude = mdl_yarn_magnitude(rope->factor, mscale) / mdl_yarn_magnitude(rope->factor, all_dims);
    } else {
        rope->magnitude = mdl_yarn_magnitude(rope->factor, 1);
    }
    return status;
}

static choir_status read_divisors(float *out, const struct mdl_config *c, const struct object *o, const char *key)
{
    const json_t *list = json_object_get(o->json, key);
    const size_t n = (size_t)c->rope_dim / 2;
    if (!json_is_array(list) || json_array_size(list) != n) {
        return base_fail(o->r->err, CHOIR_FILE, "%s: %s: %zu entries, %zu wanted for %d rotated dimensions", o->where,
                         key, json_array_size(list), n, c->rope_dim);
    }
    for (size_t i = 0; i < n; i++) {
        const double v = json_number_value(json_array_get(list, i)); /* 0 of what is no number */
        if (!(v >= 1e-6 && v <= 1e12)) {
            return base_fail(o->r->err, CHOIR_FILE, "%s: %s: entry %zu: %g must be above 0", o->where, key, i, v);
        }
        out[i] = (float)v;
    }
    return CHOIR_OK;
}

static choir_status read_longrope(struct mdl_config *c, struct mdl_rope *rope, const struct object *o)
{
    double magnitude = 0;
    choir_status status = read_stretch(c, rope, o, &magnitude);
    if (status == CHOIR_OK) {
        status = read_divisors(c->rope_short, c, o, "short_factor");
    }
    if (status == CHOIR_OK) {
        status = read_divisors(c->rope_long, c, o, "long_factor");
    }
    rope->magnitude = magnitude != 0 ? magnitude : mdl_longrope_magnitude(rope->factor, rope->original_len);
    return status;
}

typedef choir_status scaling_fn(struct mdl_config *c, struct mdl_rope *rope, const struct object *o);

static const struct scaling {
    const char *name;
    enum mdl_rope_scaling scaling;
    scaling_fn *read;
} scalings[] = {
    {"linear", MDL_SCALING_LINEAR, read_linear},
    {"dynamic", MDL_SCALING_DYNAMIC, read_dynamic},
    {"yarn", MDL_SCALING_YARN, read_yarn},
    {"llama3", MDL_SCALING_LLAMA3, read_llama3},
    {"longrope", MDL_SCALING_LONGROPE, read_longrope},
    {"su", MDL_SCALING_LONGROPE, read_longrope},
};

/* What the object's type is called: longrope was called su, and in Phi-3's first files yarn. */
static choir_status find_scaling(const struct scaling **found, const struct object *o)
{
    const char *type;
    *found = NULL;
    choir_status status = base_json_string(&type, o->json, o->where, "rope_type", o->r->err);
    if (status == CHOIR_OK && type == NULL) { /* the older spelling */
        status = base_json_string(&type, o->json, o->where, "type", o->r->err);
    }
    if (status != CHOIR_OK || type == NULL || strcmp(type, "default") == 0) {
        return status;
    }
    if (strcmp(type, "yarn") == 0 && json_object_get(o->json, "long_factor") != NULL) {
        type = "longrope";
    }
    for (size_t i = 0; i < sizeof scalings / sizeof scalings[0]; i++) {
        if (strcmp(type, scalings[i].name) == 0) {
            *found = &scalings[i];
            return CHOIR_OK;
        }
    }
    char shown[BASE_ESCAPE_CAP];
    return base_fail(o->r->err, CHOIR_FILE, "%s: type \"%s\" not supported", o->where, base_escape_str(shown, type));
}

/* The rotated part of a head. */
static choir_status set_part(struct mdl_config *c, double part, const char *where, choir_error *err)
{
    c->rope_dim = (int32_t)(part * mdl_config_head_dim(c)); /* fits: `part` is 0 to 1 */
    if (c->rope_dim == 0) {                                 /* which would mean all of it */
        return base_fail(err, CHOIR_FILE, "%s: partial_rotary_factor: %g of %d dimensions is none", where, part,
                         mdl_config_head_dim(c));
    }
    return CHOIR_OK;
}

static choir_status read_partial(struct mdl_config *c, const struct object *o)
{
    double part = 0;
    choir_status status = base_json_number(&part, o->json, o->where, "partial_rotary_factor", 0, 0, 1, o->r->err);
    return status == CHOIR_OK && part > 0 ? set_part(c, part, o->where, o->r->err) : status;
}

static choir_status read_object(struct mdl_config *c, struct mdl_rope *rope, const struct object *o)
{
    const struct scaling *s = NULL;
    choir_status status = find_scaling(&s, o);
    if (status == CHOIR_OK) {
        status = get_number(&rope->theta, o, "rope_theta", rope->theta);
    }
    if (status == CHOIR_OK) {
        status = read_partial(c, o);
    }
    if (status != CHOIR_OK || s == NULL) {
        return status;
    }
    rope->scaling = s->scaling;
    return s->read(c, rope, o);
}

/* Parameters by kind of layer. */
static choir_status read_kinds(struct mdl_config *c, const struct object *o)
{
    static const char *const kinds[MDL_ROPE_KINDS] = {"full_attention", "sliding_attention"};
    choir_status status = CHOIR_OK;
    for (int i = 0; i < MDL_ROPE_KINDS && status == CHOIR_OK; i++) {
        struct object inner = {.r = o->r, .json = json_object_get(o->json, kinds[i])};
        if (json_is_object(inner.json)) {
            snprintf(inner.where, sizeof inner.where, "%s: %s: %s", o->r->file, o->key, kinds[i]);
            status = read_object(c, &c->rope[i], &inner);
        }
    }
    return status;
}

static bool is_kind(const char *key)
{
    return strcmp(key, "full_attention") == 0 || strcmp(key, "sliding_attention") == 0;
}

static choir_status read_any(struct mdl_config *c, const struct object *o)
{
    const char *key;
    json_t *value;
    bool by_kind = false;
    json_object_foreach(o->json, key, value)
    {
        if (json_is_object(value) && !is_kind(key)) {
            char shown[BASE_ESCAPE_CAP];
            return base_fail(o->r->err, CHOIR_FILE, "%s: parameters of \"%s\" not supported", o->where,
                             base_escape_str(shown, key));
        }
        by_kind = by_kind || json_is_object(value);
    }
    if (by_kind) {
        return read_kinds(c, o);
    }
    choir_status status = read_object(c, &c->rope[0], o);
    if (status == CHOIR_OK && !c->arch->local_rope_plain) {
        c->rope[1] = c->rope[0];
    } else if (mdl_arch_setting(c->arch, MDL_SET_LOCAL_THETA).key == NULL) {
        c->rope[1].theta = c->rope[0].theta;
    }
    return status;
}

choir_status mdl_hf_rope(struct mdl_config *c, const struct mdl_hf_reader *r)
{
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    double part = 1, local = 0;
    choir_status status = mdl_hf_setting(&c->rope[0].theta, c, r, MDL_SET_THETA);
    if (status == CHOIR_OK) {
        status = mdl_hf_setting(&local, c, r, MDL_SET_LOCAL_THETA);
    }
    if (status == CHOIR_OK) {
        status = base_json_number(&part, mdl_hf_object(r, "partial_rotary_factor"), r->file, "partial_rotary_factor", 1,
                                  1e-6, 1, r->err);
    }
    if (status == CHOIR_OK) {
        status = set_part(c, part, r->file, r->err);
    }
    c->rope[1].theta = local != 0 ? local : c->rope[0].theta;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && status == CHOIR_OK; i++) {
        struct object o = {.r = r, .json = json_object_get(mdl_hf_object(r, keys[i]), keys[i]), .key = keys[i]};
        if (o.json == NULL || json_is_null(o.json)) {
            continue;
        }
        if (!json_is_object(o.json)) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s: an object is needed", r->file, keys[i]);
        }
        snprintf(o.where, sizeof o.where, "%s: %s", r->file, keys[i]);
        status = read_any(c, &o);
    }
    return status;
}
