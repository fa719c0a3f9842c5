/* choir generate --jsonl: a request a line in, an answer a line out, in the order of the input.
 *
 *   stdin =[jsonl_input: lines]=> =[jsonl_request: parsed]=> choir_scheduler =[jsonl_answer: JSON]=> stdout
 *
 * Private to cmd_generate.c and jsonl*.c. */
#ifndef CHOIR_CLI_JSONL_H
#define CHOIR_CLI_JSONL_H

#include "base/error.h"
#include "cli/generation.h"
#include "cli/token_log.h"

/* ---- input.c ---- */

enum { JSONL_LINE_MAX = 64 << 20, JSONL_MOST_TEXTS = 128 };

/* Lines of a descriptor, as they come.  It is closed with the input, unless it is stdin. */
typedef struct jsonl_input {
    int fd;
    char name[BASE_ESCAPE_CAP]; /* for messages */
    char *at;                   /* bytes [begin, end) are read and not given yet */
    size_t begin, end, cap;
    size_t searched; /* no newline before this one */
    uint64_t line;   /* number of the line given last, from 1 */
    bool eof, too_long;
} jsonl_input;

typedef enum jsonl_read { JSONL_LINE, JSONL_NOTHING, JSONL_END, JSONL_FAILED } jsonl_read;

/* The next line without its newline, valid until the next call; blank ones are passed over.  wait: block until there is one, the
 * end, or a signal (JSONL_NOTHING).  A line above JSONL_LINE_MAX is given as *n = SIZE_MAX, its rest passed over.
 * JSONL_FAILED: *err tells. */
jsonl_read jsonl_input_next(jsonl_input *in, bool wait, const char **line, size_t *n, choir_error *err);
void jsonl_input_close(jsonl_input *in);

/* ---- request.c ---- */

/* What a line asks for. */
typedef struct jsonl_request {
    json_t *id;     /* as given, or NULL */
    json_t *cancel; /* the id of the request to end; nothing else is set then */
    bool batch;     /* an OpenAI batch line: id is its custom_id, the rest its body */
    bool stream;
    const char *prompt; /* the JSON value's, or NULL: ids */
    size_t prompt_bytes;
    int32_t *ids; /* malloc'ed */
    size_t n_ids;
    int32_t n, max_tokens;
    int32_t logprobs; /* so many of the likeliest tokens too; -1: none at all */
    bool echo;        /* the prompt is part of the texts */
    choir_sampling sampling;
    const char **stops; /* [n_stops], malloc'ed, or NULL: the options'; the strings are the JSON value's */
    size_t *stop_bytes;
    size_t n_stops;
    json_t *root; /* owner of the strings */
} jsonl_request;

/* Reads a line; what it leaves out is as in `o` and `sampling`.  On failure, with what is wrong with it in *err, out->id is
 * set as far as the line tells it. */
choir_status jsonl_request_read(jsonl_request *out, const options *o, const choir_sampling *sampling, const char *line,
                                size_t n, choir_error *err);
void jsonl_request_free(jsonl_request *r);

/* ---- answer.c ---- */

/* One of the texts of an answer. */
typedef struct jsonl_text {
    text_buffer text; /* not printed yet, with stream; else all of it */
    token_log log;    /* with logprobs: of these tokens */
    const char *finish;
    bool ended;
} jsonl_text;

/* An answer in the making. */
typedef struct jsonl_answer {
    struct jsonl_answer *next;
    uint64_t line;    /* of its request */
    uint64_t request; /* the scheduler's id; 0: it was never submitted, and is refused */
    json_t *id;       /* or NULL */
    bool batch, stream;
    jsonl_text *texts; /* [n] */
    int32_t n, n_ended;
    int32_t logprobs; /* as the request's */
    int32_t n_prompt, n_made;
    int32_t n_untold; /* tokens of the prompt that the logs wait for; till then nothing is streamed */
    bool refused;     /* error instead of texts */
    choir_error error;
} jsonl_answer;

/* broken: r was not read to its end, so there will be an error and no text.  NULL: out of memory. */
jsonl_answer *jsonl_answer_open(const jsonl_request *r, bool broken, uint64_t line);
void jsonl_answer_free(jsonl_answer *a);
/* Opens the texts' logs, if r wants them, and begins the texts with r's prompt if it wants that.  at_start: they begin with what
 * is made. */
choir_status jsonl_answer_begin(jsonl_answer *a, const jsonl_request *r, const session *s, bool at_start,
                                choir_error *err);
/* Nothing more comes from the scheduler. */
bool jsonl_answer_ended(const jsonl_answer *a);
/* The pieces of a streamed answer that wait. */
choir_status jsonl_answer_print_pieces(jsonl_answer *a, session *s, choir_error *err);
/* The object that ends the answer. */
choir_status jsonl_answer_print(jsonl_answer *a, session *s, choir_error *err);

/* ---- resume.c ---- */

/* The answers that an earlier run left in a file. */
typedef struct jsonl_resume {
    char name[BASE_ESCAPE_CAP]; /* the file's, for messages */
    json_t *ids;                /* of its answers in order */
    size_t n, passed;
    bool had_errors;
} jsonl_resume;

/* Opens or makes the file, keeps its whole answers, cuts off what comes after them, and makes it stdout, to go on behind.  A
 * file that holds anything else is refused as it is. */
choir_status jsonl_resume_open(jsonl_resume *r, const char *path, choir_error *err);
/* Whether the next request is answered already.  id: as it was given, or NULL.  CHOIR_FILE when the file answers another. */
choir_status jsonl_resume_pass(jsonl_resume *r, bool *answered, const json_t *id, choir_error *err);
/* At the end of the input: CHOIR_FILE when the file has more answers than that. */
choir_status jsonl_resume_end(const jsonl_resume *r, choir_error *err);
void jsonl_resume_close(jsonl_resume *r);

/* ---- jsonl.c ---- */

/* The whole of it: model and engine are opened here.  *had_errors: some line was answered with an error. */
choir_status jsonl_run(session *s, const choir_sampling *sampling, bool *had_errors, choir_error *err);

#endif
