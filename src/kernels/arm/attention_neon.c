/* Attention over one span for NEON, and the storing of keys and values as f16.
 *
 * Scores: a register holds one dimension of 4 tokens (K tiles are [head_dim][16]), one number of a query meets it, and
 * all the rows of a group use each K register while it is there.  Values: a register holds 4 dimensions of one token,
 * one probability meets it; again all rows of a group.  Rows are the heads that share the key/value head and the
 * tokens of a prefill tile, in groups of 6, 4, 2 or 1; small groups take more tiles or dimensions at once, so that
 * there are always 8 to 24 chains of multiply-adds in flight.
 *
 * Rows of a group see nearly the same tokens.  What all see goes through the group together; a row's tokens before and
 * after that are done alone, in their place in the order. */
#include <math.h>

#include "base/half.h"
#include "kernels/arm/simd_neon.h"

/* gcc's scheduling before it has given out registers makes more values alive at once than there are registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

enum kv { KV_F32, KV_F16 };

enum { TILE = KERN_ATTN_TILE, CHUNK = KERN_ATTN_CHUNK, MAX_GROUP = 6, MAX_ACC = 24 };

NEON_TEMPLATE size_t number_bytes(enum kv type)
{
    return type == KV_F32 ? 4 : 2;
}

NEON_TEMPLATE float32x4_t load4(enum kv type, const char *p)
{
    return type == KV_F32 ? vld1q_f32((const float *)(const void *)p)
                          : neon_load_f16((const uint16_t *)(const void *)p);
}

/* A chunk of one row: which of its 64 tokens the row sees, [begin, end), and their scores, then probabilities. */
struct row {
    int begin, end;
    float *p; /* [64] */
};

/* ---- scores ---- */

/* Rows q[R][head_dim] against N tiles of K.  Meanwhile the same places of the V tiles come into the cache: they are
 * next. */
NEON_TEMPLATE void score_tiles(enum kv type, const int R, const int N, const float *q, int head_dim,
                               const void *const *k_tiles, const void *const *v_tiles, const struct row *rows, int at)
{
    float32x4_t acc[MAX_ACC];
    for (int i = 0; i < R * N * 4; i++) {
        acc[i] = vdupq_n_f32(0.0f);
    }
    const size_t bytes = number_bytes(type);
    for (int d = 0; d < head_dim; d++) {
        const size_t offset = (size_t)d * TILE * bytes;
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) {
            const char *k = (const char *)k_tiles[n] + offset;
            __builtin_prefetch((const char *)v_tiles[n] + offset);
            float32x4_t kv[4];
            for (int i = 0; i < 4; i++) {
                kv[i] = load4(type, k + 4 * bytes * (size_t)i);
            }
#pragma GCC unroll 6
            for (int r = 0; r < R; r++) {
                const float qd = q[r * head_dim + d];
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++) {
                    float32x4_t *sum = &acc[(r * N + n) * 4 + i];
                    *sum = vfmaq_n_f32(*sum, kv[i], qd);
                }
            }
        }
    }
    for (int r = 0; r < R; r++) {
        for (int i = 0; i < N * 4; i++) {
            vst1q_f32(rows[r].p + at + 4 * i, acc[r * N * 4 + i]);
        }
    }
}

/* All tiles [first, last) of a chunk, N at a time. */
NEON_TEMPLATE void score_group(enum kv type, const int R, const int N, const float *q, int head_dim,
                               const void *const *k_tiles, const void *const *v_tiles, const struct row *rows,
                               int first, int last)
{
    int i = first;
    for (; i + N <= last; i += N) {
        score_tiles(type, R, N, q, head_dim, k_tiles + i, v_tiles + i, rows, i * TILE);
    }
    for (; i < last; i++) {
        score_tiles(type, R, 1, q, head_dim, k_tiles + i, v_tiles + i, rows, i * TILE);
    }
}

/* ---- softmax ---- */

static inline float32x4_t mask_unseen(float32x4_t score, int at, const struct row *row)
{
    static const int32_t count[4] = {0, 1, 2, 3};
    int32x4_t token = vaddq_s32(vdupq_n_s32(at), vld1q_s32(count));
    uint32x4_t seen = vandq_u32(vcgeq_s32(token, vdupq_n_s32(row->begin)), vcltq_s32(token, vdupq_n_s32(row->end)));
    return vbslq_f32(seen, score, vdupq_n_f32(-INFINITY));
}

/* Scores become probabilities, 0 where unseen; m and l move on, acc is rescaled. */
static inline void soften(const struct row *row, float *m, float *l, float *acc, int head_dim, int first, int last)
{
    float32x4_t most = vdupq_n_f32(*m);
    for (int i = first * TILE; i < last * TILE; i += 4) {
        float32x4_t score = mask_unseen(vld1q_f32(row->p + i), i, row);
        vst1q_f32(row->p + i, score);
        most = vmaxnmq_f32(most, score); /* a NaN leaves `most` as it is */
    }
    const float top = vmaxvq_f32(most);
    neon_quad lane = neon_quad_zero();
    for (int i = first * TILE; i < last * TILE; i += TILE) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            float32x4_t p = neon_exp(vsubq_f32(vld1q_f32(row->p + i + 4 * j), vdupq_n_f32(top)));
            lane.v[j] = vaddq_f32(lane.v[j], p);
            vst1q_f32(row->p + i + 4 * j, p);
        }
    }
    const float c = fmath_exp(*m - top);
    *l = *l * c + neon_reduce16(lane);
    if (top > *m) {
        kern_scale_neon(acc, c, head_dim);
        *m = top;
    }
}

/* ---- values ---- */

/* acc[R][head_dim], dimensions d .. d + 4 N - 1, += p[t] v[t] over the tokens [begin, end) of the chunk.  Meanwhile the
 * same places of next_k, the tiles of K that come after this chunk, come into the cache. */
NEON_TEMPLATE void add_values(enum kv type, const int R, const int N, float *acc, int head_dim, int d,
                              const void *const *v_tiles, const void *const *next_k, const struct row *rows, int begin,
                              int end)
{
    float32x4_t sum[MAX_ACC];
    for (int r = 0; r < R; r++) {
        for (int n = 0; n < N; n++) {
            sum[r * N + n] = vld1q_f32(acc + r * head_dim + d + 4 * n);
        }
    }
    const size_t bytes = number_bytes(type);
    for (int t = begin; t < end;) {
        const int tile = t / TILE, stop = (tile + 1) * TILE < end ? (tile + 1) * TILE : end;
        size_t offset = ((size_t)(t % TILE) * (size_t)head_dim + (size_t)d) * bytes;
        for (; t < stop; t++, offset += (size_t)head_dim * bytes) {
            for (size_t ahead = 0; ahead < 4 * bytes * (size_t)N; ahead += 64) {
                __builtin_prefetch((const char *)next_k[tile] + offset + ahead);
            }
            float32x4_t v[8];
            for (int n = 0; n < N; n++) {
                v[n] = load4(type, (const char *)v_tiles[tile] + offset + 4 * bytes * (size_t)n);
            }
#pragma GCC unroll 6
            for (int r = 0; r < R; r++) {
                const float p = rows[r].p[t];
#pragma GCC unroll 8
                for (int n = 0; n < N; n++) {
                    sum[r * N + n] = vfmaq_n_f32(sum[r * N + n], v[n], p);
                }
            }
        }
    }
    for (int r = 0; r < R; r++) {
        for (int n = 0; n < N; n++) {
            vst1q_f32(acc + r * head_dim + d + 4 * n, sum[r * N + n]);
        }
    }
}

/* The last two dimensions when head_dim is no multiple of 4. */
static inline void add_values_tail(enum kv type, int n_rows, float *acc, int head_dim, int d,
                                   const void *const *v_tiles, const struct row *rows, int begin, int end)
{
    for (int r = 0; r < n_rows; r++) {
        for (int t = begin; t < end; t++) {
            size_t at = (size_t)(t % TILE) * (size_t)head_dim;
            for (int i = d; i < head_dim; i++) {
                const void *tile = v_tiles[t / TILE];
                float v = type == KV_F32 ? ((const float *)tile)[at + (size_t)i]
                                         : base_f32_from_f16(((const uint16_t *)tile)[at + (size_t)i]);
                acc[r * head_dim + i] = fmaf(rows[r].p[t], v, acc[r * head_dim + i]);
            }
        }
    }
}

NEON_TEMPLATE void add_all_values(enum kv type, const int R, const int N, float *acc, int head_dim,
                                  const void *const *v_tiles, const void *const *next_k, const struct row *rows,
                                  int begin, int end)
{
    int d = 0;
    for (; d + 4 * N <= head_dim; d += 4 * N) {
        add_values(type, R, N, acc, head_dim, d, v_tiles, next_k, rows, begin, end);
    }
    for (; d + 4 <= head_dim; d += 4) {
        add_values(type, R, 1, acc, head_dim, d, v_tiles, next_k, rows, begin, end);
    }
    if (d < head_dim) {
        add_values_tail(type, R, acc, head_dim, d, v_tiles, rows, begin, end);
    }
}

/* ---- one group of R rows in one chunk ---- */

/* N_K tiles, N_V registers of dimensions at a time. */
NEON_TEMPLATE void attend_group(enum kv type, const int R, const int N_K, const int N_V, const struct kern_attn_span *a,
                                int r0, int t0, const void *const *next_k)
{
    struct row rows[MAX_GROUP];
    int lowest = CHUNK, highest = 0, begin = 0, end = CHUNK; /* what any row sees, and what all do */
    for (int r = 0; r < R; r++) {
        int from = a->from[r0 + r] - t0, to = a->to[r0 + r] - t0;
        from = from < 0 ? 0 : from;
        to = to > CHUNK ? CHUNK : to;
        rows[r] = (struct row){from, to, a->scratch + (r0 + r) * CHUNK};
        begin = from > begin ? from : begin;
        end = to < end ? to : end;
        if (from < to) {
            lowest = from < lowest ? from : lowest;
            highest = to > highest ? to : highest;
        }
    }
    if (lowest >= highest) {
        return;
    }
    const int hd = a->head_dim;
    const void *const *v_tiles = a->v_tiles + t0 / TILE;
    const int first = lowest / TILE, last = (highest + TILE - 1) / TILE;
    float *acc = a->acc + (size_t)r0 * (size_t)hd;
    score_group(type, R, N_K, a->q + (size_t)r0 * (size_t)hd, hd, a->k_tiles + t0 / TILE, v_tiles, rows, first, last);
    for (int r = 0; r < R; r++) {
        if (rows[r].begin < rows[r].end) {
            soften(&rows[r], a->m + r0 + r, a->l + r0 + r, acc + (size_t)r * (size_t)hd, hd, first, last);
        }
    }
    if (begin >= end) { /* nothing in common */
        for (int r = 0; r < R; r++) {
            add_all_values(type, 1, 8, acc + (size_t)r * (size_t)hd, hd, v_tiles, next_k, rows + r, rows[r].begin,
                           rows[r].end);
        }
        return;
    }
    for (int r = 0; R > 1 && r < R; r++) {
        add_all_values(type, 1, 8, acc + (size_t)r * (size_t)hd, hd, v_tiles, next_k, rows + r, rows[r].begin, begin);
    }
    add_all_values(type, R, N_V, acc, hd, v_tiles, next_k, rows, begin, end);
    for (int r = 0; R > 1 && r < R; r++) {
        add_all_values(type, 1, 8, acc + (size_t)r * (size_t)hd, hd, v_tiles, next_k, rows + r, end, rows[r].end);
    }
}

NEON_TEMPLATE void attend_span(enum kv type, const struct kern_attn_span *a)
{
    for (int r = 0; r < a->n_q; r++) {
        a->m[r] = -INFINITY;
        a->l[r] = 0.0f;
    }
    memset(a->acc, 0, (size_t)a->n_q * (size_t)a->head_dim * sizeof(float));
    for (int t = 0; t < a->n_tokens; t += CHUNK) {
        /* Behind the last whole chunk there is nothing worth fetching: its own tiles again. */
        const bool more = t + 2 * CHUNK <= a->n_tokens;
        const void *const *next_k = (more ? a->k_tiles + CHUNK / TILE : a->v_tiles) + t / TILE;
        for (int r = 0; r < a->n_q;) {
            const int left = a->n_q - r;
            if (left >= 6 && left != 8) {
                attend_group(type, 6, 1, 4, a, r, t, next_k);
                r += 6;
            } else if (left >= 4) {
                attend_group(type, 4, 1, 4, a, r, t, next_k);
                r += 4;
            } else if (left >= 2) {
                attend_group(type, 2, 2, 8, a, r, t, next_k);
                r += 2;
            } else {
                attend_group(type, 1, 4, 8, a, r, t, next_k);
                r += 1;
            }
        }
    }
}

void kern_attn_span_f32_neon(const struct kern_attn_span *a)
{
    attend_span(KV_F32, a);
}

void kern_attn_span_f16_neon(const struct kern_attn_span *a)
{
    attend_span(KV_F16, a);
}

void kern_attn_merge_neon(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
{
    if (l2 == 0.0f) {
        return;
    }
    if (*l == 0.0f) {
        *m = m2;
        *l = l2;
        memcpy(acc, acc2, (size_t)head_dim * sizeof *acc);
        return;
    }
    const float top = m2 > *m ? m2 : *m;
    const float c = fmath_exp(*m - top), c2 = fmath_exp(m2 - top);
    *m = top;
    *l = *l * c + l2 * c2;
    int d = 0;
    for (; d + 4 <= head_dim; d += 4) {
        float32x4_t later = vmulq_n_f32(vld1q_f32(acc2 + d), c2);
        vst1q_f32(acc + d, vfmaq_n_f32(later, vld1q_f32(acc + d), c));
    }
    for (; d < head_dim; d++) {
        acc[d] = fmaf(acc[d], c, acc2[d] * c2);
    }
}

/* ---- storing keys and values ---- */

/* 4 f16, infinity made NaN. */
static inline uint16x4_t narrow4(const float *x)
{
    const uint16x4_t infinity = vdup_n_u16(KERN_F16_INF), h = vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(x)));
    const uint16x4_t bad = vceq_u16(vand_u16(h, infinity), infinity);
    return vorr_u16(h, vand_u16(bad, vdup_n_u16(KERN_F16_QUIET)));
}

void kern_kv_put_k_f16_neon(void *dst, size_t stride, const float *k, int head_dim)
{
    uint16_t *out = dst;
    int d = 0;
    for (; d + 4 <= head_dim; d += 4, out += 4 * stride) {
        const uint16x4_t h = narrow4(k + d);
        vst1_lane_u16(out, h, 0);
        vst1_lane_u16(out + stride, h, 1);
        vst1_lane_u16(out + 2 * stride, h, 2);
        vst1_lane_u16(out + 3 * stride, h, 3);
    }
    for (; d < head_dim; d++, out += stride) {
        *out = kern_f16_no_infinity(base_f16_from_f32(k[d]));
    }
}

void kern_kv_put_v_f16_neon(void *dst, const float *v, int head_dim)
{
    uint16_t *out = dst;
    int d = 0;
    for (; d + 4 <= head_dim; d += 4) {
        vst1_u16(out + d, narrow4(v + d));
    }
    for (; d < head_dim; d++) {
        out[d] = kern_f16_no_infinity(base_f16_from_f32(v[d]));
    }
}
