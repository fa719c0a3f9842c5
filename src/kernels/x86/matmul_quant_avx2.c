/* Matrices of quantized weights for AVX2: vpmaddubsw and vpmaddwd multiply. */
#include "kernels/x86/matmul_quant_avx2.h"

void kern_matmul_q8_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q8_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q4_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q4_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q4_1_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q4_1, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q5_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q5_0, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q5_1_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q5_1, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_iq4_nl_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    multiply_quant(DTYPE_IQ4_NL, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q2_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q2_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q3_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q3_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q4_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q4_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q5_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q5_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_q6_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    multiply_quant(DTYPE_Q6_K, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_matmul_iq4_xs_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    multiply_quant(DTYPE_IQ4_XS, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
