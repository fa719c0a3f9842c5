/* Oniguruma's notation in PCRE2's. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tokenizer/bpe/pattern.h"
#include "tokenizer/bpe/unicode.h"

/* Unicode's White_Space, and all other characters. */
#define SPACE "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define NO_SPACE                                                                                                       \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-"          \
    "\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"

struct translator {
    const char *s; /* what is left */
    const char *file, *where, *whole;
    char *out;
    size_t n, cap;
    bool no_memory;
    int depth; /* of brackets of a class */
};

static void put(struct translator *t, const char *s, size_t n)
{
    if (t->cap - t->n <= n) {
        size_t cap = 2 * t->cap + n + 64;
        char *out = realloc(t->out, cap);
        if (out == NULL) {
            t->no_memory = true;
            return;
        }
        t->out = out;
        t->cap = cap;
    }
    memcpy(t->out + t->n, s, n);
    t->n += n;
    t->out[t->n] = '\0';
}

static void put_text(struct translator *t, const char *s)
{
    put(t, s, strlen(s));
}

static choir_status refuse(struct translator *t, const char *what, size_t n, choir_error *err)
{
    char shown[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: %s: regular expression with %s at byte %zu not supported", t->file, t->where,
                     base_escape(shown, what, n), (size_t)(t->s - t->whole));
}

/* Members of a class, given for the inside of brackets, as far as it stands there or by itself. */
static void put_class(struct translator *t, bool negated, const char *a, const char *b)
{
    if (t->depth == 0) {
        put_text(t, negated ? "[^" : "[");
    }
    put_text(t, a);
    put_text(t, b);
    if (t->depth == 0) {
        put_text(t, "]");
    }
}

/* \p{NAME}, \P{NAME}, \p{^NAME}; t->s is at the backslash. */
static choir_status property(struct translator *t, choir_error *err)
{
    const char *name = t->s + 3;
    const char *end = t->s[2] == '{' ? strchr(name, '}') : NULL;
    if (end == NULL || end - name > 16) {
        return refuse(t, t->s, 3, err);
    }
    bool negated = t->s[1] == 'P';
    if (*name == '^') {
        negated = !negated;
        name++;
    }
    const struct bpe_property *p = bpe_property_find(name, (size_t)(end - name));
    if (p == NULL || (negated && t->depth > 0)) {
        return refuse(t, t->s, (size_t)(end + 1 - t->s), err);
    }
    put_class(t, negated, p->members, p->newer);
    t->s = end + 1;
    return CHOIR_OK;
}

/* \uHHHH, \xHH, \x{H...} */
static choir_status code_point(struct translator *t, choir_error *err)
{
    char hex[16];
    if (t->s[1] == 'x') {
        size_t digits = strspn(t->s + (t->s[2] == '{' ? 3 : 2), "0123456789abcdefABCDEF");
        size_t n = t->s[2] == '{' ? digits + 4 : 4;
        if (digits == 0 || (t->s[2] == '{' ? t->s[n - 1] != '}' : digits < 2)) {
            return refuse(t, t->s, 2, err);
        }
        put(t, t->s, n);
        t->s += n;
        return CHOIR_OK;
    }
    if (strspn(t->s + 2, "0123456789abcdefABCDEF") < 4) {
        return refuse(t, t->s, 2, err);
    }
    snprintf(hex, sizeof hex, "\\x{%.4s}", t->s + 2);
    put_text(t, hex);
    t->s += 6;
    return CHOIR_OK;
}

/* A boundary of words, by what stands on both sides. */
static void word_boundary(struct translator *t)
{
    static const char *const parts[] = {"(?:(?<=[", "])(?![", "])|(?<![", "])(?=[", "]))"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        put_text(t, parts[i]);
        if (i + 1 < sizeof parts / sizeof parts[0]) {
            const struct bpe_property *w = bpe_property_find("w", 1);
            put_text(t, w->members);
            put_text(t, w->newer);
        }
    }
}

static choir_status escape(struct translator *t, choir_error *err)
{
    char c = t->s[1];
    const struct bpe_property *p = c == 'd' || c == 'D' ? bpe_property_find("Nd", 2) : bpe_property_find("w", 1);
    if (c == 'p' || c == 'P') {
        return property(t, err);
    }
    if (c == 'u' || c == 'x') {
        return code_point(t, err);
    }
    if (c == 's' || c == 'S') {
        put_class(t, false, c == 's' ? SPACE : NO_SPACE, "");
    } else if (c == 'd' || c == 'w' || ((c == 'D' || c == 'W') && t->depth == 0)) {
        put_class(t, c == 'D' || c == 'W', p->members, p->newer);
    } else if (c == 'b' && t->depth == 0) {
        word_boundary(t);
    } else if (c == 'v') {
        put_text(t, "\\x0b");
    } else if (c == '\0' || ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
        if (c == '\0' || strchr("rntfae", c) == NULL) {
            return refuse(t, t->s, c != '\0' ? 2 : 1, err);
        }
        put(t, t->s, 2);
    } else if ((unsigned char)c >= 0x80) {
        t->s++; /* an escaped letter of another script is itself */
        return CHOIR_OK;
    } else {
        put(t, t->s, 2);
    }
    t->s += 2;
    return CHOIR_OK;
}

/* From '[' to its ']'.  A class within a class adds its members. */
static choir_status brackets(struct translator *t, choir_error *err)
{
    do {
        choir_status status = CHOIR_OK;
        if (*t->s == '\0' || (t->s[0] == '&' && t->s[1] == '&')) {
            status = refuse(t, *t->s == '\0' ? "an open [" : "&&", *t->s == '\0' ? 9 : 2, err);
        } else if (*t->s == '\\') {
            bool is_class = t->s[1] != '\0' && strchr("pPsSdw", t->s[1]) != NULL;
            status = escape(t, err);
            if (is_class && *t->s == '-') { /* begins no range */
                put_text(t, "\\-");
                t->s++;
            }
        } else if (*t->s == '[') {
            size_t n = t->depth == 0 && t->s[1] == '^' ? 2 : 1;
            if (t->s[n] == ']' || t->s[n] == '^' || t->s[n] == ':') {
                return refuse(t, t->s, n + 1, err);
            }
            put(t, t->s, t->depth == 0 ? n : 0);
            t->s += n;
            t->depth++;
        } else if (*t->s == ']') {
            t->depth--;
            put(t, t->s++, t->depth == 0 ? 1 : 0);
        } else {
            put(t, t->s++, 1);
        }
        if (status != CHOIR_OK) {
            return status;
        }
    } while (t->depth > 0);
    return CHOIR_OK;
}

/* After '(': only kinds of groups that both know by the same name. */
static choir_status group(struct translator *t, choir_error *err)
{
    static const char *const known[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:"};
    size_t n = t->s[1] == '?' ? 0 : 1;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && n == 0; i++) {
        n = strncmp(t->s, known[i], strlen(known[i])) == 0 ? strlen(known[i]) : 0;
    }
    if (n == 0 || t->s[1] == '*') {
        return refuse(t, t->s, strnlen(t->s, 3), err);
    }
    put(t, t->s, n);
    t->s += n;
    return CHOIR_OK;
}

/* {n}, {n,}, {n,m}, {,m}; what follows must not change its meaning. */
static choir_status repeat(struct translator *t, choir_error *err)
{
    size_t first = strspn(t->s + 1, "0123456789");
    size_t n = 1 + first;
    size_t second = 0;
    if (t->s[n] == ',') {
        second = strspn(t->s + n + 1, "0123456789");
        n += 1 + second;
    }
    if (t->s[n] != '}' || first + second == 0 || (t->s[n + 1] != '\0' && strchr("+?*{", t->s[n + 1]) != NULL)) {
        return refuse(t, t->s, strnlen(t->s, n + 2), err);
    }
    if (first == 0) {
        put_text(t, "{0");
        put(t, t->s + 1, n);
    } else {
        put(t, t->s, n + 1);
    }
    t->s += n + 1;
    return CHOIR_OK;
}

choir_status bpe_pattern_translate(char **out, const char *text, const char *file, const char *where, choir_error *err)
{
    struct translator t = {.s = text, .file = file, .where = where, .whole = text};
    choir_status status = CHOIR_OK;
    *out = NULL;
    put_text(&t, "");
    /* From the beginning of a run of spaces or not at all: otherwise each place in a run would be tried. */
    if (strcmp(text, "\\s+$") == 0) {
        put_text(&t, "(?<![" SPACE "])");
    }
    while (status == CHOIR_OK && *t.s != '\0' && !t.no_memory) {
        switch (*t.s) {
        case '\\':
            status = escape(&t, err);
            break;
        case '[':
            status = brackets(&t, err);
            break;
        case '(':
            status = group(&t, err);
            break;
        case '{':
            status = repeat(&t, err);
            break;
        default:
            put(&t, t.s++, 1);
        }
    }
    if (status == CHOIR_OK && t.no_memory) {
        status = base_fail_memory(err, t.cap, "a regular expression");
    }
    if (status != CHOIR_OK) {
        free(t.out);
        return status;
    }
    *out = t.out;
    return CHOIR_OK;
}
