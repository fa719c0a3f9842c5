/* Bytes of a GGUF header, each fetched once. */
#include <string.h>

#include "weights/gguf.h"

choir_status gguf_take(struct gguf_cursor *c, void *dst, uint64_t n, choir_error *err)
{
    if (n > gguf_left(c)) {
        return wts_fail(err, c->file, "truncated: the header needs byte %llu, file has %llu",
                        (unsigned long long)(c->pos + n), (unsigned long long)c->file->size);
    }
    unsigned char *out = dst;
    while (n > 0) {
        if (c->at == c->have) {
            if (n >= GGUF_BUFFER_BYTES) { /* large pieces go straight to where they are wanted */
                choir_status direct = base_file_read(c->file, c->pos, out, (size_t)n, err);
                c->pos += n;
                return direct;
            }
            uint64_t want = gguf_left(c) < GGUF_BUFFER_BYTES ? gguf_left(c) : GGUF_BUFFER_BYTES;
            c->at = c->have = 0;
            choir_status status = base_file_read(c->file, c->pos, c->buffer, (size_t)want, err);
            if (status != CHOIR_OK) {
                return status;
            }
            c->have = (size_t)want;
        }
        size_t part = c->have - c->at < n ? c->have - c->at : (size_t)n;
        memcpy(out, c->buffer + c->at, part);
        c->at += part;
        c->pos += part;
        out += part;
        n -= part;
    }
    return CHOIR_OK;
}

choir_status gguf_take_u32(struct gguf_cursor *c, uint32_t *v, choir_error *err)
{
    unsigned char b[4];
    choir_status status = gguf_take(c, b, sizeof b, err);
    if (status == CHOIR_OK) {
        *v = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    }
    return status;
}

choir_status gguf_take_u64(struct gguf_cursor *c, uint64_t *v, choir_error *err)
{
    uint32_t low, high;
    choir_status status = gguf_take_u32(c, &low, err);
    if (status == CHOIR_OK) {
        status = gguf_take_u32(c, &high, err);
    }
    if (status == CHOIR_OK) {
        *v = (uint64_t)high << 32 | low;
    }
    return status;
}
