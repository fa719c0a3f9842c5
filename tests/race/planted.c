/* Races of each kind that the thread sanitizer is there to find, put in on purpose, and a run without any: whether it still
 * finds them (tools/tsan.sh).  Not a test by itself.  planted 0: none; 1 to 3: see below. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/parallel.h"

enum { THREADS = 4, ITEMS = 64, ROUNDS = 50 };

struct plan {
    int race;
    int sum;           /* of all threads, which none may write */
    int at[ITEMS];     /* each written by whom it belongs to */
    int seen[THREADS]; /* what a thread read of another's */
    _Atomic int n_done;
};

static void meet(struct par_thread *me, struct plan *p, int round)
{
    p->at[me->id] = round;
    if (p->race != 2) { /* 2: without the barrier between a write and the neighbour's read */
        par_barrier(me);
    }
    p->seen[me->id] += p->at[(me->id + 1) % me->n];
    par_barrier(me);
}

static void share(struct par_thread *me, struct plan *p, int round)
{
    int begin, end;
    par_loop_begin(me, ITEMS, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            p->at[i] = round + i;
        }
    }
    if (p->race != 3) { /* 3: items are read before the loop has ended */
        par_loop_end(me);
    }
    p->seen[me->id] += p->at[(me->id * 17 + 31) % ITEMS];
    par_barrier(me);
}

static void work(struct par_thread *me, void *ctx)
{
    struct plan *p = ctx;
    for (int round = 0; round < ROUNDS; round++) {
        if (p->race == 1) { /* 1: all threads write one word */
            p->sum += round;
        }
        meet(me, p, round);
        share(me, p, round);
    }
    atomic_fetch_add(&p->n_done, 1);
}

int main(int argc, char **argv)
{
    struct plan p = {.race = argc > 1 ? atoi(argv[1]) : 0};
    par_run(THREADS, work, &p);
    for (int i = 0; i < THREADS; i++) { /* after the region all is seen: Archer knows */
        p.sum += p.seen[i];
    }
    printf("%d threads, sum %d\n", (int)p.n_done, p.sum);
    return 0;
}
