/* Counter-based random numbers: a draw is a pure function of (seed, choice, position), so it does not matter in
 * which order, batch or thread anything is drawn.  Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As
 * Easy as 1, 2, 3", SC 2011). */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* One Philox4x32-10 block: out = philox(counter, key). */
void base_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* Uniform in [0, 1), 53 bits.  seed: any (0 too).  choice: index of the sample within its request (n samples:
 * 0 .. n-1).  pos: position of the token drawn. */
double base_rng_uniform(uint64_t seed, uint64_t choice, uint64_t pos);

#endif
