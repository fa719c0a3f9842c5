/* Probe loops for NEON: loads, fmla, and the instructions that multiply and add int8 without dot products (for 32
 * products two smull, two smlal and two sadalp). */
#include <arm_neon.h>

#include "kernels/arm/probe_arm.h"

uint64_t probe_read_neon(const void *data, size_t bytes)
{
    const uint8_t *src = data;
    uint64x2_t sum[8];
    for (int j = 0; j < 8; j++) {
        sum[j] = vdupq_n_u64(0);
    }
    size_t i = 0;
    for (; i + sizeof sum <= bytes; i += sizeof sum) {
        for (int j = 0; j < 8; j++) {
            sum[j] = vaddq_u64(sum[j], vreinterpretq_u64_u8(vld1q_u8(src + i + 16 * j)));
        }
    }
    uint64_t total = 0;
    for (int j = 0; j < 8; j++) {
        total += vaddvq_u64(sum[j]);
    }
    for (; i < bytes; i++) {
        total += src[i];
    }
    return total;
}

/* fmla takes 4 cycles and up to four start in each: 16 chains keep it busy. */
double probe_peak_f32_neon(int n_rounds)
{
    volatile float start = 0x1p-10f;
    const float32x4_t a = vdupq_n_f32(start);
    float32x4_t acc[PROBE_CHAINS];
    for (int j = 0; j < PROBE_CHAINS; j++) {
        acc[j] = vdupq_n_f32(0.0f);
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 16
        for (int j = 0; j < PROBE_CHAINS; j++) {
            acc[j] = vfmaq_f32(acc[j], a, a);
        }
    }
    float32x4_t sum = acc[0];
    for (int j = 1; j < PROBE_CHAINS; j++) {
        sum = vaddq_f32(sum, acc[j]);
    }
    return (double)vaddvq_f32(sum);
}

double probe_peak_q8_neon(int n_rounds)
{
    int8x16_t w = vdupq_n_s8(3);
    const int8x16_t q = vdupq_n_s8(1);
    int32x4_t acc[PROBE_CHAINS];
    for (int j = 0; j < PROBE_CHAINS; j++) {
        acc[j] = vdupq_n_s32(0);
    }
    for (int i = 0; i < n_rounds; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < PROBE_CHAINS; j += 2) {
            __asm__ volatile("" : "+w"(w)); /* for all the compiler knows, w changed: nothing can be hoisted */
            int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(q)), high = vmull_high_s8(w, q);
            acc[j] = vpadalq_s16(acc[j], vmlal_s8(low, vget_low_s8(w), vget_low_s8(q)));
            acc[j + 1] = vpadalq_s16(acc[j + 1], vmlal_high_s8(high, w, q));
        }
    }
    int32x4_t sum = acc[0];
    for (int j = 1; j < PROBE_CHAINS; j++) {
        sum = vaddq_s32(sum, acc[j]);
    }
    return (double)vaddvq_s32(sum);
}
