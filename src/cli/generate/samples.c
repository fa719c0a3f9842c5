/* Who makes the texts: choir_generate makes one; several run in a scheduler, each a request that goes on from the prompt's
 * sequence, so that a step computes a token of all. */
#include "base/clock.h"
#include "cli/generate/generate.h"
#include "cli/signals.h"

/* Texts that are made and not printed: behind one that takes long not all others are kept. */
enum { MOST_OPEN = 1024 };

static void ask(choir_generation *g, const generate_job *j)
{
    generation_options(g, j->s, j->s->opt, NULL, NULL);
    g->at_start = j->at_start;
    g->n_top = j->s->opt->logprobs > 0 ? j->s->opt->logprobs : 0;
}

/* ---- one ---- */

static int on_text(void *user, const char *text, size_t n)
{
    return generate_text_add(user, text, n);
}

static int on_token(void *user, const choir_token *token)
{
    return generate_text_token(user, token);
}

choir_status generate_one(generate_job *j, choir_error *err)
{
    choir_generation g;
    choir_result r = {0};
    generate_text *t = generate_text_begin(j, err);
    if (!t) {
        return err->code;
    }
    ask(&g, j);
    g.stream = on_text;
    g.token = j->s->opt->logprobs >= 0 ? on_token : NULL;
    g.user = t;
    choir_status status = choir_generate(&r, j->seq, &g, err);
    j->total.first_token_ns = j->total.prompt_ns + r.first_token_ns;
    j->total.n_prompt += r.n_prompt;
    j->total.prompt_ns += r.prompt_ns;
    j->total.generate_ns = r.generate_ns;
    generate_text_end(t, &r, status, err);
    return status ? status : generate_texts_failed(&j->texts, err);
}

/* ---- several ---- */

static int on_sample_text(void *user, int32_t sample, const char *text, size_t n)
{
    (void)sample; /* each text is a request of its own */
    return generate_text_add(user, text, n);
}

static int on_sample_token(void *user, int32_t sample, const choir_token *token)
{
    (void)sample;
    return generate_text_token(user, token);
}

static void on_sample_done(void *user, int32_t sample, const choir_result *result, choir_status status,
                           const choir_error *err)
{
    generate_text *t = user;
    generate_job *j = t->job;
    (void)sample;
    if (t->index == 0) {
        j->total.first_token_ns = j->total.prompt_ns + result->first_token_ns;
    }
    generate_text_end(t, result, status, err);
}

static choir_status submit(generate_job *j, choir_scheduler *scheduler, choir_error *err)
{
    choir_request_options r;
    generate_text *t = generate_text_begin(j, err);
    if (!t) {
        return err->code;
    }
    choir_request_options_default(&r);
    ask(&r.generation, j);
    r.from = j->seq;
    r.sampling = j->sampling;
    r.sampling.choice = (uint64_t)t->index;
    r.stream = on_sample_text;
    r.token = j->s->opt->logprobs >= 0 ? on_sample_token : NULL;
    r.done = on_sample_done;
    r.user = t;
    return choir_scheduler_submit(&t->request, scheduler, &r, err);
}

/* As many as may run at the same time, in their order. */
static choir_status submit_some(generate_job *j, choir_scheduler *scheduler, choir_error *err)
{
    const options *o = j->s->opt;
    choir_scheduler_info info;
    choir_status status = CHOIR_OK;
    choir_scheduler_describe(scheduler, &info);
    int32_t room = generation_at_once(o) - info.n_running - info.n_waiting;
    while (!status && room-- > 0 && j->texts.n_begun < o->n_samples && j->texts.n_open < MOST_OPEN) {
        status = submit(j, scheduler, err);
    }
    return status;
}

/* Ends them all where they are; what is held back of them comes. */
static void cancel_all(generate_job *j, choir_scheduler *scheduler)
{
    choir_error ignored;
    for (generate_text *t = j->texts.first; t; t = t->next) {
        if (!t->ended) {
            choir_scheduler_cancel(scheduler, t->request);
        }
    }
    choir_scheduler_step(scheduler, &ignored);
}

static choir_status run(generate_job *j, choir_scheduler *scheduler, choir_error *err)
{
    const generate_texts *x = &j->texts;
    choir_status status = CHOIR_OK;
    while (!status && !signals_pending() && !j->s->out.error && !x->status) {
        status = submit_some(j, scheduler, err);
        if (!status && !x->first) {
            return CHOIR_OK;
        }
        status = status ? status : choir_scheduler_step(scheduler, err);
    }
    cancel_all(j, scheduler);
    return status ? status : generate_texts_failed(x, err);
}

choir_status generate_several(generate_job *j, choir_error *err)
{
    choir_scheduler *scheduler;
    const uint64_t begun = base_clock_ns();
    choir_status status = choir_scheduler_open(&scheduler, j->s->engine, err);
    status = status ? status : run(j, scheduler, err);
    choir_scheduler_close(scheduler);
    j->total.n_prompt++; /* the last token, which each computes */
    j->total.generate_ns = base_clock_ns() - begun;
    return status;
}
