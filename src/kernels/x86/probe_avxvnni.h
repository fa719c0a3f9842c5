/* The AVX-VNNI probe loop, by name. */
#ifndef KERN_PROBE_AVXVNNI_H
#define KERN_PROBE_AVXVNNI_H

enum { PROBE_Q8_CHAINS_AVXVNNI = 12, PROBE_Q8_ROUND_OPS_AVXVNNI = PROBE_Q8_CHAINS_AVXVNNI * 32 * 2 };

double probe_peak_q8_avxvnni(int n_rounds);

#endif
