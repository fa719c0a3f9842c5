/* How a logit depends on the residual stream: the last norm with its factor held, then a row of the output matrix. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "model/state.h"
#include "model/tap.h"

/* The factor of the norm of x [n], and the mean that it takes off (0: none). */
static double norm_factor(double *mean, const struct mdl_config *c, const float *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
    }
    *mean = c->norm == MDL_NORM_LAYER ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++) {
        squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    }
    return 1 / sqrt(squares / (double)n + (double)c->norm_eps);
}

choir_status mdl_readout(double *direction, double *constant, const struct mdl_state *s, const float *x, int32_t id,
                         choir_error *err)
{
    const struct mdl_model *m = s->model;
    const size_t n = (size_t)m->config.dim;
    const float *w = m->output_norm, *bias = m->output_norm_bias;
    double mean, sum = 0;
    const double factor = norm_factor(&mean, &m->config, x, n);
    float *row = malloc(n * sizeof *row);
    if (row == NULL) {
        return base_fail_memory(err, n * sizeof *row, "a row of the output matrix");
    }
    mdl_read_row(row, &m->output, id);
    *constant = m->output_bias != NULL ? (double)m->output_bias[id] : 0;
    for (size_t i = 0; i < n; i++) {
        direction[i] = (double)row[i] * (double)w[i] * factor;
        *constant += bias != NULL ? (double)row[i] * (double)bias[i] : 0;
        sum += direction[i];
    }
    /* sum over i of direction[i] (x[i] - mean of x) is that of (direction[i] - its mean) x[i] */
    for (size_t i = 0; i < n && m->config.norm == MDL_NORM_LAYER; i++) {
        direction[i] -= sum / (double)n;
    }
    free(row);
    return CHOIR_OK;
}
