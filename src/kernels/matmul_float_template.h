/* Matrices of f32, f16 and bf16 for every vector width: weights are widened to f32 and meet f32 activations.  (Pairs of
 * bf16, which a dot instruction takes as they are, count as columns too.)
 *
 * Lanes are the rows of a panel; one column of it is one multiply-add to the accumulator of each token, so a row's sum
 * is the chain of the contract whatever the number of tokens.  PANELS panels x TILE tokens of accumulators fill the
 * registers and hide the latency of the multiply-add.
 *
 * Many tokens: blocks of as many as stay in the L2 cache over all rows; in each, PANELS panels at a time, their columns
 * cut into strips that stay in the L1 cache while all tiles of the block pass over them.  16-bit weights are widened
 * once for such a strip: the conversion takes the ports that the multiply-adds need.
 * Few tokens (one tile): FEW_PANELS side by side from memory, once, fetched ahead; one token: VECTOR_PANELS, because one
 * chain of multiply-adds a panel is slower than memory.
 *
 * Parameters, to be defined above the #include:
 *   MATMUL_TEMPLATE, MATMUL_NOINLINE                          how templates and real functions are declared
 *   enum { TILE, PANELS, FEW_PANELS, VECTOR_PANELS,           most tokens of a tile; panels side by side (see above)
 *          WIDE_TILE,                                         most tokens of one tile with one panel, or TILE
 *          ACCUMULATORS,                                      the largest product of panels and tokens among these
 *          STRIP, BLOCK_TOKENS, BLOCK_BYTES, FETCH }          even; a multiple of TILE; of activations; bytes ahead
 *   enum weights                                              W_F32, W_F16, W_BF16; W_PAIRS where there are any
 *     WIDE, one of them                                       what is not widened: W_F32 or W_PAIRS
 *   rows, token                                               16 rows of f32; one token's number, ready to multiply
 *   rows rows_load(const float *p), void rows_save(float *p, rows v)      64-byte aligned
 *   rows rows_column(enum weights, const char *w, int odd)    a column, widened; `odd`: the second of a pair of bf16
 *   rows rows_multiply_add(enum weights, rows acc, rows w, token x)
 *   token token_load(const int T, const float *x, int t)      of x [T]
 *   void rows_put(float *y, rows v, int n, bool add)          n or 16 rows to (added to) y
 *   void fetch(const char *w)                                 prefetches the line FETCH bytes behind w
 *   void fetch_result(const float *y)                         the line at y, to be written */
#include <string.h>

#include "kernels/kernels.h"

MATMUL_TEMPLATE size_t column_bytes(enum weights type)
{
    return type == W_F16 || type == W_BF16 ? 32 : 64;
}

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* sum [T][R][16] += n columns of R panels, `apart` bytes apart, times x [n][T]; `far`: they come from memory. */
MATMUL_TEMPLATE void add_columns(enum weights type, const int R, const int T, const bool far, float *sum, const char *w,
                                 size_t apart, const float *x, int n)
{
    rows acc[ACCUMULATORS];
#pragma GCC unroll 24
    for (int i = 0; i < T * R; i++) {
        acc[i] = rows_load(sum + 16 * i);
    }
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n; k += step) {
#pragma GCC unroll 4
        for (int r = 0; far && r < R; r++) {
            fetch(w + (size_t)r * apart);
        }
#pragma GCC unroll 2
        for (int odd = 0; odd < step; odd++) {
            if (odd && k + 1 == n) {
                break; /* the activations end before the pair does */
            }
            rows v[VECTOR_PANELS];
#pragma GCC unroll 4
            for (int r = 0; r < R; r++) {
                v[r] = rows_column(type, w + (size_t)r * apart, odd);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; t++) {
                const token xt = token_load(T, x, t);
#pragma GCC unroll 4
                for (int r = 0; r < R; r++) {
                    acc[t * R + r] = rows_multiply_add(type, acc[t * R + r], v[r], xt);
                }
            }
            x += T;
        }
        w += column_bytes(type) * (size_t)step;
    }
#pragma GCC unroll 24
    for (int i = 0; i < T * R; i++) {
        rows_save(sum + 16 * i, acc[i]);
    }
}

/* The same for n_tokens tokens, `least` to `most` (at most 16). */
MATMUL_TEMPLATE void add_columns_of(enum weights type, const int R, const int least, const int most, int n_tokens,
                                    const bool far, float *sum, const char *w, size_t apart, const float *x, int n)
{
#define TOKENS(T)                                                                                                      \
    case T:                                                                                                            \
        if (least <= T && T <= most) {                                                                                 \
            add_columns(type, R, least <= T && T <= most ? T : most, far, sum, w, apart, x, n);                        \
        }                                                                                                              \
        break
    switch (n_tokens) {
        TOKENS(1);
        TOKENS(2);
        TOKENS(3);
        TOKENS(4);
        TOKENS(5);
        TOKENS(6);
        TOKENS(7);
        TOKENS(8);
        TOKENS(9);
        TOKENS(10);
        TOKENS(11);
        TOKENS(12);
        TOKENS(13);
        TOKENS(14);
        TOKENS(15);
        TOKENS(16);
    default:
        break;
    }
#undef TOKENS
}

/* Results sum [n_tokens][R][16] of R panels, n_rows valid rows from the first on, go to their place. */
MATMUL_TEMPLATE void put_sums(const int R, float *y, size_t ldy, const float *sum, int n_rows, int n_tokens, bool add)
{
    for (int t = 0; t < n_tokens; t++) {
        for (int r = 0; r < R && r * 16 < n_rows; r++) {
            rows_put(y + (size_t)t * ldy + 16 * r, rows_load(sum + (t * R + r) * 16), n_rows - 16 * r, add);
        }
    }
}

/* Fetches the lines of y that put_sums will write.  Tokens are a row of y apart, often a power of two, and no hardware
 * prefetcher sees them coming. */
MATMUL_TEMPLATE void fetch_results(const int R, const float *y, size_t ldy, int n_rows, int n_tokens)
{
    for (int t = 0; t < n_tokens; t++) {
        for (int r = 0; r < R && r * 16 < n_rows; r++) {
            fetch_result(y + (size_t)t * ldy + 16 * r);
        }
    }
}

/* ---- few tokens ---------------------------------------------------------------------------------------- */

/* R panels times one tile of `least` to `most` tokens.  A single panel that is left stands for all R. */
MATMUL_TEMPLATE void multiply_tile(enum weights type, const int R, const int least, const int most, float *y,
                                   size_t ldy, const char *panel, size_t panel_bytes, int n_rows, int n_cols,
                                   const float *act, int n_tokens, bool add)
{
    _Alignas(64) float sum[ACCUMULATORS * 16] = {0};
    for (; n_rows > 0; n_rows -= 16 * R, y += 16 * R, panel += (size_t)R * panel_bytes) {
        memset(sum, 0, (size_t)(n_tokens * R * 16) * sizeof *sum);
        add_columns_of(type, R, least, most, n_tokens, true, sum, panel, n_rows > 16 * (R - 1) ? panel_bytes : 0, act,
                       n_cols);
        put_sums(R, y, ldy, sum, n_rows, n_tokens, add);
    }
}

MATMUL_TEMPLATE void multiply_few(enum weights type, float *y, size_t ldy, const char *panel, size_t panel_bytes,
                                  int n_rows, int n_cols, const float *act, int n_tokens, bool add)
{
    if (n_tokens == 1) {
        const int whole = n_rows / (16 * VECTOR_PANELS) * (16 * VECTOR_PANELS);
        multiply_tile(type, VECTOR_PANELS, 1, 1, y, ldy, panel, panel_bytes, whole, n_cols, act, 1, add);
        y += whole;
        panel += (size_t)(whole / 16) * panel_bytes;
        n_rows -= whole;
    }
    if (n_tokens <= TILE) {
        multiply_tile(type, FEW_PANELS, 1, TILE, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, add);
    } else {
        multiply_tile(type, 1, TILE + 1, WIDE_TILE, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, add);
    }
}

/* ---- many tokens --------------------------------------------------------------------------------------- */

/* n columns of a panel, widened; of a pair always both. */
MATMUL_TEMPLATE void widen(enum weights type, float *wide, const char *w, int n)
{
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n; k += step) {
        fetch(w);
        for (int odd = 0; odd < step; odd++) {
            rows_save(wide + 16 * (k + odd), rows_column(type, w, odd));
        }
        w += column_bytes(type) * (size_t)step;
    }
}

/* add_columns_of for a strip in the cache. */
MATMUL_NOINLINE void add_strip(const int R, int n_tokens, float *sum, const char *w, size_t apart, const float *x,
                               int n)
{
    if (R == PANELS) {
        add_columns_of(WIDE, PANELS, 1, TILE, n_tokens, false, sum, w, apart, x, n);
    } else {
        add_columns_of(WIDE, 1, 1, TILE, n_tokens, false, sum, w, apart, x, n);
    }
}

/* R panels times one block of tokens. */
MATMUL_TEMPLATE void multiply_block(enum weights type, const int R, float *y, size_t ldy, const char *panel,
                                    size_t panel_bytes, int n_rows, int n_cols, const float *act, int n_tokens,
                                    int tile, bool add)
{
    const bool widened = type != WIDE;
    _Alignas(64) float sum[BLOCK_TOKENS * PANELS * 16];
    _Alignas(64) float wide[PANELS * STRIP * 16];
    memset(sum, 0, (size_t)(n_tokens * R * 16) * sizeof *sum);
    for (int k = 0; k < n_cols; k += STRIP) {
        const int n = min_int(STRIP, n_cols - k);
        const char *w = panel + (size_t)k * column_bytes(type);
        size_t apart = panel_bytes;
        if (widened) {
            for (int r = 0; r < R; r++) {
                widen(type, wide + r * STRIP * 16, w + (size_t)r * panel_bytes, n);
            }
            w = (const char *)wide;
            apart = sizeof wide / PANELS;
        }
        for (int t = 0; t < n_tokens; t += tile) {
            const int width = min_int(tile, n_tokens - t);
            float *to = y + (size_t)t * ldy, *tile_sum = sum + t * R * 16;
            if (k + n == n_cols) {
                fetch_results(R, to, ldy, n_rows, width);
            }
            add_strip(R, width, tile_sum, w, apart, act + (size_t)t * (size_t)n_cols + (size_t)k * (size_t)width, n);
            if (k + n == n_cols) {
                put_sums(R, to, ldy, tile_sum, n_rows, width, add);
            }
        }
    }
}

/* Tokens of a block: whole tiles of them. */
static int block_of(int tile, int n_cols)
{
    const int most = min_int(BLOCK_TOKENS, BLOCK_BYTES / 4 / n_cols);
    return most < tile ? tile : most / tile * tile;
}

MATMUL_TEMPLATE void multiply_many(enum weights type, float *y, size_t ldy, const char *panel, size_t panel_bytes,
                                   int n_rows, int n_cols, const float *act, int n_tokens, int tile, bool add)
{
    for (; n_rows > 16 * (PANELS - 1); n_rows -= 16 * PANELS, y += 16 * PANELS, panel += PANELS * panel_bytes) {
        multiply_block(type, PANELS, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, tile, add);
    }
    if (n_rows > 0) {
        multiply_block(type, 1, y, ldy, panel, panel_bytes, n_rows, n_cols, act, n_tokens, tile, add);
    }
}

/* The kernel (kernels.h).  W_PAIRS: n_cols pairs of columns. */
MATMUL_TEMPLATE void matmul(enum weights type, float *y, size_t ldy, const void *W, int n_rows, int n_cols,
                            const void *act, int n_tokens, int tile, bool add)
{
    const size_t padded = type == W_BF16 ? ((size_t)n_cols + 1) / 2 * 2 : (size_t)n_cols;
    const size_t panel_bytes = padded * column_bytes(type);
    if (n_tokens <= tile) {
        multiply_few(type, y, ldy, W, panel_bytes, n_rows, n_cols, act, n_tokens, add);
        return;
    }
    const int block = block_of(tile, n_cols);
    for (int t = 0; t < n_tokens; t += block) {
        multiply_many(type, y + (size_t)t * ldy, ldy, W, panel_bytes, n_rows, n_cols,
                      (const float *)act + (size_t)t * (size_t)n_cols, min_int(block, n_tokens - t), tile, add);
    }
}
