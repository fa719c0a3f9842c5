/* Many requests in one engine: the line says who computes what, the engine computes it, each text's writer draws and shows.
 *
 * Everybody who runs has pending tokens when a step begins: whoever got logits in a step has drawn from them before it is
 * over.  So a task whose blocks are taken away between two steps has lost nothing but what can be computed from its ids. */
#include <stdlib.h>

#include "base/error.h"
#include "engine/request.h"

struct choir_scheduler {
    struct choir_engine *engine;
    struct pol_line line;
    /* Who takes part in a step, decodes first: [n_parts], room for line.max_running. */
    struct eng_task **parts;
    struct choir_sequence **seqs;
    int32_t *most; /* tokens of each */
    int32_t n_parts;
    bool stepping;
    bool any_cancelled; /* a request may be to be ended */
    uint64_t last_id, n_steps;
};

static struct eng_task *task_at(const struct choir_scheduler *s, int32_t i)
{
    return (struct eng_task *)s->line.tasks[i];
}

static void adopt(struct pol_task *t)
{
    eng_adopt(((struct eng_task *)t)->seq);
}

choir_status choir_scheduler_open(choir_scheduler **out, choir_engine *engine, choir_error *err)
{
    *out = NULL;
    if (engine->opt.infinite) {
        return base_fail(err, CHOIR_USAGE,
                         "an infinite text cannot be put back and computed again: no scheduler for it");
    }
    struct choir_scheduler *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return base_fail_memory(err, sizeof *s, "a scheduler");
    }
    size_t n = (size_t)engine->max_logits;
    s->engine = engine;
    s->line = (struct pol_line){
        .pool = engine->pool,
        .batch = engine->opt.batch,
        .max_running = engine->max_logits,
        .most_blocks = kv_pool_n_blocks(engine->pool) / engine->opt.n_seqs,
        .adopt = engine->opt.prefix_cache ? adopt : NULL,
    };
    s->parts = calloc(n, sizeof *s->parts);
    s->seqs = calloc(n, sizeof *s->seqs);
    s->most = calloc(n, sizeof *s->most);
    if (s->parts == NULL || s->seqs == NULL || s->most == NULL) {
        choir_scheduler_close(s);
        return base_fail_memory(err, n * (sizeof *s->parts + sizeof *s->seqs + sizeof *s->most), "a scheduler");
    }
    *out = s;
    return CHOIR_OK;
}

void choir_scheduler_close(choir_scheduler *s)
{
    if (s == NULL) {
        return;
    }
    while (s->line.n_tasks > 0) {
        struct eng_task *t = task_at(s, s->line.n_tasks - 1);
        pol_remove(&s->line, &t->line);
        if (--t->request->n_left == 0) {
            eng_request_close(t->request);
        }
    }
    pol_close(&s->line);
    free(s->parts);
    free(s->seqs);
    free(s->most);
    free(s);
}

void choir_scheduler_describe(const choir_scheduler *s, choir_scheduler_info *info)
{
    *info = (choir_scheduler_info){
        .n_running = s->line.n_running,
        .n_waiting = s->line.n_tasks - s->line.n_running,
        .max_running = s->line.max_running,
        .n_preempted = s->line.n_preempted,
        .n_steps = s->n_steps,
    };
}

choir_status choir_scheduler_submit(uint64_t *id, choir_scheduler *s, const choir_request_options *request,
                                    choir_error *err)
{
    struct eng_request *r;
    *id = 0;
    choir_status status = eng_request_open(&r, s->engine, request, err);
    if (status != CHOIR_OK) {
        return status;
    }
    status = pol_reserve(&s->line, r->n_tasks, err);
    if (status != CHOIR_OK) {
        eng_request_close(r);
        return status;
    }
    for (int32_t i = 0; i < r->n_tasks; i++) {
        pol_add(&s->line, &r->tasks[i].line);
    }
    r->id = *id = ++s->last_id;
    return CHOIR_OK;
}

bool choir_scheduler_cancel(choir_scheduler *s, uint64_t id)
{
    for (int32_t i = 0; i < s->line.n_tasks; i++) {
        struct eng_request *r = task_at(s, i)->request;
        if (r->id == id) {
            r->cancelled = s->any_cancelled = true;
            return true;
        }
    }
    return false;
}

/* The text is over.  Its blocks are free when its caller hears of it. */
static void end_task(struct choir_scheduler *s, struct eng_task *t, choir_status status, const choir_error *err)
{
    struct eng_request *r = t->request;
    t->ended = true;
    pol_remove(&s->line, &t->line);
    eng_task_hand_over(t);
    eng_writer_end(&t->writer, status);
    choir_result result = t->writer.result;
    eng_task_close(t);
    if (r->done != NULL) {
        r->done(r->user, t->sample, &result, status, err);
    }
    if (--r->n_left == 0) {
        eng_request_close(r);
    }
}

/* Callbacks on the way may cancel others. */
static void end_cancelled(struct choir_scheduler *s)
{
    choir_error err;
    base_fail(&err, CHOIR_CANCELLED, "cancelled");
    while (s->any_cancelled) {
        s->any_cancelled = false;
        int32_t i = 0;
        while (i < s->line.n_tasks) {
            struct eng_task *t = task_at(s, i);
            if (t->request->cancelled) {
                t->writer.result.finish = CHOIR_FINISH_CALLER;
                end_task(s, t, CHOIR_CANCELLED, &err);
            } else {
                i++;
            }
        }
    }
}

static void gather(struct choir_scheduler *s, bool decodes)
{
    for (int32_t i = 0; i < s->line.n_running; i++) {
        struct eng_task *t = task_at(s, i);
        bool is_decode = t->seq->table.n_tokens + 1 == t->seq->n_ids;
        if (t->line.n_step > 0 && is_decode == decodes) {
            s->parts[s->n_parts] = t;
            s->seqs[s->n_parts] = t->seq;
            s->most[s->n_parts++] = t->line.n_step;
        }
    }
}

static void tell_prompt(struct choir_scheduler *s, struct eng_task *t)
{
    if (!eng_task_tell_prompt(t)) {
        t->request->cancelled = s->any_cancelled = true;
    }
}

/* Some of the step's tasks fail: each computes its part alone, and those that fail again end. */
static choir_status compute_alone(struct choir_scheduler *s, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < s->n_parts && status == CHOIR_OK; i++) {
        choir_error cause;
        status = eng_step(s->engine, &s->seqs[i], &s->most[i], 1, &cause);
        if (status == CHOIR_FILE) {
            end_task(s, s->parts[i], status, &cause);
            status = CHOIR_OK;
        } else if (status != CHOIR_OK) {
            base_fail(err, status, "%s", cause.msg);
        } else {
            tell_prompt(s, s->parts[i]);
        }
    }
    return status;
}

static choir_status compute(struct choir_scheduler *s, choir_error *err)
{
    if (s->line.n_tasks == 0) {
        return CHOIR_OK;
    }
    if (pol_plan(&s->line) == 0) {
        return base_fail(err, CHOIR_RESOURCE,
                         "no free block for the next request: others than the scheduler's sequences hold %d of %d",
                         kv_pool_n_blocks(s->engine->pool) - kv_pool_n_free(s->engine->pool),
                         kv_pool_n_blocks(s->engine->pool));
    }
    s->n_parts = 0;
    gather(s, true);
    gather(s, false);
    choir_error cause;
    choir_status status = eng_step(s->engine, s->seqs, s->most, s->n_parts, &cause);
    s->n_steps++;
    if (status == CHOIR_FILE) {
        return compute_alone(s, err);
    }
    for (int32_t i = 0; i < s->n_parts && status == CHOIR_OK; i++) {
        tell_prompt(s, s->parts[i]);
    }
    return status == CHOIR_OK ? status : base_fail(err, status, "%s", cause.msg);
}

/* Draws the next token of a text that has logits.  False when that ended it. */
static bool advance(struct choir_scheduler *s, struct eng_task *t)
{
    choir_error err;
    choir_status status = CHOIR_OK;
    bool ended = false;
    if (!t->writer.prompt_ended) {
        eng_writer_prompt_end(&t->writer);
        eng_task_share_prompt(t);
        ended = eng_writer_is_full(&t->writer);
    }
    if (!ended) {
        status = eng_writer_next(&t->writer, &ended, &err);
        t->line.n_ids = t->seq->n_ids;
    }
    if (ended) {
        end_task(s, t, status, status == CHOIR_OK ? NULL : &err);
    }
    return !ended;
}

static void advance_all(struct choir_scheduler *s)
{
    int32_t i = 0;
    while (i < s->line.n_running) {
        struct eng_task *t = task_at(s, i);
        i += !t->seq->has_logits || advance(s, t); /* where one ended stands the next */
    }
}

choir_status choir_scheduler_step(choir_scheduler *s, choir_error *err)
{
    if (s->stepping) {
        return base_fail(err, CHOIR_USAGE, "a callback of the scheduler may not step it");
    }
    s->stepping = true;
    end_cancelled(s);
    choir_status status = compute(s, err);
    advance_all(s); /* after a failure too: nobody has logits then but those whose part was done */
    end_cancelled(s);
    s->stepping = false;
    return status;
}
