/* Architectures without kernels of their own: the reference stays. */
#include "kernels/kernels.h"
#include "kernels/probe_loops.h"

void kern_init_arch(struct choir_kernels *k, base_cpu_level level)
{
    (void)k;
    (void)level;
}

void probe_init_arch(struct probe_loops *loops, base_cpu_level level)
{
    (void)loops;
    (void)level;
}
