/* The C side of the SentencePiece library. */
#ifndef TOK_SP_WRAPPER_H
#define TOK_SP_WRAPPER_H

#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sp_lib;

/* A processor for a model that sp_build wrote; the bytes are not needed afterwards.  `file` stands in messages. */
choir_status sp_lib_open(struct sp_lib **out, const char *file, const void *model, size_t n, choir_error *err);
void sp_lib_close(struct sp_lib *lib);

/* The library's Encode.  *ids is malloc'ed (not NULL, even for none).  Thread-safe. */
choir_status sp_lib_encode(const struct sp_lib *lib, const char *text, size_t n, int32_t **ids, size_t *n_ids,
                           choir_error *err);

#ifdef __cplusplus
}
#endif

#endif
