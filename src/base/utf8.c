/* UTF-8 by the table of well-formed byte sequences (Unicode 15, table 3-7). */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Length a lead byte announces (0: none), and the range its second byte must lie in. */
static int lead(unsigned char c, unsigned char *lo, unsigned char *hi)
{
    *lo = 0x80;
    *hi = 0xbf;
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        return 2;
    }
    if (c >= 0xe0 && c <= 0xef) {
        if (c == 0xe0) {
            *lo = 0xa0; /* overlong below */
        } else if (c == 0xed) {
            *hi = 0x9f; /* surrogates above */
        }
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (c == 0xf0) {
            *lo = 0x90;
        } else if (c == 0xf4) {
            *hi = 0x8f;
        }
        return 4;
    }
    return 0;
}

/* Bytes at s that are a beginning of a sequence of length *len: *len when it is whole, less when it is cut by the end or
 * by a byte that does not belong; 0 when s[0] begins nothing. */
static int well_formed(const char *s, size_t n, int *len)
{
    unsigned char lo, hi;
    *len = lead((unsigned char)s[0], &lo, &hi);
    int i = *len > 0;
    while (i < *len && (size_t)i < n) {
        unsigned char c = (unsigned char)s[i];
        if (c < lo || c > hi) {
            break;
        }
        lo = 0x80;
        hi = 0xbf;
        i++;
    }
    return i;
}

int base_utf8_sequence(const char *s, size_t n)
{
    if (n == 0) {
        return -1;
    }
    int len;
    int got = well_formed(s, n, &len);
    if (got == len) {
        return len;
    }
    return (size_t)got == n ? -1 : 0;
}

size_t base_utf8_printable(const char *s, size_t n)
{
    const int len = base_utf8_sequence(s, n);
    const unsigned char c = (unsigned char)s[0];
    if (len <= 1) {
        return len == 1 && c >= 0x20 && c != 0x7f ? 1 : 0;
    }
    const unsigned char d = (unsigned char)s[1], e = (unsigned char)s[len - 1];
    const bool acts = (c == 0xc2 && d < 0xa0) || (c == 0xe2 && d == 0x80 && e >= 0xa8 && e <= 0xae) ||
                      (c == 0xe2 && d == 0x81 && e >= 0xa6 && e <= 0xa9);
    return acts ? 0 : (size_t)len;
}

size_t base_utf8_valid(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        int len = base_utf8_sequence(s + i, n - i);
        if (len <= 0) {
            break;
        }
        i += (size_t)len;
    }
    return i;
}

size_t base_utf8_whole(const char *s, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        if (((unsigned char)s[n - back] & 0xc0) != 0x80) { /* the last lead byte */
            return base_utf8_sequence(s + n - back, back) < 0 ? n - back : n;
        }
    }
    return n;
}

size_t base_utf8_repair(char *dst, size_t cap, const char *s, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        int len;
        int got = well_formed(s + i, n - i, &len);
        bool whole = got > 0 && got == len;
        const char *from = whole ? s + i : "\xef\xbf\xbd";
        size_t bytes = whole ? (size_t)len : 3;
        if (used + bytes <= cap) {
            memcpy(dst + used, from, bytes);
        }
        used += bytes;
        i += got > 0 ? (size_t)got : 1;
    }
    return used;
}

int base_utf8_encode(char dst[4], uint32_t c)
{
    if (c < 0x80) {
        dst[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        dst[0] = (char)(0xc0 | c >> 6);
        dst[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        dst[0] = (char)(0xe0 | c >> 12);
        dst[1] = (char)(0x80 | (c >> 6 & 0x3f));
        dst[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    dst[0] = (char)(0xf0 | c >> 18);
    dst[1] = (char)(0x80 | (c >> 12 & 0x3f));
    dst[2] = (char)(0x80 | (c >> 6 & 0x3f));
    dst[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}
