/* One token times panels of quantized weights, 256-bit vectors: everything in registers, two panels side by side, their
 * lines in turn, because two streams come faster from memory than one. */
#ifndef KERN_QUANT_ONE_AVX2_H
#define KERN_QUANT_ONE_AVX2_H

#include "kernels/pack.h"
#include "kernels/x86/quant_avx2.h"

/* gcc's replacement of temporaries by their expressions moves instructions away from where they stand, past the loads
 * and prefetches of whole blocks, and its reassociation makes trees of chains of additions: more registers than there
 * are, 5 to 20 % slower. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-ter", "no-tree-reassoc")
#endif

#ifdef __AVXVNNI__
enum { VNNI = 1 };
#else
enum { VNNI = 0 };
#endif

enum {
    ACT_BYTES = KERN_ACT_Q8_BYTES,
    FETCH_ONE = 1024, /* how far ahead of the multiplication weights are fetched, bytes */
};

/* acc + four products to each 32-bit lane. */
#ifdef __AVXVNNI__
static inline __m256i add_dot4(__m256i acc, __m256i u, __m256i x)
{
    return _mm256_dpbusd_avx_epi32(acc, u, x);
}
#else
static inline __m256i add_dot4(__m256i acc, __m256i u, __m256i x) /* u: w + 128, and the result that of w */
{
    const __m256i w = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#endif

/* The integer sums of 8 rows' pair of blocks with one token: dot [block][run].  x: the token's block 0. */
AVX2_TEMPLATE void dot_pair(const choir_dtype type, __m256i dot[2][2], const uint8_t *unit, int h, const int parity,
                            const int half, const int8_t *x)
{
    const enum dtype_form form = quant_form(type);
    const int runs = quant_runs(form), room = VNNI ? 0 : quant_room(type);
    const bool offset = !quant_has_min(form) && (VNNI || room > 0);
#pragma GCC unroll 2
    for (int b = 0; b < 2; b++) {
        const struct kern_act_q8 act = kern_act_q8_block(x + ACT_BYTES * b, 1);
        const int32_t all = *act.bias >> quant_shift(type), low = *act.bias_lo >> quant_shift(type);
        dot[b][0] = _mm256_set1_epi32(!offset ? 0 : runs == 1 ? all : low);
        dot[b][1] = _mm256_set1_epi32(!offset ? 0 : all - low);
    }
    __m256i sum16[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
#pragma GCC unroll 8
    for (int s = 0; s < 8; s++) {
        __m256i u[2];
        quant_step(type, u, unit, h, parity, half, s);
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            const int b = quant_block(type, s, v), g = quant_group(type, s, v), run = runs == 2 ? g / 4 : 0;
            const __m256i x4 = avx2_broadcast_4x8(x + ACT_BYTES * b + 4 * g);
            if (room == 0) {
                dot[b][run] = add_dot4(dot[b][run], u[v], x4);
                continue;
            }
            /* the two vectors of a step have sums of their own; a block of 32 has 4 steps, of a super-block 8 */
            const int steps = quant_is_super(type) ? room : 4;
            const __m256i pairs = _mm256_maddubs_epi16(u[v], x4);
            sum16[v] = s % steps == 0 ? pairs : _mm256_add_epi16(sum16[v], pairs);
            if (s % steps == steps - 1) {
                const __m256i sum = _mm256_madd_epi16(sum16[v], _mm256_set1_epi16(1));
                dot[b][run] = _mm256_add_epi32(dot[b][run], sum);
            }
        }
    }
}

/* acc + the pair of blocks. */
AVX2_TEMPLATE __m256 add_pair(const choir_dtype type, __m256 acc, const uint8_t *unit, int h, const int parity,
                              const int half, const int8_t *x)
{
    const enum dtype_form form = quant_form(type);
    __m256i dot[2][2];
    dot_pair(type, dot, unit, h, parity, half, x);
#pragma GCC unroll 2
    for (int b = 0; b < 2; b++) {
        const struct kern_act_q8 act = kern_act_q8_block(x + ACT_BYTES * b, 1);
        const __m256 dx = _mm256_broadcast_ss(act.d);
#pragma GCC unroll 2
        for (int run = 0; run < quant_runs(form); run++) {
            __m256 dw, mw = _mm256_setzero_ps();
            quant_scale(type, &dw, &mw, unit, 2 * h + parity, half, b, run);
            acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot[b][run]), _mm256_mul_ps(dw, dx), acc);
            if (form == DTYPE_FORM_M32) {
                acc = _mm256_fmadd_ps(mw, _mm256_broadcast_ss(act.dsum), acc);
            } else if (form == DTYPE_FORM_M16) {
                const int32_t sum = (run == 0 ? *act.bias_lo : *act.bias - *act.bias_lo) >> 7;
                acc = _mm256_fmadd_ps(mw, _mm256_mul_ps(dx, _mm256_set1_ps((float)sum)), acc);
            }
        }
    }
    return acc;
}

/* Fetches what lies `distance` behind a pair's share of its unit. */
AVX2_TEMPLATE void fetch_pair(const choir_dtype type, const uint8_t *unit, int h, const int parity, int distance)
{
    const int lines = quant_unit_bytes(type) / 64, share = quant_is_super(type) ? (lines + 3) / 4 : lines;
    const uintptr_t ahead = (uintptr_t)unit + (uintptr_t)(distance + (2 * h + parity) * share * 64);
#pragma GCC unroll 17
    for (int i = 0; i < share; i++) {
        _mm_prefetch((const char *)(ahead + (uintptr_t)(64 * i)), _MM_HINT_T0);
    }
}

/* One token against N panels, `stride` bytes apart. */
AVX2_TEMPLATE void multiply_one(const choir_dtype type, const int N, float (*sum)[16], const uint8_t *unit,
                                size_t stride, const int8_t *x, int units)
{
    const int halves = quant_is_super(type) ? 2 : 1, parities = quant_is_super(type) ? 2 : 1;
    __m256 acc[2][2];
    for (int n = 0; n < N; n++) {
        acc[n][0] = acc[n][1] = _mm256_setzero_ps();
    }
    for (int u = 0; u < units; u++, unit += quant_unit_bytes(type)) {
        for (int h = 0; h < halves; h++) {
#pragma GCC unroll 2
            for (int parity = 0; parity < parities; parity++, x += 2 * ACT_BYTES) {
#pragma GCC unroll 2
                for (int n = 0; n < N; n++) {
                    const uint8_t *from = unit + (size_t)n * stride;
                    fetch_pair(type, from, h, parity, FETCH_ONE);
                    acc[n][0] = add_pair(type, acc[n][0], from, h, parity, 0, x);
                    acc[n][1] = add_pair(type, acc[n][1], from, h, parity, 1, x);
                }
            }
        }
    }
    for (int n = 0; n < N; n++) {
        _mm256_storeu_ps(sum[n], acc[n][0]);
        _mm256_storeu_ps(sum[n] + 8, acc[n][1]);
    }
}

/* One token against all rows. */
AVX2_TEMPLATE void multiply_vector(const choir_dtype type, float *y, const uint8_t *panel, int n_rows, const int8_t *x,
                                   int units, bool add)
{
    const size_t panel_bytes = (size_t)units * (size_t)quant_unit_bytes(type);
    _Alignas(32) float sum[2][16];
    int r = 0;
    for (; r + DTYPE_PANEL_ROWS < n_rows; r += 2 * DTYPE_PANEL_ROWS, panel += 2 * panel_bytes) {
        multiply_one(type, 2, sum, panel, panel_bytes, x, units);
        avx2_store_rows(y + r, 0, (const float(*)[16])sum, 1, DTYPE_PANEL_ROWS, add);
        avx2_store_rows(y + r + 16, 0, (const float(*)[16])(sum + 1), 1, n_rows - r - 16, add);
    }
    if (r < n_rows) {
        multiply_one(type, 1, sum, panel, 0, x, units);
        avx2_store_rows(y + r, 0, (const float(*)[16])sum, 1, n_rows - r, add);
    }
}

#endif
