/* /alt: texts of one past, made together by the scheduler: what is there is shared, each step computes a token of all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/complete/complete.h"
#include "cli/options/numbers.h"
#include "cli/signals.h"

typedef struct alternative {
    text_buffer text;
    bool done;
} alternative;

typedef struct alternatives {
    writer *w;
    alternative at[MAX_ALTERNATIVES];
    int32_t n, n_done;
    choir_status status;
    choir_error *err;
} alternatives;

static int on_text(void *user, int32_t sample, const char *text, size_t n)
{
    alternatives *a = user;
    return text_append(&a->at[sample].text, text, n);
}

static void on_done(void *user, int32_t sample, const choir_result *r, choir_status status, const choir_error *err)
{
    alternatives *a = user;
    a->at[sample].done = true;
    a->n_done++;
    a->at[sample].text.n -= a->at[sample].text.failed ? 0 : r->n_replaced; /* a cut character is made anew, whole */
    if (status && status != CHOIR_CANCELLED && !a->status) {
        a->status = base_fail(a->err, status, "%s", err->msg);
    }
    if (a->at[sample].text.failed && !a->status) {
        a->status = base_fail(a->err, CHOIR_RESOURCE, "out of memory for the text");
    }
    if (!status && r->context_full && !a->w->s->term.quiet) {
        warning(&a->w->s->term, "the context is full");
    }
}

/* Steps until all are done; a Ctrl-C ends them where they are. */
static choir_status step_all(alternatives *a, choir_scheduler *scheduler, uint64_t id, choir_error *err)
{
    choir_engine *engine = a->w->s->engine;
    choir_status status = CHOIR_OK;
    signals_set(a->w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_CANCEL, engine);
    while (!status && a->n_done < a->n) {
        status = choir_scheduler_step(scheduler, err);
    }
    signals_set(a->w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_EXIT, engine);
    if (status == CHOIR_CANCELLED) { /* what is held back of the texts comes now */
        choir_error ignored;
        choir_scheduler_cancel(scheduler, id);
        choir_scheduler_step(scheduler, &ignored);
        status = CHOIR_OK;
    }
    return status ? status : a->status;
}

static choir_status make(alternatives *a, choir_error *err)
{
    writer *w = a->w;
    choir_scheduler *scheduler = NULL;
    choir_request_options r;
    uint64_t id;
    choir_request_options_default(&r);
    r.from = w->seq;
    r.sampling = w->opt.sampling;
    r.sampling.choice = w->turn;
    generation_options(&r.generation, w->s, &w->opt, NULL, NULL);
    r.generation.speculate = 0;
    r.generation.draft = NULL;
    r.generation.at_start = story_now(&w->story)->n == 0;
    r.n_samples = a->n;
    r.stream = on_text;
    r.done = on_done;
    r.user = a;
    w->turn += (uint64_t)a->n;
    choir_status status = choir_scheduler_open(&scheduler, w->s->engine, err);
    status = status ? status : choir_scheduler_submit(&id, scheduler, &r, err);
    status = status ? status : step_all(a, scheduler, id, err);
    choir_scheduler_close(scheduler);
    return status;
}

static void show(writer *w, const alternative *made, int32_t number)
{
    stream_print(&w->s->out, "[%d] ", (int)number);
    stream_write(&w->s->out, made->text.at, made->text.n);
    if (w->s->out.line_open) {
        stream_write(&w->s->out, "\n", 1);
    }
}

/* Asks which one; 0: none. */
static int64_t pick(writer *w, int32_t n)
{
    char question[32], answer[16];
    const char *line;
    size_t bytes;
    int64_t number;
    snprintf(question, sizeof question, "1 to %d? ", (int)n);
    if (editor_read(w->editor, question, false, &line, &bytes) != EDITOR_LINE || bytes >= sizeof answer) {
        return 0;
    }
    memcpy(answer, line, bytes);
    answer[bytes] = '\0';
    return number_int(&number, answer, 1, n) ? number : 0;
}

choir_status alternatives_run(writer *w, int32_t n, choir_error *err)
{
    alternatives a = {.w = w, .n = n, .err = err};
    choir_status status = writer_sync(w, err);
    if (!status) {
        const int64_t own = writer_most_tokens(w, 0) + 256; /* the last block of what is shared is each one's own */
        writer_make_room(w, choir_sequence_length(w->seq) + n * own);
        writer_calm(w, true);
        status = make(&a, err);
        writer_calm(w, false);
    }
    w->s->out.interrupted = false;
    for (int32_t i = 0; i < n && !status; i++) {
        show(w, &a.at[i], i + 1);
    }
    signals_clear();
    int64_t picked = !status ? pick(w, n) : 0;
    if (picked > 0) {
        const text_buffer *t = &a.at[picked - 1].text;
        status = story_push(&w->story, story_now(&w->story)->n, t->at, t->n, err);
        w->exact = false;
    }
    for (int32_t i = 0; i < n; i++) {
        free(a.at[i].text.at);
    }
    return status;
}
