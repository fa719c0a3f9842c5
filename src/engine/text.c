/* Text and ids, through the model's tokenizer. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/engine.h"

static choir_status need_tokenizer(const struct choir_model *m, choir_error *err)
{
    return m->tokenizer != NULL ? CHOIR_OK : base_fail(err, CHOIR_FILE, "%s", m->no_text);
}

choir_status choir_tokenize(int32_t **ids, size_t *n_ids, const choir_model *model, const char *text, size_t n,
                            bool bos, choir_error *err)
{
    *ids = NULL;
    *n_ids = 0;
    choir_status status = need_tokenizer(model, err);
    if (status != CHOIR_OK) {
        return status;
    }
    size_t valid = base_utf8_valid(text, n);
    if (valid < n) {
        base_fail(err, CHOIR_PROMPT, "invalid UTF-8 at byte %zu", valid);
        if (err != NULL) {
            err->offset = valid;
        }
        return CHOIR_PROMPT;
    }
    int32_t *own;
    size_t count;
    status = tok_encode(model->tokenizer, text, n, &own, &count, err);
    if (status != CHOIR_OK) {
        return status;
    }
    size_t front = bos && model->add_bos && model->bos_id >= 0 ? 1 : 0;
    int32_t *all = malloc((count + front + 1) * sizeof *all);
    if (all == NULL) {
        free(own);
        return base_fail_memory(err, (count + front + 1) * sizeof *all, "ids");
    }
    all[0] = model->bos_id;
    if (count > 0) {
        memcpy(all + front, own, count * sizeof *all);
    }
    free(own);
    *ids = all;
    *n_ids = count + front;
    return CHOIR_OK;
}

choir_status choir_detokenize(char **text, size_t *n, const choir_model *model, const int32_t *ids, size_t n_ids,
                              choir_error *err)
{
    *text = NULL;
    *n = 0;
    choir_status status = need_tokenizer(model, err);
    if (status != CHOIR_OK) {
        return status;
    }
    int32_t n_pieces = tok_n_pieces(model->tokenizer);
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] < 0 || ids[i] >= n_pieces) {
            return base_fail(err, CHOIR_USAGE, "id %d is not in the vocabulary (0 to %d)", ids[i], n_pieces - 1);
        }
    }
    return tok_decode(model->tokenizer, ids, n_ids, text, n, err);
}

const char *choir_piece(const choir_model *model, int32_t id, size_t *n)
{
    *n = 0;
    return model->tokenizer != NULL ? tok_piece(model->tokenizer, id, n) : NULL;
}

size_t choir_token_text(const choir_model *model, int32_t id, bool at_start, char *dst)
{
    return model->tokenizer != NULL ? tok_text(model->tokenizer, id, at_start, dst) : 0;
}

size_t choir_token_text_bound(const choir_model *model)
{
    return model->tokenizer != NULL ? tok_detok_bound(model->tokenizer) : 0;
}

bool eng_is_eos(const struct choir_model *m, int32_t id)
{
    for (int32_t i = 0; i < m->n_eos; i++) {
        if (m->eos_ids[i] == id) {
            return true;
        }
    }
    return false;
}

bool choir_is_eos(const choir_model *model, int32_t id)
{
    return eng_is_eos(model, id);
}

size_t choir_utf8_valid(const char *text, size_t n)
{
    return base_utf8_valid(text, n);
}

choir_status choir_utf8_repair(char **out, size_t *n_out, const char *text, size_t n, choir_error *err)
{
    *n_out = base_utf8_repair(NULL, 0, text, n);
    *out = malloc(*n_out + 1);
    if (*out == NULL) {
        size_t bytes = *n_out + 1;
        *n_out = 0;
        return base_fail_memory(err, bytes, "text");
    }
    base_utf8_repair(*out, *n_out, text, n);
    (*out)[*n_out] = '\0';
    return CHOIR_OK;
}

/* ---- streaming ---- */

struct choir_detok {
    struct tok_detok state;
    char piece[];
};

choir_status choir_detok_open(choir_detok **out, const choir_model *model, bool after_prompt, choir_error *err)
{
    *out = NULL;
    choir_status status = need_tokenizer(model, err);
    if (status != CHOIR_OK) {
        return status;
    }
    size_t bytes = sizeof **out + tok_detok_bound(model->tokenizer);
    choir_detok *d = malloc(bytes);
    if (d == NULL) {
        return base_fail_memory(err, bytes, "a text stream");
    }
    tok_detok_init(&d->state, model->tokenizer, !after_prompt);
    *out = d;
    return CHOIR_OK;
}

size_t choir_detok_push(choir_detok *d, int32_t id, const char **text)
{
    *text = d->piece;
    return tok_detok_push(&d->state, id, d->piece);
}

size_t choir_detok_flush(choir_detok *d, const char **text)
{
    *text = d->piece;
    return tok_detok_flush(&d->state, d->piece);
}

void choir_detok_close(choir_detok *d)
{
    free(d);
}
