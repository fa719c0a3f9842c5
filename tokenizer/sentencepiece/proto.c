/* The wire format, read with every length checked against its message, and written. */
#include "tokenizer/sentencepiece/proto.h"

#include <string.h>

#include "base/error.h"

static choir_status fail_at(const struct sp_reader *r, size_t at, const char *what, choir_error *err)
{
    choir_status s = base_fail(err, CHOIR_FILE, "%s: byte %zu: %s", r->file, at, what);
    if (err) {
        err->offset = at;
    }
    return s;
}

static choir_status read_varint(struct sp_reader *r, uint64_t *out, choir_error *err)
{
    uint64_t v = 0;
    size_t at = r->pos;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (r->pos == r->end) {
            return fail_at(r, at, "number cut off at the end", err);
        }
        uint8_t b = (uint8_t)r->data[r->pos++];
        v |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0; /* fits: 0 to 63 */
        if (!(b & 0x80)) {
            *out = v;
            return CHOIR_OK;
        }
    }
    return fail_at(r, at, "number longer than 10 bytes", err);
}

/* n bytes as a little-endian number. */
static choir_status read_fixed(struct sp_reader *r, struct sp_field *f, unsigned n, choir_error *err)
{
    if (r->end - r->pos < n) {
        return fail_at(r, f->at, "number cut off at the end", err);
    }
    f->value = 0;
    for (unsigned i = 0; i < n; i++) {
        f->value |= (uint64_t)(uint8_t)r->data[r->pos + i] << 8 * i;
    }
    r->pos += n;
    return CHOIR_OK;
}

static choir_status read_text(struct sp_reader *r, struct sp_field *f, choir_error *err)
{
    uint64_t n;
    choir_status s = read_varint(r, &n, err);
    if (s != CHOIR_OK) {
        return s;
    }
    size_t left = r->end - r->pos;
    if (n > left) {
        s = base_fail(err, CHOIR_FILE, "%s: byte %zu: field %u ends %llu bytes past end of file", r->file, f->at,
                      (unsigned)f->number, (unsigned long long)(n - left));
        if (err) {
            err->offset = f->at;
        }
        return s;
    }
    f->text = (struct sp_text){r->data + r->pos, (size_t)n};
    r->pos += (size_t)n;
    return CHOIR_OK;
}

static choir_status read_field(struct sp_reader *r, struct sp_field *f, choir_error *err)
{
    uint64_t tag;
    *f = (struct sp_field){.at = r->pos};
    choir_status s = read_varint(r, &tag, err);
    if (s != CHOIR_OK) {
        return s;
    }
    if (tag >> 3 == 0 || tag >> 3 >= 1u << 29) {
        return fail_at(r, f->at, "bad field", err);
    }
    f->number = (uint32_t)(tag >> 3);
    f->wire = (enum sp_wire)(tag & 7);
    switch (f->wire) {
    case SP_WIRE_VARINT:
        return read_varint(r, &f->value, err);
    case SP_WIRE_I64:
        return read_fixed(r, f, 8, err);
    case SP_WIRE_I32:
        return read_fixed(r, f, 4, err);
    case SP_WIRE_LEN:
        return read_text(r, f, err);
    }
    return fail_at(r, f->at, "bad field", err); /* a group, or no wire type at all */
}

bool sp_next_field(struct sp_reader *r, struct sp_field *f, choir_status *status, choir_error *err)
{
    *status = CHOIR_OK;
    if (r->pos == r->end) {
        return false;
    }
    *status = read_field(r, f, err);
    return *status == CHOIR_OK;
}

struct sp_reader sp_enter(const struct sp_reader *r, const struct sp_field *f)
{
    size_t pos = (size_t)(f->text.s - r->data);
    return (struct sp_reader){.file = r->file, .data = r->data, .pos = pos, .end = pos + f->text.n};
}

choir_status sp_expect(const struct sp_reader *r, const struct sp_field *f, enum sp_wire wire, choir_error *err)
{
    return f->wire == wire ? CHOIR_OK : fail_at(r, f->at, "bad field", err);
}

size_t sp_varint_bytes(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) {
        n++;
    }
    return n;
}

static void put_bytes(struct sp_writer *w, const void *src, size_t n)
{
    if (w->data && n > 0) {
        memcpy(w->data + w->n, src, n);
    }
    w->n += n;
}

void sp_put_varint(struct sp_writer *w, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) {
        bytes[n++] = (uint8_t)(v | 0x80);
    }
    bytes[n++] = (uint8_t)v;
    put_bytes(w, bytes, n);
}

void sp_put_tag(struct sp_writer *w, uint32_t number, enum sp_wire wire)
{
    sp_put_varint(w, (uint64_t)number << 3 | (uint64_t)wire);
}

void sp_put_number(struct sp_writer *w, uint32_t number, uint64_t v)
{
    sp_put_tag(w, number, SP_WIRE_VARINT);
    sp_put_varint(w, v);
}

void sp_put_float(struct sp_writer *w, uint32_t number, float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    uint8_t bytes[4] = {(uint8_t)u, (uint8_t)(u >> 8), (uint8_t)(u >> 16), (uint8_t)(u >> 24)};
    sp_put_tag(w, number, SP_WIRE_I32);
    put_bytes(w, bytes, sizeof bytes);
}

void sp_put_text(struct sp_writer *w, uint32_t number, struct sp_text t)
{
    sp_put_tag(w, number, SP_WIRE_LEN);
    sp_put_varint(w, t.n);
    put_bytes(w, t.s, t.n);
}
