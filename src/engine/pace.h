/* How many guesses are worth their cost.
 *
 * A step that also computes k guessed tokens takes longer than one without, by a share that depends on the model and the
 * machine; it gains a token for every guess that is kept.  Both are watched, and k is the number with the best rate of
 * tokens expected; where that is none, one guess is tried now and then, more rarely each time that it was in vain, and hardly
 * ever again where even right guesses cost more than they gain.  It decides about speed only, never about the text.  Private to src/engine. */
#ifndef ENG_PACE_H
#define ENG_PACE_H

#include <stdint.h>

/* Guesses of one kind are about as good as each other: after long matches, after short ones, of a draft model. */
enum { PACE_KINDS = 5 };

struct eng_pace_kind {
    double kept, tried; /* guesses of late, older ones counting less */
    int32_t rest, wait; /* chances to let pass until the next trial; and after that */
    int32_t dear;       /* results in a row in which the best guesses would have cost too much */
};

struct eng_pace {
    double plain_ns; /* of a step without guesses; 0: not yet known */
    double more_ns;  /* what each further token of a step adds; 0: not yet known */
    double guess_ns; /* of making a guess */
    struct eng_pace_kind kinds[PACE_KINDS];
};

/* likely: [PACE_KINDS] the share of guesses to be kept that is assumed at first. */
void eng_pace_open(struct eng_pace *p, const double likely[PACE_KINDS]);
/* Guesses to make, 0 to most (what there is to guess, and room for). */
int32_t eng_pace_choose(struct eng_pace *p, int kind, int32_t most);
/* A step of 1 + n_guesses tokens took so long. */
void eng_pace_step(struct eng_pace *p, int32_t n_guesses, uint64_t ns);
/* Making n guesses took so long. */
void eng_pace_guess(struct eng_pace *p, int32_t n, uint64_t ns);
/* Of n guesses the first n_kept were right. */
void eng_pace_result(struct eng_pace *p, int kind, int32_t n, int32_t n_kept);

#endif
