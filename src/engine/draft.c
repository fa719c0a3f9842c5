/* Guesses of a second, smaller model: it goes on with the text, drawing by the same chain and with the same random numbers as
 * the first, so that the two agree where their distributions do. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/speculate.h"

struct draft_guesser {
    const struct choir_engine *target;
    choir_sequence *seq; /* the text, as far as the draft model knows it, and guesses of the last time behind it */
    int32_t n_known;     /* tokens of the text that it begins with */
};

/* Catching up with as many tokens takes no longer than with one. */
enum { DECODE = 4 };

/* Whether each id is the same piece of text in both.  CHOIR_USAGE with the first that is not. */
static choir_status same_pieces(const struct choir_model *draft, const struct choir_model *model, choir_error *err)
{
    const struct tokenizer *a = draft->tokenizer, *b = model->tokenizer;
    if (a == NULL || b == NULL) {
        const struct choir_model *without = a == NULL ? draft : model;
        return base_fail(err, CHOIR_USAGE, "%s has no tokenizer to compare: %s", without->path, without->no_text);
    }
    int32_t n = tok_n_pieces(a) < tok_n_pieces(b) ? tok_n_pieces(a) : tok_n_pieces(b);
    for (int32_t id = 0; id < n; id++) {
        size_t n_a, n_b;
        const char *piece_a = tok_piece(a, id, &n_a), *piece_b = tok_piece(b, id, &n_b);
        if (n_a != n_b || memcmp(piece_a, piece_b, n_a) != 0) {
            char text_a[BASE_ESCAPE_CAP], text_b[BASE_ESCAPE_CAP];
            base_escape(text_a, piece_a, n_a);
            base_escape(text_b, piece_b, n_b);
            return base_fail(err, CHOIR_USAGE, "%s has other tokens than %s: %d is \"%s\", not \"%s\"", draft->path,
                             model->path, id, text_a, text_b);
        }
    }
    if (tok_n_pieces(a) != tok_n_pieces(b)) {
        return base_fail(err, CHOIR_USAGE, "%s has other tokens than %s: %d, not %d", draft->path, model->path,
                         tok_n_pieces(a), tok_n_pieces(b));
    }
    return CHOIR_OK;
}

static int32_t draft_look(void *ctx, const int32_t *ids, int32_t n_ids, int32_t most, int *kind)
{
    const struct draft_guesser *x = ctx;
    (void)ids;
    *kind = 0;
    int32_t room = x->seq->engine->opt.ctx_size - n_ids;
    return room < most ? 0 : most;
}

/* The draft's timeline becomes the text. */
static bool follow(struct draft_guesser *x, const int32_t *ids, int32_t n_ids)
{
    struct choir_sequence *s = x->seq;
    int32_t same = x->n_known < n_ids ? x->n_known : n_ids;
    while (same < s->n_ids && same < n_ids && s->ids[same] == ids[same]) {
        same++;
    }
    eng_sequence_cut(s, same, same < n_ids ? same : n_ids - 1);
    x->n_known = n_ids;
    return choir_sequence_append(s, ids + same, (size_t)(n_ids - same), NULL) == CHOIR_OK;
}

/* Computes what is pending; false when that fails, or the first model's step is to be cancelled. */
static bool compute(const struct draft_guesser *x, choir_sequence *s)
{
    while (s->table.n_tokens < s->n_ids) {
        if (atomic_load_explicit(&x->target->cancel, memory_order_relaxed) != 0 ||
            choir_engine_step(s->engine, &s, 1, NULL) != CHOIR_OK) {
            return false;
        }
    }
    return true;
}

static int32_t draft_guess(void *ctx, const int32_t *ids, int32_t n_ids, int32_t *out, int32_t n, struct eng_pace *pace)
{
    struct draft_guesser *x = ctx;
    choir_sequence *s = x->seq;
    if (n_ids - s->table.n_tokens > DECODE && !(follow(x, ids, n_ids - 1) && compute(x, s))) {
        return 0;
    }
    const uint64_t begin = base_clock_ns(); /* catching up after a rest says nothing about the next guesses */
    if (!follow(x, ids, n_ids)) {
        return 0;
    }
    int32_t made = 0;
    while (made < n && compute(x, s) && choir_sequence_sample(s, &out[made], NULL) == CHOIR_OK) {
        made++;
        if (eng_is_eos(x->target->model, out[made - 1]) ||
            (made < n && choir_sequence_append(s, &out[made - 1], 1, NULL) != CHOIR_OK)) {
            break;
        }
    }
    if (made > 0) {
        eng_pace_guess(pace, made, base_clock_ns() - begin);
    }
    return made;
}

static void draft_close(void *ctx)
{
    struct draft_guesser *x = ctx;
    choir_sequence_close(x->seq);
    free(x);
}

choir_status eng_draft_guesser(struct eng_guesser *g, choir_engine *draft, const choir_sequence *seq, choir_error *err)
{
    *g = (struct eng_guesser){
        .look = draft_look,
        .guess = draft_guess,
        .close = draft_close,
        .likely = {0.75},
    };
    choir_status status = same_pieces(draft->model, seq->engine->model, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct draft_guesser *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return base_fail_memory(err, sizeof *x, "a draft");
    }
    x->target = seq->engine;
    status = choir_sequence_open(&x->seq, draft, smp_options(seq->chain), err);
    if (status != CHOIR_OK) {
        free(x);
        return status;
    }
    g->ctx = x;
    return CHOIR_OK;
}
