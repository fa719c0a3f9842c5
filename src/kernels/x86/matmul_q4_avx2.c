/* Matrices of q4_0 for AVX2, without VNNI.
 *
 * Nibbles stay unsigned (0 .. 15 for w + 8), which is what vpmaddubsw wants, and its 16-bit sums have room for a whole
 * block: 16 products of at most 15 * 127 are 30480.  So only one vpmaddwd a block goes to 32 bits; there the bias comes
 * off, a 16th of the one that lies ready beside the activations (8 is a 16th of 128).
 *
 * Two ways, one result:
 *   one token     two panels side by side, their lines in turn: two streams come faster from memory than one
 *   more          unit by unit (64 columns) down a panel: the nibbles are spread into bytes in the L1 cache once, and
 *                 meet 5 tokens at a time
 * Either way weights come from memory once per tile.  The integer sums of a block are registers; with more than one
 * token the float sums live in the L1 cache between blocks. */
#include "kernels/pack.h"
#include "kernels/x86/simd_avx2.h"

/* gcc's replacement of temporaries by their expressions moves instructions away from where they stand, past the loads
 * and prefetches of whole blocks: 5 to 20 % slower. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-ter")
#endif

enum { MANY = 5, UNIT_BYTES = 576, BLOCK_BYTES = 256, ACT_BYTES = KERN_ACT_Q8_BYTES };

/* How far ahead of the multiplication the weights are fetched, bytes: one token, more tokens. */
enum { FETCH_ONE = 1024, FETCH_MANY = 4096 };

typedef int16_t vec_i16 __attribute__((vector_size(32)));

/* acc + one block: its 16-bit sums of (w + 8) q go to 32 bits, the bias comes off, the scales are applied. */
static inline avx2_pair add_scaled(avx2_pair acc, __m256i lo, __m256i hi, avx2_pair dw, const float *d,
                                   const int32_t *act_bias)
{
    const __m256i ones = _mm256_set1_epi16(1);
    const __m256i bias = _mm256_srai_epi32(_mm256_set1_epi32(*act_bias), 4);
    const __m256 dx = _mm256_broadcast_ss(d);
    lo = _mm256_add_epi32(_mm256_madd_epi16(lo, ones), bias);
    hi = _mm256_add_epi32(_mm256_madd_epi16(hi, ones), bias);
    acc.lo = _mm256_fmadd_ps(_mm256_cvtepi32_ps(lo), _mm256_mul_ps(dw.lo, dx), acc.lo);
    acc.hi = _mm256_fmadd_ps(_mm256_cvtepi32_ps(hi), _mm256_mul_ps(dw.hi, dx), acc.hi);
    return acc;
}

/* 4 columns of 8 rows in the low nibbles times x, 4 in the high ones times x16. */
static inline vec_i16 dot8(__m256i weights, __m256i x, __m256i x16)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(weights, 4), nibble);
    return (vec_i16)_mm256_maddubs_epi16(_mm256_and_si256(weights, nibble), x) +
           (vec_i16)_mm256_maddubs_epi16(high, x16);
}

/* One token against N panels, `stride` bytes apart: everything in registers.  Two panels are two streams from memory,
 * which is faster than one. */
AVX2_TEMPLATE void multiply_one(const int N, float (*sum)[16], const uint8_t *unit, size_t stride, const int8_t *q,
                                int units)
{
    avx2_pair acc[2];
    for (int n = 0; n < N; n++) {
        acc[n] = (avx2_pair){_mm256_setzero_ps(), _mm256_setzero_ps()};
    }
    for (int u = 0; u < units; u++, unit += UNIT_BYTES, q += 2 * ACT_BYTES) {
        for (int b = 0; b < 2; b++) {
            const int8_t *x = q + b * ACT_BYTES;
            const uint8_t *w = unit + 64 + b * BLOCK_BYTES, *scale = unit + 32 * b;
            vec_i16 lo[2] = {{0}}, hi[2] = {{0}};
#pragma GCC unroll 4
            for (int g = 0; g < 4; g++) { /* low nibbles: columns 4g .., high nibbles: columns 16 + 4g .. */
                const __m256i x0 = avx2_broadcast_4x8(x + 4 * g), x16 = avx2_broadcast_4x8(x + 16 + 4 * g);
                for (int n = 0; n < N; n++) {
                    const uint8_t *from = w + (size_t)n * stride + 64 * g;
                    avx2_prefetch(from, FETCH_ONE, 64);
                    lo[n] += dot8(avx2_load_i32(from), x0, x16);
                    hi[n] += dot8(avx2_load_i32(from + 32), x0, x16);
                }
            }
            for (int n = 0; n < N; n++, scale += stride) {
                const avx2_pair dw = {avx2_load_f16(scale), avx2_load_f16(scale + 16)};
                acc[n] = add_scaled(acc[n], (__m256i)lo[n], (__m256i)hi[n], dw, (const float *)(const void *)(x + 32),
                                    (const int32_t *)(const void *)(x + 36));
            }
        }
    }
    for (int n = 0; n < N; n++) {
        avx2_pair_store(sum[n], acc[n]);
    }
}

/* One token against all rows. */
static void multiply_vector(float *y, const uint8_t *panel, int n_rows, const int8_t *act, int units, bool add)
{
    const size_t panel_bytes = (size_t)units * UNIT_BYTES;
    _Alignas(32) float sum[2][16];
    int r = 0;
    for (; r + DTYPE_PANEL_ROWS < n_rows; r += 2 * DTYPE_PANEL_ROWS, panel += 2 * panel_bytes) {
        multiply_one(2, sum, panel, panel_bytes, act, units);
        avx2_store_rows(y + r, 0, (const float(*)[16])sum, 1, DTYPE_PANEL_ROWS, add);
        avx2_store_rows(y + r + 16, 0, (const float(*)[16])(sum + 1), 1, n_rows - r - 16, add);
    }
    if (r < n_rows) {
        multiply_one(1, sum, panel, 0, act, units);
        avx2_store_rows(y + r, 0, (const float(*)[16])sum, 1, n_rows - r, add);
    }
}

/* ---- many tokens: a unit's nibbles are spread into bytes once, then meet them all ---- */

struct decoded {
    uint8_t weight[2][8][64]; /* w + 8 */
};

static inline void decode_unit(struct decoded *to, const uint8_t *unit)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    for (int b = 0; b < 2; b++) {
        const uint8_t *w = unit + 64 + b * BLOCK_BYTES;
        for (int g = 0; g < 4; g++) {
            for (int half = 0; half < 64; half += 32) {
                __m256i weights = avx2_load_i32(w + 64 * g + half);
                __m256i high = _mm256_and_si256(_mm256_srli_epi16(weights, 4), nibble);
                _mm256_store_si256((__m256i *)(void *)(to->weight[b][g] + half), _mm256_and_si256(weights, nibble));
                _mm256_store_si256((__m256i *)(void *)(to->weight[b][g + 4] + half), high);
            }
        }
    }
}

/* sum[t][row] += block b of a decoded unit times T tokens.  q: [T][32], d: [T], bias: [T]. */
AVX2_TEMPLATE void add_decoded(const int T, float (*sum)[16], const struct decoded *from, int b, const uint16_t *scale,
                               const int8_t *q, const float *d, const int32_t *bias)
{
    vec_i16 lo[MANY], hi[MANY];
    for (int t = 0; t < T; t++) {
        lo[t] = hi[t] = (vec_i16){0};
    }
#pragma GCC unroll 1
    for (int g = 0; g < 8; g++) {
        const __m256i wlo = avx2_load_i32(from->weight[b][g]), whi = avx2_load_i32(from->weight[b][g] + 32);
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) {
            __m256i x = avx2_broadcast_4x8(q + 32 * t + 4 * g);
            lo[t] += (vec_i16)_mm256_maddubs_epi16(wlo, x);
            hi[t] += (vec_i16)_mm256_maddubs_epi16(whi, x);
        }
    }
    const avx2_pair dw = {avx2_load_f16(scale), avx2_load_f16(scale + 8)};
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
        avx2_pair acc = avx2_pair_load(sum[t]);
        avx2_pair_store(sum[t], add_scaled(acc, (__m256i)lo[t], (__m256i)hi[t], dw, d + t, bias + t));
    }
}

static inline void add_decoded_of(int n_tokens, float (*sum)[16], const struct decoded *from, int b,
                                  const uint16_t *scale, const int8_t *q, const float *d, const int32_t *bias)
{
    switch (n_tokens) {
    case 1:
        add_decoded(1, sum, from, b, scale, q, d, bias);
        break;
    case 2:
        add_decoded(2, sum, from, b, scale, q, d, bias);
        break;
    case 3:
        add_decoded(3, sum, from, b, scale, q, d, bias);
        break;
    case 4:
        add_decoded(4, sum, from, b, scale, q, d, bias);
        break;
    default:
        add_decoded(5, sum, from, b, scale, q, d, bias);
        break;
    }
}

/* sum[t][row] = one panel of `units` units times one tile of n_tokens tokens. */
static void multiply_tile(float (*sum)[16], const uint8_t *unit, const int8_t *act, int n_tokens, int units)
{
    const int groups = (n_tokens + MANY - 1) / MANY;
    const int width = (n_tokens + groups - 1) / groups; /* even groups: 9 tokens are 3 + 3 + 3 */
    _Alignas(32) struct decoded decoded;
    memset(sum, 0, (size_t)n_tokens * sizeof sum[0]);
    for (int u = 0; u < units; u++, unit += UNIT_BYTES) {
        avx2_prefetch(unit, FETCH_MANY, UNIT_BYTES);
        decode_unit(&decoded, unit);
        for (int b = 0; b < 2; b++, act += (size_t)n_tokens * ACT_BYTES) {
            const uint16_t *scale = (const uint16_t *)(const void *)unit + 16 * b;
            const struct kern_act_q8 x = kern_act_q8_block(act, n_tokens);
            for (int t = 0; t < n_tokens; t += width) {
                add_decoded_of(n_tokens - t < width ? n_tokens - t : width, sum + t, &decoded, b, scale, x.q + 32 * t,
                               x.d + t, x.bias + t);
            }
        }
    }
}

void kern_matmul_q4_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    const uint8_t *panel = W;
    const int units = (n_cols + 63) / 64;
    if (n_tokens == 1) {
        multiply_vector(y, W, n_rows, act, units, add);
        return;
    }
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
