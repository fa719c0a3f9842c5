/* Probe loops with 512-bit vectors: loads, vfmadd, and vpdpbusd, which multiplies and adds int8 at this level. */
#include "kernels/x86/probe_avx512.h"

#include <immintrin.h>

uint64_t probe_read_avx512(const void *data, size_t bytes)
{
    const char *src = data;
    __m512i sum[8];
    for (int j = 0; j < 8; j++) {
        sum[j] = _mm512_setzero_si512();
    }
    size_t i = 0;
    for (; i + sizeof sum <= bytes; i += sizeof sum) {
        for (int j = 0; j < 8; j++) {
            sum[j] = _mm512_add_epi64(sum[j], _mm512_loadu_si512(src + i + (size_t)j * sizeof(__m512i)));
        }
    }
    uint64_t total = 0;
    for (int j = 0; j < 8; j++) { /* not by the reducing intrinsic, which gcc 12 writes with signed numbers */
        uint64_t lane[8];
        _mm512_storeu_si512(lane, sum[j]);
        for (int k = 0; k < 8; k++) {
            total += lane[k];
        }
    }
    for (; i < bytes; i++) {
        total += (unsigned char)src[i];
    }
    return total;
}

/* Both instructions take 4 to 5 cycles and two start in each: 10 chains or more keep them busy.  They are written out:
 * a compiler sees that all chains are the same, and gcc 12 copies a sum of vpdpbusd before it adds to it. */
double probe_peak_f32_avx512(int n_rounds)
{
    volatile float start = 0x1p-10f;
    const __m512 a = _mm512_set1_ps(start);
    __m512 acc[PROBE_CHAINS_AVX512];
#pragma GCC unroll 16
    for (int j = 0; j < PROBE_CHAINS_AVX512; j++) {
        acc[j] = _mm512_setzero_ps();
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_CHAINS_AVX512; j++) {
            __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(acc[j]) : "v"(a));
        }
    }
    __m512 sum = acc[0];
#pragma GCC unroll 16
    for (int j = 1; j < PROBE_CHAINS_AVX512; j++) {
        sum = _mm512_add_ps(sum, acc[j]);
    }
    return (double)_mm512_cvtss_f32(sum);
}

double probe_peak_q8_avx512(int n_rounds)
{
    volatile int8_t start = 3;
    const __m512i w = _mm512_set1_epi8(start), q = _mm512_set1_epi8(1);
    __m512i acc[PROBE_CHAINS_AVX512];
#pragma GCC unroll 16
    for (int j = 0; j < PROBE_CHAINS_AVX512; j++) {
        acc[j] = _mm512_setzero_si512();
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_CHAINS_AVX512; j++) {
            __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(acc[j]) : "v"(w), "v"(q));
        }
    }
    __m512i sum = acc[0];
#pragma GCC unroll 16
    for (int j = 1; j < PROBE_CHAINS_AVX512; j++) {
        sum = _mm512_add_epi32(sum, acc[j]);
    }
    return (double)_mm_cvtsi128_si32(_mm512_castsi512_si128(sum));
}
