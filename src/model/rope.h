/* Rotary position embedding: the angle tables (RoFormer, arXiv:2104.09864).  Applying them is a kernel. */
#ifndef MDL_ROPE_H
#define MDL_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/config/config.h"

/* The kinds of config.rope that layers have and that differ: kinds[0 .. the result), 1 or 2 of them. */
int mdl_rope_tables(int kinds[MDL_ROPE_KINDS], const struct mdl_config *c);

/* Fills inv_freq[rope_dim / 2]: radians per position of each pair, after the scaling of config.rope[kind] for texts of
 * up to rope_len tokens, and the file's own divisors `freqs` [rope_dim / 2] (NULL: none). */
void mdl_rope_inv_freq(double *inv_freq, const struct mdl_config *c, int kind, int32_t rope_len, const float *freqs);

/* Whether every angle up to position n_positions is in the range of fmath_sincos (and finite). */
bool mdl_rope_in_range(const double *inv_freq, const struct mdl_config *c, int32_t n_positions);

/* The most positions that may be asked for: max_seq_len, or more where the scaling is for that. */
int32_t mdl_rope_longest(const struct mdl_config *c);

/* cosine[n], sine[n] of pos * inv_freq[n], times magnitude, computed in double and rounded once.  Any pos >= 0. */
void mdl_rope_angles(float *cosine, float *sine, const double *inv_freq, double magnitude, int32_t n, int64_t pos);

#endif
