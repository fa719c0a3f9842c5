/* Matrices of f32, f16 and bf16 for AVX-512: weights are widened to f32 and meet f32 activations.
 *
 * One accumulator per panel and token, each column one fused multiply-add to it, so a row's sum is the chain of the
 * contract whatever the number of tokens.  2 panels x 12 tokens are the 24 accumulators that hide the latency of the
 * multiply-add and need 14 loads for 24 of them.
 *
 * Many tokens: blocks of BLOCK_TOKENS at most, as many as stay in the L2 cache over all rows; in each, two panels at a
 * time, their columns cut into strips that stay in the L1 cache while all tiles of the block pass over them.  16-bit
 * weights are widened once for such a strip: vcvtph2ps starts on the ports that the multiply-adds need.
 * Few tokens (one tile): two panels side by side, of 13 tokens and more one, from memory once, fetched ahead.
 * One token: four panels, because one chain a panel is slower than memory. */
#include "kernels/pack.h"
#include "kernels/x86/simd_avx512.h"

enum {
    TILE = AVX512_TILE_F32,
    PANELS = 2,
    MOST_PANELS = 4,
    STRIP = 256,
    BLOCK_TOKENS = 12 * TILE,
    BLOCK_BYTES = 1200 * 1024,
    FETCH = 4096
};

enum weights { W_F32, W_F16, W_BF16 };

AVX512_TEMPLATE size_t column_bytes(enum weights type)
{
    return type == W_F32 ? 64 : 32;
}

/* Column k of a panel, widened.  bf16 lies in pairs of columns: a 32-bit word holds the even one in its low half. */
AVX512_TEMPLATE __m512 load_column(enum weights type, const char *w, int odd)
{
    if (type == W_F32) {
        return _mm512_loadu_ps(w);
    }
    if (type == W_F16) {
        return avx512_load_f16(w);
    }
    const __m512i pair = avx512_load_i32(w);
    return _mm512_castsi512_ps(odd ? _mm512_and_si512(pair, _mm512_set1_epi32((int)0xffff0000))
                                   : _mm512_slli_epi32(pair, 16));
}

/* sum [T][R][16] += n columns of R panels, `apart` bytes apart, times x [n][T]; `fetch`: they come from memory. */
AVX512_TEMPLATE void add_columns(enum weights type, const int R, const int T, const bool fetch, float *sum,
                                 const char *w, size_t apart, const float *x, int n)
{
    __m512 acc[TILE * PANELS];
#pragma GCC unroll 24
    for (int i = 0; i < T * R; i++) {
        acc[i] = _mm512_load_ps(sum + 16 * i);
    }
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n; k += step) {
#pragma GCC unroll 4
        for (int r = 0; fetch && r < R; r++) {
            avx512_prefetch(w + (size_t)r * apart, FETCH, 64);
        }
#pragma GCC unroll 2
        for (int odd = 0; odd < step; odd++) {
            if (odd && k + 1 == n) {
                break; /* the activations end before the pair does */
            }
            __m512 v[MOST_PANELS];
#pragma GCC unroll 4
            for (int r = 0; r < R; r++) {
                v[r] = load_column(type, w + (size_t)r * apart, odd);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; t++) {
                const __m512 xt = _mm512_set1_ps(x[t]);
#pragma GCC unroll 4
                for (int r = 0; r < R; r++) {
                    acc[t * R + r] = _mm512_fmadd_ps(v[r], xt, acc[t * R + r]);
                }
            }
            x += T;
        }
        w += column_bytes(type) * (size_t)step;
    }
#pragma GCC unroll 24
    for (int i = 0; i < T * R; i++) {
        _mm512_store_ps(sum + 16 * i, acc[i]);
    }
}

AVX512_TEMPLATE void add_columns_of(enum weights type, const int R, int n_tokens, const bool fetch, float *sum,
                                    const char *w, size_t apart, const float *x, int n)
{
    switch (n_tokens) {
    case 1:
        add_columns(type, R, 1, fetch, sum, w, apart, x, n);
        break;
    case 2:
        add_columns(type, R, 2, fetch, sum, w, apart, x, n);
        break;
    case 3:
        add_columns(type, R, 3, fetch, sum, w, apart, x, n);
        break;
    case 4:
        add_columns(type, R, 4, fetch, sum, w, apart, x, n);
        break;
    case 5:
        add_columns(type, R, 5, fetch, sum, w, apart, x, n);
        break;
    case 6:
        add_columns(type, R, 6, fetch, sum, w, apart, x, n);
        break;
    case 7:
        add_columns(type, R, 7, fetch, sum, w, apart, x, n);
        break;
    case 8:
        add_columns(type, R, 8, fetch, sum, w, apart, x, n);
        break;
    case 9:
        add_columns(type, R, 9, fetch, sum, w, apart, x, n);
        break;
    case 10:
        add_columns(type, R, 10, fetch, sum, w, apart, x, n);
        break;
    case 11:
        add_columns(type, R, 11, fetch, sum, w, apart, x, n);
        break;
    default:
        add_columns(type, R, 12, fetch, sum, w, apart, x, n);
        break;
    }
}

/* 13 to 16 tokens: one panel's accumulators are as many as fit. */
AVX512_TEMPLATE void add_columns_wide(enum weights type, int n_tokens, float *sum, const char *w, const float *x, int n)
{
    switch (n_tokens) {
    case 13:
        add_columns(type, 1, 13, true, sum, w, 0, x, n);
        break;
    case 14:
        add_columns(type, 1, 14, true, sum, w, 0, x, n);
        break;
    case 15:
        add_columns(type, 1, 15, true, sum, w, 0, x, n);
        break;
    default:
        add_columns(type, 1, 16, true, sum, w, 0, x, n);
        break;
    }
}

AVX512_NOINLINE void add_strip_1(int n_tokens, float *sum, const char *w, size_t apart, const float *x, int n)
{
    add_columns_of(W_F32, 1, n_tokens, false, sum, w, apart, x, n);
}

AVX512_NOINLINE void add_strip_2(int n_tokens, float *sum, const char *w, size_t apart, const float *x, int n)
{
    add_columns_of(W_F32, 2, n_tokens, false, sum, w, apart, x, n);
}

/* n columns of a panel, widened; of a pair always both. */
AVX512_TEMPLATE void widen(enum weights type, float *wide, const char *w, int n)
{
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n; k += step) {
        avx512_prefetch(w, FETCH, 64);
        for (int odd = 0; odd < step; odd++) {
            _mm512_store_ps(wide + 16 * (k + odd), load_column(type, w, odd));
        }
        w += column_bytes(type) * (size_t)step;
    }
}

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Results sum [n_tokens][R][16] of R panels, n_rows valid rows from the first on, go to their place. */
AVX512_TEMPLATE void store_sums(const int R, float *y, size_t ldy, const float *sum, int n_rows, int n_tokens, bool add)
{
    for (int t = 0; t < n_tokens; t++) {
        for (int r = 0; r < R && r * 16 < n_rows; r++) {
            avx512_store_rows(y + (size_t)t * ldy + 16 * r, _mm512_load_ps(sum + (t * R + r) * 16), n_rows - 16 * r,
                              add);
        }
    }
}

/* R panels times one block of tokens. */
AVX512_TEMPLATE void multiply_block(enum weights type, const int R, float *y, size_t ldy, const char *panel,
                                    size_t panel_bytes, int n_rows, int n_cols, const float *act, int n_tokens,
                                    int tile, bool add)
{
    _Alignas(64) float sum[BLOCK_TOKENS * PANELS * 16];
    _Alignas(64) float wide[PANELS * STRIP * 16];
    memset(sum, 0, (size_t)(n_tokens * R * 16) * sizeof *sum);
    for (int k = 0; k < n_cols; k += STRIP) {
        const int n = min_int(STRIP, n_cols - k);
        const char *w = panel + (size_t)k * column_bytes(type);
        size_t apart = panel_bytes;
        if (type != W_F32) {
            for (int r = 0; r < R; r++) {
                widen(type, wide + r * STRIP * 16, w + (size_t)r * panel_bytes, n);
            }
            w = (const char *)wide;
            apart = sizeof wide / PANELS;
        }
        for (int t = 0; t < n_tokens; t += tile) {
            const int width = min_int(tile, n_tokens - t);
            (R == 1 ? add_strip_1 : add_strip_2)(width, sum + t * R * 16, w, apart,
                                                 act + (size_t)t * (size_t)n_cols + (size_t)k * (size_t)width, n);
        }
    }
    store_sums(R, y, ldy, sum, n_rows, n_tokens, add);
}

/* R panels times one tile.  A single panel that is left stands for two. */
AVX512_TEMPLATE void multiply_tile(enum weights type, const int R, float *y, size_t ldy, const char *panel,
                                   size_t panel_bytes, int n_rows, int n_cols, const float *act, int n_tokens, bool add)
{
    _Alignas(64) float sum[TILE * PANELS * 16];
    memset(sum, 0, sizeof sum);
    if (R == 1) {
        add_columns_wide(type, n_tokens, sum, panel, act, n_cols);
    } else {
        add_columns_of(type, R, n_tokens, true, sum, panel, n_rows > 16 ? panel_bytes : 0, act, n_cols);
    }
    store_sums(R, y, ldy, sum, n_rows, n_tokens, add);
}

/* One token. */
AVX512_TEMPLATE void multiply_vector(enum weights type, const int R, float *y, const char *panel, size_t panel_bytes,
                                     int n_rows, int n_cols, const float *act, bool add)
{
    _Alignas(64) float sum[MOST_PANELS * 16];
    memset(sum, 0, sizeof sum);
    add_columns(type, R, 1, true, sum, panel, panel_bytes, act, n_cols);
    store_sums(R, y, 0, sum, n_rows, 1, add);
}

/* Tokens of a block: whole tiles of them. */
static int block_of(int tile, int n_cols)
{
    const int most = min_int(BLOCK_TOKENS, BLOCK_BYTES / 4 / n_cols);
    return most < tile ? tile : most / tile * tile;
}

AVX512_TEMPLATE void matmul_few(enum weights type, float *y, size_t ldy, const char *panel, size_t panel_bytes,
                                int n_rows, int n_cols, const float *act, int n_tokens, bool add)
{
    if (n_tokens == 1) {
        for (; n_rows > 48; n_rows -= 64, y += 64, panel += 4 * panel_bytes) {
            multiply_vector(type, 4, y, panel, panel_bytes, n_rows, n_cols, act, add);
        }
    }
    for (; n_rows > 0 && n_tokens > TILE; n_rows -= 16, y += 16, panel += panel_bytes) {
        multiply_tile(type, 1, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, add);
    }
    for (; n_rows > 0; n_rows -= 32, y += 32, panel += 2 * panel_bytes) {
        multiply_tile(type, 2, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, add);
    }
}

AVX512_TEMPLATE void matmul_many(enum weights type, float *y, size_t ldy, const char *panel, size_t panel_bytes,
                                 int n_rows, int n_cols, const float *act, int n_tokens, int tile, bool add)
{
    for (; n_rows > 16; n_rows -= 32, y += 32, panel += 2 * panel_bytes) {
        multiply_block(type, 2, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, tile, add);
    }
    if (n_rows > 0) {
        multiply_block(type, 1, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, tile, add);
    }
}

AVX512_TEMPLATE void matmul(enum weights type, float *y, size_t ldy, const void *W, int n_rows, int n_cols,
                            const void *act, int n_tokens, int tile, bool add)
{
    const size_t padded = type == W_BF16 ? ((size_t)n_cols + 1) / 2 * 2 : (size_t)n_cols;
    const size_t panel_bytes = padded * column_bytes(type);
    if (n_tokens <= tile) {
        matmul_few(type, y, ldy, W, panel_bytes, n_rows, n_cols, act, n_tokens, add);
        return;
    }
    const int block = block_of(tile, n_cols);
    for (int t = 0; t < n_tokens; t += block) {
        matmul_many(type, y + (size_t)t * ldy, ldy, W, panel_bytes, n_rows, n_cols,
                    (const float *)act + (size_t)t * (size_t)n_cols, min_int(block, n_tokens - t), tile, add);
    }
}

void kern_matmul_f32_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                            int tile, bool add)
{
    matmul(W_F32, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_f16_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                            int tile, bool add)
{
    matmul(W_F16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_bf16_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    matmul(W_BF16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
