/* choir generate: what its parts share.
 *
 *   stdin =[prompt.c: computed once]=> sequence =[samples.c: drawn]=> texts.c => stdout, in order
 *                                               =[beams.c: searched]=>
 *
 * Private to cmd_generate.c and this folder. */
#ifndef CHOIR_CLI_GENERATE_H
#define CHOIR_CLI_GENERATE_H

#include "cli/generation.h"
#include "cli/prompt.h"
#include "cli/token_log.h"

typedef struct generate_text generate_text;

/* Texts that are not printed to their end, in order. */
typedef struct generate_texts {
    generate_text *first, **last;
    int32_t n_begun, n_open;
    bool cut;            /* somebody ended it all: what comes behind the first one is not printed */
    choir_status status; /* of the first text that failed, with its error */
    choir_error err;
} generate_texts;

typedef struct generate_job {
    session *s;
    choir_sampling sampling;
    prompt prompt;
    int32_t *ids; /* [n_ids] of all that comes before the texts */
    size_t n_ids;
    bool at_start;        /* the text that is printed begins with what is made */
    choir_sequence *seq;  /* holds the prompt; then, where there is one text, that too */
    token_log prompt_log; /* with --logprobs: of the prompt, if it is printed; where those of the texts begin */
    generate_texts texts;
    json_t *choices; /* with --json: of the texts that are done */
    choir_result total;
} generate_job;

static inline bool generate_is_several(const options *o)
{
    return o->n_samples > 1 && o->beams == 0;
}

/* ---- prompt.c ---- */

/* Whether the prompt's tokens are told of with their log-probabilities. */
bool generate_wants_prompt_log(const options *o);
/* The prompt's ids: CHOIR_PROMPT when there are none.  With --kv-load they are known when it is taken. */
choir_status generate_prompt_ids(generate_job *j, choir_error *err);
/* The prompt into the sequence, which is open and empty. */
choir_status generate_prompt_take(generate_job *j, choir_error *err);
/* Computes all of it but the last token, and takes its log. */
choir_status generate_prompt_compute(generate_job *j, choir_error *err);

/* ---- texts.c ---- */

/* A text in the making.  As the first of those not done it is printed as it comes; with --json, or while an earlier one is made,
 * it is kept. */
struct generate_text {
    struct generate_text *next;
    generate_job *job;
    int32_t index;
    uint64_t request; /* the scheduler's id */
    text_buffer text; /* not printed yet */
    token_log log;    /* with --logprobs */
    const char *finish;
    bool ended;
};

/* Begins the next one, with the prompt if that is wanted.  NULL: out of memory.  The texts are the job's. */
generate_text *generate_text_begin(generate_job *j, choir_error *err);
/* Non-zero: no more of it is wanted. */
int generate_text_add(generate_text *t, const char *text, size_t n);
int generate_text_token(generate_text *t, const choir_token *token);
/* As it went, with err if status is not CHOIR_OK.  t is gone afterwards if those before it are. */
void generate_text_end(generate_text *t, const choir_result *result, choir_status status, const choir_error *err);
/* What went wrong with one of them: its status, and its error in *err. */
choir_status generate_texts_failed(const generate_texts *texts, choir_error *err);
void generate_texts_close(generate_texts *texts);

/* ---- samples.c ---- */

/* Texts, drawn: one from the sequence; or several, in common steps, from forks of it.  The sequence holds the prompt; in the
 * second case all of it but the last token is computed. */
choir_status generate_one(generate_job *j, choir_error *err);
choir_status generate_several(generate_job *j, choir_error *err);

/* ---- beams.c ---- */

/* What --beams cannot go with: CHOIR_USAGE. */
choir_status generate_beams_check(const options *o, choir_error *err);
/* The --n-samples best of --beams texts that go on from the sequence: to stdout, or to the job's choices. */
choir_status generate_beams(generate_job *j, choir_error *err);

#endif
