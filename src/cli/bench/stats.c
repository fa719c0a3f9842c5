/* A little statistics. */
#include <math.h>
#include <stdlib.h>

#include "cli/bench/bench.h"

double stats_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return n ? sum / (double)n : 0;
}

static double variance(const double *x, size_t n)
{
    double mean = stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - mean) * (x[i] - mean);
    }
    return n > 1 ? sum / (double)(n - 1) : 0;
}

double stats_stddev(const double *x, size_t n)
{
    return sqrt(variance(x, n));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_percentile(double *x, size_t n, double share)
{
    if (n == 0) {
        return 0;
    }
    qsort(x, n, sizeof *x, ascending);
    size_t rank = (size_t)ceil(share * (double)n);
    return x[rank > 0 ? (rank <= n ? rank : n) - 1 : 0];
}

/* The 97.5 % quantile of Student's t: a table where it is steep, then its expansion around the normal quantile z in 1 / df
 * (Abramowitz and Stegun 26.7.5), off by less than 0.003 from 5 on. */
static double t_quantile(double df)
{
    static const double table[] = {12.706, 12.706, 4.303, 3.182, 2.776};
    const double z = 1.959964, c1 = 2.37227, c2 = 2.82250, c3 = 2.55585;
    if (df < 5) {
        return table[df < 1 ? 0 : (int)df];
    }
    return z + c1 / df + c2 / (df * df) + c3 / (df * df * df);
}

static double mean_log(double *variance_of_mean, const double *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += log(x[i]);
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = log(x[i]) - mean;
        squares += d * d;
    }
    *variance_of_mean = n > 1 ? squares / (double)(n - 1) / (double)n : 0;
    return mean;
}

bool stats_ratio(double *ratio, double *low, double *high, const double *a, size_t n_a, const double *b, size_t n_b)
{
    double va, vb;
    double difference = -mean_log(&va, a, n_a);
    difference += mean_log(&vb, b, n_b);
    *ratio = *low = *high = exp(difference);
    if (n_a < 2 || n_b < 2) {
        return false;
    }
    double v = va + vb;
    if (v > 0) {
        double df = v * v / (va * va / (double)(n_a - 1) + vb * vb / (double)(n_b - 1));
        double reach = t_quantile(df) * sqrt(v);
        *low = exp(difference - reach);
        *high = exp(difference + reach);
    }
    return true;
}
