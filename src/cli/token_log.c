/* Tokens as OpenAI's completions write them. */
#include "cli/token_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/options/options.h"

static void renew(token_log *l)
{
    l->tokens = json_array();
    l->values = json_array();
    l->tops = json_array();
    l->offsets = json_array();
    l->failed = l->failed || !l->tokens || !l->values || !l->tops || !l->offsets;
}

void token_log_open(token_log *l, const choir_model *model, bool at_start)
{
    *l = (token_log){.model = model, .at_start = at_start};
    l->text = malloc(choir_token_text_bound(model) + 1);
    l->failed = !l->text;
    renew(l);
}

void token_log_fork(token_log *l, const token_log *src)
{
    token_log_open(l, src->model, src->at_start);
    l->n_chars = src->n_chars;
    l->any_top = src->any_top;
    l->failed = l->failed || src->failed || json_array_extend(l->tokens, src->tokens) != 0 ||
                json_array_extend(l->values, src->values) != 0 || json_array_extend(l->tops, src->tops) != 0 ||
                json_array_extend(l->offsets, src->offsets) != 0;
}

void token_log_close(token_log *l)
{
    json_decref(l->tokens);
    json_decref(l->values);
    json_decref(l->tops);
    json_decref(l->offsets);
    free(l->text);
    *l = (token_log){.model = NULL};
}

/* "bytes:\xf0\x9f". */
static json_t *bytes_name(const char *text, size_t n)
{
    static const char front[] = "bytes:";
    char *name = malloc(sizeof front + 4 * n);
    if (!name) {
        return NULL;
    }
    char *at = name + snprintf(name, sizeof front, "%s", front);
    for (size_t i = 0; i < n; i++) {
        at += snprintf(at, 5, "\\x%02x", (unsigned)(unsigned char)text[i]);
    }
    json_t *value = json_string(name);
    free(name);
    return value;
}

/* A token's name; *n the bytes that it adds to the text, at l->text. */
static json_t *token_name(const token_log *l, bool at_start, int32_t id, size_t *n)
{
    size_t n_piece = 0;
    *n = choir_token_text(l->model, id, at_start, l->text);
    bool is_text = *n > 0 || (at_start && choir_token_text(l->model, id, false, l->text) > 0);
    const char *piece = is_text ? NULL : choir_piece(l->model, id, &n_piece);
    const char *text = piece ? piece : l->text;
    size_t n_text = piece ? n_piece : *n;
    return choir_utf8_valid(text, n_text) == n_text ? json_stringn(text, n_text) : bytes_name(text, n_text);
}

/* Adds name: log_prob, unless it is there: of ids with the same text the most likely counts. */
static int set_top(json_t *object, const json_t *name, double log_prob)
{
    const char *key = json_string_value(name);
    size_t n = json_string_length(name);
    if (!name || json_object_getn(object, key, n)) {
        return name ? 0 : -1;
    }
    return json_object_setn_new(object, key, n, json_real(log_prob));
}

static json_t *top_object(const token_log *l, bool at_start, const json_t *own_name, double own,
                          const choir_token_prob *top, int32_t n_top)
{
    json_t *object = json_object();
    int failed = 0;
    for (int32_t i = 0; i < n_top && !failed; i++) {
        size_t n;
        json_t *name = token_name(l, at_start, top[i].id, &n);
        failed = set_top(object, name, top[i].log_prob);
        json_decref(name);
    }
    if (failed || set_top(object, own_name, own)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* Characters of n bytes at l->text: the offset of the first, and on to what follows. */
static size_t move_on(token_log *l, size_t n)
{
    bool goes_on = n > 0 && ((unsigned char)l->text[0] & 0xc0) == 0x80 && l->n_chars > 0;
    size_t offset = l->n_chars - (goes_on ? 1 : 0);
    for (size_t i = 0; i < n; i++) {
        l->n_chars += ((unsigned char)l->text[i] & 0xc0) != 0x80;
    }
    l->at_start = l->at_start && n == 0;
    return offset;
}

int token_log_add(token_log *l, int32_t id, const double *log_prob, const choir_token_prob *top, int32_t n_top)
{
    size_t n;
    if (l->failed) {
        return 1;
    }
    const bool at_start = l->at_start;
    json_t *name = token_name(l, at_start, id, &n);
    bool failed = json_array_append_new(l->offsets, json_integer((json_int_t)move_on(l, n))) != 0;
    bool with_top = log_prob && n_top > 0;
    json_t *tops = with_top ? top_object(l, at_start, name, *log_prob, top, n_top) : json_null();
    failed |= json_array_append_new(l->tokens, name) != 0;
    failed |= json_array_append_new(l->values, log_prob ? json_real(*log_prob) : json_null()) != 0;
    failed |= json_array_append_new(l->tops, tops) != 0;
    l->any_top = l->any_top || with_top;
    l->failed = failed;
    return failed;
}

/* ids[from .. to), each from the row after the token before it, which the last step made. */
static choir_status add_rows(token_log *l, const choir_sequence *seq, const int32_t *ids, int32_t from, int32_t to,
                             int32_t n_top, choir_error *err)
{
    choir_token_prob top[TOKEN_LOG_TOP];
    for (int32_t pos = from; pos < to; pos++) {
        double log_prob;
        choir_status status = choir_sequence_likely(top, n_top, seq, pos - 1, ids[pos], &log_prob, err);
        if (status) {
            return status;
        }
        token_log_add(l, ids[pos], &log_prob, top, n_top);
    }
    return CHOIR_OK;
}

choir_status token_log_prompt(token_log *l, choir_engine *engine, choir_sequence *seq, const int32_t *ids, size_t n_ids,
                              int32_t n_top, choir_error *err)
{
    choir_status status = CHOIR_OK;
    token_log_add(l, ids[0], NULL, NULL, 0);
    choir_sequence_want_logits(seq, 0);
    while (!status && choir_sequence_computed(seq) + 1 < (int32_t)n_ids) {
        int32_t before = choir_sequence_computed(seq);
        status = choir_engine_step(engine, &seq, 1, err);
        if (!status) {
            status = add_rows(l, seq, ids, before + 1, choir_sequence_computed(seq) + 1, n_top, err);
        }
    }
    choir_sequence_want_logits(seq, INT32_MAX);
    return status || !l->failed ? status : base_fail(err, CHOIR_RESOURCE, "out of memory for log-probabilities");
}

json_t *token_log_take(token_log *l)
{
    json_t *object = NULL;
    if (!l->any_top) {
        json_decref(l->tops);
        l->tops = json_null();
    }
    if (!l->failed) {
        object = json_pack("{s:o, s:o, s:o, s:o}", "tokens", l->tokens, "token_logprobs", l->values, "top_logprobs",
                           l->tops, "text_offset", l->offsets);
        renew(l);
    }
    return object;
}
