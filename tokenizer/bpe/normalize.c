#include "tokenizer/bpe/normalize.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"

/* Most code points of one code point: U+FDFA. */
enum { MOST_PARTS = 18 };

const char *bpe_form_name(enum bpe_form form)
{
    static const char *const names[] = {"none", "NFC", "NFD", "NFKC", "NFKD"};
    return names[form];
}

/* Characters below are the same in the form, and are changed by none that follows from there. */
static bool is_plain(enum bpe_form form, const char *text, size_t n)
{
    /* NFC: all below U+0300, whose UTF-8 begins with 0xcc; the others: ASCII. */
    unsigned char first = form == BPE_FORM_NFC ? 0xcc : 0x80;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] >= first) {
            return false;
        }
    }
    return true;
}

/* Characters with a decomposition or a combining class that came after Unicode 9, whose tables tokenizers has: to it they are
 * plain.  In order. */
static const uint32_t newer[][2] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},     {0xc3c, 0xc3c},
    {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},   {0x1abf, 0x1ace},   {0x1df6, 0x1dfa},
    {0x32ff, 0x32ff},   {0xa7f2, 0xa7f4},   {0xa82c, 0xa82c},   {0xab69, 0xab69},   {0x10781, 0x10785},
    {0x10787, 0x107b0}, {0x107b2, 0x107ba}, {0x10d24, 0x10d27}, {0x10eab, 0x10eac}, {0x10efd, 0x10eff},
    {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070}, {0x1133b, 0x1133b}, {0x1145e, 0x1145e},
    {0x11839, 0x1183a}, {0x11938, 0x11938}, {0x1193d, 0x1193e}, {0x11943, 0x11943}, {0x119e0, 0x119e0},
    {0x11a34, 0x11a34}, {0x11a47, 0x11a47}, {0x11a99, 0x11a99}, {0x11d42, 0x11d42}, {0x11d44, 0x11d45},
    {0x11d97, 0x11d97}, {0x11f41, 0x11f42}, {0x16ff0, 0x16ff1}, {0x1e030, 0x1e06d}, {0x1e08f, 0x1e08f},
    {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef}, {0x1f16c, 0x1f16c},
    {0x1fbf0, 0x1fbf9}};

static bool is_newer(utf8proc_int32_t c)
{
    size_t low = 0, high = sizeof newer / sizeof newer[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (newer[middle][1] < (uint32_t)c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < sizeof newer / sizeof newer[0] && newer[low][0] <= (uint32_t)c;
}

struct code_points {
    utf8proc_int32_t *v;
    size_t n, cap;
};

static bool reserve(struct code_points *c, size_t more)
{
    if (c->cap - c->n >= more) {
        return true;
    }
    size_t cap = 2 * c->cap + more;
    utf8proc_int32_t *v = base_array_resize(c->v, cap, sizeof *v);
    if (v == NULL) {
        return false;
    }
    c->v = v;
    c->cap = cap;
    return true;
}

static bool decompose(struct code_points *c, const char *text, size_t n, int options)
{
    int boundary = 0;
    c->cap = n + MOST_PARTS;
    c->v = base_array(c->cap, sizeof *c->v);
    for (size_t i = 0; c->v != NULL && i < n;) {
        utf8proc_int32_t code;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &code);
        if (used <= 0 || !reserve(c, MOST_PARTS)) {
            return false;
        }
        i += (size_t)used;
        if (is_newer(code)) {
            c->v[c->n++] = code;
            boundary = 0;
            continue;
        }
        utf8proc_ssize_t parts =
            utf8proc_decompose_char(code, c->v + c->n, MOST_PARTS, (utf8proc_option_t)options, &boundary);
        if (parts < 0 || parts > MOST_PARTS) {
            return false;
        }
        c->n += (size_t)parts;
    }
    return c->v != NULL;
}

static unsigned class_of(utf8proc_int32_t c)
{
    unsigned class = (unsigned)utf8proc_get_property(c)->combining_class;
    return class != 0 && !is_newer(c) ? class : 0;
}

/* Puts runs of marks in the order of their classes: a stable counting sort, for runs may be long. */
static bool order_marks(struct code_points *c)
{
    utf8proc_int32_t *run = NULL;
    size_t cap = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t end = i;
        bool sorted = true;
        for (; end < c->n && class_of(c->v[end]) != 0; end++) {
            sorted = sorted && (end == i || class_of(c->v[end - 1]) <= class_of(c->v[end]));
        }
        if (sorted) {
            i = end;
            continue;
        }
        if (end - i > cap) {
            free(run);
            cap = end - i;
            run = base_array(cap, sizeof *run);
            if (run == NULL) {
                return false;
            }
        }
        size_t at[257] = {0};
        for (size_t k = i; k < end; k++) {
            at[class_of(c->v[k]) + 1]++;
        }
        for (size_t k = 1; k < 257; k++) {
            at[k] += at[k - 1];
        }
        memcpy(run, c->v + i, (end - i) * sizeof *run);
        for (size_t k = 0; k < end - i; k++) {
            c->v[i + at[class_of(run[k])]++] = run[k];
        }
        i = end;
    }
    free(run);
    return true;
}

/* Composes what lies between plain characters, each by itself: utf8proc would take a newer mark for a mark. */
static bool compose(struct code_points *c, int options)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n;) {
        size_t end = i;
        while (end < c->n && !is_newer(c->v[end])) {
            end++;
        }
        utf8proc_ssize_t left = utf8proc_normalize_utf32(c->v + i, (utf8proc_ssize_t)(end - i),
                                                         (utf8proc_option_t)(options | UTF8PROC_COMPOSE));
        if (left < 0) {
            return false;
        }
        memmove(c->v + kept, c->v + i, (size_t)left * sizeof *c->v);
        kept += (size_t)left;
        for (i = end; i < c->n && is_newer(c->v[i]); i++) {
            c->v[kept++] = c->v[i];
        }
    }
    c->n = kept;
    return true;
}

static char *encode(const struct code_points *c, size_t *n)
{
    char *out = malloc(4 * c->n + 1); /* fits: c->v has 4 bytes for each */
    *n = 0;
    for (size_t i = 0; out != NULL && i < c->n; i++) {
        *n += (size_t)base_utf8_encode(out + *n, (uint32_t)c->v[i]);
    }
    return out;
}

choir_status bpe_normalize(char **out, size_t *n_out, enum bpe_form form, const char *text, size_t n, choir_error *err)
{
    *out = NULL;
    *n_out = n;
    if (form == BPE_FORM_NONE || is_plain(form, text, n)) {
        return CHOIR_OK;
    }
    bool composes = form == BPE_FORM_NFC || form == BPE_FORM_NFKC;
    bool compat = form == BPE_FORM_NFKC || form == BPE_FORM_NFKD;
    int options = UTF8PROC_STABLE | (compat ? UTF8PROC_COMPAT : 0);
    struct code_points c = {0};
    bool ok = decompose(&c, text, n, options | UTF8PROC_DECOMPOSE) && order_marks(&c);
    ok = ok && (!composes || compose(&c, options));
    *out = ok ? encode(&c, n_out) : NULL;
    free(c.v);
    return *out != NULL ? CHOIR_OK : base_fail_memory(err, n * sizeof *c.v, "normalizing a text");
}
