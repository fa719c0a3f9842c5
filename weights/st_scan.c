/* The tokens of a safetensors header.  RFC 8259, only what such a header may hold. */
#include "weights/st_scan.h"

#include "base/error.h"
#include "base/utf8.h"

choir_status st_expected(const struct st_scan *s, const char *what)
{
    choir_status status = wts_fail(s->err, s->file, "header byte %zu: expected %s", s->at, what);
    if (s->err != NULL) {
        s->err->offset = 8 + s->at;
    }
    return status;
}

char st_peek(struct st_scan *s)
{
    while (s->at < s->n &&
           (s->text[s->at] == ' ' || s->text[s->at] == '\n' || s->text[s->at] == '\r' || s->text[s->at] == '\t')) {
        s->at++;
    }
    return s->at < s->n ? s->text[s->at] : '\0';
}

choir_status st_punct(struct st_scan *s, char c)
{
    if (st_peek(s) != c) {
        const char what[4] = {'"', c, '"', '\0'};
        return st_expected(s, what);
    }
    s->at++;
    return CHOIR_OK;
}

choir_status st_next(struct st_scan *s, char close, bool *more)
{
    char c = st_peek(s);
    *more = c == ',';
    if (c != ',' && c != close) {
        return st_expected(s, close == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
    }
    s->at++;
    return CHOIR_OK;
}

/* Four hexadecimal digits; -1 for anything else. */
static int32_t hex4(struct st_scan *s)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s->at < s->n ? s->text[s->at] : '\0';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        v = v * 16 + digit;
        s->at++;
    }
    return v;
}

/* What follows "\u", as UTF-8 to `to`; 0 when it is no character. */
static int unicode_escape(struct st_scan *s, char *to)
{
    int32_t c = hex4(s);
    if (c >= 0xd800 && c < 0xdc00 && s->n - s->at >= 2 && s->text[s->at] == '\\' && s->text[s->at + 1] == 'u') {
        s->at += 2;
        int32_t low = hex4(s);
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + (c - 0xd800) * 0x400 + (low - 0xdc00) : -1;
    }
    if (c <= 0 || (c >= 0xd800 && c < 0xe000)) {
        return 0;
    }
    return base_utf8_encode(to, (uint32_t)c);
}

/* The escape behind a backslash, to `to` (which lies before it: no escape is shorter than what it stands for). */
static int escape(struct st_scan *s, char *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char c = s->at < s->n ? s->text[s->at++] : '\0';
    if (c == 'u') {
        char utf8[4];
        int n = unicode_escape(s, utf8);
        for (int i = 0; i < n; i++) {
            to[i] = utf8[i];
        }
        return n;
    }
    for (size_t i = 0; i < sizeof from - 1; i++) {
        if (c == from[i]) {
            *to = into[i];
            return 1;
        }
    }
    return 0;
}

choir_status st_string(struct st_scan *s, const char **out)
{
    if (st_peek(s) != '"') {
        return st_expected(s, "a string");
    }
    char *to = s->text + ++s->at;
    *out = to;
    while (s->at < s->n) {
        char c = s->text[s->at];
        if (c == '"') {
            *to = '\0';
            s->at++;
            return CHOIR_OK;
        }
        if ((unsigned char)c < 0x20) {
            return st_expected(s, "no control character in a string");
        }
        s->at++;
        if (c == '\\') {
            int n = escape(s, to);
            if (n == 0) {
                return st_expected(s, "a valid escape");
            }
            to += n;
        } else {
            *to++ = c;
        }
    }
    return st_expected(s, "the end of a string");
}

bool st_whole_number(struct st_scan *s, uint64_t *out)
{
    char c = st_peek(s);
    if (c < '0' || c > '9') {
        return false;
    }
    uint64_t v = 0;
    size_t first = s->at;
    for (; s->at < s->n && s->text[s->at] >= '0' && s->text[s->at] <= '9'; s->at++) {
        uint64_t digit = (uint64_t)(s->text[s->at] - '0');
        if (v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    char after = s->at < s->n ? s->text[s->at] : '\0';
    if ((c == '0' && s->at - first > 1) || after == '.' || after == 'e' || after == 'E') {
        return false;
    }
    *out = v;
    return true;
}
