/* Matrices of bf16 for AVX512-BF16: vdpbf16ps multiplies pairs of columns as they lie in the panel.  To the template a
 * pair is one column of 16 32-bit words, and a token's activations for it are one such word. */
#include "kernels/x86/matmul_float_avx512.h"

void kern_matmul_bf16_avx512bf16(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                                 int n_tokens, int tile, bool add)
{
    matmul(W_PAIRS, y, ldy, W, n_rows, (n_cols + 1) / 2, act, n_tokens, tile, add);
}
