/* The wire format of protocol buffers, as far as SentencePiece models use it: varints, 32-bit and 64-bit numbers, and
 * length-delimited fields.  Groups are refused.  https://protobuf.dev/programming-guides/encoding/ */
#ifndef TOK_SP_PROTO_H
#define TOK_SP_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/sentencepiece/model.h"

enum sp_wire { SP_WIRE_VARINT = 0, SP_WIRE_I64 = 1, SP_WIRE_LEN = 2, SP_WIRE_I32 = 5 };

/* A place in the file, reading one message. */
struct sp_reader {
    const char *file; /* for messages */
    const char *data; /* the whole file */
    size_t pos;       /* next byte */
    size_t end;       /* where this message ends */
};

struct sp_field {
    uint32_t number;
    enum sp_wire wire;
    size_t at;           /* byte of the file where its tag stands */
    uint64_t value;      /* of a varint, I32 or I64 */
    struct sp_text text; /* of a LEN field, inside the file */
};

/* The next field of the message; false at its end or on a fault (*status tells). */
bool sp_next_field(struct sp_reader *r, struct sp_field *f, choir_status *status, choir_error *err);
/* The message in a LEN field. */
struct sp_reader sp_enter(const struct sp_reader *r, const struct sp_field *f);
/* "FILE: byte N: bad field" unless f has that wire type. */
choir_status sp_expect(const struct sp_reader *r, const struct sp_field *f, enum sp_wire wire, choir_error *err);

/* ---- writing; with data == NULL only the length is counted ---- */

struct sp_writer {
    char *data;
    size_t n;
};

size_t sp_varint_bytes(uint64_t v);
void sp_put_varint(struct sp_writer *w, uint64_t v);
void sp_put_tag(struct sp_writer *w, uint32_t number, enum sp_wire wire);
void sp_put_number(struct sp_writer *w, uint32_t number, uint64_t v); /* tag and varint */
void sp_put_float(struct sp_writer *w, uint32_t number, float v);
void sp_put_text(struct sp_writer *w, uint32_t number, struct sp_text t);

#endif
