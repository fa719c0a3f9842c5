/* The normalizer of a tokenizer.json: steps that rewrite a text before it is cut into words, each as Hugging Face's tokenizers
 * does it. */
#ifndef TOK_NORM_H
#define TOK_NORM_H

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/bpe/normalize.h"

enum norm_kind {
    NORM_END,      /* of a list */
    NORM_FORM,     /* one of Unicode's normal forms */
    NORM_PREPEND,  /* `text` in front, unless there is nothing */
    NORM_REPLACE,  /* each match of `pattern` by `text` */
    NORM_STRIP,    /* white space at the ends */
    NORM_CHARSMAP, /* the precompiled map of a SentencePiece model, grapheme by grapheme */
};

struct norm_step {
    enum norm_kind kind;
    enum bpe_form form;
    const char *text;
    const char *pattern;
    bool literal; /* the pattern is a text, not a regular expression */
    bool left, right;
    const char *charsmap; /* [charsmap_bytes] */
    size_t charsmap_bytes;
};

enum { NORM_MAX_STEPS = 16 };

struct norm;

/* Steps up to NORM_END, at most NORM_MAX_STEPS; all is copied.  Maps and patterns are checked (CHOIR_FILE). */
choir_status norm_open(struct norm **out, const struct norm_step *steps, const char *file, choir_error *err);
void norm_close(struct norm *n); /* NULL is allowed */

/* The steps it was made of, with NORM_END behind them. */
const struct norm_step *norm_steps(const struct norm *n);

/* The normalized text of n bytes of valid UTF-8: *out is malloc'ed, *n_out its bytes; *out is NULL where the text stays as it
 * is.  CHOIR_PROMPT where it grows beyond most_bytes. */
choir_status norm_run(char **out, size_t *n_out, const struct norm *norm, const char *text, size_t n, size_t most_bytes,
                      choir_error *err);

#endif
