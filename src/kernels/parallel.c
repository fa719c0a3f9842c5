/* Threads: one OpenMP region per step, and a barrier of our own inside it.
 *
 * The barrier is one counter on the caller's stack that only grows: at its k-th barrier a thread adds 1 and waits for
 * k n.  Waiting threads read the very word that the last one writes, so with two threads a barrier is two moves of a
 * cache line (42 ns measured on a Zen 3 VM in November 2026, with a phase word of its own 93).  They spin first, since
 * most waits are far shorter than a system call, but not for long: a thread whose core was taken away would be awaited
 * for milliseconds, so after SPINS pauses they sleep in the kernel.  A team with more threads than processors hardly
 * spins at all: the awaited thread needs the core of the waiting one. */
#if defined(__linux__)
#define _GNU_SOURCE /* syscall */
#endif

#include "kernels/parallel.h"

#include <omp.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <sched.h>
#endif

enum {
    LINE = 64,
    SPINS = 1000,      /* of 15 to 40 ns each: about what sleeping and waking costs */
    SPINS_CROWDED = 20 /* more threads than processors */
};

/* Two cache lines: the counter, and what only sleepers write. */
struct par_barrier {
    _Alignas(LINE) _Atomic uint64_t arrivals; /* of all threads at all barriers so far */
    _Alignas(LINE) atomic_uint wakes;         /* what sleepers wait for */
    atomic_uint sleepers;
    int spins;
};

static inline void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* `yield` takes no time on most cores */
#endif
}

/* Sleeps until *word is no longer `value`; may return early. */
static void word_wait(atomic_uint *word, unsigned value)
{
#if defined(__linux__)
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
    (void)word;
    (void)value;
    (void)sched_yield();
#endif
}

static void word_wake_all(atomic_uint *word)
{
#if defined(__linux__)
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
#else
    (void)word;
#endif
}

/* Waits until `target` arrivals are counted. */
static void arrivals_await(struct par_barrier *b, uint64_t target)
{
    for (int i = 0; i < b->spins; i++) {
        if (atomic_load_explicit(&b->arrivals, memory_order_acquire) >= target) {
            return;
        }
        spin_pause();
    }
    /* Sequentially consistent, like the last thread's arrival and its look at `sleepers`: either the sleeper sees that
     * arrival or the last thread sees the sleeper. */
    atomic_fetch_add(&b->sleepers, 1);
    for (;;) {
        unsigned wakes = atomic_load(&b->wakes);
        if (atomic_load(&b->arrivals) >= target) {
            break;
        }
        word_wait(&b->wakes, wakes);
    }
    atomic_fetch_sub(&b->sleepers, 1);
}

void par_barrier(struct par_thread *me)
{
    struct par_barrier *b = me->barrier;
    me->phase++;
    if (me->n == 1) {
        return;
    }
    uint64_t target = (uint64_t)me->phase * (uint64_t)me->n;
    if (atomic_fetch_add(&b->arrivals, 1) + 1 < target) {
        arrivals_await(b, target);
    } else if (atomic_load(&b->sleepers) != 0) {
        atomic_fetch_add(&b->wakes, 1);
        word_wake_all(&b->wakes);
    }
}

void par_run(int n_threads, par_fn *fn, void *ctx)
{
    struct par_barrier barrier = {.spins = SPINS};
    if (n_threads <= 1) {
        struct par_thread me = {.id = 0, .n = 1, .barrier = &barrier};
        fn(&me, ctx);
        return;
    }
    if (n_threads > omp_get_num_procs()) {
        barrier.spins = SPINS_CROWDED;
    }
#pragma omp parallel num_threads(n_threads)
    {
        struct par_thread me = {.id = omp_get_thread_num(), .n = omp_get_num_threads(), .barrier = &barrier};
        fn(&me, ctx);
    }
}

void par_share(const struct par_thread *me, int n, int unit, int *begin, int *end)
{
    int64_t n_groups = ((int64_t)n + unit - 1) / unit;
    int64_t first = n_groups * me->id / me->n * unit;
    int64_t last = n_groups * (me->id + 1) / me->n * unit;
    *begin = (int)(first < n ? first : n);
    *end = (int)(last < n ? last : n);
}
