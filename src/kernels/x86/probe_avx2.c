/* Probe loops with 256-bit vectors: loads, vfmadd, and the three instructions that multiply and add int8 at this level
 * (vpmaddubsw, vpmaddwd, vpaddd). */
#include "kernels/x86/probe_avx2.h"

#include <immintrin.h>

static uint64_t add_lanes(__m256i v)
{
    __m128i s = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    return (uint64_t)_mm_cvtsi128_si64(s) + (uint64_t)_mm_extract_epi64(s, 1);
}

uint64_t probe_read_avx2(const void *data, size_t bytes)
{
    const char *src = data;
    __m256i sum[8];
    for (int j = 0; j < 8; j++) {
        sum[j] = _mm256_setzero_si256();
    }
    size_t i = 0;
    for (; i + sizeof sum <= bytes; i += sizeof sum) {
        for (int j = 0; j < 8; j++) {
            const void *at = src + i + (size_t)j * sizeof(__m256i);
            sum[j] = _mm256_add_epi64(sum[j], _mm256_loadu_si256((const __m256i *)at));
        }
    }
    uint64_t total = 0;
    for (int j = 0; j < 8; j++) {
        total += add_lanes(sum[j]);
    }
    for (; i < bytes; i++) {
        total += (unsigned char)src[i];
    }
    return total;
}

/* FMA takes 4 to 5 cycles and two start in each: 10 chains or more keep it busy. */
double probe_peak_f32_avx2(int n_rounds)
{
    volatile float start = 0x1p-10f;
    __m256 a = _mm256_set1_ps(start);
    __m256 acc[PROBE_F32_CHAINS];
    for (int j = 0; j < PROBE_F32_CHAINS; j++) {
        acc[j] = _mm256_setzero_ps();
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_F32_CHAINS; j++) {
            acc[j] = _mm256_fmadd_ps(a, a, acc[j]);
        }
    }
    __m256 sum = acc[0];
    for (int j = 1; j < PROBE_F32_CHAINS; j++) {
        sum = _mm256_add_ps(sum, acc[j]);
    }
    return (double)_mm256_cvtss_f32(sum);
}

double probe_peak_q8_avx2(int n_rounds)
{
    __m256i w = _mm256_set1_epi8(3);
    __m256i q = _mm256_set1_epi8(1);
    __m256i ones = _mm256_set1_epi16(1);
    __m256i acc[PROBE_Q8_CHAINS];
    for (int j = 0; j < PROBE_Q8_CHAINS; j++) {
        acc[j] = _mm256_setzero_si256();
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_Q8_CHAINS; j++) {
            __asm__ volatile("" : "+x"(w)); /* for all the compiler knows, w changed: nothing can be hoisted */
            acc[j] = _mm256_add_epi32(acc[j], _mm256_madd_epi16(_mm256_maddubs_epi16(w, q), ones));
        }
    }
    __m256i sum = acc[0];
    for (int j = 1; j < PROBE_Q8_CHAINS; j++) {
        sum = _mm256_add_epi32(sum, acc[j]);
    }
    return (double)_mm_cvtsi128_si32(_mm256_castsi256_si128(sum));
}
