/* Matrices of f32, f16 and bf16 for AVX2: weights are widened to f32 and meet f32 activations.
 *
 * One accumulator pair per token holds 16 rows; every column is one fused multiply-add to each pair, so a row's sum is
 * the chain of the contract whatever the number of tokens.  6 tokens x 2 registers are the 12 accumulators that leave
 * room for the weights and a broadcast activation; unrolled over columns the compiler runs out of registers.
 *
 * Prefill (tiles of 6): a tile's accumulators stay in registers over the whole row, the panel stays in the L2 cache.
 * Few tokens (one tile of 7 to 16): the columns are cut into strips and each strip meets all its tokens while it is in
 * the L1 cache, so that the weights come from memory once, at the pace of memory.
 * One token: two panels side by side.  One chain of dependent multiply-adds a panel is slower than memory for the
 * 16-bit types, and two streams come faster from memory than one. */
#include "kernels/pack.h"
#include "kernels/x86/simd_avx2.h"

enum { TOKENS = 6, STRIP = 64, FETCH = 2048 };

enum weights { W_F32, W_F16, W_BF16 };

AVX2_TEMPLATE size_t column_bytes(enum weights type)
{
    return type == W_F32 ? 64 : 32;
}

/* Column k of a panel, widened.  bf16 lies in pairs of columns: a 32-bit word holds the even one in its low half. */
AVX2_TEMPLATE avx2_pair load_column(enum weights type, const char *w, int odd)
{
    if (type == W_F32) {
        return avx2_pair_load((const float *)w);
    }
    if (type == W_F16) {
        return (avx2_pair){avx2_load_f16(w), avx2_load_f16(w + 16)};
    }
    __m256i lo = avx2_load_i32(w), hi = avx2_load_i32(w + 32);
    if (odd) {
        const __m256i zero = _mm256_setzero_si256();
        lo = _mm256_blend_epi16(zero, lo, 0xaa);
        hi = _mm256_blend_epi16(zero, hi, 0xaa);
    } else {
        lo = _mm256_slli_epi32(lo, 16);
        hi = _mm256_slli_epi32(hi, 16);
    }
    return (avx2_pair){_mm256_castsi256_ps(lo), _mm256_castsi256_ps(hi)};
}

/* sum[t][row] += columns of w [n][16] times x [n][stride], for T tokens. */
AVX2_TEMPLATE void add_columns(enum weights type, const int T, float (*sum)[16], const char *w, const float *x,
                               int stride, int n)
{
    avx2_pair acc[TOKENS];
    for (int t = 0; t < T; t++) {
        acc[t] = avx2_pair_load(sum[t]);
    }
    const size_t bytes = column_bytes(type);
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n; k += step) {
        avx2_prefetch(w, FETCH, 64);
        for (int odd = 0; odd < step; odd++) {
            if (odd && k + 1 == n) {
                break; /* the activations end before the pair does */
            }
            avx2_pair v = load_column(type, w, odd);
            for (int t = 0; t < T; t++) {
                __m256 xt = _mm256_broadcast_ss(x + t);
                acc[t].lo = _mm256_fmadd_ps(v.lo, xt, acc[t].lo);
                acc[t].hi = _mm256_fmadd_ps(v.hi, xt, acc[t].hi);
            }
            x += stride;
        }
        w += bytes * (size_t)step;
    }
    for (int t = 0; t < T; t++) {
        avx2_pair_store(sum[t], acc[t]);
    }
}

AVX2_TEMPLATE void add_columns_of(enum weights type, int n_tokens, float (*sum)[16], const char *w, const float *x,
                                  int stride, int n)
{
    switch (n_tokens) {
    case 1:
        add_columns(type, 1, sum, w, x, stride, n);
        break;
    case 2:
        add_columns(type, 2, sum, w, x, stride, n);
        break;
    case 3:
        add_columns(type, 3, sum, w, x, stride, n);
        break;
    case 4:
        add_columns(type, 4, sum, w, x, stride, n);
        break;
    case 5:
        add_columns(type, 5, sum, w, x, stride, n);
        break;
    default:
        add_columns(type, 6, sum, w, x, stride, n);
        break;
    }
}

/* sum[t][row] = one panel times one tile of n_tokens tokens, x [n_cols][n_tokens]. */
AVX2_TEMPLATE void multiply_tile(enum weights type, float (*sum)[16], const char *panel, const float *x, int n_tokens,
                                 int n_cols)
{
    memset(sum, 0, (size_t)n_tokens * sizeof sum[0]);
    int groups = (n_tokens + TOKENS - 1) / TOKENS;
    int width = (n_tokens + groups - 1) / groups; /* even groups: 8 tokens are 4 + 4, not 6 + 2 */
    int strip = groups == 1 ? n_cols : STRIP;
    for (int k = 0; k < n_cols; k += strip) {
        int n = n_cols - k < strip ? n_cols - k : strip;
        for (int t = 0; t < n_tokens; t += width) {
            int w = n_tokens - t < width ? n_tokens - t : width;
            add_columns_of(type, w, sum + t, panel + (size_t)k * column_bytes(type),
                           x + (size_t)k * (size_t)n_tokens + t, n_tokens, n);
        }
    }
}

/* One token against two panels at once: four chains instead of two. */
AVX2_TEMPLATE void multiply_two_panels(enum weights type, float (*sum)[16], const char *a, const char *b,
                                       const float *x, int n_cols)
{
    avx2_pair acc_a = {_mm256_setzero_ps(), _mm256_setzero_ps()}, acc_b = acc_a;
    const size_t bytes = column_bytes(type);
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n_cols; k += step) {
        for (int odd = 0; odd < step && k + odd < n_cols; odd++) {
            __m256 xk = _mm256_broadcast_ss(x + k + odd);
            avx2_pair va = load_column(type, a, odd), vb = load_column(type, b, odd);
            acc_a.lo = _mm256_fmadd_ps(va.lo, xk, acc_a.lo);
            acc_a.hi = _mm256_fmadd_ps(va.hi, xk, acc_a.hi);
            acc_b.lo = _mm256_fmadd_ps(vb.lo, xk, acc_b.lo);
            acc_b.hi = _mm256_fmadd_ps(vb.hi, xk, acc_b.hi);
        }
        a += bytes * (size_t)step;
        b += bytes * (size_t)step;
    }
    avx2_pair_store(sum[0], acc_a);
    avx2_pair_store(sum[1], acc_b);
}

AVX2_TEMPLATE void matmul(enum weights type, float *y, size_t ldy, const void *W, int n_rows, int n_cols,
                          const void *act, int n_tokens, int tile, bool add)
{
    const char *panel = W;
    const size_t padded = type == W_BF16 ? ((size_t)n_cols + 1) / 2 * 2 : (size_t)n_cols;
    const size_t panel_bytes = padded * column_bytes(type);
    _Alignas(32) float sum[AVX2_TILE_F32][16];
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS, panel += panel_bytes) {
        if (n_tokens == 1 && n_rows - r > DTYPE_PANEL_ROWS) {
            multiply_two_panels(type, sum, panel, panel + panel_bytes, act, n_cols);
            avx2_store_rows(y + r, ldy, (const float(*)[16])sum, 1, DTYPE_PANEL_ROWS, add);
            r += DTYPE_PANEL_ROWS;
            panel += panel_bytes;
            avx2_store_rows(y + r, ldy, (const float(*)[16])(sum + 1), 1, n_rows - r, add);
            continue;
        }
        for (int t = 0; t < n_tokens; t += tile) {
            int width = n_tokens - t < tile ? n_tokens - t : tile;
            multiply_tile(type, sum, panel, (const float *)act + (size_t)t * (size_t)n_cols, width, n_cols);
            avx2_store_rows(y + (size_t)t * ldy + r, ldy, (const float(*)[16])sum, width, n_rows - r, add);
        }
    }
}

void kern_matmul_f32_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add)
{
    matmul(W_F32, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_f16_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add)
{
    matmul(W_F16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_bf16_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    matmul(W_BF16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
