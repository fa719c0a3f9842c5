/* Transposing 16 x 16 words of 32 bits in registers: what packing activations needs. */
#ifndef KERN_TRANSPOSE_AVX512_H
#define KERN_TRANSPOSE_AVX512_H

#include "kernels/x86/simd_avx512.h"

/* Transposes 16 rows of 16 floats in registers: pairs of numbers, then of pairs, then 128-bit quarters twice. */
static inline void avx512_transpose(__m512 r[16])
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

/* Stores columns 0 to n_cols - 1 (at most 16) of `width` rows: dst [n_cols][width]. */
static inline void avx512_store_columns(float *dst, __m512 r[16], int width, int n_cols)
{
    const __mmask16 tokens = avx512_first(width);
    avx512_transpose(r);
#pragma GCC unroll 16
    for (int c = 0; c < 16; c++) {
        if (c < n_cols) {
            _mm512_mask_storeu_ps(dst + (size_t)c * (size_t)width, tokens, r[c]);
        }
    }
}

#endif
