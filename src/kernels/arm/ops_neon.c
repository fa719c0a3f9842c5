/* The small per-token operations for NEON: norm, rotation, scale, finiteness.
 * What is left over at the end of a row is done one by one with the same operations, so with the same bits. */
#include <math.h>

#include "kernels/arm/simd_neon.h"
#include "kernels/reduce.h"

/* sum(x^2): element i in lane i % 16. */
static float sum_of_squares(const float *x, int n)
{
    neon_quad acc = neon_quad_zero();
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < 4; j++) {
            float32x4_t v = vld1q_f32(x + i + 4 * j);
            acc.v[j] = vfmaq_f32(acc.v[j], v, v);
        }
    }
    if (i == n) {
        return neon_reduce16(acc);
    }
    float lane[16];
    neon_quad_store(lane, acc);
    for (int j = 0; i < n; i++, j++) {
        lane[j] = fmaf(x[i], x[i], lane[j]);
    }
    return kern_reduce16(lane);
}

void kern_rmsnorm_neon(float *y, const float *x, const float *w, int n, float eps)
{
    const float s = kern_rms_factor(sum_of_squares(x, n), n, eps);
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        vst1q_f32(y + i, vmulq_f32(vmulq_n_f32(vld1q_f32(x + i), s), vld1q_f32(w + i)));
    }
    for (; i < n; i++) {
        y[i] = x[i] * s * w[i];
    }
}

static inline void rotate(float *a, float *b, float cosine, float sine)
{
    float x = *a, y = *b;
    *a = fmaf(x, cosine, -(y * sine));
    *b = fmaf(x, sine, y * cosine);
}

static inline void rotate_four(float32x4_t *a, float32x4_t *b, float32x4_t cosine, float32x4_t sine)
{
    float32x4_t x = *a, y = *b;
    *a = vfmaq_f32(vnegq_f32(vmulq_f32(y, sine)), x, cosine);
    *b = vfmaq_f32(vmulq_f32(y, cosine), x, sine);
}

void kern_rope_interleaved_neon(float *x, const float *cosine, const float *sine, int n_heads, int head_dim,
                                int rope_dim)
{
    const int pairs = rope_dim / 2;
    for (int h = 0; h < n_heads; h++, x += head_dim) {
        int i = 0;
        for (; i + 4 <= pairs; i += 4) {
            float32x4x2_t ab = vld2q_f32(x + 2 * i);
            rotate_four(&ab.val[0], &ab.val[1], vld1q_f32(cosine + i), vld1q_f32(sine + i));
            vst2q_f32(x + 2 * i, ab);
        }
        for (; i < pairs; i++) {
            rotate(x + 2 * i, x + 2 * i + 1, cosine[i], sine[i]);
        }
    }
}

void kern_rope_half_neon(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim)
{
    const int pairs = rope_dim / 2;
    for (int h = 0; h < n_heads; h++, x += head_dim) {
        int i = 0;
        for (; i + 4 <= pairs; i += 4) {
            float32x4_t a = vld1q_f32(x + i), b = vld1q_f32(x + pairs + i);
            rotate_four(&a, &b, vld1q_f32(cosine + i), vld1q_f32(sine + i));
            vst1q_f32(x + i, a);
            vst1q_f32(x + pairs + i, b);
        }
        for (; i < pairs; i++) {
            rotate(x + i, x + pairs + i, cosine[i], sine[i]);
        }
    }
}

void kern_scale_neon(float *x, float s, int n)
{
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        vst1q_f32(x + i, vmulq_n_f32(vld1q_f32(x + i), s));
    }
    for (; i < n; i++) {
        x[i] *= s;
    }
}

bool kern_all_finite_neon(const float *x, int n)
{
    const uint32x4_t exponent = vdupq_n_u32(0x7f800000);
    uint32x4_t bad = vdupq_n_u32(0);
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        uint32x4_t e = vandq_u32(vreinterpretq_u32_f32(vld1q_f32(x + i)), exponent);
        bad = vorrq_u32(bad, vceqq_u32(e, exponent));
    }
    bool finite = vmaxvq_u32(bad) == 0;
    for (; i < n; i++) {
        finite = finite && isfinite(x[i]);
    }
    return finite;
}
