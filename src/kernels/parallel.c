/* Threads: one OpenMP region per step, and inside it loops and barriers of our own.
 *
 * One counter, `done`, on the caller's stack, only grows: each finished item of a loop adds 1, each arrival at a barrier
 * adds 1.  All threads go through the same phases, so each knows what the counter must reach before the next phase may
 * begin.  Waiting threads read the very word that the last one writes, so with two threads a barrier is two moves of a
 * cache line (42 ns measured on a Zen 3 VM in November 2026, with a phase word of its own 93).  They spin first, since
 * most waits are far shorter than a system call, but not for long: a thread whose core was taken away would be awaited
 * for milliseconds, so after SPINS pauses they sleep in the kernel.  A team with more threads than processors hardly
 * spins at all: the awaited thread needs the core of the waiting one.
 *
 * A share of a loop is a cursor, (phase, next item) in one word, moved on by compare-and-swap.  Shares are known to all,
 * so a cursor that still shows an older phase is an untouched share: nobody needs to open a loop for the others. */
#if defined(__linux__)
#define _GNU_SOURCE /* syscall */
#endif

#include "kernels/parallel.h"

#include <omp.h>
#include <pthread.h>
#include <stddef.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <sched.h>
#endif

#include "base/clock.h"

enum {
    LINE = 64,
    SPINS = 1000,       /* of 15 to 50 ns each: about what sleeping and waking costs */
    SPINS_CROWDED = 20, /* more threads than processors */
    PARTS = 8           /* of a share that is worth splitting */
};

struct par_cursor {
    _Alignas(LINE) _Atomic uint64_t at; /* phase << 32 | next item */
};

struct par_team {
    _Alignas(LINE) _Atomic uint64_t done; /* items and arrivals of all threads so far */
    _Alignas(LINE) atomic_uint wakes;     /* what sleepers wait for; this line only they write */
    atomic_uint sleepers;
    int spins;
    struct par_cursor *cursors; /* [n] */
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

/* Waits until all that is due is done. */
static void await(struct par_thread *me)
{
    struct par_team *team = me->team;
    const uint64_t due = me->due;
    for (int i = 0; i < team->spins; i++) {
        if (atomic_load_explicit(&team->done, memory_order_acquire) >= due) {
            return;
        }
        spin_pause();
    }
    /* Sequentially consistent, like the last thread's report and its look at `sleepers`: either the sleeper sees that
     * report or the last thread sees the sleeper. */
    const uint64_t begun = base_clock_ns();
    atomic_fetch_add(&team->sleepers, 1);
    for (;;) {
        unsigned wakes = atomic_load(&team->wakes);
        if (atomic_load(&team->done) >= due) {
            break;
        }
        word_wait(&team->wakes, wakes);
    }
    atomic_fetch_sub(&team->sleepers, 1);
    me->slept_ns += base_clock_ns() - begun;
}

/* n more are done; true when that was all of the phase. */
static bool report(struct par_thread *me, int n)
{
    struct par_team *team = me->team;
    if (atomic_fetch_add(&team->done, (uint64_t)n) + (uint64_t)n < me->due) {
        return false;
    }
    if (atomic_load(&team->sleepers) != 0) {
        atomic_fetch_add(&team->wakes, 1);
        word_wake_all(&team->wakes);
    }
    return true;
}

void par_barrier(struct par_thread *me)
{
    me->phase++;
    me->due += (uint64_t)me->n;
    if (me->n > 1 && !report(me, 1)) {
        await(me);
    }
}

/* ---- loops -------------------------------------------------------------------------------------------- */

static void share_of(int id, int n_threads, int n, int unit, int *begin, int *end)
{
    int64_t n_groups = ((int64_t)n + unit - 1) / unit;
    int64_t first = n_groups * id / n_threads * unit;
    int64_t last = n_groups * (id + 1) / n_threads * unit;
    *begin = (int)(first < n ? first : n);
    *end = (int)(last < n ? last : n);
}

void par_share(const struct par_thread *me, int n, int unit, int *begin, int *end)
{
    share_of(me->id, me->n, n, unit, begin, end);
}

void par_loop_begin(struct par_thread *me, int n, int unit, int grain)
{
    me->phase++;
    me->due += (uint64_t)n;
    me->loop = (struct par_loop){.n = n, .unit = unit, .grain = grain};
}

/* Whether shares are large enough to be taken in parts, and by others. */
static bool is_divisible(const struct par_thread *me)
{
    return (int64_t)me->loop.n > (int64_t)me->n * me->loop.grain;
}

/* Claims a part of thread v's share. */
static bool claim(struct par_thread *me, int v, int *begin, int *end)
{
    const struct par_loop *loop = &me->loop;
    int first, last;
    share_of(v, me->n, loop->n, loop->unit, &first, &last);
    int part = (last - first + PARTS - 1) / PARTS;
    part = part < loop->grain ? loop->grain : part;
    part = (part + loop->unit - 1) / loop->unit * loop->unit;
    _Atomic uint64_t *cursor = &me->team->cursors[v].at;
    uint64_t seen = atomic_load_explicit(cursor, memory_order_relaxed);
    for (;;) {
        const uint32_t phase = (uint32_t)(seen >> 32);
        const int next = phase == me->phase ? (int)(uint32_t)seen : first;
        if (phase > me->phase || next >= last) {
            return false; /* a later phase: this one has ended */
        }
        const int stop = last - next < part ? last : next + part;
        const uint64_t moved = (uint64_t)me->phase << 32 | (uint32_t)stop;
        /* Relaxed: what the items need was seen when the last phase ended, what they leave is reported. */
        if (atomic_compare_exchange_weak_explicit(cursor, &seen, moved, memory_order_relaxed, memory_order_relaxed)) {
            *begin = next;
            *end = stop;
            return true;
        }
    }
}

bool par_loop_next(struct par_thread *me, int *begin, int *end)
{
    struct par_loop *loop = &me->loop;
    if (me->n > 1 && loop->held > 0) {
        report(me, loop->held);
        loop->held = 0;
    }
    if (me->n == 1 || !is_divisible(me)) {
        share_of(me->id, me->n, loop->n, loop->unit, begin, end);
        bool first = loop->victim++ == 0 && *begin < *end;
        loop->held = first ? *end - *begin : 0;
        return first;
    }
    for (; loop->victim < me->n; loop->victim++) {
        if (claim(me, (me->id + loop->victim) % me->n, begin, end)) {
            loop->held = *end - *begin;
            return true;
        }
    }
    return false;
}

void par_loop_end(struct par_thread *me)
{
    if (me->n > 1) {
        await(me);
    }
}

/* ---- teams -------------------------------------------------------------------------------------------- */

static void run_alone(par_fn *fn, void *ctx)
{
    struct par_thread me = {.id = 0, .n = 1};
    fn(&me, ctx);
}

/* ---- threads that can be had ---- */

struct gate {
    pthread_mutex_t lock; /* held by the one who counts */
};

static void *wait_at(void *gate)
{
    struct gate *g = gate;
    pthread_mutex_lock(&g->lock);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* How many threads of n can be there at a time besides the caller's: they are made, and ended. */
static int try_threads(int n)
{
    pthread_t threads[PAR_MAX_THREADS];
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER};
    int made = 0;
    pthread_mutex_lock(&gate.lock);
    while (made < n && pthread_create(&threads[made], NULL, wait_at, &gate) == 0) {
        made++;
    }
    pthread_mutex_unlock(&gate.lock);
    for (int i = 0; i < made; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_destroy(&gate.lock);
    return made;
}

/* libgomp keeps the threads of a caller's last team for its next one; what the system refuses it beyond them ends the program.
 * So they are asked for at every growth: what was free once may be in use by now. */
static _Thread_local int n_kept = 1; /* with the caller */

static int try_team(int n)
{
    return n > n_kept ? n_kept + try_threads(n - n_kept) : n;
}

int par_threads(int n)
{
    static atomic_int had = 1, most = PAR_MAX_THREADS; /* a team that could be had, and what was too many less 1 */
    const int limit = atomic_load(&most);
    n = n < limit ? n : limit;
    if (n > atomic_load(&had)) {
        const int team = 1 + try_threads(n - 1);
        atomic_store(team < n ? &most : &had, team);
        n = team;
    }
    return n > 1 ? n : 1;
}

/* fn on n_threads threads; how long the caller was at work, not waiting for others. */
static uint64_t run_team(int n_threads, par_fn *fn, void *ctx)
{
    struct par_cursor cursors[PAR_MAX_THREADS];
    struct par_team team = {.spins = n_threads > omp_get_num_procs() ? SPINS_CROWDED : SPINS, .cursors = cursors};
    uint64_t busy = 0;
    for (int i = 0; i < n_threads; i++) {
        atomic_init(&cursors[i].at, 0);
    }
#pragma omp parallel num_threads(n_threads)
    {
        struct par_thread me = {.id = omp_get_thread_num(), .n = omp_get_num_threads(), .team = &team};
        const uint64_t begun = base_clock_ns();
        fn(&me, ctx);
        if (me.id == 0) {
            n_kept = me.n;
            busy = base_clock_ns() - begun - me.slept_ns;
        }
    }
    return busy;
}

void par_run(int n_threads, par_fn *fn, void *ctx)
{
    n_threads = try_team(par_threads(n_threads));
    if (n_threads <= 1) {
        run_alone(fn, ctx);
    } else {
        run_team(n_threads, fn, ctx);
    }
}

/* ---- crews -------------------------------------------------------------------------------------------- */

enum {
    BAD_RUNS = 2,        /* in a row, before half of the team is left out */
    FEWEST_RUNS = 8,     /* before twice as many are tried, at first */
    MOST_RUNS = 2048,    /* four times as many each time that was in vain, up to these */
    GOOD_RUNS_AGAIN = 64 /* of the whole team, after which what was is forgotten */
};

static void went_badly(struct par_crew *crew, int n)
{
    crew->good = 0;
    if (++crew->bad >= BAD_RUNS) {
        crew->bad = 0;
        crew->most = n / 2;
        crew->pause = crew->pause == 0 ? FEWEST_RUNS : crew->pause < MOST_RUNS ? 4 * crew->pause : MOST_RUNS;
    }
}

static void went_well(struct par_crew *crew, int n_threads)
{
    crew->bad = 0;
    crew->good++;
    if (crew->most > 0 && crew->good >= crew->pause) {
        crew->most = 2 * crew->most < n_threads ? 2 * crew->most : 0;
        crew->good = 0;
    } else if (crew->most == 0 && crew->good >= GOOD_RUNS_AGAIN) {
        crew->pause = 0;
    }
}

void par_run_crew(struct par_crew *crew, int n_threads, par_fn *fn, void *ctx)
{
    n_threads = par_threads(n_threads);
    const int n = try_team(crew->most > 0 && crew->most < n_threads ? crew->most : n_threads);
    if (n <= 1) {
        run_alone(fn, ctx);
        if (n_threads > 1) {
            went_well(crew, n_threads);
        }
        return;
    }
    const uint64_t begun = base_clock_ns();
    const uint64_t busy = run_team(n, fn, ctx);
    if (2 * busy < base_clock_ns() - begun) {
        went_badly(crew, n);
    } else {
        went_well(crew, n_threads);
    }
}
