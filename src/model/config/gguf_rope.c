/* RoPE as a GGUF file says it: keys, and for longrope two tensors of divisors.  (llama3's are the tensor
 * rope_freqs.weight, which is bound with the weights.) */
#include "model/config/gguf.h"

#include <stdio.h>

#include "base/error.h"
#include "weights/quants.h"

static const char long_name[] = "rope_factors_long.weight", short_name[] = "rope_factors_short.weight";

static choir_status scaling_type(enum mdl_rope_scaling *scaling, bool *said, const struct mdl_gguf_reader *r)
{
    static const struct {
        const char *name;
        enum mdl_rope_scaling scaling;
    } known[] = {
        {"none", MDL_SCALING_NONE},
        {"linear", MDL_SCALING_LINEAR},
        {"yarn", MDL_SCALING_YARN},
        {"longrope", MDL_SCALING_LONGROPE},
    };
    char key[MDL_GGUF_KEY_CAP];
    const struct wts_string *type;
    snprintf(key, sizeof key, "%srope.scaling.type", r->prefix);
    choir_status status = mdl_gguf_string(&type, r, key);
    *said = status == CHOIR_OK && type != NULL;
    if (!*said) {
        return status;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (mdl_gguf_string_is(type, known[i].name)) {
            *scaling = known[i].scaling;
            return CHOIR_OK;
        }
    }
    char shown[BASE_ESCAPE_CAP];
    return base_fail(r->err, CHOIR_FILE, "%s: %s: type \"%s\" not supported", r->file, key,
                     base_escape(shown, type->data, (size_t)type->n));
}

/* A few numbers, read at once: the configuration is whole without the weights. */
static choir_status read_divisors(float *out, const struct mdl_config *c, const struct mdl_gguf_reader *r,
                                  const char *name)
{
    unsigned char raw[MDL_ROPE_PAIRS_MAX * sizeof(float)];
    const struct wts_tensor *t = wts_find(r->set, name);
    if (t == NULL) {
        return wts_why_missing(r->set, name, r->err);
    }
    const int32_t n = (c->rope_dim > 0 ? c->rope_dim : mdl_config_head_dim(c)) / 2;
    if (t->n_dims != 1 || t->n_cols != (uint64_t)n || n > MDL_ROPE_PAIRS_MAX) {
        return base_fail(r->err, CHOIR_FILE, "%s: tensor %s: %llu numbers, expected %d", r->file, name,
                         (unsigned long long)t->n_cols, n);
    }
    if (dtype_row_bytes(t->type, (size_t)n) > sizeof raw || dtype_table[t->type].block_len != 1) {
        return base_fail(r->err, CHOIR_FILE, "%s: tensor %s: type %s not supported", r->file, name, t->type_name);
    }
    choir_status status = wts_read_rows(t, 0, 1, raw, r->err);
    if (status != CHOIR_OK) {
        return status;
    }
    wts_dequantize_row(t->type, out, raw, (size_t)n);
    for (int32_t i = 0; i < n; i++) {
        if (!(out[i] >= 1e-6f && out[i] <= 1e12f)) {
            return base_fail(r->err, CHOIR_FILE, "%s: tensor %s: element %d: %g must be above 0", r->file, name, i,
                             (double)out[i]);
        }
    }
    return CHOIR_OK;
}

static choir_status read_linear(struct mdl_rope *rope, const struct mdl_gguf_reader *r, bool said)
{
    bool found;
    choir_status status = mdl_gguf_real(&rope->factor, r, "rope.scaling.factor", false, &found);
    if (status == CHOIR_OK && !found) { /* the older key */
        status = mdl_gguf_real(&rope->factor, r, "rope.scale_linear", false, &found);
    }
    if (status == CHOIR_OK && !found) { /* our own: see engine/gguf_config.c */
        status = mdl_gguf_real(&rope->factor, r, "rope.scaling.dynamic_factor", false, &found);
        if (found) {
            rope->scaling = MDL_SCALING_DYNAMIC;
            return status;
        }
    }
    rope->scaling = found && (said || rope->factor != 1) ? MDL_SCALING_LINEAR : MDL_SCALING_NONE;
    return status;
}

static choir_status read_yarn(struct mdl_rope *rope, const struct mdl_gguf_reader *r)
{
    bool found = false;
    double attn = 1;
    rope->beta_fast = MDL_YARN_BETA_FAST;
    rope->beta_slow = MDL_YARN_BETA_SLOW;
    choir_status status = mdl_gguf_real(&rope->factor, r, "rope.scaling.factor", true, NULL);
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&rope->beta_fast, r, "rope.scaling.yarn_beta_fast", false, NULL);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&rope->beta_slow, r, "rope.scaling.yarn_beta_slow", false, NULL);
    }
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&attn, r, "rope.scaling.attn_factor", false, NULL);
    }
    rope->magnitude = mdl_yarn_magnitude(rope->factor, 1) * attn; /* fits: a real number, checked as such */
    if (status == CHOIR_OK) {
        status = mdl_gguf_real(&attn, r, "rope.scaling.yarn_attn_factor", false, &found);
    }
    rope->magnitude = found ? attn : rope->magnitude;
    return status;
}

static choir_status read_longrope(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    struct mdl_rope *rope = &c->rope[0];
    rope->factor = (double)c->max_seq_len / rope->original_len;
    choir_status status = mdl_gguf_real(&rope->magnitude, r, "rope.scaling.attn_factor", false, NULL);
    if (status == CHOIR_OK) {
        status = read_divisors(c->rope_short, c, r, short_name);
    }
    return status == CHOIR_OK ? read_divisors(c->rope_long, c, r, long_name) : status;
}

/* "linear" is what a file without a type means; without a factor it is nothing. */
static choir_status read_scaling(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    struct mdl_rope *rope = &c->rope[0];
    bool said = false;
    enum mdl_rope_scaling scaling = wts_has(r->set, long_name) ? MDL_SCALING_LONGROPE : MDL_SCALING_LINEAR;
    choir_status status = scaling_type(&scaling, &said, r);
    rope->original_len = c->max_seq_len;
    if (status == CHOIR_OK && (scaling == MDL_SCALING_YARN || scaling == MDL_SCALING_LONGROPE)) {
        status = mdl_gguf_int(&rope->original_len, r, "rope.scaling.original_context_length", false, 1, MDL_SEQ_MAX);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    rope->scaling = scaling;
    switch (scaling) {
    case MDL_SCALING_LINEAR:
        return read_linear(rope, r, said);
    case MDL_SCALING_YARN:
        return read_yarn(rope, r);
    case MDL_SCALING_LONGROPE:
        return read_longrope(c, r);
    default:
        return CHOIR_OK;
    }
}

choir_status mdl_gguf_rope(struct mdl_config *c, const struct mdl_gguf_reader *r)
{
    c->rope[0].theta = 10000;
    choir_status status = mdl_gguf_real(&c->rope[0].theta, r, "rope.freq_base", false, NULL);
    if (status == CHOIR_OK) {
        status = read_scaling(c, r);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    double local = c->arch->local_theta != 0 ? c->arch->local_theta : c->rope[0].theta;
    if (!c->arch->local_rope_plain) {
        c->rope[1] = c->rope[0];
    }
    status = mdl_gguf_real(&local, r, "rope.freq_base_swa", false, NULL);
    c->rope[1].theta = local;
    return status;
}
