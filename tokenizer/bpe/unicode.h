/* Classes of characters as Oniguruma 6.9.10 knows them (Unicode 16), in PCRE2's notation. */
#ifndef TOK_BPE_UNICODE_H
#define TOK_BPE_UNICODE_H

#include <stddef.h>

/* Both texts stand inside of brackets; together they are the class. */
struct bpe_property {
    const char *name;
    const char *members; /* as PCRE2 knows it */
    const char *newer;   /* what an older Unicode lacks */
};

/* A general category ("L", "Nd", ...), the script "Han", or "w", the characters of words; NULL for others. */
const struct bpe_property *bpe_property_find(const char *name, size_t n);

/* What the steps Digits (Rust's char::is_numeric, Unicode 17) and Punctuation (ASCII's, and P of Unicode 8) look for: regular
 * expressions for bpe_pattern_open. */
extern const char bpe_digit_pattern[];
extern const char bpe_punctuation_pattern[];

#endif
