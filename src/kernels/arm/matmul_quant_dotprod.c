/* Matrices of the quantized types for ARM with dotprod: sdot. */
#include "kernels/arm/quant_types_neon.h"

void kern_init_quant_dotprod(struct choir_kernels *k)
{
    quant_types_init(k);
}
