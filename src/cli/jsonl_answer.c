/* Answers in OpenAI's shapes: a text_completion object; in a batch, that object as the body of a response. */
#include <stdlib.h>
#include <string.h>

#include "cli/jsonl.h"

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
    }
    free(a->texts);
    json_decref(a->id);
    free(a);
}

bool jsonl_answer_ended(const jsonl_answer *a)
{
    return a->request == 0 || a->n_ended == a->n;
}

/* The id the line gave, or one made of its number. */
static json_t *answer_id(const jsonl_answer *a)
{
    return a->id ? json_incref(a->id) : json_sprintf("cmpl-%llu", (unsigned long long)a->line);
}

static json_t *choice(const jsonl_text *t, int32_t index)
{
    return json_pack("{s:i, s:o, s:n, s:s?}", "index", (int)index, "text", json_text(t->text.at, t->text.n), "logprobs",
                     "finish_reason", t->finish);
}

static json_t *completion(const jsonl_answer *a, const session *s, json_t *choices)
{
    const char *name = session_model_name(s);
    return json_pack("{s:o, s:s, s:o, s:o}", "id", answer_id(a), "object", "text_completion", "model",
                     json_text(name, strlen(name)), "choices", choices);
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
    for (int32_t i = 0; i < a->n && !status; i++) {
        jsonl_text *t = &a->texts[i];
        if (t->text.n > 0) {
            const jsonl_text piece = {.text = t->text};
            status = session_print_json(s, completion(a, s, json_pack("[o]", choice(&piece, i))), err);
            t->text.n = 0;
        }
    }
    return status;
}

static json_t *whole(const jsonl_answer *a, const session *s)
{
    json_t *choices = json_array();
    for (int32_t i = 0; i < a->n; i++) {
        if (json_array_append_new(choices, choice(&a->texts[i], i))) {
            json_decref(choices);
            return NULL;
        }
    }
    json_t *object = completion(a, s, choices);
    json_t *usage = json_pack("{s:i, s:i, s:i}", "prompt_tokens", (int)a->n_prompt, "completion_tokens", (int)a->n_made,
                              "total_tokens", (int)(a->n_prompt + a->n_made));
    if (json_object_set_new(object, "usage", usage)) {
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
