/* Many requests at once in an engine: submit, step, cancel. */
#ifndef CHOIR_SCHEDULER_H
#define CHOIR_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/generation.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct choir_scheduler choir_scheduler;

/* Continuous batching: each step decodes a token of every text that runs and computes parts of prompts that have come since.
 * Texts run as far as blocks of the cache and rows of logits (choir_engine_info.max_logits) go, first come, first served;
 * the others wait.  When the blocks run out the text that came last is put back and computed again later; nobody sees
 * that but in time.  A text is what choir_generate makes of the same ids, sampling and generation, byte for byte,
 * whoever else runs.
 *
 * One thread at a time, as the engine that it belongs to.  All callbacks come from within choir_scheduler_step, on its
 * thread.  They may submit, cancel and describe; they may not step or close. */

/* n bytes of whole UTF-8 sequences of the request's sample-th text; non-zero ends that text. */
typedef int (*choir_sample_stream_fn)(void *user, int32_t sample, const char *text, size_t n);
/* A token of the request's sample-th text, as choir_generation.token has it, before its text is streamed; non-zero ends that
 * text. */
typedef int (*choir_sample_token_fn)(void *user, int32_t sample, const choir_token *token);
/* A token of the request's prompt, as choir_generation.token has those that are drawn: each but the first, which nothing foretells,
 * in order and once, all before the texts' own.  Non-zero ends the request. */
typedef int (*choir_prompt_token_fn)(void *user, const choir_token *token);
/* The sample-th text has ended; comes once for each sample of a request that was accepted.  status CHOIR_OK, or why it is cut
 * short, with *err: CHOIR_CANCELLED, or a failure of this text alone, CHOIR_FILE (its logits are not finite). *result and
 * *err are valid during the call. */
typedef void (*choir_sample_done_fn)(void *user, int32_t sample, const choir_result *result, choir_status status,
                                     const choir_error *err);

typedef struct choir_request_options {
    const int32_t *ids; /* [n_ids], the prompt */
    size_t n_ids;
    /* Instead of ids: the texts go on from this sequence of the same engine as forks of it would.  What it has computed they
     * hold together with it, up to the block that they write in; it stays as it is, and may go when submit returns. */
    const choir_sequence *from;
    choir_sampling sampling;       /* sample i has choice + i */
    choir_generation generation;   /* its stream, token and user must be NULL: those below count; nothing is guessed */
    int32_t n_samples;             /* texts of this prompt, which is computed once; 1 */
    choir_sample_stream_fn stream; /* may be NULL */
    choir_sample_token_fn token;   /* may be NULL: then no log-probabilities are computed; generation.n_top counts */
    choir_prompt_token_fn prompt;  /* may be NULL; goes with token, and not with from */
    choir_sample_done_fn done;     /* may be NULL */
    void *user;
} choir_request_options;

typedef struct choir_scheduler_info {
    int32_t n_running, n_waiting; /* texts; both 0: nothing left to do */
    int32_t max_running;
    uint64_t n_preempted; /* times a text was put back */
    uint64_t n_steps;
} choir_scheduler_info;

/* The engine must outlive the scheduler, and not be an infinite one (CHOIR_USAGE).  Sequences opened beside it take part in nothing, but hold their blocks. */
CHOIR_API choir_status choir_scheduler_open(choir_scheduler **out, choir_engine *engine, choir_error *err);
/* Requests that are left end without a call of done. */
CHOIR_API void choir_scheduler_close(choir_scheduler *scheduler);
CHOIR_API void choir_scheduler_describe(const choir_scheduler *scheduler, choir_scheduler_info *info);

CHOIR_API void choir_request_options_default(choir_request_options *request);
/* Takes a request into the line; everything it points to is copied.  *id: 1 or above, another for each request.  All memory
 * it will need is taken here (for each sample the context's ids and some 16 bytes for each word of the vocabulary, so
 * submit thousands of requests as room comes, not at once).  CHOIR_PROMPT for a prompt that is empty or can never fit,
 * CHOIR_USAGE for options out of range, CHOIR_RESOURCE. */
CHOIR_API choir_status choir_scheduler_submit(uint64_t *id, choir_scheduler *scheduler,
                                              const choir_request_options *request, choir_error *err);
/* Ends all texts of a request, running or waiting, at the beginning of the next step or, when called from a callback, before
 * this one returns: text held back is streamed, and done is called with CHOIR_CANCELLED.  False when there is no such
 * request (any more). */
CHOIR_API bool choir_scheduler_cancel(choir_scheduler *scheduler, uint64_t id);
/* One step of the engine for all that run.  CHOIR_OK with nothing to do as well.  A failure that concerns one text ends that
 * text, not the step.  After another (CHOIR_CANCELLED by choir_engine_cancel; CHOIR_RESOURCE when sequences that are not
 * the scheduler's hold the blocks; CHOIR_USAGE from a callback) all is as it was, and stepping may go on. */
CHOIR_API choir_status choir_scheduler_step(choir_scheduler *scheduler, choir_error *err);

#ifdef __cplusplus
}
#endif
#endif
