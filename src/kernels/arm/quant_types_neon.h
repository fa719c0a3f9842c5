/* The matmuls of all quantized types, for whichever of the instruction sets the file that includes this is compiled for.
 * It calls quant_types_init once. */
#ifndef KERN_QUANT_TYPES_NEON_H
#define KERN_QUANT_TYPES_NEON_H

#include "kernels/arm/quant_neon.h"

#define QUANT_TYPES(X)                                                                                                 \
    X(Q8_0) X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(IQ4_NL) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_XS)

#define X(type)                                                                                                        \
    static void matmul_##type(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,            \
                              int n_tokens, int tile, bool add)                                                        \
    {                                                                                                                  \
        neon_matmul_quant(DTYPE_##type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);                          \
    }
QUANT_TYPES(X)
#undef X

static inline void quant_types_init(struct choir_kernels *k)
{
#define X(type) k->matmul[DTYPE_##type] = matmul_##type;
    QUANT_TYPES(X)
#undef X
}

#endif
