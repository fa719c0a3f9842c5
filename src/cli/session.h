/* What every command works with: its options, the terminal, stdout, the model and the engine. */
#ifndef CHOIR_CLI_SESSION_H
#define CHOIR_CLI_SESSION_H

#include <jansson.h>

#include "base/error.h"
#include "cli/options/options.h"
#include "cli/stream.h"
#include "cli/terminal.h"

typedef struct session {
    const options *opt;
    terminal term;
    stream out;
    char *model_path; /* as found; NULL: built-in */
    choir_model *model;
    choir_engine *engine;
    choir_chat *chat; /* with --chat */
    choir_model_info info;
    char *draft_path; /* --draft: a smaller model to guess with, and its engine */
    choir_model *draft_model;
    choir_engine *draft;
    char mapped_line[BASE_ESCAPE_CAP + 64]; /* what a mapped file that shrinks is told with */
} session;

/* Opens the model that -m, CHOIR_MODEL or nothing names.  headers: no weights. */
choir_status session_open_model(session *s, bool headers, choir_error *err);
/* With --chat: the chat template of the model, or the one that is named. */
choir_status session_open_chat(session *s, choir_error *err);
/* Opens an engine (of the draft model too, if there is one); the fields that the caller leaves at their defaults come from
 * the options. */
choir_status session_open_engine(session *s, const choir_engine_options *opt, choir_error *err);
void session_engine_options(const session *s, choir_engine_options *opt);
void session_close(session *s);

/* Guesses at the next tokens in a step; 0: none. */
int32_t session_guesses(const session *s);

/* -t, else OMP_NUM_THREADS, else 0 (the library's default). */
int session_threads(const options *o);

/* Tells the error, if any, and gives the exit code; a signal that came is 128 + its number. */
int session_end(session *s, choir_status status, const choir_error *err);

/* The model's name for people and for JSON: the last part of its path. */
const char *session_model_name(const session *s);

/* One JSON value and a newline to stdout; takes the reference.  NULL: out of memory. */
choir_status session_print_json(session *s, json_t *value, choir_error *err);
/* A string value; bytes that are no UTF-8 are replaced. */
json_t *json_text(const char *text, size_t n);
/* Appends to a list; takes the reference.  Without memory *list becomes NULL, as one with a gap must not be written, and stays
 * it. */
void json_add(json_t **list, json_t *value);

/* The commands.  Each returns the exit code, stdout still open. */
int cmd_complete(session *s);
int cmd_generate(session *s);
int cmd_bench(session *s);
int cmd_tokenize(session *s);
int cmd_info(session *s);
int cmd_quantize(session *s);
int cmd_perplexity(session *s);
int cmd_heads(session *s);

#endif
