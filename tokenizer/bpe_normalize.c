#include "tokenizer/bpe_normalize.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

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
    utf8proc_int32_t *v = realloc(c->v, cap * sizeof *v);
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
    c->v = malloc(c->cap * sizeof *c->v);
    for (size_t i = 0; c->v != NULL && i < n;) {
        utf8proc_int32_t code;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &code);
        if (used <= 0 || !reserve(c, MOST_PARTS)) {
            return false;
        }
        i += (size_t)used;
        utf8proc_ssize_t parts = utf8proc_decompose_char(code, c->v + c->n, MOST_PARTS, options, &boundary);
        if (parts < 0 || parts > MOST_PARTS) {
            return false;
        }
        c->n += (size_t)parts;
    }
    return c->v != NULL;
}

static unsigned class_of(utf8proc_int32_t c)
{
    return (unsigned)utf8proc_get_property(c)->combining_class;
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
            run = malloc(cap * sizeof *run);
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

static char *encode(const struct code_points *c, size_t *n)
{
    char *out = malloc(4 * c->n + 1);
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
    if (ok && composes) {
        utf8proc_ssize_t left =
            utf8proc_normalize_utf32(c.v, (utf8proc_ssize_t)c.n, (utf8proc_option_t)(options | UTF8PROC_COMPOSE));
        ok = left >= 0;
        c.n = ok ? (size_t)left : 0;
    }
    *out = ok ? encode(&c, n_out) : NULL;
    free(c.v);
    return *out != NULL ? CHOIR_OK : base_fail_memory(err, n * sizeof *c.v, "normalizing a text");
}
