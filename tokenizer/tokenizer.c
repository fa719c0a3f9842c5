/* Opening, and the table of pieces.  The library is asked for one thing only, the ids of a text (tok_encode.c); pieces and
 * decoding (detok.c) are ours. */
#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"
#include "tokenizer/sentencepiece/parse.h"
#include "tokenizer/sentencepiece/validate.h"
#include "tokenizer/tok_added.h"
#include "tokenizer/tok_internal.h"
#include "tokenizer/tok_json.h"
#include "tokenizer/tok_pieces.h"

/* Room for n pieces of so many bytes. */
static choir_status allocate(struct tokenizer *t, size_t n, size_t bytes, size_t unk_bytes, choir_error *err)
{
    t->texts = malloc(bytes + 1);
    t->starts = base_array(n + 1, sizeof *t->starts);
    t->types = malloc(n);
    t->unk_surface = malloc(unk_bytes + 1);
    bool ok = t->texts != NULL && t->starts != NULL && t->types != NULL && t->unk_surface != NULL;
    return ok ? CHOIR_OK : base_fail_memory(err, bytes + (n + 1) * sizeof *t->starts + n, "the vocabulary");
}

static choir_status copy_pieces(struct tokenizer *t, const struct sp_model *m, const struct tok_piece_list *list,
                                choir_error *err)
{
    size_t n = (size_t)list->n;
    size_t bytes = 0; /* at most 2^24 * 4096 */
    for (size_t i = 0; i < n; i++) {
        bytes += list->pieces[i].text.n;
    }
    choir_status status = allocate(t, n, bytes, m->unk_surface.n, err);
    size_t at = 0;
    t->max_piece_bytes = m->unk_surface.n;
    for (size_t i = 0; i < n && status == CHOIR_OK; i++) {
        struct sp_text text = list->pieces[i].text;
        memcpy(t->texts + at, text.s, text.n);
        t->starts[i] = at;
        t->types[i] = (uint8_t)list->pieces[i].type;
        at += text.n;
        t->max_piece_bytes = text.n > t->max_piece_bytes ? text.n : t->max_piece_bytes;
        t->starts[i + 1] = at;
    }
    t->n_pieces = list->n;
    t->n_model_pieces = m->n_pieces;
    return status;
}

/* The few facts of the model into t. */
static void copy_facts(struct tokenizer *t, const struct sp_model *m)
{
    if (m->unk_surface.n > 0) {
        memcpy(t->unk_surface, m->unk_surface.s, m->unk_surface.n);
    }
    t->unk_surface_bytes = m->unk_surface.n;
    t->bos_id = m->bos_id;
    t->eos_id = m->eos_id;
    t->unk_id = m->unk_id;
    t->adds_bos = true;
    t->unigram = m->unigram;
    t->first_space = m->remove_extra_whitespaces ? TOK_SPACES_TO_TEXT
                     : m->add_dummy_prefix       ? TOK_SPACE_DROPPED
                                                 : TOK_SPACE_KEPT;
    t->max_text_bytes = INT32_MAX / m->max_expansion - 8;
}

choir_status tok_probe_memory(uint64_t bytes, const char *what, choir_error *err)
{
    struct base_arena a;
    choir_status s = base_arena_map(&a, bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX, false, what, err);
    if (s == CHOIR_OK) {
        base_arena_unmap(&a);
    }
    return s;
}

/* Measured, rounded up: the library's bytes for a piece and for a byte of the model. */
enum { LIB_PER_PIECE = 512, LIB_PER_MODEL_BYTE = 4, LIB_FIXED = 1 << 20 };

static choir_status open_lib(struct tokenizer *t, const char *file, choir_error *err)
{
    uint64_t need = LIB_FIXED + (uint64_t)t->n_pieces * LIB_PER_PIECE + (uint64_t)t->model.n_lib * LIB_PER_MODEL_BYTE;
    choir_status s = tok_probe_memory(need, "the tokenizer", err);
    return s == CHOIR_OK ? sp_lib_open(&t->lib, file, t->model.data, t->model.n_lib, err) : s;
}

/* The library once more, for texts that do not begin the whole one: it puts no space in front of them. */
static choir_status open_inner(struct tokenizer *t, struct sp_model *m, choir_error *err)
{
    struct sp_built built;
    m->add_dummy_prefix = false;
    choir_status s = sp_build(&built, m, err);
    if (s == CHOIR_OK) {
        s = sp_lib_open(&t->lib_inner, m->file, built.data, built.n_lib, err);
        free(built.data);
    }
    return s;
}

static choir_status fill(struct tokenizer *t, struct sp_model *m, const struct tok_piece_list *list,
                         const struct tok_added *added, choir_error *err)
{
    choir_status s = copy_pieces(t, m, list, err);
    if (s == CHOIR_OK) {
        copy_facts(t, m);
        s = sp_build(&t->model, m, err);
    }
    if (s == CHOIR_OK) {
        s = open_lib(t, m->file, err);
    }
    if (s == CHOIR_OK && list->n_found > 0) {
        s = bpe_added_open(&t->added, list->found, list->n_found, err);
    }
    if (s == CHOIR_OK && list->n_found > 0 && !added->legacy && m->add_dummy_prefix) {
        s = open_inner(t, m, err);
    }
    return s;
}

/* Checks *m, makes a tokenizer of it and of the tokens added to it (or NULL), and clears it. */
static choir_status open_model(struct tokenizer **out, struct sp_model *m, const struct tok_added *added,
                               int64_t vocab_rows, choir_error *err)
{
    struct tokenizer *t = NULL;
    struct tok_piece_list list;
    choir_status s = tok_piece_list_make(&list, m, added, err);
    if (s == CHOIR_OK) {
        s = sp_validate(m, vocab_rows, err);
    }
    if (s == CHOIR_OK) {
        t = calloc(1, sizeof *t);
        s = t ? fill(t, m, &list, added, err) : base_fail_memory(err, sizeof *t, "the tokenizer");
    }
    tok_piece_list_free(&list);
    sp_model_clear(m);
    if (s == CHOIR_OK) {
        *out = t;
    } else {
        tok_close(t);
    }
    return s;
}

choir_status tok_open_memory(struct tokenizer **out, const char *name, const void *data, size_t size,
                             int64_t vocab_rows, choir_error *err)
{
    *out = NULL;
    char shown[BASE_ESCAPE_CAP];
    struct sp_model m;
    choir_status s = sp_parse(&m, base_escape_str(shown, name), data, size, err);
    return s == CHOIR_OK ? open_model(out, &m, NULL, vocab_rows, err) : s;
}

/* A model file, with what the files beside it add. */
static choir_status open_beside(struct tokenizer **out, const char *path, const char *data, size_t n,
                                int64_t vocab_rows, choir_error *err)
{
    char shown[BASE_ESCAPE_CAP];
    struct tok_added added;
    struct sp_model m;
    choir_status s = sp_parse(&m, base_escape_str(shown, path), data, n, err);
    if (s != CHOIR_OK) {
        return s;
    }
    s = tok_added_read(&added, path, vocab_rows, err);
    if (s == CHOIR_OK) {
        s = open_model(out, &m, &added, vocab_rows, err);
    } else {
        sp_model_clear(&m);
    }
    tok_added_free(&added);
    return s;
}

choir_status tok_open_file(struct tokenizer **out, const char *path, int64_t vocab_rows, choir_error *err)
{
    *out = NULL;
    char *data;
    size_t n;
    choir_status s = base_file_slurp(path, SP_MAX_FILE_BYTES, &data, &n, err);
    if (s != CHOIR_OK) {
        return s;
    }
    if (n > 0 && data[0] == '{') { /* which no SentencePiece model begins with */
        s = tok_open_json(out, path, data, n, vocab_rows, err);
    } else {
        s = open_beside(out, path, data, n, vocab_rows, err);
    }
    free(data);
    return s;
}

static choir_status check_id(const struct sp_model *m, const char *what, int32_t id, choir_error *err)
{
    if (id < -1 || id >= m->n_pieces) {
        return base_fail(err, CHOIR_FILE, "%s: %s id %d, vocabulary has %d", m->file, what, (int)id, (int)m->n_pieces);
    }
    return CHOIR_OK;
}

/* GGUF has spaces in user-defined pieces (Gemma's runs of them, say); in the library's text a space is U+2581. */
static choir_status escape_pieces(struct sp_model *m, choir_error *err)
{
    size_t room = 0;
    for (int32_t i = 0; i < m->n_pieces; i++) {
        const struct sp_piece *p = &m->pieces[i];
        room += p->type == TOK_USER_DEFINED && memchr(p->text.s, ' ', p->text.n) != NULL ? 3 * p->text.n : 0;
    }
    if (room == 0) {
        return CHOIR_OK;
    }
    char *at = m->escaped = malloc(room);
    if (at == NULL) {
        return base_fail_memory(err, room, "the vocabulary");
    }
    for (int32_t i = 0; i < m->n_pieces; i++) {
        struct sp_piece *p = &m->pieces[i];
        if (p->type != TOK_USER_DEFINED || memchr(p->text.s, ' ', p->text.n) == NULL) {
            continue;
        }
        char *begin = at;
        for (size_t j = 0; j < p->text.n; j++) {
            const bool space = p->text.s[j] == ' ';
            memcpy(at, space ? "\xe2\x96\x81" : &p->text.s[j], space ? 3 : 1);
            at += space ? 3 : 1;
        }
        p->text = (struct sp_text){begin, (size_t)(at - begin)};
    }
    return CHOIR_OK;
}

/* The vocabulary's entries into m->pieces.  Begin and end of text are special whatever type they are listed with. */
static choir_status list_pieces(struct sp_model *m, const struct tok_vocab *v, choir_error *err)
{
    size_t n = (size_t)v->n_pieces;
    m->pieces = calloc(n, sizeof *m->pieces);
    if (m->pieces == NULL) {
        return base_fail_memory(err, n * sizeof *m->pieces, "the vocabulary");
    }
    for (size_t i = 0; i < n; i++) {
        int32_t type = v->types[i];
        bool special = (int32_t)i == v->bos_id || (int32_t)i == v->eos_id;
        if (special && (type == TOK_NORMAL || type == TOK_USER_DEFINED || type == TOK_UNUSED)) {
            type = TOK_CONTROL;
        }
        m->pieces[i] = (struct sp_piece){
            .text = {v->pieces[i], v->piece_bytes[i]},
            .score = v->scores[i],
            .type = type,
        };
        m->byte_fallback |= type == TOK_BYTE;
    }
    m->n_pieces = v->n_pieces;
    choir_status s = escape_pieces(m, err);
    if (s == CHOIR_OK) {
        s = check_id(m, "bos", v->bos_id, err);
    }
    if (s == CHOIR_OK) {
        s = check_id(m, "eos", v->eos_id, err);
    }
    return s == CHOIR_OK ? check_id(m, "unknown", v->unk_id, err) : s;
}

choir_status tok_open_vocab(struct tokenizer **out, const struct tok_vocab *vocab, int64_t vocab_rows, choir_error *err)
{
    *out = NULL;
    if (vocab->byte_level) {
        return bpe_open_vocab(out, vocab, vocab_rows, err);
    }
    char shown[BASE_ESCAPE_CAP];
    struct sp_model m = {
        .file = base_escape_str(shown, vocab->file),
        .noun = "token",
        .lenient = true,
        .bos_id = vocab->bos_id,
        .eos_id = vocab->eos_id,
        .unk_id = vocab->unk_id,
        .unigram = vocab->unigram,
        .add_dummy_prefix = vocab->add_dummy_prefix,
        .remove_extra_whitespaces = vocab->remove_extra_whitespaces,
        .escape_whitespaces = true,
        .charsmap = {vocab->charsmap, vocab->charsmap ? vocab->charsmap_bytes : 0},
        .unk_surface = {" \xe2\x81\x87 ", 5},
    };
    if (vocab->n_pieces < 1 || vocab->n_pieces > SP_MAX_PIECES) {
        return base_fail(err, CHOIR_FILE, "%s: %d tokens (1 to %d allowed)", m.file, (int)vocab->n_pieces,
                         SP_MAX_PIECES);
    }
    choir_status s = list_pieces(&m, vocab, err);
    if (s != CHOIR_OK) {
        sp_model_clear(&m);
        return s;
    }
    return open_model(out, &m, NULL, vocab_rows, err);
}

void tok_close(struct tokenizer *t)
{
    if (t == NULL) {
        return;
    }
    bpe_close(t->bpe);
    sp_lib_close(t->lib);
    sp_lib_close(t->lib_inner);
    bpe_added_close(&t->added);
    free(t->model.data);
    free(t->texts);
    free(t->starts);
    free(t->types);
    free(t->unk_surface);
    free(t);
}

int32_t tok_n_pieces(const struct tokenizer *t)
{
    return t->n_pieces;
}

int32_t tok_bos(const struct tokenizer *t)
{
    return t->bos_id;
}

int32_t tok_eos(const struct tokenizer *t)
{
    return t->eos_id;
}

int32_t tok_unk(const struct tokenizer *t)
{
    return t->unk_id;
}

bool tok_adds_bos(const struct tokenizer *t)
{
    return t->adds_bos;
}

const char *tok_kind(const struct tokenizer *t)
{
    bool bytes = t->bpe != NULL && bpe_kind_of(t->bpe) == BPE_BYTES;
    return bytes ? "byte-level bpe" : t->unigram ? "sentencepiece unigram" : "sentencepiece bpe";
}

const char *tok_piece(const struct tokenizer *t, int32_t id, size_t *n)
{
    if (id < 0 || id >= t->n_pieces) {
        *n = 0;
        return NULL;
    }
    *n = t->starts[id + 1] - t->starts[id];
    return t->texts + t->starts[id];
}

int32_t tok_find_piece(const struct tokenizer *t, const char *text, size_t n)
{
    for (int32_t id = 0; t->bpe == NULL && id < t->n_pieces; id++) {
        if (t->starts[id + 1] - t->starts[id] == n && memcmp(t->texts + t->starts[id], text, n) == 0) {
            return id;
        }
    }
    return t->bpe != NULL ? bpe_find_piece(t->bpe, text, n) : -1;
}

enum tok_type tok_piece_type(const struct tokenizer *t, int32_t id)
{
    return id < 0 || id >= t->n_pieces ? TOK_UNUSED : (enum tok_type)t->types[id];
}

const void *tok_model_bytes(const struct tokenizer *t, size_t *n)
{
    *n = t->model.n;
    return t->model.data;
}
