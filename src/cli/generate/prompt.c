/* The prompt of choir generate: read, turned into ids, computed. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/generate/generate.h"
#include "cli/kept.h"

bool generate_wants_prompt_log(const options *o)
{
    return o->logprobs >= 0 && o->echo;
}

choir_status generate_prompt_ids(generate_job *j, choir_error *err)
{
    const session *s = j->s;
    choir_status status;
    if (s->opt->kv_load) {
        return CHOIR_OK;
    }
    if (s->chat) {
        status = choir_chat_turn(&j->ids, &j->n_ids, s->chat, true, s->opt->system, j->prompt.text, j->prompt.n, err);
    } else {
        status = choir_tokenize(&j->ids, &j->n_ids, s->model, j->prompt.text, j->prompt.n, true, err);
    }
    return status || j->n_ids > 0 ? status : base_fail(err, CHOIR_PROMPT, "prompt is empty");
}

/* Computes all that is pending. */
static choir_status compute(generate_job *j, choir_error *err)
{
    choir_status status = CHOIR_OK;
    while (!status && choir_sequence_computed(j->seq) < choir_sequence_length(j->seq)) {
        status = choir_engine_step(j->s->engine, &j->seq, 1, err);
    }
    return status;
}

/* The prompt behind what --kv-load names; then all of it is the prompt. */
static choir_status take_kept(generate_job *j, choir_error *err)
{
    choir_status status = kept_continue(j->s, j->seq, j->s->opt->kv_load, j->prompt.text, j->prompt.n, err);
    if (status) {
        return status;
    }
    j->n_ids = (size_t)choir_sequence_length(j->seq);
    if (j->n_ids == 0) {
        return base_fail(err, CHOIR_PROMPT, "prompt is empty");
    }
    j->ids = malloc(j->n_ids * sizeof *j->ids);
    if (!j->ids) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    memcpy(j->ids, choir_sequence_ids(j->seq), j->n_ids * sizeof *j->ids);
    return CHOIR_OK;
}

/* The rest of the prompt, from id `at` on. */
static choir_status take_rest(generate_job *j, size_t at, choir_error *err)
{
    choir_error why;
    const bool could_be_infinite = !j->s->opt->infinite && j->s->info.n_positions == 0;
    const choir_status status = choir_sequence_append(j->seq, j->ids + at, j->n_ids - at, &why);
    const bool too_long = status == CHOIR_PROMPT && j->n_ids >= (size_t)j->s->info.max_seq_len;
    return status
               ? base_fail(err, status, "%s%s", why.msg, too_long && could_be_infinite ? "; --infinite takes any" : "")
               : CHOIR_OK;
}

/* An infinite sequence takes any prompt, a context at a time; the last of them stays pending. */
choir_status generate_prompt_take(generate_job *j, choir_error *err)
{
    choir_engine_info engine;
    choir_engine_describe(j->s->engine, &engine);
    if (j->s->opt->kv_load) {
        return take_kept(j, err);
    }
    const size_t most = j->s->opt->infinite ? (size_t)engine.ctx_size : j->n_ids;
    const uint64_t begun = base_clock_ns();
    choir_status status = CHOIR_OK;
    size_t at = 0;
    while (!status && j->n_ids - at > most) {
        status = choir_sequence_append(j->seq, j->ids + at, most, err);
        status = status ? status : compute(j, err);
        at += most;
    }
    if (at > 0) {
        j->total.n_prompt = (int32_t)at;
        j->total.prompt_ns = base_clock_ns() - begun;
    }
    return status ? status : take_rest(j, at, err);
}

choir_status generate_prompt_compute(generate_job *j, choir_error *err)
{
    const uint64_t begun = base_clock_ns();
    const int32_t last = choir_sequence_length(j->seq) - 1;
    choir_status status = CHOIR_OK;
    choir_sequence_truncate(j->seq, last);
    const int32_t pending = last - choir_sequence_computed(j->seq);
    if (generate_wants_prompt_log(j->s->opt)) {
        status = token_log_prompt(&j->prompt_log, j->s->engine, j->seq, j->ids, j->n_ids, j->s->opt->logprobs, err);
    }
    status = status ? status : compute(j, err);
    j->total.n_prompt += pending;
    j->total.n_cached = choir_sequence_cached(j->seq);
    j->total.prompt_ns += base_clock_ns() - begun;
    return status ? status : choir_sequence_append(j->seq, j->ids + j->n_ids - 1, 1, err);
}
