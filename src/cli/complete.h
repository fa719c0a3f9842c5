/* The parts of `choir complete`. */
#ifndef CHOIR_CLI_COMPLETE_H
#define CHOIR_CLI_COMPLETE_H

#include "cli/editor.h"
#include "cli/generation.h"
#include "cli/story.h"

typedef struct writer {
    session *s;
    options opt; /* a copy that /set changes; its lists are its own */
    choir_sampling sampling;
    editor *editor;
    story story;
    choir_sequence *seq;
    bool exact;        /* the sequence's ids are those of the text: it can go on without looking */
    uint64_t turn;     /* generations so far: each draws differently, also after /undo */
    text_buffer fresh; /* what the running generation has written */
    bool echo;         /* the running generation shows what it writes */
    bool interactive;
    bool quit;
    char **kept; /* values that options borrow */
    size_t n_kept;
} writer;

/* Brings the sequence to the text so far: the common beginning of both stays, only the rest will be computed. */
choir_status writer_sync(writer *w, choir_error *err);
/* Generates from where the sequence is into w->fresh; at_start: there is no text before it.  A Ctrl-C ends it with
 * CHOIR_OK. */
choir_status writer_generate(writer *w, choir_sequence *seq, bool at_start, choir_error *err);
/* The text so far + typed, and what the model makes of it, as one new state. */
choir_status writer_turn(writer *w, const char *typed, size_t n, choir_error *err);
/* A second sequence with the current sampling that shares the past. */
choir_status writer_fork(writer *w, choir_sequence **out, choir_error *err);

/* A line that begins with '/'. */
choir_status command_run(writer *w, const char *line, size_t n, choir_error *err);

/* /set NAME VALUE; without a name: prints all. */
choir_status settings_set(writer *w, const char *name, const char *value, choir_error *err);
void settings_show(writer *w);
choir_status settings_open(writer *w, choir_error *err);
void settings_close(writer *w);

#endif
