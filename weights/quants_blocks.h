/* Quantized rows, by layout: for quants.c's table, and what its parts share. */
#ifndef WTS_QUANTS_BLOCKS_H
#define WTS_QUANTS_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/half.h"

/* src and dst as wts_dequantize_row and wts_quantize_row have them. */
typedef void wts_dequantize_fn(float *dst, const unsigned char *src, size_t n);
typedef void wts_quantize_fn(unsigned char *dst, const float *src, size_t n);

/* Blocks of 32. */
wts_dequantize_fn wts_dequantize_q8_0, wts_dequantize_q4_0, wts_dequantize_q4_1, wts_dequantize_q5_0,
    wts_dequantize_q5_1, wts_dequantize_iq4_nl;
wts_quantize_fn wts_quantize_q8_0, wts_quantize_q4_0, wts_quantize_q4_1, wts_quantize_q5_0, wts_quantize_q5_1;

/* Super-blocks of 256. */
wts_dequantize_fn wts_dequantize_q2_k, wts_dequantize_q3_k, wts_dequantize_q4_k, wts_dequantize_q5_k,
    wts_dequantize_q6_k, wts_dequantize_iq4_xs;
wts_quantize_fn wts_quantize_q2_k, wts_quantize_q3_k, wts_quantize_q4_k, wts_quantize_q5_k, wts_quantize_q6_k;

static inline uint16_t wts_load_16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline float wts_load_f16(const unsigned char *p)
{
    return base_f32_from_f16(wts_load_16(p));
}

static inline void wts_store_16(unsigned char *p, uint16_t h)
{
    p[0] = (unsigned char)(h & 0xff);
    p[1] = (unsigned char)(h >> 8);
}

#endif
