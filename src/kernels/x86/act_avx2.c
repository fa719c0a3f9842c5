/* Packing activations for AVX2: f32 tiles are transposed, int8 blocks quantized.  Once per step and matrix group, so
 * a few per cent of a matrix multiplication; still worth vectors. */
#include "base/fmath.h"
#include "kernels/x86/simd_avx2.h"

/* Few tokens make one tile: the weights then come from memory once.  Many are cut into even tiles of at most what the
 * multiplication takes in one go (f32: 6 tokens of accumulators; int8: any number, float sums being in memory). */
int kern_act_tile_avx2(enum dtype_act kind, int n_tokens)
{
    int few = kind == DTYPE_ACT_F32 ? AVX2_TILE_F32 : AVX2_TILE_Q8;
    if (n_tokens <= few) {
        return n_tokens;
    }
    int most = kind == DTYPE_ACT_F32 ? 6 : AVX2_TILE_Q8;
    int tiles = (n_tokens + most - 1) / most;
    return (n_tokens + tiles - 1) / tiles;
}

/* ---- f32: [n_cols][width] ---- */

/* Transposes 8 rows of 8 floats in registers. */
static inline void transpose8(__m256 r[8])
{
    __m256 a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

/* 8 columns of a tile of at most 8 tokens.  Each column is stored as 8 floats, of which the next column overwrites
 * what is past `width`: the caller leaves room for the last one's excess. */
static inline void transpose_columns(float *dst, const float *x, size_t ldx, int width)
{
    __m256 r[8];
    for (int t = 0; t < 8; t++) {
        r[t] = t < width ? _mm256_loadu_ps(x + (size_t)t * ldx) : _mm256_setzero_ps();
    }
    transpose8(r);
    for (int c = 0; c < 8; c++) {
        _mm256_storeu_ps(dst + (size_t)c * (size_t)width, r[c]);
    }
}

static void pack_tile_f32(float *dst, const float *x, size_t ldx, int width, int col0, int col1)
{
    dst += (size_t)col0 * (size_t)width;
    if (width == 1) {
        memcpy(dst, x + col0, (size_t)(col1 - col0) * sizeof *dst);
        return;
    }
    int c = col0;
    for (; width <= 8 && c + 16 <= col1; c += 8, dst += (size_t)8 * (size_t)width) {
        transpose_columns(dst, x + c, ldx, width);
    }
    for (; c < col1; c++, dst += width) {
        for (int t = 0; t < width; t++) {
            dst[t] = x[(size_t)t * ldx + (size_t)c];
        }
    }
}

void kern_act_pack_f32_avx2(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                            int col1)
{
    for (int t = 0; t < n_tokens; t += tile) {
        int width = n_tokens - t < tile ? n_tokens - t : tile;
        pack_tile_f32((float *)act + (size_t)t * (size_t)n_cols, x + (size_t)t * ldx, ldx, width, col0, col1);
    }
}

/* ---- int8: per block of 32 columns [width][32] q, [width] d, [width] -sum(q) ---- */

enum { BLOCK = 32 };

/* The bits of max|x|: without their signs, floats are in the order of their bits, infinity and NaN above all. */
static inline uint32_t largest_magnitude(const __m256 v[4])
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256i most = _mm256_setzero_si256();
    for (int i = 0; i < 4; i++) {
        most = _mm256_max_epi32(_mm256_castps_si256(_mm256_andnot_ps(sign, v[i])), most);
    }
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(m);
}

/* One block of one token: 32 numbers. */
static inline void quantize_block(int8_t *q, float *d, int32_t *minus_sum, const float *x)
{
    __m256 v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_loadu_ps(x + 8 * i);
    }
    const uint32_t amax = largest_magnitude(v);
    if (amax >= KERN_F32_INF) { /* int8 has no NaN: the scale says it */
        _mm256_storeu_si256((__m256i *)(void *)q, _mm256_setzero_si256());
        *d = base_f32_from_bits(KERN_F32_NAN);
        *minus_sum = 0;
        return;
    }
    float scale = base_f32_from_bits(amax) / 127.0f;
    if (scale < 0x1p-126f) { /* 1 / scale would be infinite: such a block counts as zero */
        scale = 0.0f;
    }
    const __m256 inverse = _mm256_set1_ps(scale > 0.0f ? 1.0f / scale : 0.0f);
    __m256i n[4];
    for (int i = 0; i < 4; i++) {
        n[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
    }
    /* The packs interleave 128-bit halves; the permutation puts groups of four back into order. */
    __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(n[0], n[1]), _mm256_packs_epi32(n[2], n[3]));
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)(void *)q, bytes);

    __m256i sum = _mm256_add_epi32(_mm256_add_epi32(n[0], n[1]), _mm256_add_epi32(n[2], n[3]));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    *d = scale;
    *minus_sum = -_mm_cvtsi128_si32(s);
}

static void pack_tile_q8(int8_t *dst, const float *x, size_t ldx, int width, int n_cols, int col0, int col1)
{
    const size_t block_bytes = (size_t)width * (BLOCK + sizeof(float) + sizeof(int32_t));
    for (int c = col0; c < col1; c += BLOCK) {
        int8_t *q = dst + (size_t)(c / BLOCK) * block_bytes;
        float *d = (float *)(void *)(q + (size_t)width * BLOCK);
        int32_t *minus_sum = (int32_t *)(void *)(d + width);
        for (int t = 0; t < width; t++) {
            const float *from = x + (size_t)t * ldx;
            float padded[BLOCK];
            if (c + BLOCK <= n_cols) {
                from += c;
            } else { /* the row ends in this block, or before it */
                for (int i = 0; i < BLOCK; i++) {
                    padded[i] = c + i < n_cols ? from[c + i] : 0.0f;
                }
                from = padded;
            }
            quantize_block(q + (size_t)t * BLOCK, d + t, minus_sum + t, from);
        }
    }
}

void kern_act_pack_q8_avx2(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                           int col1)
{
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    if (col1 == n_cols) {
        col1 = (n_cols + 63) / 64 * 64; /* zeros up to a whole unit */
    }
    for (int t = 0; t < n_tokens; t += tile) {
        int width = n_tokens - t < tile ? n_tokens - t : tile;
        pack_tile_q8((int8_t *)act + (size_t)t * token_bytes, x + (size_t)t * ldx, ldx, width, n_cols, col0, col1);
    }
}
