/* Between the residual stream x and the blocks: norm and pack on the way in, norm and add on the way back. */
#include "model/blocks.h"

enum { GRAIN_NUMBERS = 1 << 15 };

int mdl_grain(int64_t numbers_per_item)
{
    int64_t n = GRAIN_NUMBERS / (numbers_per_item > 0 ? numbers_per_item : 1);
    return n > 1 ? (int)n : 1;
}

void mdl_norm_token(const struct mdl_state *s, float *y, const float *x, struct mdl_norm norm)
{
    const struct mdl_config *c = &s->model->config;
    if (c->norm == MDL_NORM_LAYER) {
        s->kernels->layernorm(y, x, norm.w, norm.bias, c->dim, c->norm_eps);
    } else {
        s->kernels->rmsnorm(y, x, norm.w, c->dim, c->norm_eps);
    }
}

void mdl_read_stream(struct par_thread *me, struct mdl_state *s, int32_t layer, struct mdl_norm norm, unsigned forms)
{
    const size_t dim = (size_t)s->model->config.dim;
    const int n = s->batch->n_tokens;
    const float *from = norm.w != NULL ? s->xb : s->x;
    int begin, end;
    par_loop_begin(me, n, mdl_pack_unit(s, forms, n), mdl_grain((int64_t)dim));
    while (par_loop_next(me, &begin, &end)) {
        if (begin == 0 && atomic_load_explicit(s->cancel, memory_order_relaxed) != 0) {
            atomic_store(&s->stop_layer, layer);
        }
        for (int t = begin; norm.w != NULL && t < end; t++) {
            mdl_norm_token(s, s->xb + (size_t)t * dim, s->x + (size_t)t * dim, norm);
        }
        mdl_pack(s, s->act, forms, from, (int)dim, n, begin, end, 0, (int)dim);
    }
    par_loop_end(me);
}

void mdl_pack_shared(struct par_thread *me, struct mdl_state *s, const float *x, const struct mdl_job *jobs, int n_jobs,
                     int n_tokens)
{
    const int n_cols = jobs[0].w->n_cols;
    const unsigned forms = mdl_forms(s, jobs, n_jobs);
    const bool by_token = n_tokens >= 4 * me->n;
    int begin, end;
    if (by_token) {
        par_loop_begin(me, n_tokens, mdl_pack_unit(s, forms, n_tokens), mdl_grain(n_cols));
    } else {
        par_loop_begin(me, n_cols, KERN_ACT_COLS, mdl_grain(n_tokens));
    }
    while (par_loop_next(me, &begin, &end)) {
        if (by_token) {
            mdl_pack(s, s->act, forms, x, n_cols, n_tokens, begin, end, 0, n_cols);
        } else {
            mdl_pack(s, s->act, forms, x, n_cols, n_tokens, 0, n_tokens, begin, end);
        }
    }
    par_loop_end(me);
}

struct mdl_job mdl_result_job(struct mdl_state *s, const struct mdl_matrix *w, const float *bias)
{
    if (s->model->config.post_norm) {
        return (struct mdl_job){w, s->block, false, bias};
    }
    return (struct mdl_job){w, s->x, true, bias};
}

void mdl_add_result(struct par_thread *me, struct mdl_state *s, const float *norm)
{
    const struct mdl_config *c = &s->model->config;
    int begin, end;
    if (!c->post_norm) {
        return;
    }
    par_loop_begin(me, s->batch->n_tokens, 1, mdl_grain(c->dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int t = begin; t < end; t++) {
            const size_t at = (size_t)t * (size_t)c->dim;
            mdl_norm_token(s, s->xb + at, s->block + at, (struct mdl_norm){norm, NULL});
            s->kernels->add(s->x + at, s->xb + at, c->dim);
        }
    }
    par_loop_end(me);
}
