/* Reading the JSON of a safetensors header in place: a walk that keeps no tree, so that a header of 100 MB costs
 * little more than itself.  For weights/st_*.c and safetensors.c alone. */
#ifndef WTS_ST_SCAN_H
#define WTS_ST_SCAN_H

#include "weights/set.h"

struct st_scan {
    const struct base_file *file;
    char *text; /* [n], valid UTF-8, a NUL behind; strings are unescaped where they lie */
    size_t n, at;
    choir_error *err;
};

/* "FILE: header byte N: expected WHAT" */
choir_status st_expected(const struct st_scan *s, const char *what);
/* Steps over white space; the byte that follows, '\0' at the end. */
char st_peek(struct st_scan *s);
/* Steps over white space and the byte c. */
choir_status st_punct(struct st_scan *s, char c);
/* A string; it becomes NUL-terminated, and a NUL character inside is refused. */
choir_status st_string(struct st_scan *s, const char **out);
/* Digits without sign, fraction or leading zeros, below 2^64; false (and nothing is said) for anything else. */
bool st_whole_number(struct st_scan *s, uint64_t *out);
/* Between members: true after stepping over ',', false at `close`, which is stepped over. */
choir_status st_next(struct st_scan *s, char close, bool *more);

#endif
