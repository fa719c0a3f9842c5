/* matmul_float_template.h for AVX-512: a register holds 16 rows.  2 panels x 12 tokens are 24 accumulators, for which a
 * column takes 14 loads. */
#ifndef KERN_MATMUL_FLOAT_AVX512_H
#define KERN_MATMUL_FLOAT_AVX512_H

#include "kernels/x86/simd_avx512.h"

#define MATMUL_TEMPLATE AVX512_TEMPLATE
#define MATMUL_NOINLINE AVX512_NOINLINE

enum {
    TILE = AVX512_TILE_F32,
    PANELS = 2,
    FEW_PANELS = 2,
    VECTOR_PANELS = 4,
    WIDE_TILE = AVX512_TILE_F32_FEW,
    ACCUMULATORS = 24,
    STRIP = 256,
    BLOCK_TOKENS = 144,
    BLOCK_BYTES = 1200 * 1024,
    FETCH = 4096
};

/* What is compiled for the bf16 dot instruction uses nothing else. */
#ifdef __AVX512BF16__
enum weights { W_F32, W_F16, W_BF16, W_PAIRS, WIDE = W_PAIRS };
#else
enum weights { W_F32, W_F16, W_BF16, WIDE = W_F32 };
#endif

typedef __m512 rows;
typedef __m512 token;

static inline rows rows_load(const float *p)
{
    return _mm512_load_ps(p);
}

static inline void rows_save(float *p, rows v)
{
    _mm512_store_ps(p, v);
}

/* bf16: a 32-bit word holds the even column in its low half. */
AVX512_TEMPLATE rows rows_column(enum weights type, const char *w, int odd)
{
    if (type == WIDE) {
        return _mm512_load_ps(w);
    }
    if (type == W_F16) {
        return avx512_load_f16(w);
    }
    const __m512i pair = avx512_load_i32(w);
    return _mm512_castsi512_ps(odd ? _mm512_and_si512(pair, _mm512_set1_epi32((int)0xffff0000))
                                   : _mm512_slli_epi32(pair, 16));
}

AVX512_TEMPLATE token token_load(const int T, const float *x, int t)
{
    (void)T;
    return _mm512_set1_ps(x[t]);
}

AVX512_TEMPLATE rows rows_multiply_add(enum weights type, rows acc, rows w, token x)
{
#ifdef __AVX512BF16__
    if (type == W_PAIRS) {
        return _mm512_dpbf16_ps(acc, (__m512bh)_mm512_castps_si512(w), (__m512bh)_mm512_castps_si512(x));
    }
#endif
    (void)type;
    return _mm512_fmadd_ps(w, x, acc);
}

static inline void rows_put(float *y, rows v, int n, bool add)
{
    avx512_store_rows(y, v, n, add);
}

static inline void fetch(const char *w)
{
    avx512_prefetch(w, FETCH, 64);
}

static inline void fetch_result(const float *y)
{
    avx512_fetch_to_write(y);
}

#include "kernels/matmul_float_template.h"

#endif
