/* A text that grows, with an upper bound. */
#ifndef TOK_NORM_BUFFER_H
#define TOK_NORM_BUFFER_H

#include <stddef.h>

#include "choir/status.h"

struct norm_buffer {
    char *data;
    size_t n, cap, most;
};

/* n bytes behind the others.  CHOIR_PROMPT beyond `most`; what was allocated stays to be freed. */
choir_status norm_put(struct norm_buffer *b, const char *text, size_t n, choir_error *err);

#endif
