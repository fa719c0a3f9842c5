/* A tokenizer as a plain vocabulary: the inverse of tok_open_vocab. */
#include <stdlib.h>

#include "base/error.h"
#include "tokenizer/sp_parse.h"
#include "tokenizer/tok_internal.h"

void tok_export_free(struct tok_export *e)
{
    free(e->pieces);
    free(e->piece_bytes);
    free(e->scores);
    free(e->types);
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
        e->scores[i] = m->pieces[i].score;
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

choir_status tok_export(struct tok_export *e, const struct tokenizer *t, choir_error *err)
{
    *e = (struct tok_export){0};
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
