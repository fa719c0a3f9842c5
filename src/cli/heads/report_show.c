/* The report as a table and as JSON. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "cli/heads/report.h"

/* A column of the table; in a window of fewer columns than `least` it is left out. */
static const struct {
    const char *name;
    size_t field; /* a double of head_figures */
    int width, digits, least;
} columns[] = {
    {"entropy", offsetof(head_figures, entropy), 7, 2, 78},   {"share", offsetof(head_figures, share), 5, 2, 0},
    {"distance", offsetof(head_figures, distance), 8, 1, 78}, {"sink", offsetof(head_figures, sink), 4, 2, 0},
    {"prev", offsetof(head_figures, previous), 4, 2, 0},      {"self", offsetof(head_figures, self), 4, 2, 0},
    {"same", offsetof(head_figures, same), 4, 2, 61},         {"induct", offsetof(head_figures, induction), 6, 2, 0},
    {"sharp", offsetof(head_figures, sharpness), 5, 2, 61},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static double figure_at(const head_figures *f, size_t field)
{
    return *(const double *)(const void *)((const char *)f + field);
}

static void print_heads(paper *p, const heads_report_data *r)
{
    const choir_model_info *m = &r->text.s->info;
    for (int32_t i = -1; i < m->n_layers * m->n_heads; i++) { /* -1: the heading */
        const head_figures *f = &r->figures[i < 0 ? 0 : i];
        char name[24] = "head", kind[32] = "kind";
        if (i >= 0) {
            const bool far = strcmp(f->kind, "positional") == 0;
            snprintf(name, sizeof name, "L%dH%d", (int)(i / m->n_heads), (int)(i % m->n_heads));
            snprintf(kind, sizeof kind, far ? "%s %d" : "%s", f->kind, (int)f->fixed);
        }
        paper_print(p, "%-7s %-14s", name, kind);
        for (int c = 0; c < N_COLUMNS; c++) {
            if (p->columns < columns[c].least) {
                continue;
            }
            if (i < 0) {
                paper_print(p, " %*s", columns[c].width, columns[c].name);
            } else {
                paper_print(p, " %*.*f", columns[c].width, columns[c].digits, figure_at(f, columns[c].field));
            }
        }
        paper_print(p, "\n");
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
            const double x = figure_at(&r->figures[i], rows[k].field);
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
    paper_print(p, "\n");
    paper_prose(p, "how different heads are (Jensen-Shannon divergence in bits: 0 alike, 1 apart)");
    paper_print(p, "%-7s %8s %8s\n", "layer", "in group", "across");
    for (int32_t l = 0; l < m->n_layers; l++) {
        const layer_similarity y = heads_layer_similarity(r, l);
        paper_print(p, "%-7d", (int)l);
        print_number(p, y.inside);
        print_number(p, y.across);
        paper_print(p, "\n");
    }
    const int n = heads_closest(pairs, r);
    paper_print(p, "most alike\n");
    for (int i = 0; i < n; i++) {
        char names[2][24];
        snprintf(names[0], sizeof names[0], "L%dH%d", (int)(pairs[i].a / m->n_heads), (int)(pairs[i].a % m->n_heads));
        snprintf(names[1], sizeof names[1], "L%dH%d", (int)(pairs[i].b / m->n_heads), (int)(pairs[i].b % m->n_heads));
        paper_print(p, "  %-7s %-7s %7.3f\n", names[0], names[1], pairs[i].divergence);
    }
}

static void print_verdict(paper *p, const heads_report_data *r)
{
    const int32_t n = r->text.s->info.n_layers;
    int32_t n_odd = 0;
    paper_print(p, "\n");
    for (int32_t l = 0; l < n; l++) {
        const bool uniform = heads_is_uniform(r, l), collapsed = heads_is_collapsed(r, l);
        if (uniform || collapsed) {
            paper_prose(p, "layer %d: %s", (int)l,
                        uniform ? "every head is uniform: it averages and looks at nothing"
                                : "the heads have collapsed: all look at the same");
        }
        n_odd += uniform || collapsed;
    }
    if (n_odd == 0) {
        paper_prose(p, "no layer's heads have collapsed, none is uniform");
    }
}

void heads_report_table(const heads_report_data *r)
{
    paper p = paper_open(r->text.s);
    paper_prose(&p, "%lld tokens in %d window%s of up to %d; means over their rows", (long long)r->n_tokens,
                (int)r->n_windows, r->n_windows == 1 ? "" : "s", (int)r->window);
    paper_print(&p, "\n");
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
