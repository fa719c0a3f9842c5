/* OpenAI's text_completion objects.  Each function takes over the JSON values it is given and gives NULL when one of them is NULL
 * or memory runs out. */
#ifndef CHOIR_CLI_COMPLETION_H
#define CHOIR_CLI_COMPLETION_H

#include "cli/generation.h"

/* logprobs: as token_log_take makes it, or JSON null.  finish NULL: the text is not at its end. */
json_t *completion_choice(int32_t index, const text_buffer *text, json_t *logprobs, const char *finish);
json_t *completion_usage(int32_t n_prompt, int32_t n_made);
json_t *completion_object(const session *s, json_t *id, json_t *choices);
/* "stop", or "length". */
const char *completion_finish(choir_finish finish);

#endif
