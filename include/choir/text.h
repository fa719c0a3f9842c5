/* Text and ids of a model's vocabulary, streaming included; conversations in the form that a model knows. */
#ifndef CHOIR_TEXT_H
#define CHOIR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct choir_detok choir_detok;
typedef struct choir_chat choir_chat;

/* ---- text and ids ------------------------------------------------------------------------------------ */

/* Ids of n bytes of text.  bos: put the model's BOS in front, if it has one and wants it.  *ids is malloc'ed: free() it.
 * Text never becomes a special id.  CHOIR_PROMPT with the offset when it is not valid UTF-8. */
CHOIR_API choir_status choir_tokenize(int32_t **ids, size_t *n_ids, const choir_model *model, const char *text,
                                      size_t n, bool bos, choir_error *err);
/* Text of ids.  *text is malloc'ed and NUL-terminated: free() it.  CHOIR_USAGE for an id out of range. */
CHOIR_API choir_status choir_detokenize(char **text, size_t *n, const choir_model *model, const int32_t *ids,
                                        size_t n_ids, choir_error *err);
/* The bytes that a token adds to a text, which may be part of a character; none for tokens that are not text.  at_start: the
 * text begins with it, as in choir_generation.  dst has choir_token_text_bound(model) bytes. */
CHOIR_API size_t choir_token_text(const choir_model *model, int32_t id, bool at_start, char *dst);
CHOIR_API size_t choir_token_text_bound(const choir_model *model);
/* The piece as the vocabulary writes it; NULL for an id out of range.  *n its bytes. */
CHOIR_API const char *choir_piece(const choir_model *model, int32_t id, size_t *n);
CHOIR_API bool choir_is_eos(const choir_model *model, int32_t id);
/* Bytes of the longest valid UTF-8 prefix. */
CHOIR_API size_t choir_utf8_valid(const char *text, size_t n);
/* text with each invalid part replaced by U+FFFD; malloc'ed. */
CHOIR_API choir_status choir_utf8_repair(char **out, size_t *n_out, const char *text, size_t n, choir_error *err);

/* Streaming: ids go in, whole UTF-8 comes out.  after_prompt: the text goes on after a prompt, so a leading space stays. */
CHOIR_API choir_status choir_detok_open(choir_detok **out, const choir_model *model, bool after_prompt,
                                        choir_error *err);
/* *text: bytes completed by `id`, valid until the next call; returns their number, 0 is common. */
CHOIR_API size_t choir_detok_push(choir_detok *d, int32_t id, const char **text);
CHOIR_API size_t choir_detok_flush(choir_detok *d, const char **text);
CHOIR_API void choir_detok_close(choir_detok *d);

/* ---- conversations -----------------------------------------------------------------------------------
 * For models that were trained on conversations: what a person says, in the form the model knows. */

/* The i-th chat template by name; NULL past the end. */
CHOIR_API const char *choir_chat_template_name(int i);
/* The template that the model carries, recognized by its text (which is never run), or the one named.  CHOIR_FILE when the
 * model has none, or one that is not known; CHOIR_USAGE for an unknown name.  The model must outlive the chat. */
CHOIR_API choir_status choir_chat_open(choir_chat **out, const choir_model *model, const char *name, choir_error *err);
CHOIR_API void choir_chat_close(choir_chat *chat);
CHOIR_API const char *choir_chat_name(const choir_chat *chat);
/* Ids that end a reply, in addition to those that end a text; [*n], for choir_generation. */
CHOIR_API const int32_t *choir_chat_ends(const choir_chat *chat, size_t *n);
/* What a turn of n bytes adds to the timeline, up to where the reply begins.  first: with all that a conversation begins with,
 * and the system message (NULL: the template's own, if it has one); else with what ends the reply before it.  Special
 * tokens come from the template alone: what is said never makes one.  *ids is malloc'ed: free() it.  CHOIR_PROMPT when
 * a text is not UTF-8, CHOIR_USAGE for a system message that the template has no place for. */
CHOIR_API choir_status choir_chat_turn(int32_t **ids, size_t *n_ids, const choir_chat *chat, bool first,
                                       const char *system, const char *text, size_t n, choir_error *err);

#ifdef __cplusplus
}
#endif
#endif
