/* The ids of a text that goes on from one whose ids were drawn.
 *
 * Ids of the whole text need not begin with those that were drawn (a model also writes "th" "e"), and then all behind the first
 * difference would be computed again.  Ids of the new part alone would be wrong at the seam.  So: what is there already covers the
 * text up to some byte; the ids of the text up to there, and of all of it, are alike up to a token; there, or at the nearest
 * place before it where both have a border between tokens, the new ids begin.
 *
 *     there     _Once _up on _a _ti           covers "Once upon a ti"
 *     up to it  _Once _upon _a _ti
 *     all       _Once _upon _a _time _there
 *     result    _Once _up on _a _time _there */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/complete/complete.h"

typedef struct cover {
    const int32_t *ids; /* borrowed */
    size_t *ends;       /* [n + 1] bytes of the text before token i */
    size_t n;           /* tokens whose texts are the text's beginning */
} cover;

/* Walks over ids as long as their texts are those at the beginning of text. */
static choir_status cover_text(cover *c, const choir_model *model, const int32_t *ids, size_t n_ids, const char *text,
                               size_t n, choir_error *err)
{
    choir_model_info info;
    choir_model_describe(model, &info);
    char *piece = malloc(choir_token_text_bound(model) + 1);
    *c = (cover){.ids = ids, .ends = malloc((n_ids + 1) * sizeof *c->ends)};
    if (!piece || !c->ends) {
        free(piece);
        return base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    c->ends[0] = 0;
    for (size_t i = 0, at = 0; i < n_ids; i++) {
        bool at_start = i == 0 || (i == 1 && ids[0] == info.bos_id);
        size_t bytes = choir_token_text(model, ids[i], at_start, piece);
        if (bytes > n - at || memcmp(piece, text + at, bytes) != 0) {
            break;
        }
        at += bytes;
        c->ends[i + 1] = at;
        c->n = i + 1;
    }
    free(piece);
    return CHOIR_OK;
}

static bool inside_character(const char *text, size_t n, size_t at)
{
    return at < n && ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* The candidate that covers most; one without tokens when none does. */
static choir_status find_best(cover *best, writer *w, const char *text, size_t n, choir_error *err)
{
    const story_state *now = story_now(&w->story);
    const int32_t *ids[3] = {now->ids, choir_sequence_ids(w->seq), w->ahead ? choir_sequence_ids(w->ahead) : NULL};
    const size_t n_ids[3] = {now->n_ids, (size_t)choir_sequence_length(w->seq),
                             w->ahead ? (size_t)choir_sequence_length(w->ahead) : 0};
    choir_status status = CHOIR_OK;
    *best = (cover){.n = 0};
    for (size_t i = 0; i < 3 && !status; i++) {
        cover c = {.n = 0};
        if (n_ids[i] == 0) {
            continue;
        }
        status = cover_text(&c, w->s->model, ids[i], n_ids[i], text, n, err);
        while (!status && c.n > 0 && inside_character(text, n, c.ends[c.n])) {
            c.n--;
        }
        if (!status && c.ends[c.n] > (best->ends ? best->ends[best->n] : 0)) {
            cover worse = *best;
            *best = c;
            c = worse;
        }
        free(c.ends);
    }
    return status;
}

/* The last border between tokens that both have, at most after *same tokens of all; the old one's tokens up to it into *kept. */
static void find_seam(size_t *kept, size_t *same, const cover *old, const cover *all)
{
    size_t k = old->n, c = *same < all->n ? *same : all->n;
    while (old->ends[k] != all->ends[c]) {
        if (old->ends[k] > all->ends[c]) {
            k--;
        } else {
            c--;
        }
    }
    const bool none = all->ends[c] == 0; /* then what begins a text is in `all` */
    *kept = none ? 0 : k;
    *same = none ? 0 : c;
}

static choir_status join(int32_t **ids, size_t *n_ids, writer *w, const cover *old, const char *text, size_t n,
                         choir_error *err)
{
    int32_t *all = NULL, *part = NULL;
    size_t n_all = 0, n_part = 0, same = 0, kept = 0;
    cover c = {.n = 0};
    choir_status status = choir_tokenize(&all, &n_all, w->s->model, text, n, true, err);
    if (!status && old->n > 0) {
        status = choir_tokenize(&part, &n_part, w->s->model, text, old->ends[old->n], true, err);
        status = status ? status : cover_text(&c, w->s->model, all, n_all, text, n, err);
    }
    while (!status && same < n_part && same < n_all && all[same] == part[same]) {
        same++;
    }
    if (!status && old->n > 0) {
        find_seam(&kept, &same, old, &c);
    } else {
        same = 0;
    }
    *ids = status ? NULL : malloc((kept + n_all - same + 1) * sizeof **ids);
    if (*ids) {
        *n_ids = kept + n_all - same;
        memcpy(*ids, old->ids ? old->ids : all, kept * sizeof **ids);
        memcpy(*ids + kept, all + same, (n_all - same) * sizeof **ids);
    } else if (!status) {
        status = base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    free(c.ends);
    free(all);
    free(part);
    return status;
}

choir_status writer_ids(int32_t **ids, size_t *n_ids, writer *w, const char *text, size_t n, choir_error *err)
{
    cover old;
    choir_status status = find_best(&old, w, text, n, err);
    *ids = NULL;
    *n_ids = 0;
    status = status ? status : join(ids, n_ids, w, &old, text, n, err);
    free(old.ends);
    return status;
}
