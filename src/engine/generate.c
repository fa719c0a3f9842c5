/* The loop: compute what is pending, draw, show, append, until done.  It allocates before the first token and not after. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/stops.h"

struct generator {
    choir_sequence *seq;
    const choir_generation *g;
    choir_result *result;
    struct tok_detok detok;
    char *piece; /* [tok_detok_bound] */
    struct eng_stops stops;
    bool stopped; /* a stop string is complete: nothing more is shown */
    uint64_t begin_ns, loop_ns;
};

void choir_generation_default(choir_generation *g)
{
    *g = (choir_generation){.max_tokens = 256};
}

static choir_status open_generator(struct generator *x, choir_error *err)
{
    const struct tokenizer *t = x->seq->engine->model->tokenizer;
    size_t bound = t != NULL ? tok_detok_bound(t) : 0;
    if (t != NULL) {
        tok_detok_init(&x->detok, t, x->g->at_start);
    }
    x->piece = malloc(bound > 0 ? bound : 1);
    if (x->piece == NULL) {
        return base_fail_memory(err, bound, "a text piece");
    }
    return eng_stops_open(&x->stops, x->g->stops, x->g->stop_bytes, x->g->n_stops, bound, err);
}

static void close_generator(struct generator *x)
{
    eng_stops_close(&x->stops);
    free(x->piece);
}

/* Computes everything pending; the logits of the last token are there afterwards. */
static choir_status compute(choir_sequence *s, choir_error *err)
{
    while (s->table.n_tokens < s->n_ids) {
        choir_status status = choir_engine_step(s->engine, &s, 1, err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    return CHOIR_OK;
}

/* Shows the first n held bytes.  False when the caller wants no more. */
static bool show(struct generator *x, size_t n)
{
    int stop = 0;
    if (n > 0 && x->g->stream != NULL) {
        stop = x->g->stream(x->g->user, x->stops.held, n);
    }
    eng_stops_shown(&x->stops, n);
    return stop == 0;
}

/* Text that a token (or the end) completed.  False when generation ends here; result->finish says why. */
static bool show_piece(struct generator *x, size_t n)
{
    size_t ready;
    bool stopped = eng_stops_push(&x->stops, x->piece, n, &ready);
    if (!show(x, ready)) {
        x->result->finish = CHOIR_FINISH_CALLER;
        return false;
    }
    if (stopped) {
        x->result->finish = CHOIR_FINISH_STOP;
        x->stopped = true;
        x->stops.n_held = 0; /* the stop string itself is never shown */
    }
    return !stopped;
}

/* The text ended: what was held back is shown, an unfinished character becomes U+FFFD. */
static void show_rest(struct generator *x)
{
    if (x->stopped || x->result->finish == CHOIR_FINISH_CALLER) {
        return;
    }
    size_t n = x->seq->engine->model->tokenizer != NULL ? tok_detok_flush(&x->detok, x->piece) : 0;
    if (!show_piece(x, n)) {
        return;
    }
    x->result->n_replaced = n;
    if (!show(x, x->stops.n_held)) {
        x->result->finish = CHOIR_FINISH_CALLER;
    }
}

/* Whether the text has reached its length; sets result->finish. */
static bool is_full(struct generator *x)
{
    choir_result *r = x->result;
    r->context_full = x->seq->n_ids >= x->seq->engine->opt.ctx_size;
    if (r->context_full || (x->g->max_tokens >= 0 && r->n_generated >= x->g->max_tokens)) {
        r->finish = CHOIR_FINISH_LENGTH;
        return true;
    }
    return false;
}

/* Draws, shows and appends tokens until something ends it. */
static choir_status draw_tokens(struct generator *x, choir_error *err)
{
    choir_sequence *s = x->seq;
    while (!is_full(x)) {
        choir_status status = compute(s, err);
        int32_t id = 0;
        if (status == CHOIR_OK) {
            status = choir_sequence_sample(s, &id, err);
        }
        if (status != CHOIR_OK) {
            return status;
        }
        if (x->result->n_generated == 0) {
            x->result->first_token_ns = base_clock_ns() - x->begin_ns;
        }
        if (eng_is_eos(s->engine->model, id)) {
            x->result->finish = CHOIR_FINISH_STOP;
            return CHOIR_OK;
        }
        status = choir_sequence_append(s, &id, 1, err);
        if (status != CHOIR_OK) {
            return status;
        }
        x->result->n_generated++;
        size_t n = s->engine->model->tokenizer != NULL ? tok_detok_push(&x->detok, id, x->piece) : 0;
        if (!show_piece(x, n)) {
            return CHOIR_OK;
        }
    }
    return CHOIR_OK;
}

static choir_status run(struct generator *x, choir_error *err)
{
    choir_sequence *s = x->seq;
    if (s->n_ids == 0) {
        return base_fail(err, CHOIR_PROMPT, "prompt is empty, and the model has no token that begins a text");
    }
    const int32_t cached = s->n_cached;
    x->result->n_prompt = s->n_ids - s->table.n_tokens;
    choir_status status = compute(s, err);
    x->result->n_cached = s->n_cached - cached;
    x->loop_ns = base_clock_ns();
    x->result->prompt_ns = x->loop_ns - x->begin_ns;
    if (status == CHOIR_OK) {
        status = draw_tokens(x, err);
        if (status == CHOIR_OK) {
            show_rest(x);
        } else {
            show(x, x->stops.n_held); /* cut short: whole characters only */
        }
        x->result->generate_ns = base_clock_ns() - x->loop_ns;
    }
    return status;
}

choir_status choir_generate(choir_result *result, choir_sequence *seq, const choir_generation *g, choir_error *err)
{
    *result = (choir_result){.finish = CHOIR_FINISH_LENGTH};
    struct generator x = {.seq = seq, .g = g, .result = result, .begin_ns = base_clock_ns()};
    choir_status status = open_generator(&x, err);
    if (status == CHOIR_OK) {
        status = run(&x, err);
    }
    close_generator(&x);
    return status;
}
