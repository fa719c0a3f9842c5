#include "tokenizer/normalizer/norm.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tokenizer/bpe/added.h"
#include "tokenizer/bpe/pattern.h"
#include "tokenizer/normalizer/buffer.h"
#include "tokenizer/normalizer/charsmap.h"
#include "tokenizer/sentencepiece/charsmap.h"

struct norm {
    int n;
    struct norm_step steps[NORM_MAX_STEPS + 1]; /* their texts are its own */
    struct bpe_pattern *patterns[NORM_MAX_STEPS];
};

/* ---- opening ---- */

static choir_status copy_text(const char **out, const char *text, choir_error *err)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL ? CHOIR_OK : base_fail_memory(err, strlen(text), "a normalizer");
}

static choir_status copy_map(struct norm_step *to, const struct norm_step *from, const char *file, choir_error *err)
{
    size_t rule_bytes;
    if (from->charsmap_bytes == 0) {
        to->kind = NORM_END; /* nothing is to be done; norm_open leaves it out */
        return CHOIR_OK;
    }
    choir_status status =
        sp_charsmap_check(file, (struct sp_text){from->charsmap, from->charsmap_bytes}, &rule_bytes, err);
    char *map = status == CHOIR_OK ? malloc(from->charsmap_bytes) : NULL;
    if (map == NULL) {
        return status == CHOIR_OK ? base_fail_memory(err, from->charsmap_bytes, "a normalizer") : status;
    }
    memcpy(map, from->charsmap, from->charsmap_bytes);
    to->charsmap = map;
    return CHOIR_OK;
}

static choir_status add_step(struct norm *n, const struct norm_step *step, const char *file, choir_error *err)
{
    struct norm_step *to = &n->steps[n->n];
    *to = *step;
    to->text = to->pattern = to->charsmap = NULL;
    choir_status status = copy_text(&to->text, step->text, err);
    if (status == CHOIR_OK) {
        status = copy_text(&to->pattern, step->pattern, err);
    }
    if (status == CHOIR_OK && step->kind == NORM_REPLACE) {
        status = bpe_pattern_open(&n->patterns[n->n], to->pattern, step->literal, file, "normalizer", err);
    }
    if (status == CHOIR_OK && step->kind == NORM_CHARSMAP) {
        status = copy_map(to, step, file, err);
    }
    n->n += to->kind != NORM_END;
    return status;
}

choir_status norm_open(struct norm **out, const struct norm_step *steps, const char *file, choir_error *err)
{
    struct norm *n = calloc(1, sizeof *n);
    *out = NULL;
    if (n == NULL) {
        return base_fail_memory(err, sizeof *n, "a normalizer");
    }
    choir_status status = CHOIR_OK;
    for (size_t i = 0; status == CHOIR_OK && steps[i].kind != NORM_END; i++) {
        status = add_step(n, &steps[i], file, err);
    }
    if (status != CHOIR_OK) {
        norm_close(n);
        return status;
    }
    *out = n;
    return CHOIR_OK;
}

void norm_close(struct norm *n)
{
    if (n == NULL) {
        return;
    }
    for (int i = 0; i < n->n; i++) {
        free((char *)(uintptr_t)n->steps[i].text);
        free((char *)(uintptr_t)n->steps[i].pattern);
        free((char *)(uintptr_t)n->steps[i].charsmap);
        bpe_pattern_close(n->patterns[i]);
    }
    free(n);
}

const struct norm_step *norm_steps(const struct norm *n)
{
    return n->steps;
}

/* ---- running ---- */

choir_status norm_put(struct norm_buffer *b, const char *text, size_t n, choir_error *err)
{
    if (n > b->most - b->n) {
        return base_fail(err, CHOIR_PROMPT, "normalized, the text is of more than %zu bytes", b->most);
    }
    if (b->cap - b->n < n) {
        size_t cap = b->cap + b->cap / 2 + n + 64;
        char *data = realloc(b->data, cap);
        if (data == NULL) {
            return base_fail_memory(err, cap, "normalizing a text");
        }
        b->data = data;
        b->cap = cap;
    }
    if (n > 0) {
        memcpy(b->data + b->n, text, n);
    }
    b->n += n;
    return CHOIR_OK;
}

/* Each occurrence of a byte, which needs no regular expression. */
static choir_status replace_byte(struct norm_buffer *out, const struct norm_step *step, const char *text, size_t n,
                                 choir_error *err)
{
    size_t with = strlen(step->text);
    const char *end = text + n;
    choir_status status = CHOIR_OK;
    while (status == CHOIR_OK) {
        const char *found = text < end ? memchr(text, step->pattern[0], (size_t)(end - text)) : NULL;
        status = norm_put(out, text, (size_t)((found != NULL ? found : end) - text), err);
        if (found == NULL || status != CHOIR_OK) {
            break;
        }
        status = norm_put(out, step->text, with, err);
        text = found + 1;
    }
    return status;
}

static choir_status replace_matches(struct norm_buffer *out, const struct norm_step *step, const struct bpe_pattern *p,
                                    struct bpe_search *s, const char *text, size_t n, choir_error *err)
{
    size_t done = 0, at = 0, with = strlen(step->text);
    choir_status status = CHOIR_OK;
    while (status == CHOIR_OK && at <= n) {
        bool found;
        size_t from, to;
        status = bpe_search_next(&found, &from, &to, s, p, text, n, at, err);
        if (status != CHOIR_OK || !found) {
            break;
        }
        status = norm_put(out, text + done, from - done, err);
        if (status == CHOIR_OK) {
            status = norm_put(out, step->text, with, err);
        }
        done = to;
        for (at = to > from ? to : to + 1; at < n && ((unsigned char)text[at] & 0xc0) == 0x80; at++) {
        }
    }
    return status == CHOIR_OK ? norm_put(out, text + done, n - done, err) : status;
}

static choir_status replace(struct norm_buffer *out, const struct norm_step *step, const struct bpe_pattern *p,
                            const char *text, size_t n, choir_error *err)
{
    if (step->literal && strlen(step->pattern) == 1) {
        return replace_byte(out, step, text, n, err);
    }
    struct bpe_search *s;
    choir_status status = bpe_search_open(&s, err);
    if (status == CHOIR_OK) {
        status = replace_matches(out, step, p, s, text, n, err);
        bpe_search_close(s);
    }
    return status;
}

static choir_status strip(struct norm_buffer *out, const struct norm_step *step, const char *text, size_t n,
                          choir_error *err)
{
    size_t from = 0, to = n;
    for (size_t used = 1; step->left && from < to && used > 0; from += used) {
        used = bpe_space_at(text + from, to - from);
    }
    while (step->right && to > from) {
        size_t last = to - 1;
        while (last > from && ((unsigned char)text[last] & 0xc0) == 0x80) {
            last--;
        }
        if (bpe_space_at(text + last, to - last) == 0) {
            break;
        }
        to = last;
    }
    return norm_put(out, text + from, to - from, err);
}

static choir_status run_step(struct norm_buffer *out, const struct norm *norm, int i, const char *text, size_t n,
                             choir_error *err)
{
    const struct norm_step *step = &norm->steps[i];
    choir_status status = CHOIR_OK;
    switch (step->kind) {
    case NORM_FORM:
        status = bpe_normalize(&out->data, &out->n, step->form, text, n, err);
        out->cap = out->data != NULL ? out->n : 0;
        return status == CHOIR_OK && out->data == NULL ? (out->n = 0, norm_put(out, text, n, err)) : status;
    case NORM_PREPEND:
        status = n > 0 ? norm_put(out, step->text, strlen(step->text), err) : CHOIR_OK;
        return status == CHOIR_OK ? norm_put(out, text, n, err) : status;
    case NORM_REPLACE:
        return replace(out, step, norm->patterns[i], text, n, err);
    case NORM_STRIP:
        return strip(out, step, text, n, err);
    case NORM_CHARSMAP:
        return norm_charsmap(out, step->charsmap, text, n, err);
    case NORM_END:
        break;
    }
    return norm_put(out, text, n, err);
}

choir_status norm_run(char **out, size_t *n_out, const struct norm *norm, const char *text, size_t n, size_t most_bytes,
                      choir_error *err)
{
    *out = NULL;
    *n_out = n;
    if (norm->n == 1 && norm->steps[0].kind == NORM_FORM) { /* which may leave the text alone */
        return bpe_normalize(out, n_out, norm->steps[0].form, text, n, err);
    }
    choir_status status = CHOIR_OK;
    for (int i = 0; i < norm->n && status == CHOIR_OK; i++) {
        struct norm_buffer b = {.most = most_bytes};
        status = run_step(&b, norm, i, *out != NULL ? *out : text, *n_out, err);
        if (status == CHOIR_OK && b.data == NULL) { /* of no bytes */
            b.data = malloc(1);
            status = b.data != NULL ? CHOIR_OK : base_fail_memory(err, 1, "normalizing a text");
        }
        free(*out);
        *out = b.data;
        *n_out = b.n;
    }
    if (status != CHOIR_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}
