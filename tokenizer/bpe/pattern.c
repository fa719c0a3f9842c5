#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/bpe/pattern.h"

#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "base/error.h"

enum { MAX_PATTERN_BYTES = 1 << 16 };
/* For the stack of compiled code; it starts small. */
enum { JIT_STACK_FIRST = 32 << 10, JIT_STACK_MOST = 8 << 20 };
/* Steps of one search: a fixed part and one for each byte.  A pattern for tokenizers takes a few for each byte it finds. */
enum { STEPS_FIXED = 10000000, STEPS_PER_BYTE = 100, HEAP_KIB = 1 << 20 };

struct bpe_pattern {
    pcre2_code *code;
};

struct bpe_search {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where code is not compiled */
};

static choir_status fail_compile(int code, size_t at, const char *file, const char *where, choir_error *err)
{
    PCRE2_UCHAR text[160];
    pcre2_get_error_message(code, text, sizeof text);
    return base_fail(err, CHOIR_FILE, "%s: %s: regular expression, byte %zu: %s", file, where, at, (char *)text);
}

static choir_status compile(struct bpe_pattern *p, const char *text, bool literal, const char *file, const char *where,
                            choir_error *err)
{
    uint32_t options = PCRE2_UTF | (literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (context == NULL) {
        return base_fail_memory(err, MAX_PATTERN_BYTES, "a regular expression");
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int code;
    size_t at;
    p->code = pcre2_compile((PCRE2_SPTR)text, strlen(text), options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (p->code == NULL) {
        return code == PCRE2_ERROR_HEAP_FAILED ? base_fail_memory(err, strlen(text), "a regular expression")
                                               : fail_compile(code, at, file, where, err);
    }
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* where it cannot, the pattern is interpreted */
    return CHOIR_OK;
}

choir_status bpe_pattern_open(struct bpe_pattern **out, const char *text, bool literal, const char *file,
                              const char *where, choir_error *err)
{
    *out = NULL;
    if (strlen(text) > MAX_PATTERN_BYTES) {
        return base_fail(err, CHOIR_FILE, "%s: %s: pattern of %zu bytes (at most %d allowed)", file, where,
                         strlen(text), MAX_PATTERN_BYTES);
    }
    char *translated = NULL;
    choir_status status = literal ? CHOIR_OK : bpe_pattern_translate(&translated, text, file, where, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct bpe_pattern *p = calloc(1, sizeof *p);
    status = p != NULL ? compile(p, literal ? text : translated, literal, file, where, err)
                       : base_fail_memory(err, sizeof *p, "a regular expression");
    free(translated);
    if (status != CHOIR_OK) {
        bpe_pattern_close(p);
        return status;
    }
    *out = p;
    return CHOIR_OK;
}

void bpe_pattern_close(struct bpe_pattern *p)
{
    if (p != NULL) {
        pcre2_code_free(p->code);
        free(p);
    }
}

choir_status bpe_search_open(struct bpe_search **out, choir_error *err)
{
    struct bpe_search *s = calloc(1, sizeof *s);
    *out = s;
    if (s != NULL) {
        s->data = pcre2_match_data_create(1, NULL);
        s->context = pcre2_match_context_create(NULL);
        s->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
    }
    if (s == NULL || s->data == NULL || s->context == NULL) {
        bpe_search_close(s);
        *out = NULL;
        return base_fail_memory(err, JIT_STACK_FIRST, "tokenizing");
    }
    pcre2_jit_stack_assign(s->context, NULL, s->stack);
    pcre2_set_heap_limit(s->context, HEAP_KIB);
    return CHOIR_OK;
}

void bpe_search_close(struct bpe_search *s)
{
    if (s != NULL) {
        pcre2_match_data_free(s->data);
        pcre2_match_context_free(s->context);
        pcre2_jit_stack_free(s->stack);
        free(s);
    }
}

choir_status bpe_search_next(bool *found, size_t *from, size_t *to, struct bpe_search *s, const struct bpe_pattern *p,
                             const char *text, size_t n, size_t at, choir_error *err)
{
    size_t steps = STEPS_FIXED + (n < UINT32_MAX / (2 * STEPS_PER_BYTE) ? n * STEPS_PER_BYTE : UINT32_MAX / 2);
    pcre2_set_match_limit(s->context, (uint32_t)steps);
    int code = pcre2_match(p->code, (PCRE2_SPTR)text, n, at, PCRE2_NO_UTF_CHECK, s->data, s->context);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT) {
        code = pcre2_match(p->code, (PCRE2_SPTR)text, n, at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s->data, s->context);
    }
    *found = code >= 0;
    if (code == PCRE2_ERROR_NOMEMORY) {
        return base_fail_memory(err, n, "tokenizing");
    }
    if (code < 0 && code != PCRE2_ERROR_NOMATCH) {
        return base_fail(err, CHOIR_PROMPT,
                         "text of %zu bytes: the tokenizer's regular expression takes too many steps", n);
    }
    if (code >= 0) {
        const size_t *ends = pcre2_get_ovector_pointer(s->data);
        *from = ends[0];
        *to = ends[1];
    }
    return CHOIR_OK;
}
