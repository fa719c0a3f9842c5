/* The AVX2 probe loops, by name. */
#ifndef KERN_PROBE_AVX2_H
#define KERN_PROBE_AVX2_H

#include <stddef.h>
#include <stdint.h>

/* Operations in a round of either loop below. */
enum {
    PROBE_F32_CHAINS = 12,
    PROBE_F32_ROUND_OPS_AVX2 = PROBE_F32_CHAINS * 8 * 2,
    PROBE_Q8_CHAINS = 8,
    PROBE_Q8_ROUND_OPS_AVX2 = PROBE_Q8_CHAINS * 32 * 2
};

uint64_t probe_read_avx2(const void *data, size_t bytes);
double probe_peak_f32_avx2(int n_rounds);
double probe_peak_q8_avx2(int n_rounds);

#endif
