/* The sampler's steps.  Nothing is sorted that does not have to be: a heap with the last candidate on top keeps the best k
 * of a row in one pass; a heap with the first on top gives up as many of the best as a step asks for. */
#include "engine/sampler_steps.h"

#include <assert.h>
#include <math.h>

#include "base/fmath.h"

enum top { FIRST_ON_TOP, LAST_ON_TOP };

static inline bool before(const struct smp_cand *a, const struct smp_cand *b)
{
    return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

static inline bool above(const struct smp_cand *a, const struct smp_cand *b, enum top top)
{
    return top == FIRST_ON_TOP ? before(a, b) : before(b, a);
}

/* Moves heap[i] down to where it belongs. */
static void sift(struct smp_cand *heap, int32_t n, int32_t i, enum top top)
{
    struct smp_cand moved = heap[i];
    while (i < n / 2) { /* it has a child */
        int32_t child = 2 * i + 1;
        if (child + 1 < n && above(&heap[child + 1], &heap[child], top)) {
            child++;
        }
        if (!above(&heap[child], &moved, top)) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moved;
}

static void heapify(struct smp_cand *heap, int32_t n, enum top top)
{
    for (int32_t i = n / 2 - 1; i >= 0; i--) {
        sift(heap, n, i, top);
    }
}

/* Takes the top away, to heap[n - 1]; n - 1 are left. */
static const struct smp_cand *pop(struct smp_cand *heap, int32_t n, enum top top)
{
    struct smp_cand taken = heap[0];
    heap[0] = heap[n - 1];
    heap[n - 1] = taken;
    sift(heap, n - 1, 0, top);
    return &heap[n - 1];
}

/* A heap with the last on top becomes a sorted array: each one popped goes behind those that are left. */
static void sort_heap(struct smp_set *set)
{
    for (int32_t n = set->n; n > 1; n--) {
        pop(set->cands, n, LAST_ON_TOP);
    }
    set->sorted = true;
}

static double greatest(const struct smp_set *set)
{
    double max = set->cands[0].logit;
    for (int32_t i = 1; !set->sorted && i < set->n; i++) {
        max = set->cands[i].logit > max ? set->cands[i].logit : max;
    }
    return max;
}

/* Fills in all weights and returns their sum; the greatest weight is exactly 1. */
static double weigh(struct smp_set *set)
{
    double max = greatest(set);
    double sum = 0;
    for (int32_t i = 0; i < set->n; i++) {
        double x = set->cands[i].logit - max;
        /* the test keeps the conversion to float in range */
        set->cands[i].weight = x < (double)FMATH_EXP_MIN ? 0.0f : fmath_exp((float)x);
        sum += (double)set->cands[i].weight;
    }
    return sum;
}

void smp_gather(struct smp_set *set, const double *row, int32_t n_row, int32_t k)
{
    struct smp_cand *cands = set->cands;
    int32_t n = 0;
    int32_t id = 0;
    for (; id < n_row && n < k; id++) {
        if (row[id] != -INFINITY) {
            cands[n++] = (struct smp_cand){.logit = row[id], .id = id};
        }
    }
    assert(n > 0);
    set->n = n;
    set->sorted = n == 1;
    if (id == n_row) {
        return;
    }
    heapify(cands, n, LAST_ON_TOP);
    for (; id < n_row; id++) {
        if (row[id] > cands[0].logit) { /* an equal one has the higher id and comes later */
            cands[0] = (struct smp_cand){.logit = row[id], .id = id};
            sift(cands, n, 0, LAST_ON_TOP);
        }
    }
    sort_heap(set);
}

void smp_top_k(struct smp_set *set, int32_t k)
{
    if (k >= set->n) {
        return;
    }
    if (!set->sorted) {
        heapify(set->cands, k, LAST_ON_TOP);
        for (int32_t i = k; i < set->n; i++) {
            if (before(&set->cands[i], &set->cands[0])) {
                set->cands[0] = set->cands[i];
                sift(set->cands, k, 0, LAST_ON_TOP);
            }
        }
    }
    set->n = k;
    if (!set->sorted) {
        sort_heap(set);
    }
}

/* Turns the best `n_best` that were popped to the end of the set into the whole set, best first. */
static void keep_popped(struct smp_set *set, int32_t n_best)
{
    struct smp_cand *cands = set->cands;
    for (int32_t i = 0, j = set->n - 1; i < j; i++, j--) {
        struct smp_cand other = cands[i];
        cands[i] = cands[j];
        cands[j] = other;
    }
    set->n = n_best;
    set->sorted = true;
}

void smp_top_p(struct smp_set *set, double p)
{
    double sum = weigh(set);
    double want = p * sum;
    double got = 0;
    int32_t n = 0;
    if (set->sorted) {
        do {
            got += (double)set->cands[n++].weight;
        } while (n < set->n && got < want);
        set->n = n;
        return;
    }
    /* Candidates below half of the fair share of what may be cut have less than half of 1 - p together, so the rest
     * passes p without them, rounding included: they need not go through the heap. */
    double too_little = 0.5 * (1.0 - p) * sum / set->n;
    int32_t n_left = 0;
    for (int32_t i = 0; i < set->n; i++) {
        if ((double)set->cands[i].weight >= too_little) {
            set->cands[n_left++] = set->cands[i];
        }
    }
    set->n = n_left;
    heapify(set->cands, set->n, FIRST_ON_TOP);
    do {
        got += (double)pop(set->cands, set->n - n, FIRST_ON_TOP)->weight;
        n++;
    } while (n < set->n && got < want);
    keep_popped(set, n);
}

void smp_min_p(struct smp_set *set, double min_p)
{
    double max = greatest(set);
    double least = fmin(max, max + fmath_log(min_p));
    int32_t n = 0;
    for (int32_t i = 0; i < set->n; i++) {
        if (set->cands[i].logit >= least) {
            set->cands[n++] = set->cands[i];
        }
    }
    set->n = n;
}

/* -log p of a candidate is log_sum - (logit - max), and the entropy is log_sum - (mean of logit - max): log_sum cancels
 * out of their difference, so one pass gives all the distances without a logarithm. */
static double surprise(const struct smp_cand *c, double max, double mean)
{
    return fabs(mean - (c->logit - max));
}

void smp_typical(struct smp_set *set, double p, struct smp_cand *scratch)
{
    double sum = weigh(set);
    double max = greatest(set);
    double mean = 0;
    for (int32_t i = 0; i < set->n; i++) {
        mean += (double)set->cands[i].weight * (set->cands[i].logit - max);
    }
    mean /= sum;
    for (int32_t i = 0; i < set->n; i++) {
        scratch[i] = set->cands[i];
        scratch[i].logit = -surprise(&set->cands[i], max, mean);
    }
    heapify(scratch, set->n, FIRST_ON_TOP);
    double got = 0;
    int32_t n = 0;
    do {
        got += (double)pop(scratch, set->n - n, FIRST_ON_TOP)->weight;
        n++;
    } while (n < set->n && got <= p * sum);
    struct smp_cand last = scratch[set->n - n]; /* the least typical one that stays */
    int32_t n_kept = 0;
    for (int32_t i = 0; i < set->n; i++) {
        struct smp_cand c = {.logit = -surprise(&set->cands[i], max, mean), .id = set->cands[i].id};
        if (!before(&last, &c)) {
            set->cands[n_kept++] = set->cands[i];
        }
    }
    assert(n_kept == n);
    set->n = n_kept;
}

void smp_temperature(struct smp_set *set, double temp)
{
    for (int32_t i = 0; i < set->n; i++) {
        set->cands[i].logit /= temp;
    }
}

double smp_penalized(double logit, int32_t count, const struct smp_penalty *penalty)
{
    logit = logit > 0 ? logit / penalty->repeat : logit * penalty->repeat;
    return logit - (count * penalty->frequency + penalty->presence);
}

void smp_penalties(struct smp_set *set, const int32_t *counts, const struct smp_penalty *penalty)
{
    for (int32_t i = 0; i < set->n; i++) {
        struct smp_cand *c = &set->cands[i];
        if (counts[c->id] > 0) {
            c->logit = smp_penalized(c->logit, counts[c->id], penalty);
            set->sorted = false;
        }
    }
}

int32_t smp_pick(struct smp_set *set, double u)
{
    double want = u * weigh(set);
    double got = 0;
    int32_t id = -1;
    if (!set->sorted) {
        heapify(set->cands, set->n, FIRST_ON_TOP);
    }
    for (int32_t i = 0; i < set->n; i++) {
        const struct smp_cand *c = set->sorted ? &set->cands[i] : pop(set->cands, set->n - i, FIRST_ON_TOP);
        if (c->weight == 0.0f) {
            break; /* and so are all behind it; rounding can bring us here, to the last one that could be drawn */
        }
        id = c->id;
        got += (double)c->weight;
        if (got > want) {
            break;
        }
    }
    return id;
}
