/* Attention over one span of the past, in plain C: what every faster version must equal bit for bit.
 *
 * Online softmax (Milakov & Gimelshein 2018, arXiv:1805.02867): a running maximum m, a running sum l of
 * exp(score - m) and a running sum acc of exp(score - m) * v, rescaled when a chunk of 64 tokens brings a greater
 * maximum.  No row of scores longer than a chunk exists.
 *
 *   K  tiles of 16 tokens, [head_dim][16]: a vector register holds one dimension of several tokens
 *   V  tiles of 16 tokens, [16][head_dim]: a vector register holds several dimensions of one token */
#include "kernels/reference.h"

#include <math.h>

#include "base/fmath.h"
#include "base/half.h"
#include "kernels/reduce.h"

/* Number i of a tile, widened to f32. */
typedef float element_fn(const void *tile, size_t i);

static float element_f32(const void *tile, size_t i)
{
    return ((const float *)tile)[i];
}

static float element_f16(const void *tile, size_t i)
{
    return base_f32_from_f16(((const uint16_t *)tile)[i]);
}

/* Scores of tokens [t0, t1) of the span, at their place in the chunk. */
static void score_tokens(element_fn *element, const struct kern_attn_span *a, const float *q, int t0, int t1,
                         float score[KERN_ATTN_CHUNK])
{
    for (int t = t0; t < t1; t++) {
        const void *tile = a->k_tiles[t / KERN_ATTN_TILE];
        float sum = 0.0f;
        for (int d = 0; d < a->head_dim; d++) {
            sum = fmaf(q[d], element(tile, (size_t)(d * KERN_ATTN_TILE + t % KERN_ATTN_TILE)), sum);
        }
        score[t % KERN_ATTN_CHUNK] = sum;
    }
}

/* Sum of a chunk's probabilities: 16 lanes, then the tree. */
static float sum_chunk(const float p[KERN_ATTN_CHUNK])
{
    float lane[16] = {0};
    for (int i = 0; i < KERN_ATTN_CHUNK; i++) {
        lane[i % 16] += p[i];
    }
    return kern_reduce16(lane);
}

/* Moves row r on over the tokens [t0, t1), all in one chunk and at least one. */
static void attend_chunk(element_fn *element, const struct kern_attn_span *a, int r, int t0, int t1)
{
    float score[KERN_ATTN_CHUNK];
    float p[KERN_ATTN_CHUNK] = {0};
    float *acc = a->acc + (size_t)r * (size_t)a->head_dim;
    score_tokens(element, a, a->q + (size_t)r * (size_t)a->head_dim, t0, t1, score);

    float m = a->m[r];
    for (int t = t0; t < t1; t++) {
        float s = score[t % KERN_ATTN_CHUNK];
        m = s > m ? s : m;
    }
    float c = fmath_exp(a->m[r] - m); /* the first time exp(-inf) = 0, on zeros */
    for (int t = t0; t < t1; t++) {
        p[t % KERN_ATTN_CHUNK] = fmath_exp(score[t % KERN_ATTN_CHUNK] - m);
    }
    a->l[r] = a->l[r] * c + sum_chunk(p);
    if (m > a->m[r]) {
        for (int d = 0; d < a->head_dim; d++) {
            acc[d] *= c;
        }
    }
    a->m[r] = m;
    for (int t = t0; t < t1; t++) {
        const void *tile = a->v_tiles[t / KERN_ATTN_TILE];
        size_t row = (size_t)(t % KERN_ATTN_TILE) * (size_t)a->head_dim;
        for (int d = 0; d < a->head_dim; d++) {
            acc[d] = fmaf(p[t % KERN_ATTN_CHUNK], element(tile, row + (size_t)d), acc[d]);
        }
    }
}

static inline void attend_span(element_fn *element, const struct kern_attn_span *a)
{
    for (int r = 0; r < a->n_q; r++) {
        a->m[r] = -INFINITY;
        a->l[r] = 0.0f;
        for (int d = 0; d < a->head_dim; d++) {
            a->acc[(size_t)r * (size_t)a->head_dim + (size_t)d] = 0.0f;
        }
        for (int t = 0; t < a->n_tokens; t += KERN_ATTN_CHUNK) {
            int t0 = a->from[r] > t ? a->from[r] : t;
            int t1 = a->to[r] < t + KERN_ATTN_CHUNK ? a->to[r] : t + KERN_ATTN_CHUNK;
            if (t0 < t1) { /* a chunk of which the row sees nothing changes nothing */
                attend_chunk(element, a, r, t0, t1);
            }
        }
    }
}

void ref_attn_span_f32(const struct kern_attn_span *a)
{
    attend_span(element_f32, a);
}

void ref_attn_span_f16(const struct kern_attn_span *a)
{
    attend_span(element_f16, a);
}

void ref_attn_merge(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
{
    if (l2 == 0.0f) {
        return;
    }
    if (*l == 0.0f) {
        *m = m2;
        *l = l2;
        for (int d = 0; d < head_dim; d++) {
            acc[d] = acc2[d];
        }
        return;
    }
    float top = m2 > *m ? m2 : *m;
    float c = fmath_exp(*m - top);
    float c2 = fmath_exp(m2 - top);
    *m = top;
    *l = *l * c + l2 * c2;
    for (int d = 0; d < head_dim; d++) {
        acc[d] = fmaf(acc[d], c, acc2[d] * c2);
    }
}

/* ---- storing keys and values -------------------------------------------------------------------------- */

void ref_kv_put_k_f32(void *dst, size_t stride, const float *k, int head_dim)
{
    float *out = dst;
    for (size_t d = 0; d < (size_t)head_dim; d++) {
        out[d * stride] = isfinite(k[d]) ? k[d] : base_f32_from_bits(KERN_F32_NAN);
    }
}

void ref_kv_put_k_f16(void *dst, size_t stride, const float *k, int head_dim)
{
    uint16_t *out = dst;
    for (size_t d = 0; d < (size_t)head_dim; d++) {
        out[d * stride] = kern_f16_no_infinity(base_f16_from_f32(k[d]));
    }
}

void ref_kv_put_v_f32(void *dst, const float *v, int head_dim)
{
    ref_kv_put_k_f32(dst, 1, v, head_dim);
}

void ref_kv_put_v_f16(void *dst, const float *v, int head_dim)
{
    ref_kv_put_k_f16(dst, 1, v, head_dim);
}
