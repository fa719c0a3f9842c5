/* Matrices of q8_0 for ARM with i8mm: usdot takes the panel's unsigned bytes as they are.  The other types' numbers are
 * small enough to be signed or unsigned: nothing to gain. */
#include "kernels/arm/quant_neon.h"

static void q8_0(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens, int tile,
                 bool add)
{
    neon_matmul_quant(NEON_U8, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

void kern_init_quant_i8mm(struct choir_kernels *k)
{
    k->matmul[DTYPE_Q8_0] = q8_0;
}
