/* Who runs: which sequences take part in the next step, with how many tokens, who waits and who is put back.  It sees
 * ids and blocks only, no model; the scheduler does what it says.  Private to src/engine.
 *
 * All tasks stand in one line in the order in which they came:
 *
 *     tasks   [ oldest  ...  ...  |  ...  ...  ...  youngest ]
 *               running: n_running   waiting, hold no block but what they came with
 *
 * Running tasks are always the older ones.  The first that waits is admitted when there are free blocks for all that those
 * running and it have pending, and for each that will need it one more.  A step computes one token of everybody who has just one pending
 * (a decode) and fills the batch with chunks of the others' prompts, older ones first; a task whose next block is about to be
 * computed by an older one, since they begin alike, waits for it.  A task that lacks blocks in a step takes them from those
 * waiting that came with some (forks), then from the youngest running one, which goes back to the front of those waiting;
 * either is computed again later.  When it is itself the youngest, it sits the step out.
 *
 * So the oldest computes at least a token in every step and is never put back: a task in whose line stand, it included, n
 * tokens (of prompts, and the most that may be generated) when it comes has ended after at most n steps. */
#ifndef ENG_POLICY_H
#define ENG_POLICY_H

#include "choir.h"
#include "kv/block_pool.h"

/* What the policy knows of a sequence.  The first five are the owner's to set, the rest the policy's. */
struct pol_task {
    struct kv_table *table; /* what is computed of it */
    const int32_t *ids;     /* [n_ids] */
    int32_t n_ids;          /* those above table->n_tokens are pending */
    int32_t n_most;         /* most that it will ever have */
    /* It waits, while it runs and without taking part in steps, for this task's prompt, which is its own, to be shared
     * with it.  NULL: it computes its prompt itself. */
    const struct pol_task *follows;
    bool running;
    int32_t n_step; /* tokens in the step planned, 0: none */
};

struct pol_line {
    struct kv_pool *pool;
    struct pol_task **tasks; /* [n_tasks], oldest first; the first n_running run */
    int32_t n_tasks, tasks_cap, n_running;
    int32_t batch;       /* most tokens in a step */
    int32_t max_running; /* 1 to batch */
    int32_t most_blocks; /* that a task ever holds; at most the pool's */
    /* Takes into the table what the prefix cache has of the pending tokens; NULL: there is none. */
    void (*adopt)(struct pol_task *t);
    uint64_t n_preempted;
};

/* A line begins as {.pool .batch .max_running .most_blocks .adopt}.  The tasks are the caller's. */
void pol_close(struct pol_line *p);

/* Makes room for n more tasks. */
choir_status pol_reserve(struct pol_line *p, int32_t n, choir_error *err);
/* To the end of the line; there must be room. */
void pol_add(struct pol_line *p, struct pol_task *t);
/* Out of the line, wherever it stands; its table is left alone. */
void pol_remove(struct pol_line *p, struct pol_task *t);

/* Admits, adopts, preempts (emptying tables) and sets n_step of all running tasks.  The pool then has the blocks for that step.
 * Returns the step's tokens; 0 with tasks in the line: the oldest finds no block although nobody else runs, so
 * others than these tasks hold them. */
int32_t pol_plan(struct pol_line *p);

#endif
