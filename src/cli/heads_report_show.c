/* The report as a table and as JSON. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "cli/heads_report.h"

static void print_heads(paper *p, const heads_report_data *r)
{
    const choir_model_info *m = &r->text.s->info;
    paper_print(p, "%-7s %-15s %7s %6s %8s %6s %6s %6s %6s %6s %6s\n", "head", "kind", "entropy", "share", "distance",
                "sink", "prev", "self", "same", "induct", "sharp");
    for (int32_t i = 0; i < m->n_layers * m->n_heads; i++) {
        const head_figures *f = &r->figures[i];
        char name[24], kind[32];
        snprintf(name, sizeof name, "L%dH%d", (int)(i / m->n_heads), (int)(i % m->n_heads));
        snprintf(kind, sizeof kind, "%s", f->kind);
        if (strcmp(f->kind, "positional") == 0) {
            snprintf(kind, sizeof kind, "positional %d", (int)f->fixed);
        }
        paper_print(p, "%-7s %-15s %7.2f %6.2f %8.1f %6.2f %6.2f %6.2f %6.2f %6.2f %6.2f\n", name, kind, f->entropy,
                    f->share, f->distance, f->sink, f->previous, f->self, f->same, f->induction, f->sharpness);
    }
}

/* The heads that do some things most. */
static void print_strongest(paper *p, const heads_report_data *r)
{
    static const struct {
        const char *name;
        size_t field;
    } rows[] = {{"the previous token", offsetof(head_figures, previous)},
                {"the first token (sink)", offsetof(head_figures, sink)},
                {"earlier same tokens", offsetof(head_figures, same)},
                {"what followed them (induction)", offsetof(head_figures, induction)}};
    const int32_t n_heads = r->text.s->info.n_heads;
    paper_print(p, "\n");
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        int32_t best = 0;
        double most = -1;
        for (int32_t i = 0; i < r->similarity.n_heads; i++) {
            const double x = *(const double *)(const void *)((const char *)&r->figures[i] + rows[k].field);
            best = x > most ? i : best;
            most = x > most ? x : most;
        }
        paper_print(p, "most on %-31s L%dH%d %.2f\n", rows[k].name, (int)(best / n_heads), (int)(best % n_heads), most);
    }
}

static void print_number(paper *p, double x)
{
    if (isnan(x)) {
        paper_print(p, " %8s", "-");
    } else {
        paper_print(p, " %8.3f", x);
    }
}

static void print_similarity(paper *p, const heads_report_data *r)
{
    const choir_model_info *m = &r->text.s->info;
    head_pair pairs[REPORT_CLOSEST];
    paper_print(p, "\nhow different heads are (Jensen-Shannon divergence in bits: 0 alike, 1 apart)\n%-7s %8s %8s\n",
                "layer", "in group", "across");
    for (int32_t l = 0; l < m->n_layers; l++) {
        const layer_similarity y = heads_layer_similarity(r, l);
        paper_print(p, "%-7d", (int)l);
        print_number(p, y.inside);
        print_number(p, y.across);
        paper_print(p, "\n");
    }
    const int n = heads_closest(pairs, r);
    paper_print(p, "most alike:");
    for (int i = 0; i < n; i++) {
        paper_print(p, "%s L%dH%d L%dH%d %.3f", i > 0 ? "," : "", (int)(pairs[i].a / m->n_heads),
                    (int)(pairs[i].a % m->n_heads), (int)(pairs[i].b / m->n_heads), (int)(pairs[i].b % m->n_heads),
                    pairs[i].divergence);
    }
    paper_print(p, "\n");
}

static void print_verdict(paper *p, const heads_report_data *r)
{
    const int32_t n = r->text.s->info.n_layers;
    int32_t n_odd = 0;
    paper_print(p, "\n");
    for (int32_t l = 0; l < n; l++) {
        const bool uniform = heads_is_uniform(r, l), collapsed = heads_is_collapsed(r, l);
        if (uniform || collapsed) {
            paper_print(p, "layer %d: %s\n", (int)l,
                        uniform ? "every head is uniform: it averages and looks at nothing"
                                : "the heads have collapsed: all look at the same");
        }
        n_odd += uniform || collapsed;
    }
    if (n_odd == 0) {
        paper_print(p, "no layer's heads have collapsed, none is uniform\n");
    }
}

void heads_report_table(const heads_report_data *r)
{
    paper p = {.out = &r->text.s->out};
    paper_print(&p, "%lld tokens in %d windows of up to %d; means over their rows\n\n", (long long)r->n_tokens,
                (int)r->n_windows, (int)r->window);
    print_heads(&p, r);
    print_strongest(&p, r);
    if (r->similarity.n_heads > 1) {
        print_similarity(&p, r);
    }
    print_verdict(&p, r);
    paper_close(&p);
}

/* ---- JSON ---- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *heads_json(const heads_report_data *r)
{
    const int32_t n_heads = r->text.s->info.n_heads;
    json_t *list = json_array();
    for (int32_t i = 0; list && i < r->similarity.n_heads; i++) {
        const head_figures *f = &r->figures[i];
        json_add(&list,
                 json_pack("{s:i, s:i, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:{s:i, s:f}}", "layer",
                           (int)(i / n_heads), "head", (int)(i % n_heads), "kind", f->kind, "entropy", f->entropy,
                           "entropy_share", f->share, "distance", f->distance, "sink", f->sink, "previous", f->previous,
                           "self", f->self, "same_token", f->same, "induction", f->induction, "local", f->local,
                           "sharpness", f->sharpness, "fixed", "distance", (int)f->fixed, "mass", f->at[f->fixed]));
    }
    return list;
}

static json_t *layers_json(const heads_report_data *r)
{
    json_t *list = json_array();
    for (int32_t l = 0; list && l < r->text.s->info.n_layers; l++) {
        const layer_similarity y = heads_layer_similarity(r, l);
        json_add(&list, json_pack("{s:i, s:o, s:o, s:b, s:b}", "layer", (int)l, "inside", number(y.inside), "across",
                                  number(y.across), "collapsed", (int)heads_is_collapsed(r, l), "uniform",
                                  (int)heads_is_uniform(r, l)));
    }
    return list;
}

/* Divergences of all heads from all heads. */
static json_t *matrix_json(const heads_report_data *r)
{
    const int32_t n = r->similarity.n_heads;
    json_t *rows = json_array();
    for (int32_t a = 0; rows && a < n; a++) {
        json_t *row = json_array();
        for (int32_t b = 0; row && b < n; b++) {
            json_add(&row, json_real(a == b ? 0 : heads_similarity_of(&r->similarity, a, b)));
        }
        json_add(&rows, row);
    }
    return rows;
}

choir_status heads_report_json(const heads_report_data *r, choir_error *err)
{
    const choir_model_info *m = &r->text.s->info;
    return session_print_json(r->text.s,
                              json_pack("{s:o, s:i, s:i, s:i, s:i, s:I, s:i, s:i, s:o, s:o, s:o}", "model",
                                        json_text(m->path, strlen(m->path)), "n_layers", (int)m->n_layers, "n_heads",
                                        (int)m->n_heads, "n_kv_heads", (int)m->n_kv_heads, "window", (int)r->window,
                                        "tokens", (json_int_t)r->n_tokens, "windows", (int)r->n_windows,
                                        "similarity_queries", (int)r->similarity.n_sums, "heads", heads_json(r),
                                        "layers", layers_json(r), "divergence", matrix_json(r)),
                              err);
}
