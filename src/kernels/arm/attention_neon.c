/* Attention for NEON: 4 lanes, 32 registers. */
#include <math.h>

#include "base/half.h"
#include "kernels/arm/simd_neon.h"

/* gcc's scheduling before it has given out registers makes more values alive at once than there are registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

#define VEC_LANES 4
typedef float32x4_t vec;

#define ATTN_GROUPS(X) X(6, 1, 4) X(4, 1, 4) X(2, 2, 8) X(1, 4, 8)
enum { ATTN_MAX_ACC = 24, ATTN_WIDE_ROWS = 9 };

static inline int attn_group(int n)
{
    return n >= 6 && n != 8 ? 6 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

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

#include "kernels/attention_template.h"

void kern_attn_span_f32_neon(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_F32, a);
}

void kern_attn_span_f16_neon(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_F16, a);
}

void kern_attn_span_q8_0_neon(const struct kern_attn_span *a)
{
    attend_span(KERN_KV_Q8_0, a);
}

void kern_attn_merge_neon(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim)
{
    merge_spans(m, l, acc, m2, l2, acc2, head_dim);
}

void kern_kv_put_k_f16_neon(void *tile, int n_lanes, int lane, const float *k, int head_dim)
{
    put_f16((uint16_t *)tile + lane, (size_t)n_lanes, k, head_dim);
}

void kern_kv_put_v_f16_neon(void *tile, int n_lanes, int lane, const float *v, int head_dim)
{
    (void)n_lanes;
    put_f16((uint16_t *)tile + (size_t)lane * (size_t)head_dim, 1, v, head_dim);
}
