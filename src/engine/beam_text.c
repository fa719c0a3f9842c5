/* Beams are forked, so each keeps its whole text; it is short beside what its tokens cost. */
#include "engine/beam_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void eng_beam_text_init(struct eng_beam_text *t, const struct tokenizer *tokenizer, bool at_start)
{
    *t = (struct eng_beam_text){0};
    if (tokenizer != NULL) {
        tok_detok_init(&t->detok, tokenizer, at_start);
    }
}

void eng_beam_text_free(struct eng_beam_text *t)
{
    free(t->at);
    *t = (struct eng_beam_text){0};
}

static choir_status make_room(struct eng_beam_text *t, size_t n, choir_error *err)
{
    if (n <= t->cap) {
        return CHOIR_OK;
    }
    size_t cap = 2 * n;
    char *more = realloc(t->at, cap);
    if (more == NULL) {
        return base_fail_memory(err, cap, "a text");
    }
    t->at = more;
    t->cap = cap;
    return CHOIR_OK;
}

choir_status eng_beam_text_copy(struct eng_beam_text *dst, const struct eng_beam_text *src, choir_error *err)
{
    choir_status status = make_room(dst, src->n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (src->n > 0) {
        memcpy(dst->at, src->at, src->n);
    }
    dst->n = src->n;
    dst->detok = src->detok;
    return CHOIR_OK;
}

static size_t stop_bytes(const choir_generation *g, size_t i)
{
    return g->stop_bytes != NULL ? g->stop_bytes[i] : strlen(g->stops[i]);
}

/* A text in two parts. */
struct parts {
    const char *a, *b;
    size_t n_a, n_b;
};

/* Whether the n bytes at text end at `end` in p. */
static bool ends_with(const struct parts *p, size_t end, const char *text, size_t n)
{
    if (n == 0 || n > end) {
        return false;
    }
    size_t in_b = end - p->n_a < n ? end - p->n_a : n;
    size_t in_a = n - in_b;
    return (in_a == 0 || memcmp(p->a + p->n_a - in_a, text, in_a) == 0) &&
           memcmp(p->b + (end - p->n_a) - in_b, text + in_a, in_b) == 0;
}

/* Where the stop string begins that is complete first within b (the longest of those that end there); SIZE_MAX: none. */
static size_t find_stop(const struct parts *p, const choir_generation *g)
{
    for (size_t end = p->n_a + 1; end <= p->n_a + p->n_b; end++) {
        size_t longest = 0;
        for (size_t i = 0; i < g->n_stops; i++) {
            size_t n = stop_bytes(g, i);
            longest = n > longest && ends_with(p, end, g->stops[i], n) ? n : longest;
        }
        if (longest > 0) {
            return end - longest;
        }
    }
    return SIZE_MAX;
}

choir_status eng_beam_text_push(struct eng_beam_text *t, const choir_generation *g, int32_t id, bool *stopped,
                                choir_error *err)
{
    *stopped = false;
    if (t->detok.t == NULL) {
        return CHOIR_OK;
    }
    choir_status status = make_room(t, t->n + tok_detok_bound(t->detok.t), err);
    if (status != CHOIR_OK) {
        return status;
    }
    const size_t n = tok_detok_push(&t->detok, id, t->at + t->n);
    const struct parts p = {.a = t->at, .n_a = t->n, .b = t->at + t->n, .n_b = n};
    const size_t stop = find_stop(&p, g);
    *stopped = stop < SIZE_MAX;
    t->n = *stopped ? stop : t->n + n;
    return CHOIR_OK;
}

choir_status eng_beam_text_end(struct eng_beam_text *t, choir_error *err)
{
    if (t->detok.t == NULL) {
        return CHOIR_OK;
    }
    choir_status status = make_room(t, t->n + tok_detok_bound(t->detok.t), err);
    if (status == CHOIR_OK) {
        t->n += tok_detok_flush(&t->detok, t->at + t->n);
    }
    return status;
}

bool eng_beam_text_stops(const struct eng_beam_text *t, const choir_generation *g, int32_t id, char *piece)
{
    if (t->detok.t == NULL || g->n_stops == 0) {
        return false;
    }
    struct tok_detok detok = t->detok;
    const size_t n = tok_detok_push(&detok, id, piece);
    const struct parts p = {.a = t->at, .n_a = t->n, .b = piece, .n_b = n};
    return find_stop(&p, g) < SIZE_MAX;
}
