/* UTF-8 as Unicode defines it (no surrogates, no overlong forms, up to U+10FFFF).  Unicode 15, table 3-7. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length (1 to 4) of the sequence that starts at s[0]; 0 if it is invalid whatever follows;
 * -1 if the n bytes at hand are a valid beginning that is cut off. */
int base_utf8_sequence(const char *s, size_t n);

/* Bytes of the character at s[0] if it may be shown as it is; 0 for what is no UTF-8, and for what moves the cursor, ends the
 * line or turns the direction of writing: U+0000 to U+001F, U+007F to U+009F, U+2028 to U+202E, U+2066 to U+2069. */
size_t base_utf8_printable(const char *s, size_t n);

/* Bytes of the longest valid prefix: n when all of it is valid. */
size_t base_utf8_valid(const char *s, size_t n);

/* Bytes of the longest prefix that ends with a whole sequence, taking invalid bytes as whole ones: what may be
 * written now, the rest (at most 3 bytes) waits for more. */
size_t base_utf8_whole(const char *s, size_t n);

/* Replaces each maximal invalid part by U+FFFD.  Returns the bytes that takes; writes at most cap of them
 * (dst may be NULL when cap is 0). */
size_t base_utf8_repair(char *dst, size_t cap, const char *s, size_t n);

/* Writes code point c (valid) as UTF-8, returns its length 1 to 4. */
int base_utf8_encode(char dst[4], uint32_t c);

#endif
