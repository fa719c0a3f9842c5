/* The parts of the GGUF reader.  For weights/gguf*.c alone. */
#ifndef WTS_GGUF_H
#define WTS_GGUF_H

#include "weights/set.h"

/* A forward walk over the header: every byte is fetched once, in pieces of GGUF_BUFFER_BYTES, and nothing is
 * asked for that the file does not hold. */
enum { GGUF_BUFFER_BYTES = 65536 };

struct gguf_cursor {
    const struct base_file *file;
    uint64_t pos;    /* of the next byte to take */
    size_t at, have; /* buffer[at .. have) is what comes next */
    unsigned char buffer[GGUF_BUFFER_BYTES];
};

static inline uint64_t gguf_left(const struct gguf_cursor *c)
{
    return c->file->size - c->pos;
}

/* The next n bytes into dst; CHOIR_FILE "truncated" when the file ends before. */
choir_status gguf_take(struct gguf_cursor *c, void *dst, uint64_t n, choir_error *err);
choir_status gguf_take_u32(struct gguf_cursor *c, uint32_t *v, choir_error *err);
choir_status gguf_take_u64(struct gguf_cursor *c, uint64_t *v, choir_error *err);

/* n_kv settings into set->meta, with their index by key. */
choir_status gguf_read_meta(struct wts_set *set, struct gguf_cursor *c, uint64_t n_kv, choir_error *err);
/* n tensors of the cursor's file added to the set, and checked against the file.  Ends the header. */
choir_status gguf_read_tensors(struct wts_set *set, struct gguf_cursor *c, uint64_t n, uint64_t alignment,
                               choir_error *err);
/* "u32"; NULL past the last. */
const char *gguf_type_name(uint32_t type);
/* A whole number among the settings; false when it is missing or of another kind. */
bool gguf_meta_uint(const struct wts_set *set, const char *key, uint64_t *v);

#endif
