/* Opening and closing a model: plan, one arena, parts loaded into it. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "model/bind.h"
#include "model/rope.h"

/* The arena and where everything in it goes. */
static choir_status lay_out(struct mdl_model *m, const struct mdl_plan *plan, choir_error *err)
{
    if (plan->arena_bytes > SIZE_MAX) {
        return base_fail_memory(err, SIZE_MAX, "the weights");
    }
    choir_status status = base_arena_map(&m->arena, (size_t)plan->arena_bytes, true, "the weights", err);
    if (status != CHOIR_OK) {
        return status;
    }
    m->layers = base_arena_take(&m->arena, (size_t)m->config.n_layers * sizeof *m->layers);
    m->weight_bytes = plan->weight_bytes;
    for (int32_t l = 0; l < m->config.n_layers; l++) {
        const bool windowed = mdl_is_windowed(&m->config, l);
        m->layers[l].window = windowed ? m->config.sliding_window : 0;
        m->layers[l].rope = windowed ? 1 : 0;
        if (mdl_is_routed(&m->config, l)) {
            m->layers[l].experts = base_arena_take(&m->arena, (size_t)m->config.n_experts * sizeof(struct mdl_ffn));
        }
    }
    return CHOIR_OK;
}

/* Frequencies that no position should have (a file with an absurd scaling) are refused. */
static choir_status check_rope(const struct mdl_model *m, const struct wts_set *set, choir_error *err)
{
    const struct mdl_config *c = &m->config;
    size_t n = (size_t)c->rope_dim / 2;
    double *inv_freq = base_array(n > 0 ? n : 1, sizeof *inv_freq);
    if (inv_freq == NULL) {
        return base_fail_memory(err, n * sizeof *inv_freq, "frequencies");
    }
    bool in_range = true;
    for (int kind = 0; kind < MDL_ROPE_KINDS; kind++) {
        mdl_rope_inv_freq(inv_freq, c, kind, c->max_seq_len, m->rope_freqs);
        in_range = in_range && mdl_rope_in_range(inv_freq, c, c->max_seq_len);
    }
    free(inv_freq);
    return in_range ? CHOIR_OK
                    : base_fail(err, CHOIR_FILE, "%s: RoPE angles out of range over a context of %d tokens",
                                set->model_file, c->max_seq_len);
}

choir_status mdl_open(struct mdl_model **out, const struct mdl_config *config, struct wts_set *set,
                      const struct mdl_load_options *opt, choir_error *err)
{
    *out = NULL;
    struct mdl_plan plan;
    choir_status status = mdl_plan_make(&plan, config, set, opt, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct mdl_model *m = calloc(1, sizeof *m);
    if (m == NULL) {
        mdl_plan_free(&plan);
        return base_fail_memory(err, sizeof *m, "the model");
    }
    m->config = *config;
    status = lay_out(m, &plan, err);
    if (status == CHOIR_OK) {
        status = mdl_load_parts(m, &plan, opt, err);
    }
    mdl_plan_free(&plan);
    if (status == CHOIR_OK) {
        status = check_rope(m, set, err);
    }
    if (status != CHOIR_OK) {
        mdl_close(m);
        return status;
    }
    if (config->tied_output) {
        m->output = m->embed;
    }
    *out = m;
    return CHOIR_OK;
}

void mdl_close(struct mdl_model *m)
{
    if (m != NULL) {
        base_arena_unmap(&m->arena);
        free(m);
    }
}

choir_status mdl_plan_bytes(const struct mdl_config *config, const struct wts_set *set,
                            const struct mdl_load_options *opt, uint64_t *bytes, choir_error *err)
{
    struct mdl_load_options quiet = *opt;
    quiet.warn = NULL;
    struct mdl_plan plan;
    *bytes = 0;
    choir_status status = mdl_plan_make(&plan, config, set, &quiet, err);
    if (status == CHOIR_OK) {
        *bytes = plan.arena_bytes + sizeof(struct mdl_model);
        mdl_plan_free(&plan);
    }
    return status;
}
