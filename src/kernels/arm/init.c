/* The ladder of 64-bit ARM.  No step has kernels yet, so the reference stays: same bits, slower. */
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
