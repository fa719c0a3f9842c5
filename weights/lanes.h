/* Four f32 side by side, in the compiler's vectors (SSE2 or NEON, whatever the baseline has): what quantizing a row takes.
 * Each step is one IEEE operation in every lane, so the results do not depend on the machine. */
#ifndef WTS_LANES_H
#define WTS_LANES_H

#include <stdint.h>
#include <string.h>

typedef float lanes_f32 __attribute__((vector_size(16)));
typedef int32_t lanes_i32 __attribute__((vector_size(16)));

static inline lanes_f32 lanes_load(const float *x)
{
    lanes_f32 v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline float lanes_sum(lanes_f32 v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

/* Whole part of numbers that fit. */
static inline lanes_i32 lanes_whole(lanes_f32 v)
{
    return __builtin_convertvector(v, lanes_i32);
}

/* v between low and high; low for a NaN.  (gcc 12 makes two instructions of the masks on some machines, and scalars of
 * what is written with ?: here.) */
static inline lanes_f32 lanes_clamp(lanes_f32 v, float low, float high)
{
    const lanes_f32 least = {low, low, low, low}, most = {high, high, high, high};
    const lanes_i32 above = v > least;
    v = (lanes_f32)((above & (lanes_i32)v) | (~above & (lanes_i32)least));
    const lanes_i32 below = v < most;
    return (lanes_f32)((below & (lanes_i32)v) | (~below & (lanes_i32)most));
}

/* The nearest integer of low to high (integers below 2^22), halves to even: adding 1.5 * 2^23 leaves no bits behind the
 * point. */
static inline lanes_f32 lanes_round(lanes_f32 v, float low, float high)
{
    return (lanes_clamp(v, low, high) + 0x1.8p23f) - 0x1.8p23f;
}

#endif
