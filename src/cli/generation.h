/* What generate and complete share: options into a choir_generation, a seed, a growing text. */
#ifndef CHOIR_CLI_GENERATION_H
#define CHOIR_CLI_GENERATION_H

#include "cli/session.h"

typedef struct text_buffer {
    char *at;
    size_t n, cap;
    bool failed; /* out of memory: the text is not whole */
} text_buffer;

/* Non-zero when memory ran out. */
int text_append(text_buffer *t, const char *text, size_t n);

/* The options' sampling; a random seed when none was given. */
void generation_seed(choir_sampling *out, const options *o);
/* o: the session's, or the settings of the moment. */
void generation_options(choir_generation *g, const session *s, const options *o, choir_stream_fn on_text, void *user);

/* Texts that run at the same time, where there are several: as asked for, or 16. */
int32_t generation_at_once(const options *o);
/* Engine options for n texts at the same time, n at least `least`.  The cache is made for that many of full length only if
 * they fit; else for fewer: most texts are short, and when blocks run out the scheduler puts the youngest back. */
void generation_engine_options(choir_engine_options *opt, const session *s, int32_t n, int32_t least);

#endif
