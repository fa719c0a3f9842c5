/* The alphabet in which byte-level vocabularies are written: each byte is one printable character, itself where it is one,
 * else one of U+0100 to U+0143 (the space is U+0120).  Radford et al. 2019, section 2.2. */
#ifndef TOK_BYTE_ALPHABET_H
#define TOK_BYTE_ALPHABET_H

#include <stddef.h>
#include <stdint.h>

/* Writes the character of a byte as UTF-8; returns its length, 1 or 2. */
int byte_alphabet_put(char dst[2], uint8_t byte);
/* The byte that the character at s stands for (n > 0 bytes at hand), *used its length; -1 where it is of no byte. */
int byte_alphabet_get(const char *s, size_t n, int *used);
/* Writes n bytes of text in the alphabet, at most 2 n bytes; returns how many. */
size_t byte_alphabet_write(char *dst, const char *text, size_t n);

#endif
