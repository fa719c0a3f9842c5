/* choir heads report: measuring the rows. */
#include "cli/heads/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { WINDOW = 256, WINDOW_LEAST = 8, WINDOWS = 16 };

/* A window while it is replayed. */
typedef struct watch {
    heads_report_data *r;
    const int32_t *ids;
    int32_t n;
} watch;

/* seen: of the n tokens the last ones, which the layer's window reaches. */
static void measure_spread(head_figures *f, const float *w, int32_t n, int32_t seen)
{
    double entropy = 0, distance = 0, most = 0;
    for (int32_t k = n - seen; k < n; k++) {
        const double p = (double)w[k];
        entropy -= p > 0 ? p * log2(p) : 0;
        distance += p * (n - 1 - k);
        most = p > most ? p : most;
    }
    f->entropy += entropy;
    f->share += seen > 1 ? entropy / log2((double)seen) : 0;
    f->distance += distance;
    f->sharpness += most;
    f->sink += (double)w[0];
    f->previous += (double)w[n - 2];
    f->self += (double)w[n - 1];
    for (int32_t d = 0; d < REPORT_DISTANCES && d < n; d++) {
        f->at[d] += (double)w[n - 1 - d];
    }
}

/* Mass on earlier tokens with the id of the query, and on the tokens that followed them. */
static void measure_repeats(head_figures *f, const int32_t *ids, const float *w, int32_t n)
{
    const int32_t id = ids[n - 1];
    double same = 0, after = 0;
    bool any = false, any_after = false;
    for (int32_t k = 0; k < n - 1; k++) {
        if (ids[k] == id) {
            any = true;
            same += (double)w[k];
            any_after = any_after || k + 1 < n - 1;
            after += k + 1 < n - 1 ? (double)w[k + 1] : 0;
        }
    }
    f->n_same += any;
    f->same += same;
    f->n_induction += any_after;
    f->induction += after;
}

static void on_attention(void *user, choir_seen seen, int32_t head, const float *weights, int32_t n)
{
    const watch *v = user;
    heads_report_data *r = v->r;
    const int32_t at = seen.layer * r->text.s->info.n_heads + head;
    if (n < 2) {
        return;
    }
    head_figures *f = &r->figures[at];
    const int32_t window = choir_model_window(r->text.s->model, seen.layer);
    f->n_rows++;
    measure_spread(f, weights, n, window > 0 && window < n ? window : n);
    measure_repeats(f, v->ids, weights, n);
    const int32_t query = heads_similarity_index(&r->similarity, seen.pos, v->n);
    if (query >= 0) {
        heads_similarity_row(&r->similarity, query, at, weights, n);
    }
}

/* ---- figures ---- */

static const char *kind_of(const head_figures *f)
{
    const uint64_t enough = 10;
    return f->share >= 0.98                                  ? "uniform"
           : f->previous >= 0.4                              ? "previous-token"
           : f->n_induction >= enough && f->induction >= 0.4 ? "induction"
           : f->n_same >= enough && f->same >= 0.4           ? "same-token"
           : f->sink >= 0.4                                  ? "sink"
           : f->self >= 0.4                                  ? "self"
           : f->at[f->fixed] >= 0.4                          ? "positional"
           : f->local >= 0.6                                 ? "local"
           : f->share >= 0.75                                ? "broad"
                                                             : "mixed";
}

/* Sums become means. */
static void finish(head_figures *f)
{
    const double n = f->n_rows > 0 ? (double)f->n_rows : 1;
    double *const means[] = {&f->entropy, &f->share, &f->distance, &f->sink, &f->previous, &f->self, &f->sharpness};
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++) {
        *means[i] /= n;
    }
    f->same /= f->n_same > 0 ? (double)f->n_same : 1;
    f->induction /= f->n_induction > 0 ? (double)f->n_induction : 1;
    f->fixed = 2;
    for (int d = 0; d < REPORT_DISTANCES; d++) {
        f->at[d] /= n;
        f->local += d < 5 ? f->at[d] : 0;
        f->fixed = d > 2 && f->at[d] > f->at[f->fixed] ? d : f->fixed;
    }
    f->kind = kind_of(f);
}

layer_similarity heads_layer_similarity(const heads_report_data *r, int32_t layer)
{
    const choir_model_info *m = &r->text.s->info;
    const int32_t n = m->n_heads, group = n / m->n_kv_heads;
    double inside = 0, across = 0;
    int64_t n_inside = 0, n_across = 0;
    for (int32_t a = 0; a < n; a++) {
        for (int32_t b = a + 1; b < n; b++) {
            const double d = heads_similarity_of(&r->similarity, layer * n + a, layer * n + b);
            const bool same = a / group == b / group;
            *(same ? &inside : &across) += d;
            *(same ? &n_inside : &n_across) += 1;
        }
    }
    return (layer_similarity){.inside = inside / (double)n_inside,
                              .across = across / (double)n_across,
                              .all = (inside + across) / (double)(n_inside + n_across)};
}

bool heads_is_collapsed(const heads_report_data *r, int32_t layer)
{
    return r->text.s->info.n_heads > 1 && heads_layer_similarity(r, layer).all < 0.02;
}

bool heads_is_uniform(const heads_report_data *r, int32_t layer)
{
    const int32_t n = r->text.s->info.n_heads;
    bool all = true;
    for (int32_t h = 0; h < n; h++) {
        all = all && strcmp(r->figures[layer * n + h].kind, "uniform") == 0;
    }
    return all;
}

int heads_closest(head_pair pairs[REPORT_CLOSEST], const heads_report_data *r)
{
    int n = 0;
    for (int32_t a = 0; a < r->similarity.n_heads; a++) {
        for (int32_t b = a + 1; b < r->similarity.n_heads; b++) {
            const double d = heads_similarity_of(&r->similarity, a, b);
            int at = n < REPORT_CLOSEST ? n++ : REPORT_CLOSEST;
            for (; at > 0 && pairs[at - 1].divergence > d; at--) {
                if (at < REPORT_CLOSEST) {
                    pairs[at] = pairs[at - 1];
                }
            }
            if (at < REPORT_CLOSEST) {
                pairs[at] = (head_pair){a, b, d};
            }
        }
    }
    return n;
}

/* ---- the run ---- */

static choir_status open_report(heads_report_data *r, choir_error *err)
{
    session *s = r->text.s;
    const int32_t wanted = s->opt->ctx_size > 0 ? s->opt->ctx_size : WINDOW;
    const int32_t n_heads = s->info.n_layers * s->info.n_heads;
    r->window = wanted < s->info.max_seq_len ? wanted : s->info.max_seq_len;
    r->window = r->window < r->text.n_ids ? r->window : r->text.n_ids;
    if (r->window < WINDOW_LEAST) {
        return base_fail(err, CHOIR_PROMPT, "a window of %d token%s says nothing of heads: %d or more do",
                         (int)r->window, r->window == 1 ? "" : "s", WINDOW_LEAST);
    }
    r->n_windows = (r->text.n_ids + r->window - 1) / r->window;
    if (r->text.n_ids % r->window > 0 && r->text.n_ids % r->window < WINDOW_LEAST) {
        r->n_windows--;
    }
    const int32_t most = s->opt->chunks > 0 ? s->opt->chunks : WINDOWS;
    r->n_windows = r->n_windows < most ? r->n_windows : most;
    r->figures = calloc((size_t)n_heads, sizeof *r->figures);
    if (!r->figures) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for the figures of %d heads", (int)n_heads);
    }
    choir_status status = heads_text_engine(&r->text, r->window, 0, err);
    const choir_tap tap = {.attention = on_attention};
    status = status ? status
                    : heads_room(&r->text, &tap, heads_similarity_bytes(n_heads, r->window), "comparing heads takes",
                                 "use a smaller --ctx-size", err);
    return status ? status : heads_similarity_open(&r->similarity, n_heads, r->window, err);
}

static choir_status run(heads_report_data *r, choir_error *err)
{
    choir_status status = CHOIR_OK;
    choir_tap tap = {.attention = on_attention};
    progress bar;
    char where[40];
    /* the token that begins a text begins each window */
    const int32_t bos = r->text.ids[0] == r->text.s->info.bos_id ? r->text.ids[0] : -1;
    progress_begin(&bar, &r->text.s->term, "looking");
    bar.after = where;
    for (int32_t i = 0; !status && i < r->n_windows; i++) {
        int32_t *ids = r->text.ids + (size_t)i * (size_t)r->window;
        const int32_t left = r->text.n_ids - i * r->window;
        watch v = {.r = r, .ids = ids, .n = left < r->window ? left : r->window};
        ids[0] = bos >= 0 ? bos : ids[0];
        tap.user = &v;
        snprintf(where, sizeof where, "window %d of %d", (int)i + 1, (int)r->n_windows);
        progress_draw(&bar, (uint64_t)i, (uint64_t)r->n_windows);
        status = heads_replay(&r->text, ids, v.n, &tap, err);
        heads_similarity_add(&r->similarity);
        r->n_tokens += v.n;
    }
    progress_end(&bar);
    for (int32_t i = 0; i < r->similarity.n_heads; i++) {
        finish(&r->figures[i]);
    }
    return status;
}

choir_status heads_report(session *s, choir_error *err)
{
    heads_report_data r = {.text.s = s};
    choir_status status = heads_files_check(s, err);
    status = status ? status : heads_text_read(&r.text, s, err);
    status = status ? status : open_report(&r, err);
    status = status ? status : run(&r, err);
    if (!status && s->opt->html) {
        status = heads_page_report(&r, err);
    }
    if (!status && s->opt->json) {
        status = heads_report_json(&r, err);
    } else if (!status && !s->opt->html) {
        heads_report_table(&r);
    }
    heads_similarity_close(&r.similarity);
    free(r.figures);
    heads_text_close(&r.text);
    return status;
}
