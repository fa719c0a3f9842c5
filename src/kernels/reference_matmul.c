/* Matrix multiplication, in plain C: what every faster version must equal bit for bit.
 *
 *   W  [n_rows, n_cols]    weights, in panels of 16 rows (pack.h)
 *   x  [n_tokens, n_cols]  activations, packed in tiles of tokens (kernels.h)
 *   y  [n_tokens, n_rows]  y[t][r] = sum over k of W[r][k] x[t][k]
 *
 * One (row, token) is one chain of fused multiply-adds in the order of k.  Sixteen rows of a panel run side by side,
 * each in its own lane; lanes never meet. */
#include "kernels/reference.h"

#include <math.h>
#include <string.h>

#include "base/half.h"

enum { ROWS = DTYPE_PANEL_ROWS, BLOCK = 32 };

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static void store_lanes(float *y, const float acc[ROWS], int n, bool add)
{
    for (int r = 0; r < n; r++) {
        y[r] = add ? y[r] + acc[r] : acc[r];
    }
}

/* ---- f32 activations: tiles of [n_cols][t] ------------------------------------------------------------ */

void ref_act_pack_f32(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0, int col1)
{
    for (int t0 = 0; t0 < n_tokens; t0 += tile) {
        int width = min_int(tile, n_tokens - t0);
        float *dst = (float *)act + (size_t)t0 * (size_t)n_cols;
        for (int c = col0; c < col1; c++) {
            for (int t = 0; t < width; t++) {
                dst[(size_t)c * (size_t)width + (size_t)t] = x[(size_t)(t0 + t) * ldx + (size_t)c];
            }
        }
    }
}

/* Column k of a panel, widened to f32. */
typedef void column_fn(float w[ROWS], const void *panel, size_t k);

static void column_f32(float w[ROWS], const void *panel, size_t k)
{
    memcpy(w, (const float *)panel + k * ROWS, ROWS * sizeof *w);
}

static void column_f16(float w[ROWS], const void *panel, size_t k)
{
    const uint16_t *h = (const uint16_t *)panel + k * ROWS;
    for (int r = 0; r < ROWS; r++) {
        w[r] = base_f32_from_f16(h[r]);
    }
}

static void column_bf16(float w[ROWS], const void *panel, size_t k)
{
    const uint16_t *h = (const uint16_t *)panel + k / 2 * ROWS * 2 + k % 2;
    for (int r = 0; r < ROWS; r++) {
        w[r] = base_f32_from_bf16(h[r * 2]);
    }
}

/* y[width tokens][n rows] of one panel and one tile. */
static void tile_float(column_fn *column, float *y, size_t ldy, const void *panel, int n, const float *x, int n_cols,
                       int width, bool add)
{
    for (int t = 0; t < width; t++) {
        float acc[ROWS] = {0};
        for (size_t k = 0; k < (size_t)n_cols; k++) {
            float w[ROWS];
            column(w, panel, k);
            for (int r = 0; r < ROWS; r++) {
                acc[r] = fmaf(w[r], x[k * (size_t)width + (size_t)t], acc[r]);
            }
        }
        store_lanes(y + (size_t)t * ldy, acc, n, add);
    }
}

static inline void matmul_float(choir_dtype type, column_fn *column, float *y, size_t ldy, const void *W, int n_rows,
                                int n_cols, const void *act, int n_tokens, int tile, bool add)
{
    size_t panel_bytes = dtype_panel_bytes(type, (size_t)n_cols);
    const char *panel = W;
    for (int r0 = 0; r0 < n_rows; r0 += ROWS) {
        for (int t0 = 0; t0 < n_tokens; t0 += tile) {
            const float *x = (const float *)act + (size_t)t0 * (size_t)n_cols;
            tile_float(column, y + (size_t)t0 * ldy + r0, ldy, panel, min_int(ROWS, n_rows - r0), x, n_cols,
                       min_int(tile, n_tokens - t0), add);
        }
        panel += panel_bytes;
    }
}

void ref_matmul_f32(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                    int tile, bool add)
{
    matmul_float(DTYPE_F32, column_f32, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_f16(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                    int tile, bool add)
{
    matmul_float(DTYPE_F16, column_f16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_bf16(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_float(DTYPE_BF16, column_bf16, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

/* ---- pairs of bf16: tiles of [n_cols/2][t][2] ---------------------------------------------------------- */

/* The bf16 instructions know no subnormals: they read and write zeros of that sign. */
static float without_subnormal(float f)
{
    return fabsf(f) < 0x1p-126f ? copysignf(0.0f, f) : f;
}

void ref_act_pack_bf16(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0, int col1)
{
    for (int t0 = 0; t0 < n_tokens; t0 += tile) {
        int width = min_int(tile, n_tokens - t0);
        uint16_t *dst = (uint16_t *)((char *)act + (size_t)t0 * kern_act_token_bytes(DTYPE_ACT_BF16, n_cols));
        for (int c = col0; c < (col1 + 1) / 2 * 2; c++) {
            for (int t = 0; t < width; t++) {
                float f = c < n_cols ? x[(size_t)(t0 + t) * ldx + (size_t)c] : 0.0f;
                dst[(c / 2 * width + t) * 2 + c % 2] = base_bf16_from_f32(without_subnormal(f));
            }
        }
    }
}

/* One half of vdpbf16ps (Intel SDM): a fused multiply-add that knows no subnormals. */
static float bf16_multiply_add(float w, float x, float acc)
{
    return without_subnormal(fmaf(without_subnormal(w), x, acc));
}

static void tile_bf16_dot(float *y, size_t ldy, const uint16_t *panel, int n, const uint16_t *x, int n_pairs, int width,
                          bool add)
{
    for (int t = 0; t < width; t++) {
        float acc[ROWS] = {0};
        for (int k = 0; k < n_pairs; k++) {
            const uint16_t *xt = x + (k * width + t) * 2;
            for (int r = 0; r < ROWS; r++) { /* the odd column first */
                const uint16_t *w = panel + (k * ROWS + r) * 2;
                acc[r] = bf16_multiply_add(base_f32_from_bf16(w[1]), base_f32_from_bf16(xt[1]), acc[r]);
                acc[r] = bf16_multiply_add(base_f32_from_bf16(w[0]), base_f32_from_bf16(xt[0]), acc[r]);
            }
        }
        store_lanes(y + (size_t)t * ldy, acc, n, add);
    }
}

void ref_matmul_bf16_dot(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                         int tile, bool add)
{
    const size_t panel_bytes = dtype_panel_bytes(DTYPE_BF16, (size_t)n_cols);
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_BF16, n_cols);
    for (int r0 = 0; r0 < n_rows; r0 += ROWS) {
        const char *panel = (const char *)W + (size_t)(r0 / ROWS) * panel_bytes;
        for (int t0 = 0; t0 < n_tokens; t0 += tile) {
            const char *x = (const char *)act + (size_t)t0 * token_bytes;
            tile_bf16_dot(y + (size_t)t0 * ldy + r0, ldy, (const uint16_t *)(const void *)panel,
                          min_int(ROWS, n_rows - r0), (const uint16_t *)(const void *)x, (n_cols + 1) / 2,
                          min_int(tile, n_tokens - t0), add);
        }
    }
}

/* ---- int8 activations: blocks of 32 columns (struct kern_act_q8) --------------------------------------- */

/* The bits of max|x|: without their signs, floats are in the order of their bits, infinity and NaN above all. */
static uint32_t largest_magnitude(const float *x, int n)
{
    uint32_t most = 0;
    for (int i = 0; i < n; i++) {
        uint32_t a = base_f32_bits(x[i]) & 0x7fffffffu;
        most = a > most ? a : most;
    }
    return most;
}

/* q [32] and the scale of one block of one token; n < 32 at a row's end, zeros behind. */
static float quantize_block(int8_t q[BLOCK], const float *x, int n)
{
    uint32_t amax = largest_magnitude(x, n);
    memset(q, 0, BLOCK);
    if (amax >= KERN_F32_INF) { /* int8 has no NaN: the scale says it */
        return base_f32_from_bits(KERN_F32_NAN);
    }
    float d = base_f32_from_bits(amax) / 127.0f;
    if (d < 0x1p-126f) { /* 1 / d would be infinite: such a block counts as zero */
        return 0.0f;
    }
    float inverse = 1.0f / d;
    for (int i = 0; i < n; i++) {
        q[i] = (int8_t)rintf(x[i] * inverse);
    }
    return d;
}

static int32_t sum_of(const int8_t *q, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += q[i];
    }
    return sum;
}

/* Token t of a block of `width`. */
static void pack_block(char *block, int width, int t, const float *x, int n)
{
    const size_t at = (size_t)t, w = (size_t)width;
    int8_t *q = (int8_t *)block + at * BLOCK;
    float *d = (float *)(void *)(block + w * 32) + at;
    int32_t *bias = (int32_t *)(void *)(block + w * 36) + at;
    int32_t *bias_lo = (int32_t *)(void *)(block + w * 40) + at;
    float *dsum = (float *)(void *)(block + w * 44) + at;
    *d = quantize_block(q, x, n);
    *bias = -128 * sum_of(q, BLOCK);
    *bias_lo = -128 * sum_of(q, BLOCK / 2);
    *dsum = *d * (float)-sum_of(q, BLOCK);
}

void ref_act_pack_q8(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0, int col1)
{
    int end = col1 == n_cols ? (n_cols + 63) / 64 * 64 : col1;
    for (int t0 = 0; t0 < n_tokens; t0 += tile) {
        int width = min_int(tile, n_tokens - t0);
        char *base = (char *)act + (size_t)t0 * kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
        for (int c = col0; c < end; c += BLOCK) {
            char *block = base + (size_t)(c / BLOCK) * (size_t)width * KERN_ACT_Q8_BYTES;
            int n = c < n_cols ? min_int(BLOCK, n_cols - c) : 0;
            for (int t = 0; t < width; t++) {
                pack_block(block, width, t, x + (size_t)(t0 + t) * ldx + (n > 0 ? c : 0), n);
            }
        }
    }
}
