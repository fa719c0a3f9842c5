/* Probe loop of the bf16 dot instruction.  Its chains are more than those of the multiply-add: on Zen 4 and 5 two start
 * in a cycle and take 6; on Intel's cores one starts every other cycle. */
#include "kernels/x86/probe_avx512.h"

#include <immintrin.h>

double probe_peak_bf16_avx512bf16(int n_rounds)
{
    volatile float start = 0x1p-10f;
    const __m512 a = _mm512_set1_ps(start);
    __m512 acc[PROBE_CHAINS_BF16];
#pragma GCC unroll 24
    for (int j = 0; j < PROBE_CHAINS_BF16; j++) {
        acc[j] = _mm512_setzero_ps();
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 24
        for (int j = 0; j < PROBE_CHAINS_BF16; j++) {
            __asm__ volatile("vdpbf16ps %1, %1, %0" : "+v"(acc[j]) : "v"(a));
        }
    }
    __m512 sum = acc[0];
#pragma GCC unroll 24
    for (int j = 1; j < PROBE_CHAINS_BF16; j++) {
        sum = _mm512_add_ps(sum, acc[j]);
    }
    return (double)_mm512_cvtss_f32(sum);
}
