/* choir heads prune-scan: the run. */
#include "cli/heads_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/signals.h"

enum { CTX = 256, CHUNKS = 4, CURVE_MOST = 40, ROWS = 64, ROWS_NUMBERS = 1 << 25 };

/* ---- a measurement ---- */

/* Minus log-probabilities of the scored tokens of window i, to x->nll. */
static choir_status measure_window(heads_scan *x, int32_t i, choir_error *err)
{
    const ppl_windows *w = &x->windows;
    const int32_t n = w->ctx - 1; /* nothing is asked of the last token */
    double *out = x->nll + (size_t)i * (size_t)w->n_scored;
    memcpy(x->window, x->text.ids + ppl_window_start(w, i), (size_t)w->ctx * sizeof *x->window);
    if (x->text.ids[0] == x->text.s->info.bos_id) { /* a window begins as a text does */
        x->window[0] = x->text.ids[0];
    }
    choir_sequence_truncate(x->text.seq, 0);
    choir_status status = choir_sequence_append(x->text.seq, x->window, (size_t)n, err);
    for (int32_t done = 0; !status && done < n;) {
        status = signals_pending() ? fail(err, CHOIR_CANCELLED, "cancelled")
                                   : choir_engine_step(x->text.s->engine, &x->text.seq, 1, err);
        const int32_t now = choir_sequence_computed(x->text.seq), from = done > w->first ? done : w->first;
        if (!status && now > from) {
            status = choir_sequence_score(x->scores, x->text.seq, from, now - from, x->window + from + 1, NULL, err);
        }
        for (int32_t k = from; !status && k < now; k++) {
            out[k - w->first] = -x->scores[k - from].log_prob;
        }
        done = now;
    }
    return status;
}

/* With the first n of x->masked giving nothing. */
static choir_status measure(heads_scan *x, size_t n, choir_error *err)
{
    choir_sequence_truncate(x->text.seq, 0);
    choir_status status = choir_engine_mask_heads(x->text.s->engine, x->masked, n, err);
    for (int32_t i = 0; !status && i < x->windows.n; i++) {
        status = measure_window(x, i, err);
    }
    return status;
}

static ppl_estimate mean_of(const double *v, const double *less, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = v[i] - (less ? less[i] : 0);
        sum += d;
        squares += d * d;
    }
    const double mean = sum / (double)n, variance = squares / (double)n - mean * mean;
    return (ppl_estimate){mean, n > 1 && variance > 0 ? sqrt(variance / (double)(n - 1)) : 0};
}

static head_price price_of(const heads_scan *x, const double *nll, choir_head head, int32_t n_dropped)
{
    const ppl_estimate change = mean_of(nll, x->base, x->n_scored);
    return (head_price){head, n_dropped, exp(x->mean.value + change.value), change};
}

/* ---- all of them ---- */

static int by_price(const void *a, const void *b)
{
    const head_price *x = a, *y = b;
    if (x->change.value != y->change.value) {
        return x->change.value < y->change.value ? -1 : 1;
    }
    const int32_t layer = x->head.layer - y->head.layer, head = x->head.head - y->head.head;
    return layer != 0 ? layer : head;
}

/* Keeps the stream before each layer. */
static void on_stream(void *user, choir_seen seen, const float *y, int32_t dim)
{
    const heads_scan *x = user;
    const size_t layer = (size_t)(seen.layer + 1), tokens = (size_t)x->windows.ctx - 1;
    if (seen.layer + 1 < x->text.s->info.n_layers) {
        memcpy(x->streams + (layer * tokens + (size_t)seen.pos) * (size_t)dim, y, (size_t)dim * sizeof *y);
    }
}

/* Window i of the whole model, its streams kept. */
static choir_status measure_whole(heads_scan *x, int32_t i, choir_error *err)
{
    choir_engine *e = x->text.s->engine;
    choir_tap tap;
    choir_error ignored;
    choir_tap_default(&tap);
    tap.stream = on_stream;
    tap.user = x;
    choir_sequence_truncate(x->text.seq, 0);
    choir_status status = choir_engine_mask_heads(e, x->masked, x->n_masked, err);
    status = status || !x->streams ? status : choir_engine_tap(e, &tap, err);
    status = status ? status : measure_window(x, i, err);
    choir_engine_tap(e, NULL, &ignored);
    return status;
}

/* Window i without the head that stands behind those of --mask-heads. */
static choir_status measure_without(heads_scan *x, int32_t i, choir_error *err)
{
    const ppl_windows *w = &x->windows;
    const int32_t layer = x->masked[x->n_masked].layer;
    double *out = x->nll + (size_t)i * (size_t)w->n_scored;
    if (!x->streams) {
        choir_sequence_truncate(x->text.seq, 0);
        choir_status status = choir_engine_mask_heads(x->text.s->engine, x->masked, x->n_masked + 1, err);
        return status ? status : measure_window(x, i, err);
    }
    const float *streams = x->streams + (size_t)layer * (size_t)(w->ctx - 1) * (size_t)x->text.s->info.dim;
    choir_status status = signals_pending()
                              ? fail(err, CHOIR_CANCELLED, "cancelled")
                              : choir_engine_redo(x->text.s->engine, layer, streams, x->masked, x->n_masked + 1, err);
    status = status ? status
                    : choir_sequence_score(x->scores, x->text.seq, w->first, w->n_scored, x->window + w->first + 1,
                                           NULL, err);
    for (int32_t k = 0; !status && k < w->n_scored; k++) {
        out[k] = -x->scores[k].log_prob;
    }
    return status;
}

/* The whole model and every head in turn, window by window. */
static choir_status price_all(heads_scan *x, progress *bar, uint64_t all, choir_error *err)
{
    choir_status status = CHOIR_OK;
    const int32_t n_heads = x->text.s->info.n_heads;
    const size_t scored = (size_t)x->windows.n_scored, bytes = scored * sizeof *x->nll;
    for (int32_t i = 0; !status && i < x->windows.n; i++) {
        const size_t at = (size_t)i * scored;
        status = measure_whole(x, i, err);
        memcpy(x->base + at, x->nll + at, bytes);
        for (int32_t h = 0; !status && h < x->n_prices; h++) {
            x->masked[x->n_masked] = (choir_head){h / n_heads, h % n_heads};
            progress_draw(bar, ((uint64_t)i * (uint64_t)x->n_prices + (uint64_t)h) / (uint64_t)x->windows.n, all);
            status = measure_without(x, i, err);
            memcpy(x->without + (size_t)h * x->n_scored + at, x->nll + at, bytes);
        }
    }
    x->mean = mean_of(x->base, NULL, x->n_scored);
    for (int32_t h = 0; h < x->n_prices; h++) {
        x->prices[h] = price_of(x, x->without + (size_t)h * x->n_scored, (choir_head){h / n_heads, h % n_heads}, 1);
    }
    if (!status) {
        qsort(x->prices, (size_t)x->n_prices, sizeof *x->prices, by_price);
    }
    return status;
}

/* The k-th number of heads that the curve drops. */
static int32_t curve_at(const heads_scan *x, int32_t k)
{
    return (int32_t)((int64_t)x->n_prices * (k + 1) / x->n_curve);
}

static choir_status follow_curve(heads_scan *x, progress *bar, uint64_t all, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < x->n_prices; i++) {
        x->masked[x->n_masked + (size_t)i] = x->prices[i].head;
    }
    for (int32_t k = 0; !status && k < x->n_curve; k++) {
        const int32_t n = curve_at(x, k);
        progress_draw(bar, (uint64_t)(x->n_prices + k), all);
        status = measure(x, x->n_masked + (size_t)n, err);
        x->curve[k] = price_of(x, x->nll, x->prices[n - 1].head, n);
    }
    return status;
}

static choir_status run(heads_scan *x, choir_error *err)
{
    const uint64_t all = (uint64_t)x->n_prices + (uint64_t)x->n_curve;
    char text[64];
    progress bar;
    choir_sequence_want_logits(x->text.seq, x->windows.first);
    snprintf(text, sizeof text, "%d heads, then the curve", (int)x->n_prices);
    progress_begin(&bar, &x->text.s->term, "pruning");
    bar.after = text;
    choir_status status = price_all(x, &bar, all, err);
    status = status ? status : follow_curve(x, &bar, all, err);
    progress_end(&bar);
    return status;
}

/* ---- room ---- */

static choir_status make_room(heads_scan *x, choir_error *err)
{
    const options *o = x->text.s->opt;
    const choir_model_info *m = &x->text.s->info;
    const size_t n_heads = (size_t)m->n_layers * (size_t)m->n_heads;
    x->n_prices = (int32_t)n_heads;
    x->n_curve = x->n_prices < CURVE_MOST ? x->n_prices : CURVE_MOST;
    x->n_scored = (size_t)x->windows.n * (size_t)x->windows.n_scored;
    x->n_masked = o->mask_heads.n;
    x->window = calloc((size_t)x->windows.ctx, sizeof *x->window);
    x->scores = calloc((size_t)x->max_rows, sizeof *x->scores);
    x->base = calloc(x->n_scored, sizeof *x->base);
    x->nll = calloc(x->n_scored, sizeof *x->nll);
    x->masked = calloc(x->n_masked + n_heads, sizeof *x->masked);
    x->prices = calloc(n_heads, sizeof *x->prices);
    x->curve = calloc((size_t)x->n_curve, sizeof *x->curve);
    x->without = calloc(x->n_scored, n_heads * sizeof *x->without);
    if (!x->window || !x->scores || !x->without || !x->base || !x->nll || !x->masked || !x->prices || !x->curve) {
        return fail(err, CHOIR_RESOURCE, "out of memory for %zu scored tokens", x->n_scored);
    }
    if (x->n_masked > 0) {
        memcpy(x->masked, o->mask_heads.at, x->n_masked * sizeof *x->masked);
    }
    return CHOIR_OK;
}

static choir_status open_scan(heads_scan *x, session *s, choir_error *err)
{
    const options *o = s->opt;
    choir_status status = heads_text_read(&x->text, s, err);
    if (status) {
        return status;
    }
    int32_t ctx = o->ctx_size > 0 ? o->ctx_size : CTX;
    ctx = ctx < s->info.max_seq_len ? ctx : s->info.max_seq_len;
    status = ppl_windows_plan(&x->windows, ctx, 0, o->chunks > 0 ? o->chunks : CHUNKS, (size_t)x->text.n_ids, err);
    if (status) {
        return status;
    }
    const bool one_step =
        x->windows.ctx - 1 <= o->batch && (int64_t)x->windows.n_scored * s->info.vocab_size <= ROWS_NUMBERS;
    x->max_rows = one_step || x->windows.n_scored < ROWS ? x->windows.n_scored : ROWS;
    status = heads_text_engine(&x->text, x->windows.ctx, x->max_rows, err);
    status = status ? status : make_room(x, err);
    if (!status && one_step) { /* without room for them they are not shared */
        x->streams =
            malloc((size_t)s->info.n_layers * (size_t)(x->windows.ctx - 1) * (size_t)s->info.dim * sizeof *x->streams);
    }
    return status;
}

static void close_scan(heads_scan *x)
{
    heads_text_close(&x->text);
    free(x->window);
    free(x->scores);
    free(x->base);
    free(x->nll);
    free(x->without);
    free(x->streams);
    free(x->masked);
    free(x->prices);
    free(x->curve);
}

int32_t heads_scan_free(const heads_scan *x)
{
    int32_t n = 0;
    for (int32_t k = 0; k < x->n_curve && x->curve[k].change.value < log(1.01); k++) {
        n = x->curve[k].n_dropped;
    }
    return n;
}

choir_status heads_prune_scan(session *s, choir_error *err)
{
    heads_scan x = {.n_prices = 0};
    choir_status status = open_scan(&x, s, err);
    status = status ? status : run(&x, err);
    if (!status && s->opt->json) {
        status = heads_scan_json(&x, err);
    } else if (!status) {
        heads_scan_table(&x);
    }
    close_scan(&x);
    return status;
}
