/* Rows from one number type to another, in the file layout (base/dtype.h).  The published ggml block layouts:
 *
 *   nibbles[16]   byte i: low nibble value i, high nibble value 16 + i
 *   q8_0    f16 d, int8 q[32]                              x = d q
 *   q4_0    f16 d, nibbles q[16]                           x = d (q - 8)
 *   q4_1    f16 d, f16 m, nibbles q[16]                    x = d q + m
 *   q5_0    f16 d, u32 high, nibbles q[16]                 x = d (q - 16), bit i of high is the fifth of value i
 *   q5_1    f16 d, f16 m, u32 high, nibbles q[16]          x = d q + m
 *   iq4_nl  f16 d, nibbles q[16]                           x = d dtype_iq4_values[q]
 *
 * and super-blocks of 256 values, in 8 blocks of 32 or 16 of 16.  Values of 64 (128) neighbours share bytes:
 *   lines4  byte i of 32: low nibble value i, high nibble value 32 + i
 *   lines2  byte i of 32: bits 2f, 2f + 1 value 32 f + i
 *   bits    byte i of 32: bit b value 32 b + i of all 256
 *   q2_K    u8 s[16], lines2 q[64], f16 d, f16 dmin        x = d (s & 15) q - dmin (s >> 4)
 *   q3_K    bits high[32], lines2 q[64], u8 s[12], f16 d   x = d (sc - 32) (q - (high ? 0 : 4)), sc 6 bits of s
 *   q4_K    f16 d, f16 dmin, u8 s[12], lines4 q[128]       x = d sc q - dmin m, sc and m 6 bits of s
 *   q5_K    f16 d, f16 dmin, u8 s[12], bits high[32], lines4 q[128]     x = d sc q - dmin m
 *   q6_K    u8 low[128], lines2 high[64], int8 s[16], f16 d             x = d s (q - 32)
 *           low: 64 bytes to 128 values, byte i: low nibble value i, high nibble value 64 + i
 *   iq4_xs  f16 d, u16 high, u8 low[4], nibbles q[8][16]   x = d (sc - 32) dtype_iq4_values[q], sc 2 bits of high, 4 of low
 *
 * How values become these, each step rounded to f32, d and m to f16 at the end (q comes from the unrounded ones):
 *   q8_0  d = max|x| / 127,                        q = round(x (1/d)), halves away from 0
 *   q4_0  d = (first x of largest |x|) / -8,       q = min(15, trunc(x (1/d) + 8.5))
 * A block that holds a NaN or an infinity gets a d that is none either. */
#ifndef WTS_QUANTS_H
#define WTS_QUANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

/* Whether values can be turned into the type; all can be read. */
bool wts_quantizable(choir_dtype type);

/* n is a multiple of the type's block length.  src and dst any alignment; must not overlap.  Exact for f32, f16,
 * bf16 sources. */
void wts_dequantize_row(choir_dtype type, float *dst, const void *src, size_t n);
/* Only of types that wts_quantizable says yes to.  Rounds to nearest even for f16 and bf16; the same bits on every machine. */
void wts_quantize_row(choir_dtype type, void *dst, const float *src, size_t n);

#endif
