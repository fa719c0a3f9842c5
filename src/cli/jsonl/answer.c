/* Answers in OpenAI's shapes: a text_completion object; in a batch, that object as the body of a response. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/completion.h"
#include "cli/jsonl/jsonl.h"

jsonl_answer *jsonl_answer_open(const jsonl_request *r, bool broken, uint64_t line)
{
    jsonl_answer *a = calloc(1, sizeof *a);
    if (!a) {
        return NULL;
    }
    a->n = broken ? 0 : r->n;
    a->texts = calloc((size_t)a->n + 1, sizeof *a->texts);
    a->line = line;
    a->id = json_incref(r->id);
    a->batch = r->batch;
    a->stream = r->stream;
    a->logprobs = r->logprobs;
    if (!a->texts) {
        jsonl_answer_free(a);
        return NULL;
    }
    return a;
}

void jsonl_answer_free(jsonl_answer *a)
{
    if (!a) {
        return;
    }
    for (int32_t i = 0; a->texts && i < a->n; i++) {
        free(a->texts[i].text.at);
        token_log_close(&a->texts[i].log);
    }
    free(a->texts);
    json_decref(a->id);
    free(a);
}

choir_status jsonl_answer_begin(jsonl_answer *a, const jsonl_request *r, const session *s, bool at_start,
                                choir_error *err)
{
    char *said = NULL;
    size_t n = 0;
    choir_status status = CHOIR_OK;
    a->n_prompt = (int32_t)r->n_ids;
    a->n_untold = r->echo && r->logprobs >= 0 ? a->n_prompt : 0;
    if (r->echo && !r->prompt) {
        status = choir_detokenize(&said, &n, s->model, r->ids, r->n_ids, err);
    }
    for (int32_t i = 0; i < a->n && !status; i++) {
        jsonl_text *t = &a->texts[i];
        if (r->logprobs >= 0) {
            token_log_open(&t->log, s->model, r->echo || at_start);
        }
        if (a->n_untold > 0) {
            token_log_add(&t->log, r->ids[0], NULL, NULL, 0); /* nothing foretells the first */
        }
        if (r->echo && text_append(&t->text, said ? said : r->prompt, said ? n : r->prompt_bytes)) {
            status = base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
        }
    }
    a->n_untold -= a->n_untold > 0;
    free(said);
    return status;
}

bool jsonl_answer_ended(const jsonl_answer *a)
{
    return a->request == 0 || a->n_ended == a->n;
}

static json_t *made_id(const jsonl_answer *a)
{
    return json_sprintf("cmpl-%llu", (unsigned long long)a->line);
}

/* The id the line gave, or one made of its number. */
static json_t *answer_id(const jsonl_answer *a)
{
    return a->id ? json_incref(a->id) : made_id(a);
}

/* What there is of a text, with the tokens told since the last time.  At the end of a streamed one there may be none. */
static json_t *choice(const jsonl_answer *a, int32_t index, const char *finish)
{
    jsonl_text *t = &a->texts[index];
    bool logged = a->logprobs >= 0 && !(a->stream && json_array_size(t->log.tokens) == 0);
    return completion_choice(index, &t->text, logged ? token_log_take(&t->log) : json_null(), finish);
}

/* In a batch the line's id stands outside. */
static json_t *completion(const jsonl_answer *a, const session *s, json_t *choices)
{
    return completion_object(s, a->batch ? made_id(a) : answer_id(a), choices);
}

static json_t *error_object(const jsonl_answer *a)
{
    return json_pack("{s:o, s:I}", "message", json_text(a->error.msg, strlen(a->error.msg)), "line",
                     (json_int_t)a->line);
}

/* An OpenAI batch wraps what a server would have answered. */
static json_t *in_batch(const jsonl_answer *a, json_t *body)
{
    return json_pack("{s:o, s:o, s:{s:i, s:o}, s:n}", "id", json_sprintf("batch_req_%llu", (unsigned long long)a->line),
                     "custom_id", answer_id(a), "response", "status_code", a->refused ? 400 : 200, "body", body,
                     "error");
}

choir_status jsonl_answer_print_pieces(jsonl_answer *a, session *s, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < a->n && !status && a->n_untold == 0; i++) {
        jsonl_text *t = &a->texts[i];
        if (t->text.n > 0) {
            status = session_print_json(s, completion(a, s, json_pack("[o]", choice(a, i, NULL))), err);
            t->text.n = 0;
        }
    }
    return status;
}

static json_t *whole(const jsonl_answer *a, const session *s)
{
    json_t *choices = json_array();
    for (int32_t i = 0; i < a->n; i++) {
        if (json_array_append_new(choices, choice(a, i, a->texts[i].finish))) {
            json_decref(choices);
            return NULL;
        }
    }
    json_t *object = completion(a, s, choices);
    if (json_object_set_new(object, "usage", completion_usage(a->n_prompt, a->n_made))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

choir_status jsonl_answer_print(jsonl_answer *a, session *s, choir_error *err)
{
    choir_status status = a->stream && !a->batch && !a->refused ? jsonl_answer_print_pieces(a, s, err) : CHOIR_OK;
    if (status) {
        return status;
    }
    json_t *object = a->refused ? json_pack("{s:o, s:o}", "id", answer_id(a), "error", error_object(a)) : whole(a, s);
    if (a->refused && a->batch) {
        json_decref(object);
        object = json_pack("{s:o}", "error", error_object(a));
    }
    return session_print_json(s, a->batch ? in_batch(a, object) : object, err);
}
