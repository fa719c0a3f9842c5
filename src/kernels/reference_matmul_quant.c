/* Matrix multiplication by quantized weights, in plain C: what every faster version must equal bit for bit.  Integer
 * sums inside a block are exact; kernels.h gives the order of what is rounded, by form. */
#include "kernels/reference.h"

#include <math.h>

#include "kernels/panel_block.h"

enum { ROWS = DTYPE_PANEL_ROWS, BLOCK = 32, RUN = 16 /* tokens that meet a row at a time */ };

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int32_t dot(const int8_t *w, const int8_t *q, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += w[i] * q[i];
    }
    return sum;
}

/* acc of one row and one token, after one more block.  x: the block's tile, t: the token in it. */
static inline float add_block(enum dtype_form form, float acc, const struct kern_panel_block *w,
                              const struct kern_act_q8 *x, int t)
{
    const int8_t *q = x->q + t * BLOCK;
    const float d = x->d[t];
    if (form == DTYPE_FORM_S32 || form == DTYPE_FORM_M32) {
        acc = fmaf((float)dot(w->w, q, BLOCK), w->scale[0] * d, acc);
        return form == DTYPE_FORM_M32 ? fmaf(w->min[0], x->dsum[t], acc) : acc;
    }
    const int32_t bias[2] = {x->bias_lo[t], x->bias[t] - x->bias_lo[t]};
    for (int half = 0; half < 2; half++) {
        acc = fmaf((float)dot(w->w + 16 * half, q + 16 * half, 16), w->scale[half] * d, acc);
        if (form == DTYPE_FORM_M16) {
            acc = fmaf(w->min[half], d * (float)(bias[half] / 128), acc);
        }
    }
    return acc;
}

/* acc[n] = one row times tokens [t, t + n) of a tile of `width`, padding blocks included. */
static inline void row_times_tokens(choir_dtype type, float acc[RUN], const void *panel, int row, int n_cols,
                                    const char *x, int width, int t, int n)
{
    const size_t n_blocks = ((size_t)n_cols + 63) / 64 * 2;
    for (int i = 0; i < n; i++) {
        acc[i] = 0.0f;
    }
    for (size_t b = 0; b < n_blocks; b++) {
        struct kern_panel_block w;
        kern_panel_block_get(type, &w, panel, row, b);
        struct kern_act_q8 block = kern_act_q8_block(x + b * (size_t)width * KERN_ACT_Q8_BYTES, width);
        for (int i = 0; i < n; i++) {
            acc[i] = add_block(dtype_table[type].form, acc[i], &w, &block, t + i);
        }
    }
}

static void matmul_quant(choir_dtype type, float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                         int n_tokens, int tile, bool add)
{
    const size_t panel_bytes = dtype_panel_bytes(type, (size_t)n_cols);
    for (int r = 0; r < n_rows; r++) {
        const char *panel = (const char *)W + (size_t)(r / ROWS) * panel_bytes;
        for (int t0 = 0; t0 < n_tokens; t0 += tile) {
            const char *x = (const char *)act + (size_t)t0 * kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
            const int width = min_int(tile, n_tokens - t0);
            for (int t = 0; t < width; t += RUN) {
                float acc[RUN];
                const int n = min_int(RUN, width - t);
                row_times_tokens(type, acc, panel, r % ROWS, n_cols, x, width, t, n);
                for (int i = 0; i < n; i++) {
                    float *dst = y + (size_t)(t0 + t + i) * ldy + (size_t)r;
                    *dst = add ? *dst + acc[i] : acc[i];
                }
            }
        }
    }
}

void ref_matmul_q8_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q8_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q4_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q4_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q4_1(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q4_1, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q5_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q5_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q5_1(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q5_1, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_iq4_nl(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                       int tile, bool add)
{
    matmul_quant(DTYPE_IQ4_NL, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q2_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q2_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q3_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q3_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q4_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q4_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q5_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q5_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_q6_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                     int tile, bool add)
{
    matmul_quant(DTYPE_Q6_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void ref_matmul_iq4_xs(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                       int tile, bool add)
{
    matmul_quant(DTYPE_IQ4_XS, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
