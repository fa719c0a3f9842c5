/* Regular expressions of tokenizer.json, found with PCRE2.  They are written for Oniguruma (doc/RE), whose classes differ:
 * \s is White_Space, \d is Nd, \w has marks and connectors, $ and ^ are those of lines; and whose Unicode is version 16.  They
 * are rewritten so that PCRE2 finds the same; what would mean something else there is refused. */
#ifndef TOK_BPE_PATTERN_H
#define TOK_BPE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "choir/status.h"

struct bpe_pattern;

/* literal: the text itself is looked for.  `file` and `where` stand in messages (CHOIR_FILE). */
choir_status bpe_pattern_open(struct bpe_pattern **out, const char *text, bool literal, const char *file,
                              const char *where, choir_error *err);
void bpe_pattern_close(struct bpe_pattern *p); /* NULL is allowed */

/* What one thread needs for searching; any patterns. */
struct bpe_search;
choir_status bpe_search_open(struct bpe_search **out, choir_error *err);
void bpe_search_close(struct bpe_search *s);

/* The first match at or behind `at` in n bytes of valid UTF-8 (a whole subject: its ends are those of a line).  *found false:
 * none.  CHOIR_PROMPT when the pattern takes too many steps on this text. */
choir_status bpe_search_next(bool *found, size_t *from, size_t *to, struct bpe_search *s, const struct bpe_pattern *p,
                             const char *text, size_t n, size_t at, choir_error *err);

/* The pattern as PCRE2 gets it; malloc'ed.  For tests and for bpe_pattern_open. */
choir_status bpe_pattern_translate(char **out, const char *text, const char *file, const char *where, choir_error *err);

#endif
