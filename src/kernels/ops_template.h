/* Per-token operations on the vectors of vec_math.h, once for all instruction sets: activations, soft cap, sum, layer
 * norm.  Contracts are in kernels.h.  Who includes this has included one of the headers with vectors. */
#ifndef KERN_OPS_TEMPLATE_H
#define KERN_OPS_TEMPLATE_H

#include "kernels/reduce.h"
#include "kernels/vec_math.h"

#define OPS_TEMPLATE static inline __attribute__((always_inline))

/* VEC_LANES numbers, or the first n. */
OPS_TEMPLATE vec load_upto(const float *p, int n)
{
    return n >= VEC_LANES ? vec_load(p) : vec_load_some(p, n);
}

OPS_TEMPLATE void store_upto(float *p, vec v, int n)
{
    if (n >= VEC_LANES) {
        vec_store(p, v);
    } else {
        vec_store_some(p, v, n);
    }
}

OPS_TEMPLATE vec activated(const enum kern_activation kind, vec x)
{
    return kind == KERN_SILU ? vec_silu(x) : kind == KERN_GELU ? vec_gelu(x) : vec_gelu_tanh(x);
}

OPS_TEMPLATE void activate(const enum kern_activation kind, float *x, const float *gated, int n)
{
    for (int i = 0; i < n; i += VEC_LANES) {
        vec y = activated(kind, load_upto(x + i, n - i));
        y = gated != NULL ? vec_mul(y, load_upto(gated + i, n - i)) : y;
        store_upto(x + i, y, n - i);
    }
}

OPS_TEMPLATE void cap_numbers(float *x, float cap, int n)
{
    for (int i = 0; i < n; i += VEC_LANES) {
        store_upto(x + i, vec_softcap(load_upto(x + i, n - i), vec_set(cap)), n - i);
    }
}

OPS_TEMPLATE void add_numbers(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i += VEC_LANES) {
        store_upto(y + i, vec_add(load_upto(y + i, n - i), load_upto(x + i, n - i)), n - i);
    }
}

/* Sum of x - mean, or of its square; number i in lane i % 16. */
OPS_TEMPLATE float sum_of(const bool SQUARE, const float *x, float mean, int n)
{
    enum { VECS = 16 / VEC_LANES };
    vec lane[VECS];
    for (int j = 0; j < VECS; j++) {
        lane[j] = vec_set(0.0f);
    }
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < VECS; j++) {
            const vec v = vec_load(x + i + j * VEC_LANES), d = vec_sub(v, vec_set(mean));
            lane[j] = SQUARE ? vec_fma(d, d, lane[j]) : vec_add(lane[j], v);
        }
    }
    float rest[16];
    for (int j = 0; j < VECS; j++) {
        vec_store(rest + j * VEC_LANES, lane[j]);
    }
    for (int j = 0; i < n; i++, j++) {
        const float d = x[i] - mean;
        rest[j] = SQUARE ? fmaf(d, d, rest[j]) : rest[j] + x[i];
    }
    return kern_reduce16(rest);
}

OPS_TEMPLATE void norm_layer(float *y, const float *x, const float *w, const float *bias, int n, float eps)
{
    const float mean = sum_of(false, x, 0.0f, n) / (float)n;
    const float s = kern_rms_factor(sum_of(true, x, mean, n), n, eps);
    for (int i = 0; i < n; i += VEC_LANES) {
        const vec scaled = vec_mul(vec_sub(load_upto(x + i, n - i), vec_set(mean)), vec_set(s));
        const vec weight = load_upto(w + i, n - i);
        const vec v = bias != NULL ? vec_fma(scaled, weight, load_upto(bias + i, n - i)) : vec_mul(scaled, weight);
        store_upto(y + i, v, n - i);
    }
}

#endif
