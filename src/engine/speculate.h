/* Several tokens in one step: guesses at what comes next are appended and computed together with the token that is pending
 * anyway, and then checked, first to last.
 *
 *     timeline      p p p t | g1 g2 g3           t: the last token, drawn; g: guesses
 *     rows of logits      r0  r1 r2 r3           of one step
 *     draws               g1  g2 x               by the sampler chain, each at its own position: g1 and g2 are kept,
 *                                                x is the next token, g3 and what was computed of it are forgotten
 *
 * A draw depends on the seed, the choice, the position, the row and the tokens before it; the row has the same bits in any
 * step.  So the text is the one without guesses, whoever guesses.  Private to src/engine. */
#ifndef ENG_SPECULATE_H
#define ENG_SPECULATE_H

#include "engine/engine.h"
#include "engine/pace.h"
#include "engine/writer.h"

/* Where guesses come from.  ids: [n_ids] the text so far.  Neither call allocates. */
struct eng_guesser {
    void *ctx;
    /* How many there are to be had, at most `most`, and of what kind (pace.h). */
    int32_t (*look)(void *ctx, const int32_t *ids, int32_t n_ids, int32_t most, int *kind);
    /* Writes up to n guesses, of those just looked for, and tells how many; none when it fails: a guess is no more than that.
     * Adds to *pace what they cost, if it is anything. */
    int32_t (*guess)(void *ctx, const int32_t *ids, int32_t n_ids, int32_t *out, int32_t n, struct eng_pace *pace);
    void (*close)(void *ctx);
    double likely[PACE_KINDS];
};

/* From n-grams of the text, for texts of up to cap tokens. */
choir_status eng_ngram_guesser(struct eng_guesser *g, int32_t cap, choir_error *err);
/* From a second model, whose tokens mean the same (checked): it draws like seq does, in an engine of its own. */
choir_status eng_draft_guesser(struct eng_guesser *g, choir_engine *draft, const choir_sequence *seq, choir_error *err);

struct eng_speculation {
    struct choir_sequence *seq; /* borrowed; NULL: no speculation */
    struct eng_guesser guesser;
    struct eng_pace pace;
    int32_t most;          /* guesses in a step */
    int32_t n_base;        /* tokens of the timeline before the guesses */
    int32_t n_guesses;     /* appended now */
    int kind;              /* of these */
    int32_t own_want_from; /* of the sequence without them */
};

/* Takes the guesser over (also on failure).  most: guesses in a step, less where a step of the engine has less room. */
void eng_speculation_open(struct eng_speculation *x, struct choir_sequence *seq, const struct eng_guesser *guesser,
                          int32_t most);
void eng_speculation_close(struct eng_speculation *x);

/* Before a step: appends guesses to the sequence, if one token is pending and guesses are worth it; no more than the text
 * can use. */
void eng_speculation_guess(struct eng_speculation *x, const struct eng_writer *w);
/* After a step, which took ns: draws and writes tokens as long as guesses are right, and one more; forgets the other
 * guesses.  *ended as in eng_writer_next. */
choir_status eng_speculation_check(struct eng_speculation *x, struct eng_writer *w, uint64_t ns, bool *ended,
                                   choir_error *err);
/* Instead of a check, when the step failed: the sequence is as before the guesses. */
void eng_speculation_forget(struct eng_speculation *x);

#endif
