/* Options read from text by their rows in the table. */
#include "cli/options/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "cli/options/numbers.h"
#include "cli/terminal.h"

void options_default(options *o)
{
    *o = (options){.max_tokens = 256,
                   .n_samples = 1,
                   .length_penalty = 1,
                   .kv_block = 16,
                   .n_sinks = 4,
                   .batch = 512,
                   .logprobs = -1,
                   .token = -1,
                   .kv_type = "f16",
                   .color = "auto",
                   .status = "on",
                   .output = "md",
                   .runs = 5};
    choir_sampling_default(&o->sampling);
}

void options_free(options *o)
{
    free(o->stops.at);
    free(o->biases.at);
    free(o->mask_heads.at);
    o->mask_heads = (head_list){0};
    o->stops = (text_list){0};
    o->biases = (bias_list){0};
}

/* ---- values ------------------------------------------------------------------------------------------ */

static choir_status refuse(choir_error *err, const char *shown, const char *value, const char *what)
{
    char text[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_USAGE, "%s: \"%s\" %s", shown, base_escape_str(text, value), what);
}

static choir_status set_int(int32_t *field, const option_row *row, const char *shown, const char *value,
                            choir_error *err)
{
    char what[96];
    int64_t n;
    bool ok = number_int(&n, value, (int64_t)row->min, (int64_t)row->max);
    if (row->kind == OPTION_POWER) {
        snprintf(what, sizeof what, "is not a power of two from %.0f to %.0f", row->min, row->max);
        ok = ok && (n & (n - 1)) == 0;
    } else {
        snprintf(what, sizeof what, "is not a whole number from %.0f to %.0f", row->min, row->max);
    }
    if (!ok) {
        return refuse(err, shown, value, what);
    }
    *field = (int32_t)n;
    return CHOIR_OK;
}

static choir_status set_guess(int32_t *field, const option_row *row, const char *shown, const char *value,
                              choir_error *err)
{
    static const char name[] = "ngram";
    const size_t n = sizeof name - 1;
    int64_t count = (int64_t)row->max / 4;
    bool ok = strncmp(value, name, n) == 0 && (!value[n] || value[n] == ':');
    if (ok && value[n]) {
        ok = number_int(&count, value + n + 1, (int64_t)row->min, (int64_t)row->max);
    }
    if (!ok) {
        char what[96];
        snprintf(what, sizeof what, "is neither %s nor %s:K, K from %.0f to %.0f", name, name, row->min, row->max);
        return refuse(err, shown, value, what);
    }
    *field = (int32_t)count;
    return CHOIR_OK;
}

static choir_status set_ints(int_list *list, const option_row *row, const char *shown, const char *value,
                             choir_error *err)
{
    int_list read = {.n = 0};
    for (const char *at = value;; at++) {
        char item[24];
        size_t n = strcspn(at, ",");
        if (n >= sizeof item) {
            return refuse(err, shown, value, "is not a list of whole numbers");
        }
        if (read.n == LIST_CAP) {
            return refuse(err, shown, value, "has more than 64 numbers");
        }
        memcpy(item, at, n);
        item[n] = '\0';
        choir_status status = set_int(&read.at[read.n++], row, shown, item, err);
        if (status) {
            return status;
        }
        at += n;
        if (!*at) {
            break;
        }
    }
    *list = read;
    return CHOIR_OK;
}

static choir_status set_real(float *field, const option_row *row, const char *shown, const char *value,
                             choir_error *err)
{
    char what[96];
    double x = 0;
    bool ok =
        number_real(&x, value) && fabs(x) <= 3.4e38 && (row->open_min ? x > row->min : x >= row->min) && x <= row->max;
    if (ok) {
        *field = (float)x;
        return CHOIR_OK;
    }
    if (isinf(row->min)) {
        snprintf(what, sizeof what, "must be a finite number");
    } else if (isinf(row->max)) {
        snprintf(what, sizeof what,
                 row->open_min ? "must be a finite number above %g" : "must be a finite number, %g or more", row->min);
    } else {
        snprintf(what, sizeof what, "must be a number from %g to %g", row->min, row->max);
    }
    return refuse(err, shown, value, what);
}

static choir_status set_name(const char **field, const option_row *row, const char *shown, const char *value,
                             choir_error *err)
{
    char what[256] = "is none of:";
    size_t used = strlen(what);
    for (int i = 0; row->names(i); i++) {
        if (strcasecmp(row->names(i), value) == 0) { /* q4_K, q4_k, Q4_K */
            *field = row->names(i);
            return CHOIR_OK;
        }
        int n = snprintf(what + used, sizeof what - used, " %s", row->names(i));
        used = used + (size_t)n < sizeof what ? used + (size_t)n : sizeof what - 1;
    }
    return refuse(err, shown, value, what);
}

static choir_status add_text(text_list *list, const char *shown, const char *value, choir_error *err)
{
    if (!*value) {
        return base_fail(err, CHOIR_USAGE, "%s: the string is empty", shown);
    }
    const char **at = realloc(list->at, (list->n + 1) * sizeof *at);
    if (!at) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    at[list->n] = value;
    list->at = at;
    list->n++;
    return CHOIR_OK;
}

static choir_status add_bias(bias_list *list, const char *shown, const char *value, choir_error *err)
{
    char id[16];
    int64_t n;
    double bias = 0;
    const char *equals = strchr(value, '=');
    size_t len = equals ? (size_t)(equals - value) : sizeof id;
    bool ok = len < sizeof id;
    if (ok) {
        memcpy(id, value, len);
        id[len] = '\0';
        bool ban = strcmp(equals + 1, "-inf") == 0;
        ok = number_int(&n, id, 0, INT32_MAX) && (ban || (number_real(&bias, equals + 1) && fabs(bias) <= 3.4e38));
        bias = ban ? -INFINITY : bias;
    }
    if (!ok) {
        return refuse(err, shown, value, "is not ID=B with a token's id and a number or -inf");
    }
    choir_logit_bias *at = realloc(list->at, (list->n + 1) * sizeof *at);
    if (!at) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    at[list->n] = (choir_logit_bias){.id = (int32_t)n, .bias = (float)bias};
    list->at = at;
    list->n++;
    return CHOIR_OK;
}

/* A number behind `letter`, or a star where that may be; *at moves behind it. */
static bool read_index(int32_t *out, const char **at, char letter, bool star)
{
    char digits[12];
    int64_t n;
    if (**at != letter && **at != letter + ('a' - 'A')) {
        return false;
    }
    *at += 1;
    if (star && **at == '*') {
        *at += 1;
        *out = -1;
        return true;
    }
    size_t len = strspn(*at, "0123456789");
    if (len >= sizeof digits) {
        return false;
    }
    memcpy(digits, *at, len);
    digits[len] = '\0';
    *at += len;
    bool ok = number_int(&n, digits, 0, INT32_MAX);
    *out = ok ? (int32_t)n : 0;
    return ok;
}

static choir_status add_heads(head_list *list, const char *shown, const char *value, choir_error *err)
{
    for (const char *at = value;; at++) {
        choir_head head;
        if (!read_index(&head.layer, &at, 'L', false) || !read_index(&head.head, &at, 'H', true) ||
            (*at && *at != ',')) {
            return refuse(err, shown, value, "is not a list of heads, such as L3H5,L4H*");
        }
        choir_head *more = realloc(list->at, (list->n + 1) * sizeof *more);
        if (!more) {
            return base_fail(err, CHOIR_RESOURCE, "out of memory");
        }
        more[list->n] = head;
        list->at = more;
        list->n++;
        if (!*at) {
            return CHOIR_OK;
        }
    }
}

choir_status option_set(options *o, const option_row *row, const char *shown, const char *value, choir_error *err)
{
    void *field = (char *)o + row->field;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return CHOIR_OK;
    case OPTION_TEXT:
        *(const char **)field = value;
        return CHOIR_OK;
    case OPTION_NAME:
        return set_name(field, row, shown, value, err);
    case OPTION_INT:
    case OPTION_POWER:
        return set_int(field, row, shown, value, err);
    case OPTION_GUESS:
        return set_guess(field, row, shown, value, err);
    case OPTION_INTS:
        return set_ints(field, row, shown, value, err);
    case OPTION_REAL:
        return set_real(field, row, shown, value, err);
    case OPTION_SEED:
        o->seed_given = number_u64(field, value);
        return o->seed_given ? CHOIR_OK
                             : refuse(err, shown, value, "is not a whole number from 0 to 18446744073709551615");
    case OPTION_BYTES:
        return number_bytes(field, value) && *(uint64_t *)field > 0
                   ? CHOIR_OK
                   : refuse(err, shown, value, "is not a number of bytes, such as 1073741824 or 1G");
    case OPTION_TEXTS:
        return add_text(field, shown, value, err);
    case OPTION_BIAS:
        return add_bias(field, shown, value, err);
    case OPTION_HEADS:
        return add_heads(field, shown, value, err);
    }
    return base_fail(err, CHOIR_INTERNAL, "option %s has no kind", shown);
}
