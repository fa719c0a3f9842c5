/* One text in the making: ids that are drawn go in, streamed text, counts and times come out.  What choir_generate and the
 * scheduler both do with a sequence that has logits, so that a text is the same whoever makes it.  Private to src/engine. */
#ifndef ENG_WRITER_H
#define ENG_WRITER_H

#include "engine/engine.h"
#include "engine/stops.h"

struct eng_writer {
    struct choir_sequence *seq; /* borrowed */
    choir_generation g;         /* its stop strings are borrowed */
    choir_result result;
    struct tok_detok detok;
    char *piece;           /* [tok_detok_bound] */
    choir_token_prob *top; /* [g.n_top], or NULL */
    struct eng_stops stops;
    int32_t cached_before; /* tokens that seq had from the prefix cache */
    bool stopped;          /* a stop string is complete: nothing more is shown */
    bool prompt_ended;     /* eng_writer_prompt_end was called */
    uint64_t begin_ns, loop_ns;
};

/* Begins a text after what seq holds; the tokens pending are its prompt, and time runs from now.  Takes all memory the text
 * will ever need.  CHOIR_PROMPT for an empty sequence.  Close it after a failure too. */
choir_status eng_writer_open(struct eng_writer *w, struct choir_sequence *seq, const choir_generation *g,
                             choir_error *err);
void eng_writer_close(struct eng_writer *w);

/* The prompt is computed. */
void eng_writer_prompt_end(struct eng_writer *w);
/* Whether the text has reached its length: max_tokens, or the context. */
bool eng_writer_is_full(struct eng_writer *w);
/* Draws a token from the sequence's logits, shows and appends it.  *ended: it was the last one. */
choir_status eng_writer_next(struct eng_writer *w, bool *ended, choir_error *err);
/* The same with an id that is already drawn from this row of logits, which follows the sequence's last token. */
choir_status eng_writer_take(struct eng_writer *w, int32_t id, const float *row, bool *ended, choir_error *err);
/* The text ends: with CHOIR_OK all that is held back is shown, after a failure only whole characters.  Completes
 * w->result. */
void eng_writer_end(struct eng_writer *w, choir_status status);

#endif
