/* Quantized panels: pack.h draws them.  For pack.c. */
#ifndef KERN_PACK_QUANT_H
#define KERN_PACK_QUANT_H

#include <stddef.h>

#include "base/dtype.h"

/* kern_pack_panel of a type whose form is not DTYPE_FORM_NONE. */
void kern_pack_quant(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols);

#endif
