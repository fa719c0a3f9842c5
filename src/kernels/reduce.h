/* The one way true reductions are summed: 16 virtual lanes, element i in lane i % 16, then a fixed tree
 * (lane i + lane i+8, then +4, +2, +1).  Vector code holds the lanes in one or two registers. */
#ifndef KERN_REDUCE_H
#define KERN_REDUCE_H

#include <math.h>

static inline float kern_reduce16(const float lane[16])
{
    float a[8];
    for (int i = 0; i < 8; i++) {
        a[i] = lane[i] + lane[i + 8];
    }
    for (int i = 0; i < 4; i++) {
        a[i] = a[i] + a[i + 4];
    }
    return (a[0] + a[2]) + (a[1] + a[3]);
}

/* The factor of a root-mean-square norm: 1 / sqrt(sum / n + eps).  A sum that overflowed would make it 0 and the norm all
 * zeros, which nobody would notice; it makes it NaN instead. */
static inline float kern_rms_factor(float sum, int n, float eps)
{
    float mean = sum / (float)n + eps;
    return isinf(mean) ? NAN : 1.0f / sqrtf(mean);
}

#endif
