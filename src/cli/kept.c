/* Kept texts: how a new text is put behind one whose ids are given.
 *
 * Ids of the new text alone would be wrong at the seam (SentencePiece puts a space before every text, and pieces may reach over
 * it), ids of all the text need not begin with those that were drawn.  So both are asked for: the ids of the old text, and of
 * old and new together.  Where they part, the new ones begin; old ones behind that place are taken back. */
#include "cli/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

bool kept_is_name(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".kv") == 0;
}

choir_status kept_text(char **text, size_t *n, const session *s, const choir_sequence *seq, choir_error *err)
{
    size_t n_ids = (size_t)choir_sequence_length(seq);
    return choir_detokenize(text, n, s->model, choir_sequence_ids(seq), n_ids, err);
}

typedef struct seam {
    int32_t *old, *all; /* ids of the old text, and of it with the new one */
    size_t n_old, n_all;
} seam;

static choir_status find_ids(seam *x, const session *s, const choir_sequence *seq, const char *text, size_t n,
                             choir_error *err)
{
    char *old = NULL, *joined;
    size_t n_old = 0;
    choir_status status = kept_text(&old, &n_old, s, seq, err);
    status = status ? status : choir_tokenize(&x->old, &x->n_old, s->model, old, n_old, false, err);
    if (!status) {
        joined = realloc(old, n_old + n);
        status = joined ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
        old = joined ? joined : old;
    }
    if (!status) {
        memcpy(old + n_old, text, n);
        status = choir_tokenize(&x->all, &x->n_all, s->model, old, n_old + n, false, err);
    }
    free(old);
    return status;
}

static choir_status put_behind(session *s, choir_sequence *seq, const char *text, size_t n, choir_error *err)
{
    seam x = {.n_old = 0};
    choir_status status = find_ids(&x, s, seq, text, n, err);
    const size_t length = (size_t)choir_sequence_length(seq);
    size_t same = 0;
    while (!status && same < x.n_old && same < x.n_all && x.old[same] == x.all[same]) {
        same++;
    }
    const size_t n_back = x.n_old - same;
    if (!status && n_back <= length &&
        memcmp(choir_sequence_ids(seq) + length - n_back, x.old + same, n_back * sizeof *x.old) == 0) {
        choir_sequence_truncate(seq, (int32_t)(length - n_back));
    } else if (!status) { /* drawn otherwise than written: the new text's own ids */
        same = 0;
        free(x.all);
        status = choir_tokenize(&x.all, &x.n_all, s->model, text, n, length == 0, err);
    }
    status = status ? status : choir_sequence_append(seq, x.all + same, x.n_all - same, err);
    free(x.old);
    free(x.all);
    return status;
}

choir_status kept_continue(session *s, choir_sequence *seq, const char *path, const char *text, size_t n,
                           choir_error *err)
{
    choir_status status = choir_sequence_load(seq, path, err);
    const int32_t length = choir_sequence_length(seq), computed = choir_sequence_computed(seq);
    if (!status && s->term.verbose) {
        note(&s->term, "loaded %d tokens, %d of them computed", (int)length, (int)computed);
    }
    return status || n == 0 ? status : put_behind(s, seq, text, n, err);
}
