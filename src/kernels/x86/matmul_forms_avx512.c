/* Tiles of tokens against unpacked weights, by form, and the loops over strips, chunks and tiles.
 *
 * On ports 0 and 5 a block of 32 columns costs a pair of panel and token 8 dot products, a conversion, the product of
 * the scales and a fused multiply-add, so dot products can be at most 8 / 11 of what starts (S32; M32 8 / 12, S16
 * 8 / 14, M16 8 / 16).  All else has to go elsewhere: loads, broadcasts among them, are two a cycle. */
#include "kernels/x86/matmul_quant_avx512.h"

enum {
    ACT_BYTES = 5 << 18, /* of activations that strips meet again and again: they are to stay in the L2 cache */
    SUM_TOKENS = 516,    /* whose sums wait at a time; a multiple of 6, and 512 fit */
    STRIP_FOLDED = 4     /* tokens of a tile whose broadcasts are operands: of 2 to 6 measured the best */
};

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* dot + weights times 4 numbers that the instruction broadcasts itself: one instruction less to fetch, one load more.
 * A compiler would load them once for all panels. */
static inline __m512i dot_folded(__m512i dot, __m512i weight, const int8_t *q)
{
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(dot) : "v"(weight), "m"(*(const int32_t *)(const void *)q));
    return dot;
}

/* dot[p][t] += groups [from, to) of a block times T tokens. */
AVX512_TEMPLATE void add_dots(const int P, const int T, __m512i dot[STRIP_PANELS][STRIP_TILE],
                              const uint8_t (*w)[STRIP_PANELS][64], const int8_t *q, const int from, const int to)
{
#pragma GCC unroll 8
    for (int g = from; g < to; g++) {
        __m512i weight[STRIP_PANELS];
#pragma GCC unroll 2
        for (int p = 0; p < P; p++) {
            weight[p] = avx512_load_i32(w[g][p]);
        }
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            const int8_t *from_q = q + 32 * t + 4 * g;
            const __m512i x = avx512_broadcast_4x8(from_q);
#pragma GCC unroll 2
            for (int p = 0; p < P; p++) {
                dot[p][t] = t < STRIP_FOLDED ? dot_folded(dot[p][t], weight[p], from_q)
                                             : _mm512_dpbusd_epi32(dot[p][t], weight[p], x);
            }
        }
    }
}

/* acc[p][t] += a sum of products, scaled. */
AVX512_TEMPLATE void add_scaled(const int P, const int T, const bool has_min, __m512 acc[STRIP_PANELS][STRIP_TILE],
                                __m512i dot[STRIP_PANELS][STRIP_TILE], const float (*scale)[16], const float (*min)[16],
                                const float *d, const float *dsum)
{
#pragma GCC unroll 2
    for (int p = 0; p < P; p++) {
        const __m512 dw = _mm512_load_ps(scale[p]);
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            acc[p][t] =
                _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[p][t]), _mm512_mul_ps(dw, _mm512_set1_ps(d[t])), acc[p][t]);
        }
    }
    if (!has_min) {
        return;
    }
#pragma GCC unroll 2
    for (int p = 0; p < P; p++) {
        const __m512 mw = _mm512_load_ps(min[p]);
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            acc[p][t] = _mm512_fmadd_ps(mw, _mm512_set1_ps(dsum[t]), acc[p][t]);
        }
    }
}

/* dsum[t] = d[t] times minus the sum of a half block, whose bias is given. */
static inline void half_dsum(float dsum[8], const float *d, __m256i bias, __mmask8 tokens)
{
    const __m256 sum = _mm256_cvtepi32_ps(_mm256_srai_epi32(bias, 7));
    _mm256_store_ps(dsum, _mm256_mul_ps(_mm256_maskz_loadu_ps(tokens, d), sum));
}

/* Columns [4 from, 4 to) of block b: the whole of it, or its half of that number.  Sums of S forms start from the bias. */
AVX512_TEMPLATE void add_part(const bool has_min, const int P, const int T, const int half, const int from,
                              const int to, __m512 acc[STRIP_PANELS][STRIP_TILE], const struct avx512_strip *s, int b,
                              const struct kern_act_q8 *x, const float *dsum)
{
    __m512i dot[STRIP_PANELS][STRIP_TILE];
#pragma GCC unroll 6
    for (int t = 0; t < T; t++) {
        __m512i start = _mm512_setzero_si512();
        if (!has_min) {
            start = _mm512_set1_epi32(to == 4 ? x->bias_lo[t] : from == 4 ? x->bias[t] - x->bias_lo[t] : x->bias[t]);
        }
#pragma GCC unroll 2
        for (int p = 0; p < P; p++) {
            dot[p][t] = start;
        }
    }
    add_dots(P, T, dot, s->w[b], x->q, from, to);
    add_scaled(P, T, has_min, acc, dot, s->scale[b][half], s->min[b][half], x->d, dsum);
}

/* One block of P panels and T tokens. */
AVX512_TEMPLATE void add_block(const enum dtype_form form, const int P, const int T,
                               __m512 acc[STRIP_PANELS][STRIP_TILE], const struct avx512_strip *s, int b,
                               const int8_t *act)
{
    const bool has_min = form == DTYPE_FORM_M32 || form == DTYPE_FORM_M16;
    const struct kern_act_q8 x = kern_act_q8_block(act, T);
    if (form == DTYPE_FORM_S32 || form == DTYPE_FORM_M32) {
        add_part(has_min, P, T, 0, 0, 8, acc, s, b, &x, x.dsum);
        return;
    }
    _Alignas(32) float dsum[2][8];
    if (form == DTYPE_FORM_M16) {
        const __mmask8 tokens = (__mmask8)avx512_first(T);
        const __m256i all = _mm256_maskz_loadu_epi32(tokens, x.bias), low = _mm256_maskz_loadu_epi32(tokens, x.bias_lo);
        half_dsum(dsum[0], x.d, low, tokens);
        half_dsum(dsum[1], x.d, _mm256_sub_epi32(all, low), tokens);
    }
    add_part(has_min, P, T, 0, 0, 4, acc, s, b, &x, dsum[0]);
    add_part(has_min, P, T, 1, 4, 8, acc, s, b, &x, dsum[1]);
}

/* A tile of T tokens and P panels. */
AVX512_TEMPLATE void add_tile(const enum dtype_form form, const int P, const int T, const struct avx512_tile *tile)
{
    __m512 acc[STRIP_PANELS][STRIP_TILE];
#pragma GCC unroll 2
    for (int p = 0; p < P; p++) {
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            acc[p][t] = tile->first ? _mm512_setzero_ps() : _mm512_load_ps(tile->sum[t][p]);
        }
    }
    const struct avx512_strip *s = tile->strip;
    const int8_t *act = tile->act;
    uintptr_t ahead = (uintptr_t)tile->ahead;
    uintptr_t next_act = (uintptr_t)tile->act_ahead;
    for (int b = 0; b < tile->n_blocks; b++, act += T * KERN_ACT_Q8_BYTES) {
        if (b < tile->ahead_blocks) {
            for (int i = 0; i < tile->ahead_step; i += 64, ahead += 64) {
                _mm_prefetch((const char *)ahead, _MM_HINT_T0);
                _mm_prefetch((const char *)(ahead + tile->ahead_stride), _MM_HINT_T0);
            }
        }
#pragma GCC unroll 5
        for (int i = 0; i < T * KERN_ACT_Q8_BYTES; i += 64) {
            _mm_prefetch((const char *)(next_act + (uintptr_t)i), _MM_HINT_T0);
        }
        next_act += (uintptr_t)(T * KERN_ACT_Q8_BYTES);
        add_block(form, P, T, acc, s, b, act);
    }
#pragma GCC unroll 2
    for (int p = 0; p < P; p++) {
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            _mm512_store_ps(tile->sum[t][p], acc[p][t]);
        }
    }
}

AVX512_TEMPLATE void add_tile_of(const enum dtype_form form, const int P, const struct avx512_tile *tile)
{
    switch (tile->n_tokens) {
    case 1:
        add_tile(form, P, 1, tile);
        break;
    case 2:
        add_tile(form, P, 2, tile);
        break;
    case 3:
        add_tile(form, P, 3, tile);
        break;
    case 4:
        add_tile(form, P, 4, tile);
        break;
    case 5:
        add_tile(form, P, 5, tile);
        break;
    default:
        add_tile(form, P, 6, tile);
        break;
    }
}

AVX512_TEMPLATE void add_form(const enum dtype_form form, const struct avx512_tile *tile)
{
    if (tile->n_panels == 1) {
        add_tile_of(form, 1, tile);
    } else {
        add_tile_of(form, 2, tile);
    }
}

void avx512_add_s32(const struct avx512_tile *tile)
{
    add_form(DTYPE_FORM_S32, tile);
}

void avx512_add_s16(const struct avx512_tile *tile)
{
    add_form(DTYPE_FORM_S16, tile);
}

void avx512_add_m32(const struct avx512_tile *tile)
{
    add_form(DTYPE_FORM_M32, tile);
}

void avx512_add_m16(const struct avx512_tile *tile)
{
    add_form(DTYPE_FORM_M16, tile);
}

/* ---- the loops around ---- */

/* Sums of one strip and at most SUM_TOKENS tokens. */
typedef float strip_sum[STRIP_PANELS][16];

/* What a strip is multiplied by, and where the result goes: to `rows` rows of y[n_tokens]. */
struct strip_job {
    const struct avx512_quant *type;
    const int8_t *act;
    int n_tokens, tile, n_blocks;
    size_t token_bytes, panel_bytes;
    float *y;
    size_t ldy;
    int rows;
    bool add;
};

/* Fetches the lines of y that a tile will be stored to.  Tokens are a row of y apart, often a power of two, and no
 * hardware prefetcher sees them coming: stores would wait for each. */
static void fetch_results(const struct strip_job *j, int token, int n_tokens)
{
    for (int t = 0; t < n_tokens; t++) {
        const float *y = j->y + (size_t)(token + t) * j->ldy;
        for (int p = 0; p < j->rows; p += DTYPE_PANEL_ROWS) {
            avx512_fetch_to_write(y + p);
        }
    }
}

static void store_results(const struct strip_job *j, strip_sum *sum, int token, int n_tokens)
{
    for (int t = token; t < token + n_tokens; t++) {
        float *y = j->y + (size_t)t * j->ldy;
        avx512_store_rows(y, _mm512_load_ps(sum[t][0]), min_int(j->rows, 16), j->add);
        if (j->rows > 16) {
            avx512_store_rows(y + 16, _mm512_load_ps(sum[t][1]), j->rows - 16, j->add);
        }
    }
}

/* Weights to be fetched while a chunk of n blocks is multiplied, by its first tiles. */
struct strip_ahead {
    const uint8_t *from;
    int bytes; /* of each panel */
    int step;  /* in a block */
};

static struct strip_ahead next_chunk(const struct strip_job *j, const uint8_t *unit, int n_panels, int chunk, int n,
                                     int left)
{
    struct strip_ahead a = {.from = unit};
    if (left == 0) { /* the next strip begins after this one */
        a.from += (size_t)(n_panels - 1) * j->panel_bytes;
        left = j->n_blocks;
    }
    const int n_tiles = min_int((j->n_tokens + j->tile - 1) / j->tile, 4);
    a.bytes = min_int(chunk, left) / j->type->unit_blocks * j->type->unit_bytes;
    a.step = (a.bytes / 64 + n * n_tiles - 1) / (n * n_tiles) * 64;
    return a;
}

/* y = n_panels panels times all tokens. */
static void multiply_strip(const struct strip_job *j, struct avx512_strip *strip, strip_sum *sum, const uint8_t *panel,
                           int n_panels)
{
    const int chunk = j->n_tokens <= STRIP_FEW ? STRIP_BLOCKS / 2 : STRIP_BLOCKS;
    const uint8_t *unit = panel;
    for (int block = 0; block < j->n_blocks; block += chunk) {
        const int n = min_int(chunk, j->n_blocks - block);
        const bool last = block + n == j->n_blocks;
        j->type->unpack(strip, unit, j->panel_bytes, n_panels, n);
        unit += n / j->type->unit_blocks * j->type->unit_bytes;
        const struct strip_ahead ahead = next_chunk(j, unit, n_panels, chunk, n, j->n_blocks - block - n);
        for (int t = 0; t < j->n_tokens; t += j->tile) {
            const int width = min_int(j->tile, j->n_tokens - t);
            const int fetched = min_int(t / j->tile * n * ahead.step, ahead.bytes);
            const size_t in_tile = (size_t)(block * width) * KERN_ACT_Q8_BYTES;
            struct avx512_tile tile = {
                .strip = strip,
                .act = j->act + (size_t)t * j->token_bytes + in_tile,
                .act_ahead = (const char *)j->act + (size_t)(t + j->tile) * j->token_bytes + in_tile,
                .sum = sum + t,
                .n_panels = n_panels,
                .n_tokens = width,
                .n_blocks = n,
                .first = block == 0,
                .ahead = (const char *)ahead.from + fetched,
                .ahead_stride = j->panel_bytes,
                .ahead_step = ahead.step,
                .ahead_blocks = (ahead.bytes - fetched + ahead.step - 1) / ahead.step,
            };
            if (last) {
                fetch_results(j, t, width);
            }
            j->type->add(&tile);
            if (last) {
                store_results(j, sum, t, width);
            }
        }
    }
}

void avx512_multiply_strips(const struct avx512_quant *type, float *y, size_t ldy, const void *W, int n_rows,
                            int n_cols, const void *act, int n_tokens, int tile, bool add)
{
    enum { ROWS = STRIP_PANELS * DTYPE_PANEL_ROWS };
    struct avx512_strip strip;
    _Alignas(64) strip_sum sum[SUM_TOKENS];
    struct strip_job j = {.type = type, .tile = tile, .n_blocks = (n_cols + 63) / 64 * 2, .ldy = ldy, .add = add};
    j.token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    j.panel_bytes = (size_t)(j.n_blocks / type->unit_blocks) * (size_t)type->unit_bytes;
    const int fit = min_int(SUM_TOKENS, (int)(ACT_BYTES / j.token_bytes));
    const int most = fit < tile ? tile : fit / tile * tile;
    for (int t = 0; t < n_tokens; t += most) {
        const uint8_t *panel = W;
        j.act = (const int8_t *)act + (size_t)t * j.token_bytes;
        j.n_tokens = min_int(most, n_tokens - t);
        for (int r = 0; r < n_rows; r += ROWS, panel += STRIP_PANELS * j.panel_bytes) {
            j.y = y + (size_t)t * ldy + r;
            j.rows = min_int(ROWS, n_rows - r);
            multiply_strip(&j, &strip, sum, panel, j.rows > DTYPE_PANEL_ROWS ? 2 : 1);
        }
    }
}
