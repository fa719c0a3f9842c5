/* Writing a GGUF file (version 3, alignment 32), data streamed: settings and tensors are announced, then the data of
 * the tensors follows in that order, in pieces of any size.
 *
 * The file grows under a temporary name in the same folder.  wts_writer_finish puts it in place of whatever `path` was;
 * without it wts_writer_close leaves no trace.
 *
 *     wts_writer_open(&w, path, err);
 *     wts_writer_put(w, ...); wts_writer_add(w, ...);      as many as wanted; lack of memory shows in begin
 *     wts_writer_begin(w, err);
 *     wts_writer_data(w, bytes, n, err);                   all bytes of all tensors
 *     wts_writer_finish(w, err);
 *     wts_writer_close(w); */
#ifndef WTS_GGUF_WRITE_H
#define WTS_GGUF_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weights/weights.h"

struct wts_writer;

choir_status wts_writer_open(struct wts_writer **out, const char *path, choir_error *err);

/* A setting of any type, as wts_open gives it: all of a set's settings can be passed on.  general.alignment is left
 * out (this writer's is the default).  Keys must differ. */
void wts_writer_put(struct wts_writer *w, const struct wts_meta *m);
void wts_writer_put_string(struct wts_writer *w, const char *key, const char *value);
void wts_writer_put_u32(struct wts_writer *w, const char *key, uint32_t value);
void wts_writer_put_f32(struct wts_writer *w, const char *key, float value);
void wts_writer_put_bool(struct wts_writer *w, const char *key, bool value);

/* A tensor of n_dims (1 to 4) dimensions, outermost first; the last is a multiple of the type's block, none is 0; a name has
 * 1 to 64 bytes, and names differ. */
void wts_writer_add(struct wts_writer *w, const char *name, choir_dtype type, int n_dims, const uint64_t *shape);

/* Makes the temporary file and writes the header.  CHOIR_IO with errno's words, here and below. */
choir_status wts_writer_begin(struct wts_writer *w, choir_error *err);
/* The next n bytes of tensor data.  Padding between tensors is the writer's affair.  More than was announced is our own
 * bug (assert). */
choir_status wts_writer_data(struct wts_writer *w, const void *bytes, size_t n, choir_error *err);
/* All data is written: to the disk with it, and into place. */
choir_status wts_writer_finish(struct wts_writer *w, choir_error *err);
void wts_writer_close(struct wts_writer *w);

#endif
