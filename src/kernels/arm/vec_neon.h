/* The vectors of kernels/vec_math.h for NEON: 4 lanes, 32 registers. */
#ifndef KERN_VEC_NEON_H
#define KERN_VEC_NEON_H

#include <math.h>

#include "base/half.h"
#include "kernels/arm/simd_neon.h"

#define VEC_LANES 4
typedef float32x4_t vec;

static inline vec vec_set(float x)
{
    return vdupq_n_f32(x);
}

static inline vec vec_load(const float *p)
{
    return vld1q_f32(p);
}

static inline vec vec_load_some(const float *p, int n)
{
    float x[VEC_LANES] = {0};
    memcpy(x, p, (size_t)n * sizeof *p);
    return vld1q_f32(x);
}

static inline vec vec_load_f16(const uint16_t *p)
{
    return neon_load_f16(p);
}

static inline vec vec_load_f16_some(const uint16_t *p, int n)
{
    uint16_t x[VEC_LANES] = {0};
    memcpy(x, p, (size_t)n * sizeof *p);
    return neon_load_f16(x);
}

static inline vec vec_load_i8(const int8_t *p)
{
    int32_t four;
    memcpy(&four, p, sizeof four);
    const int8x8_t bytes = vreinterpret_s8_s32(vdup_n_s32(four));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
}

static inline vec vec_load_i8_some(const int8_t *p, int n)
{
    int8_t x[VEC_LANES] = {0};
    memcpy(x, p, (size_t)n);
    return vec_load_i8(x);
}

static inline void vec_store(float *p, vec v)
{
    vst1q_f32(p, v);
}

static inline void vec_store_some(float *p, vec v, int n)
{
    float x[VEC_LANES];
    vst1q_f32(x, v);
    memcpy(p, x, (size_t)n * sizeof *p);
}

static inline void vec_store_f16(uint16_t *p, vec v)
{
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}

static inline vec vec_add(vec a, vec b)
{
    return vaddq_f32(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return vsubq_f32(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return vmulq_f32(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, b, a);
}

static inline vec vec_max(vec x, vec most)
{
    return vmaxnmq_f32(most, x); /* a NaN leaves `most` as it is */
}

static inline float vec_largest(vec v)
{
    return vmaxvq_f32(v);
}

static inline vec vec_seen(vec score, int token, int begin, int end)
{
    static const int32_t count[4] = {0, 1, 2, 3};
    const int32x4_t at = vaddq_s32(vdupq_n_s32(token), vld1q_s32(count));
    const uint32x4_t seen = vandq_u32(vcgeq_s32(at, vdupq_n_s32(begin)), vcltq_s32(at, vdupq_n_s32(end)));
    return vbslq_f32(seen, score, vdupq_n_f32(-INFINITY));
}

static inline vec vec_exp(vec x)
{
    return neon_exp(x);
}

static inline float vec_reduce16(const vec *v)
{
    return neon_reduce16((neon_quad){{v[0], v[1], v[2], v[3]}});
}

static inline vec vec_div(vec a, vec b)
{
    return vdivq_f32(a, b);
}

static inline vec vec_most(vec x, vec limit)
{
    return vminq_f32(x, limit); /* NaN where one is */
}

static inline vec vec_abs(vec x)
{
    return vabsq_f32(x);
}

static inline vec vec_signed(vec x, vec sign)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), sign, x);
}

static inline vec vec_if_less(vec x, vec limit, vec yes, vec no)
{
    return vbslq_f32(vcltq_f32(x, limit), yes, no);
}

#endif
