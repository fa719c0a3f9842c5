/* Packing f32 activations for AVX-512: tiles of at most 16 tokens, transposed in registers. */
#include "kernels/x86/transpose_avx512.h"

/* Few tokens make one tile: the weights then come from memory once.  Many are cut into even tiles. */
int kern_act_tile_f32_avx512(int n_tokens)
{
    if (n_tokens <= AVX512_TILE_F32_FEW) {
        return n_tokens;
    }
    int tiles = (n_tokens + AVX512_TILE_F32 - 1) / AVX512_TILE_F32;
    return (n_tokens + tiles - 1) / tiles;
}

/* Columns 0 to n_cols - 1 (at most 16) of a tile: dst [n_cols][width]. */
static inline void transpose_columns(float *dst, const float *x, size_t ldx, int width, int n_cols)
{
    const __mmask16 columns = avx512_first(n_cols);
    __m512 r[16];
#pragma GCC unroll 16
    for (int t = 0; t < 16; t++) {
        r[t] = t < width ? _mm512_maskz_loadu_ps(columns, x + (size_t)t * ldx) : _mm512_setzero_ps();
    }
    avx512_store_columns(dst, r, width, n_cols);
}

static void pack_tile(float *dst, const float *x, size_t ldx, int width, int col0, int col1)
{
    dst += (size_t)col0 * (size_t)width;
    if (width == 1) {
        memcpy(dst, x + col0, (size_t)(col1 - col0) * sizeof *dst);
        return;
    }
    for (int c = col0; c < col1; c += 16, dst += 16 * (size_t)width) {
        transpose_columns(dst, x + c, ldx, width, col1 - c < 16 ? col1 - c : 16);
    }
}

void kern_act_pack_f32_avx512(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                              int col1)
{
    for (int t = 0; t < n_tokens; t += tile) {
        int width = n_tokens - t < tile ? n_tokens - t : tile;
        pack_tile((float *)act + (size_t)t * (size_t)n_cols, x + (size_t)t * ldx, ldx, width, col0, col1);
    }
}
