/* Attention over one span of the past, in plain C: what every faster version must equal bit for bit.
 *
 * Online softmax (Milakov & Gimelshein 2018, arXiv:1805.02867): a running maximum m, a running sum l of
 * exp(score - m) and a running sum acc of exp(score - m) * v, rescaled when a chunk of 64 tokens brings a greater
 * maximum.  No row of scores longer than a chunk exists. */
#include "kernels/reference.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "base/half.h"
#include "kernels/reduce.h"

/* Dimension d of token `lane` of a tile of K (of V), whose number is i, widened to f32. */
typedef float element_fn(const void *tile, int head_dim, int d, int lane, size_t i);

static float element_f32(const void *tile, int head_dim, int d, int lane, size_t i)
{
    (void)head_dim, (void)d, (void)lane;
    return ((const float *)tile)[i];
}

static float element_f16(const void *tile, int head_dim, int d, int lane, size_t i)
{
    (void)head_dim, (void)d, (void)lane;
    return base_f32_from_f16(((const uint16_t *)tile)[i]);
}

static float element_q8_0(const void *tile, int head_dim, int d, int lane, size_t i)
{
    const int8_t *q = tile;
    uint16_t scale;
    size_t at = (size_t)(d / KERN_KV_BLOCK * KERN_ATTN_TILE + lane);
    memcpy(&scale, q + (size_t)head_dim * KERN_ATTN_TILE + at * sizeof scale, sizeof scale);
    return (float)q[i] * base_f32_from_f16(scale);
}

static float key(element_fn *element, const struct kern_attn_span *a, int t, int d)
{
    int lane = t % KERN_ATTN_TILE;
    return element(a->k_tiles[t / KERN_ATTN_TILE], a->head_dim, d, lane, (size_t)(d * KERN_ATTN_TILE + lane));
}

static float value(element_fn *element, const struct kern_attn_span *a, int t, int d)
{
    int lane = t % KERN_ATTN_TILE;
    return element(a->v_tiles[t / KERN_ATTN_TILE], a->head_dim, d, lane, (size_t)(lane * a->head_dim + d));
}

/* Scores of tokens [t0, t1) of the span, at their place in the chunk. */
static void score_tokens(element_fn *element, const struct kern_attn_span *a, const float *q, int t0, int t1,
                         float score[KERN_ATTN_CHUNK])
{
    for (int t = t0; t < t1; t++) {
        float sum = 0.0f;
        for (int d = 0; d < a->head_dim; d++) {
            sum = fmaf(q[d], key(element, a, t, d), sum);
        }
        score[t % KERN_ATTN_CHUNK] = a->softcap > 0 ? fmath_softcap(sum, a->softcap) : sum;
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
        for (int d = 0; d < a->head_dim; d++) {
            acc[d] = fmaf(p[t % KERN_ATTN_CHUNK], value(element, a, t, d), acc[d]);
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

void ref_attn_span_q8_0(const struct kern_attn_span *a)
{
    attend_span(element_q8_0, a);
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

/* A tile is a matrix of numbers of which the token is a row or a column: its first number is number `first`, its others
 * follow `stride` numbers apart. */
struct place {
    size_t first, stride;
};

static struct place place_of_key(int n_lanes, int lane)
{
    return (struct place){(size_t)lane, (size_t)n_lanes};
}

static struct place place_of_value(int lane, int head_dim)
{
    return (struct place){(size_t)lane * (size_t)head_dim, 1};
}

static void put_f32(void *tile, struct place at, const float *x, int head_dim)
{
    float *out = (float *)tile + at.first;
    for (size_t d = 0; d < (size_t)head_dim; d++) {
        out[d * at.stride] = isfinite(x[d]) ? x[d] : base_f32_from_bits(KERN_F32_NAN);
    }
}

static void put_f16(void *tile, struct place at, const float *x, int head_dim)
{
    uint16_t *out = (uint16_t *)tile + at.first;
    for (size_t d = 0; d < (size_t)head_dim; d++) {
        out[d * at.stride] = kern_f16_no_infinity(base_f16_from_f32(x[d]));
    }
}

/* The scale of n numbers: NaN when one is not finite, or when f16 does not hold it. */
static uint16_t scale_q8_0(const float *x, int n)
{
    float most = 0.0f;
    bool finite = true;
    for (int i = 0; i < n; i++) {
        finite = finite && isfinite(x[i]);
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    }
    return finite ? kern_f16_no_infinity(base_f16_from_f32(most / 127.0f)) : KERN_F16_INF | KERN_F16_QUIET;
}

/* Quants to their place, scales of token `lane` behind the tile's quants. */
static void put_q8_0(void *tile, struct place at, int n_lanes, int lane, const float *x, int head_dim)
{
    int8_t *out = (int8_t *)tile + at.first;
    char *scales = (char *)tile + (size_t)n_lanes * (size_t)head_dim;
    for (int d0 = 0; d0 < head_dim; d0 += KERN_KV_BLOCK) {
        int n = head_dim - d0 < KERN_KV_BLOCK ? head_dim - d0 : KERN_KV_BLOCK;
        uint16_t scale = scale_q8_0(x + d0, n);
        float d = base_f32_from_f16(scale);
        float inverse = d > 0.0f ? 1.0f / d : 0.0f; /* d is NaN: 0, and so are the quants */
        for (int i = 0; i < n; i++) {
            float q = inverse > 0.0f ? rintf(x[d0 + i] * inverse) : 0.0f;
            q = q > 127.0f ? 127.0f : q < -127.0f ? -127.0f : q; /* a scale that f16 rounded down a lot */
            out[(size_t)(d0 + i) * at.stride] = (int8_t)q;
        }
        memcpy(scales + (size_t)(d0 / KERN_KV_BLOCK * n_lanes + lane) * sizeof scale, &scale, sizeof scale);
    }
}

void ref_kv_put_k_f32(void *tile, int n_lanes, int lane, const float *k, int head_dim)
{
    put_f32(tile, place_of_key(n_lanes, lane), k, head_dim);
}

void ref_kv_put_k_f16(void *tile, int n_lanes, int lane, const float *k, int head_dim)
{
    put_f16(tile, place_of_key(n_lanes, lane), k, head_dim);
}

void ref_kv_put_k_q8_0(void *tile, int n_lanes, int lane, const float *k, int head_dim)
{
    put_q8_0(tile, place_of_key(n_lanes, lane), n_lanes, lane, k, head_dim);
}

void ref_kv_put_v_f32(void *tile, int n_lanes, int lane, const float *v, int head_dim)
{
    (void)n_lanes;
    put_f32(tile, place_of_value(lane, head_dim), v, head_dim);
}

void ref_kv_put_v_f16(void *tile, int n_lanes, int lane, const float *v, int head_dim)
{
    (void)n_lanes;
    put_f16(tile, place_of_value(lane, head_dim), v, head_dim);
}

void ref_kv_put_v_q8_0(void *tile, int n_lanes, int lane, const float *v, int head_dim)
{
    put_q8_0(tile, place_of_value(lane, head_dim), n_lanes, lane, v, head_dim);
}
