/* The tokens of a text with their log-probabilities, and the "logprobs" object that OpenAI's completions have of them:
 *
 *     tokens          the text of each; one that is no whole UTF-8 is "bytes:" and \xNN for each byte; one that is not text (the
 *                     beginning of the prompt) is its piece
 *     token_logprobs  natural logarithms, of the model's own distribution, before the sampler; null for the first of all
 *     top_logprobs    for each an object of the K most likely and, if it is not among them, the token itself; null if K is 0
 *     text_offset     characters of the tokens' text before each; one that goes on with a character has that one's */
#ifndef CHOIR_CLI_TOKEN_LOG_H
#define CHOIR_CLI_TOKEN_LOG_H

#include <jansson.h>

#include "choir.h"

enum { TOKEN_LOG_TOP = 100 }; /* the largest K */

typedef struct token_log {
    const choir_model *model;
    json_t *tokens, *values, *tops, *offsets; /* arrays */
    char *text;                               /* [choir_token_text_bound] */
    bool at_start;                            /* no token was text yet */
    size_t n_chars;                           /* begun so far */
    bool any_top;
    bool failed; /* out of memory: it is not whole */
} token_log;

/* at_start: the text begins with the first token that is text. */
void token_log_open(token_log *l, const choir_model *model, bool at_start);
/* Goes on where src is: with the same tokens so far. */
void token_log_fork(token_log *l, const token_log *src);
void token_log_close(token_log *l);
/* log_prob NULL: it has none.  Non-zero when memory ran out. */
int token_log_add(token_log *l, int32_t id, const double *log_prob, const choir_token_prob *top, int32_t n_top);
/* Adds the ids of a prompt, the first one without a log-probability, while it computes all but the last: seq has those others
 * pending, and nothing else.  Its engine should have some max_logits.  CHOIR_RESOURCE when memory ran out. */
choir_status token_log_prompt(token_log *l, choir_engine *engine, choir_sequence *seq, const int32_t *ids, size_t n_ids,
                              int32_t n_top, choir_error *err);
/* The object; the log is empty afterwards.  NULL: out of memory. */
json_t *token_log_take(token_log *l);

#endif
