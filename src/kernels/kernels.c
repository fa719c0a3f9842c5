/* The choice of kernels: the reference first, then what the architecture does better, up to a level. */
#include "kernels/kernels.h"

void kern_init(struct choir_kernels *k, base_cpu_level level)
{
    kern_init_reference(k);
    kern_init_arch(k, level);
}
