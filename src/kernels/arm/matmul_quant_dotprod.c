/* Matrices of the quantized types for ARM with dotprod: sdot. */
#include "kernels/arm/quant_neon.h"

static void q8_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q8_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q4_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q4_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q4_1(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q4_1, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q5_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q5_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q5_1(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q5_1, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void iq4_nl(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                   bool add)
{
    neon_matmul_quant(DTYPE_IQ4_NL, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q2_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q2_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q3_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q3_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q4_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q4_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q5_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q5_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void q6_k(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(DTYPE_Q6_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void iq4_xs(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                   bool add)
{
    neon_matmul_quant(DTYPE_IQ4_XS, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_init_quant_dotprod(struct choir_kernels *k)
{
    k->matmul[DTYPE_Q8_0] = q8_0;
    k->matmul[DTYPE_Q4_0] = q4_0;
    k->matmul[DTYPE_Q4_1] = q4_1;
    k->matmul[DTYPE_Q5_0] = q5_0;
    k->matmul[DTYPE_Q5_1] = q5_1;
    k->matmul[DTYPE_IQ4_NL] = iq4_nl;
    k->matmul[DTYPE_Q2_K] = q2_k;
    k->matmul[DTYPE_Q3_K] = q3_k;
    k->matmul[DTYPE_Q4_K] = q4_k;
    k->matmul[DTYPE_Q5_K] = q5_k;
    k->matmul[DTYPE_Q6_K] = q6_k;
    k->matmul[DTYPE_IQ4_XS] = iq4_xs;
}
