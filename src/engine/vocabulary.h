/* The two places a tokenizer comes from.  Private to vocabulary*.c. */
#ifndef ENG_VOCABULARY_H
#define ENG_VOCABULARY_H

#include "engine/engine.h"

/* The vocabulary that a GGUF file carries, into m->tokenizer; fills m->add_bos. */
choir_status eng_open_vocabulary_gguf(struct choir_model *m, const struct wts_set *set, choir_error *err);

/* The tokenizer file `path`, or, where that is NULL, tokenizer.model or tokenizer.json beside the weights (in the folder,
 * or in that of the file); fills m->tokenizer and m->add_bos. */
choir_status eng_open_vocabulary_file(struct choir_model *m, const struct wts_set *set, const char *path,
                                      choir_error *err);

#endif
