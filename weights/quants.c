/* Rows between f32 and the file layouts.  Nothing here is left to libm or to contraction: one IEEE operation after
 * the other, so the bytes of a quantized file do not depend on the machine that made it. */
#include "weights/quants.h"

#include <assert.h>
#include <string.h>

#include "weights/lanes.h"
#include "weights/quants_blocks.h"

/* ---- f32, f16, bf16 ---------------------------------------------------------------------------------- */

static void dequantize_f32(float *dst, const unsigned char *src, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

static void quantize_f32(unsigned char *dst, const float *src, size_t n)
{
    memcpy(dst, src, n * sizeof *src);
}

/* base_f32_from_f16 of four. */
static inline void widen_f16(float dst[4], const unsigned char *src)
{
    typedef uint16_t halves __attribute__((vector_size(8)));
    halves h;
    memcpy(&h, src, sizeof h);
    const lanes_i32 wide = __builtin_convertvector(h, lanes_i32), u = (wide & 0x7fff) << 13;
    const lanes_i32 small = (lanes_i32)((lanes_f32)(u + 0x38800000) - 0x1p-14f), is_small = u < 0x00800000;
    const lanes_i32 none = u | 0x7f800000 | ((u > 0x0f800000) & 0x400000), is_none = u >= 0x0f800000;
    const lanes_i32 bits = (is_small & small) | (is_none & none) | (~(is_small | is_none) & (u + 0x38000000));
    const lanes_i32 x = bits | (wide & 0x8000) << 16;
    memcpy(dst, &x, sizeof x);
}

static void dequantize_f16(float *dst, const unsigned char *src, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        widen_f16(dst + i, src + 2 * i);
    }
    for (; i < n; i++) {
        dst[i] = wts_load_f16(src + 2 * i);
    }
}

static void quantize_f16(unsigned char *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wts_store_16(dst + 2 * i, base_f16_from_f32(src[i]));
    }
}

static void dequantize_bf16(float *dst, const unsigned char *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = base_f32_from_bf16((uint16_t)(src[2 * i] | src[2 * i + 1] << 8));
    }
}

static void quantize_bf16(unsigned char *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wts_store_16(dst + 2 * i, base_bf16_from_f32(src[i]));
    }
}

/* ---- the table --------------------------------------------------------------------------------------- */

static const struct {
    wts_dequantize_fn *dequantize;
    wts_quantize_fn *quantize; /* NULL: none */
} rows[DTYPE_COUNT] = {
    [DTYPE_F32] = {dequantize_f32, quantize_f32},
    [DTYPE_F16] = {dequantize_f16, quantize_f16},
    [DTYPE_BF16] = {dequantize_bf16, quantize_bf16},
    [DTYPE_Q8_0] = {wts_dequantize_q8_0, wts_quantize_q8_0},
    [DTYPE_Q4_0] = {wts_dequantize_q4_0, wts_quantize_q4_0},
    [DTYPE_Q4_1] = {wts_dequantize_q4_1, wts_quantize_q4_1},
    [DTYPE_Q5_0] = {wts_dequantize_q5_0, wts_quantize_q5_0},
    [DTYPE_Q5_1] = {wts_dequantize_q5_1, wts_quantize_q5_1},
    [DTYPE_IQ4_NL] = {wts_dequantize_iq4_nl, NULL},
    [DTYPE_Q2_K] = {wts_dequantize_q2_k, wts_quantize_q2_k},
    [DTYPE_Q3_K] = {wts_dequantize_q3_k, wts_quantize_q3_k},
    [DTYPE_Q4_K] = {wts_dequantize_q4_k, wts_quantize_q4_k},
    [DTYPE_Q5_K] = {wts_dequantize_q5_k, wts_quantize_q5_k},
    [DTYPE_Q6_K] = {wts_dequantize_q6_k, wts_quantize_q6_k},
    [DTYPE_IQ4_XS] = {wts_dequantize_iq4_xs, NULL},
};

bool wts_quantizable(choir_dtype type)
{
    return rows[type].quantize != NULL;
}

void wts_dequantize_row(choir_dtype type, float *dst, const void *src, size_t n)
{
    assert(n % (size_t)dtype_table[type].block_len == 0);
    rows[type].dequantize(dst, src, n);
}

void wts_quantize_row(choir_dtype type, void *dst, const float *src, size_t n)
{
    assert(n % (size_t)dtype_table[type].block_len == 0);
    rows[type].quantize(dst, src, n);
}
