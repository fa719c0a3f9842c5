/* What this machine can do at most, measured: the limits that `choir bench` holds its own figures against. */
#ifndef KERN_PROBE_H
#define KERN_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/dtype.h"

/* Plain read bandwidth, bytes per second: n_threads threads each stream through their part of `buffer` (bytes large,
 * far above the caches, written before) once.  Returns the time in ns. */
uint64_t kern_probe_read(const void *buffer, size_t bytes, int n_threads, base_cpu_level level);

/* Operations per second (a multiply-add counts two) of the multiply-add instruction that matmul uses for `act` at
 * `level`, on n_threads threads, registers only, over about ms milliseconds. */
double kern_probe_peak(enum dtype_act act, base_cpu_level level, int n_threads, int ms);

#endif
