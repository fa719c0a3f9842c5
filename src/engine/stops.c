/* The held text is never longer than the longest stop string and one piece, so all room is taken at open. */
#include "engine/stops.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

choir_status eng_stops_open(struct eng_stops *s, const char *const *strings, const size_t *bytes, size_t n,
                            size_t piece_bytes, choir_error *err)
{
    *s = (struct eng_stops){.strings = strings, .n = n};
    size_t longest = 0;
    s->bytes = malloc((n > 0 ? n : 1) * sizeof *s->bytes);
    if (s->bytes == NULL) {
        return base_fail_memory(err, n * sizeof *s->bytes, "stop strings");
    }
    for (size_t i = 0; i < n; i++) {
        s->bytes[i] = bytes != NULL ? bytes[i] : strlen(strings[i]);
        longest = s->bytes[i] > longest ? s->bytes[i] : longest;
    }
    s->cap = longest + piece_bytes;
    s->held = malloc(s->cap > 0 ? s->cap : 1);
    if (s->held == NULL) {
        eng_stops_close(s);
        return base_fail_memory(err, s->cap, "stop strings");
    }
    return CHOIR_OK;
}

void eng_stops_close(struct eng_stops *s)
{
    free(s->bytes);
    free(s->held);
    *s = (struct eng_stops){0};
}

/* Whether stop string i matches at `at`, as far as the held text goes. */
static bool matches(const struct eng_stops *s, size_t i, size_t at)
{
    size_t left = s->n_held - at;
    size_t n = s->bytes[i] < left ? s->bytes[i] : left;
    return s->bytes[i] > 0 && memcmp(s->held + at, s->strings[i], n) == 0;
}

bool eng_stops_push(struct eng_stops *s, const char *text, size_t n, size_t *show)
{
    memcpy(s->held + s->n_held, text, n);
    s->n_held += n;
    size_t wait = s->n_held; /* from here on the text may be a beginning */
    size_t end = SIZE_MAX;   /* of the stop string that is complete first */
    for (size_t at = 0; at < s->n_held; at++) {
        for (size_t i = 0; i < s->n; i++) {
            if (!matches(s, i, at)) {
                continue;
            }
            wait = at < wait ? at : wait;
            if (at + s->bytes[i] <= s->n_held && at + s->bytes[i] < end) {
                end = at + s->bytes[i];
                *show = at;
            }
        }
    }
    if (end < SIZE_MAX) {
        return true;
    }
    *show = wait;
    return false;
}

void eng_stops_shown(struct eng_stops *s, size_t n)
{
    memmove(s->held, s->held + n, s->n_held - n);
    s->n_held -= n;
}
