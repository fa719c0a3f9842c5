/* Matrices of q4_0 for AVX2, without VNNI.
 *
 * Nibbles stay unsigned (0 .. 15 for w + 8), which is what vpmaddubsw wants, and its 16-bit sums have room for a whole
 * block: 16 products of at most 15 * 127 are 30480.  So only one vpmaddwd a block goes to 32 bits; there the bias comes
 * off as 8 * (-sum of q), which lies ready beside the activations.
 *
 * Work goes unit by unit (64 columns) down a panel; each unit meets all tokens of the tile, 5 at a time, while it is
 * in the L1 cache: the weights come from memory once per tile.  The integer sums of a block are registers, the float
 * sums live in the L1 cache between blocks. */
#include "kernels/pack.h"
#include "kernels/x86/simd_avx2.h"

/* gcc's replacement of temporaries by their expressions delays the additions past all the multiplications of a block
 * and spills the products (1.2 to 1.5 times slower). */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-ter")
#endif

enum { TOKENS = 5, UNIT_BYTES = 576, BLOCK_BYTES = 256, ACT_BYTES = 40 };

/* sum[t][row] += one block of 32 columns times T tokens.  q: [T][32], d: [T], minus: [T] the negated sums of q. */
AVX2_TEMPLATE void add_block(const int T, float (*sum)[16], const uint8_t *w, const uint16_t *scale, const int8_t *q,
                             const float *d, const int32_t *minus)
{
    const __m256i nibble = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    __m256i lo[TOKENS], hi[TOKENS];
    for (int t = 0; t < T; t++) {
        lo[t] = hi[t] = _mm256_setzero_si256();
    }
#pragma GCC unroll 8
    for (int g = 0; g < 8; g++) { /* columns 4g ..: low nibbles of group g, then high ones of group g - 4 */
        __m256i wlo = avx2_load_i32(w + 64 * (g % 4)), whi = avx2_load_i32(w + 64 * (g % 4) + 32);
        if (g >= 4) {
            wlo = _mm256_srli_epi16(wlo, 4);
            whi = _mm256_srli_epi16(whi, 4);
        }
        wlo = _mm256_and_si256(wlo, nibble);
        whi = _mm256_and_si256(whi, nibble);
#pragma GCC unroll 5
        for (int t = 0; t < T; t++) {
            __m256i x = avx2_broadcast_4x8(q + 32 * t + 4 * g);
            lo[t] = _mm256_add_epi16(lo[t], _mm256_maddubs_epi16(wlo, x));
            hi[t] = _mm256_add_epi16(hi[t], _mm256_maddubs_epi16(whi, x));
        }
    }
    __m256 dw_lo = avx2_load_f16(scale), dw_hi = avx2_load_f16(scale + 8);
    for (int t = 0; t < T; t++) {
        __m256i bias = _mm256_set1_epi32(8 * minus[t]);
        __m256 ilo = _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_madd_epi16(lo[t], ones), bias));
        __m256 ihi = _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_madd_epi16(hi[t], ones), bias));
        __m256 dx = _mm256_broadcast_ss(d + t);
        avx2_pair acc = avx2_pair_load(sum[t]);
        acc.lo = _mm256_fmadd_ps(ilo, _mm256_mul_ps(dw_lo, dx), acc.lo);
        acc.hi = _mm256_fmadd_ps(ihi, _mm256_mul_ps(dw_hi, dx), acc.hi);
        avx2_pair_store(sum[t], acc);
    }
}

static inline void add_block_of(int n_tokens, float (*sum)[16], const uint8_t *w, const uint16_t *scale,
                                const int8_t *q, const float *d, const int32_t *minus)
{
    switch (n_tokens) {
    case 1:
        add_block(1, sum, w, scale, q, d, minus);
        break;
    case 2:
        add_block(2, sum, w, scale, q, d, minus);
        break;
    case 3:
        add_block(3, sum, w, scale, q, d, minus);
        break;
    case 4:
        add_block(4, sum, w, scale, q, d, minus);
        break;
    default:
        add_block(5, sum, w, scale, q, d, minus);
        break;
    }
}

/* sum[t][row] = one panel of `units` units times one tile of n_tokens tokens. */
static void multiply_tile(float (*sum)[16], const uint8_t *unit, const int8_t *act, int n_tokens, int units)
{
    memset(sum, 0, (size_t)n_tokens * sizeof sum[0]);
    for (int u = 0; u < units; u++, unit += UNIT_BYTES) {
        for (int line = 0; line < UNIT_BYTES; line += 64) {
            avx2_prefetch_ahead(unit + line);
        }
        for (int b = 0; b < 2; b++, act += (size_t)n_tokens * ACT_BYTES) {
            const uint8_t *w = unit + 64 + b * BLOCK_BYTES;
            const uint16_t *scale = (const uint16_t *)(const void *)unit + 16 * b;
            const float *d = (const float *)(const void *)(act + (size_t)n_tokens * 32);
            const int32_t *minus = (const int32_t *)(const void *)(d + n_tokens);
            for (int t = 0; t < n_tokens; t += TOKENS) {
                add_block_of(n_tokens - t, sum + t, w, scale, act + 32 * t, d + t, minus + t);
            }
        }
    }
}

void kern_matmul_q4_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    const uint8_t *panel = W;
    const int units = (n_cols + 63) / 64;
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    _Alignas(32) float sum[AVX2_TILE_Q8][16];
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS, panel += (size_t)units * UNIT_BYTES) {
        for (int t = 0; t < n_tokens; t += tile) {
            int width = n_tokens - t < tile ? n_tokens - t : tile;
            multiply_tile(sum, panel, (const int8_t *)act + (size_t)t * token_bytes, width, units);
            avx2_store_rows(y + (size_t)t * ldy + r, ldy, (const float(*)[16])sum, width, n_rows - r, add);
        }
    }
}
