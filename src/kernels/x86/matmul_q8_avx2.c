/* Matrices of q8_0 for AVX2, without VNNI.
 *
 * The multiply of bytes, vpmaddubsw, wants one unsigned operand and adds two products in 16 bits.  The panel's w + 128
 * would saturate there (255 * 127 * 2), so the sign of the weight moves over to the activation: |w| * (x with w's
 * sign).  128 * 127 * 2 = 32512 fits, and w = -128 is right because |x| <= 127.  vpmaddwd then adds pairs to 32 bits.
 *
 * Three ways, one result:
 *   one token     two panels side by side, their lines in turn: two streams come faster from memory than one
 *   2 to 6        unit by unit (64 columns) down a panel, 8 rows at a time against all tokens
 *   more          a unit is decoded into the L1 cache once (|w|, where w < 0, and a correction) and meets 4 tokens at a
 *                 time: x ^ 255 = -x - 1 is cheaper than vpsignb, and the 1 times |w| is what the correction puts back
 * Either way weights come from memory once per tile.  The integer sums of a block are registers; with more than one
 * token the float sums live in the L1 cache between blocks. */
#include "kernels/pack.h"
#include "kernels/x86/simd_avx2.h"

/* gcc's replacement of temporaries by their expressions moves instructions away from where they stand, past the loads
 * and prefetches of whole blocks: 5 to 20 % slower. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-ter")
#endif

enum { FEW = 6, MANY = 4, UNIT_BYTES = 1088, BLOCK_BYTES = 512, ACT_BYTES = KERN_ACT_Q8_BYTES };

/* How far ahead of the multiplication the weights are fetched, bytes: one token, more tokens. */
enum { FETCH_ONE = 768, FETCH_MANY = 8192 };

/* ---- few tokens: weights are used as they come, 8 rows at a time ---- */

typedef int32_t vec_i32 __attribute__((vector_size(32)));

/* Dot products of 8 rows' block of 32 columns with T tokens.  w: half a panel's groups, 64 bytes apart; q: [T][32]. */
AVX2_TEMPLATE void dot_block(const int T, vec_i32 dot[FEW], const uint8_t *w, const int8_t *q)
{
    const __m256i ones = _mm256_set1_epi16(1), flip = _mm256_set1_epi8((char)0x80);
    for (int t = 0; t < T; t++) {
        dot[t] = (vec_i32){0};
    }
#pragma GCC unroll 1
    for (int g = 0; g < 8; g++) {
        __m256i weight = _mm256_xor_si256(avx2_load_i32(w + 64 * g), flip);
        __m256i magnitude = _mm256_abs_epi8(weight);
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) {
            __m256i x = _mm256_sign_epi8(avx2_broadcast_4x8(q + 32 * t + 4 * g), weight);
            dot[t] += (vec_i32)_mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, x), ones);
        }
    }
}

/* sum[t][row] += one block of 32 columns times T tokens.  d: [T]. */
AVX2_TEMPLATE void add_block(const int T, float (*sum)[16], const uint8_t *w, const uint16_t *scale, const int8_t *q,
                             const float *d)
{
    for (int half = 0; half < 2; half++) {
        vec_i32 dot[FEW];
        dot_block(T, dot, w + 32 * half, q);
        const __m256 dw = avx2_load_f16(scale + 8 * half);
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) {
            float *to = sum[t] + 8 * half;
            __m256 dx = _mm256_mul_ps(dw, _mm256_broadcast_ss(d + t));
            _mm256_storeu_ps(to, _mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)dot[t]), dx, _mm256_loadu_ps(to)));
        }
    }
}

static inline void add_block_of(int n_tokens, float (*sum)[16], const uint8_t *w, const uint16_t *scale,
                                const int8_t *q, const float *d)
{
    switch (n_tokens) {
    case 1: /* the last one of a tile */
        add_block(1, sum, w, scale, q, d);
        break;
    case 2:
        add_block(2, sum, w, scale, q, d);
        break;
    case 3:
        add_block(3, sum, w, scale, q, d);
        break;
    case 4:
        add_block(4, sum, w, scale, q, d);
        break;
    case 5:
        add_block(5, sum, w, scale, q, d);
        break;
    default:
        add_block(6, sum, w, scale, q, d);
        break;
    }
}

/* 4 columns of 8 rows, as they lie in the panel, times 4 numbers of a token. */
static inline vec_i32 dot4(__m256i weight, __m256i x)
{
    weight = _mm256_xor_si256(weight, _mm256_set1_epi8((char)0x80));
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weight), _mm256_sign_epi8(x, weight));
    return (vec_i32)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/* One token against N panels, `stride` bytes apart: everything in registers, all 16 rows of a block at once.  Two
 * panels are two streams from memory, which is faster than one. */
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
            const uint8_t *w = unit + 64 + b * BLOCK_BYTES, *dw = unit + 32 * b;
            vec_i32 lo[2] = {{0}}, hi[2] = {{0}};
#pragma GCC unroll 8
            for (int g = 0; g < 8; g++) {
                const __m256i x4 = avx2_broadcast_4x8(x + 4 * g);
                for (int n = 0; n < N; n++) {
                    const uint8_t *from = w + (size_t)n * stride + 64 * g;
                    avx2_prefetch(from, FETCH_ONE, 64);
                    lo[n] += dot4(avx2_load_i32(from), x4);
                    hi[n] += dot4(avx2_load_i32(from + 32), x4);
                }
            }
            const __m256 dx = _mm256_broadcast_ss((const float *)(const void *)(x + 32));
            for (int n = 0; n < N; n++, dw += stride) {
                const __m256 d_lo = _mm256_mul_ps(avx2_load_f16(dw), dx),
                             d_hi = _mm256_mul_ps(avx2_load_f16(dw + 16), dx);
                acc[n].lo = _mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)lo[n]), d_lo, acc[n].lo);
                acc[n].hi = _mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)hi[n]), d_hi, acc[n].hi);
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

/* ---- many tokens: a unit is decoded once, then meets them all ---- */

struct decoded {
    uint8_t magnitude[2][8][64]; /* |w| */
    uint8_t negative[2][8][64];  /* 255 where w < 0 */
    int32_t correction[2][16];   /* per block and row: sum of |w| over the negative w */
};

static inline void decode_unit(struct decoded *to, const uint8_t *unit)
{
    const __m256i flip = _mm256_set1_epi8((char)0x80), one8 = _mm256_set1_epi8(1), one16 = _mm256_set1_epi16(1);
    for (int b = 0; b < 2; b++) {
        const uint8_t *w = unit + 64 + b * BLOCK_BYTES;
        for (int half = 0; half < 64; half += 32) {
            __m256i below = _mm256_setzero_si256();
            for (int g = 0; g < 8; g++) {
                __m256i weight = _mm256_xor_si256(avx2_load_i32(w + 64 * g + half), flip);
                __m256i magnitude = _mm256_abs_epi8(weight);
                __m256i negative = _mm256_cmpgt_epi8(_mm256_setzero_si256(), weight);
                __m256i counted = _mm256_maddubs_epi16(_mm256_and_si256(magnitude, negative), one8);
                below = _mm256_add_epi16(below, counted);
                _mm256_store_si256((__m256i *)(void *)(to->magnitude[b][g] + half), magnitude);
                _mm256_store_si256((__m256i *)(void *)(to->negative[b][g] + half), negative);
            }
            _mm256_store_si256((__m256i *)(void *)(to->correction[b] + half / 4), _mm256_madd_epi16(below, one16));
        }
    }
}

/* sum[t][row] += block b of a decoded unit times T tokens.  q: [T][32], d: [T]. */
AVX2_TEMPLATE void add_decoded(const int T, float (*sum)[16], const struct decoded *from, int b, const uint16_t *scale,
                               const int8_t *q, const float *d)
{
    const __m256i ones = _mm256_set1_epi16(1);
    vec_i32 lo[MANY], hi[MANY];
    for (int t = 0; t < T; t++) {
        lo[t] = (vec_i32)avx2_load_i32(from->correction[b]);
        hi[t] = (vec_i32)avx2_load_i32(from->correction[b] + 8);
    }
#pragma GCC unroll 1
    for (int g = 0; g < 8; g++) {
        const uint8_t *negative = from->negative[b][g];
        const __m256i magnitude_lo = avx2_load_i32(from->magnitude[b][g]);
        const __m256i magnitude_hi = avx2_load_i32(from->magnitude[b][g] + 32);
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) {
            __m256i x = avx2_broadcast_4x8(q + 32 * t + 4 * g);
            __m256i pairs = _mm256_maddubs_epi16(magnitude_lo, _mm256_xor_si256(x, avx2_load_i32(negative)));
            lo[t] += (vec_i32)_mm256_madd_epi16(pairs, ones);
            pairs = _mm256_maddubs_epi16(magnitude_hi, _mm256_xor_si256(x, avx2_load_i32(negative + 32)));
            hi[t] += (vec_i32)_mm256_madd_epi16(pairs, ones);
        }
    }
    const __m256 dw_lo = avx2_load_f16(scale), dw_hi = avx2_load_f16(scale + 8);
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
        const __m256 dx = _mm256_broadcast_ss(d + t);
        avx2_pair acc = avx2_pair_load(sum[t]);
        acc.lo = _mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)lo[t]), _mm256_mul_ps(dw_lo, dx), acc.lo);
        acc.hi = _mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)hi[t]), _mm256_mul_ps(dw_hi, dx), acc.hi);
        avx2_pair_store(sum[t], acc);
    }
}

AVX2_NOINLINE void add_decoded_of(int n_tokens, float (*sum)[16], const struct decoded *from, int b,
                                  const uint16_t *scale, const int8_t *q, const float *d)
{
    switch (n_tokens) {
    case 1:
        add_decoded(1, sum, from, b, scale, q, d);
        break;
    case 2:
        add_decoded(2, sum, from, b, scale, q, d);
        break;
    case 3:
        add_decoded(3, sum, from, b, scale, q, d);
        break;
    default:
        add_decoded(4, sum, from, b, scale, q, d);
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
        if (n_tokens > FEW) {
            decode_unit(&decoded, unit);
        }
        for (int b = 0; b < 2; b++, act += (size_t)n_tokens * ACT_BYTES) {
            const uint16_t *scale = (const uint16_t *)(const void *)unit + 16 * b;
            const float *d = (const float *)(const void *)(act + (size_t)n_tokens * 32);
            if (n_tokens <= FEW) {
                add_block_of(n_tokens, sum, unit + 64 + b * BLOCK_BYTES, scale, act, d);
                continue;
            }
            for (int t = 0; t < n_tokens; t += width) {
                add_decoded_of(n_tokens - t < width ? n_tokens - t : width, sum + t, &decoded, b, scale, act + 32 * t,
                               d + t);
            }
        }
    }
}

void kern_matmul_q8_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
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
