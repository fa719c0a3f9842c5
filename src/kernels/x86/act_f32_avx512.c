/* Packing f32 activations for AVX-512: tiles of at most 16 tokens, transposed in registers. */
#include "kernels/x86/simd_avx512.h"

/* Few tokens make one tile: the weights then come from memory once.  Many are cut into even tiles. */
int kern_act_tile_f32_avx512(int n_tokens)
{
    if (n_tokens <= AVX512_TILE_F32_FEW) {
        return n_tokens;
    }
    int tiles = (n_tokens + AVX512_TILE_F32 - 1) / AVX512_TILE_F32;
    return (n_tokens + tiles - 1) / tiles;
}

/* Transposes 16 rows of 16 floats in registers: pairs of numbers, then of pairs, then 128-bit quarters twice. */
static inline void transpose16(__m512 r[16])
{
    __m512 a[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        a[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
        r[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* r[i + 4 j], quarter q: column 4 q + i of rows 4 j to 4 j + 3 */
        const __m512 even_lo = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        const __m512 odd_lo = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        const __m512 even_hi = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        const __m512 odd_hi = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
        r[i] = _mm512_shuffle_f32x4(even_lo, even_hi, 0x88);
        r[i + 4] = _mm512_shuffle_f32x4(odd_lo, odd_hi, 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(even_lo, even_hi, 0xdd);
        r[i + 12] = _mm512_shuffle_f32x4(odd_lo, odd_hi, 0xdd);
    }
}

/* Columns 0 to n_cols - 1 (at most 16) of a tile: dst [n_cols][width]. */
static inline void transpose_columns(float *dst, const float *x, size_t ldx, int width, int n_cols)
{
    const __mmask16 columns = avx512_first(n_cols), tokens = avx512_first(width);
    __m512 r[16];
#pragma GCC unroll 16
    for (int t = 0; t < 16; t++) {
        r[t] = t < width ? _mm512_maskz_loadu_ps(columns, x + (size_t)t * ldx) : _mm512_setzero_ps();
    }
    transpose16(r);
#pragma GCC unroll 16
    for (int c = 0; c < 16; c++) {
        if (c < n_cols) {
            _mm512_mask_storeu_ps(dst + (size_t)c * (size_t)width, tokens, r[c]);
        }
    }
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
