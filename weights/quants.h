/* Rows from one number type to another, in the file layout (base/dtype.h).  The published ggml block layouts:
 *   q8_0  f16 d, int8 q[32]              x = d q;        d = max|x| / 127,             q = round(x (1/d)), halves away from 0
 *   q4_0  f16 d, 16 bytes of nibbles     x = d (q - 8);  d = (first x of largest |x|) / -8, q = min(15, trunc(x (1/d) + 8.5))
 *         byte i: low nibble value i, high nibble value 16 + i
 * Each step rounds to f32, d to f16 at the end (q comes from the unrounded d).  A block that holds a NaN or an infinity gets a d
 * that is none either. */
#ifndef WTS_QUANTS_H
#define WTS_QUANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

/* n is a multiple of the type's block length.  src and dst any alignment; must not overlap.  Exact for f32, f16,
 * bf16 sources. */
void wts_dequantize_row(choir_dtype type, float *dst, const void *src, size_t n);
/* Rounds to nearest even for f16 and bf16; the same bits on every machine. */
void wts_quantize_row(choir_dtype type, void *dst, const float *src, size_t n);

#endif
