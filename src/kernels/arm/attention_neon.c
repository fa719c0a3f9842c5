/* Attention for NEON: 4 lanes, 32 registers. */
#include "kernels/arm/simd_neon.h"

/* gcc's scheduling before it has given out registers makes more values alive at once than there are registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kernels/arm/vec_neon.h"

#define ATTN_GROUPS(X) X(6, 1, 4) X(4, 1, 4) X(2, 2, 8) X(1, 4, 8)
enum { ATTN_MAX_ACC = 24, ATTN_WIDE_ROWS = 9 };

static inline int attn_group(int n)
{
    return n >= 6 && n != 8 ? 6 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
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
