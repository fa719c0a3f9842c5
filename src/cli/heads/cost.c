/* choir heads cost: what attention takes, from a model's shape alone: parameters, operations, keys and values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/heads.h"
#include "cli/report.h"

/* Operations (two a multiply-add) of all layers. */
typedef struct work {
    double projections, scores, mixing;
} work;

typedef struct cost {
    const choir_model_info *m;
    int32_t ctx;
    double kv_number; /* bytes of a cached number, scales included */
    int32_t kept;     /* tokens that the cache holds: where every layer sees a window only, no more than that */
    work token, text; /* the token at the end of the context; all tokens up to it */
} cost;

/* Bytes of one key, by how the cache stores it: Q8_0 has 2 bytes of scale for up to 32 numbers. */
static double head_bytes(const char *type, int32_t head_dim)
{
    if (strcmp(type, "q8_0") == 0) {
        return (double)head_dim + 2.0 * ((head_dim + 31) / 32);
    }
    return (double)head_dim * (strcmp(type, "f32") == 0 ? 4 : 2);
}

/* Pairs of a query and a key: of the last token, and of all, in a layer that sees `window` tokens (0: all). */
static void count_pairs(double *last, double *all, double n, double window)
{
    const double w = window > 0 && window < n ? window : n;
    *last = w;
    *all = w * (w + 1) / 2 + (n - w) * w;
}

static cost make_cost(const session *s)
{
    const choir_model_info *m = &s->info;
    cost c = {.m = m, .ctx = s->opt->ctx_size > 0 ? s->opt->ctx_size : m->max_seq_len};
    const double q_dim = (double)m->n_heads * m->head_dim, n = c.ctx;
    double last, all, last_near, all_near;
    count_pairs(&last, &all, n, 0);
    count_pairs(&last_near, &all_near, n, m->sliding_window);
    const double near = m->n_windowed, far = m->n_layers - m->n_windowed;
    c.kept = m->n_windowed == m->n_layers && m->sliding_window < c.ctx ? m->sliding_window : c.ctx;
    c.kv_number = head_bytes(s->opt->kv_type, m->head_dim) / m->head_dim;
    c.token.projections = 2.0 * (double)(m->n_wq + m->n_wk + m->n_wv + m->n_wo);
    c.token.scores = c.token.mixing = 2 * q_dim * (near * last_near + far * last);
    c.text.projections = n * c.token.projections;
    c.text.scores = c.text.mixing = 2 * q_dim * (near * all_near + far * all);
    return c;
}

static double kv_bytes(const cost *c, int32_t n_kv_heads, double tokens)
{
    return 2 * (double)n_kv_heads * c->m->head_dim * c->kv_number * c->m->n_layers * tokens;
}

/* ---- as a table ---- */

static const char *with_unit(char dst[BYTES_CAP], double n)
{
    return format_bytes(dst, BYTES_CAP, (uint64_t)(n + 0.5));
}

static void print_parameters(paper *p, const cost *c)
{
    const choir_model_info *m = c->m;
    const struct {
        const char *name;
        uint64_t n;
    } rows[] = {{"W_Q", m->n_wq},
                {"W_K", m->n_wk},
                {"W_V", m->n_wv},
                {"W_O", m->n_wo},
                {"attention", m->n_wq + m->n_wk + m->n_wv + m->n_wo}};
    char count[BYTES_CAP];
    paper_print(p, "%-15s %11s %12s\n", "parameters", "a layer", "all layers");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        paper_print(p, "  %-13s %11llu %12llu", rows[i].name, (unsigned long long)(rows[i].n / (uint64_t)m->n_layers),
                    (unsigned long long)rows[i].n);
        if (p->columns >= 60) {
            paper_print(p, "  %-8s", format_count(count, sizeof count, rows[i].n));
        }
        paper_print(p, " %5.1f %%\n", m->n_params > 0 ? 100 * (double)rows[i].n / (double)m->n_params : 0);
    }
}

static void print_work(paper *p, const cost *c)
{
    const struct {
        const char *name;
        double token, text;
    } rows[] = {{"projections", c->token.projections, c->text.projections},
                {"scores", c->token.scores, c->text.scores},
                {"mixing", c->token.mixing, c->text.mixing}};
    paper_print(p, "%-15s %11s %12s\n", "operations", "last token", "whole text");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        paper_print(p, "  %-13s %11.4g %12.4g\n", rows[i].name, rows[i].token, rows[i].text);
    }
}

/* What so many key/value heads are called; in a narrow window, which are the model's. */
static const char *form(const choir_model_info *m, int32_t g, int columns)
{
    const bool own = g == m->n_kv_heads;
    if (columns < 70) {
        return own ? "in use" : "";
    }
    if (g == m->n_heads) {
        return own ? "multi-head, the model's" : "multi-head";
    }
    if (g == 1) {
        return own ? "multi-query, the model's" : "multi-query";
    }
    return own ? "grouped-query, the model's" : "grouped-query";
}

static void print_cache(paper *p, const session *s, const cost *c)
{
    char all[BYTES_CAP], token[BYTES_CAP];
    paper_print(p, "%-15s %11s %12s  (%s)\n", "key/value heads", "a token",
                c->kept < c->ctx ? "a window" : "all tokens", s->opt->kv_type);
    for (int32_t g = c->m->n_heads; g >= 1; g--) {
        if (c->m->n_heads % g == 0) {
            paper_print(p, "  %-13d %11s %12s  %s\n", (int)g, with_unit(token, kv_bytes(c, g, 1)),
                        with_unit(all, kv_bytes(c, g, c->kept)), form(c->m, g, p->columns));
        }
    }
}

static void print_table(session *s, const cost *c)
{
    const choir_model_info *m = c->m;
    char name[BASE_ESCAPE_CAP], windowed[64] = "";
    paper p = paper_open(s);
    if (m->n_windowed > 0) {
        snprintf(windowed, sizeof windowed, ", %d layer%s the last %d", (int)m->n_windowed,
                 m->n_windowed == 1 ? " sees" : "s see", (int)m->sliding_window);
    }
    paper_prose(&p, "%s: %s, %d layers, dim %d, %d query heads of %d, %d key/value head%s; %d tokens%s",
                base_escape_str(name, m->path), m->heads, (int)m->n_layers, (int)m->dim, (int)m->n_heads,
                (int)m->head_dim, (int)m->n_kv_heads, m->n_kv_heads == 1 ? "" : "s", (int)c->ctx, windowed);
    paper_print(&p, "\n");
    print_parameters(&p, c);
    paper_print(&p, "\n");
    print_work(&p, c);
    paper_print(&p, "\n");
    print_cache(&p, s, c);
    paper_close(&p);
}

/* ---- as JSON ---- */

static json_t *work_json(const work *w)
{
    return json_pack("{s:f, s:f, s:f}", "projections", w->projections, "scores", w->scores, "mixing", w->mixing);
}

static json_t *cost_json(const session *s, const cost *c)
{
    const choir_model_info *m = c->m;
    const json_int_t layers = m->n_layers;
    json_t *forms = json_array();
    for (int32_t g = m->n_heads; forms && g >= 1; g--) {
        if (m->n_heads % g == 0) {
            json_add(&forms, json_pack("{s:i, s:f, s:f}", "n_kv_heads", (int)g, "token_bytes", kv_bytes(c, g, 1),
                                       "bytes", kv_bytes(c, g, c->kept)));
        }
    }
    const json_int_t wq = (json_int_t)m->n_wq, wk = (json_int_t)m->n_wk, wv = (json_int_t)m->n_wv,
                     wo = (json_int_t)m->n_wo;
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:{s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, "
                     "s:I}, s:o, s:o, s:i, s:f, s:o}",
                     "heads", m->heads, "n_layers", (int)m->n_layers, "dim", (int)m->dim, "n_heads", (int)m->n_heads,
                     "n_kv_heads", (int)m->n_kv_heads, "head_dim", (int)m->head_dim, "ctx_size", (int)c->ctx, "kv_type",
                     s->opt->kv_type, "parameters", "wq", wq, "wk", wk, "wv", wv, "wo", wo, "total", wq + wk + wv + wo,
                     "parameters_layer", "wq", wq / layers, "wk", wk / layers, "wv", wv / layers, "wo", wo / layers,
                     "total", (wq + wk + wv + wo) / layers, "operations_token", work_json(&c->token), "operations_text",
                     work_json(&c->text), "kv_tokens", (int)c->kept, "kv_bytes", kv_bytes(c, m->n_kv_heads, c->kept),
                     "kv_forms", forms);
}

/* The folder of PATH/config.json, which is what models are opened by; other paths as they are. */
static char *folder_of(const char *path)
{
    static const char file[] = "config.json";
    const size_t n = strlen(path), tail = sizeof file - 1;
    if (n < tail || strcmp(path + n - tail, file) != 0 || (n > tail && path[n - tail - 1] != '/')) {
        return strdup(path);
    }
    return n == tail ? strdup(".") : strndup(path, n - tail);
}

choir_status heads_cost(session *s, choir_error *err)
{
    options own = *s->opt;
    const options *before = s->opt;
    const char *path = own.n_args > 1 ? own.args[1] : own.model;
    char *folder = path ? folder_of(path) : NULL;
    if (own.n_args > 1 && own.model) {
        free(folder);
        return base_fail(err, CHOIR_USAGE, "heads cost takes one model");
    }
    if (path && !folder) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    own.model = folder;
    s->opt = &own;
    choir_status status = session_open_model(s, true, err);
    s->opt = before;
    free(folder);
    if (status) {
        return status;
    }
    const cost c = make_cost(s);
    if (s->opt->json) {
        return session_print_json(s, cost_json(s, &c), err);
    }
    print_table(s, &c);
    return CHOIR_OK;
}
