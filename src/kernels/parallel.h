/* Threads.  The only OpenMP pragma of the program is in parallel.c.
 *
 * One parallel region per step: par_run enters it, every thread runs fn to the end, phases are parted by loops and
 * barriers.  Work is split over outputs (rows, heads, tokens), never over a sum, so neither the number of threads nor
 * who did what can change a bit. */
#ifndef KERN_PARALLEL_H
#define KERN_PARALLEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { PAR_MAX_THREADS = 1024 };

struct par_team;

/* A loop as one thread goes through it; the same for all but `victim` and `held`. */
struct par_loop {
    int n, unit, grain;
    int victim; /* whose share is being taken from, counted from this thread's own */
    int held;   /* items claimed and not yet reported as done */
};

/* One thread of a team, as fn sees it. */
struct par_thread {
    int id; /* 0 .. n-1 */
    int n;  /* threads in the team */
    struct par_team *team;
    uint32_t phase; /* loops and barriers begun so far */
    uint64_t due;   /* what must be reported as done before the next phase may begin */
    struct par_loop loop;
    uint64_t slept_ns; /* waiting for others, beyond spinning */
};

typedef void par_fn(struct par_thread *me, void *ctx);

/* How many threads of n (at most PAR_MAX_THREADS) a team can have, at least 1.  libgomp ends the program when the system
 * refuses it a thread, so what was not yet had is tried first, with threads that do nothing. */
int par_threads(int n);

/* Runs fn(me, ctx) on n_threads threads (1 or less: plainly, in the caller's; at most PAR_MAX_THREADS) and returns when
 * all have finished.  If fewer threads can be had, the team is smaller.  par_run is not called from within fn. */
void par_run(int n_threads, par_fn *fn, void *ctx);

/* A team for runs that are alike and follow each other, as the steps of a model.  Zeroed: all threads. */
struct par_crew {
    int most;      /* threads in the next run; 0: all */
    int bad, good; /* runs in a row */
    int pause;     /* good runs before more threads are tried again */
};

/* par_run with as many threads as pay.  On a machine that is busy with other things a thread that lost its processor is
 * awaited for milliseconds in a phase of microseconds.  When the caller has waited for more than half of two runs in a row,
 * half as many threads would have been as fast; so half as many take part in the next ones, and after a while, longer each
 * time it was in vain, more are tried again. */
void par_run_crew(struct par_crew *crew, int n_threads, par_fn *fn, void *ctx);

/* All threads of the team meet: what each wrote before, all see after.  Spins for a while, then sleeps. */
void par_barrier(struct par_thread *me);

/* A loop over n items that ends when all items are done, whoever did them:
 *
 *     par_loop_begin(me, n, unit, grain);
 *     while (par_loop_next(me, &begin, &end)) { items [begin, end) }
 *     par_loop_end(me);
 *
 * All threads go through the same loops with the same numbers.  Each begins with its own share (par_share: contiguous,
 * always the same, so that what it reads may still be in its cache), a part of it at a time, at least `grain` items;
 * when that is used up it takes parts of the others' shares, so a thread that is slow, or whose processor was taken
 * away, leaves less to wait for.  begin is a multiple of unit, so is end unless it is n.  Shares of at most `grain`
 * items are done whole by whom they belong to.
 *
 * par_loop_end returns when all n items are done and sees everything that was written for them.  It does not wait for
 * threads, only for work: a thread may come late to a loop that has ended, and goes on to the next.  So what is written
 * between loops, not for a claimed item, must be the thread's own; and what a thread reads outside of claimed items
 * must not be written by later loops. */
void par_loop_begin(struct par_thread *me, int n, int unit, int grain);
bool par_loop_next(struct par_thread *me, int *begin, int *end);
void par_loop_end(struct par_thread *me);

/* This thread's share [*begin, *end) of n things in whole groups of `unit`; the shares are contiguous, ordered by
 * thread and differ by at most one group. */
void par_share(const struct par_thread *me, int n, int unit, int *begin, int *end);

#endif
