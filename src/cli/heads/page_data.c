/* What the pages show. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/page.h"

static json_t *numbers(const int32_t *x, int32_t n)
{
    json_t *list = json_array();
    for (int32_t i = 0; list && i < n; i++) {
        json_add(&list, json_integer(x[i]));
    }
    return list;
}

static double base64_bytes(const heads_maps *m)
{
    return (double)m->choice.n_layers * (double)m->choice.n_heads * (double)heads_page_base64_bound(heads_map_size(m));
}

double heads_page_map_room(const heads_maps *m)
{
    return 3 * base64_bytes(m); /* as JSON, and in a buffer that doubles */
}

choir_status heads_page_map_fits(const heads_maps *m, choir_error *err)
{
    char rows_of[HEADS_ROWS_CAP];
    const double bytes = base64_bytes(m);
    return bytes <= PAGE_MOST
               ? CHOIR_OK
               : base_fail(err, CHOIR_RESOURCE,
                           "--html: %d maps of %s make a page of %.0f MB, the most is %.0f: choose fewer with --layer, "
                           "--head and --from, or a shorter text",
                           (int)(m->choice.n_layers * m->choice.n_heads), heads_rows_text(rows_of, m), bytes / 1e6,
                           PAGE_MOST / 1e6);
}

choir_status heads_page_map(const heads_maps *m, const heads_text *t, choir_error *err)
{
    const heads_choice *c = &m->choice;
    json_t *maps = json_array();
    for (int32_t i = 0; maps && i < c->n_layers; i++) {
        for (int32_t j = 0; maps && j < c->n_heads; j++) {
            json_add(&maps, heads_page_base64(heads_row(m, i, j, m->from), heads_map_size(m)));
        }
    }
    return heads_page_write(
        t->s, "map",
        json_pack("{s:o, s:o, s:i, s:i, s:o, s:o, s:o}", "tokens", heads_page_labels(t->s->model, t->ids, t->n_ids),
                  "ids", numbers(t->ids, t->n_ids), "n_prompt", (int)t->n_prompt, "from", (int)m->from, "layers",
                  numbers(c->layers, c->n_layers), "heads", numbers(c->heads, c->n_heads), "weights", maps),
        err);
}

/* ---- report ---- */

static json_t *distances(const head_figures *f)
{
    json_t *list = json_array();
    for (int d = 0; list && d < REPORT_DISTANCES; d++) {
        json_add(&list, json_real(f->at[d]));
    }
    return list;
}

static json_t *figures(const heads_report_data *r)
{
    json_t *list = json_array();
    for (int32_t i = 0; list && i < r->similarity.n_heads; i++) {
        const head_figures *f = &r->figures[i];
        json_add(&list,
                 json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:o}", "kind", f->kind,
                           "entropy", f->entropy, "share", f->share, "distance", f->distance, "sink", f->sink,
                           "previous", f->previous, "self", f->self, "same", f->same, "induction", f->induction,
                           "local", f->local, "sharpness", f->sharpness, "fixed", (int)f->fixed, "at", distances(f)));
    }
    return list;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *layers(const heads_report_data *r)
{
    json_t *list = json_array();
    for (int32_t l = 0; list && l < r->text.s->info.n_layers; l++) {
        const layer_similarity y = heads_layer_similarity(r, l);
        json_add(&list, json_pack("{s:o, s:o, s:b, s:b}", "inside", number(y.inside), "across", number(y.across),
                                  "collapsed", (int)heads_is_collapsed(r, l), "uniform", (int)heads_is_uniform(r, l)));
    }
    return list;
}

/* Divergences of each head from those behind it, row by row. */
static json_t *divergences(const heads_report_data *r)
{
    const int32_t n = r->similarity.n_heads;
    float *all = malloc(heads_triangle(n) * sizeof *all);
    size_t used = 0;
    for (int32_t a = 0; all && a < n; a++) {
        for (int32_t b = a + 1; b < n; b++) {
            all[used++] = (float)heads_similarity_of(&r->similarity, a, b);
        }
    }
    json_t *value = all ? heads_page_base64(all, used) : NULL;
    free(all);
    return value;
}

choir_status heads_page_report(const heads_report_data *r, choir_error *err)
{
    return heads_page_write(r->text.s, "report",
                            json_pack("{s:i, s:I, s:i, s:o, s:o, s:o}", "window", (int)r->window, "tokens",
                                      (json_int_t)r->n_tokens, "windows", (int)r->n_windows, "figures", figures(r),
                                      "similarity", layers(r), "divergence", divergences(r)),
                            err);
}

/* ---- explain ---- */

static json_t *lenses(const explanation *x)
{
    const choir_model *model = x->text.s->model;
    json_t *list = json_array();
    for (int32_t l = 0; list && l <= x->text.s->info.n_layers; l++) {
        const lens *y = &x->lenses[l];
        json_t *probs = json_array();
        int32_t ids[LENS_TOP_MOST];
        for (int i = 0; i < x->n_top; i++) {
            ids[i] = y->top[i].id;
            json_add(&probs, json_real(exp(y->top[i].log_prob)));
        }
        json_add(&list,
                 json_pack("{s:I, s:f, s:o, s:o, s:o}", "rank", (json_int_t)y->rank, "p", exp(y->log_prob), "ids",
                           numbers(ids, x->n_top), "tokens", heads_page_labels(model, ids, x->n_top), "probs", probs));
    }
    return list;
}

static json_t *reals(const double *x, int32_t n)
{
    json_t *list = json_array();
    for (int32_t i = 0; list && i < n; i++) {
        json_add(&list, json_real(x[i]));
    }
    return list;
}

choir_status heads_page_explain(const explanation *x, choir_error *err)
{
    const heads_text *t = &x->text;
    const choir_model_info *m = &t->s->info;
    return heads_page_write(
        t->s, "explain",
        json_pack("{s:o, s:i, s:o, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o}", "tokens",
                  heads_page_labels(t->s->model, t->ids, t->n_ids), "n_prompt", (int)t->n_prompt, "token",
                  heads_page_labels(t->s->model, &x->id, 1), "id", (int)x->id, "p", exp(x->log_prob), "logit", x->logit,
                  "uncapped", x->uncapped, "most", x->most, "embedding", x->embedding, "bias", x->bias, "constant",
                  x->constant, "activations", x->activations, "rounding", x->rounding, "heads",
                  reals(x->heads, m->n_layers * m->n_heads), "feed_forward", reals(x->feed_forward, m->n_layers),
                  "lens", lenses(x)),
        err);
}
