/* The library never sees bytes from a file, only the ModelProto written here from checked parts. */
#include "tokenizer/sentencepiece/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tokenizer/sentencepiece/proto.h"
#include "tokenizer/tokenizer.h"

/* A hidden piece's name: 0xFF never stands in valid UTF-8, which pieces, rules and prompts are. */
enum { STAND_IN_CAP = 16 };

static struct sp_text stand_in(char name[STAND_IN_CAP], int32_t id)
{
    int n = snprintf(name, STAND_IN_CAP, "\xff%" PRId32, id);
    return (struct sp_text){name, (size_t)n};
}

static void put_piece(struct sp_writer *w, struct sp_text text, float score, int type)
{
    size_t bytes = 1 + sp_varint_bytes(text.n) + text.n + 5 + (type != TOK_NORMAL ? 2 : 0);
    sp_put_tag(w, 1, SP_WIRE_LEN);
    sp_put_varint(w, bytes);
    sp_put_text(w, 1, text);
    sp_put_float(w, 2, score);
    if (type != TOK_NORMAL) {
        sp_put_number(w, 3, (uint64_t)type);
    }
}

static struct sp_text name_of(const struct sp_model *m, int32_t id, char name[STAND_IN_CAP])
{
    return m->pieces[id].hidden ? stand_in(name, id) : m->pieces[id].text;
}

/* "<unk>" and its like: which piece is it? */
static void put_special(struct sp_writer *w, const struct sp_model *m, uint32_t number, int32_t id)
{
    char name[STAND_IN_CAP];
    if (id >= 0) {
        sp_put_text(w, number, id < m->n_pieces ? name_of(m, id, name) : stand_in(name, id));
    }
}

static void put_trainer(struct sp_writer *w, const struct sp_model *m)
{
    int32_t unk = m->unk_id >= 0 ? m->unk_id : m->n_pieces;
    sp_put_number(w, 3, m->unigram ? 1 : 2);
    sp_put_number(w, 4, (uint64_t)m->n_pieces);
    sp_put_number(w, 24, m->whitespace_as_suffix);
    sp_put_number(w, 35, m->byte_fallback);
    sp_put_number(w, 40, (uint64_t)(int64_t)unk);
    sp_put_number(w, 41, (uint64_t)(int64_t)m->bos_id);
    sp_put_number(w, 42, (uint64_t)(int64_t)m->eos_id);
    sp_put_number(w, 43, (uint64_t)(int64_t)-1); /* no padding piece */
    sp_put_text(w, 44, m->unk_surface);
    put_special(w, m, 45, unk);
    put_special(w, m, 46, m->bos_id);
    put_special(w, m, 47, m->eos_id);
}

static void put_normalizer(struct sp_writer *w, const struct sp_model *m)
{
    sp_put_text(w, 1, m->charsmap.n > 0 ? (struct sp_text){"user_defined", 12} : (struct sp_text){"identity", 8});
    if (m->charsmap.n > 0) {
        sp_put_text(w, 2, m->charsmap);
    }
    sp_put_number(w, 3, m->add_dummy_prefix);
    sp_put_number(w, 4, m->remove_extra_whitespaces);
    sp_put_number(w, 5, m->escape_whitespaces);
}

static void put_message(struct sp_writer *w, uint32_t number, const struct sp_model *m,
                        void (*put)(struct sp_writer *, const struct sp_model *))
{
    struct sp_writer count = {.data = NULL};
    put(&count, m);
    sp_put_tag(w, number, SP_WIRE_LEN);
    sp_put_varint(w, count.n);
    put(w, m);
}

static void put_model(struct sp_writer *w, const struct sp_model *m)
{
    char name[STAND_IN_CAP];
    for (int32_t i = 0; i < m->n_pieces; i++) {
        put_piece(w, name_of(m, i, name), m->pieces[i].score, m->pieces[i].lib_type);
    }
    if (m->unk_id < 0) {
        put_piece(w, stand_in(name, m->n_pieces), 0.0f, TOK_UNKNOWN);
    }
    put_message(w, 2, m, put_trainer);
    put_message(w, 3, m, put_normalizer);
}

/* Messages that come a second time are merged into the first: more pieces, and one more setting. */
static void put_own_bytes(struct sp_writer *w)
{
    for (unsigned b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", b);
        put_piece(w, (struct sp_text){name, 6}, 0.0f, TOK_BYTE);
    }
    sp_put_tag(w, 2, SP_WIRE_LEN);
    sp_put_varint(w, 3);
    sp_put_number(w, 35, 1);
}

choir_status sp_build(struct sp_built *out, const struct sp_model *m, choir_error *err)
{
    *out = (struct sp_built){.own_bytes = !m->byte_fallback && !m->byte_names};
    struct sp_writer count = {.data = NULL};
    put_model(&count, m);
    out->n = count.n;
    if (out->own_bytes) {
        put_own_bytes(&count);
    }
    out->n_lib = count.n;
    if (count.n > INT32_MAX) { /* the library counts in int */
        return base_fail(err, CHOIR_FILE, "%s: vocabulary of %zu bytes is too large", m->file, count.n);
    }
    out->data = malloc(count.n);
    if (out->data == NULL) {
        return base_fail_memory(err, count.n, "the vocabulary");
    }
    struct sp_writer w = {.data = out->data};
    put_model(&w, m);
    if (out->own_bytes) {
        put_own_bytes(&w);
    }
    return CHOIR_OK;
}
