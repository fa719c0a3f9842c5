/* choir perplexity: how surprised a model is by a text, with the standard error, and how far it is from another. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/perplexity/logits_file.h"
#include "cli/perplexity/perplexity.h"
#include "cli/perplexity/report.h"
#include "cli/prompt.h"
#include "cli/report.h"
#include "cli/sandbox.h"
#include "cli/signals.h"

#define DEFAULT_CTX 512
/* Room for rows of logits: a window of a large vocabulary goes through it in several steps. */
#define ROWS_BYTES ((size_t)64 << 20)

typedef struct job {
    session *s;
    int32_t *ids; /* the text's */
    size_t n_ids;
    int32_t bos; /* what each window begins with; -1: its own first token */
    ppl_windows windows;
    int32_t *window;      /* [ctx] ids of the window at hand */
    int32_t max_rows;     /* rows of a step */
    choir_score *scores;  /* [max_rows] */
    float *base_rows;     /* [max_rows, vocab_size] with --kl */
    double *divergences;  /* [n, n_scored] with --kl */
    logits_writer *saved; /* --save-logits */
    logits_reader *base;  /* --kl */
    choir_sequence *seq;
    ppl_sums sums;
    progress bar;
    char bar_text[64];
    uint64_t begun_ns, took_ns;
} job;

/* The id that the model puts in front of a text: what an empty text becomes. */
static choir_status find_bos(job *j, choir_error *err)
{
    int32_t *ids = NULL;
    size_t n = 0;
    choir_status status = choir_tokenize(&ids, &n, j->s->model, "", 0, true, err);
    j->bos = !status && n == 1 && j->windows.stride == 0 ? ids[0] : -1;
    free(ids);
    return status;
}

/* ---- files of logits ---- */

static choir_status name_file(choir_error *err, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static choir_status name_file(choir_error *err, const char *path, const char *format, ...)
{
    char what[256], name[BASE_ESCAPE_CAP];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return base_fail(err, CHOIR_FILE, "%s: %s", base_escape_str(name, path), what);
}

/* What the flags leave open comes from the file; what they say must be what it says. */
static choir_status take_shape(job *j, int32_t *ctx, int32_t *stride, int32_t *chunks, choir_error *err)
{
    const options *o = j->s->opt;
    const logits_shape *f = logits_reader_shape(j->base);
    if (f->vocab_size != j->s->info.vocab_size) {
        return name_file(err, o->kl, "saved with a vocabulary of %d, the model has %d", (int)f->vocab_size,
                         (int)j->s->info.vocab_size);
    }
    if (*ctx > 0 && *ctx != f->ctx) {
        return name_file(err, o->kl, "saved with windows of %d tokens, --ctx-size is %d", (int)f->ctx, (int)*ctx);
    }
    if (*stride > 0 && *stride != f->stride) {
        return name_file(err, o->kl, "saved with %s %d, --stride is %d", f->stride > 0 ? "a stride of" : "no stride,",
                         (int)f->stride, (int)*stride);
    }
    if (*chunks > f->n_windows) {
        return name_file(err, o->kl, "has %d chunks, --chunks is %d", (int)f->n_windows, (int)*chunks);
    }
    *ctx = f->ctx;
    *stride = f->stride;
    *chunks = f->n_windows;
    return CHOIR_OK;
}

static uint64_t text_hash(const job *j, const ppl_windows *w)
{
    return logits_text_hash(j->bos, j->ids, ppl_window_start(w, w->n - 1) + (size_t)w->ctx);
}

/* The windows that the flags ask for, or that the file to compare with has. */
static choir_status plan(job *j, choir_error *err)
{
    const options *o = j->s->opt;
    int32_t ctx = o->ctx_size, stride = o->stride, chunks = o->chunks;
    choir_status status = CHOIR_OK;
    if (o->kl) {
        status = logits_reader_open(&j->base, o->kl, err);
        status = status ? status : take_shape(j, &ctx, &stride, &chunks, err);
    }
    if (!status && ctx == 0) {
        ctx = j->s->info.max_seq_len < DEFAULT_CTX ? j->s->info.max_seq_len : DEFAULT_CTX;
    }
    status = status ? status : ppl_windows_plan(&j->windows, ctx, stride, chunks, j->n_ids, err);
    status = status ? status : find_bos(j, err);
    if (!status && o->kl) {
        const logits_shape *f = logits_reader_shape(j->base);
        if (f->n_windows != j->windows.n || f->n_scored != j->windows.n_scored ||
            f->text_hash != text_hash(j, &j->windows)) {
            return name_file(err, o->kl, "saved from another text, or from one with other tokens");
        }
        status = logits_reader_verify(j->base, signals_pending, err);
        j->windows.n = o->chunks > 0 ? o->chunks : j->windows.n;
    }
    return status;
}

static choir_status open_saved(job *j, choir_error *err)
{
    const ppl_windows *w = &j->windows;
    const logits_shape shape = {.vocab_size = j->s->info.vocab_size,
                                .ctx = w->ctx,
                                .stride = w->stride,
                                .n_windows = w->n,
                                .n_scored = w->n_scored,
                                .text_hash = text_hash(j, w)};
    return logits_writer_open(&j->saved, j->s->opt->save_logits, &shape, err);
}

/* ---- the run ---- */

static choir_status open_engine(job *j, choir_error *err)
{
    session *s = j->s;
    choir_engine_options opt;
    choir_sampling sampling;
    const size_t row_bytes = (size_t)s->info.vocab_size * sizeof(float);
    size_t rows = ROWS_BYTES / row_bytes;
    rows = rows < 16 ? 16 : rows;
    choir_sampling_default(&sampling);
    session_engine_options(s, &opt);
    opt.ctx_size = j->windows.ctx;
    opt.max_logits = rows < (size_t)j->windows.n_scored ? (int32_t)rows : j->windows.n_scored;
    choir_status status = session_open_engine(s, &opt, err);
    status = status ? status : choir_sequence_open(&j->seq, s->engine, &sampling, err);
    if (status) {
        return status;
    }
    choir_engine_info info;
    choir_engine_describe(s->engine, &info);
    j->max_rows = info.max_logits;
    j->window = malloc((size_t)j->windows.ctx * sizeof *j->window);
    j->scores = malloc((size_t)j->max_rows * sizeof *j->scores);
    bool failed = !j->window || !j->scores;
    if (j->base) {
        j->base_rows = malloc((size_t)j->max_rows * row_bytes);
        j->divergences = calloc((size_t)j->windows.n, (size_t)j->windows.n_scored * sizeof *j->divergences);
        failed = failed || !j->base_rows || !j->divergences;
    }
    return failed ? base_fail(err, CHOIR_RESOURCE, "out of memory for %d rows of %d logits", (int)j->max_rows,
                              (int)s->info.vocab_size)
                  : CHOIR_OK;
}

static void draw(job *j, int32_t chunk, int32_t row)
{
    const ppl_windows *w = &j->windows;
    uint64_t done = (uint64_t)chunk * (uint64_t)w->n_scored + (uint64_t)row;
    uint64_t all = (uint64_t)w->n * (uint64_t)w->n_scored;
    double left = (double)(base_clock_ns() - j->begun_ns) / 1e9 * (double)(all - done) / (double)(done > 0 ? done : 1);
    if (done > 0) {
        snprintf(j->bar_text, sizeof j->bar_text, "chunk %d of %d, %.4f, %.0f:%02d left", (int)chunk + 1, (int)w->n,
                 exp(j->sums.nll / (double)j->sums.n), floor(left / 60), (int)fmod(left, 60));
    }
    progress_draw(&j->bar, done, all);
}

/* Scores the rows that the last step gave: those after positions pos to pos + n - 1 of window i. */
static choir_status score(job *j, int32_t i, int32_t pos, int32_t n, choir_error *err)
{
    const int32_t row = pos - j->windows.first;
    choir_status status = CHOIR_OK;
    if (j->base) {
        status = logits_reader_rows(j->base, j->base_rows, i, row, n, err);
    }
    if (j->saved) {
        for (int32_t k = 0; k < n && !status; k++) {
            status = logits_writer_add(j->saved, choir_sequence_logits_at(j->seq, pos + k), 1, err);
        }
    }
    if (!status) {
        status = choir_sequence_score(j->scores, j->seq, pos, n, j->window + pos + 1, j->base_rows, err);
    }
    if (status) {
        char cause[sizeof err->msg];
        memcpy(cause, err->msg, sizeof cause);
        return status == CHOIR_FILE && j->base ? name_file(err, j->s->opt->kl, "chunk %d: %.200s", (int)i + 1, cause)
                                               : status;
    }
    for (int32_t k = 0; k < n; k++) {
        if (j->divergences) {
            j->divergences[j->sums.n] = j->scores[k].divergence;
        }
        ppl_add(&j->sums, &j->scores[k]);
    }
    return CHOIR_OK;
}

static choir_status run_window(job *j, int32_t i, choir_error *err)
{
    const ppl_windows *w = &j->windows;
    const int32_t n = w->ctx - 1; /* nothing is asked of the last token */
    memcpy(j->window, j->ids + ppl_window_start(w, i), (size_t)w->ctx * sizeof *j->window);
    if (j->bos >= 0) {
        j->window[0] = j->bos;
    }
    choir_sequence_truncate(j->seq, 0);
    choir_status status = choir_sequence_append(j->seq, j->window, (size_t)n, err);
    for (int32_t done = 0; !status && done < n;) {
        status = choir_engine_step(j->s->engine, &j->seq, 1, err);
        int32_t now = choir_sequence_computed(j->seq);
        int32_t from = done > w->first ? done : w->first;
        if (!status && now > from) {
            status = score(j, i, from, now - from, err);
        }
        done = now;
        draw(j, i, now > w->first ? now - w->first : 0);
    }
    return status;
}

static choir_status run(job *j, choir_error *err)
{
    choir_status status = CHOIR_OK;
    j->begun_ns = base_clock_ns();
    progress_begin(&j->bar, &j->s->term, "perplexity");
    j->bar.after = j->bar_text;
    signals_set(SIGNALS_CANCEL, j->s->engine);
    choir_sequence_want_logits(j->seq, j->windows.first);
    for (int32_t i = 0; !status && i < j->windows.n; i++) {
        status = signals_pending() ? base_fail(err, CHOIR_CANCELLED, "cancelled") : run_window(j, i, err);
    }
    if (!status && j->saved) {
        status = logits_writer_finish(j->saved, err);
    }
    signals_set(SIGNALS_CANCEL, NULL); /* a half-written file must go away first */
    progress_end(&j->bar);
    j->took_ns = base_clock_ns() - j->begun_ns;
    return status;
}

static choir_status report(const job *j, choir_error *err)
{
    const ppl_outcome out = {.windows = j->windows,
                             .n_ids = j->n_ids,
                             .sums = j->sums,
                             .divergences = j->divergences,
                             .seconds = (double)j->took_ns / 1e9};
    return ppl_report(j->s, &out, err);
}

static void close_job(job *j)
{
    choir_sequence_close(j->seq);
    logits_writer_close(j->saved);
    logits_reader_close(j->base);
    free(j->ids);
    free(j->window);
    free(j->scores);
    free(j->base_rows);
    free(j->divergences);
}

int cmd_perplexity(session *s)
{
    choir_error err;
    prompt text;
    job j = {.s = s};
    choir_status status = prompt_read(&text, s->opt, &s->term, &err);
    status = status ? status : sandbox_check(s->opt, &err);
    status = status ? status : session_open_model(s, false, &err);
    status = status ? status : choir_tokenize(&j.ids, &j.n_ids, s->model, text.text, text.n, true, &err);
    prompt_free(&text);
    signals_set(SIGNALS_CANCEL, NULL);
    status = status ? status : plan(&j, &err);
    status = status ? status : open_engine(&j, &err);
    if (!status && s->opt->save_logits) {
        status = open_saved(&j, &err);
    }
    status = status ? status : sandbox_enter(s, &err);
    if (!status) {
        report_setup(s, 0);
        status = run(&j, &err);
    }
    status = status ? status : report(&j, &err);
    close_job(&j);
    return session_end(s, status, &err);
}
