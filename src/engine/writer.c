/* Text, stop strings, counts and times of one text.  It allocates when it is opened and not after. */
#include "engine/writer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/score.h"

choir_status eng_writer_open(struct eng_writer *w, struct choir_sequence *seq, const choir_generation *g,
                             choir_error *err)
{
    const struct tokenizer *t = seq->engine->model->tokenizer;
    size_t bound = t != NULL ? tok_detok_bound(t) : 0;
    *w = (struct eng_writer){
        .seq = seq,
        .g = *g,
        .result = {.finish = CHOIR_FINISH_LENGTH, .n_prompt = seq->n_ids - seq->table.n_tokens},
        .cached_before = seq->n_cached,
        .begin_ns = base_clock_ns(),
    };
    if (seq->n_ids == 0) {
        return base_fail(err, CHOIR_PROMPT, "prompt is empty, and the model has no token that begins a text");
    }
    if (t != NULL) {
        tok_detok_init(&w->detok, t, g->at_start);
    }
    w->piece = malloc(bound > 0 ? bound : 1);
    if (w->piece == NULL) {
        return base_fail_memory(err, bound, "a text piece");
    }
    if (g->token != NULL && g->n_top > 0) {
        size_t bytes = (size_t)g->n_top * sizeof *w->top;
        w->top = malloc(bytes);
        if (w->top == NULL) {
            return base_fail_memory(err, bytes, "log-probabilities");
        }
    }
    return eng_stops_open(&w->stops, g->stops, g->stop_bytes, g->n_stops, bound, err);
}

void eng_writer_close(struct eng_writer *w)
{
    eng_stops_close(&w->stops);
    free(w->piece);
    free(w->top);
    w->piece = NULL;
    w->top = NULL;
}

void eng_writer_prompt_end(struct eng_writer *w)
{
    w->result.n_cached = w->seq->n_cached - w->cached_before;
    w->loop_ns = base_clock_ns();
    w->result.prompt_ns = w->loop_ns - w->begin_ns;
    w->prompt_ended = true;
}

/* Shows the first n held bytes.  False when the caller wants no more. */
static bool show(struct eng_writer *w, size_t n)
{
    int stop = 0;
    if (n > 0 && w->g.stream != NULL) {
        stop = w->g.stream(w->g.user, w->stops.held, n);
    }
    eng_stops_shown(&w->stops, n);
    return stop == 0;
}

/* Text that a token (or the end) completed.  False when the text ends here; result.finish says why. */
static bool show_piece(struct eng_writer *w, size_t n)
{
    size_t ready;
    bool stopped = eng_stops_push(&w->stops, w->piece, n, &ready);
    if (!show(w, ready)) {
        w->result.finish = CHOIR_FINISH_CALLER;
        return false;
    }
    if (stopped) {
        w->result.finish = CHOIR_FINISH_STOP;
        w->stopped = true;
        w->stops.n_held = 0; /* the stop string itself is never shown */
    }
    return !stopped;
}

/* What was held back is shown, an unfinished character becomes U+FFFD. */
static void show_rest(struct eng_writer *w)
{
    if (w->stopped || w->result.finish == CHOIR_FINISH_CALLER) {
        return;
    }
    size_t n = w->seq->engine->model->tokenizer != NULL ? tok_detok_flush(&w->detok, w->piece) : 0;
    if (!show_piece(w, n)) {
        return;
    }
    w->result.n_replaced = n;
    if (!show(w, w->stops.n_held)) {
        w->result.finish = CHOIR_FINISH_CALLER;
    }
}

bool eng_writer_is_full(struct eng_writer *w)
{
    choir_result *r = &w->result;
    const choir_engine_options *o = &w->seq->engine->opt;
    r->context_full = !o->infinite && w->seq->n_ids >= o->ctx_size;
    if (r->context_full || (w->g.max_tokens >= 0 && r->n_generated >= w->g.max_tokens)) {
        r->finish = CHOIR_FINISH_LENGTH;
        return true;
    }
    return false;
}

/* Whether id ends this text. */
static bool is_end(const struct eng_writer *w, int32_t id)
{
    for (size_t i = 0; i < w->g.n_end_ids; i++) {
        if (w->g.end_ids[i] == id) {
            return true;
        }
    }
    return eng_is_eos(w->seq->engine->model, id);
}

/* Tells the caller of a token.  False when it wants no more. */
static bool tell(struct eng_writer *w, int32_t id, int32_t pos, const float *row)
{
    if (w->g.token == NULL) {
        return true;
    }
    const int32_t n = w->seq->engine->model->config.vocab_size;
    choir_token t = {.id = id, .pos = pos, .top = w->top, .n_top = w->g.n_top < n ? w->g.n_top : n};
    t.log_prob = eng_row_log_probs(w->top, t.n_top, row, n, id);
    return w->g.token(w->g.user, &t) == 0;
}

choir_status eng_writer_take(struct eng_writer *w, int32_t id, const float *row, bool *ended, choir_error *err)
{
    choir_sequence *s = w->seq;
    *ended = true;
    if (w->result.n_generated == 0) {
        w->result.first_token_ns = base_clock_ns() - w->begin_ns;
    }
    if (is_end(w, id)) {
        w->result.finish = CHOIR_FINISH_STOP;
        return CHOIR_OK;
    }
    const int32_t pos = s->n_ids;
    choir_status status = choir_sequence_append(s, &id, 1, err);
    if (status != CHOIR_OK) {
        return status;
    }
    w->result.n_generated++;
    if (!tell(w, id, pos, row)) {
        w->result.finish = CHOIR_FINISH_CALLER;
        return CHOIR_OK;
    }
    size_t n = s->engine->model->tokenizer != NULL ? tok_detok_push(&w->detok, id, w->piece) : 0;
    *ended = !show_piece(w, n) || eng_writer_is_full(w);
    return CHOIR_OK;
}

choir_status eng_writer_next(struct eng_writer *w, bool *ended, choir_error *err)
{
    int32_t id;
    choir_status status = choir_sequence_sample(w->seq, &id, err);
    *ended = true;
    return status != CHOIR_OK ? status : eng_writer_take(w, id, w->seq->logits, ended, err);
}

void eng_writer_end(struct eng_writer *w, choir_status status)
{
    if (!w->prompt_ended) {
        w->result.prompt_ns = base_clock_ns() - w->begin_ns;
        return;
    }
    if (status == CHOIR_OK) {
        show_rest(w);
    } else {
        show(w, w->stops.n_held); /* cut short: whole characters only */
    }
    w->result.generate_ns = base_clock_ns() - w->loop_ns;
}
