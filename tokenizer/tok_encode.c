/* Text to ids, where the library runs the model. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "tokenizer/tok_internal.h"

/* The library's bytes for a byte of text: measured, rounded up. */
enum { LIB_PER_TEXT_BYTE = 256, LIB_FIXED = 1 << 20 };

/* Each run of the library's own byte pieces is one unknown piece.  Returns the new number of ids. */
static size_t join_unknown(const struct tokenizer *t, int32_t *ids, size_t n)
{
    size_t kept = 0;
    bool in_run = false;
    for (size_t i = 0; i < n; i++) {
        bool own = ids[i] >= t->n_model_pieces;
        if (!own || !in_run) {
            ids[kept++] = own ? t->unk_id : ids[i];
        }
        in_run = own;
    }
    return kept;
}

static choir_status encode_part(const struct tokenizer *t, const struct sp_lib *lib, const char *text, size_t n,
                                int32_t **ids, size_t *n_ids, choir_error *err)
{
    choir_status s = tok_probe_memory(LIB_FIXED + (uint64_t)n * LIB_PER_TEXT_BYTE, "tokenizing", err);
    if (s == CHOIR_OK) {
        s = sp_lib_encode(lib, text, n, ids, n_ids, err);
    }
    if (s == CHOIR_OK && t->model.own_bytes) {
        *n_ids = join_unknown(t, *ids, *n_ids);
    }
    return s;
}

struct list {
    int32_t *ids;
    size_t n, cap;
};

static choir_status append(struct list *l, const int32_t *ids, size_t n, choir_error *err)
{
    if (l->cap - l->n <= n) { /* a list even of no ids is not NULL */
        size_t cap = 2 * l->cap + n + 16;
        int32_t *grown = base_array_resize(l->ids, cap, sizeof *grown);
        if (grown == NULL) {
            return base_fail_memory(err, cap * sizeof *grown, "tokenizing");
        }
        l->ids = grown;
        l->cap = cap;
    }
    if (n > 0) {
        memcpy(l->ids + l->n, ids, n * sizeof *ids);
    }
    l->n += n;
    return CHOIR_OK;
}

static choir_status append_part(struct list *l, const struct tokenizer *t, struct bpe_added_part part, const char *text,
                                choir_error *err)
{
    if (part.id >= 0) {
        return append(l, &part.id, 1, err);
    }
    bool inner = part.from > 0 && t->lib_inner != NULL;
    int32_t *ids = NULL;
    size_t n = 0;
    choir_status s =
        encode_part(t, inner ? t->lib_inner : t->lib, text + part.from, part.to - part.from, &ids, &n, err);
    if (s == CHOIR_OK) {
        s = append(l, ids, n, err);
    }
    free(ids);
    return s;
}

/* Added tokens first, and the library for what lies between them. */
static choir_status encode_parts(const struct tokenizer *t, const char *text, size_t n, int32_t **ids, size_t *n_ids,
                                 choir_error *err)
{
    struct bpe_added_place place = {0};
    struct bpe_added_part parts[2];
    struct list l = {0};
    int count;
    choir_status s = append(&l, NULL, 0, err);
    while (s == CHOIR_OK && (count = bpe_added_next(parts, &t->added, &place, text, n)) > 0) {
        for (int i = 0; i < count && s == CHOIR_OK; i++) {
            s = append_part(&l, t, parts[i], text, err);
        }
    }
    if (s != CHOIR_OK) {
        free(l.ids);
        return s;
    }
    *ids = l.ids;
    *n_ids = l.n;
    return CHOIR_OK;
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
    return t->added.n > 0 ? encode_parts(t, text, n, ids, n_ids, err)
                          : encode_part(t, t->lib, text, n, ids, n_ids, err);
}
