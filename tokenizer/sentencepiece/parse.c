/* Reading a ModelProto (sentencepiece_model.proto, field numbers below).  As protocol buffers have it, the last of
 * several values of a field counts, messages that come twice are merged, unknown fields are skipped. */
#include "tokenizer/sentencepiece/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "base/utf8.h"
#include "tokenizer/sentencepiece/proto.h"
#include "tokenizer/tokenizer.h"

enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3, MODEL_DENORMALIZER = 5 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TRAINER_MODEL_TYPE = 3, TRAINER_SUFFIX = 24, TRAINER_BYTE_FALLBACK = 35, TRAINER_UNK_SURFACE = 44 };
enum { TRAINER_BOS_PIECE = 46, TRAINER_EOS_PIECE = 47 };
enum { NORMALIZER_CHARSMAP = 2, NORMALIZER_PREFIX = 3, NORMALIZER_EXTRA = 4, NORMALIZER_ESCAPE = 5 };

void sp_model_clear(struct sp_model *m)
{
    free(m->pieces);
    free(m->escaped);
    *m = (struct sp_model){0};
}

static choir_status read_piece(struct sp_reader r, struct sp_piece *piece, choir_error *err)
{
    *piece = (struct sp_piece){.type = TOK_NORMAL};
    struct sp_field f;
    choir_status s;
    while (sp_next_field(&r, &f, &s, err)) {
        if (f.number == PIECE_TEXT) {
            s = sp_expect(&r, &f, SP_WIRE_LEN, err);
            piece->text = f.text;
        } else if (f.number == PIECE_SCORE) {
            s = sp_expect(&r, &f, SP_WIRE_I32, err);
            piece->score = base_f32_from_bits((uint32_t)f.value);
        } else if (f.number == PIECE_TYPE) {
            s = sp_expect(&r, &f, SP_WIRE_VARINT, err);
            piece->type = f.value > INT32_MAX ? INT32_MAX : (int32_t)f.value;
        }
        if (s != CHOIR_OK) {
            return s;
        }
    }
    return s;
}

static choir_status set_model_type(struct sp_model *m, uint64_t type, choir_error *err)
{
    static const char *const refused[] = {[3] = "WORD", [4] = "CHAR"};
    if (type == 1 || type == 2) {
        m->unigram = type == 1;
        return CHOIR_OK;
    }
    if (type == 3 || type == 4) {
        return base_fail(err, CHOIR_FILE, "%s: model type %s not supported", m->file, refused[type]);
    }
    return base_fail(err, CHOIR_FILE, "%s: model type %llu not known", m->file, (unsigned long long)type);
}

static choir_status set_unk_surface(struct sp_model *m, struct sp_text t, choir_error *err)
{
    const char *nul = t.n > 0 ? memchr(t.s, '\0', t.n) : NULL;
    t.n = nul ? (size_t)(nul - t.s) : t.n; /* the library takes it as a C string */
    if (t.n > SP_MAX_UNK_SURFACE) {
        return base_fail(err, CHOIR_FILE, "%s: unk_surface longer than %d bytes", m->file, SP_MAX_UNK_SURFACE);
    }
    if (base_utf8_valid(t.s, t.n) != t.n) {
        return base_fail(err, CHOIR_FILE, "%s: unk_surface is not valid UTF-8", m->file);
    }
    m->unk_surface = t;
    return CHOIR_OK;
}

/* One field of the TrainerSpec, where it matters after training. */
static choir_status trainer_field(struct sp_model *m, const struct sp_reader *r, const struct sp_field *f,
                                  choir_error *err)
{
    enum sp_wire wire = f->number >= TRAINER_UNK_SURFACE ? SP_WIRE_LEN : SP_WIRE_VARINT;
    switch (f->number) {
    case TRAINER_MODEL_TYPE:
    case TRAINER_SUFFIX:
    case TRAINER_BYTE_FALLBACK:
    case TRAINER_UNK_SURFACE:
    case TRAINER_BOS_PIECE:
    case TRAINER_EOS_PIECE:
        break;
    default:
        return CHOIR_OK;
    }
    choir_status s = sp_expect(r, f, wire, err);
    if (s != CHOIR_OK) {
        return s;
    }
    switch (f->number) {
    case TRAINER_MODEL_TYPE:
        return set_model_type(m, f->value, err);
    case TRAINER_SUFFIX:
        m->whitespace_as_suffix = f->value != 0;
        return CHOIR_OK;
    case TRAINER_BYTE_FALLBACK:
        m->byte_fallback = f->value != 0;
        return CHOIR_OK;
    case TRAINER_UNK_SURFACE:
        return set_unk_surface(m, f->text, err);
    case TRAINER_BOS_PIECE:
        m->bos_piece = f->text;
        return CHOIR_OK;
    default:
        m->eos_piece = f->text;
        return CHOIR_OK;
    }
}

static choir_status read_trainer(struct sp_model *m, struct sp_reader r, choir_error *err)
{
    struct sp_field f;
    choir_status s;
    while (sp_next_field(&r, &f, &s, err)) {
        s = trainer_field(m, &r, &f, err);
        if (s != CHOIR_OK) {
            return s;
        }
    }
    return s;
}

static choir_status read_normalizer(struct sp_model *m, struct sp_reader r, choir_error *err)
{
    struct sp_field f;
    choir_status s;
    while (sp_next_field(&r, &f, &s, err)) {
        bool *flag = f.number == NORMALIZER_PREFIX   ? &m->add_dummy_prefix
                     : f.number == NORMALIZER_EXTRA  ? &m->remove_extra_whitespaces
                     : f.number == NORMALIZER_ESCAPE ? &m->escape_whitespaces
                                                     : NULL;
        if (flag) {
            s = sp_expect(&r, &f, SP_WIRE_VARINT, err);
            *flag = f.value != 0;
        } else if (f.number == NORMALIZER_CHARSMAP) {
            s = sp_expect(&r, &f, SP_WIRE_LEN, err);
            m->charsmap = f.text;
        }
        if (s != CHOIR_OK) {
            return s;
        }
    }
    return s;
}

/* A denormalizer rewrites the whole text after decoding: that cannot be done while it streams. */
static choir_status read_denormalizer(const struct sp_model *m, struct sp_reader r, choir_error *err)
{
    struct sp_field f;
    choir_status s;
    while (sp_next_field(&r, &f, &s, err)) {
        if (f.number == NORMALIZER_CHARSMAP && f.text.n > 0) {
            return base_fail(err, CHOIR_FILE, "%s: denormalizer_spec: rules after decoding not supported", m->file);
        }
    }
    return s;
}

static choir_status read_message(struct sp_model *m, const struct sp_reader *r, const struct sp_field *f,
                                 choir_error *err)
{
    if (f->number > MODEL_DENORMALIZER || f->number == 4) { /* 4: self-test data */
        return CHOIR_OK;
    }
    choir_status s = sp_expect(r, f, SP_WIRE_LEN, err);
    if (s != CHOIR_OK) {
        return s;
    }
    switch (f->number) {
    case MODEL_PIECES:
        return read_piece(sp_enter(r, f), &m->pieces[m->n_pieces++], err);
    case MODEL_TRAINER:
        return read_trainer(m, sp_enter(r, f), err);
    case MODEL_NORMALIZER:
        return read_normalizer(m, sp_enter(r, f), err);
    default:
        return read_denormalizer(m, sp_enter(r, f), err);
    }
}

/* Counts the pieces and makes room for them. */
static choir_status make_room(struct sp_model *m, struct sp_reader r, choir_error *err)
{
    size_t n = 0;
    struct sp_field f;
    choir_status s;
    while (sp_next_field(&r, &f, &s, err)) {
        n += f.number == MODEL_PIECES;
        if (n > SP_MAX_PIECES) {
            return base_fail(err, CHOIR_FILE, "%s: more than %d pieces", m->file, SP_MAX_PIECES);
        }
    }
    if (s != CHOIR_OK) {
        return s;
    }
    assert(n > 0); /* as the file begins with one */
    m->pieces = calloc(n, sizeof *m->pieces);
    return m->pieces ? CHOIR_OK : base_fail_memory(err, n * sizeof *m->pieces, "the vocabulary");
}

/* As the library has it: the control piece that is spelled so. */
static int32_t find_control(const struct sp_model *m, struct sp_text name)
{
    for (int32_t i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].type == TOK_CONTROL && sp_text_is(m->pieces[i].text, name)) {
            return i;
        }
    }
    return -1;
}

choir_status sp_parse(struct sp_model *m, const char *file, const char *data, size_t n, choir_error *err)
{
    *m = (struct sp_model){
        .file = file,
        .noun = "piece",
        .unigram = true, /* this and the following: the defaults of the format */
        .add_dummy_prefix = true,
        .remove_extra_whitespaces = true,
        .escape_whitespaces = true,
        .unk_surface = {" \xe2\x81\x87 ", 5},
        .unk_id = -1,
    };
    if (n == 0) {
        return base_fail(err, CHOIR_FILE, "%s: empty file", file);
    }
    if ((uint8_t)data[0] != (MODEL_PIECES << 3 | SP_WIRE_LEN)) { /* every writer begins with a piece */
        return base_fail(err, CHOIR_FILE, "%s: byte 0: not a SentencePiece model", file);
    }
    struct sp_reader r = {.file = file, .data = data, .pos = 0, .end = n};
    choir_status s = make_room(m, r, err);
    struct sp_field f;
    while (s == CHOIR_OK && sp_next_field(&r, &f, &s, err)) {
        s = read_message(m, &r, &f, err);
    }
    if (s != CHOIR_OK) {
        sp_model_clear(m);
        return s;
    }
    m->bos_id = find_control(m, m->bos_piece.n > 0 ? m->bos_piece : (struct sp_text){"<s>", 3});
    m->eos_id = find_control(m, m->eos_piece.n > 0 ? m->eos_piece : (struct sp_text){"</s>", 4});
    return CHOIR_OK;
}
