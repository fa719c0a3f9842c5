/* Random text for tests, from a seed: valid UTF-8 with everything that tokenizers stumble over. */
#ifndef TEST_RANDOM_TEXT_H
#define TEST_RANDOM_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct random_text {
    uint64_t state; /* any value is a seed */
};

uint64_t random_next(struct random_text *r);
/* 0 to n - 1; n > 0 */
uint32_t random_below(struct random_text *r, uint32_t n);

/* At most cap bytes (NULs among them, no NUL behind): words, white space runs, control characters, accents, CJK, emoji
 * with joiners, digits, compatibility forms, any code point, and the spellings of special pieces.  Returns the bytes. */
size_t random_text_make(struct random_text *r, char *dst, size_t cap);

#endif
