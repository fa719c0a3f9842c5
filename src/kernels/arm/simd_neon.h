/* Small helpers that the NEON kernels share.
 *
 * NEON has 32 registers of 4 floats.  A panel's 16 rows are a quad of them: v[i] is rows 4i to 4i + 3. */
#ifndef KERN_SIMD_NEON_H
#define KERN_SIMD_NEON_H

#include <arm_neon.h>
#include <string.h>

#include "base/fmath.h"
#include "kernels/arm/kernels_neon.h"

/* Templates: a function of compile-time constants, instantiated by calling it with literals.  Arrays inside have
 * fixed sizes, so that they become registers. */
#define NEON_TEMPLATE static inline __attribute__((always_inline))

enum {
    /* Widest tiles of tokens that act_tile gives out. */
    NEON_TILE_F32 = 16,
    NEON_TILE_Q8 = 16,
    /* How far ahead of the multiplication a weight stream is fetched (bytes). */
    NEON_PREFETCH = 8192
};

typedef struct neon_quad {
    float32x4_t v[4];
} neon_quad;

static inline neon_quad neon_quad_zero(void)
{
    const float32x4_t zero = vdupq_n_f32(0.0f);
    return (neon_quad){{zero, zero, zero, zero}};
}

static inline neon_quad neon_quad_load(const float *p)
{
    return (neon_quad){{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}};
}

static inline void neon_quad_store(float *p, neon_quad q)
{
    for (int i = 0; i < 4; i++) {
        vst1q_f32(p + 4 * i, q.v[i]);
    }
}

/* 4 f16, widened. */
static inline float32x4_t neon_load_f16(const uint16_t *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

/* acc + w * x[lane], fused.  The instruction holds the lane's number: `lane` is a constant once loops are unrolled. */
NEON_TEMPLATE float32x4_t neon_fma_lane(float32x4_t acc, float32x4_t w, float32x4_t x, const int lane)
{
    switch (lane) {
    case 0:
        return vfmaq_laneq_f32(acc, w, x, 0);
    case 1:
        return vfmaq_laneq_f32(acc, w, x, 1);
    case 2:
        return vfmaq_laneq_f32(acc, w, x, 2);
    default:
        return vfmaq_laneq_f32(acc, w, x, 3);
    }
}

/* Fetches the line NEON_PREFETCH bytes behind p, which may well lie past the end of the matrix: a prefetch never
 * faults, and as a number the address may be formed. */
static inline void neon_prefetch_ahead(const void *p)
{
    __builtin_prefetch((const void *)((uintptr_t)p + NEON_PREFETCH));
}

/* fmath_exp, lane by lane: the same operations in the same order. */
static inline float32x4_t neon_exp(float32x4_t x)
{
    const float32x4_t one = vdupq_n_f32(1.0f);
    uint32x4_t zero = vcltq_f32(x, vdupq_n_f32(FMATH_EXP_MIN));
    x = vminq_f32(x, vdupq_n_f32(FMATH_EXP_MAX)); /* lets NaN through */
    float32x4_t n = vrndnq_f32(vmulq_f32(x, vdupq_n_f32(FMATH_LOG2E)));
    float32x4_t r = vfmsq_f32(x, n, vdupq_n_f32(FMATH_LN2_HI));
    r = vfmsq_f32(r, n, vdupq_n_f32(FMATH_LN2_LO));
    float32x4_t p = vfmaq_f32(vdupq_n_f32(FMATH_EXP_C5), vdupq_n_f32(FMATH_EXP_C6), r);
    p = vfmaq_f32(vdupq_n_f32(FMATH_EXP_C4), p, r);
    p = vfmaq_f32(vdupq_n_f32(FMATH_EXP_C3), p, r);
    p = vfmaq_f32(vdupq_n_f32(FMATH_EXP_C2), p, r);
    p = vfmaq_f32(one, p, r);
    p = vfmaq_f32(one, p, r);
    int32x4_t power = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    p = vmulq_f32(p, vreinterpretq_f32_s32(power));
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(p), zero));
}

/* kern_reduce16 of 16 lanes held in a quad. */
static inline float neon_reduce16(neon_quad lane)
{
    float32x4_t a = vaddq_f32(vaddq_f32(lane.v[0], lane.v[2]), vaddq_f32(lane.v[1], lane.v[3]));
    return vpadds_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a))); /* (a0 + a2) + (a1 + a3) */
}

/* One panel's results of n_tokens tokens, sum [n_tokens][16], go to their place: y[t][row], rows of them valid. */
static inline void neon_store_rows(float *y, size_t ldy, const float (*sum)[16], int n_tokens, int rows, bool add)
{
    for (int t = 0; t < n_tokens; t++) {
        float *to = y + (size_t)t * ldy;
        if (rows >= 16) {
            neon_quad q = neon_quad_load(sum[t]);
            for (int i = 0; add && i < 4; i++) {
                q.v[i] = vaddq_f32(vld1q_f32(to + 4 * i), q.v[i]);
            }
            neon_quad_store(to, q);
            continue;
        }
        for (int r = 0; r < rows; r++) {
            to[r] = add ? to[r] + sum[t][r] : sum[t][r];
        }
    }
}

#endif
