/* Rotary position embedding: the angle tables (RoFormer, arXiv:2104.09864).  Applying them is a kernel. */
#ifndef MDL_ROPE_H
#define MDL_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/config.h"

/* Fills inv_freq[rope_dim / 2]: radians per position of each pair, after the configuration's scaling (linear: position
 * interpolation, arXiv:2306.15595; llama3: by wavelength) and the file's own divisors `freqs` [rope_dim / 2] (NULL: none). */
void mdl_rope_inv_freq(double *inv_freq, const struct mdl_config *c, const float *freqs);

/* Whether every angle up to position max_seq_len is in the range of fmath_sincos (and finite). */
bool mdl_rope_in_range(const double *inv_freq, const struct mdl_config *c);

/* cosine[n], sine[n] of pos * inv_freq[n], computed in double and rounded once. */
void mdl_rope_angles(float *cosine, float *sine, const double *inv_freq, int32_t n, int32_t pos);

#endif
