/* Writing a model as GGUF, from any container.  Private to src/engine. */
#ifndef ENG_QUANTIZE_H
#define ENG_QUANTIZE_H

#include "engine/engine.h"
#include "weights/gguf_write.h"

enum { ENG_GGUF_EOS = 3 }; /* ids that end a text, as many as GGUF has keys for */

/* Settings of the file: a GGUF source's own are passed on; from other containers they are written from the configuration
 * and the tokenizer, if there is one.  new_vocabulary: the tokenizer is not the source's own.  file_type: as GGUF numbers
 * them. */
choir_status eng_write_settings(struct wts_writer *w, const struct choir_model *m, bool new_vocabulary,
                                uint32_t file_type, choir_error *err);
/* The settings of the architecture among them: keys that begin with its name. */
void eng_write_config(struct wts_writer *w, const struct mdl_config *c);

#endif
