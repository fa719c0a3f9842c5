/* Slow on purpose: an independent reading of what the sampler's steps mean. */
#include "tests/support/plain_sampler.h"

#include <math.h>

#include "base/rng.h"
#include "engine/sampler_options.h"

uint32_t plain_random(uint64_t *state, uint32_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 33) % n);
}

double plain_random_unit(uint64_t *state)
{
    return plain_random(state, 1u << 30) / (double)(1u << 30);
}

void plain_random_logits(float *logits, int32_t n, bool ties, uint64_t *state)
{
    for (int32_t i = 0; i < n; i++) {
        double x = (plain_random_unit(state) + plain_random_unit(state) + plain_random_unit(state) - 1.5) * 8;
        logits[i] = ties ? (float)floor(x) : (float)x;
    }
}

static void plain_swap(struct plain *s, int32_t i, int32_t j)
{
    int32_t id = s->id[i];
    double logit = s->logit[i];
    s->id[i] = s->id[j];
    s->logit[i] = s->logit[j];
    s->id[j] = id;
    s->logit[j] = logit;
}

/* Insertion sort: greater logit first, lower id first; then probabilities. */
void plain_sort(struct plain *s)
{
    for (int32_t i = 1; i < s->n; i++) {
        for (int32_t j = i; j > 0; j--) {
            bool wrong = s->logit[j] > s->logit[j - 1] || (s->logit[j] == s->logit[j - 1] && s->id[j] < s->id[j - 1]);
            if (!wrong) {
                break;
            }
            plain_swap(s, j, j - 1);
        }
    }
    double sum = 0;
    for (int32_t i = 0; i < s->n; i++) {
        s->p[i] = exp(s->logit[i] - s->logit[0]);
        sum += s->p[i];
    }
    for (int32_t i = 0; i < s->n; i++) {
        s->p[i] /= sum;
    }
}

void plain_top_k(struct plain *s, int32_t k)
{
    plain_sort(s);
    s->n = k > 0 && k < s->n ? k : s->n;
}

void plain_top_p(struct plain *s, double p)
{
    if (p >= 1) {
        return;
    }
    plain_sort(s);
    double sum = s->p[0];
    int32_t n = 1;
    while (n < s->n && sum < p) {
        sum += s->p[n++];
    }
    s->n = n;
}

void plain_min_p(struct plain *s, double p)
{
    plain_sort(s);
    int32_t n = 1;
    while (n < s->n && s->p[n] >= p * s->p[0]) {
        n++;
    }
    s->n = n;
}

void plain_typical(struct plain *s, double p)
{
    if (p >= 1) {
        return;
    }
    plain_sort(s);
    double entropy = 0;
    for (int32_t i = 0; i < s->n; i++) {
        entropy -= s->p[i] * log(s->p[i]);
    }
    bool keep[PLAIN_MAX] = {false};
    double sum = 0;
    for (int32_t round = 0; round < s->n && sum <= p; round++) {
        int32_t best = -1;
        double best_distance = INFINITY;
        for (int32_t i = 0; i < s->n; i++) {
            double distance = fabs(-log(s->p[i]) - entropy);
            /* equal logits have equal distances here too, so ties are exact; they are in order of ids */
            if (!keep[i] && distance < best_distance) {
                best = i;
                best_distance = distance;
            }
        }
        keep[best] = true;
        sum += s->p[best];
    }
    int32_t n = 0;
    for (int32_t i = 0; i < s->n; i++) {
        if (keep[i]) {
            s->id[n] = s->id[i];
            s->logit[n++] = s->logit[i];
        }
    }
    s->n = n;
}

void plain_penalties(struct plain *s, const int32_t *history, int32_t n_history, const choir_sampling *o)
{
    int32_t n = o->repeat_last_n < 0 || o->repeat_last_n > n_history ? n_history : o->repeat_last_n;
    for (int32_t i = 0; i < s->n; i++) {
        int count = 0;
        for (int32_t h = n_history - n; h < n_history; h++) {
            count += history[h] == s->id[i];
        }
        if (count > 0) {
            double l = s->logit[i];
            l = l > 0 ? l / (double)o->repeat_penalty : l * (double)o->repeat_penalty;
            s->logit[i] = l - (count * (double)o->frequency_penalty + (double)o->presence_penalty);
        }
    }
}

void plain_temperature(struct plain *s, double temp)
{
    for (int32_t i = 0; i < s->n; i++) {
        s->logit[i] /= temp;
    }
}

static void plain_bias(struct plain *s, const float *logits, int32_t n, const choir_sampling *o)
{
    s->n = 0;
    for (int32_t id = 0; id < n; id++) {
        double logit = (double)logits[id];
        for (size_t b = 0; b < o->n_logit_bias; b++) {
            logit += o->logit_bias[b].id == id ? (double)o->logit_bias[b].bias : 0;
        }
        if (logit != -INFINITY) {
            s->id[s->n] = id;
            s->logit[s->n++] = logit;
        }
    }
}

int32_t plain_draw(struct plain *s, const float *logits, int32_t n, const int32_t *history, int32_t n_history,
                   int32_t pos, const choir_sampling *o)
{
    struct smp_order order;
    if (smp_order_parse(&order, o->samplers, NULL) != CHOIR_OK) {
        return -1;
    }
    plain_bias(s, logits, n, o);
    for (int i = 0; i < order.n_steps; i++) {
        switch (order.steps[i]) {
        case SMP_PENALTIES:
            plain_penalties(s, history, n_history, o);
            break;
        case SMP_TOP_K:
            plain_top_k(s, o->top_k);
            break;
        case SMP_TYPICAL:
            plain_typical(s, (double)o->typical);
            break;
        case SMP_TOP_P:
            plain_top_p(s, (double)o->top_p);
            break;
        case SMP_MIN_P:
            plain_min_p(s, (double)o->min_p);
            break;
        case SMP_TEMPERATURE:
            plain_temperature(s, (double)o->temp);
            break;
        case SMP_STEP_COUNT:
            break;
        }
    }
    plain_sort(s);
    double u = base_rng_uniform(o->seed, o->choice, (uint64_t)pos);
    double sum = 0;
    for (int32_t i = 0; i < s->n; i++) {
        sum += s->p[i];
        if (sum > u) {
            return s->id[i];
        }
    }
    return s->id[s->n - 1];
}
