#include "cli/completion.h"

#include <string.h>

json_t *completion_choice(int32_t index, const text_buffer *text, json_t *logprobs, const char *finish)
{
    return json_pack("{s:i, s:o, s:o, s:s?}", "index", (int)index, "text", json_text(text->at, text->n), "logprobs",
                     logprobs, "finish_reason", finish);
}

json_t *completion_usage(int32_t n_prompt, int32_t n_made)
{
    return json_pack("{s:i, s:i, s:i}", "prompt_tokens", (int)n_prompt, "completion_tokens", (int)n_made,
                     "total_tokens", (int)(n_prompt + n_made));
}

json_t *completion_object(const session *s, json_t *id, json_t *choices)
{
    const char *name = session_model_name(s);
    return json_pack("{s:o, s:s, s:o, s:o}", "id", id, "object", "text_completion", "model",
                     json_text(name, strlen(name)), "choices", choices);
}

const char *completion_finish(choir_finish finish)
{
    return finish == CHOIR_FINISH_STOP ? "stop" : "length";
}
