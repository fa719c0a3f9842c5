/* The chat template that a model carries.  Private to src/engine. */
#ifndef ENG_CHAT_H
#define ENG_CHAT_H

#include "choir/status.h"
#include "weights/weights.h"

/* The template's text: tokenizer.chat_template of a GGUF file; chat_template.jinja, else chat_template in
 * tokenizer_config.json of a folder.  *text is malloc'ed, NULL when there is none. */
choir_status eng_read_chat_template(char **text, const struct wts_set *set, choir_error *err);

#endif
