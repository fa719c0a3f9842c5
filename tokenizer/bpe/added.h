/* Tokens that are found in a text before it is cut into words: the added_tokens of tokenizer.json.  Leftmost first, of those
 * the longest. */
#ifndef TOK_BPE_ADDED_H
#define TOK_BPE_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

struct bpe_added {
    const char *text;
    size_t n;
    int32_t id;
    bool special;        /* stands in the way of others, but its text is text */
    bool single_word;    /* not within a word */
    bool lstrip, rstrip; /* white space beside it belongs to it */
    bool normalized;     /* found in the normalized text */
};

/* A set of them in order of their bytes; texts are its own. */
struct bpe_added_set {
    struct bpe_added *tokens;
    size_t n;
    char *texts;
    size_t first[257]; /* tokens whose text begins with byte b: first[b] .. first[b + 1) */
};

/* Of equal texts the first one stays; empty ones are left out. */
choir_status bpe_added_open(struct bpe_added_set *set, const struct bpe_added *tokens, size_t n, choir_error *err);
void bpe_added_close(struct bpe_added_set *set);

/* Where the search through a text is.  Start from {0}. */
struct bpe_added_place {
    size_t at;   /* the next token is looked for here */
    size_t done; /* the text before is dealt with */
};

struct bpe_added_part {
    size_t from, to;
    int32_t id; /* -1: text */
};

/* The next parts of n bytes of valid UTF-8, at most two (text, then a token); returns how many, 0 at the end. */
int bpe_added_next(struct bpe_added_part parts[2], const struct bpe_added_set *set, struct bpe_added_place *place,
                   const char *text, size_t n);

/* Bytes of the character of white space (White_Space) that the n > 0 bytes begin with; 0: another one. */
size_t bpe_space_at(const char *text, size_t n);

#endif
