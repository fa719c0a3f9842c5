/* States are whole copies: a text that a person writes is small. */
#include "cli/complete/story.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { STATES_MOST = 256 };

static choir_status no_memory(choir_error *err)
{
    return base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
}

choir_status story_open(story *s, choir_error *err)
{
    *s = (story){.cap = 16};
    s->states = calloc(s->cap, sizeof *s->states);
    if (s->states) {
        s->states[0].text = malloc(1);
    }
    if (!s->states || !s->states[0].text) {
        story_close(s);
        return no_memory(err);
    }
    s->n = 1;
    return CHOIR_OK;
}

static void free_state(story_state *state)
{
    free(state->text);
    free(state->ids);
    choir_sequence_close(state->held);
}

void story_close(story *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free_state(&s->states[i]);
    }
    free(s->states);
    *s = (story){0};
}

const story_state *story_now(const story *s)
{
    return &s->states[s->at];
}

choir_status story_push(story *s, size_t keep, const char *text, size_t n, choir_error *err)
{
    const story_state *now = story_now(s);
    char *joined = malloc(keep + n + 1);
    if (!joined) {
        return no_memory(err);
    }
    memcpy(joined, now->text, keep);
    if (n > 0) {
        memcpy(joined + keep, text, n);
    }
    if (s->at + 1 == s->cap) {
        story_state *more = realloc(s->states, 2 * s->cap * sizeof *more);
        if (!more) {
            free(joined);
            return no_memory(err);
        }
        s->states = more;
        s->cap *= 2;
    }
    while (s->n > s->at + 1) {
        free_state(&s->states[--s->n]);
    }
    if (s->n == STATES_MOST) {
        free_state(&s->states[0]);
        memmove(s->states, s->states + 1, (s->n - 1) * sizeof *s->states);
        s->n--;
        s->at--;
    }
    s->states[s->n++] = (story_state){.text = joined, .n = keep + n};
    s->at++;
    return CHOIR_OK;
}

choir_status story_extend(story *s, const char *text, size_t n, choir_error *err)
{
    story_state *now = &s->states[s->at];
    char *longer = n > 0 ? realloc(now->text, now->n + n) : now->text;
    if (!longer) {
        return no_memory(err);
    }
    if (n > 0) {
        memcpy(longer + now->n, text, n);
    }
    now->text = longer;
    now->n += n;
    return CHOIR_OK;
}

choir_status story_keep_ids(story *s, const int32_t *ids, size_t n, choir_error *err)
{
    story_state *now = &s->states[s->at];
    int32_t *copy = malloc((n + 1) * sizeof *copy);
    if (!copy) {
        return no_memory(err);
    }
    if (n > 0) {
        memcpy(copy, ids, n * sizeof *copy);
    }
    free(now->ids);
    now->ids = copy;
    now->n_ids = n;
    return CHOIR_OK;
}

bool story_let_go(story *s)
{
    size_t farthest = s->at, most = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t distance = i < s->at ? s->at - i : i - s->at;
        if (s->states[i].held && distance >= most) {
            farthest = i;
            most = distance;
        }
    }
    bool found = s->states[farthest].held;
    choir_sequence_close(s->states[farthest].held);
    s->states[farthest].held = NULL;
    return found;
}

bool story_undo(story *s)
{
    bool possible = s->at > 0;
    s->at -= possible;
    return possible;
}

bool story_redo(story *s)
{
    bool possible = s->at + 1 < s->n;
    s->at += possible;
    return possible;
}
