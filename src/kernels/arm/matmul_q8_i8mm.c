/* Matrices of q8_0 for ARM with i8mm: usdot takes the panel's unsigned bytes as they are.
 * (usmmla does two rows by two tokens in one instruction, but wants both operands zipped and its sums unzipped: about
 * a tenth fewer instructions, not worth another form.) */
#include "kernels/arm/dot_neon.h"

static inline void add_block(float (*sum)[16], const struct neon_block *block, int n_tokens)
{
    neon_dot_block_of(DOT_Q8_USDOT, n_tokens, sum, block);
}

void kern_matmul_q8_0_i8mm(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add)
{
    neon_matmul_quant(add_block, NEON_DOT_TOKENS, 1088, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
