/* Matrices of the quantized types for NEON, for ARM without dot product instructions. */
#include "kernels/arm/quant_types_neon.h"

void kern_init_quant_neon(struct choir_kernels *k)
{
    quant_types_init(k);
}
