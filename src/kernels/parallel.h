/* Threads.  The only OpenMP pragma of the program is in parallel.c.
 *
 * One parallel region per step: par_run enters it, every thread runs fn to the end, phases are parted by par_barrier.
 * Work is split over outputs (rows, heads, tokens), never over a sum, so the number of threads cannot change a bit. */
#ifndef KERN_PARALLEL_H
#define KERN_PARALLEL_H

#include <stdatomic.h>

struct par_barrier;

/* One thread of a team, as fn sees it. */
struct par_thread {
    int id; /* 0 .. n-1 */
    int n;  /* threads in the team */
    struct par_barrier *barrier;
    unsigned phase; /* barriers passed so far */
};

typedef void par_fn(struct par_thread *me, void *ctx);

/* Runs fn(me, ctx) on n_threads threads (1: plainly, in the caller's) and returns when all have finished.  If fewer
 * threads can be had, the team is smaller.  par_run is not called from within fn. */
void par_run(int n_threads, par_fn *fn, void *ctx);

/* All threads of the team meet: what each wrote before, all see after.  Spins for a while, then sleeps. */
void par_barrier(struct par_thread *me);

/* This thread's share [*begin, *end) of n things in whole groups of `unit`; the shares are contiguous, ordered by
 * thread and differ by at most one group. */
void par_share(const struct par_thread *me, int n, int unit, int *begin, int *end);

#endif
