/* Packing bf16 activations for AVX512-BF16: pairs of columns of at most 16 tokens, rounded, then transposed. */
#include "kernels/x86/transpose_avx512.h"

/* Pairs 0 to 15 of one token, of which n numbers (at most 32) are there. */
static inline __m512 load_pairs(const float *x, int n)
{
    const __mmask16 low = avx512_first(n < 16 ? n : 16), high = avx512_first(n < 16 ? 0 : n - 16);
    const __m512bh pairs = _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high, x + 16), _mm512_maskz_loadu_ps(low, x));
    return _mm512_castsi512_ps((__m512i)pairs);
}

static void pack_tile(float *dst, const float *x, size_t ldx, int width, int col0, int col1)
{
    dst += (size_t)(col0 / 2) * (size_t)width;
    for (int c = col0; c < col1; c += 32, dst += 16 * (size_t)width) {
        const int n = col1 - c < 32 ? col1 - c : 32;
        __m512 r[16];
#pragma GCC unroll 16
        for (int t = 0; t < 16; t++) {
            r[t] = t < width ? load_pairs(x + (size_t)t * ldx + (size_t)c, n) : _mm512_setzero_ps();
        }
        avx512_store_columns(dst, r, width, (n + 1) / 2);
    }
}

void kern_act_pack_bf16_avx512bf16(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                                   int col1)
{
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_BF16, n_cols);
    for (int t = 0; t < n_tokens; t += tile) {
        int width = n_tokens - t < tile ? n_tokens - t : tile;
        float *dst = (float *)(void *)((char *)act + (size_t)t * token_bytes);
        pack_tile(dst, x + (size_t)t * ldx, ldx, width, col0, col1);
    }
}
