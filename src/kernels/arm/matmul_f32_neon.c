/* Matrices of f32, f16 and bf16 for NEON: weights are widened to f32 and meet f32 activations.
 *
 * Four accumulators per token hold 16 rows; every column is one fused multiply-add to each, so a row's sum is the
 * chain of the contract whatever the number of tokens.  6 tokens x 4 registers are the 24 accumulators that leave room
 * for 4 of weights and 2 of activations; the multiply-add picks the token's lane out of those by itself.
 *
 * Prefill (tiles of 6): a tile's accumulators stay in registers over the whole row, the panel stays in the L2 cache.
 * Few tokens (one tile of 7 to 16): the columns are cut into strips and each strip meets all its tokens while it is in
 * the L1 cache, so that the weights come from memory once, at the pace of memory.
 * One token: 4 chains of dependent multiply-adds are slower than memory, hence two panels side by side. */
#include "kernels/arm/simd_neon.h"
#include "kernels/pack.h"

enum { TOKENS = 6, STRIP = 128 };

enum weights { W_F32, W_F16, W_BF16 };

NEON_TEMPLATE size_t column_bytes(enum weights type)
{
    return type == W_F32 ? 64 : 32;
}

/* Rows 4i to 4i + 3 of a column, widened.  bf16 lies in pairs of columns: a 32-bit word holds the even one in its low
 * half. */
NEON_TEMPLATE float32x4_t load_rows(enum weights type, const char *w, int i, int odd)
{
    if (type == W_F32) {
        return vld1q_f32((const float *)(const void *)w + 4 * i);
    }
    if (type == W_F16) {
        return neon_load_f16((const uint16_t *)(const void *)w + 4 * i);
    }
    uint32x4_t pairs = vld1q_u32((const uint32_t *)(const void *)w + 4 * i);
    pairs = odd ? vandq_u32(pairs, vdupq_n_u32(0xffff0000)) : vshlq_n_u32(pairs, 16);
    return vreinterpretq_f32_u32(pairs);
}

NEON_TEMPLATE neon_quad load_column(enum weights type, const char *w, int odd)
{
    return (neon_quad){{load_rows(type, w, 0, odd), load_rows(type, w, 1, odd), load_rows(type, w, 2, odd),
                        load_rows(type, w, 3, odd)}};
}

/* n (1 to 4) tokens' numbers of a column; nothing behind them is read. */
NEON_TEMPLATE float32x4_t load_tokens(const int n, const float *x)
{
    switch (n) {
    case 1:
        return vdupq_n_f32(*x);
    case 2:
        return vcombine_f32(vld1_f32(x), vdup_n_f32(0.0f));
    case 3:
        return vld1q_lane_f32(x + 2, vcombine_f32(vld1_f32(x), vdup_n_f32(0.0f)), 2);
    default:
        return vld1q_f32(x);
    }
}

/* sum[t][row] += columns of w [n][16] times x [n][stride], for T tokens. */
NEON_TEMPLATE void add_columns(enum weights type, const int T, float (*sum)[16], const char *w, const float *x,
                               int stride, int n)
{
    neon_quad acc[TOKENS];
    for (int t = 0; t < T; t++) {
        acc[t] = neon_quad_load(sum[t]);
    }
    const size_t bytes = column_bytes(type);
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n; k += step) {
        neon_prefetch_ahead(w);
        for (int odd = 0; odd < step; odd++) {
            if (odd && k + 1 == n) {
                break; /* the activations end before the pair does */
            }
            const neon_quad v = load_column(type, w, odd);
            const float32x4_t xa = load_tokens(T < 4 ? T : 4, x), xb = T > 4 ? load_tokens(T - 4, x + 4) : xa;
#pragma GCC unroll 6
            for (int t = 0; t < T; t++) {
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++) {
                    acc[t].v[i] = neon_fma_lane(acc[t].v[i], v.v[i], t < 4 ? xa : xb, t % 4);
                }
            }
            x += stride;
        }
        w += bytes * (size_t)step;
    }
    for (int t = 0; t < T; t++) {
        neon_quad_store(sum[t], acc[t]);
    }
}

NEON_TEMPLATE void add_columns_of(enum weights type, int n_tokens, float (*sum)[16], const char *w, const float *x,
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
NEON_TEMPLATE void multiply_tile(enum weights type, float (*sum)[16], const char *panel, const float *x, int n_tokens,
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

/* One token against two panels at once: eight chains instead of four. */
NEON_TEMPLATE void multiply_two_panels(enum weights type, float (*sum)[16], const char *a, const char *b,
                                       const float *x, int n_cols)
{
    neon_quad acc_a = neon_quad_zero(), acc_b = acc_a;
    const size_t bytes = column_bytes(type);
    const int step = type == W_BF16 ? 2 : 1;
    for (int k = 0; k < n_cols; k += step) {
        for (int odd = 0; odd < step && k + odd < n_cols; odd++) {
            const neon_quad va = load_column(type, a, odd), vb = load_column(type, b, odd);
            const float xk = x[k + odd];
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                acc_a.v[i] = vfmaq_n_f32(acc_a.v[i], va.v[i], xk);
                acc_b.v[i] = vfmaq_n_f32(acc_b.v[i], vb.v[i], xk);
            }
        }
        a += bytes * (size_t)step;
        b += bytes * (size_t)step;
    }
    neon_quad_store(sum[0], acc_a);
    neon_quad_store(sum[1], acc_b);
}

NEON_TEMPLATE void matmul(enum weights type, float *y, size_t ldy, const void *W, int n_rows, int n_cols,
                          const void *act, int n_tokens, int tile, bool add)
{
    const char *panel = W;
    const size_t padded = type == W_BF16 ? ((size_t)n_cols + 1) / 2 * 2 : (size_t)n_cols;
    const size_t panel_bytes = padded * column_bytes(type);
    float sum[NEON_TILE_F32][16];
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS, panel += panel_bytes) {
        if (n_tokens == 1 && n_rows - r > DTYPE_PANEL_ROWS) {
            multiply_two_panels(type, sum, panel, panel + panel_bytes, act, n_cols);
            neon_store_rows(y + r, ldy, (const float(*)[16])sum, 1, DTYPE_PANEL_ROWS, add);
            r += DTYPE_PANEL_ROWS;
            panel += panel_bytes;
            neon_store_rows(y + r, ldy, (const float(*)[16])(sum + 1), 1, n_rows - r, add);
            continue;
        }
        for (int t = 0; t < n_tokens; t += tile) {
            int width = n_tokens - t < tile ? n_tokens - t : tile;
            multiply_tile(type, sum, panel, (const float *)act + (size_t)t * (size_t)n_cols, width, n_cols);
            neon_store_rows(y + (size_t)t * ldy + r, ldy, (const float(*)[16])sum, width, n_rows - r, add);
        }
    }
}

void kern_matmul_f32_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add)
{
    matmul(W_F32, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_f16_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add)
{
    matmul(W_F16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_bf16_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    matmul(W_BF16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
