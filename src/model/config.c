/* Settings of a model: which reader a container has, and the checks of the fields against each other. */
#include "model/config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "model/config_read.h"

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
    if (!isfinite(c->rope[0].theta) || c->rope[0].theta < 1) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: %g must be finite and at least 1", s->file, s->prefix,
                         s->rope_theta, c->rope[0].theta);
    }
    if (c->rope[0].scaling == MDL_SCALING_NONE) {
        return CHOIR_OK;
    }
    if (!isfinite(c->rope[0].factor) || c->rope[0].factor <= 0) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: factor %g must be finite and above 0", s->file, s->prefix,
                         s->rope_scaling, c->rope[0].factor);
    }
    /* The blend between the two bands divides by their difference (and a wavelength by each). */
    if (c->rope[0].scaling == MDL_SCALING_LLAMA3 &&
        !(c->rope[0].low_freq > 0 && c->rope[0].high_freq > c->rope[0].low_freq && isfinite(c->rope[0].high_freq))) {
        return base_fail(err, CHOIR_FILE, "%s: %s%s: low_freq_factor %g, high_freq_factor %g: 0 < low < high needed",
                         s->file, s->prefix, s->rope_scaling, c->rope[0].low_freq, c->rope[0].high_freq);
    }
    return CHOIR_OK;
}

/* A window that no layer was named for is every layer's. */
static void window_layers(struct mdl_config *c)
{
    uint64_t any = 0;
    for (int i = 0; i < MDL_LAYERS_MAX / 64; i++) {
        any |= c->windowed[i];
    }
    if (c->sliding_window > 0 && any == 0) {
        memset(c->windowed, 0xff, sizeof c->windowed);
    }
}

choir_status mdl_config_finish(struct mdl_config *c, const struct mdl_spelling *s, choir_error *err)
{
    choir_status status = finish_heads(c, s, err);
    if (status == CHOIR_OK) {
        status = finish_rope(c, s, err);
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
    if (c->rope[1].theta == 0) {
        c->rope[1] = c->rope[0];
    }
    window_layers(c);
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
    c->pre_norm = c->gated = true;
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
