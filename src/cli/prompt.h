/* The text a command begins with: from -p, -f FILE or stdin; valid UTF-8, at most PROMPT_MAX bytes. */
#ifndef CHOIR_CLI_PROMPT_H
#define CHOIR_CLI_PROMPT_H

#include "cli/options/options.h"
#include "cli/terminal.h"

#define PROMPT_MAX ((size_t)1 << 30)

typedef struct prompt {
    char *text; /* malloc'ed; may hold NUL bytes */
    size_t n;
} prompt;

/* stdin is read when it is no terminal and neither -p nor -f is given; with a terminal that is CHOIR_USAGE.
 * CHOIR_PROMPT: invalid UTF-8 (with the byte's offset, unless --lossy) or too long; CHOIR_IO. */
choir_status prompt_read(prompt *out, const options *o, const terminal *t, choir_error *err);
/* A whole file as it is, by the same rules, no newline dropped. */
choir_status prompt_read_file(prompt *out, const char *path, bool lossy, choir_error *err);
void prompt_free(prompt *p);

#endif
