/* The machine as callers see it: processors, memory, names for options, and its measured limits. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/machine.h"
#include "engine/engine.h"
#include "kernels/probe.h"
#include "weights/mix.h"

#define CHOIR_VERSION "0.1.0"

const char *choir_version(void)
{
    return CHOIR_VERSION;
}

int choir_default_threads(void)
{
    return base_machine_cores();
}

uint64_t choir_free_memory(void)
{
    return base_machine_free_memory();
}

uint64_t choir_peak_memory(void)
{
    return base_machine_peak_memory();
}

void choir_cpu_name(char *dst, size_t cap)
{
    base_cpu_model_name(dst, (int)cap);
}

const char *choir_quant_name(int i)
{
    return wts_mix_name(i);
}

const char *choir_kv_type_name(int i)
{
    return i >= 0 && i < KV_TYPE_COUNT ? kv_type_name((enum kv_type)i) : NULL;
}

const char *choir_cpu_level_name(int i)
{
    return i >= 0 && i < BASE_CPU_COUNT ? base_cpu_level_name((base_cpu_level)i) : NULL;
}

double choir_probe_bandwidth(size_t bytes, int n_threads)
{
    struct base_arena buffer;
    if (base_arena_map(&buffer, bytes, true, "a bandwidth probe", NULL) != CHOIR_OK) {
        return 0;
    }
    memset(buffer.base, 1, bytes);
    base_cpu_level level = base_cpu_detect();
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint64_t ns = kern_probe_read(buffer.base, bytes, n_threads, level);
        best = ns < best ? ns : best;
    }
    base_arena_unmap(&buffer);
    return best > 0 ? (double)bytes * 1e9 / (double)best : 0;
}

double choir_probe_peak(const choir_model *model, int n_threads)
{
    const int ms = 50;
    enum dtype_act act = model->kernels.act[model->main_type];
    double best = 0;
    for (int i = 0; i < 3; i++) {
        double ops = kern_probe_peak(act, model->kernels.level, n_threads, ms);
        best = ops > best ? ops : best;
    }
    return best;
}
