/* Guesses appended, checked and forgotten. */
#include "engine/speculate.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/ngrams.h"

void eng_speculation_open(struct eng_speculation *x, struct choir_sequence *seq, const struct eng_guesser *guesser,
                          int32_t most)
{
    const struct choir_engine *e = seq->engine;
    int32_t rows = e->max_logits < e->opt.batch ? e->max_logits : e->opt.batch;
    *x = (struct eng_speculation){.seq = seq, .guesser = *guesser, .most = most < rows ? most : rows - 1};
    eng_pace_open(&x->pace, guesser->likely);
}

void eng_speculation_close(struct eng_speculation *x)
{
    if (x->seq != NULL && x->guesser.close != NULL) {
        x->guesser.close(x->guesser.ctx);
    }
    x->seq = NULL;
}

static int32_t min32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Guesses that the text has use for: of the last token nothing follows. */
static int32_t useful(const struct eng_speculation *x, const struct eng_writer *w)
{
    int32_t n = min32(x->most, x->seq->engine->opt.ctx_size - x->seq->n_ids - 1);
    if (w->g.max_tokens >= 0) {
        n = min32(n, w->g.max_tokens - w->result.n_generated - 1);
    }
    return n;
}

/* Guesses that are ids, appended. */
static int32_t append(struct choir_sequence *s, int32_t n)
{
    int32_t kept = 0;
    while (kept < n && s->ids[s->n_ids] >= 0 && s->ids[s->n_ids] < s->engine->model->config.vocab_size) {
        s->n_ids++;
        kept++;
    }
    return kept;
}

void eng_speculation_guess(struct eng_speculation *x, const struct eng_writer *w)
{
    struct choir_sequence *s = x->seq;
    x->n_guesses = 0;
    x->n_base = s->n_ids;
    if (s->n_ids - s->table.n_tokens != 1) {
        return;
    }
    int32_t most = useful(x, w);
    most = most > 0 ? x->guesser.look(x->guesser.ctx, s->ids, s->n_ids, most, &x->kind) : 0;
    int32_t n = eng_pace_choose(&x->pace, x->kind, most);
    if (n <= 0) {
        return;
    }
    n = x->guesser.guess(x->guesser.ctx, s->ids, s->n_ids, s->ids + s->n_ids, n, &x->pace);
    x->n_guesses = s->n_guesses = append(s, n);
    x->own_want_from = s->want_from;
    s->want_from = min32(s->want_from, x->n_base - 1);
}

/* The timeline ends after n tokens; of the last the logits are taken from its row, or it is pending. */
static void cut(struct eng_speculation *x, int32_t n, bool with_logits)
{
    struct choir_sequence *s = x->seq;
    if (x->n_guesses > 0) {
        s->want_from = x->own_want_from;
    }
    x->n_guesses = s->n_guesses = 0;
    eng_sequence_cut(s, n, with_logits ? n : n - 1);
    if (with_logits) {
        memcpy(s->logits, choir_sequence_logits_at(s, n - 1),
               (size_t)s->engine->model->config.vocab_size * sizeof *s->logits);
        s->has_logits = true;
    }
}

void eng_speculation_forget(struct eng_speculation *x)
{
    if (x->n_guesses > 0) {
        cut(x, x->n_base, false);
    }
}

choir_status eng_speculation_check(struct eng_speculation *x, struct eng_writer *w, uint64_t ns, bool *ended,
                                   choir_error *err)
{
    struct choir_sequence *s = x->seq;
    const int32_t n = min32(x->n_guesses, s->table.n_tokens - x->n_base); /* those computed */
    eng_pace_step(&x->pace, n, ns);
    *ended = false;
    if (x->n_guesses == 0) {
        return eng_writer_next(w, ended, err);
    }
    int32_t kept = 0, pos = x->n_base;
    choir_status status = CHOIR_OK;
    s->n_ids = x->n_base;
    for (bool right = true; right && status == CHOIR_OK && !*ended;) {
        pos = s->n_ids;
        const int32_t guess = kept < n ? s->ids[pos] : -1;
        const float *row = choir_sequence_logits_at(s, pos - 1);
        int32_t id = smp_draw(s->chain, row, s->ids, pos, pos);
        right = id == guess;
        kept += right ? 1 : 0;
        status = eng_writer_take(w, id, row, ended, err);
    }
    w->result.n_guessed += n;
    w->result.n_guesses_kept += kept;
    eng_pace_result(&x->pace, x->kind, n, kept);
    cut(x, s->n_ids, s->n_ids == pos); /* an end-of-text id is not in the timeline */
    return status;
}

/* ---- n-grams ----------------------------------------------------------------------------------------- */

struct ngram_guesser {
    struct eng_ngrams index;
    int32_t from; /* position of the first guess in the text */
};

static int32_t ngram_look(void *ctx, const int32_t *ids, int32_t n_ids, int32_t most, int *kind)
{
    struct ngram_guesser *x = ctx;
    int32_t length;
    x->from = eng_ngrams_find(&x->index, ids, n_ids, &length);
    if (x->from < 0) {
        return 0;
    }
    *kind = length < 3 ? 0 : length < 5 ? 1 : length < 9 ? 2 : length < 17 ? 3 : 4;
    return most;
}

/* What runs over the end of the text goes on with the guesses themselves: a text that repeats itself. */
static int32_t ngram_guess(void *ctx, const int32_t *ids, int32_t n_ids, int32_t *out, int32_t n, struct eng_pace *pace)
{
    struct ngram_guesser *x = ctx;
    (void)pace;
    for (int32_t i = 0; i < n; i++) {
        int32_t at = x->from + i;
        out[i] = at < n_ids ? ids[at] : out[at - n_ids];
    }
    return n;
}

static void ngram_close(void *ctx)
{
    struct ngram_guesser *x = ctx;
    eng_ngrams_close(&x->index);
    free(x);
}

choir_status eng_ngram_guesser(struct eng_guesser *g, int32_t cap, choir_error *err)
{
    *g = (struct eng_guesser){
        .look = ngram_look,
        .guess = ngram_guess,
        .close = ngram_close,
        .likely = {0.3, 0.5, 0.7, 0.85, 0.95},
    };
    struct ngram_guesser *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return base_fail_memory(err, sizeof *x, "an index of what was said");
    }
    choir_status status = eng_ngrams_open(&x->index, cap, err);
    if (status != CHOIR_OK) {
        ngram_close(x);
        return status;
    }
    g->ctx = x;
    return CHOIR_OK;
}
