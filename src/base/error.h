/* Filling a choir_error where the fault is seen. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

#include "choir/status.h"

/* Writes `code` and the formatted message into *err (which may be NULL) and returns `code`.
 * A message that does not fit is cut at a UTF-8 boundary. */
choir_status base_fail(choir_error *err, choir_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As base_fail with CHOIR_RESOURCE: "out of memory (N bytes for WHAT)". */
choir_status base_fail_memory(choir_error *err, size_t bytes, const char *what);

/* Room for base_escape's longest result. */
enum { BASE_ESCAPE_CAP = 104 };

/* Printable form of `n` bytes that came from a file or a user: printable UTF-8 stays, every other byte becomes
 * \xNN, and the result is cut to 96 bytes (then ends in "...").  dst has BASE_ESCAPE_CAP bytes; returns dst. */
const char *base_escape(char dst[BASE_ESCAPE_CAP], const void *src, size_t n);
/* The same for a C string. */
const char *base_escape_str(char dst[BASE_ESCAPE_CAP], const char *src);

#endif
