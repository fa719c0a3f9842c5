/* The panel layout: how a weight matrix lies in memory once it is loaded.
 *
 * A panel is 16 output rows.  Vector lanes are rows, so a dot product never needs a horizontal sum, one panel is
 * one sequential stream for decode (matrix x vector), and prefill (matrix x matrix) reads it without gathers.
 * Rows past the end of the matrix and columns past the end of a row are zero.
 *
 *   f32   [col][16] f32                      f16   [col][16] f16
 *   bf16  [col/2][16][2] bf16                (pairs, as the bf16 dot instruction wants them)
 *
 * Quantized panels are units of two blocks of 32 columns, or of one super-block of 256, built of these parts (each a
 * multiple of 64 bytes, so that groups begin at cache lines):
 *
 *   halves    f16 [k][16]              scales and minimums of the rows
 *   bytes     u8 or i8 [k][16]         of their sub-blocks
 *   bytes 8   8 groups g of [16 rows][4] bytes: byte (row, i) is column 4g + i of a block of 32
 *   nibbles   4 groups g of a block: low nibble = column 4g + i, high nibble = column 16 + 4g + i (GGUF's own pairing)
 *   lines 4   8 groups g to 64 columns: low nibble = column 4g + i of the first block, high nibble = that of the second
 *   lines 2   8 groups g to 128 columns: bits 2f, 2f+1 = column 4g + i of block f of the four
 *   masks     8 u64 to a block: bit 4 row + i of mask g belongs to column 4g + i (little-endian: 64 bytes)
 *
 *   type    columns  bytes  a unit is                                                              stands for
 *   q8_0         64   1088  halves scale[2]; per block: bytes 8                                    w + 128
 *   q4_0         64    576  halves scale[2]; per block: nibbles                                    w + 8
 *   iq4_nl       64    576  as q4_0                                                                codebook index
 *   q4_1         64    640  halves scale[2], min[2]; per block: nibbles                            w
 *   q5_0         64    704  halves scale[2]; per block: nibbles, masks of the fifth bit            w + 16
 *   q5_1         64    768  halves scale[2], min[2]; per block: nibbles, masks of the fifth bit    w
 *   q4_K        256   2368  halves d, dmin; bytes sc[8], m[8]; 4 x lines 4                         w
 *   q5_K        256   2880  as q4_K; per block: masks of the fifth bit                             w
 *   q6_K        256   3392  halves d, 0; bytes sc[16]; 4 x lines 4; 2 x lines 2 of bits 4, 5       w + 32
 *   q3_K        256   1856  halves d, 0; bytes sc[16]; 2 x lines 2; per block: masks of the third  w + 4
 *   q2_K        256   1344  halves d, dmin; bytes scm[16] (low nibble sc, high m); 2 x lines 2     w
 *   iq4_xs      256   2240  halves d, 0; bytes sc[8]; 4 x lines 4                                  codebook index
 * sc of q6_K, q3_K and iq4_xs is signed (w has the scale d sc), that of the others and m are not (w d sc - m dmin).
 * The min of q4_1 and q5_1 is added, as in the file: w scale + min.
 *
 * The file layout of the source rows is that of base/dtype.h. */
#ifndef KERN_PACK_H
#define KERN_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

/* Packs n_rows (1 to 16) rows of n_cols columns (whole blocks of the file layout) into one panel (dtype_panel_bytes).
 * rows: file layout, row_bytes apart, any alignment.  panel: 64-byte aligned; must not overlap rows.  Missing rows are
 * zeroed. */
void kern_pack_panel(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols);

/* The same, and whether all numbers are finite; of quantized rows, the scales and minimums, all else of which is integers. */
bool kern_pack_panel_checked(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols);

/* dst[n_cols] f32 = row `row` (0 to 15) of the panel; the inverse of packing: the same bits as dequantizing the file's
 * row. */
void kern_unpack_row(choir_dtype type, float *dst, const void *panel, int row, int n_cols);

#endif
