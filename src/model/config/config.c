/* Settings of a model: which reader a container has, and the checks of the fields against each other. */
#include "model/config/config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fmath.h"
#include "model/config/read.h"

static choir_status finish_heads(struct mdl_config *c, const struct mdl_spelling *s, choir_error *err)
{
    if (c->n_heads % c->n_kv_heads != 0) {
        return base_fail(err, CHOIR_FILE, "%s: %d attention heads not divisible by %d key/value heads", s->file,
                         c->n_heads, c->n_kv_heads);
    }
    if (c->head_dim == 0) {
        if (c->dim % c->n_heads != 0) {
            return base_fail(err, CHOIR_FILE, "%s: %s%s %d not divisible by %d attention heads", s->file, s->prefix,
                             s->dim, c->dim, c->n_heads);
        }
        c->head_dim = c->dim / c->n_heads;
        if (c->head_dim > MDL_HEAD_DIM_MAX || c->head_dim % 2 != 0) {
            return base_fail(err, CHOIR_FILE, "%s: %s%s %d of %d heads: head size %d must be even, at most %d", s->file,
                             s->prefix, s->dim, c->dim, c->n_heads, c->head_dim, MDL_HEAD_DIM_MAX);
        }
    }
    if (c->head_dim % 2 != 0) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: %d must be even", s->file, s->prefix, s->head_dim, c->head_dim);
    }
    return CHOIR_OK;
}

static choir_status check_scaling(const struct mdl_rope *rope, const struct mdl_spelling *s, choir_error *err)
{
    if (!isfinite((float)rope->factor) || rope->factor <= 0) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: factor %g must be finite and above 0", s->file, s->prefix,
                         s->rope_scaling, rope->factor);
    }
    /* The blend between the two bands divides by their difference (and a wavelength by each). */
    if (rope->scaling == MDL_SCALING_LLAMA3 &&
        !(rope->low_freq > 0 && rope->high_freq > rope->low_freq && isfinite(rope->high_freq))) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: low_freq_factor %g, high_freq_factor %g: 0 < low < high needed",
                         s->file, s->prefix, s->rope_scaling, rope->low_freq, rope->high_freq);
    }
    if (rope->scaling == MDL_SCALING_YARN &&
        !(rope->beta_slow > 0 && rope->beta_fast >= rope->beta_slow && isfinite(rope->beta_fast))) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: beta_slow %g, beta_fast %g: 0 < slow <= fast needed", s->file,
                         s->prefix, s->rope_scaling, rope->beta_slow, rope->beta_fast);
    }
    if (!isfinite((float)rope->magnitude) || rope->magnitude <= 0) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: attention factor %g must be finite and above 0", s->file,
                         s->prefix, s->rope_scaling, rope->magnitude);
    }
    return CHOIR_OK;
}

static choir_status finish_rope(struct mdl_config *c, const struct mdl_spelling *s, choir_error *err)
{
    if (c->rope_dim == 0) {
        c->rope_dim = c->head_dim;
    }
    if (c->rope_dim > c->head_dim) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: %d exceeds head size %d", s->file, s->prefix, s->rope_dim,
                         c->rope_dim, c->head_dim);
    }
    if (c->rope_dim % 2 != 0) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: %d must be even", s->file, s->prefix, s->rope_dim, c->rope_dim);
    }
    if (c->rope[1].theta == 0) {
        c->rope[1] = c->rope[0];
    }
    choir_status status = CHOIR_OK;
    for (int i = 0; i < MDL_ROPE_KINDS && status == CHOIR_OK; i++) {
        if (!isfinite((float)c->rope[i].theta) || c->rope[i].theta < 1) {
            return base_fail(err, CHOIR_FILE, "%s: %s%s: %g must be finite and at least 1", s->file, s->prefix,
                             s->rope_theta, c->rope[i].theta);
        }
        if (c->rope[i].scaling != MDL_SCALING_NONE) {
            status = check_scaling(&c->rope[i], s, err);
        }
        /* as GGUF holds them: a folder and the file made of it give the same bits */
        c->rope[i].theta = (double)(float)c->rope[i].theta;
        c->rope[i].factor = (double)(float)c->rope[i].factor;
        c->rope[i].magnitude = (double)(float)c->rope[i].magnitude;
    }
    return status;
}

/* What dynamic and yarn stretch a model to, where the file says only what it came from. */
static void stretch(struct mdl_config *c)
{
    const struct mdl_rope *rope = &c->rope[0];
    if (rope->scaling != MDL_SCALING_DYNAMIC && rope->scaling != MDL_SCALING_YARN) {
        return;
    }
    const double len = rope->original_len * rope->factor;
    if (len > c->max_seq_len) {
        c->max_seq_len = len < MDL_SEQ_MAX ? (int32_t)len : MDL_SEQ_MAX;
    }
}

/* A window that no layer has is none. */
static void finish_window(struct mdl_config *c)
{
    for (int32_t l = 0; l < c->n_layers; l++) {
        if (c->sliding_window > 0 && mdl_is_windowed(c, l)) {
            return;
        }
    }
    c->sliding_window = 0;
    memset(c->windowed, 0, sizeof c->windowed);
}

static choir_status check_caps(const struct mdl_config *c, const struct mdl_spelling *s, choir_error *err)
{
    const float caps[] = {c->attn_softcap, c->logit_softcap};
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        if (!isfinite(caps[i]) || caps[i] < 0) {
            return base_fail(err, CHOIR_FILE, "%s: %s%s_logit_softcapping: %g must be finite, 0 or more", s->file,
                             s->prefix, i == 0 ? "attn" : "final", (double)caps[i]);
        }
    }
    return CHOIR_OK;
}

int32_t mdl_config_head_dim(const struct mdl_config *c)
{
    const int32_t n = c->head_dim > 0 ? c->head_dim : c->dim / c->n_heads;
    return n < MDL_HEAD_DIM_MAX ? n : MDL_HEAD_DIM_MAX;
}

double mdl_yarn_magnitude(double factor, double m)
{
    return factor > 1 && isfinite(factor) ? 1 + 0.1 * m * fmath_log(factor) : 1;
}

double mdl_longrope_magnitude(double factor, int32_t original_len)
{
    return factor > 1 && isfinite(factor) && original_len > 1 ? sqrt(1 + fmath_log(factor) / fmath_log(original_len))
                                                              : 1;
}

void mdl_config_from_arch(struct mdl_config *c, const struct mdl_arch *arch)
{
    c->arch = arch;
    c->norm = arch->norm;
    c->pre_norm = !arch->no_pre_norm;
    c->post_norm = arch->post_norm;
    c->qk_norm = arch->qk_norm;
    c->parallel = arch->parallel;
    c->gated = !arch->ungated;
    c->activation = arch->activation;
    c->position = arch->position;
    c->shared_gated = arch->shared_gated;
}

choir_status mdl_config_finish(struct mdl_config *c, const struct mdl_spelling *s, choir_error *err)
{
    choir_status status = finish_heads(c, s, err);
    if (status == CHOIR_OK && c->position == MDL_POSITION_ROPE) {
        status = finish_rope(c, s, err);
    }
    if (status == CHOIR_OK) {
        status = check_caps(c, s, err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    if (!(s->norm_eps_value >= 0 && s->norm_eps_value <= 1)) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: %g must be between 0 and 1", s->file, s->prefix, s->norm_eps,
                         s->norm_eps_value);
    }
    c->norm_eps = (float)s->norm_eps_value;
    if (c->attn_scale == 0) {
        c->attn_scale = 1.0f / sqrtf((float)c->head_dim);
    }
    if (c->arch->embed_by_sqrt_dim) {
        c->embed_scale = sqrtf((float)c->dim);
    }
    stretch(c);
    finish_window(c);
    return CHOIR_OK;
}

choir_status mdl_config_check_id(const struct mdl_config *c, const char *file, const char *key, int64_t id,
                                 choir_error *err)
{
    if (id < 0 || id >= c->vocab_size) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %" PRId64 ", vocabulary has %d", file, key, id, c->vocab_size);
    }
    return CHOIR_OK;
}

bool mdl_config_add_eos(struct mdl_config *c, int32_t id)
{
    for (int32_t i = 0; i < c->n_eos; i++) {
        if (c->eos_ids[i] == id) {
            return true;
        }
    }
    if (c->n_eos == MDL_EOS_CAP) {
        return false;
    }
    c->eos_ids[c->n_eos++] = id;
    return true;
}

choir_status mdl_config_read(struct mdl_config *c, const struct wts_set *set, choir_error *err)
{
    memset(c, 0, sizeof *c);
    c->bos_id = -1;
    c->embed_scale = 1;
    for (int i = 0; i < MDL_ROPE_KINDS; i++) {
        c->rope[i] = (struct mdl_rope){.factor = 1, .magnitude = 1};
    }
    switch (set->container) {
    case WTS_HF:
        return mdl_config_read_hf(c, set, err);
    case WTS_GGUF:
        return mdl_config_read_gguf(c, set, err);
    case WTS_LLAMA2C:
        return mdl_config_read_llama2c(c, set, err);
    }
    return base_fail(err, CHOIR_INTERNAL, "%s: container %d has no reader", set->path, (int)set->container);
}
