/* The AVX-512 probe loops, by name. */
#ifndef KERN_PROBE_AVX512_H
#define KERN_PROBE_AVX512_H

#include <stddef.h>
#include <stdint.h>

/* Operations in a round of the loops below. */
enum {
    PROBE_CHAINS_AVX512 = 16,
    PROBE_F32_ROUND_OPS_AVX512 = PROBE_CHAINS_AVX512 * 16 * 2,
    PROBE_Q8_ROUND_OPS_AVX512 = PROBE_CHAINS_AVX512 * 64 * 2,
    PROBE_CHAINS_BF16 = 24,
    PROBE_BF16_ROUND_OPS = PROBE_CHAINS_BF16 * 32 * 2
};

uint64_t probe_read_avx512(const void *data, size_t bytes);
double probe_peak_f32_avx512(int n_rounds);
double probe_peak_q8_avx512(int n_rounds);
double probe_peak_bf16_avx512bf16(int n_rounds);

#endif
