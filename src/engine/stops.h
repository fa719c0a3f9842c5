/* Stop strings over a stream of text pieces: what may be shown now, what must wait, and where it ends. */
#ifndef ENG_STOPS_H
#define ENG_STOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "choir/status.h"

struct eng_stops {
    const char *const *strings; /* [n], borrowed */
    size_t *bytes;              /* [n] */
    size_t n;
    char *held; /* text that may be the beginning of a stop string */
    size_t n_held, cap;
};

/* bytes NULL: NUL-terminated strings.  piece_bytes: the longest piece that will be pushed.  Empty strings are ignored. */
choir_status eng_stops_open(struct eng_stops *s, const char *const *strings, const size_t *bytes, size_t n,
                            size_t piece_bytes, choir_error *err);
void eng_stops_close(struct eng_stops *s);

/* Adds a piece.  *show bytes at s->held may be shown (call eng_stops_shown after).  True when a stop string is complete: the
 * text ends after those bytes. */
bool eng_stops_push(struct eng_stops *s, const char *text, size_t n, size_t *show);
/* Drops the first n bytes of held. */
void eng_stops_shown(struct eng_stops *s, size_t n);

#endif
