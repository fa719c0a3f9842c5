/* The probe loop of sdot. */
#include <arm_neon.h>

#include "kernels/arm/probe_arm.h"

double probe_peak_q8_dotprod(int n_rounds)
{
    int8x16_t w = vdupq_n_s8(3);
    const int8x16_t q = vdupq_n_s8(1);
    int32x4_t acc[PROBE_CHAINS];
    for (int j = 0; j < PROBE_CHAINS; j++) {
        acc[j] = vdupq_n_s32(0);
    }
    for (int i = 0; i < n_rounds; i++) {
        __asm__ volatile("" : "+w"(w)); /* for all the compiler knows, w changed: nothing can be hoisted */
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_CHAINS; j++) {
            acc[j] = vdotq_laneq_s32(acc[j], w, q, 0);
        }
    }
    int32x4_t sum = acc[0];
    for (int j = 1; j < PROBE_CHAINS; j++) {
        sum = vaddq_s32(sum, acc[j]);
    }
    return (double)vaddvq_s32(sum);
}
