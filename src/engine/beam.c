/* Beam search: step all running texts together, rank what could follow, fork, append, until it is over.
 *
 * A running text is a slot: a sequence with its text.  A slot is used again, so the search opens n_beams - 1 sequences and no
 * more; a text that has several continuations is forked into slots whose own text has none (blocks shared, copied when
 * written).  The caller's sequence is the first slot and gets its past back at the end: all texts share it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fmath.h"
#include "engine/beam_rank.h"
#include "engine/beam_text.h"
#include "engine/engine.h"

enum { BEAMS_MOST = 1024 };

struct slot {
    struct choir_sequence *seq;
    struct eng_beam_text text;
};

struct search {
    struct choir_sequence *seq; /* the caller's */
    const choir_generation *g;
    const choir_beam_options *opt;
    int32_t n_prompt, limit;      /* most tokens that are drawn */
    bool context_limit;           /* limit is what the context has room for */
    int32_t n_drawn;              /* by each running text */
    struct slot *slots;           /* [n_beams], the first n_live run, most likely first */
    struct slot *next;            /* [n_beams], of the next step */
    struct choir_sequence **seqs; /* [n_beams] of the running slots */
    double *log_probs;            /* [n_beams] */
    int32_t n_live;
    struct eng_candidate *going_on; /* [n_beams] chosen to run on */
    int32_t *place;                 /* [n_beams] slots of these */
    bool *taken;                    /* [n_beams] slots that one of these has */
    struct eng_ranking ranking;
    char *piece;      /* [tok_detok_bound] */
    choir_beam *done; /* [n_beams] best first; room for one more */
    int32_t n_done;
};

void choir_beam_options_default(choir_beam_options *opt)
{
    *opt = (choir_beam_options){.n_beams = 4, .length_penalty = 1};
}

static void free_beam(choir_beam *b)
{
    free(b->ids);
    free(b->text);
}

void choir_beams_free(choir_beam *beams, int32_t n_beams)
{
    for (int32_t i = 0; i < n_beams; i++) {
        free_beam(&beams[i]);
    }
    free(beams);
}

/* ---- open and close ---- */

static choir_status check(const choir_sequence *seq, const choir_beam_options *opt, choir_error *err)
{
    if (opt->n_beams < 1 || opt->n_beams > BEAMS_MOST) {
        return base_fail(err, CHOIR_USAGE, "n_beams: %d is not from 1 to %d", opt->n_beams, BEAMS_MOST);
    }
    if (!(opt->length_penalty >= -100 && opt->length_penalty <= 100)) {
        return base_fail(err, CHOIR_USAGE, "length_penalty: %g is not from -100 to 100", opt->length_penalty);
    }
    if (seq->engine->opt.infinite) {
        return base_fail(err, CHOIR_USAGE, "a text without end has no beam search");
    }
    if (smp_has_penalties(seq->chain)) {
        return base_fail(err, CHOIR_USAGE, "a beam search has no penalties for tokens");
    }
    return seq->n_ids > 0
               ? CHOIR_OK
               : base_fail(err, CHOIR_PROMPT, "prompt is empty, and the model has no token that begins a text");
}

static choir_status open_slots(struct search *x, choir_error *err)
{
    const struct tokenizer *t = x->seq->engine->model->tokenizer;
    x->slots[0].seq = x->seq;
    eng_beam_text_init(&x->slots[0].text, t, x->g->at_start);
    choir_status status = CHOIR_OK;
    for (int32_t i = 1; i < x->opt->n_beams && status == CHOIR_OK; i++) {
        status = choir_sequence_open(&x->slots[i].seq, x->seq->engine, smp_options(x->seq->chain), err);
        eng_beam_text_init(&x->slots[i].text, t, x->g->at_start);
    }
    return status;
}

static choir_status open_search(struct search *x, choir_error *err)
{
    const struct choir_model *m = x->seq->engine->model;
    const size_t n = (size_t)x->opt->n_beams;
    const size_t bound = m->tokenizer != NULL ? tok_detok_bound(m->tokenizer) : 1;
    const int32_t room = x->seq->engine->opt.ctx_size - x->seq->n_ids;
    x->n_prompt = x->seq->n_ids;
    x->context_limit = x->g->max_tokens < 0 || x->g->max_tokens >= room;
    x->limit = x->context_limit ? room : x->g->max_tokens;
    x->slots = calloc(n, sizeof *x->slots);
    x->next = calloc(n, sizeof *x->next);
    x->seqs = calloc(n, sizeof *x->seqs);
    x->log_probs = calloc(n, sizeof *x->log_probs);
    x->going_on = calloc(n, sizeof *x->going_on);
    x->place = calloc(n, sizeof *x->place);
    x->taken = calloc(n, sizeof *x->taken);
    x->piece = malloc(bound);
    x->done = calloc(n + 1, sizeof *x->done);
    if (x->slots == NULL || x->next == NULL || x->seqs == NULL || x->log_probs == NULL || x->going_on == NULL ||
        x->place == NULL || x->taken == NULL || x->piece == NULL || x->done == NULL) {
        return base_fail_memory(err, n * (2 * sizeof *x->slots + sizeof *x->done) + bound, "a beam search");
    }
    /* as many as end the text may be among the best, for each beam */
    const int32_t n_ends = m->n_eos + (int32_t)x->g->n_end_ids, per_beam = n_ends > 1 ? n_ends + 1 : 2;
    choir_status status = eng_ranking_open(&x->ranking, x->seq, x->opt->n_beams, per_beam * x->opt->n_beams, err);
    return status == CHOIR_OK ? open_slots(x, err) : status;
}

/* The caller's sequence gets its past back: that of any slot begins with it. */
static void close_search(struct search *x)
{
    for (int32_t i = 0; x->slots != NULL && i < x->opt->n_beams; i++) {
        if (x->slots[i].seq != x->seq) {
            choir_sequence_close(x->slots[i].seq);
        }
        eng_beam_text_free(&x->slots[i].text);
    }
    choir_sequence_truncate(x->seq, x->n_prompt);
    eng_ranking_close(&x->ranking);
    free(x->slots);
    free(x->next);
    free(x->seqs);
    free(x->log_probs);
    free(x->going_on);
    free(x->place);
    free(x->taken);
    free(x->piece);
}

/* ---- finished texts ---- */

static double score_of(const struct search *x, double log_prob, int32_t length)
{
    const double a = x->opt->length_penalty;
    if (length == 0 || a == 0) {
        return log_prob;
    }
    return log_prob / (a == 1 ? (double)length : fmath_pow((double)length, a));
}

/* Puts b among the finished ones, behind its equals; the worst leaves when there are too many. */
static void keep_done(struct search *x, const choir_beam *b)
{
    int32_t at = x->n_done++;
    for (; at > 0 && x->done[at - 1].score < b->score; at--) {
        x->done[at] = x->done[at - 1];
    }
    x->done[at] = *b;
    if (x->n_done > x->opt->n_beams) {
        free_beam(&x->done[--x->n_done]);
    }
}

/* Whether id ends a text. */
static bool is_end(const struct search *x, int32_t id)
{
    for (size_t i = 0; i < x->g->n_end_ids; i++) {
        if (x->g->end_ids[i] == id) {
            return true;
        }
    }
    return eng_is_eos(x->seq->engine->model, id);
}

/* The slot's text so far, and id behind it (-1: nothing), as a finished text. */
static choir_status finish(struct search *x, const struct slot *s, int32_t id, double log_prob, choir_finish why,
                           choir_error *err)
{
    const bool is_eos = id >= 0 && is_end(x, id);
    const int32_t drawn = x->n_drawn + (id >= 0);
    choir_beam b = {.n_ids = drawn - is_eos, .length = drawn, .log_prob = log_prob, .finish = why};
    b.score = score_of(x, log_prob, drawn);
    if (x->n_done == x->opt->n_beams && b.score <= x->done[x->n_done - 1].score) {
        return CHOIR_OK;
    }
    b.context_full = why == CHOIR_FINISH_LENGTH && x->context_limit;
    struct eng_beam_text text = {0};
    choir_status status = eng_beam_text_copy(&text, &s->text, err);
    bool stopped = false;
    if (status == CHOIR_OK && id >= 0 && !is_eos) {
        status = eng_beam_text_push(&text, x->g, id, &stopped, err);
    }
    if (status == CHOIR_OK && !stopped) {
        status = eng_beam_text_end(&text, err);
    }
    b.ids = malloc(((size_t)drawn + 1) * sizeof *b.ids);
    b.text = malloc(text.n + 1);
    if (status == CHOIR_OK && (b.ids == NULL || b.text == NULL)) {
        status = base_fail_memory(err, text.n + (size_t)drawn * sizeof *b.ids, "a text");
    }
    if (status != CHOIR_OK) {
        free_beam(&b);
        eng_beam_text_free(&text);
        return status;
    }
    memcpy(b.ids, s->seq->ids + x->n_prompt, (size_t)x->n_drawn * sizeof *b.ids);
    if (id >= 0 && !is_eos) {
        b.ids[x->n_drawn] = id;
    }
    memcpy(b.text, text.n > 0 ? text.at : "", text.n);
    b.text[text.n] = '\0';
    b.n_text = text.n;
    eng_beam_text_free(&text);
    keep_done(x, &b);
    return CHOIR_OK;
}

/* ---- one step ---- */

/* Parts the ranked continuations into texts that end and texts that go on; of both, what is good enough. */
static choir_status part(struct search *x, int32_t n_best, choir_error *err)
{
    const int32_t n_beams = x->opt->n_beams;
    const bool last = x->n_drawn + 1 == x->limit;
    int32_t n_next = 0;
    for (int32_t i = 0; i < n_best && n_next < n_beams; i++) {
        const struct eng_candidate *c = &x->ranking.best[i];
        const struct slot *s = &x->slots[c->beam];
        const bool stops = is_end(x, c->id) || eng_beam_text_stops(&s->text, x->g, c->id, x->piece);
        if (!stops && !last) {
            x->going_on[n_next++] = *c;
        } else if (i < n_beams) {
            choir_finish why = stops ? CHOIR_FINISH_STOP : CHOIR_FINISH_LENGTH;
            choir_status status = finish(x, s, c->id, c->log_prob, why, err);
            if (status != CHOIR_OK) {
                return status;
            }
        }
    }
    x->n_live = n_next;
    return CHOIR_OK;
}

/* A slot whose text nothing goes on from. */
static int32_t free_slot(const struct search *x)
{
    int32_t i = 0;
    while (x->taken[i]) {
        i++;
    }
    return i;
}

/* Slot at becomes a fork of slot parent. */
static choir_status fork_slot(struct search *x, int32_t at, int32_t parent, choir_error *err)
{
    struct slot *dst = &x->slots[at], *src = &x->slots[parent];
    choir_sequence_truncate(dst->seq, 0);
    src->seq->has_logits = false; /* they have been ranked: nothing to copy */
    choir_status status = eng_sequence_share(dst->seq, src->seq, err);
    return status == CHOIR_OK ? eng_beam_text_copy(&dst->text, &src->text, err) : status;
}

/* Gives each text that goes on a slot with its past: the first of a parent the parent's own, the others forks of it. */
static choir_status fork_slots(struct search *x, choir_error *err)
{
    const int32_t n_beams = x->opt->n_beams;
    memset(x->taken, 0, (size_t)n_beams * sizeof *x->taken);
    for (int32_t i = 0; i < x->n_live; i++) {
        x->taken[x->going_on[i].beam] = true;
    }
    int32_t n_next = 0;
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < x->n_live && status == CHOIR_OK; i++) {
        const int32_t parent = x->going_on[i].beam;
        bool first = true;
        for (int32_t j = 0; j < i; j++) {
            first = first && x->going_on[j].beam != parent;
        }
        x->place[i] = first ? parent : free_slot(x);
        if (!first) {
            x->taken[x->place[i]] = true;
            status = fork_slot(x, x->place[i], parent, err);
        }
    }
    if (status != CHOIR_OK) {
        return status;
    }
    for (int32_t i = 0; i < x->n_live; i++) {
        x->next[n_next++] = x->slots[x->place[i]];
    }
    for (int32_t i = 0; i < n_beams; i++) { /* the others rest behind them and hold no more than the prompt */
        if (!x->taken[i]) {
            choir_sequence_truncate(x->slots[i].seq, x->n_prompt);
            x->next[n_next++] = x->slots[i];
        }
    }
    memcpy(x->slots, x->next, (size_t)n_beams * sizeof *x->slots);
    return CHOIR_OK;
}

static choir_status go_on(struct search *x, choir_error *err)
{
    choir_status status = fork_slots(x, err);
    if (status != CHOIR_OK) {
        return status;
    }
    for (int32_t i = 0; i < x->n_live && status == CHOIR_OK; i++) {
        bool stopped;
        x->log_probs[i] = x->going_on[i].log_prob;
        x->seqs[i] = x->slots[i].seq;
        status = choir_sequence_append(x->seqs[i], &x->going_on[i].id, 1, err);
        if (status == CHOIR_OK) {
            status = eng_beam_text_push(&x->slots[i].text, x->g, x->going_on[i].id, &stopped, err);
        }
    }
    x->n_drawn++;
    return status;
}

static bool is_over(const struct search *x)
{
    return x->n_live == 0 ||
           (x->n_done == x->opt->n_beams && score_of(x, x->log_probs[0], x->n_drawn) <= x->done[x->n_done - 1].score);
}

/* Computes all that is pending of the running texts, together. */
static choir_status compute(struct search *x, choir_error *err)
{
    for (int32_t i = 0; i < x->n_live; i++) {
        while (x->seqs[i]->table.n_tokens < x->seqs[i]->n_ids) {
            choir_status status = choir_engine_step(x->seq->engine, x->seqs, x->n_live, err);
            if (status != CHOIR_OK) {
                return status;
            }
        }
    }
    return CHOIR_OK;
}

static choir_status run(struct search *x, choir_error *err)
{
    if (x->limit == 0) {
        x->n_live = 0;
        return finish(x, &x->slots[0], -1, 0, CHOIR_FINISH_LENGTH, err);
    }
    choir_status status = CHOIR_OK;
    while (status == CHOIR_OK && !is_over(x)) {
        int32_t n_best = eng_rank(&x->ranking, x->seqs, x->log_probs, x->n_live);
        status = part(x, n_best, err);
        if (status == CHOIR_OK && x->n_live > 0) {
            status = go_on(x, err);
            status = status == CHOIR_OK && !is_over(x) ? compute(x, err) : status;
        }
    }
    return status;
}

/* After a cancellation the running texts count as they are. */
static choir_status keep_running(struct search *x, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < x->n_live && status == CHOIR_OK; i++) {
        status = finish(x, &x->slots[i], -1, x->log_probs[i], CHOIR_FINISH_CALLER, err);
    }
    return status;
}

static choir_status search(struct search *x, choir_result *result, choir_error *err)
{
    const uint64_t begin = base_clock_ns();
    const int32_t cached = x->seq->n_cached;
    result->n_prompt = x->seq->n_ids - x->seq->table.n_tokens;
    x->seqs[0] = x->seq;
    x->n_live = 1;
    choir_status status = compute(x, err);
    result->n_cached = x->seq->n_cached - cached;
    result->prompt_ns = base_clock_ns() - begin;
    status = status == CHOIR_OK ? run(x, err) : status;
    if (status == CHOIR_CANCELLED) {
        choir_error other;
        choir_status kept = keep_running(x, &other);
        status = kept == CHOIR_OK ? status : base_fail(err, kept, "%s", other.msg);
    }
    result->generate_ns = base_clock_ns() - begin - result->prompt_ns;
    result->first_token_ns = base_clock_ns() - begin;
    result->n_generated = x->n_drawn;
    return status;
}

choir_status choir_beam_search(choir_beam **beams, int32_t *n_beams, choir_result *result, choir_sequence *seq,
                               const choir_generation *g, const choir_beam_options *opt, choir_error *err)
{
    *beams = NULL;
    *n_beams = 0;
    *result = (choir_result){.finish = CHOIR_FINISH_LENGTH};
    choir_status status = check(seq, opt, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct search x = {.seq = seq, .g = g, .opt = opt};
    status = open_search(&x, err);
    status = status == CHOIR_OK ? search(&x, result, err) : status;
    close_search(&x);
    if (status != CHOIR_OK && status != CHOIR_CANCELLED) {
        choir_beams_free(x.done, x.n_done);
        return status;
    }
    if (x.n_done > 0) {
        result->finish = x.done[0].finish;
        result->context_full = x.done[0].context_full;
        result->n_generated = x.done[0].n_ids;
    }
    *beams = x.done;
    *n_beams = x.n_done;
    return status;
}
