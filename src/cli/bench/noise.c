/* Whether the machine was quiet while it was measured.  Each limit is what a quiet machine stays below: its runs differ by
 * 1 or 2 %, and nobody takes a processor away. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/bench/bench.h"

static const double spread_most = 0.05, steal_most = 0.01, waited_most = 0.02, frequency_most = 0.05;

void noise_begin(noise_meter *m)
{
    *m = (noise_meter){.begun_ns = base_clock_ns()};
    choir_machine_count(&m->begun);
}

void noise_sample(noise_meter *m)
{
    choir_machine_counters now;
    choir_machine_count(&now);
    if (now.mhz > 0) {
        m->mhz_lowest = m->mhz_highest == 0 || now.mhz < m->mhz_lowest ? now.mhz : m->mhz_lowest;
        m->mhz_highest = now.mhz > m->mhz_highest ? now.mhz : m->mhz_highest;
    }
}

void noise_end(bench_noise *out, const noise_meter *m, const double *samples_ts, size_t n)
{
    choir_machine_counters now;
    choir_machine_count(&now);
    const double mean = stats_mean(samples_ts, n), ns = (double)(base_clock_ns() - m->begun_ns);
    const double ticks = (double)(now.ticks - m->begun.ticks);
    *out = (bench_noise){
        .spread = n > 1 && mean > 0 ? stats_stddev(samples_ts, n) / mean : NAN,
        .steal = now.ticks > 0 && ticks > 0 ? (double)(now.stolen_ticks - m->begun.stolen_ticks) / ticks : NAN,
        .waited = now.waited_ns > 0 && ns > 0 ? (double)(now.waited_ns - m->begun.waited_ns) / ns : NAN,
        .throttled = (double)(now.throttled - m->begun.throttled),
        .mhz_lowest = m->mhz_highest > 0 ? m->mhz_lowest : NAN,
        .mhz_highest = m->mhz_highest > 0 ? m->mhz_highest : NAN,
    };
}

/* Comparisons with NAN are false: what is not told is no noise. */
static bool frequency_changed(const bench_noise *n)
{
    return n->mhz_lowest < (1 - frequency_most) * n->mhz_highest;
}

bool noise_is_much(const bench_noise *n)
{
    return n->spread > spread_most || n->steal > steal_most || n->waited > waited_most || n->throttled > 0 ||
           frequency_changed(n);
}

void noise_add(bench_noise *worst, const bench_noise *n)
{
    worst->spread = fmax(worst->spread, n->spread); /* of a number and NAN, fmax is the number */
    worst->steal = fmax(worst->steal, n->steal);
    worst->waited = fmax(worst->waited, n->waited);
    worst->throttled += n->throttled;
    worst->mhz_lowest = fmin(worst->mhz_lowest, n->mhz_lowest);
    worst->mhz_highest = fmax(worst->mhz_highest, n->mhz_highest);
}

static void add_reason(char *dst, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add_reason(char *dst, size_t cap, const char *format, ...)
{
    size_t used = strlen(dst);
    if (used > 0 && used + 2 < cap) {
        used += (size_t)snprintf(dst + used, cap - used, ", ");
    }
    va_list args;
    va_start(args, format);
    vsnprintf(dst + used, cap - used, format, args);
    va_end(args);
}

const char *noise_text(char *dst, size_t cap, const bench_noise *n)
{
    dst[0] = '\0';
    if (n->spread > spread_most) {
        add_reason(dst, cap, "runs differ by %.0f %%", 100 * n->spread);
    }
    if (n->steal > steal_most) {
        add_reason(dst, cap, "%.1f %% of the time was stolen by the hypervisor", 100 * n->steal);
    }
    if (n->waited > waited_most) {
        add_reason(dst, cap, "%.0f %% of the time no processor was free", 100 * n->waited);
    }
    if (n->throttled > 0) {
        add_reason(dst, cap, "the control group was throttled %.0f times", n->throttled);
    }
    if (frequency_changed(n)) {
        add_reason(dst, cap, "the clock changed from %.0f to %.0f MHz", n->mhz_highest, n->mhz_lowest);
    }
    return dst;
}
