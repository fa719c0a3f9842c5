/* The text that is looked at, and replaying it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/error.h"
#include "cli/heads/heads.h"
#include "cli/prompt.h"
#include "cli/report.h"
#include "cli/signals.h"

choir_status heads_text_read(heads_text *t, session *s, choir_error *err)
{
    prompt text;
    size_t n = 0;
    *t = (heads_text){.s = s};
    choir_status status = prompt_read(&text, s->opt, &s->term, err);
    status = status ? status : session_open_model(s, false, err);
    status = status ? status : choir_tokenize(&t->ids, &n, s->model, text.text, text.n, true, err);
    prompt_free(&text);
    if (!status && n > INT32_MAX) {
        return base_fail(err, CHOIR_PROMPT, "the text has %zu tokens, too many", n);
    }
    t->n_ids = t->n_prompt = (int32_t)n;
    if (!status && n == 0) {
        return base_fail(err, CHOIR_PROMPT, "the text has no tokens: there is nothing to look at");
    }
    return status;
}

choir_status heads_text_engine(heads_text *t, int32_t ctx, int32_t max_logits, choir_error *err)
{
    session *s = t->s;
    choir_engine_options opt;
    choir_sampling greedy;
    choir_sampling_default(&greedy);
    greedy.temp = 0;
    session_engine_options(s, &opt);
    opt.ctx_size = ctx;
    opt.max_logits = max_logits;
    opt.prefix_cache = false; /* what comes from it is not seen; what a sequence keeps is reused by heads_replay */
    choir_status status = session_open_engine(s, &opt, err);
    status = status ? status : choir_sequence_open(&t->seq, s->engine, &greedy, err);
    if (!status) {
        signals_set(SIGNALS_CANCEL, s->engine);
    }
    return status;
}

void heads_text_close(heads_text *t)
{
    choir_sequence_close(t->seq);
    free(t->ids);
    *t = (heads_text){.s = t->s};
}

choir_status heads_from_fits(int32_t from, int32_t n, choir_error *err)
{
    return from < n ? CHOIR_OK
                    : base_fail(err, CHOIR_USAGE, "--from %d: the text has %d token%s, 0 to %d", (int)from, (int)n,
                                n == 1 ? "" : "s", (int)n - 1);
}

/* The model goes on, always with the most likely token. */
static choir_status go_on(heads_text *t, choir_error *err)
{
    choir_generation g;
    choir_result result;
    choir_generation_default(&g);
    g.max_tokens = t->s->opt->new_tokens;
    choir_status status = choir_sequence_append(t->seq, t->ids, (size_t)t->n_ids, err);
    status = status ? status : choir_generate(&result, t->seq, &g, err);
    if (status) {
        return status;
    }
    const int32_t n = choir_sequence_length(t->seq);
    int32_t *ids = realloc(t->ids, (size_t)n * sizeof *ids);
    if (!ids) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for %d tokens", (int)n);
    }
    memcpy(ids, choir_sequence_ids(t->seq), (size_t)n * sizeof *ids);
    t->ids = ids;
    t->n_ids = n;
    return CHOIR_OK;
}

choir_status heads_text_open(heads_text *t, session *s, choir_error *err)
{
    const int32_t more = s->opt->new_tokens;
    heads_choice ignored;
    choir_status status = heads_text_read(t, s, err);
    if (!status) { /* what is not there is told before anything is computed */
        status = heads_choose(&ignored, s, err);
        heads_choice_free(&ignored);
    }
    if (!status && t->n_ids > s->info.max_seq_len - more) {
        return base_fail(err, CHOIR_PROMPT, "the text has %d tokens%s, the model was made for %d", (int)t->n_ids,
                         more > 0 ? ", and more are asked for" : "", (int)s->info.max_seq_len);
    }
    status = status ? status : heads_from_fits(t->s->opt->from, t->n_ids + more, err);
    status = status ? status : heads_text_engine(t, t->n_ids + more, 0, err);
    return status || more == 0 ? status : go_on(t, err);
}

/* How many tokens of ids [n] the sequence begins with. */
static int32_t n_same(const choir_sequence *seq, const int32_t *ids, int32_t n)
{
    const int32_t n_seq = choir_sequence_length(seq), most = n < n_seq ? n : n_seq;
    const int32_t *held = choir_sequence_ids(seq);
    int32_t same = 0;
    while (same < most && held[same] == ids[same]) {
        same++;
    }
    return same;
}

choir_status heads_replay(heads_text *t, const int32_t *ids, int32_t n, const choir_tap *tap, choir_error *err)
{
    choir_engine *e = t->s->engine;
    const int32_t kept = n_same(t->seq, ids, tap && tap->from < n ? tap->from : n);
    choir_sequence_truncate(t->seq, kept);
    choir_status status = choir_engine_tap(e, tap, err);
    status = status ? status : choir_sequence_append(t->seq, ids + kept, (size_t)(n - kept), err);
    while (!status && choir_sequence_computed(t->seq) < choir_sequence_length(t->seq)) {
        status =
            signals_pending() ? base_fail(err, CHOIR_CANCELLED, "cancelled") : choir_engine_step(e, &t->seq, 1, err);
    }
    choir_error ignored;
    choir_engine_tap(e, NULL, &ignored);
    return status;
}

choir_status heads_room(const heads_text *t, const choir_tap *tap, double bytes, const char *what, const char *hint,
                        choir_error *err)
{
    char needed[BYTES_CAP], there[BYTES_CAP];
    const double left = (double)choir_engine_room(t->s->engine);
    bytes += tap ? (double)choir_tap_bytes(t->s->engine, tap) : 0;
    return bytes <= left ? CHOIR_OK
                         : base_fail(err, CHOIR_RESOURCE, "%s %s, %s are left: %s", what,
                                     format_bytes(needed, sizeof needed, (uint64_t)(bytes < 1e19 ? bytes : 1e19)),
                                     format_bytes(there, sizeof there, (uint64_t)left), hint);
}

/* ---- tokens on a terminal ---- */

/* What stands for a byte that is not shown as it is, or NULL. */
static const char *stand_in(char c)
{
    return c == ' ' ? "\u00b7" : c == '\n' ? "\u23ce" : c == '\t' ? "\u21e5" : NULL;
}

const char *heads_label(char dst[LABEL_CAP], const choir_model *model, int32_t id)
{
    char *own = malloc(choir_token_text_bound(model) + 1);
    heads_label_in(dst, model, id, own);
    free(own);
    return dst;
}

void heads_label_in(char dst[LABEL_CAP], const choir_model *model, int32_t id, char *own)
{
    enum { MOST = 24 };
    size_t n = 0, used = 0;
    int width = 0;
    const char *text = choir_piece(model, id, &n);
    size_t n_own = own ? choir_token_text(model, id, false, own) : 0;
    if (n_own > 0) {
        text = own;
        n = n_own;
    }
    dst[0] = '\0';
    for (size_t i = 0; text && i < n && width < MOST; width++) {
        char one[8];
        utf8proc_int32_t c = 0;
        utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
        const char *instead = stand_in(text[i]);
        if (instead) {
            snprintf(one, sizeof one, "%s", instead);
        } else if (len <= 0 || c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0)) {
            snprintf(one, sizeof one, "\\x%02X", (unsigned)(unsigned char)text[i]);
            len = 1;
        } else {
            snprintf(one, sizeof one, "%.*s", (int)len, text + i);
        }
        int wrote = snprintf(dst + used, LABEL_CAP - used, "%s", one);
        used += wrote > 0 ? (size_t)wrote : 0;
        i += instead ? 1 : (size_t)len;
    }
}

json_t *heads_token_json(const choir_model *model, int32_t id)
{
    char *text = malloc(choir_token_text_bound(model) + 1);
    if (!text) {
        return NULL;
    }
    size_t n = choir_token_text(model, id, false, text);
    const char *shown = n > 0 ? text : choir_piece(model, id, &n);
    json_t *value = json_text(shown, n);
    free(text);
    return value;
}
