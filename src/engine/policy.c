#include "engine/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void pol_close(struct pol_line *p)
{
    free(p->tasks);
    *p = (struct pol_line){0};
}

choir_status pol_reserve(struct pol_line *p, int32_t n, choir_error *err)
{
    if (n <= p->tasks_cap - p->n_tasks) {
        return CHOIR_OK;
    }
    size_t cap = 2 * ((size_t)p->n_tasks + (size_t)n);
    struct pol_task **tasks = cap <= INT32_MAX ? realloc(p->tasks, cap * sizeof *tasks) : NULL;
    if (tasks == NULL) {
        return base_fail_memory(err, cap * sizeof *tasks, "the line of requests");
    }
    p->tasks = tasks;
    p->tasks_cap = (int32_t)cap;
    return CHOIR_OK;
}

void pol_add(struct pol_line *p, struct pol_task *t)
{
    assert(p->n_tasks < p->tasks_cap);
    t->running = false;
    t->n_step = 0;
    p->tasks[p->n_tasks++] = t;
}

void pol_remove(struct pol_line *p, struct pol_task *t)
{
    int32_t i = 0;
    while (p->tasks[i] != t) {
        i++;
    }
    p->n_tasks--;
    p->n_running -= t->running;
    memmove(p->tasks + i, p->tasks + i + 1, (size_t)(p->n_tasks - i) * sizeof *p->tasks);
    t->running = false;
}

static int32_t pending(const struct pol_task *t)
{
    return t->n_ids - t->table->n_tokens;
}

/* Blocks it takes until all that it has pending is computed (if it follows, until it writes for the first time), and
 * one more if it will ever need more. */
static int64_t blocks_ahead(const struct pol_line *p, const struct pol_task *t)
{
    int32_t size = kv_pool_block_size(p->pool);
    int32_t need = t->follows != NULL ? 1 : kv_table_need(t->table, p->pool, pending(t));
    need += (t->n_ids - 1) / size < (t->n_most - 1) / size;
    return need < p->most_blocks ? need : p->most_blocks;
}

static void adopt(const struct pol_line *p, struct pol_task *t)
{
    if (p->adopt != NULL && t->follows == NULL && pending(t) > 1) {
        p->adopt(t);
    }
}

/* Whether the first that waits can join those running without soon putting somebody back. */
static bool can_join(const struct pol_line *p)
{
    int64_t need = 0;
    for (int32_t i = 0; i <= p->n_running; i++) {
        need += blocks_ahead(p, p->tasks[i]);
    }
    return p->n_running == 0 || need <= kv_pool_n_free(p->pool);
}

static void admit(struct pol_line *p)
{
    while (p->n_running < p->n_tasks && p->n_running < p->max_running) {
        struct pol_task *t = p->tasks[p->n_running];
        int32_t came_with = t->table->n_tokens;
        adopt(p, t);
        if (!can_join(p)) {
            kv_table_truncate(t->table, p->pool, came_with);
            return;
        }
        t->running = true;
        p->n_running++;
    }
}

/* The youngest task that waits and holds blocks loses them; if there is none, the youngest running one does, and goes back to
 * the front of those waiting.  False when none of these is younger than task i. */
static bool preempt(struct pol_line *p, int32_t i)
{
    int32_t k = p->n_tasks - 1;
    while (k >= p->n_running && p->tasks[k]->table->n_blocks == 0) {
        k--;
    }
    if (k <= i) {
        return false;
    }
    struct pol_task *t = p->tasks[k];
    kv_table_truncate(t->table, p->pool, 0);
    if (t->running) {
        t->running = false;
        t->n_step = 0;
        p->n_running--;
        p->n_preempted++;
    }
    return true;
}

static bool is_decode(const struct pol_task *t)
{
    return t->follows == NULL && pending(t) == 1;
}

/* Whether an older task will compute the block that task i needs next, and i can adopt it then. */
static bool is_on_its_way(const struct pol_line *p, int32_t i)
{
    const struct pol_task *t = p->tasks[i];
    int32_t size = kv_pool_block_size(p->pool), end = t->table->n_tokens + size;
    if (p->adopt == NULL || t->table->n_tokens % size != 0 || end >= t->n_ids) {
        return false;
    }
    for (int32_t k = 0; k < i; k++) {
        const struct pol_task *older = p->tasks[k];
        if (older->table->n_tokens < end && end <= older->n_ids &&
            memcmp(older->ids, t->ids, (size_t)end * sizeof *t->ids) == 0) {
            return true;
        }
    }
    return false;
}

/* Tokens for task i when the batch has room for so many of prompts. */
static int32_t share_of_step(const struct pol_line *p, int32_t i, int32_t room)
{
    const struct pol_task *t = p->tasks[i];
    int32_t n = pending(t);
    if (is_decode(t)) {
        return 1;
    }
    if (room == 0 || t->follows != NULL || is_on_its_way(p, i)) {
        return 0;
    }
    return n < room ? n : room;
}

int32_t pol_plan(struct pol_line *p)
{
    admit(p);
    int32_t room = p->batch, total = 0, taken = 0; /* taken: blocks of those planned so far */
    for (int32_t i = 0; i < p->n_running; i++) {
        p->tasks[i]->n_step = 0;
        adopt(p, p->tasks[i]); /* all of them before blocks are counted */
        room -= is_decode(p->tasks[i]);
    }
    for (int32_t i = 0; i < p->n_running; i++) {
        struct pol_task *t = p->tasks[i];
        int32_t n = share_of_step(p, i, room);
        int32_t need = kv_table_need(t->table, p->pool, n);
        while (need > kv_pool_n_free(p->pool) - taken && preempt(p, i)) {
            need = kv_table_need(t->table, p->pool, n); /* a block that was shared may be its own now */
        }
        if (need > kv_pool_n_free(p->pool) - taken) {
            break; /* it is the youngest that runs */
        }
        t->n_step = n;
        taken += need;
        total += n;
        room -= is_decode(t) ? 0 : n;
    }
    return total;
}
