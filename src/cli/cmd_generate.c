/* choir generate: a prompt in, text out as it is made. */
#include <stdlib.h>

#include "cli/completion.h"
#include "cli/generate/generate.h"
#include "cli/jsonl/jsonl.h"
#include "cli/report.h"
#include "cli/sandbox.h"
#include "cli/signals.h"

/* Rows of logits in a step when a prompt's log-probabilities are wanted: enough for a fair speed. */
enum { PROMPT_ROWS = 64 };

static choir_status open_engine(generate_job *j, choir_error *err)
{
    const options *o = j->s->opt;
    choir_engine_options opt;
    if (generate_is_several(o)) {
        int32_t most = generation_at_once(o);
        /* of the two at least one is the prompt's, which stays */
        generation_engine_options(&opt, j->s, o->n_samples < most ? o->n_samples : most, 2);
    } else {
        session_engine_options(j->s, &opt);
        opt.n_seqs = o->beams > 0 ? o->beams : 1;
    }
    if (generate_wants_prompt_log(o) && opt.max_logits < PROMPT_ROWS) {
        opt.max_logits = PROMPT_ROWS;
    }
    return session_open_engine(j->s, &opt, err);
}

static choir_status open_job(generate_job *j, choir_error *err)
{
    session *s = j->s;
    choir_status status = sandbox_check(s->opt, err);
    status = status ? status : session_open_model(s, false, err);
    status = status ? status : session_open_chat(s, err);
    status = status ? status : generate_prompt_ids(j, err);
    status = status ? status : open_engine(j, err);
    if (status) {
        return status;
    }
    report_setup(s, j->sampling.seed);
    j->at_start = (j->prompt.n == 0 && !s->opt->kv_load) || s->chat;
    if (s->opt->logprobs >= 0) {
        token_log_open(&j->prompt_log, s->model, s->opt->echo || j->at_start);
    }
    j->choices = json_array();
    status = choir_sequence_open(&j->seq, s->engine, &j->sampling, err);
    return status ? status : sandbox_enter(s, err);
}

static choir_status make_texts(generate_job *j, choir_error *err)
{
    const options *o = j->s->opt;
    const bool several = generate_is_several(o);
    choir_status status = generate_prompt_take(j, err);
    if (!status && (several || generate_wants_prompt_log(o))) {
        status = generate_prompt_compute(j, err);
    }
    if (status) {
        return status;
    }
    return o->beams > 0 ? generate_beams(j, err) : several ? generate_several(j, err) : generate_one(j, err);
}

static choir_status print_completion(generate_job *j, choir_error *err)
{
    json_t *object = completion_object(j->s, json_string("cmpl-0"), json_incref(j->choices));
    json_t *usage = completion_usage((int32_t)j->n_ids, j->total.n_generated);
    if (session_guesses(j->s) > 0) { /* named as OpenAI names those of its predicted outputs */
        json_t *guesses = json_pack("{s:i, s:i}", "accepted_prediction_tokens", (int)j->total.n_guesses_kept,
                                    "rejected_prediction_tokens", (int)(j->total.n_guessed - j->total.n_guesses_kept));
        if (json_object_set_new(usage, "completion_tokens_details", guesses) != 0) {
            json_decref(usage);
            usage = NULL;
        }
    }
    if (json_object_set_new(object, "usage", usage)) {
        json_decref(object);
        object = NULL;
    }
    return session_print_json(j->s, object, err);
}

/* What is left to tell and to keep when the texts are made. */
static choir_status end_texts(generate_job *j, choir_status status, choir_error *err)
{
    session *s = j->s;
    choir_error ignored;
    if (s->opt->json && json_array_size(j->choices) > 0) {
        choir_status printed = print_completion(j, status ? &ignored : err);
        status = status ? status : printed;
    }
    stream_end_line(&s->out, &s->term);
    if (j->total.context_full && !status && s->term.verbose) {
        note(&s->term, "stopped: context full");
    }
    if ((status && status != CHOIR_CANCELLED) || s->out.error) {
        return status;
    }
    report_timings(s, &j->total);
    if (s->opt->kv_save) {
        choir_status kept = choir_sequence_save(j->seq, s->opt->kv_save, status ? &ignored : err);
        status = status ? status : kept;
    }
    return status;
}

static choir_status run_job(generate_job *j, choir_error *err)
{
    choir_status status = open_job(j, err);
    if (status) {
        return status;
    }
    signals_set(SIGNALS_CANCEL, j->s->engine);
    status = make_texts(j, err);
    signals_set(SIGNALS_CANCEL, NULL);
    return end_texts(j, status, err);
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

static choir_status read_prompt(generate_job *j, choir_error *err)
{
    const session *s = j->s;
    const bool nothing_said = !s->opt->prompt && !s->opt->file && s->term.in;
    choir_status status = choir_sampling_check(&j->sampling, err);
    if (!status && s->opt->beams > 0) {
        status = generate_beams_check(s->opt, err);
    }
    if (!status && !(s->opt->kv_load && nothing_said)) {
        status = prompt_read(&j->prompt, s->opt, &s->term, err);
    }
    return status;
}

int cmd_generate(session *s)
{
    if (s->opt->jsonl) {
        return answer_lines(s);
    }
    choir_error err;
    generate_job j = {.s = s};
    generation_seed(&j.sampling, s->opt);
    choir_status status = read_prompt(&j, &err);
    status = status ? status : run_job(&j, &err);
    int code = session_end(s, status, &err);
    generate_texts_close(&j.texts);
    choir_sequence_close(j.seq);
    free(j.ids);
    token_log_close(&j.prompt_log);
    json_decref(j.choices);
    prompt_free(&j.prompt);
    return code;
}
