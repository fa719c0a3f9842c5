/* Probe loop with the instruction that multiplies and adds int8 at level avxvnni: vpdpbusd, 256 bits wide. */
#include "kernels/x86/probe_avxvnni.h"

#include <immintrin.h>

/* vpdpbusd takes 5 cycles and two start in each: 10 chains or more keep it busy. */
double probe_peak_q8_avxvnni(int n_rounds)
{
    __m256i w = _mm256_set1_epi8(3);
    __m256i q = _mm256_set1_epi8(1);
    __m256i acc[PROBE_Q8_CHAINS_AVXVNNI];
    for (int j = 0; j < PROBE_Q8_CHAINS_AVXVNNI; j++) {
        acc[j] = _mm256_setzero_si256();
    }
    for (int i = 0; i < n_rounds; i++) {
        __asm__ volatile("" : "+x"(w)); /* for all the compiler knows, w changed: nothing can be hoisted */
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_Q8_CHAINS_AVXVNNI; j++) {
            acc[j] = _mm256_dpbusd_avx_epi32(acc[j], w, q);
        }
    }
    __m256i sum = acc[0];
    for (int j = 1; j < PROBE_Q8_CHAINS_AVXVNNI; j++) {
        sum = _mm256_add_epi32(sum, acc[j]);
    }
    return (double)_mm_cvtsi128_si32(_mm256_castsi256_si128(sum));
}
