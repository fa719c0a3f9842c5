/* choir generate: a prompt in, text out as it is made. */
#include <stdlib.h>
#include <string.h>

#include "cli/generate_beams.h"
#include "cli/generation.h"
#include "cli/jsonl.h"
#include "cli/kept.h"
#include "cli/prompt.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/token_log.h"

typedef struct job {
    session *s;
    prompt prompt;
    int32_t *ids;
    size_t n_ids;
    choir_sequence *shared; /* the prompt; with several samples all but its last token, computed once */
    choir_sampling sampling;
    choir_result total;
    text_buffer text; /* of the running sample, with --json */
    json_t *choices;
    token_log prompt_log,
        log; /* with --logprobs: of the prompt, if it is printed, and of the running sample after it */
} job;

/* Rows of logits in a step when a prompt's log-probabilities are wanted: enough for a fair speed. */
enum { PROMPT_ROWS = 64 };

static int on_text(void *user, const char *text, size_t n)
{
    job *j = user;
    return j->s->opt->json ? text_append(&j->text, text, n) : stream_write(&j->s->out, text, n);
}

static int on_token(void *user, const choir_token *t)
{
    job *j = user;
    return token_log_add(&j->log, t->id, &t->log_prob, t->top, t->n_top);
}

static bool wants_prompt_log(const job *j)
{
    return j->s->opt->logprobs >= 0 && j->s->opt->echo;
}

/* Whether the texts go on from a prompt computed once. */
static bool is_shared(const job *j)
{
    return j->s->opt->n_samples > 1 || wants_prompt_log(j);
}

static choir_status add_choice(job *j, int32_t index, const char *finish, choir_error *err)
{
    json_t *text = json_text(j->text.at, j->text.n);
    json_t *tokens = j->log.model ? token_log_take(&j->log) : json_null();
    json_t *choice = json_pack("{s:i, s:o, s:o, s:s?}", "index", (int)index, "text", text, "logprobs", tokens,
                               "finish_reason", finish);
    j->text.n = 0;
    return choice && json_array_append_new(j->choices, choice) == 0
               ? CHOIR_OK
               : fail(err, CHOIR_RESOURCE, "out of memory for JSON");
}

static void add_result(choir_result *total, const choir_result *r)
{
    if (total->n_generated == 0 && total->first_token_ns == 0) {
        total->first_token_ns = total->prompt_ns + r->first_token_ns;
    }
    total->finish = r->finish;
    total->context_full = r->context_full;
    total->n_prompt += r->n_prompt;
    total->n_cached += r->n_cached;
    total->n_generated += r->n_generated;
    total->n_guessed += r->n_guessed;
    total->n_guesses_kept += r->n_guesses_kept;
    total->prompt_ns += r->prompt_ns;
    total->generate_ns += r->generate_ns;
}

/* One text from a sequence that holds the whole prompt. */
static choir_status one_text(job *j, choir_sequence *seq, int32_t index, choir_error *err)
{
    const options *o = j->s->opt;
    choir_generation g;
    choir_result r = {0};
    generation_options(&g, j->s, o, on_text, j);
    g.at_start = (j->prompt.n == 0 && !o->kv_load) || j->s->chat;
    if (o->logprobs >= 0) {
        token_log_close(&j->log);
        token_log_fork(&j->log, &j->prompt_log);
        g.token = on_token;
        g.n_top = o->logprobs;
    }
    if (o->echo && on_text(j, j->prompt.text, j->prompt.n) != 0) {
        return CHOIR_OK;
    }
    choir_status status = choir_generate(&r, seq, &g, err);
    add_result(&j->total, &r);
    if (!o->json) {
        return status;
    }
    if (j->text.failed || j->log.failed) {
        return fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    choir_error ignored;
    bool whole = !status && r.finish != CHOIR_FINISH_CALLER;
    const char *finish = !whole ? NULL : r.finish == CHOIR_FINISH_STOP ? "stop" : "length";
    choir_status added = add_choice(j, index, finish, status ? &ignored : err);
    return status ? status : added;
}

static choir_status compute(job *j, choir_error *err)
{
    choir_status status = CHOIR_OK;
    while (!status && choir_sequence_computed(j->shared) < choir_sequence_length(j->shared)) {
        status = choir_engine_step(j->s->engine, &j->shared, 1, err);
    }
    return status;
}

/* The prompt behind what --kv-load names; then all of it is the prompt. */
static choir_status take_kept(job *j, choir_error *err)
{
    choir_status status = kept_continue(j->s, j->shared, j->s->opt->kv_load, j->prompt.text, j->prompt.n, err);
    if (!status && choir_sequence_length(j->shared) == 0) {
        status = fail(err, CHOIR_PROMPT, "prompt is empty");
    }
    if (!status) {
        j->n_ids = (size_t)choir_sequence_length(j->shared);
        j->ids = malloc(j->n_ids * sizeof *j->ids);
        status = j->ids ? CHOIR_OK : fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    if (!status) {
        memcpy(j->ids, choir_sequence_ids(j->shared), j->n_ids * sizeof *j->ids);
    }
    return status;
}

/* The prompt into the shared sequence.  An infinite one takes any, a context at a time; the last of them stays pending. */
static choir_status take_prompt(job *j, choir_error *err)
{
    choir_engine_info engine;
    choir_engine_describe(j->s->engine, &engine);
    if (j->s->opt->kv_load) {
        return take_kept(j, err);
    }
    const size_t most = j->s->opt->infinite ? (size_t)engine.ctx_size : j->n_ids;
    const uint64_t begun = now_ns();
    choir_status status = CHOIR_OK;
    size_t at = 0;
    while (!status && j->n_ids - at > most) {
        status = choir_sequence_append(j->shared, j->ids + at, most, err);
        status = status ? status : compute(j, err);
        at += most;
    }
    if (at > 0) {
        j->total.n_prompt = (int32_t)at;
        j->total.prompt_ns = now_ns() - begun;
    }
    return status ? status : choir_sequence_append(j->shared, j->ids + at, j->n_ids - at, err);
}

static choir_status several_texts(job *j, choir_error *err)
{
    uint64_t begun = now_ns();
    size_t before = j->n_ids - 1;
    choir_sequence_truncate(j->shared, choir_sequence_length(j->shared) - 1);
    choir_status status = CHOIR_OK;
    if (wants_prompt_log(j)) {
        status = token_log_prompt(&j->prompt_log, j->s->engine, j->shared, j->ids, j->n_ids, j->s->opt->logprobs, err);
    }
    status = status ? status : compute(j, err);
    j->total.n_prompt = (int32_t)before;
    j->total.n_cached = choir_sequence_cached(j->shared);
    j->total.prompt_ns += now_ns() - begun;
    for (int32_t i = 0; !status && i < j->s->opt->n_samples && !signals_pending() && !j->s->out.error; i++) {
        choir_sequence *seq = NULL;
        j->sampling.choice = (uint64_t)i;
        if (i > 0 && !j->s->opt->json) {
            stream_write(&j->s->out, "\n", 1);
        }
        status = choir_sequence_fork(&seq, j->shared, &j->sampling, err);
        if (!status) {
            status = choir_sequence_append(seq, j->ids + before, 1, err);
        }
        if (!status) {
            status = one_text(j, seq, i, err);
        }
        choir_sequence_close(seq);
    }
    return status;
}

static choir_status print_completion(job *j, choir_error *err)
{
    int prompt_tokens = (int)j->n_ids, made = (int)j->total.n_generated;
    const char *name = session_model_name(j->s);
    json_t *object = json_pack("{s:s, s:s, s:o, s:O, s:{s:i, s:i, s:i}}", "id", "cmpl-0", "object", "text_completion",
                               "model", json_text(name, strlen(name)), "choices", j->choices, "usage", "prompt_tokens",
                               prompt_tokens, "completion_tokens", made, "total_tokens", prompt_tokens + made);
    if (session_guesses(j->s) > 0 && object) { /* named as OpenAI names those of its predicted outputs */
        json_t *guesses = json_pack("{s:i, s:i}", "accepted_prediction_tokens", (int)j->total.n_guesses_kept,
                                    "rejected_prediction_tokens", (int)(j->total.n_guessed - j->total.n_guesses_kept));
        json_object_set_new(json_object_get(object, "usage"), "completion_tokens_details", guesses);
    }
    return session_print_json(j->s, object, err);
}

static choir_status open_job(job *j, choir_error *err)
{
    session *s = j->s;
    choir_engine_options opt;
    choir_status status = session_open_model(s, false, err);
    status = status ? status : session_open_chat(s, err);
    if (!status && s->opt->kv_load) {
        j->n_ids = 0; /* the file says what comes first */
    } else if (!status && s->chat) {
        status = choir_chat_turn(&j->ids, &j->n_ids, s->chat, true, s->opt->system, j->prompt.text, j->prompt.n, err);
    } else if (!status) {
        status = choir_tokenize(&j->ids, &j->n_ids, s->model, j->prompt.text, j->prompt.n, true, err);
    }
    if (!status && j->n_ids == 0 && !s->opt->kv_load) {
        status = fail(err, CHOIR_PROMPT, "prompt is empty");
    }
    if (status) {
        return status;
    }
    session_engine_options(s, &opt);
    opt.n_seqs = s->opt->beams > 0 ? s->opt->beams : is_shared(j) ? 2 : 1;
    if (wants_prompt_log(j) && opt.max_logits < PROMPT_ROWS) {
        opt.max_logits = PROMPT_ROWS;
    }
    status = session_open_engine(s, &opt, err);
    if (status) {
        return status;
    }
    report_setup(s, j->sampling.seed);
    status = choir_sequence_open(&j->shared, s->engine, &j->sampling, err);
    return status;
}

static choir_status run_job(job *j, choir_error *err)
{
    const options *o = j->s->opt;
    choir_status status = open_job(j, err);
    if (status) {
        return status;
    }
    j->choices = json_array();
    signals_set(SIGNALS_CANCEL, j->s->engine);
    if (o->logprobs >= 0) {
        token_log_open(&j->prompt_log, j->s->model, o->echo || (j->prompt.n == 0 && !o->kv_load) || j->s->chat);
    }
    status = take_prompt(j, err);
    if (!status && o->beams > 0) {
        status = generate_beams(j->s, j->shared, &j->prompt, j->choices, &j->total, err);
    } else if (!status) {
        status = is_shared(j) ? several_texts(j, err) : one_text(j, j->shared, 0, err);
    }
    signals_set(SIGNALS_CANCEL, NULL);
    if (o->json && json_array_size(j->choices) > 0) {
        choir_error ignored;
        choir_status printed = print_completion(j, status ? &ignored : err);
        status = status ? status : printed;
    }
    stream_end_line(&j->s->out, &j->s->term);
    if (j->total.context_full && !status && j->s->term.verbose) {
        note(&j->s->term, "stopped: context full");
    }
    if ((!status || status == CHOIR_CANCELLED) && !j->s->out.error) {
        report_timings(j->s, &j->total);
        if (o->kv_save) {
            choir_error ignored;
            choir_status kept = choir_sequence_save(j->shared, o->kv_save, status ? &ignored : err);
            status = status ? status : kept;
        }
    }
    return status;
}

/* --jsonl: a line that was refused is told of in its place, and by the exit code. */
static int answer_lines(session *s)
{
    choir_error err;
    choir_sampling sampling;
    bool had_errors = false;
    generation_seed(&sampling, s->opt);
    choir_status status = choir_sampling_check(&sampling, &err);
    if (!status) {
        status = jsonl_run(s, &sampling, &had_errors, &err);
    }
    int code = session_end(s, status, &err);
    return code == 0 && had_errors ? CHOIR_FILE : code;
}

int cmd_generate(session *s)
{
    if (s->opt->jsonl) {
        return answer_lines(s);
    }
    choir_error err;
    job j = {.s = s};
    generation_seed(&j.sampling, s->opt);
    choir_status status = choir_sampling_check(&j.sampling, &err);
    if (!status && s->opt->beams > 0) {
        status = generate_beams_check(s->opt, &err);
    }
    const bool nothing_said = !s->opt->prompt && !s->opt->file && s->term.in;
    if (!status && !(s->opt->kv_load && nothing_said)) {
        status = prompt_read(&j.prompt, s->opt, &s->term, &err);
    }
    if (!status) {
        status = run_job(&j, &err);
    }
    int code = session_end(s, status, &err);
    choir_sequence_close(j.shared);
    free(j.ids);
    free(j.text.at);
    token_log_close(&j.prompt_log);
    token_log_close(&j.log);
    json_decref(j.choices);
    prompt_free(&j.prompt);
    return code;
}
