/* A line of input into a request.  What a line may hold is one table; any other key is an error, so that nobody waits for the
 * effect of a setting that has none. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/jsonl/jsonl.h"

/* A line being read. */
typedef struct reader {
    jsonl_request *r;
    choir_error *err;
} reader;

static choir_status wrong(reader *x, const char *key, const char *wanted)
{
    return base_fail(x->err, CHOIR_FILE, "%s: %s is needed", key, wanted);
}

static choir_status read_int(reader *x, const char *key, const json_t *value, int32_t min, int32_t max, int32_t *out)
{
    if (!json_is_integer(value)) {
        return wrong(x, key, "a whole number");
    }
    long long n = json_integer_value(value);
    if (n < min || n > max) {
        return base_fail(x->err, CHOIR_FILE, "%s: %lld (%d to %d allowed)", key, n, (int)min, (int)max);
    }
    *out = (int32_t)n;
    return CHOIR_OK;
}

static choir_status read_real(reader *x, const char *key, const json_t *value, float *out)
{
    if (!json_is_number(value)) {
        return wrong(x, key, "a number");
    }
    double n = json_number_value(value);
    if (fabs(n) > FLT_MAX) {
        return base_fail(x->err, CHOIR_FILE, "%s: %g is out of range", key, n);
    }
    *out = (float)n;
    return CHOIR_OK;
}

static choir_status read_flag(reader *x, const char *key, const json_t *value, bool *out)
{
    *out = json_is_true(value);
    return json_is_boolean(value) ? CHOIR_OK : wrong(x, key, "true or false");
}

/* ---- keys ---- */

typedef choir_status key_fn(reader *x, const char *key, json_t *value);

static choir_status key_ids(reader *x, const char *key, json_t *value)
{
    jsonl_request *r = x->r;
    size_t n = json_array_size(value);
    r->ids = calloc(n + 1, sizeof *r->ids);
    if (!r->ids) {
        return base_fail(x->err, CHOIR_RESOURCE, "out of memory for %zu ids", n);
    }
    choir_status status = CHOIR_OK;
    for (r->n_ids = 0; r->n_ids < n && !status; r->n_ids++) {
        status = read_int(x, key, json_array_get(value, r->n_ids), 0, INT32_MAX, &r->ids[r->n_ids]);
    }
    return status;
}

static choir_status key_prompt(reader *x, const char *key, json_t *value)
{
    jsonl_request *r = x->r;
    if (json_is_array(value) && json_is_integer(json_array_get(value, 0))) {
        return key_ids(x, key, value);
    }
    if (!json_is_string(value)) {
        return wrong(x, key, "a text, or a list of ids,");
    }
    r->prompt = json_string_value(value);
    r->prompt_bytes = json_string_length(value);
    return CHOIR_OK;
}

static choir_status key_max_tokens(reader *x, const char *key, json_t *value)
{
    return read_int(x, key, value, -1, INT32_MAX, &x->r->max_tokens);
}

static choir_status key_n(reader *x, const char *key, json_t *value)
{
    return read_int(x, key, value, 1, JSONL_MOST_TEXTS, &x->r->n);
}

static choir_status key_logprobs(reader *x, const char *key, json_t *value)
{
    return read_int(x, key, value, 0, TOKEN_LOG_TOP, &x->r->logprobs);
}

static choir_status key_echo(reader *x, const char *key, json_t *value)
{
    return read_flag(x, key, value, &x->r->echo);
}

static choir_status key_top_k(reader *x, const char *key, json_t *value)
{
    return read_int(x, key, value, 0, INT32_MAX, &x->r->sampling.top_k);
}

static choir_status key_seed(reader *x, const char *key, json_t *value)
{
    x->r->sampling.seed = (uint64_t)json_integer_value(value);
    return json_is_integer(value) ? CHOIR_OK : wrong(x, key, "a whole number");
}

static choir_status key_temperature(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.temp);
}

static choir_status key_top_p(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.top_p);
}

static choir_status key_min_p(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.min_p);
}

static choir_status key_typical(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.typical);
}

static choir_status key_repeat(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.repeat_penalty);
}

static choir_status key_presence(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.presence_penalty);
}

static choir_status key_frequency(reader *x, const char *key, json_t *value)
{
    return read_real(x, key, value, &x->r->sampling.frequency_penalty);
}

static choir_status key_ignore_eos(reader *x, const char *key, json_t *value)
{
    return read_flag(x, key, value, &x->r->sampling.ignore_eos);
}

static choir_status key_stream(reader *x, const char *key, json_t *value)
{
    return read_flag(x, key, value, &x->r->stream);
}

static choir_status key_stop(reader *x, const char *key, json_t *value)
{
    jsonl_request *r = x->r;
    bool one = json_is_string(value);
    size_t n = one ? 1 : json_array_size(value);
    if (!one && !json_is_array(value)) {
        return wrong(x, key, "a text, or a list of texts,");
    }
    r->stops = calloc(n + 1, sizeof *r->stops);
    r->stop_bytes = calloc(n + 1, sizeof *r->stop_bytes);
    if (!r->stops || !r->stop_bytes) {
        return base_fail(x->err, CHOIR_RESOURCE, "out of memory for %zu stop strings", n);
    }
    for (r->n_stops = 0; r->n_stops < n; r->n_stops++) {
        const json_t *stop = one ? value : json_array_get(value, r->n_stops);
        if (!json_is_string(stop) || json_string_length(stop) == 0) {
            return wrong(x, key, "a text that is not empty");
        }
        r->stops[r->n_stops] = json_string_value(stop);
        r->stop_bytes[r->n_stops] = json_string_length(stop);
    }
    return CHOIR_OK;
}

/* Told to whoever reads the answers, or true of any program that answers. */
static choir_status key_passed_over(reader *x, const char *key, json_t *value)
{
    (void)x, (void)key, (void)value;
    return CHOIR_OK;
}

static const struct {
    const char *key;
    key_fn *read;
} keys[] = {
    {"prompt", key_prompt},
    {"id", key_passed_over}, /* read before all others */
    {"max_tokens", key_max_tokens},
    {"temperature", key_temperature},
    {"top_k", key_top_k},
    {"top_p", key_top_p},
    {"min_p", key_min_p},
    {"typical", key_typical},
    {"repeat_penalty", key_repeat},
    {"presence_penalty", key_presence},
    {"frequency_penalty", key_frequency},
    {"seed", key_seed},
    {"stop", key_stop},
    {"n", key_n},
    {"logprobs", key_logprobs},
    {"echo", key_echo},
    {"stream", key_stream},
    {"ignore_eos", key_ignore_eos},
    {"model", key_passed_over},
    {"user", key_passed_over},
    {"metadata", key_passed_over},
};

static choir_status read_key(reader *x, const char *key, json_t *value)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].key, key) == 0) {
            return keys[i].read(x, key, value);
        }
    }
    char shown[BASE_ESCAPE_CAP];
    return base_fail(x->err, CHOIR_FILE, "unknown key \"%s\"", base_escape_str(shown, key));
}

static choir_status read_keys(reader *x, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        /* null is how some writers leave a key out */
        choir_status status = json_is_null(value) ? CHOIR_OK : read_key(x, key, value);
        if (status) {
            return status;
        }
    }
    if (!x->r->prompt && !x->r->ids) {
        return base_fail(x->err, CHOIR_FILE, "prompt missing");
    }
    return choir_sampling_check(&x->r->sampling, x->err);
}

/* {"custom_id": ..., "method": "POST", "url": "/v1/completions", "body": {...}} */
static choir_status read_batch(reader *x, json_t *object)
{
    jsonl_request *r = x->r;
    json_t *body = json_object_get(object, "body");
    r->batch = true;
    r->id = json_incref(json_object_get(object, "custom_id"));
    if (!json_is_object(body)) {
        return wrong(x, "body", "an object");
    }
    if (json_object_get(body, "messages")) {
        return base_fail(x->err, CHOIR_FILE, "messages: only completions are answered here; give prompt");
    }
    return read_keys(x, body);
}

choir_status jsonl_request_read(jsonl_request *out, const options *o, const choir_sampling *sampling, const char *line,
                                size_t n, choir_error *err)
{
    *out = (jsonl_request){.n = o->n_samples,
                           .max_tokens = o->max_tokens,
                           .logprobs = o->logprobs,
                           .echo = o->echo,
                           .sampling = *sampling};
    reader x = {.r = out, .err = err};
    if (n > JSONL_LINE_MAX) {
        return base_fail(err, CHOIR_FILE, "line is longer than %d bytes", (int)JSONL_LINE_MAX);
    }
    json_error_t where;
    switch (base_json_decode(&out->root, line, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where)) {
    case CHOIR_OK:
        break;
    case CHOIR_RESOURCE:
        return base_fail(err, CHOIR_RESOURCE, "out of memory for a line of %zu bytes", n);
    default:
        return base_fail(err, CHOIR_FILE, "byte %d: %s", where.position, where.text);
    }
    if (!json_is_object(out->root)) {
        return base_fail(err, CHOIR_FILE, "an object is needed");
    }
    if (json_object_get(out->root, "custom_id") || json_object_get(out->root, "body")) {
        return read_batch(&x, out->root);
    }
    if (json_object_get(out->root, "cancel")) {
        out->cancel = json_incref(json_object_get(out->root, "cancel"));
        return json_object_size(out->root) == 1 ? CHOIR_OK
                                                : base_fail(err, CHOIR_FILE, "cancel goes alone in its line");
    }
    out->id = json_incref(json_object_get(out->root, "id"));
    return read_keys(&x, out->root);
}

void jsonl_request_free(jsonl_request *r)
{
    json_decref(r->id);
    json_decref(r->cancel);
    free(r->ids);
    free(r->stops);
    free(r->stop_bytes);
    json_decref(r->root);
    *r = (jsonl_request){0};
}
