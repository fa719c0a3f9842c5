/* Strict JSON over jansson, whose messages and limits are not ours: one pass before it finds what it would take too
 * lightly (nesting up to 2,048, with recursion) or report without a place (bytes that are no UTF-8, NUL bytes).
 * RFC 8259. */
#include "base/json.h"

#include <float.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

/* A place in a text: both count from 1, columns in characters. */
struct place {
    size_t line, column;
};

static struct place place_of(const char *text, size_t at)
{
    struct place p = {1, 1};
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            p = (struct place){p.line + 1, 1};
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            p.column++;
        }
    }
    return p;
}

static choir_status fail_at(choir_error *err, const char *name, const char *text, size_t at, const char *what)
{
    char shown[BASE_ESCAPE_CAP];
    struct place p = place_of(text, at);
    choir_status status =
        base_fail(err, CHOIR_FILE, "%s:%zu:%zu: %s", base_escape_str(shown, name), p.line, p.column, what);
    if (err != NULL) {
        err->offset = at;
    }
    return status;
}

/* Byte of the first bracket that opens a level too many, or n; what follows the first value is not looked at. */
static size_t too_deep(const char *text, size_t n)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > BASE_JSON_DEPTH) {
                return i;
            }
        } else if ((c == ']' || c == '}') && --depth <= 0) {
            return n;
        }
    }
    return n;
}

/* Where the string literal begins whose closing quote is text[end - 1]; end when that is none. */
static size_t literal_start(const char *text, size_t end)
{
    if (end < 2 || text[end - 1] != '"') {
        return end;
    }
    size_t i = end - 1;
    while (i > 0) {
        size_t slashes = 0;
        i--;
        while (slashes < i && text[i - 1 - slashes] == '\\') {
            slashes++;
        }
        if (text[i] == '"' && slashes % 2 == 0) {
            return i;
        }
    }
    return end;
}

/* jansson's complaint in our words. */
static choir_status fail_jansson(choir_error *err, const char *name, const char *text, size_t n,
                                 const json_error_t *seen)
{
    size_t at = seen->position > 0 ? (size_t)seen->position : 0;
    at = at > n ? n : at;
    char shown[BASE_ESCAPE_CAP];
    char what[BASE_ESCAPE_CAP + 32];
    switch (json_error_code(seen)) {
    case json_error_numeric_overflow:
        return fail_at(err, name, text, at, "number out of range");
    case json_error_end_of_input_expected:
        return fail_at(err, name, text, at, "text after the end");
    case json_error_premature_end_of_input:
        return fail_at(err, name, text, at, "unexpected end");
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return fail_at(err, name, text, at, "NUL character");
    case json_error_duplicate_key: {
        size_t from = literal_start(text, at);
        snprintf(what, sizeof what, "duplicate key %s", base_escape(shown, text + from, at - from));
        return fail_at(err, name, text, from, what);
    }
    default:
        return fail_at(err, name, text, at, base_escape_str(shown, seen->text));
    }
}

/* Whether jansson, in this thread, was refused memory.  It may not tell, or tell of a fault in the text: a string can have
 * lost a character. */
static _Thread_local bool starved;
static json_malloc_t next_malloc;

static void *watched_malloc(size_t n)
{
    void *p = next_malloc(n);
    starved = starved || p == NULL;
    return p;
}

/* What is asked of the allocator that was there goes to it still. */
static void watch_memory(void)
{
    static atomic_flag watching = ATOMIC_FLAG_INIT;
    json_malloc_t own;
    json_free_t give_back;
    if (!atomic_flag_test_and_set(&watching)) {
        json_get_alloc_funcs(&own, &give_back);
        next_malloc = own;
        json_set_alloc_funcs(watched_malloc, give_back);
    }
}

choir_status base_json_decode(json_t **root, const char *text, size_t n, size_t flags, json_error_t *where)
{
    const size_t deep = too_deep(text, n);
    *root = NULL;
    *where = (json_error_t){.line = 1};
    if (deep < n) {
        const struct place p = place_of(text, deep);
        where->line = (int)p.line;
        where->column = (int)p.column;
        where->position = (int)deep;
        snprintf(where->text, sizeof where->text, "nested deeper than %d", BASE_JSON_DEPTH);
        return CHOIR_FILE;
    }
    watch_memory();
    starved = false;
    *root = json_loadb(text, n, flags, where);
    if (starved || (*root == NULL && where->text[0] == '\0')) {
        json_decref(*root);
        *root = NULL;
        return CHOIR_RESOURCE;
    }
    return *root != NULL ? CHOIR_OK : CHOIR_FILE;
}

choir_status base_json_parse(json_t **root, const char *name, const char *text, size_t n, choir_error *err)
{
    *root = NULL;
    char shown[BASE_ESCAPE_CAP];
    if (n == 0) {
        return base_fail(err, CHOIR_FILE, "%s: empty file", base_escape_str(shown, name));
    }
    size_t valid = base_utf8_valid(text, n);
    if (valid < n) {
        return fail_at(err, name, text, valid, "invalid UTF-8");
    }
    const char *nul = memchr(text, '\0', n);
    if (nul != NULL) {
        return fail_at(err, name, text, (size_t)(nul - text), "NUL byte");
    }
    json_error_t seen;
    switch (base_json_decode(root, text, n, JSON_REJECT_DUPLICATES, &seen)) {
    case CHOIR_OK:
        return CHOIR_OK;
    case CHOIR_RESOURCE:
        return base_fail_memory(err, n, "a JSON text");
    default:
        return fail_jansson(err, name, text, n, &seen);
    }
}

choir_status base_json_load(json_t **root, const char *path, size_t max_bytes, choir_error *err)
{
    *root = NULL;
    char *text;
    size_t n;
    choir_status status = base_file_slurp(path, max_bytes, &text, &n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    status = base_json_parse(root, path, text, n, err);
    free(text);
    if (status == CHOIR_OK && !json_is_object(*root)) {
        char shown[BASE_ESCAPE_CAP];
        json_decref(*root);
        *root = NULL;
        return base_fail(err, CHOIR_FILE, "%s: not an object", base_escape_str(shown, path));
    }
    return status;
}

/* ---- fields ------------------------------------------------------------------------------------------ */

/* NULL for a key that is absent or null. */
static const json_t *field(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

/* A value as a message shows it. */
static const char *show(char dst[BASE_ESCAPE_CAP + 2], const json_t *value)
{
    char text[BASE_ESCAPE_CAP];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        base_escape(text, json_string_value(value), json_string_length(value));
        snprintf(dst, BASE_ESCAPE_CAP + 2, "\"%s\"", text);
        return dst;
    case JSON_INTEGER:
        snprintf(dst, BASE_ESCAPE_CAP, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return dst;
    case JSON_REAL:
        snprintf(dst, BASE_ESCAPE_CAP, "%g", json_real_value(value));
        return dst;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static choir_status fail_value(choir_error *err, const char *name, const char *key, const json_t *value,
                               const char *wanted)
{
    char shown_name[BASE_ESCAPE_CAP], shown[BASE_ESCAPE_CAP + 2];
    return base_fail(err, CHOIR_FILE, "%s: %s: %s (%s)", base_escape_str(shown_name, name), key, show(shown, value),
                     wanted);
}

choir_status base_json_int(int64_t *out, const json_t *object, const char *name, const char *key, int64_t fallback,
                           int64_t min, int64_t max, choir_error *err)
{
    *out = fallback;
    const json_t *value = field(object, key);
    if (value == NULL) {
        return CHOIR_OK;
    }
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%" PRId64 " to %" PRId64 " allowed", min, max);
        return fail_value(err, name, key, value, wanted);
    }
    *out = json_integer_value(value);
    return CHOIR_OK;
}

choir_status base_json_need_int(int64_t *out, const json_t *object, const char *name, const char *key, int64_t min,
                                int64_t max, choir_error *err)
{
    *out = 0;
    if (field(object, key) == NULL) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: %s missing", base_escape_str(shown, name), key);
    }
    return base_json_int(out, object, name, key, 0, min, max, err);
}

choir_status base_json_number(double *out, const json_t *object, const char *name, const char *key, double fallback,
                              double min, double max, choir_error *err)
{
    *out = fallback;
    const json_t *value = field(object, key);
    if (value == NULL) {
        return CHOIR_OK;
    }
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= min && number <= max)) {
        char wanted[96] = "a number is needed";
        if (min != -DBL_MAX || max != DBL_MAX) {
            snprintf(wanted, sizeof wanted, "%g to %g allowed", min, max);
        }
        return fail_value(err, name, key, value, wanted);
    }
    *out = number;
    return CHOIR_OK;
}

choir_status base_json_bool(bool *out, const json_t *object, const char *name, const char *key, bool fallback,
                            choir_error *err)
{
    *out = fallback;
    const json_t *value = field(object, key);
    if (value == NULL) {
        return CHOIR_OK;
    }
    if (!json_is_boolean(value)) {
        return fail_value(err, name, key, value, "true or false allowed");
    }
    *out = json_is_true(value);
    return CHOIR_OK;
}

choir_status base_json_string(const char **out, const json_t *object, const char *name, const char *key,
                              choir_error *err)
{
    *out = NULL;
    const json_t *value = field(object, key);
    if (value == NULL) {
        return CHOIR_OK;
    }
    if (!json_is_string(value)) {
        return fail_value(err, name, key, value, "a string is needed");
    }
    *out = json_string_value(value);
    return CHOIR_OK;
}
