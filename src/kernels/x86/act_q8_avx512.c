/* Int8 activations for AVX-512. */
#include "kernels/x86/matmul_quant_avx512.h"

/* Even tiles of at most 6 tokens: 8 are 4 + 4. */
int kern_act_tile_q8_avx512(int n_tokens)
{
    const int tiles = (n_tokens + STRIP_TILE - 1) / STRIP_TILE;
    return (n_tokens + tiles - 1) / tiles;
}
