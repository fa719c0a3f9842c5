/* Matrices of f32, f16 and bf16 for AVX-512: see the template. */
#include "kernels/x86/matmul_float_avx512.h"

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
