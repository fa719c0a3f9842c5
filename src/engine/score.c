/* Rows of logits of the last step, and what they say: log-probabilities and divergences.
 *
 * A sum over the vocabulary runs in LANES sums of doubles, element i in sum i % LANES, which are then added in pairs.  That
 * order is fixed, and compilers make vectors of it. */
#include "engine/score.h"
#include "base/error.h"
#include "base/fmath.h"
#include "engine/engine.h"
#include "kernels/parallel.h"

enum { LANES = 16 };

void choir_sequence_want_logits(choir_sequence *s, int32_t from)
{
    s->want_from = from > 0 ? from : 0;
}

const float *choir_sequence_logits_at(const choir_sequence *s, int32_t pos)
{
    const struct choir_engine *e = s->engine;
    bool there = s->rows_step == e->n_steps && pos >= s->rows_pos && pos - s->rows_pos < s->n_rows;
    return there ? mdl_logits(e->state, s->rows_at + pos - s->rows_pos) : NULL;
}

/* e^x for FMATH_EXP_MIN <= x <= 0, relative error below 2e-7.  The steps of fmath_exp with products and sums rounded apart:
 * a fused one is a call where the processor at hand is not known. */
static inline float exp_negative(float x)
{
    const float to_integer = 0x1.8p23f; /* adding it rounds to the nearest integer */
    float n = x * FMATH_LOG2E + to_integer - to_integer;
    float r = x - n * FMATH_LN2_HI - n * FMATH_LN2_LO;
    float p = FMATH_EXP_C6;
    p = p * r + FMATH_EXP_C5;
    p = p * r + FMATH_EXP_C4;
    p = p * r + FMATH_EXP_C3;
    p = p * r + FMATH_EXP_C2;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * base_f32_from_bits((uint32_t)((int32_t)n + 127) << 23);
}

static double add_lanes(const double sum[LANES])
{
    double s[LANES];
    for (int i = 0; i < LANES; i++) {
        s[i] = sum[i];
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            s[i] += s[i + half];
        }
    }
    return s[0];
}

/* Index of the largest of x[0..n), the first of equals. */
static int32_t largest(const float *x, int32_t n)
{
    float most[LANES];
    for (int i = 0; i < LANES; i++) {
        most[i] = x[i < n ? i : 0];
    }
    int32_t at = 0;
    for (; at + LANES <= n; at += LANES) {
        for (int i = 0; i < LANES; i++) {
            most[i] = x[at + i] > most[i] ? x[at + i] : most[i];
        }
    }
    float best = most[0];
    for (int i = 1; i < LANES; i++) {
        best = most[i] > best ? most[i] : best;
    }
    for (; at < n; at++) {
        best = x[at] > best ? x[at] : best;
    }
    int32_t first = 0;
    while (first < n - 1 && x[first] != best) {
        first++;
    }
    return first;
}

/* A row of logits as a distribution. */
struct row {
    const float *x;
    int32_t best;
    float max;
    double sum;         /* of exp(x[i] - max) */
    double log_sum_exp; /* log of the sum of exp(x[i]) */
};

/* Numbers of a row taken at a time: a multiple of LANES. */
enum { PIECE = 256 };

/* e[i] = exp(x[i] - max), with exp(FMATH_EXP_MIN), which is next to nothing, for what is below; n at most PIECE. */
static void exp_piece(float *restrict e, const float *restrict x, float max, int32_t n)
{
    for (int32_t i = 0; i < n; i++) { /* apart, or compilers branch for what is constant below the range */
        float y = x[i] - max;
        e[i] = y > FMATH_EXP_MIN ? y : FMATH_EXP_MIN;
    }
    for (int32_t i = 0; i < n; i++) {
        e[i] = exp_negative(e[i]);
    }
}

static int32_t piece_at(int32_t at, int32_t n)
{
    return n - at < PIECE ? n - at : PIECE;
}

static struct row read_row(const float *x, int32_t n)
{
    struct row r = {.x = x, .best = largest(x, n)};
    r.max = x[r.best];
    double sum[LANES] = {0};
    for (int32_t at = 0; at < n; at += PIECE) {
        float e[PIECE] = {0};
        exp_piece(e, x + at, r.max, piece_at(at, n));
        for (int32_t j = 0; j < PIECE; j += LANES) {
            for (int i = 0; i < LANES; i++) {
                sum[i] += (double)e[j + i];
            }
        }
    }
    r.sum = add_lanes(sum);
    r.log_sum_exp = (double)r.max + fmath_log(r.sum);
    return r;
}

double eng_log_sum_exp(const float *x, int32_t n)
{
    return read_row(x, n).log_sum_exp;
}

/* t[i] = exp(b[i] - max) (b[i] - x[i] - shift), n at most PIECE. */
static void divergence_piece(double *restrict t, const struct row *base, const float *restrict x, int32_t at,
                             double shift, int32_t n)
{
    float e[PIECE];
    const float *restrict b = base->x + at;
    exp_piece(e, b, base->max, n);
    for (int32_t i = 0; i < n; i++) {
        t[i] = (double)e[i] * ((double)b[i] - (double)x[at + i] - shift);
    }
}

/* Sum of p (log p - log q), p the base.  Rows with the same bits give exactly 0. */
static double divergence(const struct row *base, const struct row *row, int32_t n)
{
    const double shift = base->log_sum_exp - row->log_sum_exp;
    double sum[LANES] = {0};
    for (int32_t at = 0; at < n; at += PIECE) {
        double t[PIECE] = {0};
        divergence_piece(t, base, row->x, at, shift, piece_at(at, n));
        for (int32_t j = 0; j < PIECE; j += LANES) {
            for (int i = 0; i < LANES; i++) {
                sum[i] += t[j + i];
            }
        }
    }
    return add_lanes(sum) / base->sum;
}

/* The n most likely ids, best first, the lower one of equals first: insertion into a short list. */
static void find_top(choir_token_prob *top, int32_t n, const float *x, int32_t n_vocab)
{
    int32_t used = 0;
    for (int32_t id = 0; n > 0 && id < n_vocab; id++) {
        if (used == n && x[id] <= x[top[n - 1].id]) {
            continue;
        }
        int32_t at = used < n ? used++ : n - 1;
        for (; at > 0 && x[top[at - 1].id] < x[id]; at--) {
            top[at] = top[at - 1];
        }
        top[at].id = id;
    }
}

double eng_row_log_probs(choir_token_prob *top, int32_t n_top, const float *x, int32_t n_vocab, int32_t id)
{
    const struct row row = read_row(x, n_vocab);
    find_top(top, n_top, x, n_vocab);
    for (int32_t i = 0; i < n_top; i++) {
        top[i].log_prob = (double)x[top[i].id] - row.log_sum_exp;
    }
    return (double)x[id] - row.log_sum_exp;
}

choir_status choir_sequence_likely(choir_token_prob *top, int32_t n, const choir_sequence *s, int32_t pos, int32_t id,
                                   double *log_prob, choir_error *err)
{
    const int32_t n_vocab = s->engine->model->config.vocab_size;
    const float *row = s->has_logits && pos == s->n_ids - 1 ? s->logits : choir_sequence_logits_at(s, pos);
    if (row == NULL) {
        return base_fail(err, CHOIR_USAGE, "there are no logits for position %d", pos);
    }
    if (id < 0 || id >= n_vocab || n < 0 || n > n_vocab) {
        return base_fail(err, CHOIR_USAGE, "id %d, or %d of the most likely: the vocabulary is %d", id, n, n_vocab);
    }
    double p = eng_row_log_probs(top, n, row, n_vocab, id);
    if (log_prob != NULL) {
        *log_prob = p;
    }
    return CHOIR_OK;
}

struct scoring {
    choir_score *out;
    const float *rows; /* [n, n_vocab] */
    const float *base; /* [n, n_vocab] or NULL */
    const int32_t *ids;
    int32_t n, n_vocab;
};

static void score_row(const struct scoring *c, int32_t i)
{
    const size_t at = (size_t)i * (size_t)c->n_vocab;
    const struct row row = read_row(c->rows + at, c->n_vocab);
    choir_score *s = &c->out[i];
    *s = (choir_score){.log_prob = (double)row.x[c->ids[i]] - row.log_sum_exp, .best = row.best};
    if (c->base != NULL) {
        const struct row base = read_row(c->base + at, c->n_vocab);
        s->base_log_prob = (double)base.x[c->ids[i]] - base.log_sum_exp;
        s->base_best = base.best;
        s->divergence = divergence(&base, &row, c->n_vocab);
    }
}

static void score_rows(struct par_thread *me, void *ctx)
{
    const struct scoring *c = ctx;
    int begin, end;
    par_loop_begin(me, c->n, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            score_row(c, i);
        }
    }
    par_loop_end(me);
}

choir_status choir_sequence_score(choir_score *out, const choir_sequence *s, int32_t pos, int32_t n, const int32_t *ids,
                                  const float *base, choir_error *err)
{
    const struct choir_engine *e = s->engine;
    const int32_t n_vocab = e->model->config.vocab_size;
    if (n <= 0) {
        return CHOIR_OK;
    }
    const float *rows = choir_sequence_logits_at(s, pos);
    if (rows == NULL || choir_sequence_logits_at(s, pos + (n - 1)) == NULL) {
        return base_fail(err, CHOIR_USAGE, "the last step gave no logits for positions %d to %lld", pos,
                         (long long)pos + n - 1);
    }
    for (int32_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= n_vocab) {
            return base_fail(err, CHOIR_USAGE, "id %d is not in the vocabulary (0 to %d)", ids[i], n_vocab - 1);
        }
        if (base != NULL && !e->model->kernels.all_finite(base + (size_t)i * (size_t)n_vocab, n_vocab)) {
            return base_fail(err, CHOIR_FILE, "base logits at position %d are not finite", pos + i);
        }
    }
    const int64_t worth_a_thread = 1 << 16; /* numbers */
    const int64_t useful = (int64_t)n * n_vocab / worth_a_thread;
    struct scoring c = {.out = out, .rows = rows, .base = base, .ids = ids, .n = n, .n_vocab = n_vocab};
    par_run(useful < e->opt.n_threads ? (int)useful : e->opt.n_threads, score_rows, &c);
    return CHOIR_OK;
}
