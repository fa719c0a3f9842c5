/* The small per-token operations for AVX2: norm, rotation, scale, finiteness.
 * What is left over at the end of a row is done one by one with the same operations, so with the same bits. */
#include <math.h>

#include "kernels/reduce.h"
#include "kernels/x86/simd_avx2.h"

/* sum(x^2): element i in lane i % 16. */
static float sum_of_squares(const float *x, int n)
{
    avx2_pair acc = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        avx2_pair v = avx2_pair_load(x + i);
        acc.lo = _mm256_fmadd_ps(v.lo, v.lo, acc.lo);
        acc.hi = _mm256_fmadd_ps(v.hi, v.hi, acc.hi);
    }
    _Alignas(32) float lane[16];
    avx2_pair_store(lane, acc);
    for (int j = 0; i < n; i++, j++) {
        lane[j] = fmaf(x[i], x[i], lane[j]);
    }
    return kern_reduce16(lane);
}

void kern_rmsnorm_avx2(float *y, const float *x, const float *w, int n, float eps)
{
    const float s = kern_rms_factor(sum_of_squares(x, n), n, eps);
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(s));
        _mm256_storeu_ps(y + i, _mm256_mul_ps(v, _mm256_loadu_ps(w + i)));
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

/* Numbers 0 0 1 1 2 2 3 3 of four. */
static inline __m256 duplicate4(const float *p)
{
    __m256 v = _mm256_broadcast_ps((const __m128 *)(const void *)p);
    return _mm256_permutevar_ps(v, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

void kern_rope_interleaved_avx2(float *x, const float *cosine, const float *sine, int n_heads, int head_dim,
                                int rope_dim)
{
    const int pairs = rope_dim / 2;
    for (int h = 0; h < n_heads; h++, x += head_dim) {
        int i = 0;
        for (; i + 4 <= pairs; i += 4) { /* even lanes: a cos - (b sin), odd lanes: a sin + (b cos) */
            __m256 c = duplicate4(cosine + i), s = duplicate4(sine + i);
            __m256 v = _mm256_loadu_ps(x + 2 * i);
            __m256 a = _mm256_moveldup_ps(v), b = _mm256_movehdup_ps(v);
            __m256 with_b = _mm256_mul_ps(b, _mm256_blend_ps(s, c, 0xaa));
            _mm256_storeu_ps(x + 2 * i, _mm256_fmaddsub_ps(a, _mm256_blend_ps(c, s, 0xaa), with_b));
        }
        for (; i < pairs; i++) {
            rotate(x + 2 * i, x + 2 * i + 1, cosine[i], sine[i]);
        }
    }
}

void kern_rope_half_avx2(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim)
{
    const int pairs = rope_dim / 2;
    for (int h = 0; h < n_heads; h++, x += head_dim) {
        int i = 0;
        for (; i + 8 <= pairs; i += 8) {
            __m256 c = _mm256_loadu_ps(cosine + i), s = _mm256_loadu_ps(sine + i);
            __m256 a = _mm256_loadu_ps(x + i), b = _mm256_loadu_ps(x + pairs + i);
            _mm256_storeu_ps(x + i, _mm256_fmsub_ps(a, c, _mm256_mul_ps(b, s)));
            _mm256_storeu_ps(x + pairs + i, _mm256_fmadd_ps(a, s, _mm256_mul_ps(b, c)));
        }
        for (; i < pairs; i++) {
            rotate(x + i, x + pairs + i, cosine[i], sine[i]);
        }
    }
}

void kern_scale_avx2(float *x, float s, int n)
{
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(s)));
    }
    for (; i < n; i++) {
        x[i] *= s;
    }
}

bool kern_all_finite_avx2(const float *x, int n)
{
    const __m256i exponent = _mm256_set1_epi32(0x7f800000);
    __m256i bad = _mm256_setzero_si256();
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i e = _mm256_and_si256(avx2_load_i32(x + i), exponent);
        bad = _mm256_or_si256(bad, _mm256_cmpeq_epi32(e, exponent));
    }
    bool finite = _mm256_testz_si256(bad, bad);
    for (; i < n; i++) {
        finite = finite && isfinite(x[i]);
    }
    return finite;
}
