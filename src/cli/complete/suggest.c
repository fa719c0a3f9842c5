/* Tab: the beginning of what the next turn would be, were the line entered now: the same settings, the same random numbers.  It is made
 * in a fork, which is kept: the turn that comes goes on from it, so nothing is computed twice, whether the offer is taken or
 * not. */
#include <stdlib.h>
#include <string.h>

#include "cli/complete/complete.h"

enum { OFFER_TOKENS = 16 };

typedef struct offer {
    writer *w;
    text_buffer text;
} offer;

/* Bytes of the text that may be shown: up to a control character, or to the end of the first line that is not blank. */
static size_t one_line(const text_buffer *t)
{
    bool blank = true;
    for (size_t i = 0; i < t->n; i++) {
        unsigned char c = (unsigned char)t->at[i];
        if ((c == '\n' && !blank) || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            return i;
        }
        blank = blank && (c == '\n' || c == '\t' || c == ' ');
    }
    return t->n;
}

static int on_text(void *user, const char *text, size_t n)
{
    offer *o = user;
    if (text_append(&o->text, text, n)) {
        return 1;
    }
    size_t shown = one_line(&o->text);
    return (shown > 0 && editor_offer(o->w->editor, o->text.at, shown)) || shown < o->text.n;
}

void writer_forget_ahead(writer *w)
{
    choir_sequence_close(w->ahead);
    w->ahead = NULL;
}

/* A fork with these ids, as the next turn will draw, becomes w->ahead. */
static choir_status go_ahead(writer *w, const int32_t *ids, size_t n, choir_error *err)
{
    choir_sampling sampling = w->opt.sampling;
    sampling.choice = w->turn;
    size_t here = writer_in_common(w->seq, ids, n), there = w->ahead ? writer_in_common(w->ahead, ids, n) : 0;
    choir_sequence *fork = NULL;
    choir_status status = choir_sequence_fork(&fork, there > here ? w->ahead : w->seq, &sampling, err);
    writer_forget_ahead(w);
    if (status) {
        return status;
    }
    size_t same = there > here ? there : here;
    w->ahead = fork;
    choir_sequence_truncate(fork, (int32_t)same);
    return choir_sequence_append(fork, ids + same, n - same, err);
}

static choir_status generate(offer *o, bool at_start, choir_error *err)
{
    writer *w = o->w;
    choir_generation g;
    choir_result r;
    generation_options(&g, w->s, &w->opt, on_text, o);
    g.max_tokens = OFFER_TOKENS;
    g.at_start = at_start;
    g.speculate = 0;
    g.draft = NULL;
    return choir_generate(&r, w->ahead, &g, err);
}

void on_suggest(void *user, const char *line, size_t n)
{
    writer *w = user;
    const story_state *now = story_now(&w->story);
    offer o = {.w = w};
    text_buffer text = {0};
    int32_t *ids = NULL;
    size_t n_ids = 0;
    size_t skip = entry_skip(w, line, n);
    choir_error err; /* nothing can be offered: the turn itself will tell why */
    if (w->s->chat || choir_utf8_valid(line, n) < n || text_append(&text, now->text, now->n) ||
        text_append(&text, w->entry->at, w->entry->n) || (w->in_block && text_append(&text, "\n", 1)) ||
        text_append(&text, line + skip, n - skip)) {
        free(text.at);
        return;
    }
    choir_status status = writer_ids(&ids, &n_ids, w, text.at ? text.at : "", text.n, &err);
    if (!status && n_ids > 0) {
        writer_make_room(w, (int64_t)n_ids + OFFER_TOKENS);
        status = go_ahead(w, ids, n_ids, &err);
        status = status ? status : generate(&o, text.n == 0, &err);
    }
    free(ids);
    free(text.at);
    free(o.text.at);
}
