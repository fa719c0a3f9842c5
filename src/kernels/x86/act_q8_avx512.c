/* Int8 activations for AVX-512: blocks of 32 columns (struct kern_act_q8).
 *
 * A block's maximum, its sum and its two divisions are one lane each: 16 blocks of a token are taken together, so that a
 * division is one for all and the sums over lanes are a transposition's worth of additions. */
#include "kernels/x86/matmul_quant_avx512.h"

enum { BLOCK = 32, RUN = 16 /* blocks that share vectors */ };

/* Even tiles of at most 6 tokens: 8 are 4 + 4. */
int kern_act_tile_q8_avx512(int n_tokens)
{
    const int tiles = (n_tokens + STRIP_TILE - 1) / STRIP_TILE;
    return (n_tokens + tiles - 1) / tiles;
}

/* What a run of blocks is quantized with, a lane a block. */
struct run_scales {
    _Alignas(64) uint32_t most[RUN]; /* the bits of max|x| */
    float d[RUN], inverse[RUN];
    int32_t sum[RUN], sum_lo[RUN];
};

/* The bits of max|x|: without their signs, floats are in the order of their bits, infinity and NaN above all. */
static inline uint32_t largest_magnitude(__m512 lo, __m512 hi)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    const __m512i m = _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(lo), magnitude),
                                       _mm512_and_si512(_mm512_castps_si512(hi), magnitude));
    return _mm512_reduce_max_epu32(m);
}

/* d and its inverse of all blocks of a run.  A lane of a block that holds no number: inverse 0, d NaN. */
static inline void scale_run(struct run_scales *s)
{
    const __m512i most = avx512_load_i32(s->most);
    const __mmask16 no_number = _mm512_cmpge_epu32_mask(most, _mm512_set1_epi32((int)KERN_F32_INF));
    __m512 d = _mm512_div_ps(_mm512_castsi512_ps(most), _mm512_set1_ps(127.0f));
    const __mmask16 counts = _mm512_cmp_ps_mask(d, _mm512_set1_ps(0x1p-126f), _CMP_GE_OQ) & (__mmask16)~no_number;
    d = _mm512_maskz_mov_ps(counts, d); /* 1 / d would be infinite: such a block counts as zero */
    _mm512_store_ps(s->inverse, _mm512_maskz_div_ps(counts, _mm512_set1_ps(1.0f), d));
    const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32((int)KERN_F32_NAN)); /* int8 has none: the scale says it */
    _mm512_store_ps(s->d, _mm512_mask_mov_ps(d, no_number, nan));
}

/* q[32] of a block, and the sums of its halves. */
static inline void quantize_block(int8_t *q, __m512 lo, __m512 hi, struct run_scales *s, int i)
{
    const __m512 inverse = _mm512_set1_ps(s->inverse[i]);
    /* without an inverse q is 0, whatever x was */
    const __mmask16 counts = s->inverse[i] > 0.0f ? 0xffff : 0;
    const __m128i a = _mm512_cvtepi32_epi8(_mm512_maskz_cvtps_epi32(counts, _mm512_mul_ps(lo, inverse)));
    const __m128i b = _mm512_cvtepi32_epi8(_mm512_maskz_cvtps_epi32(counts, _mm512_mul_ps(hi, inverse)));
    _mm_storeu_si128((__m128i *)(void *)q, a);
    _mm_storeu_si128((__m128i *)(void *)(q + 16), b);
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    /* sums of 8 of (q ^ 0x80) = q + 128 */
    const __m256i sums = _mm256_sad_epu8(_mm256_xor_si256(both, _mm256_set1_epi8((char)0x80)), _mm256_setzero_si256());
    const __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm_setzero_si128());
    const __m128i upper = _mm256_extracti128_si256(sums, 1);
    const int low = (int)_mm_cvtsi128_si64(_mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
    const int high = (int)_mm_cvtsi128_si64(_mm_add_epi64(upper, _mm_unpackhi_epi64(upper, upper))) - 16 * 128;
    s->sum_lo[i] = low;
    s->sum[i] = low + high;
}

/* x[0 .. n) of a block, zeros behind. */
static inline void load_block(__m512 v[2], const float *x, int n)
{
    if (n >= BLOCK) {
        v[0] = _mm512_loadu_ps(x);
        v[1] = _mm512_loadu_ps(x + 16);
        return;
    }
    const int low = n < 16 ? n : 16;
    v[0] = _mm512_maskz_loadu_ps(avx512_first(low < 0 ? 0 : low), x);
    v[1] = _mm512_maskz_loadu_ps(avx512_first(n < 16 ? 0 : n - 16), x + (n < 16 ? 0 : 16));
}

/* A run of n blocks of token t, of `width`, from column c on. */
static void pack_run(char *block, int width, int t, const float *x, int c, int n_cols, int n)
{
    struct run_scales s = {.sum = {0}};
    const size_t at = (size_t)t, w = (size_t)width;
    for (int i = 0; i < n; i++) {
        __m512 v[2];
        const int left = n_cols - c - i * BLOCK;
        load_block(v, left > 0 ? x + c + i * BLOCK : x, left);
        s.most[i] = largest_magnitude(v[0], v[1]);
    }
    for (int i = n; i < RUN; i++) {
        s.most[i] = 0;
    }
    scale_run(&s);
    for (int i = 0; i < n; i++, block += w * KERN_ACT_Q8_BYTES) {
        __m512 v[2];
        const int left = n_cols - c - i * BLOCK;
        load_block(v, left > 0 ? x + c + i * BLOCK : x, left);
        quantize_block((int8_t *)block + at * BLOCK, v[0], v[1], &s, i);
        const int32_t bias = -128 * s.sum[i], bias_lo = -128 * s.sum_lo[i];
        const float dsum = s.d[i] * (float)-s.sum[i];
        memcpy(block + w * 32 + at * 4, &s.d[i], 4);
        memcpy(block + w * 36 + at * 4, &bias, 4);
        memcpy(block + w * 40 + at * 4, &bias_lo, 4);
        memcpy(block + w * 44 + at * 4, &dsum, 4);
    }
}

void kern_act_pack_q8_avx512(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                             int col1)
{
    const size_t token_bytes = kern_act_token_bytes(DTYPE_ACT_Q8, n_cols);
    if (col1 == n_cols) {
        col1 = (n_cols + 63) / 64 * 64; /* zeros up to a whole unit */
    }
    for (int t0 = 0; t0 < n_tokens; t0 += tile) {
        const int width = n_tokens - t0 < tile ? n_tokens - t0 : tile;
        char *dst = (char *)act + (size_t)t0 * token_bytes;
        for (int c = col0; c < col1; c += RUN * BLOCK) {
            const int n = (col1 - c) / BLOCK < RUN ? (col1 - c) / BLOCK : RUN;
            char *block = dst + (size_t)(c / BLOCK) * (size_t)width * KERN_ACT_Q8_BYTES;
            for (int t = 0; t < width; t++) {
                pack_run(block, width, t, x + (size_t)(t0 + t) * ldx, c, n_cols, n);
            }
        }
    }
}
