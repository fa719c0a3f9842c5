/* Writing a model as GGUF, from any container.  Private to src/engine. */
#ifndef ENG_QUANTIZE_H
#define ENG_QUANTIZE_H

#include "engine/engine.h"
#include "model/export.h"
#include "weights/gguf_write.h"

enum { ENG_GGUF_EOS = 3 }; /* ids that end a text, as many as GGUF has keys for */

/* Settings of the file: a GGUF source's own are passed on; from other containers they are written from the configuration
 * and the tokenizer, if there is one.  new_vocabulary: the tokenizer is not the source's own.  file_type: as GGUF numbers
 * them. */
choir_status eng_write_settings(struct wts_writer *w, const struct choir_model *m, bool new_vocabulary,
                                uint32_t file_type, choir_error *err);
/* The settings of the architecture among them: keys that begin with its name. */
void eng_write_config(struct wts_writer *w, const struct mdl_config *c);

/* The new file takes the old one's place only when it is whole, but then the model that was read is gone: CHOIR_USAGE. */
choir_status eng_not_source(const char *path, const struct wts_set *set, choir_error *err);

/* A tensor of the new file. */
struct eng_out_tensor {
    const struct wts_tensor *src;         /* passed on, or */
    const struct mdl_export_tensor *made; /* made of a folder's, or */
    const float *values;                  /* [n_cols] our own */
    int n_dims;
    const uint64_t *shape; /* outermost first */
    uint64_t n_rows, n_cols;
    char name[MDL_NAME_CAP];
    choir_dtype type;
};

/* Where tensors go, and how. */
struct eng_out {
    struct wts_writer *writer;
    struct mdl_export *export; /* where those made come from */
    const char *path;          /* of the model, for messages */
    int n_threads;
    int (*progress)(void *user, uint64_t done, uint64_t total); /* bytes of the new file; NULL: nobody asks */
    void *user;
    uint64_t bytes_done, bytes_all;
};

/* Bytes of its data in the new file. */
uint64_t eng_out_bytes(const struct eng_out_tensor *o);
/* All of its data, on several threads; the bytes do not depend on how many.  CHOIR_CANCELLED when progress says so. */
choir_status eng_write_tensor(struct eng_out *out, const struct eng_out_tensor *o, choir_error *err);

#endif
