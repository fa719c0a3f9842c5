/* Attention over one span for AVX2, and the storing of keys and values as f16.
 *
 * Scores: a register holds one dimension of 8 tokens (K tiles are [head_dim][16]), one broadcast query number meets
 * it, and all the rows of a group use each K register while it is there.  Values: a register holds 8 dimensions of one
 * token, one broadcast probability meets it; again all rows of a group.  Rows are the heads that share the key/value
 * head and the tokens of a prefill tile, in groups of 6, 4, 2 or 1; small groups take more tiles or dimensions at once,
 * so that there are always 8 to 12 chains of multiply-adds in flight.
 *
 * Rows of a group see nearly the same tokens.  What all see goes through the group together; a row's tokens before and
 * after that are done alone, in their place in the order. */
#include <math.h>

#include "base/half.h"
#include "kernels/x86/simd_avx2.h"

enum kv { KV_F32, KV_F16 };

enum { TILE = KERN_ATTN_TILE, CHUNK = KERN_ATTN_CHUNK, MAX_GROUP = 6 };

AVX2_TEMPLATE size_t number_bytes(enum kv type)
{
    return type == KV_F32 ? 4 : 2;
}

AVX2_TEMPLATE __m256 load8(enum kv type, const char *p)
{
    return type == KV_F32 ? _mm256_loadu_ps((const float *)(const void *)p) : avx2_load_f16(p);
}

/* A chunk of one row: which of its 64 tokens the row sees, [begin, end), and their scores, then probabilities. */
struct row {
    int begin, end;
    float *p; /* [64] */
};

/* ---- scores ---- */

/* Rows q[R][head_dim] against N tiles of K.  Meanwhile the same places of the V tiles come into the cache: they are
 * next. */
AVX2_TEMPLATE void score_tiles(enum kv type, const int R, const int N, const float *q, int head_dim,
                               const void *const *k_tiles, const void *const *v_tiles, const struct row *rows, int at)
{
    avx2_pair acc[MAX_GROUP * 2];
    for (int i = 0; i < R * N; i++) {
        acc[i] = (avx2_pair){_mm256_setzero_ps(), _mm256_setzero_ps()};
    }
    const size_t bytes = number_bytes(type);
    for (int d = 0; d < head_dim; d++) {
        const size_t offset = (size_t)d * TILE * bytes;
        for (int n = 0; n < N; n++) {
            const char *k = (const char *)k_tiles[n] + offset;
            avx2_pair kv = {load8(type, k), load8(type, k + 8 * bytes)};
            _mm_prefetch((const char *)v_tiles[n] + offset, _MM_HINT_T0);
            for (int r = 0; r < R; r++) {
                __m256 qd = _mm256_broadcast_ss(q + r * head_dim + d);
                acc[r * N + n].lo = _mm256_fmadd_ps(qd, kv.lo, acc[r * N + n].lo);
                acc[r * N + n].hi = _mm256_fmadd_ps(qd, kv.hi, acc[r * N + n].hi);
            }
        }
    }
    for (int r = 0; r < R; r++) {
        for (int n = 0; n < N; n++) {
            avx2_pair_store(rows[r].p + at + n * TILE, acc[r * N + n]);
        }
    }
}

/* All tiles [first, last) of a chunk, N at a time. */
AVX2_TEMPLATE void score_group(enum kv type, const int R, const int N, const float *q, int head_dim,
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

static inline __m256 mask_unseen(__m256 score, int at, const struct row *row)
{
    __m256i token = _mm256_add_epi32(_mm256_set1_epi32(at), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i before = _mm256_cmpgt_epi32(_mm256_set1_epi32(row->begin), token);
    __m256i within = _mm256_cmpgt_epi32(_mm256_set1_epi32(row->end), token);
    __m256i seen = _mm256_andnot_si256(before, within);
    return _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), score, _mm256_castsi256_ps(seen));
}

static inline float largest8(__m256 v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

/* Scores become probabilities, 0 where unseen; m and l move on, acc is rescaled. */
static inline void soften(const struct row *row, float *m, float *l, float *acc, int head_dim, int first, int last)
{
    __m256 most = _mm256_set1_ps(*m);
    for (int i = first * TILE; i < last * TILE; i += 8) {
        __m256 score = mask_unseen(_mm256_loadu_ps(row->p + i), i, row);
        _mm256_storeu_ps(row->p + i, score);
        most = _mm256_max_ps(score, most);
    }
    const float top = largest8(most);
    avx2_pair lane = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int i = first * TILE; i < last * TILE; i += TILE) {
        avx2_pair p = avx2_pair_load(row->p + i);
        p.lo = avx2_exp(_mm256_sub_ps(p.lo, _mm256_set1_ps(top)));
        p.hi = avx2_exp(_mm256_sub_ps(p.hi, _mm256_set1_ps(top)));
        lane.lo = _mm256_add_ps(lane.lo, p.lo);
        lane.hi = _mm256_add_ps(lane.hi, p.hi);
        avx2_pair_store(row->p + i, p);
    }
    const float c = fmath_exp(*m - top);
    *l = *l * c + avx2_reduce16(lane);
    if (top > *m) {
        kern_scale_avx2(acc, c, head_dim);
        *m = top;
    }
}

/* ---- values ---- */

/* acc[R][head_dim], dimensions d .. d + 8 N - 1, += p[t] v[t] over the tokens [begin, end) of the chunk.  Meanwhile the
 * same places of next_k, the tiles of K that come after this chunk, come into the cache. */
AVX2_TEMPLATE void add_values(enum kv type, const int R, const int N, float *acc, int head_dim, int d,
                              const void *const *v_tiles, const void *const *next_k, const struct row *rows, int begin,
                              int end)
{
    __m256 sum[MAX_GROUP * 2];
    for (int r = 0; r < R; r++) {
        for (int n = 0; n < N; n++) {
            sum[r * N + n] = _mm256_loadu_ps(acc + r * head_dim + d + 8 * n);
        }
    }
    const size_t bytes = number_bytes(type);
    for (int t = begin; t < end;) {
        const int tile = t / TILE, stop = (tile + 1) * TILE < end ? (tile + 1) * TILE : end;
        size_t offset = ((size_t)(t % TILE) * (size_t)head_dim + (size_t)d) * bytes;
        for (; t < stop; t++, offset += (size_t)head_dim * bytes) {
            __m256 v[8];
            for (int n = 0; n < N; n++) {
                v[n] = load8(type, (const char *)v_tiles[tile] + offset + 8 * bytes * (size_t)n);
            }
            for (size_t ahead = 0; ahead < 8 * bytes * (size_t)N; ahead += 64) {
                _mm_prefetch((const char *)next_k[tile] + offset + ahead, _MM_HINT_T0);
            }
            for (int r = 0; r < R; r++) {
                __m256 p = _mm256_broadcast_ss(rows[r].p + t);
                for (int n = 0; n < N; n++) {
                    sum[r * N + n] = _mm256_fmadd_ps(p, v[n], sum[r * N + n]);
                }
            }
        }
    }
    for (int r = 0; r < R; r++) {
        for (int n = 0; n < N; n++) {
            _mm256_storeu_ps(acc + r * head_dim + d + 8 * n, sum[r * N + n]);
        }
    }
}

/* The last dimensions when head_dim is no multiple of 8. */
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

AVX2_TEMPLATE void add_all_values(enum kv type, const int R, const int N, float *acc, int head_dim,
                                  const void *const *v_tiles, const void *const *next_k, const struct row *rows,
                                  int begin, int end)
{
    int d = 0;
    for (; d + 8 * N <= head_dim; d += 8 * N) {
        add_values(type, R, N, acc, head_dim, d, v_tiles, next_k, rows, begin, end);
    }
    for (; d + 8 <= head_dim; d += 8) {
        add_values(type, R, 1, acc, head_dim, d, v_tiles, next_k, rows, begin, end);
    }
    if (d < head_dim) {
        add_values_tail(type, R, acc, head_dim, d, v_tiles, rows, begin, end);
    }
}

/* ---- one group of R rows in one chunk ---- */

/* N_K tiles, N_V registers of dimensions at a time. */
AVX2_TEMPLATE void attend_group(enum kv type, const int R, const int N_K, const int N_V, const struct kern_attn_span *a,
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

AVX2_TEMPLATE void attend_span(enum kv type, const struct kern_attn_span *a)
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
                attend_group(type, 6, 1, 2, a, r, t, next_k);
                r += 6;
            } else if (left >= 4) {
                attend_group(type, 4, 1, 2, a, r, t, next_k);
                r += 4;
            } else if (left >= 2) {
                attend_group(type, 2, 2, 4, a, r, t, next_k);
                r += 2;
            } else {
                attend_group(type, 1, 4, 8, a, r, t, next_k);
                r += 1;
            }
        }
    }
}

void kern_attn_span_f32_avx2(const struct kern_attn_span *a)
{
    attend_span(KV_F32, a);
}

void kern_attn_span_f16_avx2(const struct kern_attn_span *a)
{
    attend_span(KV_F16, a);
}

void kern_attn_merge_avx2(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
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
    for (; d + 8 <= head_dim; d += 8) {
        __m256 later = _mm256_mul_ps(_mm256_loadu_ps(acc2 + d), _mm256_set1_ps(c2));
        _mm256_storeu_ps(acc + d, _mm256_fmadd_ps(_mm256_loadu_ps(acc + d), _mm256_set1_ps(c), later));
    }
    for (; d < head_dim; d++) {
        acc[d] = fmaf(acc[d], c, acc2[d] * c2);
    }
}

/* ---- storing keys and values ---- */

/* 8 f16, infinity made NaN. */
static inline __m128i narrow8(const float *x)
{
    const __m128i infinity = _mm_set1_epi16(KERN_F16_INF), quiet = _mm_set1_epi16(KERN_F16_QUIET);
    const __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(x), _MM_FROUND_TO_NEAREST_INT);
    const __m128i bad = _mm_cmpeq_epi16(_mm_and_si128(h, infinity), infinity);
    return _mm_or_si128(h, _mm_and_si128(bad, quiet));
}

void kern_kv_put_k_f16_avx2(void *dst, size_t stride, const float *k, int head_dim)
{
    uint16_t *out = dst;
    int d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        uint16_t h[8];
        _mm_storeu_si128((__m128i *)(void *)h, narrow8(k + d));
        for (int i = 0; i < 8; i++, out += stride) {
            *out = h[i];
        }
    }
    for (; d < head_dim; d++, out += stride) {
        *out = kern_f16_no_infinity(base_f16_from_f32(k[d]));
    }
}

void kern_kv_put_v_f16_avx2(void *dst, const float *v, int head_dim)
{
    uint16_t *out = dst;
    int d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        _mm_storeu_si128((__m128i *)(void *)(out + d), narrow8(v + d));
    }
    for (; d < head_dim; d++) {
        out[d] = kern_f16_no_infinity(base_f16_from_f32(v[d]));
    }
}
