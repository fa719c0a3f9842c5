/* The ARM probe loops, by name. */
#ifndef KERN_PROBE_ARM_H
#define KERN_PROBE_ARM_H

#include <stddef.h>
#include <stdint.h>

/* Operations in a round of the loops below. */
enum {
    PROBE_CHAINS = 16,
    PROBE_F32_ROUND_OPS_NEON = PROBE_CHAINS * 4 * 2,
    PROBE_Q8_ROUND_OPS_NEON = PROBE_CHAINS * 16 * 2,
    PROBE_Q8_ROUND_OPS_DOTPROD = PROBE_CHAINS * 16 * 2
};

uint64_t probe_read_neon(const void *data, size_t bytes);
double probe_peak_f32_neon(int n_rounds);
double probe_peak_q8_neon(int n_rounds);
double probe_peak_q8_dotprod(int n_rounds);

#endif
