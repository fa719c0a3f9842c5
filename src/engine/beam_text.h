/* The text of one beam: ids go in, bytes and stop strings come out.  Private to src/engine. */
#ifndef ENG_BEAM_TEXT_H
#define ENG_BEAM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "choir.h"
#include "tokenizer/tokenizer.h"

struct eng_beam_text {
    struct tok_detok detok; /* .t NULL: no tokenizer, no text */
    char *at;
    size_t n, cap;
};

void eng_beam_text_init(struct eng_beam_text *t, const struct tokenizer *tokenizer, bool at_start);
void eng_beam_text_free(struct eng_beam_text *t);
/* dst becomes equal to src; dst keeps its own memory. */
choir_status eng_beam_text_copy(struct eng_beam_text *dst, const struct eng_beam_text *src, choir_error *err);
/* Adds what id says.  *stopped: a stop string of g's is complete, and the text now ends before it. */
choir_status eng_beam_text_push(struct eng_beam_text *t, const choir_generation *g, int32_t id, bool *stopped,
                                choir_error *err);
/* The text ends: an unfinished character becomes U+FFFD. */
choir_status eng_beam_text_end(struct eng_beam_text *t, choir_error *err);
/* Whether id would complete a stop string.  piece: room for tok_detok_bound bytes. */
bool eng_beam_text_stops(const struct eng_beam_text *t, const choir_generation *g, int32_t id, char *piece);

#endif
