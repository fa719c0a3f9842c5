#include "tokenizer/tok_pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "tokenizer/tokenizer.h"

void tok_piece_list_free(struct tok_piece_list *list)
{
    free(list->pieces);
    free(list->found);
    free(list->holes);
    *list = (struct tok_piece_list){0};
}

static choir_status make_room(struct tok_piece_list *list, const struct sp_model *m, const struct tok_added *added,
                              choir_error *err)
{
    size_t n_added = added != NULL ? added->n : 0;
    int32_t most = m->n_pieces - 1;
    for (size_t i = 0; i < n_added; i++) {
        most = added->tokens[i].id > most ? added->tokens[i].id : most;
    }
    size_t n = (size_t)most + 1;
    size_t behind = n - (size_t)m->n_pieces;
    list->n = most + 1;
    list->pieces = calloc(n + 1, sizeof *list->pieces);
    list->found = base_array(n_added + 1, sizeof *list->found);
    list->holes = base_array(behind + 1, sizeof *list->holes);
    bool ok = list->pieces != NULL && list->found != NULL && list->holes != NULL;
    return ok ? CHOIR_OK : base_fail_memory(err, n * sizeof *list->pieces, "the vocabulary");
}

/* A piece of the model that is an added token too. */
static choir_status merge(struct tok_piece_list *list, struct sp_model *m, const struct bpe_added *a, choir_error *err)
{
    struct sp_piece *p = &m->pieces[a->id];
    struct tok_listed *shown = &list->pieces[a->id];
    bool same = sp_text_is(p->text, (struct sp_text){a->text, a->n});
    bool plain = !a->single_word && !a->lstrip && !a->rstrip;
    bool special = a->special || p->type == TOK_CONTROL || p->type == TOK_UNKNOWN;
    if (p->type == TOK_BYTE) { /* which cannot be called otherwise */
        char old[BASE_ESCAPE_CAP], new[BASE_ESCAPE_CAP];
        return same ? CHOIR_OK
                    : base_fail(err, CHOIR_FILE, "%s: %s %d: \"%s\", but \"%s\" among the added tokens", m->file,
                                m->noun, (int)a->id, base_escape(old, p->text.s, p->text.n),
                                base_escape(new, a->text, a->n));
    }
    shown->text = (struct sp_text){a->text, a->n};
    shown->type = p->type == TOK_UNKNOWN ? TOK_UNKNOWN : special ? TOK_CONTROL : TOK_USER_DEFINED;
    if (!special && !(same && plain && p->type == TOK_USER_DEFINED)) {
        list->found[list->n_found++] = *a;
    }
    if (special && p->type != TOK_UNKNOWN) {
        p->type = TOK_CONTROL;
    }
    return CHOIR_OK;
}

choir_status tok_piece_list_make(struct tok_piece_list *list, struct sp_model *m, const struct tok_added *added,
                                 choir_error *err)
{
    *list = (struct tok_piece_list){0};
    choir_status status = make_room(list, m, added, err);
    if (status != CHOIR_OK) {
        return status;
    }
    for (int32_t i = 0; i < m->n_pieces; i++) {
        list->pieces[i] = (struct tok_listed){m->pieces[i].text, m->pieces[i].type};
    }
    for (size_t i = 0; added != NULL && i < added->n && status == CHOIR_OK; i++) {
        const struct bpe_added *a = &added->tokens[i];
        if (a->id < m->n_pieces) {
            status = merge(list, m, a, err);
            continue;
        }
        list->pieces[a->id] = (struct tok_listed){{a->text, a->n}, a->special ? TOK_CONTROL : TOK_USER_DEFINED};
        if (!a->special) {
            list->found[list->n_found++] = *a;
        }
    }
    for (int32_t i = m->n_pieces, k = 0; i < list->n; i++) {
        if (list->pieces[i].type == 0) {
            size_t n = (size_t)snprintf(list->holes[k], sizeof list->holes[k], "[PAD%u]", (unsigned)i);
            list->pieces[i] = (struct tok_listed){{list->holes[k++], n}, TOK_UNUSED};
        }
    }
    return status;
}
