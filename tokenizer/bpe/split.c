#include "tokenizer/bpe/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "tokenizer/bpe/byte_alphabet.h"

struct bpe_splitter {
    int n;
    struct bpe_step steps[BPE_MAX_STEPS + 1];
    struct bpe_pattern *patterns[BPE_MAX_STEPS]; /* NULL for steps without one */
};

choir_status bpe_splitter_open(struct bpe_splitter **out, const struct bpe_step *steps, const char *file,
                               choir_error *err)
{
    struct bpe_splitter *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL) {
        return base_fail_memory(err, sizeof *s, "a pre-tokenizer");
    }
    choir_status status = CHOIR_OK;
    for (; status == CHOIR_OK && steps[s->n].kind != BPE_STEP_END; s->n++) {
        struct bpe_step *step = &s->steps[s->n];
        *step = steps[s->n];
        step->pattern = NULL;
        if (step->kind == BPE_STEP_SPLIT || step->kind == BPE_STEP_MARK) {
            step->pattern = strdup(steps[s->n].pattern);
            status = step->pattern != NULL ? CHOIR_OK
                                           : base_fail_memory(err, strlen(steps[s->n].pattern), "a pre-tokenizer");
        }
        if (status == CHOIR_OK && step->kind == BPE_STEP_SPLIT) {
            char where[32];
            snprintf(where, sizeof where, "pre-tokenizer, step %d", s->n + 1);
            status = bpe_pattern_open(&s->patterns[s->n], step->pattern, step->literal, file, where, err);
        }
    }
    if (status != CHOIR_OK) {
        bpe_splitter_close(s);
        return status;
    }
    *out = s;
    return CHOIR_OK;
}

void bpe_splitter_close(struct bpe_splitter *s)
{
    if (s == NULL) {
        return;
    }
    for (int i = 0; i < s->n; i++) {
        free((char *)(uintptr_t)s->steps[i].pattern);
        bpe_pattern_close(s->patterns[i]);
    }
    free(s);
}

const struct bpe_step *bpe_splitter_steps(const struct bpe_splitter *s)
{
    return s->steps;
}

void bpe_words_free(struct bpe_words *w)
{
    bpe_search_close(w->search);
    free(w->text);
    free(w->spans);
    free(w->next_spans);
    *w = (struct bpe_words){0};
}

/* ---- spans ---- */

/* A span into the next list; false for want of memory. */
static bool add(struct bpe_words *w, size_t from, size_t to)
{
    if (w->n_next == w->next_cap) {
        size_t cap = 2 * w->next_cap + 64;
        struct bpe_span *spans = base_array_resize(w->next_spans, cap, sizeof *spans);
        if (spans == NULL) {
            return false;
        }
        w->next_spans = spans;
        w->next_cap = cap;
    }
    w->next_spans[w->n_next++] = (struct bpe_span){from, to};
    return true;
}

/* The next list becomes the list. */
static void turn(struct bpe_words *w)
{
    struct bpe_span *spans = w->spans;
    size_t cap = w->cap;
    w->spans = w->next_spans;
    w->n = w->n_next;
    w->cap = w->next_cap;
    w->next_spans = spans;
    w->next_cap = cap;
    w->n_next = 0;
}

/* ---- one step ---- */

/* How the parts of one word, matches and what lies between them, become words. */
struct cutter {
    struct bpe_words *w;
    const struct bpe_step *step;
    size_t first;         /* place in the next list where this word's parts begin */
    bool previous;        /* whether the part before was a match */
    bool holds;           /* MERGED_WITH_NEXT: a match waits for the part behind it */
    struct bpe_span held; /* which */
};

/* Takes the next part, in order; empty ones are of no account. */
static bool cut(struct cutter *c, size_t from, size_t to, bool is_match)
{
    struct bpe_words *w = c->w;
    bool previous = c->previous;
    if (from == to) {
        return true;
    }
    c->previous = is_match;
    bool joins = c->step->behavior == BPE_CONTIGUOUS             ? is_match == previous
                 : c->step->behavior == BPE_MERGED_WITH_PREVIOUS ? is_match && !previous
                                                                 : false;
    if (c->step->behavior == BPE_REMOVED && is_match) {
        return true;
    }
    if (joins && w->n_next > c->first) {
        w->next_spans[w->n_next - 1].to = to;
        return true;
    }
    if (c->step->behavior != BPE_MERGED_WITH_NEXT) {
        return add(w, from, to);
    }
    /* A match goes with the part behind it unless that is a match too. */
    bool ok = true;
    if (c->holds && is_match) {
        ok = add(w, c->held.from, c->held.to);
    } else if (c->holds) {
        from = c->held.from;
    }
    c->holds = is_match;
    c->held = (struct bpe_span){from, to};
    return ok && (is_match || add(w, from, to));
}

static bool cut_end(struct cutter *c)
{
    return !c->holds || add(c->w, c->held.from, c->held.to);
}

/* Where the character behind the one at `at` begins; behind the last, n + 1. */
static size_t next_character(const char *text, size_t n, size_t at)
{
    do {
        at++;
    } while (at < n && ((unsigned char)text[at] & 0xc0) == 0x80);
    return at;
}

/* One word at the matches of the pattern. */
static choir_status split_word(struct bpe_words *w, const struct bpe_step *step, const struct bpe_pattern *p,
                               struct bpe_span word, choir_error *err)
{
    struct cutter c = {.w = w, .step = step, .first = w->n_next};
    const char *text = w->text + word.from;
    size_t n = word.to - word.from;
    size_t done = 0; /* up to here it is cut */
    size_t at = 0;   /* here the next search begins */
    bool ok = true;
    while (ok && at <= n) {
        bool found;
        size_t from, to;
        choir_status status = bpe_search_next(&found, &from, &to, w->search, p, text, n, at, err);
        if (status != CHOIR_OK) {
            return status;
        }
        if (!found) {
            break;
        }
        ok = cut(&c, word.from + done, word.from + from, step->invert) &&
             cut(&c, word.from + from, word.from + to, !step->invert);
        done = to;
        at = to > from ? to : next_character(text, n, to);
    }
    ok = ok && cut(&c, word.from + done, word.to, step->invert) && cut_end(&c);
    return ok ? CHOIR_OK : base_fail_memory(err, w->next_cap * sizeof *w->spans, "tokenizing");
}

/* Every word's text anew: a space before each (as_bytes false), or each byte as its character. */
static choir_status rewrite(struct bpe_words *w, bool as_bytes, choir_error *err)
{
    size_t cap = 1;
    for (size_t i = 0; i < w->n; i++) {
        /* fits: a text is below 2^30 bytes */
        cap += (w->spans[i].to - w->spans[i].from) * (as_bytes ? 2 : 1) + 1;
    }
    char *text = malloc(cap);
    if (text == NULL) {
        return base_fail_memory(err, cap, "tokenizing");
    }
    size_t at = 0;
    for (size_t i = 0; i < w->n; i++) {
        const char *word = w->text + w->spans[i].from;
        size_t n = w->spans[i].to - w->spans[i].from;
        size_t from = at;
        if (as_bytes) {
            at += byte_alphabet_write(text + at, word, n);
        } else {
            if (n > 0 && word[0] != ' ') {
                text[at++] = ' ';
            }
            memcpy(text + at, word, n);
            at += n;
        }
        w->spans[i] = (struct bpe_span){from, at};
    }
    free(w->text);
    w->text = text;
    w->text_cap = cap;
    return CHOIR_OK;
}

/* Every word's text anew with the mark. */
static choir_status put_marks(struct bpe_words *w, const struct bpe_step *step, choir_error *err)
{
    size_t mark = strlen(step->pattern);
    size_t cap = 1;
    for (size_t i = 0; i < w->n; i++) {
        cap += (w->spans[i].to - w->spans[i].from + 1) * mark; /* fits: a text is below 2^30 bytes, the mark is of 3 */
    }
    char *text = malloc(cap);
    if (text == NULL) {
        return base_fail_memory(err, cap, "tokenizing");
    }
    size_t at = 0;
    for (size_t i = 0; i < w->n; i++) {
        const char *word = w->text + w->spans[i].from;
        size_t n = w->spans[i].to - w->spans[i].from, from = at;
        bool begins = n > 0 && (word[0] == ' ' || (n >= mark && memcmp(word, step->pattern, mark) == 0));
        bool wanted = step->prepend == BPE_PREPEND_ALWAYS ||
                      (step->prepend == BPE_PREPEND_FIRST && w->at_start && w->spans[i].from == 0);
        if (wanted && !begins) {
            memcpy(text + at, step->pattern, mark);
            at += mark;
        }
        for (size_t k = 0; k < n; k++) {
            if (word[k] == ' ') {
                memcpy(text + at, step->pattern, mark);
                at += mark;
            } else {
                text[at++] = word[k];
            }
        }
        w->spans[i] = (struct bpe_span){from, at};
    }
    free(w->text);
    w->text = text;
    w->text_cap = cap;
    return CHOIR_OK;
}

static choir_status run_step(struct bpe_words *w, const struct bpe_splitter *s, int i, choir_error *err)
{
    if (s->steps[i].kind == BPE_STEP_MARK) {
        return put_marks(w, &s->steps[i], err);
    }
    if (s->steps[i].kind != BPE_STEP_SPLIT) {
        return rewrite(w, s->steps[i].kind == BPE_STEP_BYTES, err);
    }
    choir_status status = CHOIR_OK;
    for (size_t k = 0; k < w->n && status == CHOIR_OK; k++) {
        status = split_word(w, &s->steps[i], s->patterns[i], w->spans[k], err);
    }
    turn(w);
    return status;
}

choir_status bpe_split(struct bpe_words *w, const struct bpe_splitter *s, const char *text, size_t n, choir_error *err)
{
    choir_status status = w->search == NULL ? bpe_search_open(&w->search, err) : CHOIR_OK;
    w->n = 0;
    if (status != CHOIR_OK || n == 0) {
        return status;
    }
    if (w->text_cap < n) {
        char *grown = realloc(w->text, n);
        if (grown == NULL) {
            return base_fail_memory(err, n, "tokenizing");
        }
        w->text = grown;
        w->text_cap = n;
    }
    memcpy(w->text, text, n);
    w->n_next = 0;
    if (!add(w, 0, n)) {
        return base_fail_memory(err, sizeof *w->spans, "tokenizing");
    }
    turn(w);
    for (int i = 0; i < s->n && status == CHOIR_OK; i++) {
        status = run_step(w, s, i, err);
    }
    return status;
}
