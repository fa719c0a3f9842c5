/* The reference kernels: plain C, no vector types, correct everywhere.  They are the oracle of every faster kernel's
 * check, the fallback of machines without one, and the place to read what Choir computes.  This file: the small
 * per-token operations, and the table; matmul and attention have files of their own. */
#include "kernels/reference.h"

#include <math.h>

#include "base/fmath.h"
#include "kernels/reduce.h"

static int act_tile(int n_tokens)
{
    (void)n_tokens;
    return REF_TILE;
}

static void rmsnorm(float *y, const float *x, const float *w, int n, float eps)
{
    float lane[16] = {0};
    for (int i = 0; i < n; i++) {
        lane[i % 16] = fmaf(x[i], x[i], lane[i % 16]);
    }
    float s = kern_rms_factor(kern_reduce16(lane), n, eps);
    for (int i = 0; i < n; i++) {
        y[i] = x[i] * s * w[i];
    }
}

static void layernorm(float *y, const float *x, const float *w, const float *bias, int n, float eps)
{
    float lane[16] = {0};
    for (int i = 0; i < n; i++) {
        lane[i % 16] += x[i];
    }
    float mean = kern_reduce16(lane) / (float)n;
    float square[16] = {0};
    for (int i = 0; i < n; i++) {
        float d = x[i] - mean;
        square[i % 16] = fmaf(d, d, square[i % 16]);
    }
    float s = kern_rms_factor(kern_reduce16(square), n, eps);
    for (int i = 0; i < n; i++) {
        float scaled = (x[i] - mean) * s;
        y[i] = bias != NULL ? fmaf(scaled, w[i], bias[i]) : scaled * w[i];
    }
}

static void rotate(float *a, float *b, float cosine, float sine)
{
    float x = *a;
    float y = *b;
    *a = fmaf(x, cosine, -(y * sine));
    *b = fmaf(x, sine, y * cosine);
}

static void rope_interleaved(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim)
{
    for (int h = 0; h < n_heads; h++) {
        float *head = x + (size_t)h * (size_t)head_dim;
        for (int i = 0; i < rope_dim / 2; i++) {
            rotate(&head[2 * i], &head[2 * i + 1], cosine[i], sine[i]);
        }
    }
}

static void rope_half(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim)
{
    for (int h = 0; h < n_heads; h++) {
        float *head = x + (size_t)h * (size_t)head_dim;
        for (int i = 0; i < rope_dim / 2; i++) {
            rotate(&head[i], &head[i + rope_dim / 2], cosine[i], sine[i]);
        }
    }
}

static void activate_silu(float *x, const float *gated, int n)
{
    for (int i = 0; i < n; i++) {
        x[i] = gated != NULL ? fmath_silu(x[i]) * gated[i] : fmath_silu(x[i]);
    }
}

static void activate_gelu(float *x, const float *gated, int n)
{
    for (int i = 0; i < n; i++) {
        x[i] = gated != NULL ? fmath_gelu(x[i]) * gated[i] : fmath_gelu(x[i]);
    }
}

static void activate_gelu_tanh(float *x, const float *gated, int n)
{
    for (int i = 0; i < n; i++) {
        x[i] = gated != NULL ? fmath_gelu_tanh(x[i]) * gated[i] : fmath_gelu_tanh(x[i]);
    }
}

static void softcap(float *x, float cap, int n)
{
    for (int i = 0; i < n; i++) {
        x[i] = fmath_softcap(x[i], cap);
    }
}

static void add(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

static void scale(float *x, float s, int n)
{
    for (int i = 0; i < n; i++) {
        x[i] *= s;
    }
}

static bool all_finite(const float *x, int n)
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

void kern_init_reference(struct choir_kernels *k)
{
    *k = (struct choir_kernels){
        .level = BASE_CPU_REFERENCE,
        .act_tile = {[DTYPE_ACT_F32] = act_tile, [DTYPE_ACT_Q8] = act_tile, [DTYPE_ACT_BF16] = act_tile},
        .act_pack = {[DTYPE_ACT_F32] = ref_act_pack_f32,
                     [DTYPE_ACT_Q8] = ref_act_pack_q8,
                     [DTYPE_ACT_BF16] = ref_act_pack_bf16},
        .matmul = {[DTYPE_F32] = ref_matmul_f32,
                   [DTYPE_F16] = ref_matmul_f16,
                   [DTYPE_BF16] = ref_matmul_bf16,
                   [DTYPE_Q8_0] = ref_matmul_q8_0,
                   [DTYPE_Q4_0] = ref_matmul_q4_0,
                   [DTYPE_Q4_1] = ref_matmul_q4_1,
                   [DTYPE_Q5_0] = ref_matmul_q5_0,
                   [DTYPE_Q5_1] = ref_matmul_q5_1,
                   [DTYPE_IQ4_NL] = ref_matmul_iq4_nl,
                   [DTYPE_Q2_K] = ref_matmul_q2_k,
                   [DTYPE_Q3_K] = ref_matmul_q3_k,
                   [DTYPE_Q4_K] = ref_matmul_q4_k,
                   [DTYPE_Q5_K] = ref_matmul_q5_k,
                   [DTYPE_Q6_K] = ref_matmul_q6_k,
                   [DTYPE_IQ4_XS] = ref_matmul_iq4_xs},
        .rmsnorm = rmsnorm,
        .rope_interleaved = rope_interleaved,
        .rope_half = rope_half,
        .layernorm = layernorm,
        .activate = {[KERN_SILU] = activate_silu, [KERN_GELU] = activate_gelu, [KERN_GELU_TANH] = activate_gelu_tanh},
        .softcap = softcap,
        .add = add,
        .scale = scale,
        .kv_put_k =
            {[KERN_KV_F32] = ref_kv_put_k_f32, [KERN_KV_F16] = ref_kv_put_k_f16, [KERN_KV_Q8_0] = ref_kv_put_k_q8_0},
        .kv_put_v =
            {[KERN_KV_F32] = ref_kv_put_v_f32, [KERN_KV_F16] = ref_kv_put_v_f16, [KERN_KV_Q8_0] = ref_kv_put_v_q8_0},
        .attn_span =
            {[KERN_KV_F32] = ref_attn_span_f32, [KERN_KV_F16] = ref_attn_span_f16, [KERN_KV_Q8_0] = ref_attn_span_q8_0},
        .attn_merge = ref_attn_merge,
        .all_finite = all_finite,
    };
    for (int type = 0; type < DTYPE_COUNT; type++) {
        k->act[type] = dtype_table[type].act;
    }
}
