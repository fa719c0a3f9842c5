#include "tokenizer/bpe/byte_alphabet.h"

#include <stdbool.h>

/* Bytes without a character of their own are numbered from U+0100 in three runs: 0 to 32, 127 to 160, 173. */
enum { MOVED = 0x100, SECOND_RUN = 127, SECOND_CODE = MOVED + 33, LAST = 173, LAST_CODE = MOVED + 67 };

static bool keeps(unsigned code)
{
    return (code >= 33 && code <= 126) || (code >= 161 && code <= 255 && code != LAST);
}

static unsigned code_of(unsigned byte)
{
    if (keeps(byte)) {
        return byte;
    }
    return byte == LAST ? LAST_CODE : byte >= SECOND_RUN ? SECOND_CODE + byte - SECOND_RUN : MOVED + byte;
}

int byte_alphabet_put(char dst[2], uint8_t byte)
{
    unsigned code = code_of(byte);
    if (code < 0x80) {
        dst[0] = (char)code;
        return 1;
    }
    dst[0] = (char)(0xc0 | code >> 6);
    dst[1] = (char)(0x80 | (code & 0x3f));
    return 2;
}

int byte_alphabet_get(const char *s, size_t n, int *used)
{
    unsigned code = (uint8_t)s[0];
    *used = 1;
    if (code >= 0x80) {
        if (code < 0xc2 || code > 0xdf || n < 2 || ((uint8_t)s[1] & 0xc0) != 0x80) {
            return -1;
        }
        code = (code & 0x1f) << 6 | ((uint8_t)s[1] & 0x3f);
        *used = 2;
    }
    if (code < MOVED) {
        return keeps(code) ? (int)code : -1;
    }
    if (code > LAST_CODE) {
        return -1;
    }
    return code == LAST_CODE ? LAST : code >= SECOND_CODE ? (int)code - SECOND_CODE + SECOND_RUN : (int)code - MOVED;
}

size_t byte_alphabet_write(char *dst, const char *text, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        used += (size_t)byte_alphabet_put(dst + used, (uint8_t)text[i]);
    }
    return used;
}
