/* choir complete: a person (or a pipe) and the model write one text in turns. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/complete/complete.h"
#include "cli/prompt.h"
#include "cli/report.h"
#include "cli/sandbox.h"
#include "cli/signals.h"

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

static bool begins_block(const char *line, size_t n)
{
    return n >= 3 && memcmp(line, "\"\"\"", 3) == 0;
}

size_t entry_skip(const writer *w, const char *line, size_t n)
{
    bool doubled = n > 1 && line[0] == '/' && line[1] == '/';
    return w->in_block ? 0 : begins_block(line, n) ? 3 : doubled ? 1 : 0;
}

/* One entry: a line, or a block.  *is_command: it begins with one slash. */
static editor_event read_entry(writer *w, text_buffer *entry, bool *is_command)
{
    const char *line;
    size_t n;
    entry->n = 0;
    w->entry = entry;
    w->in_block = false;
    *is_command = false;
    editor_event event = editor_read(w->editor, "> ", true, &line, &n);
    if (event != EDITOR_LINE) {
        return event;
    }
    size_t skip = entry_skip(w, line, n);
    *is_command = n > 0 && line[0] == '/' && skip == 0 && !memchr(line, '\n', n); /* several lines are text */
    if (text_append(entry, line + skip, n - skip)) {
        errno = ENOMEM;
        return EDITOR_ERROR;
    }
    w->in_block = begins_block(line, n);
    return w->in_block ? read_block(w, entry) : EDITOR_LINE;
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
            status = base_fail(err, errno == ENOMEM ? CHOIR_RESOURCE : CHOIR_IO, "stdin: %s", strerror(errno));
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
        return sandbox_enter(s, err);
    }
    choir_status status = prompt_read(&text, o, &s->term, err);
    if (status) {
        return status;
    }
    status = sandbox_enter(s, err);
    if (status) {
        prompt_free(&text);
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
        return base_fail(err, CHOIR_USAGE, "-f -: complete reads what you type from stdin");
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
    if (w->interactive) {
        signals_terminal();
    }
    w->hooks = (editor_hooks){.user = w, .complete = on_complete, .suggest = on_suggest};
    w->editor = editor_open(&s->term, &w->hooks);
    return w->editor ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory for the line editor");
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
    if (signals_pending() == SIGHUP && s->out.error == EIO) {
        s->out.error = 0; /* the terminal that is gone cannot be written: that is no other failure */
    }
    int code = session_end(s, status, &err);
    writer_forget_ahead(&w);
    choir_sequence_close(w.seq);
    story_close(&w.story);
    settings_close(&w);
    free(w.fresh.at);
    return code;
}
