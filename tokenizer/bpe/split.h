/* Cutting a text into the words that are merged each for itself: the pre_tokenizer of tokenizer.json, as steps. */
#ifndef TOK_BPE_SPLIT_H
#define TOK_BPE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/bpe/pattern.h"

/* What becomes of the matches of a pattern, as tokenizers names it (SplitDelimiterBehavior). */
enum bpe_behavior { BPE_ISOLATED, BPE_REMOVED, BPE_CONTIGUOUS, BPE_MERGED_WITH_PREVIOUS, BPE_MERGED_WITH_NEXT };

enum bpe_step_kind {
    BPE_STEP_END,   /* of a list */
    BPE_STEP_SPLIT, /* each word, at the matches of a pattern */
    BPE_STEP_SPACE, /* puts a space before each word that begins with none */
    BPE_STEP_BYTES, /* each byte into its character of the alphabet; of byte-level tokenizers exactly one step is this */
    BPE_STEP_MARK,  /* `pattern` for each space, and before a word that does not begin with it */
};

/* Before which words BPE_STEP_MARK puts its mark: the prepend_scheme of Metaspace. */
enum bpe_prepend { BPE_PREPEND_NEVER, BPE_PREPEND_FIRST, BPE_PREPEND_ALWAYS };

struct bpe_step {
    enum bpe_step_kind kind;
    enum bpe_behavior behavior;
    bool invert;  /* what lies between the matches counts as matches, and the matches do not */
    bool literal; /* the pattern is a text, not a regular expression */
    const char *pattern;
    enum bpe_prepend prepend;
};

enum { BPE_MAX_STEPS = 32 };

/* What the step ByteLevel looks for unless it is told not to: pre.c. */
extern const char bpe_gpt2_pattern[];

struct bpe_splitter;

/* Steps up to BPE_STEP_END, at most BPE_MAX_STEPS; all is copied. */
choir_status bpe_splitter_open(struct bpe_splitter **out, const struct bpe_step *steps, const char *file,
                               choir_error *err);
void bpe_splitter_close(struct bpe_splitter *s); /* NULL is allowed */

/* The steps it was made of, with BPE_STEP_END behind them. */
const struct bpe_step *bpe_splitter_steps(const struct bpe_splitter *s);

struct bpe_span {
    size_t from, to;
};

/* The words of a text, in the byte alphabet; keeps its memory from text to text.  Start from {0}. */
struct bpe_words {
    bool at_start; /* the caller says: the text is the beginning of the whole one */
    struct bpe_search *search;
    char *text;
    size_t text_cap;
    struct bpe_span *spans, *next_spans;
    size_t n, cap, n_next, next_cap;
};

void bpe_words_free(struct bpe_words *w);
/* w->spans[0 .. w->n) of w->text: the words of n bytes of valid UTF-8 (n below 2^30). */
choir_status bpe_split(struct bpe_words *w, const struct bpe_splitter *s, const char *text, size_t n, choir_error *err);

#endif
