/* The panel layout: how a weight matrix lies in memory once it is loaded.
 *
 * A panel is 16 output rows.  Vector lanes are rows, so a dot product never needs a horizontal sum, one panel is
 * one sequential stream for decode (matrix x vector), and prefill (matrix x matrix) reads it without gathers.
 * Rows past the end of the matrix and columns past the end of a row are zero.
 *
 *   f32   [col][16] f32                      f16   [col][16] f16
 *   bf16  [col/2][16][2] bf16                (pairs, as the bf16 dot instruction wants them)
 *
 *   q8_0  units of 64 columns = two blocks of 32, 1088 bytes (17 cache lines):
 *           f16 scale[2][16]                             one line
 *           per block: 8 groups g of [16 rows][4] bytes  byte = w ^ 0x80 (= w + 128, unsigned), columns 4g .. 4g+3
 *   q4_0  units of 64 columns, 576 bytes (9 cache lines):
 *           f16 scale[2][16]
 *           per block: 4 groups g of [16 rows][4] bytes  low nibble = column 4g + i, high nibble = column 16 + 4g + i
 *                                                        (nibble 0 .. 15 stands for w + 8, GGUF's own pairing)
 *
 * The file layout of the source rows is that of base/dtype.h. */
#ifndef KERN_PACK_H
#define KERN_PACK_H

#include <stddef.h>

#include "base/dtype.h"

/* Packs n_rows (1 to 16) rows of n_cols columns into one panel (dtype_panel_bytes).  rows: file layout, row_bytes
 * apart, any alignment.  panel: 64-byte aligned; must not overlap rows.  Missing rows are zeroed. */
void kern_pack_panel(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols);

/* dst[n_cols] f32 = row `row` (0 to 15) of the panel; the inverse of packing, and exact. */
void kern_unpack_row(choir_dtype type, float *dst, const void *panel, int row, int n_cols);

#endif
