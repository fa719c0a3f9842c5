/* Attention over one span of the past: the way through it, once for all instruction sets.
 *
 * Scores: a vector holds one dimension of several tokens (K tiles are [head_dim][16]), one number of a query meets it.
 * Values: a vector holds several dimensions of one token, one probability meets it.  Either way all rows of a group use
 * the vector while it is in a register.  Rows are the heads that share the key/value head and the tokens of a prefill
 * tile; a group is a few of them, and small groups take more tiles or dimensions at once, so that there are always
 * enough chains of multiply-adds in flight.
 *
 * Few rows widen keys and values in registers, as they meet them, and fetch ahead meanwhile: the values of the chunk
 * while its keys are read, the next chunk's keys while its values are.  Many rows share one widened copy of the chunk in
 * scratch, made as f32 tiles; then it is a matrix multiplication.
 *
 * Rows of a group see nearly the same tokens.  What all see goes through the group together; a row's tokens before and
 * after that are done alone, in their place in the order.
 *
 * Who includes this has defined
 *   ATTN_GROUPS(X)           X(R, T, N) for each size of group: R rows meet T tiles of K and N vectors of V at a time
 *   ATTN_MAX_ACC             most sums of a group: of R * T * 16 / VEC_LANES and of R * N
 *   attn_group(n)            size of the next group of n rows
 *   ATTN_WIDE_ROWS           rows from which a widened copy pays
 * and the vectors of vec_math.h. */
#ifndef KERN_ATTENTION_TEMPLATE_H
#define KERN_ATTENTION_TEMPLATE_H

#include "kernels/attention_numbers.h"

enum { CHUNK_TILES = CHUNK / TILE };

/* A chunk, tile by tile.  With fetching: soon_k, soon_v hold what is to be fetched while k, v are read. */
struct chunk {
    const char *k[CHUNK_TILES], *v[CHUNK_TILES];
    const char *soon_k[CHUNK_TILES], *soon_v[CHUNK_TILES];
};

/* The tokens of a chunk that a row sees: [begin, end).  Its scores, then probabilities, are row r of p [n_q, CHUNK]. */
struct row {
    int begin, end;
};

/* ---- scores ---- */

/* Scales of block b of T tiles of Q8_0. */
ATTN_TEMPLATE void load_scales(const bool FETCH, const int T, vec *scale, int head_dim, int b, const char *const *k,
                               const char *const *soon)
{
    for (int t = 0; t < T; t++) {
        const uint16_t *of_tile = tile_scales(k[t], head_dim, b);
        for (int i = 0; i < TILE_VECS; i++) {
            scale[t * TILE_VECS + i] = vec_load_f16(of_tile + i * VEC_LANES);
        }
        if (FETCH) {
            __builtin_prefetch(tile_scales(soon[t], head_dim, b));
        }
    }
}

/* sum[R][T * TILE_VECS] over the dimensions [d0, d1) of T tiles, an even number of them. */
ATTN_TEMPLATE void add_scores(const enum kern_kv type, const bool FETCH, const int R, const int T, vec *sum,
                              const float *q, int head_dim, int d0, int d1, const char *const *k,
                              const char *const *soon)
{
    const size_t bytes = number_bytes(type);
    const int V = T * TILE_VECS;
    vec scale[CHUNK_TILES * TILE_VECS];
    if (type == KERN_KV_Q8_0) {
        load_scales(FETCH, T, scale, head_dim, d0 / BLOCK, k, soon);
    }
    for (int d2 = d0; d2 < d1; d2 += 2) {
        for (int t = 0; FETCH && t < T; t++) {
            fetch(soon[t], (size_t)(d2 * TILE) * bytes, 2 * TILE * bytes);
        }
#pragma GCC unroll 2
        for (int d = d2; d < d2 + 2; d++) {
            vec x[CHUNK_TILES * TILE_VECS];
#pragma GCC unroll 16
            for (int i = 0; i < V; i++) {
                const size_t at = (size_t)(d * TILE + i % TILE_VECS * VEC_LANES) * bytes;
                x[i] = load_numbers(type, k[i / TILE_VECS] + at, VEC_LANES);
                x[i] = type == KERN_KV_Q8_0 ? vec_mul(x[i], scale[i]) : x[i];
            }
#pragma GCC unroll 8
            for (int r = 0; r < R; r++) {
                const vec one = vec_set(q[r * head_dim + d]);
#pragma GCC unroll 16
                for (int i = 0; i < V; i++) {
                    sum[r * V + i] = vec_fma(one, x[i], sum[r * V + i]);
                }
            }
        }
    }
}

/* Rows q [R, head_dim] against T tiles from tile `at` on. */
ATTN_TEMPLATE void score_tiles(const enum kern_kv type, const bool FETCH, const int R, const int T, const float *q,
                               int head_dim, const struct chunk *c, float *p, int at)
{
    const int V = T * TILE_VECS;
    vec sum[ATTN_MAX_ACC];
    for (int i = 0; i < R * V; i++) {
        sum[i] = vec_set(0.0f);
    }
    const int step = type == KERN_KV_Q8_0 ? BLOCK : head_dim;
    for (int d = 0; d < head_dim; d += step) {
        add_scores(type, FETCH, R, T, sum, q, head_dim, d, d + step < head_dim ? d + step : head_dim, c->k + at,
                   c->soon_k + at);
    }
    for (int r = 0; r < R; r++) {
        for (int i = 0; i < V; i++) {
            vec_store(p + r * CHUNK + at * TILE + i * VEC_LANES, sum[r * V + i]);
        }
    }
}

/* Tiles [first, last) of a chunk, T at a time. */
ATTN_TEMPLATE void score_group(const enum kern_kv type, const bool FETCH, const int R, const int T, const float *q,
                               int head_dim, const struct chunk *c, float *p, int first, int last)
{
    int i = first;
    for (; i + T <= last; i += T) {
        score_tiles(type, FETCH, R, T, q, head_dim, c, p, i);
    }
    for (; T > 1 && i < last; i++) {
        score_tiles(type, FETCH, R, 1, q, head_dim, c, p, i);
    }
}

/* ---- softmax ---- */

/* Caps the scores of the tiles [first, last). */
static __attribute__((noinline)) void cap_scores(float *p, int first, int last, float cap)
{
    for (int i = first * TILE; i < last * TILE; i += VEC_LANES) {
        vec_store(p + i, vec_softcap(vec_load(p + i), vec_set(cap)));
    }
}

/* Scores become probabilities, 0 where unseen; m and l move on, acc is rescaled. */
static inline void soften(const struct row *row, float *p, float softcap, float *m, float *l, float *acc, int head_dim)
{
    const int first = row->begin / TILE, last = (row->end + TILE - 1) / TILE;
    if (softcap > 0) {
        cap_scores(p, first, last, softcap);
    }
    vec most = vec_set(*m);
    for (int i = first * TILE; i < last * TILE; i += VEC_LANES) {
        vec score = vec_load(p + i);
        if (i < row->begin || i + VEC_LANES > row->end) {
            score = vec_seen(score, i, row->begin, row->end);
            vec_store(p + i, score);
        }
        most = vec_max(score, most);
    }
    const float top = vec_largest(most);
    vec lane[TILE_VECS];
    for (int j = 0; j < TILE_VECS; j++) {
        lane[j] = vec_set(0.0f);
    }
    for (int i = first * TILE; i < last * TILE; i += TILE) {
        for (int j = 0; j < TILE_VECS; j++) {
            float *at = p + i + j * VEC_LANES;
            const vec x = vec_exp(vec_sub(vec_load(at), vec_set(top)));
            lane[j] = vec_add(lane[j], x);
            vec_store(at, x);
        }
    }
    if (top > *m) { /* else the factor is 1 */
        const float c = fmath_exp(*m - top);
        *l *= c;
        *m = top;
        int d = 0;
        for (; d + VEC_LANES <= head_dim; d += VEC_LANES) {
            vec_store(acc + d, vec_mul(vec_load(acc + d), vec_set(c)));
        }
        for (; d < head_dim; d++) {
            acc[d] *= c;
        }
    }
    *l += vec_reduce16(lane);
}

/* ---- values ---- */

/* acc [R, head_dim], N vectors from dimension d on (the last has n numbers), += p[t] v[t] over the tokens [begin, end)
 * of the chunk. */
ATTN_TEMPLATE void add_values(const enum kern_kv type, const bool FETCH, const int R, const int N, int n, float *acc,
                              int head_dim, int d, const struct chunk *c, const float *p, int begin, int end)
{
    const size_t bytes = number_bytes(type);
    const size_t row_bytes = (size_t)head_dim * bytes;
    const int BLOCKS = (N * VEC_LANES + BLOCK - 1) / BLOCK;
    vec sum[ATTN_MAX_ACC];
    for (int i = 0; i < R * N; i++) {
        const float *from = acc + i / N * head_dim + d + i % N * VEC_LANES;
        sum[i] = n >= VEC_LANES ? vec_load(from) : vec_load_some(from, n);
    }
    for (int t = begin; t < end;) {
        const int tile = t / TILE, stop = (tile + 1) * TILE < end ? (tile + 1) * TILE : end;
        float scale[ATTN_MAX_ACC * TILE];
        for (int b = 0; type == KERN_KV_Q8_0 && b < BLOCKS; b++) {
            for (int j = 0; j < TILE; j += VEC_LANES) {
                vec_store(scale + b * TILE + j, vec_load_f16(tile_scales(c->v[tile], head_dim, d / BLOCK + b) + j));
            }
            if (FETCH) {
                __builtin_prefetch(tile_scales(c->soon_v[tile], head_dim, d / BLOCK + b));
            }
        }
        size_t offset = (size_t)(t % TILE) * row_bytes + (size_t)d * bytes;
        for (; t < stop; t++, offset += row_bytes) {
            if (FETCH) {
                fetch(c->soon_v[tile], offset, (size_t)(N * VEC_LANES) * bytes);
            }
            vec x[ATTN_MAX_ACC];
#pragma GCC unroll 16
            for (int i = 0; i < N; i++) {
                x[i] = load_numbers(type, c->v[tile] + offset + (size_t)(i * VEC_LANES) * bytes, n);
                if (type == KERN_KV_Q8_0) {
                    x[i] = vec_mul(x[i], vec_set(scale[i * VEC_LANES / BLOCK * TILE + t % TILE]));
                }
            }
#pragma GCC unroll 8
            for (int r = 0; r < R; r++) {
                const vec weight = vec_set(p[r * CHUNK + t]);
#pragma GCC unroll 16
                for (int i = 0; i < N; i++) {
                    sum[r * N + i] = vec_fma(weight, x[i], sum[r * N + i]);
                }
            }
        }
    }
    for (int i = 0; i < R * N; i++) {
        float *to = acc + i / N * head_dim + d + i % N * VEC_LANES;
        if (n >= VEC_LANES) {
            vec_store(to, sum[i]);
        } else {
            vec_store_some(to, sum[i], n);
        }
    }
}

/* All dimensions, N vectors at a time. */
ATTN_TEMPLATE void add_all_values(const enum kern_kv type, const bool FETCH, const int R, const int N, float *acc,
                                  int head_dim, const struct chunk *c, const float *p, int begin, int end)
{
    int d = 0;
    for (; N > 2 && d + N * VEC_LANES <= head_dim; d += N * VEC_LANES) {
        add_values(type, FETCH, R, N, VEC_LANES, acc, head_dim, d, c, p, begin, end);
    }
    for (; d + 2 * VEC_LANES <= head_dim; d += 2 * VEC_LANES) {
        add_values(type, FETCH, R, 2, VEC_LANES, acc, head_dim, d, c, p, begin, end);
    }
    for (; d + VEC_LANES <= head_dim; d += VEC_LANES) {
        add_values(type, FETCH, R, 1, VEC_LANES, acc, head_dim, d, c, p, begin, end);
    }
    for (int r = 0; d < head_dim && r < R; r++) {
        add_values(type, false, 1, 1, head_dim - d, acc + (size_t)r * (size_t)head_dim, head_dim, d, c, p + r * CHUNK,
                   begin, end);
    }
}

/* ---- a group of R rows in one chunk ---- */

/* A row's values alone; at the edges of what a group sees, so not the place to save work. */
static __attribute__((noinline)) void add_row_values(enum kern_kv type, float *acc, int head_dim, const struct chunk *c,
                                                     const float *p, int begin, int end)
{
    if (begin >= end) {
        return;
    }
    switch (type) {
    case KERN_KV_F32:
        add_all_values(KERN_KV_F32, false, 1, 4, acc, head_dim, c, p, begin, end);
        break;
    case KERN_KV_F16:
        add_all_values(KERN_KV_F16, false, 1, 4, acc, head_dim, c, p, begin, end);
        break;
    default:
        add_all_values(KERN_KV_Q8_0, false, 1, 4, acc, head_dim, c, p, begin, end);
        break;
    }
}

/* Scores and their softmax. */
ATTN_TEMPLATE void find_weights(const enum kern_kv type, const bool FETCH, const int R, const int T,
                                const struct kern_attn_span *a, int r0, const struct chunk *c, const struct row *rows)
{
    const int hd = a->head_dim;
    int lowest = CHUNK, highest = 0;
    for (int r = 0; r < R; r++) {
        if (rows[r].begin < rows[r].end) {
            lowest = rows[r].begin < lowest ? rows[r].begin : lowest;
            highest = rows[r].end > highest ? rows[r].end : highest;
        }
    }
    if (lowest >= highest) {
        return;
    }
    float *p = a->scratch + r0 * CHUNK;
    score_group(type, FETCH, R, T, a->q + (size_t)r0 * (size_t)hd, hd, c, p, lowest / TILE,
                (highest + TILE - 1) / TILE);
    for (int r = 0; r < R; r++) {
        if (rows[r].begin < rows[r].end) {
            soften(rows + r, p + r * CHUNK, a->softcap, a->m + r0 + r, a->l + r0 + r,
                   a->acc + (size_t)(r0 + r) * (size_t)hd, hd);
        }
    }
}

ATTN_TEMPLATE void add_weighted(const enum kern_kv type, const bool FETCH, const int R, const int N,
                                const struct kern_attn_span *a, int r0, const struct chunk *c, const struct row *rows)
{
    const size_t hd = (size_t)a->head_dim;
    const float *p = a->scratch + r0 * CHUNK;
    float *acc = a->acc + (size_t)r0 * hd;
    int begin = 0, end = CHUNK; /* what all rows see */
    for (int r = 0; r < R; r++) {
        begin = rows[r].begin > begin ? rows[r].begin : begin;
        end = rows[r].end < end ? rows[r].end : end;
    }
    if (begin >= end) { /* nothing in common */
        for (int r = 0; r < R; r++) {
            add_row_values(type, acc + (size_t)r * hd, a->head_dim, c, p + r * CHUNK, rows[r].begin, rows[r].end);
        }
        return;
    }
    for (int r = 0; R > 1 && r < R; r++) {
        add_row_values(type, acc + (size_t)r * hd, a->head_dim, c, p + r * CHUNK, rows[r].begin, begin);
    }
    add_all_values(type, FETCH, R, N, acc, a->head_dim, c, p, begin, end);
    for (int r = 0; R > 1 && r < R; r++) {
        add_row_values(type, acc + (size_t)r * hd, a->head_dim, c, p + r * CHUNK, end, rows[r].end);
    }
}

/* ---- all rows in one chunk ---- */

ATTN_TEMPLATE void find_all_weights(const enum kern_kv type, const bool FETCH, const struct kern_attn_span *a,
                                    const struct chunk *c, const struct row *rows)
{
    for (int r = 0; r < a->n_q;) {
        const int n = attn_group(a->n_q - r);
#define X(R, T, N)                                                                                                     \
    if (n == R) {                                                                                                      \
        find_weights(type, FETCH, R, T, a, r, c, rows + r);                                                            \
    }
        ATTN_GROUPS(X)
#undef X
        r += n;
    }
}

ATTN_TEMPLATE void add_all_weighted(const enum kern_kv type, const bool FETCH, const struct kern_attn_span *a,
                                    const struct chunk *c, const struct row *rows)
{
    for (int r = 0; r < a->n_q;) {
        const int n = attn_group(a->n_q - r);
#define X(R, T, N)                                                                                                     \
    if (n == R) {                                                                                                      \
        add_weighted(type, FETCH, R, N, a, r, c, rows + r);                                                            \
    }
        ATTN_GROUPS(X)
#undef X
        r += n;
    }
}

/* ---- a widened copy of a chunk ---- */

/* Tiles of K (of V) as f32 into `wide`, one after the other; what is wanted next is fetched meanwhile. */
ATTN_TEMPLATE void widen_tiles(const enum kern_kv type, const bool IS_K, float *wide, const char **tiles,
                               const char *const *soon, int n_tiles, int head_dim)
{
    const size_t bytes = number_bytes(type);
    for (int tile = 0; tile < n_tiles; tile++) {
        const int n_rows = IS_K ? head_dim : TILE, n_cols = IS_K ? TILE : head_dim;
        const char *from = tiles[tile];
        const char *next = soon[tile];
        float *to = wide + (size_t)tile * (size_t)(TILE * head_dim);
        for (int i = 0; type == KERN_KV_F32 && i < TILE * head_dim; i += TILE) { /* they are wide */
            __builtin_prefetch(next + (size_t)i * bytes);
        }
        for (int i = 0; type != KERN_KV_F32 && i < n_rows; i++) {
            for (int j = 0; j < n_cols; j += VEC_LANES) {
                const size_t at = (size_t)(i * n_cols + j);
                const int n = n_cols - j;
                vec x = load_numbers(type, from + at * bytes, n);
                if (type == KERN_KV_Q8_0) {
                    const uint16_t *d = tile_scales(from, head_dim, (IS_K ? i : j) / BLOCK);
                    x = vec_mul(x, IS_K ? vec_load_f16(d + j) : vec_set(base_f32_from_f16(d[i])));
                }
                fetch(next, at * bytes, VEC_LANES * bytes);
                if (n >= VEC_LANES) {
                    vec_store(to + at, x);
                } else {
                    vec_store_some(to + at, x, n);
                }
            }
        }
        tiles[tile] = type == KERN_KV_F32 ? from : (const char *)to;
    }
}

/* Many rows: the multiplications run on f32 tiles. */
ATTN_TEMPLATE void attend_wide(const enum kern_kv type, const struct kern_attn_span *a, struct chunk *c,
                               const struct row *rows, int n_tiles)
{
    float *wide = a->scratch + KERN_ATTN_ROWS * CHUNK;
    widen_tiles(type, true, wide, c->k, c->soon_k, n_tiles, a->head_dim);
    find_all_weights(KERN_KV_F32, false, a, c, rows);
    widen_tiles(type, false, wide, c->v, c->soon_v, n_tiles, a->head_dim);
    add_all_weighted(KERN_KV_F32, false, a, c, rows);
}

/* ---- the span ---- */

/* The tiles of the chunk at token t0, and what comes after each of them. */
static inline int find_chunk(struct chunk *c, const struct kern_attn_span *a, int t0)
{
    const int all = (a->n_tokens + TILE - 1) / TILE, first = t0 / TILE;
    const int n = all - first < CHUNK_TILES ? all - first : CHUNK_TILES;
    for (int i = 0; i < n; i++) {
        const int later = first + CHUNK_TILES + i;
        c->k[i] = a->k_tiles[first + i];
        c->v[i] = a->v_tiles[first + i];
        c->soon_k[i] = c->v[i];
        c->soon_v[i] = later < all             ? a->k_tiles[later]
                       : a->next_tiles != NULL ? a->next_tiles[i]
                                               : c->v[i]; /* nothing worth fetching */
    }
    return n;
}

/* What each row sees of the chunk at t0. */
static inline void find_rows(struct row *rows, const struct kern_attn_span *a, int t0)
{
    for (int r = 0; r < a->n_q; r++) {
        const int from = a->from[r] - t0, to = a->to[r] - t0;
        rows[r] = (struct row){from < 0 ? 0 : from, to > CHUNK ? CHUNK : to};
    }
}

ATTN_TEMPLATE void attend_span(const enum kern_kv type, const struct kern_attn_span *a)
{
    struct row rows[KERN_ATTN_ROWS];
    struct chunk c;
    for (int r = 0; r < a->n_q; r++) {
        a->m[r] = -INFINITY;
        a->l[r] = 0.0f;
    }
    memset(a->acc, 0, (size_t)a->n_q * (size_t)a->head_dim * sizeof(float));
    for (int t0 = 0; t0 < a->n_tokens; t0 += CHUNK) {
        const int n_tiles = find_chunk(&c, a, t0);
        find_rows(rows, a, t0);
        if (a->n_q >= ATTN_WIDE_ROWS) {
            attend_wide(type, a, &c, rows, n_tiles);
        } else {
            find_all_weights(type, true, a, &c, rows);
            add_all_weighted(type, true, a, &c, rows);
        }
    }
}

#endif
