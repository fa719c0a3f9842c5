/* Opening, the table of pieces, encoding.  The library is asked for one thing only, the ids of a text; pieces and
 * decoding (detok.c) are ours. */
#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "tokenizer/sp_parse.h"
#include "tokenizer/sp_validate.h"
#include "tokenizer/tok_internal.h"
#include "tokenizer/tok_json.h"

/* Texts, types and the few facts of the model into t. */
static choir_status copy_model(struct tokenizer *t, const struct sp_model *m, choir_error *err)
{
    size_t n = (size_t)m->n_pieces;
    size_t bytes = 0; /* at most 2^24 * 4096 */
    for (size_t i = 0; i < n; i++) {
        bytes += m->pieces[i].text.n;
    }
    t->texts = malloc(bytes);
    t->starts = malloc((n + 1) * sizeof *t->starts);
    t->types = malloc(n);
    t->unk_surface = malloc(m->unk_surface.n + 1);
    if (!t->texts || !t->starts || !t->types || !t->unk_surface) {
        return base_fail_memory(err, bytes + (n + 1) * sizeof *t->starts + n, "the vocabulary");
    }
    size_t at = 0;
    t->max_piece_bytes = m->unk_surface.n;
    for (size_t i = 0; i < n; i++) {
        struct sp_text text = m->pieces[i].text;
        memcpy(t->texts + at, text.s, text.n);
        t->starts[i] = at;
        t->types[i] = (uint8_t)m->pieces[i].type;
        at += text.n;
        t->max_piece_bytes = text.n > t->max_piece_bytes ? text.n : t->max_piece_bytes;
    }
    t->starts[n] = at;
    if (m->unk_surface.n > 0) {
        memcpy(t->unk_surface, m->unk_surface.s, m->unk_surface.n);
    }
    t->unk_surface_bytes = m->unk_surface.n;
    t->n_pieces = m->n_pieces;
    t->bos_id = m->bos_id;
    t->eos_id = m->eos_id;
    t->unk_id = m->unk_id;
    t->adds_bos = true;
    t->unigram = m->unigram;
    t->first_space = m->remove_extra_whitespaces ? TOK_SPACES_TO_TEXT
                     : m->add_dummy_prefix       ? TOK_SPACE_DROPPED
                                                 : TOK_SPACE_KEPT;
    t->max_text_bytes = INT32_MAX / m->max_expansion - 8;
    return CHOIR_OK;
}

/* The library crashes (in protobuf's destructors) when memory runs out while it works.  So what it may need is asked for
 * first, and given back: best effort, but then it is an error message. */
static choir_status probe_memory(uint64_t bytes, const char *what, choir_error *err)
{
    struct base_arena a;
    choir_status s = base_arena_map(&a, bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX, false, what, err);
    if (s == CHOIR_OK) {
        base_arena_unmap(&a);
    }
    return s;
}

/* Measured, rounded up: the library's bytes for a piece, for a byte of the model, and for a byte of text. */
enum { LIB_PER_PIECE = 512, LIB_PER_MODEL_BYTE = 4, LIB_PER_TEXT_BYTE = 256, LIB_FIXED = 1 << 20 };

static choir_status open_lib(struct tokenizer *t, const char *file, choir_error *err)
{
    uint64_t need = LIB_FIXED + (uint64_t)t->n_pieces * LIB_PER_PIECE + (uint64_t)t->model.n_lib * LIB_PER_MODEL_BYTE;
    choir_status s = probe_memory(need, "the tokenizer", err);
    return s == CHOIR_OK ? sp_lib_open(&t->lib, file, t->model.data, t->model.n_lib, err) : s;
}

/* Checks *m, makes a tokenizer of it, and clears it. */
static choir_status open_model(struct tokenizer **out, struct sp_model *m, int64_t vocab_rows, choir_error *err)
{
    struct tokenizer *t = NULL;
    choir_status s = sp_validate(m, vocab_rows, err);
    if (s == CHOIR_OK) {
        t = calloc(1, sizeof *t);
        s = t ? copy_model(t, m, err) : base_fail_memory(err, sizeof *t, "the tokenizer");
    }
    if (s == CHOIR_OK) {
        s = sp_build(&t->model, m, err);
    }
    if (s == CHOIR_OK) {
        s = open_lib(t, m->file, err);
    }
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
    return s == CHOIR_OK ? open_model(out, &m, vocab_rows, err) : s;
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
        s = tok_open_memory(out, path, data, n, vocab_rows, err);
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
    return open_model(out, &m, vocab_rows, err);
}

void tok_close(struct tokenizer *t)
{
    if (t == NULL) {
        return;
    }
    bpe_close(t->bpe);
    sp_lib_close(t->lib);
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

/* Each run of the library's own byte pieces is one unknown piece.  Returns the new number of ids. */
static size_t join_unknown(const struct tokenizer *t, int32_t *ids, size_t n)
{
    size_t kept = 0;
    bool in_run = false;
    for (size_t i = 0; i < n; i++) {
        bool own = ids[i] >= t->n_pieces;
        if (!own || !in_run) {
            ids[kept++] = own ? t->unk_id : ids[i];
        }
        in_run = own;
    }
    return kept;
}

choir_status tok_encode(const struct tokenizer *t, const char *text, size_t n, int32_t **ids, size_t *n_ids,
                        choir_error *err)
{
    *ids = NULL;
    *n_ids = 0;
    if (n > t->max_text_bytes) {
        return base_fail(err, CHOIR_PROMPT, "text of %zu bytes, this tokenizer takes at most %zu at once", n,
                         t->max_text_bytes);
    }
    if (t->bpe != NULL) {
        return bpe_encode(t->bpe, text, n, ids, n_ids, err);
    }
    choir_status s = probe_memory(LIB_FIXED + (uint64_t)n * LIB_PER_TEXT_BYTE, "tokenizing", err);
    if (s == CHOIR_OK) {
        s = sp_lib_encode(t->lib, text, n, ids, n_ids, err);
    }
    if (s == CHOIR_OK && t->model.own_bytes) {
        *n_ids = join_unknown(t, *ids, *n_ids);
    }
    return s;
}
