/* Texts kept in files with their cache (--kv-save, --kv-load; /save and /load of names that end in .kv). */
#ifndef CHOIR_CLI_KEPT_H
#define CHOIR_CLI_KEPT_H

#include "cli/session.h"

/* Whether a name is one of a kept text, not of a plain one. */
bool kept_is_name(const char *path);
/* Makes seq what is kept in path, and puts n bytes of text behind it.  What the file holds stays as it is, but for tokens at
 * its end that the new text becomes one with, as far as they are those that the tokenizer would make. */
choir_status kept_continue(session *s, choir_sequence *seq, const char *path, const char *text, size_t n,
                           choir_error *err);
/* The text of seq, malloc'ed. */
choir_status kept_text(char **text, size_t *n, const session *s, const choir_sequence *seq, choir_error *err);

#endif
