/* The parts of `choir complete`. */
#ifndef CHOIR_CLI_COMPLETE_H
#define CHOIR_CLI_COMPLETE_H

#include <limits.h>

#include "cli/complete/editor.h"
#include "cli/complete/story.h"
#include "cli/generation.h"

typedef struct writer {
    session *s;
    options opt; /* a copy that /set changes; its lists are its own */
    choir_sampling sampling;
    editor *editor;
    editor_hooks hooks;
    story story;
    const text_buffer *entry; /* the lines of the block that is being typed, before the line */
    bool in_block;            /* such a block has begun */
    choir_sequence *seq;
    choir_sequence *ahead; /* the text so far, what was typed and what Tab offered after it; or NULL */
    bool exact;            /* the sequence's ids are those of the text: it can go on without looking */
    uint64_t turn;         /* generations so far: each draws differently, also after /undo */
    text_buffer fresh;     /* what the running generation has written */
    bool interactive;
    bool painted; /* stdout's colour is the generated text's */
    bool quit;
    char **kept; /* values that options borrow */
    size_t n_kept;
} writer;

/* Brings the sequence to the text so far: the common beginning of both stays, only the rest will be computed. */
choir_status writer_sync(writer *w, choir_error *err);
/* The text so far + typed, and what the model makes of it, as one new state. */
choir_status writer_turn(writer *w, const char *typed, size_t n, choir_error *err);
/* Tokens that seq and ids [n] begin with both. */
size_t writer_in_common(const choir_sequence *seq, const int32_t *ids, size_t n);
/* Bytes at the beginning of an entry's first line that are no text: the quotes of a block, a doubled slash. */
size_t entry_skip(const writer *w, const char *line, size_t n);
/* Tokens that a turn may add at most, when `typed` bytes are typed. */
int64_t writer_most_tokens(const writer *w, size_t typed);

/* While the model writes, keys are not echoed into its text; they are read afterwards. */
void writer_calm(writer *w, bool on);

/* ---- ids.c, suggest.c, names.c: what Tab does ---- */

/* The ids of a text: those that were drawn or computed for its beginning, as far as they go, then the tokenizer's.  *ids is
 * malloc'ed. */
choir_status writer_ids(int32_t **ids, size_t *n_ids, writer *w, const char *text, size_t n, choir_error *err);
void writer_forget_ahead(writer *w);
/* Offers what the next turn would begin with, were the line entered. */
void on_suggest(void *user, const char *line, size_t n);
/* Commands, settings, files. */
bool on_complete(void *user, const char *line, size_t n, names *found);
/* A path as a shell has it, "~/x" below $HOME: path, or in dst. */
const char *path_at_home(char dst[PATH_MAX], const char *path);

/* ---- states.c: former states as forks ---- */

/* Makes room in the block pool for n more tokens of texts like this: gives up forks of states, those farthest from now first. */
void writer_make_room(writer *w, int64_t n);
/* Keeps a fork of the sequence with the state that is now, if it is exactly that; not having it is no error. */
void writer_hold(writer *w);
/* The state that is now is another one: the sequence becomes a fork of what is held of it, or has to be brought there. */
choir_status writer_return(writer *w, choir_error *err);

/* ---- alternatives.c, blocks.c ---- */

/* n texts that go on from here, made together; picks one. */
choir_status alternatives_run(writer *w, int32_t n, choir_error *err);
/* Draws who holds which block of the KV cache. */
choir_status blocks_show(writer *w, choir_error *err);

enum { MAX_ALTERNATIVES = 16 };

/* A line that begins with '/'. */
choir_status command_run(writer *w, const char *line, size_t n, choir_error *err);

/* /set NAME VALUE; without a name: prints all. */
choir_status settings_set(writer *w, const char *name, const char *value, choir_error *err);
void settings_show(writer *w);
/* The i-th name of a setting, and of a command; NULL past the end. */
const char *setting_name(size_t i);
const char *command_name(size_t i);
choir_status settings_open(writer *w, choir_error *err);
void settings_close(writer *w);

#endif
