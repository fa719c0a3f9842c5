/* The text of `choir complete` with all its former states: what /undo and /redo walk over. */
#ifndef CHOIR_CLI_STORY_H
#define CHOIR_CLI_STORY_H

#include "cli/generation.h"

typedef struct story_state {
    char *text;
    size_t n;
    int32_t *ids; /* [n_ids] of a chat, which its text does not give */
    size_t n_ids;
    choir_sequence *held; /* a fork that is this state, so that nothing of it need be computed again; or NULL */
} story_state;

/* states[0 .. at] are the past, the last of them is now; states[at + 1 .. n) can be had again by redo.  Of very many states the
 * first are forgotten. */
typedef struct story {
    story_state *states;
    size_t n, at, cap;
} story;

/* Begins with an empty text. */
choir_status story_open(story *s, choir_error *err);
void story_close(story *s);
const story_state *story_now(const story *s);
/* A new state: the first `keep` bytes of now, then n bytes of text.  Forgets what could be redone. */
choir_status story_push(story *s, size_t keep, const char *text, size_t n, choir_error *err);
/* Adds to the end of now. */
choir_status story_extend(story *s, const char *text, size_t n, choir_error *err);
/* Keeps a copy of n ids with now. */
choir_status story_keep_ids(story *s, const int32_t *ids, size_t n, choir_error *err);
/* Gives up the fork of the state farthest from now that has one; false: none has. */
bool story_let_go(story *s);
bool story_undo(story *s);
bool story_redo(story *s);

#endif
