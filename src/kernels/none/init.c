/* Architectures without kernels of their own: the reference stays. */
#include "kernels/kernels.h"

void kern_init_arch(struct choir_kernels *k, base_cpu_level level)
{
    (void)k;
    (void)level;
}
