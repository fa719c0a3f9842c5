/* A request in the scheduler: what was submitted, and one task for each of its texts.  Private to src/engine. */
#ifndef ENG_REQUEST_H
#define ENG_REQUEST_H

#include "engine/policy.h"
#include "engine/writer.h"

/* One text. */
struct eng_task {
    struct pol_task line; /* the first member: where it stands */
    struct eng_request *request;
    int32_t sample;
    bool ended;
    struct choir_sequence *seq; /* NULL once ended */
    struct eng_writer writer;
};

struct eng_request {
    uint64_t id;
    choir_sample_stream_fn stream;
    choir_sample_token_fn token;
    choir_prompt_token_fn prompt;
    choir_sample_done_fn done;
    void *user;
    bool cancelled;           /* to be ended */
    int32_t n_prompt, n_told; /* tokens of the prompt, and of these the ones told, or not to be told */
    int32_t n_left;           /* tasks not ended */
    char **stops;             /* [n_stops], copies */
    size_t *stop_bytes;
    size_t n_stops;
    int32_t n_tasks;
    struct eng_task *tasks; /* [n_tasks]; the first one computes the prompt, the others follow it */
};

/* Copies *options and opens a sequence and a writer for each sample. */
choir_status eng_request_open(struct eng_request **out, struct choir_engine *e, const choir_request_options *options,
                              choir_error *err);
void eng_request_close(struct eng_request *r);

/* Frees what t has needed; its blocks go back. */
void eng_task_close(struct eng_task *t);
/* After a step that t took part in: tells of the tokens of the prompt that have got their rows, and asks for those of the next.
 * False when the caller wants no more. */
bool eng_task_tell_prompt(struct eng_task *t);
/* t is ending before its prompt was computed: another of its request's texts takes the prompt over. */
void eng_task_hand_over(struct eng_task *t);
/* t has computed its prompt: those who followed it get their share of it if they run, else they compute it themselves. */
void eng_task_share_prompt(struct eng_task *t);

#endif
