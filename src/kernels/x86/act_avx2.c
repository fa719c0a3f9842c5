/* Packing activations for AVX2: f32 tiles are transposed, int8 blocks quantized.  Once per step and matrix group, so
 * a few per cent of a matrix multiplication; still worth vectors. */
#include "base/fmath.h"
#include "kernels/x86/simd_avx2.h"

/* Few tokens make one tile: the weights then come from memory once.  Many are cut into even tiles of at most what the
 * multiplication takes in one go (f32: 6 tokens of accumulators; int8: any number, float sums being in memory). */
static int even_tile(int n_tokens, int few, int most)
{
    if (n_tokens <= few) {
        return n_tokens;
    }
    int tiles = (n_tokens + most - 1) / most;
    return (n_tokens + tiles - 1) / tiles;
}

int kern_act_tile_f32_avx2(int n_tokens)
{
    return even_tile(n_tokens, AVX2_TILE_F32, 6);
}

int kern_act_tile_q8_avx2(int n_tokens)
{
    return n_tokens < AVX2_TILE_Q8 ? n_tokens : AVX2_TILE_Q8;
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

/* ---- int8: blocks of 32 columns (struct kern_act_q8) ---- */

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

static inline int32_t sum4(__m128i v)
{
    v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4e));
    v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0xb1));
    return _mm_cvtsi128_si32(v);
}

static inline int32_t sum8(__m256i v)
{
    return sum4(_mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}

/* 32 numbers x of token t, of `width`. */
static inline void quantize_block(char *block, int width, int t, const float *x)
{
    const size_t at = (size_t)t, w = (size_t)width;
    int8_t *q = (int8_t *)block + at * BLOCK;
    float *d = (float *)(void *)(block + w * 32) + at;
    int32_t *bias = (int32_t *)(void *)(block + w * 36) + at;
    int32_t *bias_lo = (int32_t *)(void *)(block + w * 40) + at;
    float *dsum = (float *)(void *)(block + w * 44) + at;
    __m256 v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_loadu_ps(x + 8 * i);
    }
    const uint32_t amax = largest_magnitude(v);
    if (amax >= KERN_F32_INF) { /* int8 has no NaN: the scale says it */
        _mm256_storeu_si256((__m256i *)(void *)q, _mm256_setzero_si256());
        *d = *dsum = base_f32_from_bits(KERN_F32_NAN);
        *bias = *bias_lo = 0;
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

    const int32_t low = sum8(_mm256_add_epi32(n[0], n[1])), high = sum8(_mm256_add_epi32(n[2], n[3]));
    *d = scale;
    *bias = -128 * (low + high);
    *bias_lo = -128 * low;
    *dsum = scale * (float)-(low + high);
}

static void pack_tile_q8(char *dst, const float *x, size_t ldx, int width, int n_cols, int col0, int col1)
{
    for (int c = col0; c < col1; c += BLOCK) {
        char *block = dst + (size_t)(c / BLOCK) * (size_t)width * KERN_ACT_Q8_BYTES;
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
            quantize_block(block, width, t, from);
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
        pack_tile_q8((char *)act + (size_t)t * token_bytes, x + (size_t)t * ldx, ldx, width, n_cols, col0, col1);
    }
}
