/* Strict JSON (jansson): duplicate keys, trailing text, NUL bytes, bad UTF-8, lone surrogates, numbers out of range and
 * nesting above 64 are refused, with `FILE:LINE:COLUMN: what`. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "choir/status.h"

enum { BASE_JSON_DEPTH = 64 };

/* jansson's json_loadb with `flags`, for texts that are not files: CHOIR_FILE with jansson's words in *where, also for
 * nesting above 64; CHOIR_RESOURCE when there was no memory. */
choir_status base_json_decode(json_t **root, const char *text, size_t n, size_t flags, json_error_t *where);

/* A whole text of n bytes; `name` stands in messages.  *root is the caller's (json_decref). */
choir_status base_json_parse(json_t **root, const char *name, const char *text, size_t n, choir_error *err);
/* A whole file of at most max_bytes; its root must be an object. */
choir_status base_json_load(json_t **root, const char *path, size_t max_bytes, choir_error *err);

/* Fields of an object, for settings files.  A key that is absent or null gives `fallback` (or, for the need_ forms,
 * CHOIR_FILE "NAME: KEY missing").  A wrong type or a value outside [min, max] is CHOIR_FILE with the value and the range:
 * "config.json: vocab_size: 2147483648 (1 to 16777216 allowed)". */
choir_status base_json_int(int64_t *out, const json_t *object, const char *name, const char *key, int64_t fallback,
                           int64_t min, int64_t max, choir_error *err);
choir_status base_json_need_int(int64_t *out, const json_t *object, const char *name, const char *key, int64_t min,
                                int64_t max, choir_error *err);
/* Integers are taken as numbers too. */
choir_status base_json_number(double *out, const json_t *object, const char *name, const char *key, double fallback,
                              double min, double max, choir_error *err);
choir_status base_json_bool(bool *out, const json_t *object, const char *name, const char *key, bool fallback,
                            choir_error *err);
/* Borrowed from the object; NULL when absent. */
choir_status base_json_string(const char **out, const json_t *object, const char *name, const char *key,
                              choir_error *err);

#endif
