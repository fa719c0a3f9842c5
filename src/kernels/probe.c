/* Limits of this machine, measured.  The figures mean something only beside others taken in the same run: clocks and
 * memory bandwidth of shared machines drift. */
#include "kernels/probe.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "kernels/parallel.h"
#include "kernels/probe_loops.h"

/* ---- reference loops ---------------------------------------------------------------------------------- */

enum { N_SUMS = 8, N_CHAINS = 16, ROUNDS = 4096 };

static uint64_t read_reference(const void *data, size_t bytes)
{
    const char *src = data;
    uint64_t sum[N_SUMS] = {0};
    size_t i = 0;
    for (; i + sizeof sum <= bytes; i += sizeof sum) {
        uint64_t line[N_SUMS];
        memcpy(line, src + i, sizeof line);
        for (int j = 0; j < N_SUMS; j++) {
            sum[j] += line[j];
        }
    }
    for (; i < bytes; i++) {
        sum[0] += (unsigned char)src[i];
    }
    for (int j = 1; j < N_SUMS; j++) {
        sum[0] += sum[j];
    }
    return sum[0];
}

static double peak_f32_reference(int n_rounds)
{
    volatile float start = 0x1p-10f;
    float a = start;
    float acc[N_CHAINS] = {0};
    for (int i = 0; i < n_rounds; i++) {
        for (int j = 0; j < N_CHAINS; j++) {
            acc[j] = fmaf(a, a, acc[j]);
        }
    }
    float sum = 0.0f;
    for (int j = 0; j < N_CHAINS; j++) {
        sum += acc[j];
    }
    return (double)sum;
}

static double peak_q8_reference(int n_rounds)
{
    volatile int8_t start = 3;
    int32_t q = start;
    int32_t acc[N_CHAINS] = {0};
    for (int i = 0; i < n_rounds; i++) {
        for (int j = 0; j < N_CHAINS; j++) {
            acc[j] += (int8_t)(i + j) * q;
        }
    }
    double sum = 0.0;
    for (int j = 0; j < N_CHAINS; j++) {
        sum += (double)acc[j];
    }
    return sum;
}

static struct probe_loops loops_of(base_cpu_level level)
{
    struct probe_loops loops = {
        .read = read_reference,
        .peak = {[DTYPE_ACT_F32] = peak_f32_reference, [DTYPE_ACT_Q8] = peak_q8_reference},
        .round_ops = {[DTYPE_ACT_F32] = 2 * N_CHAINS, [DTYPE_ACT_Q8] = 2 * N_CHAINS},
    };
    probe_init_arch(&loops, level);
    if (loops.peak[DTYPE_ACT_BF16] == NULL) { /* no dot instruction: bf16 is multiplied as f32 */
        loops.peak[DTYPE_ACT_BF16] = loops.peak[DTYPE_ACT_F32];
        loops.round_ops[DTYPE_ACT_BF16] = loops.round_ops[DTYPE_ACT_F32];
    }
    return loops;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

struct read_probe {
    struct probe_loops loops;
    const char *buffer;
    size_t bytes;
    uint64_t ns;
    _Atomic uint64_t sink;
};

static void read_part(struct par_thread *me, void *ctx)
{
    struct read_probe *probe = ctx;
    size_t part = (probe->bytes / (size_t)me->n) & ~(size_t)63;
    size_t begin = part * (size_t)me->id;
    size_t bytes = me->id == me->n - 1 ? probe->bytes - begin : part;
    par_barrier(me);
    uint64_t start = base_clock_ns();
    uint64_t sum = probe->loops.read(probe->buffer + begin, bytes);
    par_barrier(me);
    if (me->id == 0) {
        probe->ns = base_clock_ns() - start;
    }
    atomic_fetch_add(&probe->sink, sum);
}

uint64_t kern_probe_read(const void *buffer, size_t bytes, int n_threads, base_cpu_level level)
{
    struct read_probe probe = {.loops = loops_of(level), .buffer = buffer, .bytes = bytes};
    par_run(n_threads, read_part, &probe);
    return probe.ns;
}

/* ---- multiplying and adding --------------------------------------------------------------------------- */

struct peak_probe {
    struct probe_loops loops;
    enum dtype_act act;
    uint64_t ns;           /* how long to run */
    _Atomic uint64_t rate; /* operations per second, of all threads so far */
    _Atomic uint64_t sink;
};

static void peak_part(struct par_thread *me, void *ctx)
{
    struct peak_probe *probe = ctx;
    double (*peak)(int) = probe->loops.peak[probe->act];
    double sum = peak(ROUNDS); /* wakes the vector units */
    double n_rounds = 0.0;
    par_barrier(me);
    uint64_t start = base_clock_ns();
    uint64_t ns;
    do {
        sum += peak(ROUNDS);
        n_rounds += ROUNDS;
        ns = base_clock_ns() - start;
    } while (ns < probe->ns);
    double rate = n_rounds * probe->loops.round_ops[probe->act] / (double)ns * 1e9;
    atomic_fetch_add(&probe->rate, (uint64_t)rate);
    atomic_fetch_add(&probe->sink, sum > 0.0);
}

double kern_probe_peak(enum dtype_act act, base_cpu_level level, int n_threads, int ms)
{
    struct peak_probe probe = {.loops = loops_of(level), .act = act, .ns = (uint64_t)(ms > 0 ? ms : 1) * 1000000u};
    par_run(n_threads, peak_part, &probe);
    return (double)atomic_load(&probe.rate);
}
