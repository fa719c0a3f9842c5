/* choir heads prune-scan: the run. */
#include "cli/heads/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/signals.h"

enum { CTX = 256, CHUNKS = 4, CURVE_MOST = 40, ROWS = 64, ROWS_NUMBERS = 1 << 25 };

/* ---- a measurement ---- */

/* Minus log-probabilities of the scored tokens of window i, to out [windows.n_scored]. */
static choir_status measure_window(heads_scan *x, int32_t i, double *out, choir_error *err)
{
    const ppl_windows *w = &x->windows;
    const int32_t n = w->ctx - 1; /* nothing is asked of the last token */
    memcpy(x->window, x->text.ids + ppl_window_start(w, i), (size_t)w->ctx * sizeof *x->window);
    if (x->text.ids[0] == x->text.s->info.bos_id) { /* a window begins as a text does */
        x->window[0] = x->text.ids[0];
    }
    choir_status status = choir_sequence_append(x->text.seq, x->window, (size_t)n, err);
    for (int32_t done = 0; !status && done < n;) {
        status = signals_pending() ? base_fail(err, CHOIR_CANCELLED, "cancelled")
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

/* Window i from nothing with the first n of x->masked giving nothing. */
static choir_status measure(heads_scan *x, size_t n, int32_t i, double *out, choir_error *err)
{
    choir_sequence_truncate(x->text.seq, 0);
    choir_status status = choir_engine_mask_heads(x->text.s->engine, x->masked, n, err);
    return status ? status : measure_window(x, i, out, err);
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

/* Window i with those that are masked, its streams kept. */
static choir_status measure_whole(heads_scan *x, int32_t i, double *out, choir_error *err)
{
    const choir_tap tap = {.stream = on_stream, .user = x};
    choir_error ignored;
    choir_status status = x->streams ? choir_engine_tap(x->text.s->engine, &tap, err) : CHOIR_OK;
    status = status ? status : measure(x, x->n_masked, i, out, err);
    choir_engine_tap(x->text.s->engine, NULL, &ignored);
    return status;
}

/* The same window without one head more. */
static choir_status measure_without(heads_scan *x, choir_head head, int32_t i, double *out, choir_error *err)
{
    const ppl_windows *w = &x->windows;
    x->masked[x->n_masked] = head;
    if (!x->streams) {
        return measure(x, x->n_masked + 1, i, out, err);
    }
    const float *streams = x->streams + (size_t)head.layer * (size_t)(w->ctx - 1) * (size_t)x->text.s->info.dim;
    choir_status status =
        signals_pending() ? base_fail(err, CHOIR_CANCELLED, "cancelled")
                          : choir_engine_redo(x->text.s->engine, head.layer, streams, x->masked, x->n_masked + 1, err);
    status = status ? status
                    : choir_sequence_score(x->scores, x->text.seq, w->first, w->n_scored, x->window + w->first + 1,
                                           NULL, err);
    for (int32_t k = 0; !status && k < w->n_scored; k++) {
        out[k] = -x->scores[k].log_prob;
    }
    return status;
}

/* ---- prices ---- */

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

static int by_price(const void *a, const void *b)
{
    const head_price *x = a, *y = b;
    if (x->change.value != y->change.value) {
        return x->change.value < y->change.value ? -1 : 1;
    }
    const int32_t layer = x->head.layer - y->head.layer, head = x->head.head - y->head.head;
    return layer != 0 ? layer : head;
}

/* Layers that are computed for a window without one more head of this layer. */
static uint64_t work_of(const heads_scan *x, int32_t layer)
{
    return (uint64_t)(x->text.s->info.n_layers - (x->streams ? layer : 0));
}

/* So many layers more are done: the bar, and from the third second on the time that is left. */
static void tell_progress(heads_scan *x, uint64_t layers)
{
    x->n_done += layers;
    const double done = (double)(x->n_done < x->n_all ? x->n_done : x->n_all);
    const double seconds = (double)(base_clock_ns() - x->bar.begun_ns) / 1e9,
                 left = seconds * ((double)x->n_all / done - 1);
    int n = snprintf(x->after, sizeof x->after, "%d heads, %s", (int)x->n_prices,
                     x->text.s->opt->rerank ? "ranked again and again" : "then several");
    if (seconds >= 3 && n > 0) {
        snprintf(x->after + n, sizeof x->after - (size_t)n, left < 100 ? "; %.0f s left" : "; %.0f min left",
                 left < 100 ? left : left / 60);
    }
    progress_draw(&x->bar, x->n_done, x->n_all);
}

/* Those that are masked, to whole [n_scored], and with each of n heads more in turn, window by window; the heads then stand
 * cheapest first. */
static choir_status price(heads_scan *x, head_price *heads, int32_t n, double *whole, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; !status && i < x->windows.n; i++) {
        const size_t at = (size_t)i * (size_t)x->windows.n_scored;
        status = measure_whole(x, i, whole + at, err);
        tell_progress(x, work_of(x, 0));
        for (int32_t h = 0; !status && h < n; h++) {
            status = measure_without(x, heads[h].head, i, x->without + (size_t)h * x->n_scored + at, err);
            tell_progress(x, work_of(x, heads[h].head.layer));
        }
    }
    if (whole == x->base) {
        x->mean = mean_of(x->base, NULL, x->n_scored);
    }
    for (int32_t h = 0; h < n; h++) {
        heads[h] = price_of(x, x->without + (size_t)h * x->n_scored, heads[h].head, 1);
    }
    if (!status) {
        qsort(heads, (size_t)n, sizeof *heads, by_price);
    }
    return status;
}

/* ---- the curve ---- */

/* The k-th number of heads that the curve drops. */
static int32_t curve_at(const heads_scan *x, int32_t k)
{
    return (int32_t)((int64_t)x->n_prices * (k + 1) / x->n_curve);
}

/* Whether the heads that are left after the k-th drop are ranked again. */
static bool is_reranked(const heads_scan *x, int32_t k)
{
    return x->text.s->opt->rerank && k + 1 < x->n_curve;
}

static choir_status follow_curve(heads_scan *x, choir_error *err)
{
    choir_status status = CHOIR_OK;
    head_price *left = x->left;
    memcpy(left, x->prices, (size_t)x->n_prices * sizeof *left);
    for (int32_t k = 0; !status && k < x->n_curve; k++) {
        const int32_t n = curve_at(x, k);
        while (x->n_masked < x->n_given + (size_t)n) {
            x->masked[x->n_masked++] = left++->head;
        }
        if (is_reranked(x, k)) {
            status = price(x, left, x->n_prices - n, x->nll, err);
        }
        for (int32_t i = 0; !status && !is_reranked(x, k) && i < x->windows.n; i++) {
            status = measure(x, x->n_masked, i, x->nll + (size_t)i * (size_t)x->windows.n_scored, err);
            tell_progress(x, work_of(x, 0));
        }
        x->curve[k] = price_of(x, x->nll, x->masked[x->n_masked - 1], n);
    }
    return status;
}

/* In layers of windows; which heads are ranked again is not known yet, so these take what heads take on average. */
static uint64_t plan_work(const heads_scan *x)
{
    const uint64_t once = work_of(x, 0);
    uint64_t heads = 0, n = once;
    for (int32_t h = 0; h < x->n_prices; h++) {
        heads += work_of(x, x->prices[h].head.layer);
    }
    for (int32_t k = 0; k < x->n_curve; k++) {
        const uint64_t left = is_reranked(x, k) ? (uint64_t)(x->n_prices - curve_at(x, k)) : 0;
        n += once + heads * left / (uint64_t)x->n_prices;
    }
    return (n + heads) * (uint64_t)x->windows.n;
}

static choir_status run(heads_scan *x, choir_error *err)
{
    x->n_all = plan_work(x);
    choir_sequence_want_logits(x->text.seq, x->windows.first);
    progress_begin(&x->bar, &x->text.s->term, "pruning");
    x->bar.after = x->after;
    choir_status status = price(x, x->prices, x->n_prices, x->base, err);
    status = status ? status : follow_curve(x, err);
    progress_end(&x->bar);
    return status;
}

/* ---- room ---- */

/* The heads that are not masked from the start. */
static choir_status list_heads(heads_scan *x, choir_error *err)
{
    const choir_model_info *m = &x->text.s->info;
    for (int32_t at = 0; at < m->n_layers * m->n_heads; at++) {
        const choir_head own = {at / m->n_heads, at % m->n_heads};
        bool masked = false;
        for (size_t i = 0; i < x->n_given; i++) {
            const choir_head given = x->masked[i];
            masked = masked || (given.layer == own.layer && (given.head < 0 || given.head == own.head));
        }
        if (!masked) {
            x->prices[x->n_prices++].head = own;
        }
    }
    x->n_curve = x->n_prices < CURVE_MOST ? x->n_prices : CURVE_MOST;
    return x->n_prices > 0 ? CHOIR_OK : base_fail(err, CHOIR_USAGE, "--mask-heads: there is no head left to be priced");
}

static choir_status make_room(heads_scan *x, choir_error *err)
{
    const head_list *given = &x->text.s->opt->mask_heads;
    const choir_model_info *m = &x->text.s->info;
    const size_t n_heads = (size_t)m->n_layers * (size_t)m->n_heads;
    x->n_scored = (size_t)x->windows.n * (size_t)x->windows.n_scored;
    choir_status status =
        heads_room(&x->text, NULL, (double)(n_heads + 2) * (double)x->n_scored * sizeof(double),
                   "figures of so many tokens take", "use fewer --chunks or a smaller --ctx-size", err);
    if (status) {
        return status;
    }
    x->n_given = x->n_masked = given->n;
    x->window = calloc((size_t)x->windows.ctx, sizeof *x->window);
    x->scores = calloc((size_t)x->max_rows, sizeof *x->scores);
    x->base = calloc(x->n_scored, sizeof *x->base);
    x->nll = calloc(x->n_scored, sizeof *x->nll);
    x->masked = calloc(x->n_given + n_heads, sizeof *x->masked);
    x->prices = calloc(n_heads, sizeof *x->prices);
    x->left = calloc(n_heads, sizeof *x->left);
    x->curve = calloc(CURVE_MOST, sizeof *x->curve);
    x->without = calloc(x->n_scored, n_heads * sizeof *x->without);
    if (!x->window || !x->scores || !x->without || !x->base || !x->nll || !x->masked || !x->prices || !x->left ||
        !x->curve) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for %zu scored tokens", x->n_scored);
    }
    if (given->n > 0) {
        memcpy(x->masked, given->at, given->n * sizeof *x->masked);
    }
    return list_heads(x, err);
}

/* Room for the streams of a window; without it nothing is shared. */
static void make_streams(heads_scan *x)
{
    const choir_model_info *m = &x->text.s->info;
    const choir_tap tap = {.stream = on_stream};
    const size_t tokens = (size_t)m->n_layers * (size_t)(x->windows.ctx - 1), each = (size_t)m->dim * sizeof(float);
    choir_error ignored;
    if (heads_room(&x->text, &tap, (double)tokens * (double)each, "", "", &ignored) == CHOIR_OK) {
        x->streams = calloc(tokens, each);
    }
}

/* Whether the cache still holds a whole window after a step: where no layer sees all of it, it lets go of the start. */
static bool keeps_window(const heads_scan *x)
{
    bool all = false;
    for (int32_t l = 0; l < x->text.s->info.n_layers; l++) {
        const int32_t seen = choir_model_window(x->text.s->model, l);
        all = all || seen == 0 || seen >= x->windows.ctx;
    }
    return all;
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
    if (!status && one_step && keeps_window(x)) {
        make_streams(x);
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
    free(x->left);
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
