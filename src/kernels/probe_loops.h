/* The loops that the probes time, one set per level. */
#ifndef KERN_PROBE_LOOPS_H
#define KERN_PROBE_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/dtype.h"

/* What a loop returns is made of all it did; the caller keeps it, so that no compiler can leave the work out. */
struct probe_loops {
    /* Reads every byte of [data, data + bytes) once, in order. */
    uint64_t (*read)(const void *data, size_t bytes);
    /* n_rounds rounds of independent multiply-adds on registers. */
    double (*peak[DTYPE_ACT_COUNT])(int n_rounds);
    /* Operations in a round of `peak`; a multiply-add counts two. */
    int round_ops[DTYPE_ACT_COUNT];
};

/* Overwrites the loops (the reference's) by the best of this architecture up to `level`. */
void probe_init_arch(struct probe_loops *loops, base_cpu_level level);

#endif
