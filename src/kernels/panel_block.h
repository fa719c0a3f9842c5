/* One row's block of 32 columns in a quantized panel, as numbers: what the bytes that pack.h draws stand for.  For
 * unpacking and for the reference kernels. */
#ifndef KERN_PANEL_BLOCK_H
#define KERN_PANEL_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

/* Column c of the block is scale[c / 16] * w[c] - min[c / 16].  w, scale and min are exact.  The forms of one scale
 * have it twice; those without a minimum have 0. */
struct kern_panel_block {
    int8_t w[32];
    float scale[2];
    float min[2];
};

/* Block `block` of row `row` (0 to 15) of a panel of a quantized type, the padding one included. */
void kern_panel_block_get(choir_dtype type, struct kern_panel_block *dst, const void *panel, int row, size_t block);

#endif
