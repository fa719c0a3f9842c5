/* The chain: bias and bans, then the steps that are on in their order, then the draw.
 *
 * Biases are added to all logits first; banned ids (bias -inf, end-of-text ids with ignore_eos) and ids without a piece are
 * never candidates.  Steps whose options make them do nothing are dropped when the chain is opened.  temp 0 is not a step
 * but another end of the chain: the greatest logit after biases and penalties, whatever else is on.  A chain that
 * bans every id is refused.
 *
 * Until a step needs candidates, logits stay a plain row: most ids are looked at once, by the pass that keeps the top k. */
#include "engine/sampler.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "engine/sampler_options.h"
#include "engine/sampler_steps.h"

struct smp_chain {
    choir_sampling options; /* its two pointers lead to what follows */
    choir_logit_bias *bias; /* [options.n_logit_bias] */
    char *samplers;         /* NULL: the default order */
    struct smp_order order; /* steps that do something */
    struct smp_penalty penalty;
    int32_t n_pieces;
    int32_t *banned; /* [n_banned] end-of-text ids */
    int32_t n_banned;
    double *row;     /* [n_pieces] logits with bias */
    int32_t *counts; /* [n_pieces] times seen, all 0 between draws; NULL without penalties */
    int32_t cands_cap;
    struct smp_cand *cands;   /* [cands_cap]; NULL when temp is 0 */
    struct smp_cand *scratch; /* [cands_cap]; NULL without the typical step */
};

static bool is_on(const choir_sampling *s, enum smp_step step, int32_t n_pieces)
{
    switch (step) {
    case SMP_PENALTIES:
        return s->repeat_last_n != 0 &&
               (s->repeat_penalty != 1.0f || s->presence_penalty != 0.0f || s->frequency_penalty != 0.0f);
    case SMP_TOP_K:
        return s->temp > 0 && s->top_k > 0 && s->top_k < n_pieces;
    case SMP_TYPICAL:
        return s->temp > 0 && s->typical < 1.0f;
    case SMP_TOP_P:
        return s->temp > 0 && s->top_p < 1.0f;
    case SMP_MIN_P:
        return s->temp > 0 && s->min_p > 0.0f;
    case SMP_TEMPERATURE:
        return s->temp > 0 && s->temp != 1.0f;
    case SMP_STEP_COUNT:
        break;
    }
    return false;
}

static bool has_step(const struct smp_chain *chain, enum smp_step step)
{
    for (int i = 0; i < chain->order.n_steps; i++) {
        if (chain->order.steps[i] == step) {
            return true;
        }
    }
    return false;
}

/* Number of steps that work on the row: penalties, when nothing has thinned out the candidates before. */
static int n_row_steps(const struct smp_chain *chain)
{
    return chain->order.n_steps > 0 && chain->order.steps[0] == SMP_PENALTIES;
}

/* Most candidates there will ever be: the row's top k when that is taken from the row, else all ids. */
static int32_t most_cands(const struct smp_chain *chain)
{
    int first = n_row_steps(chain);
    if (first < chain->order.n_steps && chain->order.steps[first] == SMP_TOP_K) {
        return chain->options.top_k;
    }
    return chain->n_pieces;
}

/* calloc of n things that counts bytes for the message; n may be 0. */
static void *take(size_t n, size_t bytes, size_t *sum)
{
    *sum += n * bytes;
    return calloc(n > 0 ? n : 1, bytes);
}

/* All memory of the chain, by its options and order. */
static choir_status allocate(struct smp_chain *chain, int32_t n_eos, choir_error *err)
{
    const choir_sampling *s = &chain->options;
    size_t n = (size_t)chain->n_pieces;
    size_t sum = 0;
    bool ok = (chain->row = take(n, sizeof *chain->row, &sum)) != NULL;
    ok = ok && (chain->banned = take((size_t)n_eos, sizeof *chain->banned, &sum)) != NULL;
    ok = ok && (chain->bias = take(s->n_logit_bias, sizeof *chain->bias, &sum)) != NULL;
    if (ok && s->samplers != NULL) {
        ok = (chain->samplers = take(strlen(s->samplers) + 1, 1, &sum)) != NULL;
    }
    if (ok && has_step(chain, SMP_PENALTIES)) {
        ok = (chain->counts = take(n, sizeof *chain->counts, &sum)) != NULL;
    }
    if (ok && s->temp > 0) {
        chain->cands_cap = most_cands(chain);
        ok = (chain->cands = take((size_t)chain->cands_cap, sizeof *chain->cands, &sum)) != NULL;
    }
    if (ok && has_step(chain, SMP_TYPICAL)) {
        ok = (chain->scratch = take((size_t)chain->cands_cap, sizeof *chain->scratch, &sum)) != NULL;
    }
    return ok ? CHOIR_OK : base_fail_memory(err, sum, "a sampler");
}

static void copy_options(struct smp_chain *chain, const int32_t *eos_ids, int32_t n_eos)
{
    choir_sampling *s = &chain->options;
    for (size_t i = 0; i < s->n_logit_bias; i++) {
        chain->bias[i] = s->logit_bias[i];
    }
    s->logit_bias = chain->bias;
    if (s->samplers != NULL) {
        memcpy(chain->samplers, s->samplers, strlen(s->samplers) + 1);
        s->samplers = chain->samplers;
    }
    for (int32_t i = 0; s->ignore_eos && i < n_eos; i++) {
        if (eos_ids[i] >= 0 && eos_ids[i] < chain->n_pieces) {
            chain->banned[chain->n_banned++] = eos_ids[i];
        }
    }
    chain->penalty = (struct smp_penalty){
        .repeat = (double)s->repeat_penalty,
        .presence = (double)s->presence_penalty,
        .frequency = (double)s->frequency_penalty,
    };
}

/* row = logits with biases, -INFINITY where banned.  logits NULL: all 0. */
static void load_row(struct smp_chain *chain, const float *logits)
{
    const choir_sampling *s = &chain->options;
    for (int32_t id = 0; id < chain->n_pieces; id++) {
        chain->row[id] = logits != NULL ? (double)logits[id] : 0;
    }
    for (size_t i = 0; i < s->n_logit_bias; i++) {
        if (s->logit_bias[i].id < chain->n_pieces) {
            chain->row[s->logit_bias[i].id] += (double)s->logit_bias[i].bias;
        }
    }
    for (int32_t i = 0; i < chain->n_banned; i++) {
        chain->row[chain->banned[i]] = -INFINITY;
    }
}

/* The greatest, the lower id among equals. */
static int32_t row_argmax(const double *row, int32_t n)
{
    int32_t best = 0;
    for (int32_t id = 1; id < n; id++) {
        if (row[id] > row[best]) {
            best = id;
        }
    }
    return best;
}

/* Whether no token may be drawn.  A look at all of them costs more than all else of a fork, and only so many bans can do it. */
static bool bans_all(struct smp_chain *chain)
{
    if (chain->options.n_logit_bias + (size_t)chain->n_banned < (size_t)chain->n_pieces) {
        return false;
    }
    load_row(chain, NULL);
    return chain->row[row_argmax(chain->row, chain->n_pieces)] == -INFINITY;
}

choir_status smp_open(struct smp_chain **out, const choir_sampling *sampling, int32_t vocab_size, int32_t n_pieces,
                      const int32_t *eos_ids, int32_t n_eos, choir_error *err)
{
    *out = NULL;
    assert(n_pieces >= 1 && n_pieces <= vocab_size && n_eos >= 0);
    choir_status status = choir_sampling_check(sampling, err);
    if (status != CHOIR_OK) {
        return status;
    }
    for (size_t i = 0; i < sampling->n_logit_bias; i++) {
        if (sampling->logit_bias[i].id >= vocab_size) {
            return base_fail(err, CHOIR_USAGE, "logit_bias: id %d is not below the vocabulary's size, %d",
                             (int)sampling->logit_bias[i].id, (int)vocab_size);
        }
    }
    struct smp_chain *chain = calloc(1, sizeof *chain);
    if (chain == NULL) {
        return base_fail_memory(err, sizeof *chain, "a sampler");
    }
    chain->options = *sampling;
    chain->n_pieces = n_pieces;
    struct smp_order order;
    status = smp_order_parse(&order, sampling->samplers, err);
    for (int i = 0; i < order.n_steps; i++) {
        if (is_on(sampling, order.steps[i], n_pieces)) {
            chain->order.steps[chain->order.n_steps++] = order.steps[i];
        }
    }
    if (status == CHOIR_OK) {
        status = allocate(chain, n_eos, err);
    }
    if (status != CHOIR_OK) {
        smp_close(chain);
        return status;
    }
    copy_options(chain, eos_ids, n_eos);
    if (bans_all(chain)) {
        smp_close(chain);
        return base_fail(err, CHOIR_USAGE, "logit_bias: every one of the %d tokens is banned", n_pieces);
    }
    *out = chain;
    return CHOIR_OK;
}

void smp_close(struct smp_chain *chain)
{
    if (chain != NULL) {
        free(chain->bias);
        free(chain->samplers);
        free(chain->banned);
        free(chain->row);
        free(chain->counts);
        free(chain->cands);
        free(chain->scratch);
        free(chain);
    }
}

const choir_sampling *smp_options(const struct smp_chain *chain)
{
    return &chain->options;
}

/* The part of the history that penalties look back on. */
struct window {
    const int32_t *ids;
    int32_t n;
};

static struct window look_back(const struct smp_chain *chain, const int32_t *history, int32_t n_history)
{
    int32_t n = chain->options.repeat_last_n;
    if (n < 0 || n > n_history) {
        n = n_history;
    }
    return (struct window){.ids = n > 0 ? history + (n_history - n) : NULL, .n = n};
}

static void count(struct smp_chain *chain, struct window w)
{
    for (int32_t i = 0; i < w.n; i++) {
        if (w.ids[i] >= 0 && w.ids[i] < chain->n_pieces) {
            chain->counts[w.ids[i]]++;
        }
    }
}

static void penalize_row(struct smp_chain *chain, struct window w)
{
    count(chain, w);
    for (int32_t i = 0; i < w.n; i++) {
        int32_t id = w.ids[i];
        if (id >= 0 && id < chain->n_pieces && chain->counts[id] > 0) {
            chain->row[id] = smp_penalized(chain->row[id], chain->counts[id], &chain->penalty);
            chain->counts[id] = 0;
        }
    }
}

static void penalize_set(struct smp_chain *chain, struct smp_set *set, struct window w)
{
    count(chain, w);
    smp_penalties(set, chain->counts, &chain->penalty);
    for (int32_t i = 0; i < w.n; i++) {
        if (w.ids[i] >= 0 && w.ids[i] < chain->n_pieces) {
            chain->counts[w.ids[i]] = 0;
        }
    }
}

static void run_step(struct smp_chain *chain, enum smp_step step, struct smp_set *set, struct window w)
{
    const choir_sampling *s = &chain->options;
    switch (step) {
    case SMP_PENALTIES:
        penalize_set(chain, set, w);
        break;
    case SMP_TOP_K:
        smp_top_k(set, s->top_k);
        break;
    case SMP_TYPICAL:
        smp_typical(set, (double)s->typical, chain->scratch);
        break;
    case SMP_TOP_P:
        smp_top_p(set, (double)s->top_p);
        break;
    case SMP_MIN_P:
        smp_min_p(set, (double)s->min_p);
        break;
    case SMP_TEMPERATURE:
        smp_temperature(set, (double)s->temp);
        break;
    case SMP_STEP_COUNT:
        break;
    }
}

int32_t smp_draw(struct smp_chain *chain, const float *logits, const int32_t *history, int32_t n_history, int64_t pos)
{
    struct window w = look_back(chain, history, n_history);
    load_row(chain, logits);
    int i = 0;
    for (; i < n_row_steps(chain); i++) {
        penalize_row(chain, w);
    }
    if (chain->options.temp == 0) {
        return row_argmax(chain->row, chain->n_pieces);
    }
    struct smp_set set = {.cands = chain->cands};
    smp_gather(&set, chain->row, chain->n_pieces, chain->cands_cap);
    for (; i < chain->order.n_steps; i++) {
        run_step(chain, chain->order.steps[i], &set, w);
    }
    return smp_pick(&set, base_rng_uniform(chain->options.seed, chain->options.choice, (uint64_t)pos));
}

bool smp_is_biased(const struct smp_chain *chain)
{
    return chain->options.n_logit_bias > 0 || chain->n_banned > 0;
}

void smp_bias(const struct smp_chain *chain, float *row)
{
    const choir_sampling *s = &chain->options;
    for (size_t i = 0; i < s->n_logit_bias; i++) {
        row[s->logit_bias[i].id] += s->logit_bias[i].bias;
    }
    for (int32_t i = 0; i < chain->n_banned; i++) {
        row[chain->banned[i]] = -INFINITY;
    }
}

bool smp_has_penalties(const struct smp_chain *chain)
{
    return has_step(chain, SMP_PENALTIES);
}

int32_t smp_n_pieces(const struct smp_chain *chain)
{
    return chain->n_pieces;
}
