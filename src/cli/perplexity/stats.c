/* Means, standard errors and percentiles, by the formulas of llama.cpp's tool: the error of a mean is
 * sqrt((mean of squares - square of mean) / (n - 1)), that of a function of means follows by its derivatives. */
#include <math.h>
#include <stdlib.h>

#include "cli/perplexity/perplexity.h"

void ppl_add(ppl_sums *s, const choir_score *score)
{
    double nll = -score->log_prob, base = -score->base_log_prob;
    double change = exp(score->log_prob) - exp(score->base_log_prob);
    s->n++;
    s->n_same_best += score->best == score->base_best;
    s->nll += nll;
    s->nll2 += nll * nll;
    s->base += base;
    s->base2 += base * base;
    s->both += nll * base;
    s->divergence += score->divergence;
    s->divergence2 += score->divergence * score->divergence;
    s->change += change;
    s->change2 += change * change;
    s->change4 += change * change * change * change;
}

static ppl_estimate mean(double sum, double squares, uint64_t n)
{
    ppl_estimate e = {.value = sum / (double)n};
    double variance = squares / (double)n - e.value * e.value;
    e.error = n > 1 && variance > 0 ? sqrt(variance / (double)(n - 1)) : 0;
    return e;
}

static ppl_estimate exp_of(ppl_estimate e)
{
    double value = exp(e.value);
    return (ppl_estimate){value, value * e.error};
}

ppl_result ppl_summary(const ppl_sums *s)
{
    ppl_result r = {.nll = mean(s->nll, s->nll2, s->n)};
    r.perplexity = exp_of(r.nll);
    return r;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Between the two sorted values nearest to the share. */
static double percentile(const double *sorted, uint64_t n, double share)
{
    double at = share * (double)(n - 1);
    uint64_t below = (uint64_t)at;
    double part = at - (double)below;
    return below + 1 < n ? (1 - part) * sorted[below] + part * sorted[below + 1] : sorted[n - 1];
}

static void compare_perplexities(ppl_comparison *c, const ppl_sums *s)
{
    const double n = (double)s->n;
    ppl_estimate model = mean(s->nll, s->nll2, s->n), base = mean(s->base, s->base2, s->n);
    double covariance = s->n > 1 ? (s->both / n - model.value * base.value) / (n - 1) : 0;
    double variance = model.error * model.error + base.error * base.error - 2 * covariance;
    c->base = exp_of(base);
    c->log_ratio = (ppl_estimate){model.value - base.value, variance > 0 ? sqrt(variance) : 0};
    c->ratio = exp_of(c->log_ratio);
    c->correlation = model.error > 0 && base.error > 0 ? covariance / (model.error * base.error) : 0;
}

ppl_comparison ppl_compare(const ppl_sums *s, double *divergences)
{
    ppl_comparison c = {.divergence = mean(s->divergence, s->divergence2, s->n)};
    compare_perplexities(&c, s);
    qsort(divergences, s->n, sizeof *divergences, ascending);
    c.most = divergences[s->n - 1];
    c.p999 = percentile(divergences, s->n, 0.999);
    c.p99 = percentile(divergences, s->n, 0.99);
    c.p95 = percentile(divergences, s->n, 0.95);
    c.p90 = percentile(divergences, s->n, 0.90);
    c.median = percentile(divergences, s->n, 0.5);
    c.least = divergences[0];
    double same = (double)s->n_same_best / (double)s->n;
    c.same_best = (ppl_estimate){same, s->n > 1 ? sqrt(same * (1 - same) / (double)(s->n - 1)) : 0};
    c.change = mean(s->change, s->change2, s->n);
    ppl_estimate square = mean(s->change2, s->change4, s->n);
    c.change_rms.value = sqrt(square.value);
    c.change_rms.error = square.value > 0 ? 0.5 / c.change_rms.value * square.error : 0;
    return c;
}
