/* Who runs, without a model: random arrivals, lengths, samples, forks and cancellations in pools from nearly nothing to plenty.  A
 * "cache" indexed by slot holds a value for each token and all before it, so that what a task reads back of its past shows
 * whether its blocks are its own.  After every step: nobody lost, no block leaked, those who run are the older ones, the oldest
 * went on, everybody ends in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/policy.h"

enum { MAX_LEN = 80, MAX_TASKS = 40, STEPS = 50000 };

struct setting {
    int32_t block, n_blocks, batch, max_running;
    bool cache;
    int crowd; /* tasks in the line up to which more come */
};

struct sim_task {
    struct pol_task line;
    struct kv_table table;
    int32_t ids[MAX_LEN];
    int32_t n_prompt, n_end; /* tokens that it begins and ends with */
    int32_t n_most;          /* that it may end with */
    uint64_t seed, number, deadline;
    bool there, is_fork;
};

struct sim {
    struct setting x;
    struct pol_line line;
    struct sim_task tasks[MAX_TASKS];
    uint64_t *cache; /* [n_blocks * block] */
    uint64_t rng, step, n_came, n_ended, n_cancelled;
    uint64_t n_shared, n_adopted, n_mixed, n_forks;
};

static struct sim *now; /* whose turn it is, for adopt */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0x9e3779b97f4a7c15u ^ (b + 0x7f4a7c15u) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 30) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t rnd(struct sim *s, uint32_t n)
{
    s->rng = mix(s->rng, 1);
    return (uint32_t)(s->rng >> 33) % n;
}

static void adopt(struct pol_task *t)
{
    now->n_adopted += (uint64_t)kv_table_adopt(t->table, now->line.pool, t->ids, t->n_ids - 1);
}

/* ---- coming and going ---- */

static struct sim_task *unused(struct sim *s)
{
    for (int i = 0; i < MAX_TASKS; i++) {
        if (!s->tasks[i].there) {
            return &s->tasks[i];
        }
    }
    return NULL;
}

/* Tokens that all in the line may still take, each from its first on. */
static uint64_t tokens_in_line(const struct sim *s)
{
    uint64_t n = 0;
    for (int32_t i = 0; i < s->line.n_tasks; i++) {
        n += (uint64_t)((const struct sim_task *)s->line.tasks[i])->n_most;
    }
    return n;
}

/* Begins with what another holds now, which it holds too, and goes on otherwise.  False when there is nothing to begin with. */
static bool begin_as_fork(struct sim *s, struct sim_task *t)
{
    const int32_t n_tasks = s->line.n_tasks;
    const struct sim_task *src = n_tasks > 0 ? (struct sim_task *)s->line.tasks[rnd(s, (uint32_t)n_tasks)] : t;
    const int32_t n = src->table.n_tokens;
    if (n == 0 || n >= MAX_LEN) {
        return false;
    }
    assert_int_equal(kv_table_fork(&t->table, &src->table, s->line.pool, NULL), CHOIR_OK);
    t->n_prompt = n + 1 + (int32_t)rnd(s, (uint32_t)(MAX_LEN - n));
    memcpy(t->ids, src->ids, (size_t)n * sizeof *t->ids);
    for (int32_t i = n; i < t->n_prompt; i++) {
        t->ids[i] = (int32_t)(mix(t->number, (uint64_t)i) % 1000);
    }
    s->n_forks++;
    return true;
}

static struct sim_task *come(struct sim *s, const struct sim_task *first)
{
    struct sim_task *t = unused(s);
    if (t == NULL) {
        return NULL;
    }
    struct kv_table table = t->table;
    *t = (struct sim_task){.table = table, .there = true, .number = ++s->n_came, .seed = rnd(s, 9)};
    t->line.table = &t->table;
    t->line.ids = t->ids;
    if (first != NULL) {
        t->n_prompt = first->n_prompt;
        t->line.follows = &first->line;
        memcpy(t->ids, first->ids, sizeof t->ids);
    } else if (rnd(s, 3) == 0 && begin_as_fork(s, t)) {
        t->is_fork = true;
    } else {
        t->n_prompt = 1 + (int32_t)rnd(s, rnd(s, 3) == 0 ? MAX_LEN : MAX_LEN / 3);
        uint64_t book = rnd(s, 4), from = rnd(s, MAX_LEN); /* begins as others do, then goes its own way */
        for (int32_t i = 0; i < t->n_prompt; i++) {
            t->ids[i] = (int32_t)(mix((uint64_t)i < from ? book : t->number, (uint64_t)i) % 1000);
        }
    }
    int32_t room = MAX_LEN - t->n_prompt;
    t->n_most = t->n_prompt + (int32_t)rnd(s, (uint32_t)(room < 50 ? room : 50) + 1);
    t->n_end = t->n_prompt + (int32_t)rnd(s, (uint32_t)(t->n_most - t->n_prompt) + 1);
    t->line.n_ids = t->n_prompt;
    t->line.n_most = t->n_most;
    assert_int_equal(pol_reserve(&s->line, 1, NULL), CHOIR_OK);
    pol_add(&s->line, &t->line);
    t->deadline = s->step + tokens_in_line(s);
    return t;
}

static void arrive(struct sim *s)
{
    if (s->line.n_tasks >= s->x.crowd || rnd(s, 3) > 0) {
        return;
    }
    const struct sim_task *first = come(s, NULL);
    int32_t more = first != NULL && rnd(s, 4) == 0 ? (int32_t)rnd(s, 4) : 0;
    while (more-- > 0 && come(s, first) != NULL) {
    }
}

static void go(struct sim *s, struct sim_task *t)
{
    const struct pol_task *heir = NULL;
    pol_remove(&s->line, &t->line);
    for (int32_t i = 0; i < s->line.n_tasks; i++) {
        if (s->line.tasks[i]->follows == &t->line) {
            s->line.tasks[i]->follows = heir;
            heir = heir == NULL ? s->line.tasks[i] : heir;
        }
    }
    kv_table_truncate(&t->table, s->line.pool, 0);
    t->there = false;
}

static void cancel(struct sim *s)
{
    if (s->line.n_tasks > 0 && rnd(s, 40) == 0) {
        go(s, (struct sim_task *)s->line.tasks[rnd(s, (uint32_t)s->line.n_tasks)]);
        s->n_cancelled++;
    }
}

/* ---- a step ---- */

static uint64_t value_at(const int32_t *ids, int32_t pos)
{
    uint64_t v = 0;
    for (int32_t i = 0; i <= pos; i++) {
        v = mix(v, (uint64_t)ids[i]);
    }
    return v;
}

static void check_past(const struct sim *s, const struct sim_task *t)
{
    uint64_t v = 0;
    for (int32_t pos = 0; pos < t->table.n_tokens; pos++) {
        v = mix(v, (uint64_t)t->ids[pos]);
        if (s->cache[kv_table_slot(&t->table, s->line.pool, pos)] != v) {
            fail_msg("step %d: position %d of a task is not its own", (int)s->step, (int)pos);
        }
    }
}

static void check_plan(const struct sim *s, int32_t total)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < s->line.n_tasks; i++) {
        const struct sim_task *t = (const struct sim_task *)s->line.tasks[i];
        assert_true(t->there && t->line.running == (i < s->line.n_running));
        assert_true(i == 0 || ((const struct sim_task *)s->line.tasks[i - 1])->number < t->number);
        if (i >= s->line.n_running) {
            assert_true(t->table.n_blocks == 0 || t->is_fork);
        } else {
            assert_true(t->line.n_step >= 0 && t->line.n_step <= t->line.n_ids - t->table.n_tokens);
            sum += t->line.n_step;
        }
    }
    assert_int_equal(sum, total);
    assert_true(total <= s->x.batch && s->line.n_running <= s->x.max_running);
    assert_true(s->line.n_tasks == 0 || s->line.tasks[0]->n_step > 0);
}

static void compute(struct sim *s, struct sim_task *t)
{
    struct kv_copy copy;
    int32_t from = t->table.n_tokens, size = s->x.block;
    assert_true(kv_table_extend(&t->table, s->line.pool, t->line.n_step, &copy)); /* the plan has the blocks */
    if (copy.src >= 0) {
        memcpy(&s->cache[copy.dst * size], &s->cache[copy.src * size], (size_t)size * sizeof *s->cache);
    }
    uint64_t v = from > 0 ? value_at(t->ids, from - 1) : 0;
    for (int32_t pos = from; pos < t->table.n_tokens; pos++) {
        v = mix(v, (uint64_t)t->ids[pos]);
        s->cache[kv_table_slot(&t->table, s->line.pool, pos)] = v;
    }
}

/* Decodes first, as the scheduler has it. */
static void compute_all(struct sim *s)
{
    bool one = false, more = false;
    for (int prompts = 0; prompts < 2; prompts++) {
        for (int32_t i = 0; i < s->line.n_running; i++) {
            struct sim_task *t = (struct sim_task *)s->line.tasks[i];
            bool is_prompt = t->table.n_tokens + 1 < t->line.n_ids;
            if (t->line.n_step > 0 && is_prompt == (prompts == 1)) {
                one = one || !is_prompt;
                more = more || is_prompt;
                compute(s, t);
                t->line.n_step = 0;
            }
        }
    }
    s->n_mixed += one && more;
}

static void share_prompt(struct sim *s, const struct sim_task *t)
{
    for (int32_t i = 0; i < s->line.n_tasks; i++) {
        struct pol_task *other = s->line.tasks[i];
        if (other->follows != &t->line) {
            continue;
        }
        other->follows = NULL;
        if (other->running) {
            assert_int_equal(kv_table_fork(other->table, &t->table, s->line.pool, NULL), CHOIR_OK);
            s->n_shared++;
        }
    }
}

/* All that is computed to its end draws its next token. */
static void draw_all(struct sim *s)
{
    int32_t i = 0;
    while (i < s->line.n_running) {
        struct sim_task *t = (struct sim_task *)s->line.tasks[i++];
        if (s->x.cache && t->table.n_tokens > 0) {
            kv_table_publish(&t->table, s->line.pool, t->ids);
        }
        if (t->table.n_tokens < t->line.n_ids) {
            continue;
        }
        share_prompt(s, t);
        check_past(s, t);
        if (t->line.n_ids == t->n_end) {
            if (s->step > t->deadline) {
                fail_msg("ended %d steps late", (int)(s->step - t->deadline));
            }
            go(s, t);
            s->n_ended++;
            i--;
        } else {
            t->ids[t->line.n_ids] = (int32_t)(mix(t->seed, (uint64_t)t->line.n_ids) % 1000);
            t->line.n_ids++;
        }
    }
}

static void check_pool(const struct sim *s)
{
    const struct kv_table *tables[MAX_TASKS];
    int n_there = 0;
    for (int i = 0; i < MAX_TASKS; i++) {
        tables[i] = &s->tasks[i].table;
        n_there += s->tasks[i].there;
    }
    assert_true(kv_pool_check(s->line.pool, tables, MAX_TASKS));
    assert_int_equal(n_there, s->line.n_tasks);
    assert_int_equal(s->n_came, s->n_ended + s->n_cancelled + (uint64_t)s->line.n_tasks);
}

static void step(struct sim *s)
{
    s->step++;
    int32_t total = pol_plan(&s->line);
    check_plan(s, total);
    compute_all(s);
    draw_all(s);
}

/* Adds what happened to *sum. */
static void run(const struct setting *x, struct sim *sum)
{
    struct sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    now = s;
    s->x = *x;
    s->rng = mix((uint64_t)x->block * 1000 + (uint64_t)x->n_blocks, (uint64_t)x->batch * 1000 + (uint64_t)x->crowd);
    s->cache = calloc((size_t)x->block * (size_t)x->n_blocks, sizeof *s->cache);
    assert_non_null(s->cache);
    s->line = (struct pol_line){.batch = x->batch, .max_running = x->max_running, .most_blocks = x->n_blocks};
    s->line.adopt = x->cache ? adopt : NULL;
    assert_int_equal(kv_pool_open(&s->line.pool, x->n_blocks, x->block, NULL), CHOIR_OK);
    for (int i = 0; i < MAX_TASKS; i++) {
        assert_int_equal(kv_table_open(&s->tasks[i].table, s->line.pool, MAX_LEN, NULL), CHOIR_OK);
    }
    while (s->step < STEPS) {
        arrive(s);
        cancel(s);
        step(s);
        if (s->step % 64 == 0) {
            check_pool(s);
        }
    }
    while (s->line.n_tasks > 0) { /* nobody comes any more: all end */
        step(s);
    }
    check_pool(s);
    assert_int_equal(kv_pool_n_free(s->line.pool), x->n_blocks);
    assert_true(s->n_ended > STEPS / 50 && s->n_cancelled > STEPS / 50);
    sum->n_shared += s->n_shared;
    sum->n_adopted += s->n_adopted;
    sum->n_mixed += s->n_mixed;
    sum->n_forks += s->n_forks;
    sum->line.n_preempted += s->line.n_preempted;
    sum->step += s->step;
    for (int i = 0; i < MAX_TASKS; i++) {
        kv_table_close(&s->tasks[i].table, s->line.pool);
    }
    kv_pool_close(s->line.pool);
    pol_close(&s->line);
    free(s->cache);
    free(s);
}

static const struct setting settings[] = {
    {1, 80, 16, 16, true, 12},  {1, 81, 64, 8, false, 12}, {1, 200, 8, 8, true, 10},  {1, 2000, 32, 8, true, 12},
    {4, 20, 16, 16, true, 20},  {4, 21, 64, 8, false, 30}, {4, 40, 512, 8, true, 10}, {4, 60, 7, 7, true, 12},
    {4, 400, 32, 8, false, 12}, {4, 20, 1, 1, true, 3},    {16, 5, 16, 16, true, 12}, {16, 5, 64, 8, false, 30},
    {16, 7, 512, 4, true, 8},   {16, 12, 9, 9, true, 12},  {16, 20, 2, 2, true, 4},   {16, 200, 64, 30, true, 30},
    {64, 2, 64, 8, true, 8},    {64, 3, 32, 8, false, 12}, {64, 9, 24, 12, true, 12}, {256, 1, 64, 8, true, 4},
    {256, 6, 40, 8, true, 12},
};

static void test_random(void **state)
{
    (void)state;
    struct sim *sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        run(&settings[i], sum);
    }
    assert_true(sum->step >= 1000000);
    assert_true(sum->n_forks > 10000 && sum->n_mixed > 100000 && sum->n_shared > 10000 && sum->n_adopted > 1000000);
    assert_true(sum->line.n_preempted > 5000);
    free(sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
