/* A turn of `choir complete`: the sequence is brought to the text, goes on from there, and all of it becomes a state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/complete/complete.h"
#include "cli/report.h"
#include "cli/signals.h"

/* /set may have changed the sampling since the last turn: the sequence becomes a fork of itself. */
static choir_status renew(writer *w, choir_error *err)
{
    choir_sequence *fork;
    w->sampling = w->opt.sampling;
    w->sampling.choice = w->turn++;
    choir_status status = choir_sequence_fork(&fork, w->seq, &w->sampling, err);
    if (!status) {
        choir_sequence_close(w->seq);
        w->seq = fork;
    }
    return status;
}

size_t writer_in_common(const choir_sequence *seq, const int32_t *ids, size_t n)
{
    const int32_t *own = choir_sequence_ids(seq);
    size_t length = (size_t)choir_sequence_length(seq), same = 0;
    while (same < n && same < length && own[same] == ids[same]) {
        same++;
    }
    return same;
}

/* Makes the sequence's ids these; what both have at the beginning is kept as it is. */
static choir_status go_to(writer *w, const int32_t *ids, size_t n, choir_error *err)
{
    if (n == 0) {
        return base_fail(err, CHOIR_PROMPT, "there is no text yet to go on from");
    }
    size_t same = writer_in_common(w->seq, ids, n);
    if (w->ahead && writer_in_common(w->ahead, ids, n) > same) {
        choir_sequence *behind = w->seq;
        w->seq = w->ahead;
        w->ahead = behind;
        same = writer_in_common(w->seq, ids, n);
    }
    choir_sequence_truncate(w->seq, (int32_t)same);
    return choir_sequence_append(w->seq, ids + same, n - same, err);
}

static choir_status sync_ids(writer *w, const char *text, size_t bytes, choir_error *err)
{
    int32_t *ids = NULL;
    size_t n = 0;
    choir_status status = writer_ids(&ids, &n, w, text, bytes, err);
    status = status ? status : go_to(w, ids, n, err);
    free(ids);
    return status;
}

/* In a chat: the ids so far and, unless nothing was typed, a turn. */
static choir_status sync_turn(writer *w, const char *typed, size_t n, choir_error *err)
{
    const story_state *now = story_now(&w->story);
    int32_t *turn = NULL, *all = NULL;
    size_t n_turn = 0;
    choir_status status = CHOIR_OK;
    if (n > 0) {
        status = choir_chat_turn(&turn, &n_turn, w->s->chat, now->n_ids == 0, w->opt.system, typed, n, err);
    }
    if (!status) {
        all = malloc((now->n_ids + n_turn + 1) * sizeof *all);
        status = all ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    if (!status && now->n_ids > 0) {
        memcpy(all, now->ids, now->n_ids * sizeof *all);
    }
    if (!status && n_turn > 0) {
        memcpy(all + now->n_ids, turn, n_turn * sizeof *all);
    }
    status = status ? status : go_to(w, all, now->n_ids + n_turn, err);
    free(all);
    free(turn);
    return status;
}

choir_status writer_sync(writer *w, choir_error *err)
{
    const story_state *now = story_now(&w->story);
    if (w->exact) {
        return CHOIR_OK;
    }
    choir_status status = w->s->chat ? sync_turn(w, "", 0, err) : sync_ids(w, now->text, now->n, err);
    w->exact = !status;
    return status;
}

/* ---- generation -------------------------------------------------------------------------------------- */

void writer_calm(writer *w, bool on)
{
    const terminal *t = &w->s->term;
    if (w->interactive && t->out && t->escapes) {
        terminal_echo(!on);
    }
}

static int on_text(void *user, const char *text, size_t n)
{
    writer *w = user;
    int stop = text_append(&w->fresh, text, n);
    if (!w->painted && w->interactive && w->s->term.color_out) {
        w->painted = true;
        editor_paint(w->editor, true);
        stream_escape(&w->s->out, QUIET_COLOR);
    }
    return stop |
           (w->interactive && w->s->term.out ? stream_show(&w->s->out, text, n) : stream_write(&w->s->out, text, n));
}

static void end_paint(writer *w)
{
    if (w->painted) {
        w->painted = false;
        stream_escape(&w->s->out, "\033[0m");
        editor_paint(w->editor, false);
    }
}

/* One line after a turn: how fast, how full the context is, and why it ended where that is not plain to see. */
static void report_status(const writer *w, const choir_result *r)
{
    choir_engine_info e;
    char why[48] = "";
    const terminal *t = &w->s->term;
    if (!w->interactive || !t->out || !t->err || t->quiet || strcmp(w->opt.status, "on") != 0) {
        return;
    }
    choir_engine_describe(w->s->engine, &e);
    int32_t length = choir_sequence_length(w->seq);
    double seconds = (double)r->generate_ns / 1e9;
    if (r->finish == CHOIR_FINISH_STOP && !w->s->chat) {
        snprintf(why, sizeof why, "%s", "the text ends here; ");
    }
    note(t, "[%s%d tokens, %.1f tok/s; context %d of %d, %d %%]", why, (int)r->n_generated,
         seconds > 0 ? r->n_generated / seconds : 0, (int)length, (int)e.ctx_size,
         (int)(100 * (int64_t)length / e.ctx_size));
}

/* Generates from where the sequence is into w->fresh; at_start: there is no text before it.  A Ctrl-C ends it with
 * CHOIR_OK. */
static choir_status generate(writer *w, bool at_start, choir_error *err)
{
    choir_generation g;
    choir_result r;
    generation_options(&g, w->s, &w->opt, on_text, w);
    g.at_start = at_start;
    w->fresh.n = 0;
    w->fresh.failed = false;
    writer_calm(w, true);
    signals_set(w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_CANCEL, w->s->engine);
    choir_status status = choir_generate(&r, w->seq, &g, err);
    signals_set(w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_EXIT, w->s->engine);
    end_paint(w);
    if (w->s->out.line_open || (w->s->out.interrupted && w->fresh.n > 0)) {
        w->s->out.interrupted = false; /* the prompt begins a line, also after Ctrl-C */
        stream_write(&w->s->out, "\n", 1);
        w->s->out.interrupted = signals_pending() != 0;
    }
    writer_calm(w, false);
    bool whole = !status && r.finish != CHOIR_FINISH_CALLER;
    if (!w->fresh.failed) {
        w->fresh.n -= r.n_replaced; /* the next turn makes the cut character anew, whole */
    }
    /* With a stop string, a break or a cut character the sequence may hold more than the text shows. */
    w->exact = whole && r.n_replaced == 0 && (r.finish == CHOIR_FINISH_LENGTH || w->opt.stops.n == 0);
    if (w->s->term.verbose) {
        report_timings(w->s, &r);
    }
    report_status(w, &r);
    if (whole && r.context_full && !w->s->term.quiet) {
        warning(&w->s->term, "the context is full");
    }
    if (!status && w->fresh.failed) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
    }
    return status == CHOIR_CANCELLED || w->s->out.interrupted ? CHOIR_OK : status;
}

/* Brings the sequence to the text so far + typed.  The story stays as it is: a text that is refused leaves no state. */
static choir_status prepare(writer *w, const char *typed, size_t n, choir_error *err)
{
    size_t valid = n > 0 ? choir_utf8_valid(typed, n) : 0;
    if (valid < n) {
        return base_fail(err, CHOIR_PROMPT, "invalid UTF-8 at byte %zu of the line", valid);
    }
    const story_state *now = story_now(&w->story);
    text_buffer joined = {0};
    choir_status status = CHOIR_OK;
    if (w->s->chat) {
        status = sync_turn(w, typed, n, err);
    } else if (text_append(&joined, now->text, now->n) || text_append(&joined, typed, n)) {
        status = base_fail(err, CHOIR_RESOURCE, "out of memory for the text");
    } else if (n > 0 || !w->exact) {
        status = sync_ids(w, joined.at ? joined.at : "", joined.n, err);
    }
    free(joined.at);
    writer_forget_ahead(w);
    status = status ? status : renew(w, err);
    w->exact = !status;
    return status;
}

/* One turn is one state: what was typed and what came of it. */
static choir_status keep_turn(writer *w, const char *typed, size_t n, choir_error *err)
{
    if (n == 0 && w->fresh.n == 0) {
        return CHOIR_OK;
    }
    const bool chat = w->s->chat;
    choir_status status = story_push(&w->story, story_now(&w->story)->n, typed, n, err);
    if (!status && chat && n > 0) {
        status = story_extend(&w->story, "\n", 1, err);
    }
    status = status ? status : story_extend(&w->story, w->fresh.at, w->fresh.n, err);
    if (!status && chat) {
        status = story_extend(&w->story, "\n", 1, err);
        w->exact = true;
    }
    if (!status) {
        size_t n_ids = (size_t)choir_sequence_length(w->seq);
        status = story_keep_ids(&w->story, choir_sequence_ids(w->seq), n_ids, err);
    }
    w->exact = w->exact && !status;
    if (!status) {
        writer_hold(w);
    }
    return status;
}

int64_t writer_most_tokens(const writer *w, size_t typed)
{
    choir_engine_info e;
    choir_engine_describe(w->s->engine, &e);
    int64_t n = w->opt.max_tokens < 0 ? e.ctx_size : w->opt.max_tokens + (int64_t)typed;
    return n < e.ctx_size ? n : e.ctx_size;
}

choir_status writer_turn(writer *w, const char *typed, size_t n, choir_error *err)
{
    choir_error full;
    writer_make_room(w, w->exact ? writer_most_tokens(w, n) : INT32_MAX);
    choir_status status = prepare(w, typed, n, err);
    if (status) {
        return status;
    }
    bool at_start = w->s->chat ? n > 0 : n == 0 && story_now(&w->story)->n == 0;
    status = generate(w, at_start, err);
    choir_status kept = keep_turn(w, typed, n, status ? &full : err);
    return status ? status : kept;
}
