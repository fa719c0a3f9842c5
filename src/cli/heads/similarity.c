/* How alike heads are: the Jensen-Shannon divergence of their attention for the same query, in bits (Lin 1991). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/report.h"

enum { QUERIES_MOST = 16 };

/* Queries of a window that can be compared in a fraction of a second; at least 2. */
static int32_t n_queries(int32_t n_heads, int32_t window)
{
    /* work for a window: numbers of all pairs' rows, half of them seen on average */
    const double numbers = (double)n_heads * n_heads / 2 * window / 2, most = 5e7;
    int32_t n = QUERIES_MOST;
    while (n > 2 && numbers * n > most) {
        n /= 2;
    }
    return n;
}

double heads_similarity_bytes(int32_t n_heads, int32_t window)
{
    const double n = n_heads;
    return n * n_queries(n_heads, window) * window * sizeof(float) + n * n * sizeof(double);
}

choir_status heads_similarity_open(heads_similarity *x, int32_t n_heads, int32_t window, choir_error *err)
{
    const size_t n = (size_t)n_heads;
    *x = (heads_similarity){.n_heads = n_heads, .window = window, .n_queries = n_queries(n_heads, window)};
    x->rows = malloc((size_t)x->n_queries * n * (size_t)window * sizeof *x->rows);
    x->lengths = calloc((size_t)x->n_queries, sizeof *x->lengths);
    x->own = malloc(n * sizeof *x->own);
    x->sums = calloc(n * n, sizeof *x->sums);
    return x->rows && x->lengths && x->own && x->sums
               ? CHOIR_OK
               : base_fail(err, CHOIR_RESOURCE, "out of memory for comparing %d heads", (int)n_heads);
}

void heads_similarity_close(heads_similarity *x)
{
    free(x->rows);
    free(x->lengths);
    free(x->own);
    free(x->sums);
    *x = (heads_similarity){0};
}

int32_t heads_similarity_index(const heads_similarity *x, int32_t pos, int32_t n)
{
    for (int32_t i = 0; i < x->n_queries; i++) {
        if (pos == (int32_t)((int64_t)n * (i + 1) / x->n_queries) - 1 && pos > 0) {
            return i;
        }
    }
    return -1;
}

static float *row_of(const heads_similarity *x, int32_t query, int32_t head)
{
    return x->rows + ((size_t)query * (size_t)x->n_heads + (size_t)head) * (size_t)x->window;
}

void heads_similarity_row(heads_similarity *x, int32_t query, int32_t head, const float *row, int32_t n)
{
    memcpy(row_of(x, query, head), row, (size_t)n * sizeof *row);
    x->lengths[query] = n;
}

static double minus_p_log_p(double p)
{
    return p > 0 ? -p * log2(p) : 0;
}

static double entropy(const float *p, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += minus_p_log_p((double)p[i]);
    }
    return sum;
}

/* Entropy of what lies half-way between p and q. */
static double entropy_between(const float *p, const float *q, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += minus_p_log_p(((double)p[i] + (double)q[i]) / 2);
    }
    return sum;
}

void heads_similarity_add(heads_similarity *x)
{
    double *own = x->own;
    for (int32_t query = 0; query < x->n_queries; query++) {
        const int32_t n = x->lengths[query];
        for (int32_t a = 0; n > 0 && a < x->n_heads; a++) {
            own[a] = entropy(row_of(x, query, a), n);
        }
        for (int32_t a = 0; n > 0 && a < x->n_heads; a++) {
            for (int32_t b = a + 1; b < x->n_heads; b++) {
                const double both = entropy_between(row_of(x, query, a), row_of(x, query, b), n);
                const double d = both - (own[a] + own[b]) / 2;
                x->sums[(size_t)a * (size_t)x->n_heads + (size_t)b] += d > 0 ? d : 0;
            }
        }
        x->n_sums += n > 0;
        x->lengths[query] = 0;
    }
}

double heads_similarity_of(const heads_similarity *x, int32_t a, int32_t b)
{
    const int32_t low = a < b ? a : b, high = a < b ? b : a;
    return x->n_sums > 0 ? x->sums[(size_t)low * (size_t)x->n_heads + (size_t)high] / (double)x->n_sums : 0;
}
