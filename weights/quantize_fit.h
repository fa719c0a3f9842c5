/* The search for the scale, or the scale and the minimum, of a few neighbouring values: what both k-quant families do to
 * every sub-block.  Rounding each value to the nearest of evenly spaced levels is best for a given spacing, and for given
 * levels weighted least squares gives the best spacing in closed form; so a row of spacings around the plain one is
 * tried, each is refined once by least squares, and the one that explains most wins.
 *
 * Sums run in four lanes and end as (0 + 1) + (2 + 3); every step is one IEEE operation in f32.  Values must be small
 * enough for their cubes, and n (a literal) a multiple of 4, at most 32. */
#ifndef WTS_QUANTIZE_FIT_H
#define WTS_QUANTIZE_FIT_H

#include <stdint.h>

#include "weights/lanes.h"

enum { FIT_MAX = 32 };

/* The spacings tried: (top + first + step k) levels to the range of the values, k from 0 to n. */
struct fit_grid {
    float first, step;
    int n;
};

struct fit {
    float scale, min; /* x = scale q - min */
};

/* Levels 0 to top, a minimum of 0 or more.  low: the least of x, at most 0; high: the largest.  Each better fit moves the
 * lowest level of those tried after it to its own. */
static inline struct fit fit_with_min(const float *x, const float *w, int n, float top, float low, float high,
                                      const struct fit_grid *grid)
{
    struct fit best = {.scale = (high - low) / top, .min = -low};
    float best_gain = -1.0f;
    lanes_f32 sw = {0}, swx = {0};
    for (int i = 0; i < n; i += 4) {
        sw += lanes_load(w + i);
        swx += lanes_load(w + i) * lanes_load(x + i);
    }
    const float all_w = lanes_sum(sw), all_x = lanes_sum(swx);
    for (int k = 0; k <= grid->n && high > low; k++) {
        const float inverse = (top + grid->first + grid->step * (float)k) / (high - low);
        lanes_f32 swq = {0}, swqq = {0}, swxq = {0};
        for (int i = 0; i < n; i += 4) {
            const lanes_f32 v = lanes_load(x + i);
            const lanes_f32 q = lanes_round((v - low) * inverse, 0.0f, top), wq = lanes_load(w + i) * q;
            swq += wq;
            swqq += wq * q;
            swxq += wq * v;
        }
        const float wq = lanes_sum(swq), wqq = lanes_sum(swqq), wxq = lanes_sum(swxq);
        const float det = all_w * wqq - wq * wq;
        if (!(det > 0x1p-20f * (all_w * wqq))) { /* all on one level */
            continue;
        }
        float scale = (all_w * wxq - all_x * wq) / det, min = (wq * wxq - wqq * all_x) / det;
        if (min < 0.0f) {
            min = 0.0f;
            scale = wxq / wqq;
        }
        const float gain = scale * wxq - min * all_x; /* by so much is sum w (x - scale q + min)^2 below sum w x^2 */
        if (gain > best_gain && scale > 0.0f) {
            best = (struct fit){scale, min};
            best_gain = gain;
            low = -min;
        }
    }
    return best;
}

/* Levels -top to top - 1; `largest`, a value of largest magnitude, falls on -top or near it.  The scale has its sign. */
static inline float fit_signed(const float *x, const float *w, int n, float top, float largest,
                               const struct fit_grid *grid)
{
    float best = 0.0f, best_gain = 0.0f;
    if (largest == 0.0f) {
        return 0.0f;
    }
    for (int k = 0; k <= grid->n; k++) {
        const float inverse = (top + grid->first + grid->step * (float)k) / -largest;
        lanes_f32 swqq = {0}, swxq = {0};
        for (int i = 0; i < n; i += 4) {
            const lanes_f32 v = lanes_load(x + i);
            const lanes_f32 q = lanes_round(v * inverse, -top, top - 1.0f), wq = lanes_load(w + i) * q;
            swqq += wq * q;
            swxq += wq * v;
        }
        const float wqq = lanes_sum(swqq), wxq = lanes_sum(swxq);
        if (wqq > 0.0f && wxq * wxq > best_gain * wqq) {
            best = wxq / wqq;
            best_gain = wxq * best;
        }
    }
    return best;
}

/* q[n] = the nearest levels of (x + min) / scale, counted from low. */
static inline void fit_levels(uint8_t *q, const float *x, int n, float scale, float min, float low, float high)
{
    const float inverse = 1.0f / scale;
    for (int i = 0; i < n; i += 4) {
        const lanes_f32 v = lanes_round((lanes_load(x + i) + min) * inverse, low, high) - low;
        for (int l = 0; l < 4; l++) {
            q[i + l] = (uint8_t)v[l];
        }
    }
}

#endif
