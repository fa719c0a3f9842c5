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

void choir_machine_count(choir_machine_counters *out)
{
    struct base_machine_counters c;
    base_machine_count(&c, "");
    *out = (choir_machine_counters){.ticks = c.ticks,
                                    .stolen_ticks = c.stolen_ticks,
                                    .waited_ns = c.waited_ns,
                                    .throttled = c.throttled,
                                    .mhz = c.mhz};
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

enum { PROBE_MS = 20 };

static double read_rate(const void *data, size_t bytes, int n_threads)
{
    const base_cpu_level level = base_cpu_detect();
    uint64_t best = UINT64_MAX, spent = 0;
    for (int pass = 0; pass < 2 || spent < PROBE_MS * UINT64_C(1000000); pass++) {
        const uint64_t ns = kern_probe_read(data, bytes, n_threads, level);
        spent += ns;
        best = ns < best ? ns : best;
    }
    return best > 0 ? (double)bytes * 1e9 / (double)best : 0;
}

double choir_probe_bandwidth(const choir_model *model, int n_threads)
{
    const size_t least = (size_t)1 << 24, most = (size_t)1 << 30;
    const struct base_arena *weights = &model->weights->arena;
    if (weights->used >= least && weights->used >= model->weights->weight_bytes / 2) {
        return read_rate(weights->base, weights->used, n_threads);
    }
    const uint64_t wanted = model->weights->weight_bytes, room = base_machine_free_memory() / 4;
    size_t bytes = wanted < most ? (size_t)wanted : most;
    bytes = bytes < room ? bytes : (size_t)room;
    bytes = bytes > least ? bytes : least;
    struct base_arena buffer;
    if (base_arena_map(&buffer, bytes, true, "a bandwidth probe", NULL) != CHOIR_OK) {
        return 0;
    }
    memset(buffer.base, 1, bytes);
    const double rate = read_rate(buffer.base, bytes, n_threads);
    base_arena_unmap(&buffer);
    return rate;
}

double choir_probe_peak(const choir_model *model, int n_threads)
{
    return kern_probe_peak(model->kernels.act[model->main_type], model->kernels.level, n_threads, PROBE_MS);
}
