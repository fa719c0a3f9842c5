/* Text from a sequence: drawn token by token, or the most likely ones searched for. */
#ifndef CHOIR_GENERATION_H
#define CHOIR_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/sequence.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- generation -------------------------------------------------------------------------------------- */

typedef enum choir_finish {
    CHOIR_FINISH_STOP,   /* end-of-text id or a stop string */
    CHOIR_FINISH_LENGTH, /* max_tokens, or the context is full */
    CHOIR_FINISH_CALLER  /* the callback returned non-zero */
} choir_finish;

/* n bytes of whole UTF-8 sequences; non-zero ends generation. */
typedef int (*choir_stream_fn)(void *user, const char *text, size_t n);

/* A token that was drawn. */
typedef struct choir_token {
    int32_t id, pos;             /* pos: its position in the timeline */
    double log_prob;             /* as choir_sequence_likely has it */
    const choir_token_prob *top; /* [n_top] the most likely tokens there, valid during the call */
    int32_t n_top;
} choir_token;

typedef struct choir_generation {
    int32_t max_tokens; /* -1: until the end of text or of the context */
    const char *const
        *stops; /* [n_stops] strings that end the text; never given to the callback, also when split over tokens */
    const size_t *stop_bytes; /* [n_stops], or NULL: NUL-terminated */
    size_t n_stops;
    const int32_t *end_ids; /* [n_end_ids] that end the text as the model's own do; not copied */
    size_t n_end_ids;
    bool at_start;          /* the timeline's text begins with what is generated: the first space is dropped */
    choir_stream_fn stream; /* may be NULL */
    /* Each token drawn but the end of the text, before its text is streamed; non-zero ends generation.  May be NULL: then
     * no log-probabilities are computed. */
    int (*token)(void *user, const choir_token *token);
    int32_t n_top; /* most likely tokens that it is told with each; 0 */
    void *user;
    /* Most guesses at the next tokens that a step checks; 0: none.  The text is the same with and without: guesses are
     * kept while they equal what is drawn.  How many are made depends on how many were right of late and on what they
     * cost.  The engine's max_logits, and the batch, have to be one more. */
    int32_t speculate;
    /* Where guesses come from: a smaller model in an engine of its own, with the same tokens (CHOIR_USAGE with the first
     * that differs), or (NULL) what followed the last few tokens where they were said before. */
    choir_engine *draft;
} choir_generation;

typedef struct choir_result {
    choir_finish finish;
    bool context_full;   /* CHOIR_FINISH_LENGTH because of the context */
    int32_t n_prompt;    /* tokens that were pending before the first was drawn */
    int32_t n_cached;    /* of these, found in the prefix cache, not computed */
    int32_t n_generated; /* tokens drawn, an end-of-text id not counted */
    int32_t n_guessed;   /* tokens guessed and checked, and of these the ones that were right */
    int32_t n_guesses_kept;
    size_t n_replaced;    /* bytes of U+FFFD streamed at the end for a character the text's end cut off */
    uint64_t prompt_ns;   /* computing the pending tokens; for a request: all from submit to there, waiting included */
    uint64_t generate_ns; /* all after that */
    uint64_t first_token_ns; /* from the call (for a request: from submit) to the first text or token */
} choir_result;

CHOIR_API void choir_generation_default(choir_generation *g); /* 256 tokens */
/* Computes what is pending and goes on from there: draws, streams and appends until done.  The callbacks must leave seq
 * alone.  Afterwards the sequence holds the
 * tokens drawn (an end-of-text id not; with a stop string: those up to the token that completed it).  *result is filled
 * on failure too, with what was done till then; text not yet held back has been streamed. */
CHOIR_API choir_status choir_generate(choir_result *result, choir_sequence *seq, const choir_generation *g,
                                      choir_error *err);

/* ---- beam search ------------------------------------------------------------------------------------- */

typedef struct choir_beam_options {
    int32_t n_beams;       /* 1 to 1024; 4 */
    double length_penalty; /* a text's score is its log-probability / tokens^this; 1 */
} choir_beam_options;

/* A text that a beam search found. */
typedef struct choir_beam {
    int32_t *ids; /* [n_ids] drawn; an end-of-text id not */
    char *text;   /* [n_text] whole UTF-8, up to a stop string; NUL-terminated */
    size_t n_text;
    int32_t n_ids, length; /* length: tokens drawn, an end-of-text id counted */
    double log_prob;       /* of all tokens drawn: a sum of natural logarithms */
    double score;          /* log_prob / length^length_penalty */
    choir_finish finish;   /* CHOIR_FINISH_CALLER: it was still running when the search was cancelled */
    bool context_full;
} choir_beam;

CHOIR_API void choir_beam_options_default(choir_beam_options *opt);
/* The most likely texts that go on from seq.  Each step continues the n_beams most likely texts (nothing is drawn: of the sampling
 * only logit_bias and ignore_eos count; penalties are CHOIR_USAGE) by all ids and keeps the n_beams most likely of what
 * comes of it that go on; those among the n_beams best that end, by an end-of-text id, a stop string or the length, are kept as
 * finished, the n_beams best by score.  Equals: the better beam before, then the lower id.  The search is over when n_beams have
 * finished and the most likely running text would, if it ended now, not have a better score than the worst of them, or
 * when none runs.  That is what transformers' generate() does with num_beams and early_stopping=False.
 *
 * *beams: the *n_beams best, best first, malloc'ed: choir_beams_free.  result: of the best one; nothing is streamed.  seq holds
 * what it did before, computed.  The beams are forks: the engine should have n_seqs = n_beams, of which seq is one; what they
 * share they hold once.  CHOIR_CANCELLED gives the best so far, running ones by the score they would have if they
 * ended; after other failures there are none. */
CHOIR_API choir_status choir_beam_search(choir_beam **beams, int32_t *n_beams, choir_result *result,
                                         choir_sequence *seq, const choir_generation *g, const choir_beam_options *opt,
                                         choir_error *err);
CHOIR_API void choir_beams_free(choir_beam *beams, int32_t n_beams);

#ifdef __cplusplus
}
#endif
#endif
