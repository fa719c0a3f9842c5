/* The loop of --jsonl: take lines while there is room, step what runs, print what is next in order. */
#include "cli/jsonl/jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/completion.h"
#include "cli/report.h"
#include "cli/sandbox.h"
#include "cli/signals.h"

enum {
    /* Texts read ahead for each that can run: enough that the engine is never short of work, few enough that memory
     * does not grow with the input. */
    AHEAD_PER_RUNNING = 2,
    AHEAD_LEAST = 32,
    /* Answers that wait for an earlier one to be printed.  Many, so that whoever talks with us can still cancel that one. */
    MOST_ANSWERS = 1024,
};

typedef struct job {
    session *s;
    const choir_sampling *sampling;
    choir_scheduler *scheduler;
    int32_t ahead; /* texts in the scheduler, from which on no line is read */
    jsonl_input in;
    jsonl_resume resume;
    jsonl_answer *first, **last; /* answers in order of their lines */
    int32_t n_answers;
    bool had_errors;
    uint64_t n_printed, n_prompt, n_made;
} job;

/* ---- from the scheduler ---- */

static int on_text(void *user, int32_t sample, const char *text, size_t n)
{
    jsonl_answer *a = user;
    return text_append(&a->texts[sample].text, text, n);
}

static int on_token(void *user, int32_t sample, const choir_token *token)
{
    jsonl_answer *a = user;
    return token_log_add(&a->texts[sample].log, token->id, &token->log_prob, token->top, token->n_top);
}

/* The log of the prompt, which the first text took, for another one. */
static int share_prompt(jsonl_answer *a, int32_t sample)
{
    token_log *log = &a->texts[sample].log;
    token_log_close(log);
    token_log_fork(log, &a->texts[0].log);
    return log->failed;
}

static int on_prompt(void *user, const choir_token *token)
{
    jsonl_answer *a = user;
    int failed = token_log_add(&a->texts[0].log, token->id, &token->log_prob, token->top, token->n_top);
    a->n_untold--;
    for (int32_t i = 1; i < a->n && a->n_untold == 0; i++) {
        failed |= share_prompt(a, i);
    }
    return failed;
}

static void on_done(void *user, int32_t sample, const choir_result *result, choir_status status, const choir_error *err)
{
    jsonl_answer *a = user;
    jsonl_text *t = &a->texts[sample];
    t->finish = completion_finish(result->finish);
    if (sample > 0 && a->n_untold > 0) {
        share_prompt(a, sample); /* it ends within the prompt */
    }
    if (t->text.failed || t->log.failed) {
        a->refused = true;
        base_fail(&a->error, CHOIR_RESOURCE, "out of memory for the text");
    } else if (status == CHOIR_CANCELLED) {
        t->finish = "cancelled";
    } else if (status) {
        a->refused = true;
        a->error = *err;
    }
    a->n_ended++;
    a->n_made += result->n_generated;
}

/* ---- from stdin ---- */

static choir_status submit(job *j, jsonl_answer *a, jsonl_request *r, choir_error *err)
{
    choir_request_options q;
    choir_request_options_default(&q);
    choir_status status = CHOIR_OK;
    if (r->prompt) {
        status = choir_tokenize(&r->ids, &r->n_ids, j->s->model, r->prompt, r->prompt_bytes, true, err);
    }
    if (!status && r->n_ids > INT32_MAX) {
        status = base_fail(err, CHOIR_PROMPT, "prompt is %zu tokens", r->n_ids);
    }
    const bool at_start = r->prompt && r->prompt_bytes == 0;
    status = status ? status : jsonl_answer_begin(a, r, j->s, at_start, err);
    if (status) {
        return status;
    }
    generation_options(&q.generation, j->s, j->s->opt, NULL, NULL);
    q.generation.max_tokens = r->max_tokens;
    q.generation.at_start = at_start;
    q.generation.n_top = r->logprobs > 0 ? r->logprobs : 0;
    if (r->stops) {
        q.generation.stops = r->stops;
        q.generation.stop_bytes = r->stop_bytes;
        q.generation.n_stops = r->n_stops;
    }
    q.ids = r->ids;
    q.n_ids = r->n_ids;
    q.sampling = r->sampling;
    q.n_samples = r->n;
    q.stream = on_text;
    q.token = r->logprobs >= 0 ? on_token : NULL;
    q.prompt = a->n_untold > 0 ? on_prompt : NULL;
    q.done = on_done;
    q.user = a;
    return choir_scheduler_submit(&a->request, j->scheduler, &q, err);
}

/* Ends the requests of that id that are still under way. */
static void cancel(job *j, const json_t *id)
{
    for (jsonl_answer *a = j->first; a; a = a->next) {
        if (!jsonl_answer_ended(a) && a->id && json_equal(a->id, id)) {
            choir_scheduler_cancel(j->scheduler, a->request);
        }
    }
}

static choir_status append(job *j, jsonl_request *r, const choir_error *broken, choir_error *err)
{
    jsonl_answer *a = jsonl_answer_open(r, broken != NULL, j->in.line);
    if (!a) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for an answer");
    }
    *j->last = a;
    j->last = &a->next;
    j->n_answers++;
    a->refused = true;
    if (broken) {
        a->error = *broken;
    } else {
        a->refused = submit(j, a, r, &a->error) != CHOIR_OK;
    }
    return CHOIR_OK;
}

static choir_status take_line(job *j, const char *line, size_t n, choir_error *err)
{
    jsonl_request r;
    choir_error cause;
    choir_sampling sampling = *j->sampling;
    if (!j->s->opt->seed_given) {
        sampling.seed += j->in.line; /* who asks the same twice wants two answers */
    }
    choir_status read = jsonl_request_read(&r, j->s->opt, &sampling, line, n, &cause), status = CHOIR_OK;
    bool answered = false;
    if (!read && r.cancel) {
        cancel(j, r.cancel);
    } else {
        status = jsonl_resume_pass(&j->resume, &answered, r.id, err);
        if (!status && !answered) {
            status = append(j, &r, read ? &cause : NULL, err);
        }
    }
    jsonl_request_free(&r);
    return status;
}

static bool has_room(const job *j)
{
    choir_scheduler_info info;
    choir_scheduler_describe(j->scheduler, &info);
    return j->n_answers < MOST_ANSWERS && info.n_running + info.n_waiting < j->ahead;
}

/* Takes the lines that are there, as far as there is room for them; waits for one when nothing is left to be answered. */
static choir_status take_lines(job *j, bool *ended, choir_error *err)
{
    const char *line;
    size_t n;
    while (has_room(j) && !signals_pending()) {
        switch (jsonl_input_next(&j->in, j->n_answers == 0, &line, &n, err)) {
        case JSONL_LINE:
            if (take_line(j, line, n, err)) {
                return err->code;
            }
            break;
        case JSONL_NOTHING:
            return CHOIR_OK;
        case JSONL_END:
            *ended = true;
            return jsonl_resume_end(&j->resume, err);
        case JSONL_FAILED:
            return err->code;
        }
    }
    return CHOIR_OK;
}

/* ---- to stdout ---- */

/* The answers at the head that have ended, and the pieces of the one that comes next. */
static choir_status print_next(job *j, choir_error *err)
{
    choir_status status = CHOIR_OK;
    while (!status && j->first && jsonl_answer_ended(j->first) && !j->s->out.error) {
        jsonl_answer *a = j->first;
        status = jsonl_answer_print(a, j->s, err);
        j->had_errors |= a->refused;
        j->n_printed++;
        j->n_prompt += (uint64_t)a->n_prompt;
        j->n_made += (uint64_t)a->n_made;
        j->first = a->next;
        j->last = j->first ? j->last : &j->first;
        j->n_answers--;
        jsonl_answer_free(a);
    }
    if (!status && j->first && j->first->stream && !j->first->batch) {
        status = jsonl_answer_print_pieces(j->first, j->s, err);
    }
    return status;
}

static choir_status loop(job *j, choir_error *err)
{
    bool ended = false;
    choir_status status = CHOIR_OK;
    while (!status && !signals_pending() && !j->s->out.error && !(ended && !j->first)) {
        if (!ended) {
            status = take_lines(j, &ended, err);
        }
        if (!status) {
            status = choir_scheduler_step(j->scheduler, err);
        }
        choir_error ignored;
        choir_status printed = print_next(j, status ? &ignored : err);
        status = status ? status : printed;
    }
    return status;
}

/* Requests come from stdin, or from the file that -f names. */
static choir_status open_input(jsonl_input *in, const options *o, choir_error *err)
{
    in->fd = STDIN_FILENO;
    snprintf(in->name, sizeof in->name, "stdin");
    if (o->n_samples > JSONL_MOST_TEXTS) {
        return base_fail(err, CHOIR_USAGE, "--n-samples: %d (with --jsonl at most %d)", (int)o->n_samples,
                         JSONL_MOST_TEXTS);
    }
    if (o->file && strcmp(o->file, "-") != 0) {
        base_escape_str(in->name, o->file);
        in->fd = open(o->file, O_RDONLY | O_CLOEXEC);
    }
    return in->fd < 0 ? base_fail(err, CHOIR_IO, "%s: %s", in->name, strerror(errno)) : CHOIR_OK;
}

static choir_status open_engine(job *j, choir_error *err)
{
    session *s = j->s;
    choir_engine_options opt;
    generation_engine_options(&opt, s, generation_at_once(s->opt), 1);
    choir_status status = session_open_engine(s, &opt, err);
    if (!status) {
        report_setup(s, j->sampling->seed);
        status = choir_scheduler_open(&j->scheduler, s->engine, err);
    }
    if (!status) {
        choir_scheduler_info info;
        choir_scheduler_describe(j->scheduler, &info);
        j->ahead = info.max_running * AHEAD_PER_RUNNING;
        j->ahead = j->ahead < AHEAD_LEAST ? AHEAD_LEAST : j->ahead;
    }
    return status;
}

static void report(const job *j, uint64_t begun)
{
    choir_engine_info engine;
    choir_scheduler_info info;
    double seconds = (double)(base_clock_ns() - begun) / 1e9;
    choir_engine_describe(j->s->engine, &engine);
    choir_scheduler_describe(j->scheduler, &info);
    note(&j->s->term,
         "answered %llu; prompts %llu tokens (%llu from cache), generated %llu tokens, %.1f ms, %.1f tok/s; "
         "%llu steps, %llu texts put back",
         (unsigned long long)j->n_printed, (unsigned long long)j->n_prompt,
         (unsigned long long)engine.prefix_hit_tokens, (unsigned long long)j->n_made, seconds * 1e3,
         seconds > 0 ? (double)j->n_made / seconds : 0, (unsigned long long)info.n_steps,
         (unsigned long long)info.n_preempted);
}

static choir_status answer_all(job *j, choir_error *err)
{
    uint64_t begun = base_clock_ns();
    signals_set(SIGNALS_CANCEL, j->s->engine);
    choir_status status = loop(j, err);
    signals_set(SIGNALS_CANCEL, NULL);
    if (j->s->term.verbose) {
        report(j, begun);
    }
    return status;
}

choir_status jsonl_run(session *s, const choir_sampling *sampling, bool *had_errors, choir_error *err)
{
    job j = {.s = s, .sampling = sampling};
    j.last = &j.first;
    choir_status status = open_input(&j.in, s->opt, err);
    if (!status && s->opt->resume) {
        status = jsonl_resume_open(&j.resume, s->opt->resume, err);
    }
    if (!status) {
        status = session_open_model(s, false, err);
    }
    status = status ? status : open_engine(&j, err);
    status = status ? status : sandbox_enter(s, err);
    status = status ? status : answer_all(&j, err);
    *had_errors = j.had_errors || j.resume.had_errors;
    choir_scheduler_close(j.scheduler);
    while (j.first) {
        jsonl_answer *next = j.first->next;
        jsonl_answer_free(j.first);
        j.first = next;
    }
    jsonl_input_close(&j.in);
    jsonl_resume_close(&j.resume);
    return status;
}
