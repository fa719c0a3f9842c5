/* Chat templates: how a conversation is written for a model that was trained on conversations.
 *
 * A model carries a program (Jinja) that writes it.  Choir runs no program out of a file: it recognizes the few well-known ones
 * by strings that only they have, and writes the conversation itself, from the table in chat_templates.c. */
#ifndef ENG_CHAT_TEMPLATES_H
#define ENG_CHAT_TEMPLATES_H

#include <stdbool.h>
#include <stddef.h>

#include "choir/status.h"

/* In the patterns %s is the system message, %u what the user says, {piece} a special token: a piece of the vocabulary, or
 * {bos} or {eos}. */
struct chat_template {
    const char *name;
    bool begins_with_bos;    /* unless the text says otherwise */
    bool trims;              /* messages lose the spaces around them */
    bool eats_space;         /* special tokens of the vocabulary swallow the space and newlines behind them */
    const char *system;      /* the system message, in front of the first turn; NULL: it goes into that turn */
    const char *user;        /* a turn, and how the reply begins */
    const char *system_user; /* the first turn with a system message in it; NULL: `system` */
    const char *next;        /* what ends a reply that another turn follows */
    const char *end;         /* the token that ends a reply: a piece, or "eos" */
};

extern const struct chat_template chat_templates[]; /* ends with one without a name */

/* NULL when there is none of that name. */
const struct chat_template *chat_template_by_name(const char *name);
/* The template whose text this is; NULL: none that is known. */
const struct chat_template *chat_template_by_text(const char *text);
/* Whether a template's text begins with BOS: it says bos_token, or the piece, unless turns begin with that piece too. */
bool chat_text_has_bos(const struct chat_template *t, const char *text, const char *bos, size_t n);
/* Whether a template's text has a place for a system message. */
bool chat_text_has_system(const struct chat_template *t, const char *text);
/* The system message that a template's text gives when a conversation has none: its first byte, *n bytes as the text spells
 * them ("\n" may be two characters).  NULL: none. */
const char *chat_text_default_system(size_t *n, const struct chat_template *t, const char *text);

/* What a pattern is filled with. */
struct chat_message {
    const char *system, *user;
    size_t system_bytes, user_bytes;
};

/* Gets the parts of a text in order: special tokens (named as in the patterns) and what is between them. */
typedef choir_status chat_part_fn(void *user, const char *text, size_t n, bool special, choir_error *err);

/* Fills a pattern.  Ends with fn's first failure. */
choir_status chat_fill(const struct chat_template *t, const char *pattern, const struct chat_message *m,
                       chat_part_fn *fn, void *user, choir_error *err);

#endif
