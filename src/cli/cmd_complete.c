/* choir complete: a person (or a pipe) and the model write one text in turns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/prompt.h"
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

/* Makes the sequence's ids these; what both have at the beginning is kept as it is. */
static choir_status go_to(writer *w, const int32_t *ids, size_t n, choir_error *err)
{
    const int32_t *old = choir_sequence_ids(w->seq);
    size_t n_old = (size_t)choir_sequence_length(w->seq), same = 0;
    if (n == 0) {
        return fail(err, CHOIR_PROMPT, "there is no text yet to go on from");
    }
    while (same < n && same < n_old && old[same] == ids[same]) {
        same++;
    }
    choir_sequence_truncate(w->seq, (int32_t)same);
    return choir_sequence_append(w->seq, ids + same, n - same, err);
}

static choir_status sync_ids(writer *w, const char *text, size_t bytes, choir_error *err)
{
    int32_t *ids = NULL;
    size_t n = 0;
    choir_status status = choir_tokenize(&ids, &n, w->s->model, text, bytes, true, err);
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
        status = all ? CHOIR_OK : fail(err, CHOIR_RESOURCE, "out of memory for the text");
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

static int on_text(void *user, const char *text, size_t n)
{
    writer *w = user;
    int stop = text_append(&w->fresh, text, n);
    return stop | stream_write(&w->s->out, text, n);
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
    signals_set(w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_CANCEL, w->s->engine);
    choir_status status = choir_generate(&r, w->seq, &g, err);
    signals_set(w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_EXIT, w->s->engine);
    bool whole = !status && r.finish != CHOIR_FINISH_CALLER;
    if (!w->fresh.failed) {
        w->fresh.n -= r.n_replaced; /* the next turn makes the cut character anew, whole */
    }
    /* With a stop string, a break or a cut character the sequence may hold more than the text shows. */
    w->exact = whole && r.n_replaced == 0 && (r.finish == CHOIR_FINISH_LENGTH || w->opt.stops.n == 0);
    if (w->s->term.verbose) {
        report_timings(w->s, &r);
    }
    if (whole && r.context_full && !w->s->term.quiet) {
        warning(&w->s->term, "the context is full");
    }
    return status == CHOIR_CANCELLED || w->s->out.interrupted ? CHOIR_OK : status;
}

/* Brings the sequence to the text so far + typed.  The story stays as it is: a text that is refused leaves no state. */
static choir_status prepare(writer *w, const char *typed, size_t n, choir_error *err)
{
    size_t valid = n > 0 ? choir_utf8_valid(typed, n) : 0;
    if (valid < n) {
        return fail(err, CHOIR_PROMPT, "invalid UTF-8 at byte %zu of the line", valid);
    }
    const story_state *now = story_now(&w->story);
    text_buffer joined = {0};
    choir_status status = CHOIR_OK;
    if (w->s->chat) {
        status = sync_turn(w, typed, n, err);
    } else if (text_append(&joined, now->text, now->n) || text_append(&joined, typed, n)) {
        status = fail(err, CHOIR_RESOURCE, "out of memory for the text");
    } else if (n > 0 || !w->exact) {
        status = sync_ids(w, joined.at ? joined.at : "", joined.n, err);
    }
    free(joined.at);
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
        size_t n_ids = (size_t)choir_sequence_length(w->seq);
        status = story_extend(&w->story, "\n", 1, err);
        status = status ? status : story_keep_ids(&w->story, choir_sequence_ids(w->seq), n_ids, err);
        w->exact = true;
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
    if (w->s->out.line_open) {
        stream_write(&w->s->out, "\n", 1);
    }
    choir_status kept = keep_turn(w, typed, n, status ? &full : err);
    return status ? status : kept;
}

/* ---- input ------------------------------------------------------------------------------------------- */

static bool ends_block(const text_buffer *t)
{
    return t->n >= 3 && memcmp(t->at + t->n - 3, "\"\"\"", 3) == 0;
}

/* Goes on reading after a line that began with three quotes, until one ends with them or the input ends. */
static editor_event read_block(writer *w, text_buffer *entry)
{
    editor_event event = EDITOR_LINE;
    while (event == EDITOR_LINE && !ends_block(entry)) {
        const char *line;
        size_t n;
        event = editor_read(w->editor, "| ", true, &line, &n);
        if (event == EDITOR_LINE && (text_append(entry, "\n", 1) || text_append(entry, line, n))) {
            errno = ENOMEM;
            event = EDITOR_ERROR;
        }
    }
    if (event == EDITOR_LINE) {
        entry->n -= 3;
    }
    return event == EDITOR_END ? EDITOR_LINE : event; /* the end of input closes a block too */
}

/* One entry: a line, or a block.  *is_command: it begins with one slash. */
static editor_event read_entry(writer *w, text_buffer *entry, bool *is_command)
{
    const char *line;
    size_t n;
    entry->n = 0;
    *is_command = false;
    editor_event event = editor_read(w->editor, "> ", true, &line, &n);
    if (event != EDITOR_LINE) {
        return event;
    }
    bool block = n >= 3 && memcmp(line, "\"\"\"", 3) == 0;
    bool slash = n > 0 && line[0] == '/';
    bool doubled = slash && n > 1 && line[1] == '/';
    size_t skip = block ? 3 : doubled ? 1 : 0;
    *is_command = slash && !doubled;
    if (text_append(entry, line + skip, n - skip)) {
        errno = ENOMEM;
        return EDITOR_ERROR;
    }
    return block ? read_block(w, entry) : EDITOR_LINE;
}

/* Entries until the end of input, /quit, or a signal that is no Ctrl-C. */
static choir_status converse(writer *w, choir_error *err)
{
    text_buffer entry = {0};
    choir_status status = CHOIR_OK;
    while (!w->quit && !w->s->out.error) {
        bool is_command;
        editor_event event = read_entry(w, &entry, &is_command);
        if (event == EDITOR_END) {
            stream_print(&w->s->out, "%s", w->interactive && w->s->term.out ? "\n" : "");
            break;
        }
        if (event == EDITOR_ERROR) {
            status = fail(err, errno == ENOMEM ? CHOIR_RESOURCE : CHOIR_IO, "stdin: %s", strerror(errno));
            break;
        }
        if (event == EDITOR_LINE) {
            choir_error said;
            choir_status failed = is_command ? command_run(w, entry.at, entry.n, &said)
                                             : writer_turn(w, entry.n ? entry.at : "", entry.n, &said);
            if (failed && !w->s->out.error && failed != CHOIR_CANCELLED) {
                message(&w->s->term, "%s", said.msg);
            }
        }
        if (signals_pending() == 0) {
            continue;
        }
        if (w->interactive) {
            signals_clear();
            stream_print(&w->s->out, "%s", event == EDITOR_SIGNAL && w->s->term.out ? "\n" : "");
            w->s->out.interrupted = false;
        }
        if (signals_pending()) {
            break;
        }
    }
    free(entry.at);
    return status;
}

static choir_status begin(writer *w, choir_error *err)
{
    session *s = w->s;
    const options *o = s->opt;
    prompt text;
    if (!o->prompt && !o->file) {
        if (w->interactive && s->term.out && !s->term.quiet) {
            note(&s->term, "choir %s, %s: type a text; /help for more, Ctrl-D ends", choir_version(),
                 session_model_name(s));
        }
        return CHOIR_OK;
    }
    choir_status status = prompt_read(&text, o, &s->term, err);
    if (status) {
        return status;
    }
    if (w->interactive && s->term.out) {
        stream_write(&s->out, text.text, text.n);
        stream_print(&s->out, "%s", s->chat ? "\n" : "");
    }
    status = writer_turn(w, text.text, text.n, err);
    prompt_free(&text);
    return status;
}

static choir_status open_writer(writer *w, choir_error *err)
{
    session *s = w->s;
    choir_engine_options opt;
    if (s->opt->file && strcmp(s->opt->file, "-") == 0) {
        return fail(err, CHOIR_USAGE, "-f -: complete reads what you type from stdin");
    }
    choir_status status = settings_open(w, err);
    status = status ? status : choir_sampling_check(&w->sampling, err);
    status = status ? status : story_open(&w->story, err);
    status = status ? status : session_open_model(s, false, err);
    status = status ? status : session_open_chat(s, err);
    if (status) {
        return status;
    }
    session_engine_options(s, &opt);
    opt.n_seqs = 2; /* the text, and forks of it */
    opt.max_logits = opt.max_logits > MAX_ALTERNATIVES ? opt.max_logits : MAX_ALTERNATIVES; /* which run together */
    status = session_open_engine(s, &opt, err);
    status = status ? status : choir_sequence_open(&w->seq, s->engine, &w->sampling, err);
    if (status) {
        return status;
    }
    report_setup(s, w->sampling.seed);
    signals_set(w->interactive ? SIGNALS_INTERACTIVE : SIGNALS_EXIT, s->engine);
    w->editor = editor_open(&s->term);
    return w->editor ? CHOIR_OK : fail(err, CHOIR_RESOURCE, "out of memory for the line editor");
}

int cmd_complete(session *s)
{
    choir_error err;
    writer w = {.s = s, .interactive = s->term.in};
    choir_status status = open_writer(&w, &err);
    status = status ? status : begin(&w, &err);
    if (w.interactive) {
        signals_clear();
        s->out.interrupted = false;
    }
    if (!status && !signals_pending()) {
        status = converse(&w, &err);
    }
    editor_close(w.editor);
    int code = session_end(s, status, &err);
    choir_sequence_close(w.seq);
    story_close(&w.story);
    settings_close(&w);
    free(w.fresh.at);
    return code;
}
