/* Messages: formatted where the fault is seen, cut at a UTF-8 boundary, bytes from outside escaped. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

const char *choir_status_name(choir_status status)
{
    switch (status) {
#define X(name, value, text)                                                                                           \
    case CHOIR_##name:                                                                                                 \
        return #name;
        CHOIR_STATUSES(X)
#undef X
    }
    return "?";
}

const char *choir_status_text(choir_status status)
{
    switch (status) {
#define X(name, value, text)                                                                                           \
    case CHOIR_##name:                                                                                                 \
        return text;
        CHOIR_STATUSES(X)
#undef X
    }
    return "?";
}

choir_status base_fail(choir_error *err, choir_status code, const char *fmt, ...)
{
    if (err == NULL) {
        return code;
    }
    err->code = code;
    err->offset = 0;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    if (n < 0) {
        err->msg[0] = '\0';
    } else if ((size_t)n >= sizeof err->msg) {
        err->msg[base_utf8_whole(err->msg, sizeof err->msg - 1)] = '\0';
    }
    return code;
}

choir_status base_fail_memory(choir_error *err, size_t bytes, const char *what)
{
    return base_fail(err, CHOIR_RESOURCE, "out of memory (%zu bytes for %s)", bytes, what);
}

/* Longest run of source bytes whose printable form still leaves room for "...". */
enum { ESCAPE_LIMIT = 96 };

const char *base_escape(char dst[BASE_ESCAPE_CAP], const void *src, size_t n)
{
    const char *s = src;
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        const size_t len = base_utf8_printable(s + i, n - i), cost = len > 0 ? len : 4;
        if (used + cost > ESCAPE_LIMIT) {
            memcpy(dst + used, "...", 3);
            used += 3;
            break;
        }
        if (len > 0) {
            memcpy(dst + used, s + i, len);
            i += len;
        } else {
            snprintf(dst + used, 5, "\\x%02x", (unsigned char)s[i]);
            i++;
        }
        used += cost;
    }
    dst[used] = '\0';
    return dst;
}

const char *base_escape_str(char dst[BASE_ESCAPE_CAP], const char *src)
{
    return base_escape(dst, src, strlen(src));
}
