/* The loop: compute what is pending, draw, show, append, until done.  It allocates before the first token and not after. */
#include "base/clock.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/speculate.h"
#include "engine/writer.h"

void choir_generation_default(choir_generation *g)
{
    *g = (choir_generation){.max_tokens = 256};
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

/* A step with guesses, and what it says of them.  One that fails is taken without guesses, which may have been at fault:
 * for want of a block, or with numbers that are not finite. */
static choir_status write_guessed(struct eng_writer *w, struct eng_speculation *x, bool *ended, choir_error *err)
{
    eng_speculation_guess(x, w);
    uint64_t begin = base_clock_ns();
    choir_status status = choir_engine_step(x->seq->engine, &x->seq, 1, err);
    if (status != CHOIR_OK && x->n_guesses > 0) {
        eng_speculation_forget(x);
        status = status == CHOIR_CANCELLED ? status : choir_engine_step(x->seq->engine, &x->seq, 1, err);
    }
    return status != CHOIR_OK ? status : eng_speculation_check(x, w, base_clock_ns() - begin, ended, err);
}

static choir_status write_text(struct eng_writer *w, struct eng_speculation *x, choir_error *err)
{
    choir_status status = compute(w->seq, err);
    if (status != CHOIR_OK) {
        return status;
    }
    eng_writer_prompt_end(w);
    bool ended = eng_writer_is_full(w);
    while (!ended && status == CHOIR_OK) {
        if (x->seq != NULL && w->seq->table.n_tokens < w->seq->n_ids) {
            status = write_guessed(w, x, &ended, err);
            continue;
        }
        status = compute(w->seq, err);
        if (status == CHOIR_OK) {
            status = eng_writer_next(w, &ended, err);
        }
    }
    return status;
}

/* As g asks for. */
static choir_status open_speculation(struct eng_speculation *x, choir_sequence *seq, const choir_generation *g,
                                     choir_error *err)
{
    struct eng_guesser guesser;
    *x = (struct eng_speculation){.seq = NULL};
    if (g->speculate <= 0) {
        return CHOIR_OK;
    }
    if (seq->engine->opt.infinite) {
        return base_fail(err, CHOIR_USAGE, "a text without end takes no guesses");
    }
    choir_status status = g->draft != NULL ? eng_draft_guesser(&guesser, g->draft, seq, err)
                                           : eng_ngram_guesser(&guesser, seq->engine->opt.ctx_size, err);
    if (status == CHOIR_OK) {
        eng_speculation_open(x, seq, &guesser, g->speculate);
    }
    return status;
}

choir_status choir_generate(choir_result *result, choir_sequence *seq, const choir_generation *g, choir_error *err)
{
    struct eng_writer w;
    struct eng_speculation x;
    choir_status status = eng_writer_open(&w, seq, g, err);
    choir_status opened = open_speculation(&x, seq, g, status == CHOIR_OK ? err : NULL);
    status = status != CHOIR_OK ? status : opened;
    if (status == CHOIR_OK) {
        status = write_text(&w, &x, err);
        eng_writer_end(&w, status);
    }
    *result = w.result;
    eng_speculation_close(&x);
    eng_writer_close(&w);
    return status;
}
