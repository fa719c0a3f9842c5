/* A tokenizer as a plain vocabulary: the inverse of tok_open_vocab. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/sentencepiece/parse.h"
#include "tokenizer/tok_internal.h"

void tok_export_free(struct tok_export *e)
{
    free(e->pieces);
    free(e->piece_bytes);
    free(e->scores);
    free(e->types);
    free(e->merges);
    free(e->merge_bytes);
    free(e->merge_texts);
    *e = (struct tok_export){0};
}

static choir_status allocate(struct tok_export *e, size_t n, choir_error *err)
{
    e->pieces = calloc(n, sizeof *e->pieces);
    e->piece_bytes = calloc(n, sizeof *e->piece_bytes);
    e->scores = calloc(n, sizeof *e->scores);
    e->types = calloc(n, sizeof *e->types);
    if (e->pieces == NULL || e->piece_bytes == NULL || e->scores == NULL || e->types == NULL) {
        size_t each = sizeof *e->pieces + sizeof *e->piece_bytes + sizeof *e->scores + sizeof *e->types;
        return base_fail_memory(err, n * each, "the vocabulary");
    }
    return CHOIR_OK;
}

/* Texts and types as the tokenizer keeps them; scores and normalizer as its model says. */
static void fill(struct tok_export *e, const struct tokenizer *t, const struct sp_model *m)
{
    for (int32_t i = 0; i < t->n_pieces; i++) {
        e->pieces[i] = tok_piece(t, i, &e->piece_bytes[i]);
        e->scores[i] = i < m->n_pieces ? m->pieces[i].score : 0; /* added tokens have none */
        e->types[i] = (int32_t)tok_piece_type(t, i);
    }
    e->vocab = (struct tok_vocab){
        .n_pieces = t->n_pieces,
        .pieces = e->pieces,
        .piece_bytes = e->piece_bytes,
        .scores = e->scores,
        .types = e->types,
        .bos_id = t->bos_id,
        .eos_id = t->eos_id,
        .unk_id = t->unk_id,
        .add_dummy_prefix = m->add_dummy_prefix,
        .remove_extra_whitespaces = m->remove_extra_whitespaces,
        .unigram = m->unigram,
        .charsmap = m->charsmap.s, /* in the tokenizer's own model bytes */
        .charsmap_bytes = m->charsmap.n,
    };
}

/* The i-th merge behind the others, at `at`; its parts are pieces. */
static size_t put_merge(struct tok_export *e, const struct tokenizer *t, const int32_t pair[2], size_t i, size_t at)
{
    size_t left, right;
    const char *a = tok_piece(t, pair[0], &left);
    const char *b = tok_piece(t, pair[1], &right);
    char *text = e->merge_texts + at;
    memcpy(text, a, left);
    text[left] = ' ';
    memcpy(text + left + 1, b, right);
    e->merges[i] = text;
    e->merge_bytes[i] = left + 1 + right;
    if (memchr(a, ' ', left) != NULL || memchr(b, ' ', right) != NULL) {
        e->merge_bytes[i] = 0; /* the space would part it elsewhere */
    }
    return at + left + 1 + right;
}

static choir_status list_merges(struct tok_export *e, const struct tokenizer *t, choir_error *err)
{
    size_t n, bytes = 1;
    const int32_t(*pairs)[2] = bpe_merge_list(t->bpe, &n);
    for (size_t i = 0; i < n; i++) {
        size_t left, right;
        tok_piece(t, pairs[i][0], &left);
        tok_piece(t, pairs[i][1], &right);
        bytes += left + right + 1;
    }
    e->merges = base_array(n + 1, sizeof *e->merges);
    e->merge_bytes = base_array(n + 1, sizeof *e->merge_bytes);
    e->merge_texts = malloc(bytes);
    if (e->merges == NULL || e->merge_bytes == NULL || e->merge_texts == NULL) {
        return base_fail_memory(err, bytes + n * 16, "the merges");
    }
    for (size_t i = 0, at = 0; i < n; i++) {
        at = put_merge(e, t, pairs[i], i, at);
        if (e->merge_bytes[i] == 0) {
            return base_fail(err, CHOIR_FILE, "the tokenizer: merge %zu has a space in a part, which GGUF cannot hold",
                             i);
        }
    }
    e->vocab.n_merges = n;
    return CHOIR_OK;
}

static choir_status export_bpe(struct tok_export *e, const struct tokenizer *t, choir_error *err)
{
    const char *pre = bpe_pre_name(t->bpe);
    if (pre == NULL) {
        return base_fail(err, CHOIR_FILE, "the tokenizer: its pre-tokenizer has no name in GGUF files");
    }
    choir_status status = allocate(e, (size_t)t->n_pieces, err);
    for (int32_t i = 0; status == CHOIR_OK && i < t->n_pieces; i++) {
        e->pieces[i] = tok_piece(t, i, &e->piece_bytes[i]);
        e->types[i] = (int32_t)tok_piece_type(t, i);
    }
    e->vocab = (struct tok_vocab){
        .n_pieces = t->n_pieces,
        .pieces = e->pieces,
        .piece_bytes = e->piece_bytes,
        .scores = e->scores,
        .types = e->types,
        .bos_id = t->bos_id,
        .eos_id = t->eos_id,
        .unk_id = t->unk_id,
        .byte_level = true,
        .pre = pre,
        .pre_bytes = strlen(pre),
    };
    if (status == CHOIR_OK) {
        status = list_merges(e, t, err);
        e->vocab.merges = e->merges;
        e->vocab.merge_bytes = e->merge_bytes;
    }
    if (status != CHOIR_OK) {
        tok_export_free(e);
    }
    return status;
}

/* What the piece-wise merging of SentencePiece needs: a piece's score falls with the first merge that makes it.  Pieces that
 * none makes are of no use to it. */
static void score_by_merges(struct tok_export *e, const struct tokenizer *t)
{
    size_t n;
    const int32_t(*pairs)[2] = bpe_merge_list(t->bpe, &n);
    for (size_t i = n; i-- > 0;) {
        char joined[2 * BPE_MAX_PIECE_BYTES];
        size_t left, right;
        const char *a = tok_piece(t, pairs[i][0], &left);
        const char *b = tok_piece(t, pairs[i][1], &right);
        memcpy(joined, a, left);
        memcpy(joined + left, b, right);
        int32_t id = tok_find_piece(t, joined, left + right);
        if (id >= 0) {
            e->scores[id] = -(float)i - 1;
        }
    }
    for (int32_t i = 0; i < t->n_pieces; i++) {
        bool one = (size_t)base_utf8_sequence(e->pieces[i], e->piece_bytes[i]) == e->piece_bytes[i];
        if (e->types[i] == TOK_NORMAL && e->scores[i] == 0 && !one) {
            e->types[i] = TOK_UNUSED;
        }
    }
}

/* The normalizer, as far as a GGUF file can tell it. */
static choir_status list_normalizer(struct tok_vocab *v, const struct tokenizer *t, choir_error *err)
{
    for (const struct norm_step *s = bpe_norm_steps(t->bpe); s->kind != NORM_END; s++) {
        if (s->kind == NORM_FORM) {
            return base_fail(err, CHOIR_FILE, "the tokenizer: its normal form %s cannot be said in GGUF files",
                             bpe_form_name(s->form));
        }
        v->add_dummy_prefix |= s->kind == NORM_PREPEND;
        v->remove_extra_whitespaces |= s->kind == NORM_REPLACE && strcmp(s->pattern, " {2,}") == 0;
        if (s->kind == NORM_CHARSMAP) {
            v->charsmap = s->charsmap;
            v->charsmap_bytes = s->charsmap_bytes;
        }
    }
    for (const struct bpe_step *s = bpe_word_steps(t->bpe); s->kind != BPE_STEP_END; s++) {
        v->add_dummy_prefix |= s->kind == BPE_STEP_MARK && s->prepend != BPE_PREPEND_NEVER;
    }
    return CHOIR_OK;
}

/* A tokenizer.json of SentencePiece's kind as the vocabulary it was made of. */
static choir_status export_marked(struct tok_export *e, const struct tokenizer *t, choir_error *err)
{
    choir_status status = allocate(e, (size_t)t->n_pieces, err);
    for (int32_t i = 0; status == CHOIR_OK && i < t->n_pieces; i++) {
        e->pieces[i] = tok_piece(t, i, &e->piece_bytes[i]);
        e->types[i] = (int32_t)tok_piece_type(t, i);
        e->scores[i] = t->unigram ? (float)bpe_scores(t->bpe)[i] : 0;
    }
    e->vocab = (struct tok_vocab){
        .n_pieces = t->n_pieces,
        .pieces = e->pieces,
        .piece_bytes = e->piece_bytes,
        .scores = e->scores,
        .types = e->types,
        .bos_id = t->bos_id,
        .eos_id = t->eos_id,
        .unk_id = t->unk_id,
        .unigram = t->unigram,
    };
    if (status == CHOIR_OK) {
        status = list_normalizer(&e->vocab, t, err);
    }
    if (status == CHOIR_OK && !t->unigram) {
        score_by_merges(e, t);
    }
    if (status != CHOIR_OK) {
        tok_export_free(e);
    }
    return status;
}

choir_status tok_export(struct tok_export *e, const struct tokenizer *t, choir_error *err)
{
    *e = (struct tok_export){0};
    if (t->bpe != NULL) {
        return bpe_kind_of(t->bpe) == BPE_BYTES ? export_bpe(e, t, err) : export_marked(e, t, err);
    }
    struct sp_model m;
    choir_status status = sp_parse(&m, "the tokenizer", t->model.data, t->model.n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    status = allocate(e, (size_t)t->n_pieces, err);
    if (status == CHOIR_OK) {
        fill(e, t, &m);
    } else {
        tok_export_free(e);
    }
    sp_model_clear(&m);
    return status;
}
