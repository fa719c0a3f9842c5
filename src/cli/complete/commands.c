/* The commands of `choir complete`: one table that /help is printed from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/new_file.h"
#include "cli/complete/complete.h"
#include "cli/kept.h"
#include "cli/options/numbers.h"
#include "cli/options/suggest.h"
#include "cli/prompt.h"

typedef choir_status command_fn(writer *w, const char *argument, choir_error *err);

typedef struct command {
    const char *name;
    const char *argument;
    const char *help;
    command_fn *run;
} command;

/* On a terminal, where the text is now: its last line or so. */
static void show_end(writer *w)
{
    const story_state *now = story_now(&w->story);
    const size_t most = 200;
    size_t from = now->n > most ? now->n - most : 0;
    if (!w->interactive || !w->s->term.out) {
        return;
    }
    while (from > 0 && from < now->n && ((unsigned char)now->text[from] & 0xc0) == 0x80) {
        from++;
    }
    stream_print(&w->s->out, "%s", from ? "..." : "");
    stream_write(&w->s->out, now->text + from, now->n - from);
    stream_end_line(&w->s->out, &w->s->term);
}

static choir_status run_undo(writer *w, const char *argument, choir_error *err)
{
    (void)argument;
    if (!story_undo(&w->story)) {
        return base_fail(err, CHOIR_USAGE, "/undo: this is the first state");
    }
    show_end(w);
    return writer_return(w, err);
}

static choir_status run_redo(writer *w, const char *argument, choir_error *err)
{
    (void)argument;
    if (!story_redo(&w->story)) {
        return base_fail(err, CHOIR_USAGE, "/redo: this is the last state");
    }
    show_end(w);
    return writer_return(w, err);
}

/* A count behind a command, or its default. */
static choir_status read_count(int64_t *n, const char *name, const char *argument, int64_t preset, int64_t most,
                               choir_error *err)
{
    char text[BASE_ESCAPE_CAP];
    *n = preset;
    if (!*argument || number_int(n, argument, 1, most)) {
        return CHOIR_OK;
    }
    return base_fail(err, CHOIR_USAGE, "%s: \"%s\" is not a whole number from 1 to %lld", name,
                     base_escape_str(text, argument), (long long)most);
}

static choir_status run_alt(writer *w, const char *argument, choir_error *err)
{
    int64_t n;
    if (w->s->chat) {
        return base_fail(err, CHOIR_USAGE, "/alt: not in a chat; /undo, and say it again");
    }
    choir_status status = read_count(&n, "/alt", argument, 3, MAX_ALTERNATIVES, err);
    return status ? status : alternatives_run(w, (int32_t)n, err);
}

static choir_status run_blocks(writer *w, const char *argument, choir_error *err)
{
    (void)argument;
    return blocks_show(w, err);
}

/* ---- /top -------------------------------------------------------------------------------------------- */

static choir_status need_logits(writer *w, choir_error *err)
{
    choir_status status = writer_sync(w, err);
    while (!status && choir_sequence_computed(w->seq) < choir_sequence_length(w->seq)) {
        status = choir_engine_step(w->s->engine, &w->seq, 1, err);
    }
    return status;
}

/* The k most likely ids, best first, equal ones by the lower id; insertion into a short list. */
static void top_ids(int32_t *ids, int64_t k, const float *logits, int32_t n)
{
    int64_t used = 0;
    for (int32_t id = 0; id < n; id++) {
        if (used == k && logits[id] <= logits[ids[k - 1]]) {
            continue;
        }
        int64_t at = used < k ? used++ : k - 1;
        while (at > 0 && logits[ids[at - 1]] < logits[id]) {
            ids[at] = ids[at - 1];
            at--;
        }
        ids[at] = id;
    }
}

static choir_status run_top(writer *w, const char *argument, choir_error *err)
{
    int32_t ids[100] = {0};
    int64_t k;
    int32_t vocab = w->s->info.vocab_size;
    choir_status status = read_count(&k, "/top", argument, 10, (int64_t)(sizeof ids / sizeof *ids), err);
    status = status ? status : need_logits(w, err);
    const float *logits = status ? NULL : choir_sequence_logits(w->seq);
    if (!logits) {
        return status ? status : base_fail(err, CHOIR_INTERNAL, "/top: no logits");
    }
    k = k < vocab ? k : vocab;
    top_ids(ids, k, logits, vocab);
    double sum = 0;
    for (int32_t id = 0; id < vocab; id++) {
        sum += exp((double)logits[id] - (double)logits[ids[0]]);
    }
    for (int64_t i = 0; i < k; i++) {
        char text[BASE_ESCAPE_CAP];
        size_t n;
        const char *piece = choir_piece(w->s->model, ids[i], &n);
        double share = exp((double)logits[ids[i]] - (double)logits[ids[0]]) / sum;
        stream_print(&w->s->out, "%6.2f %%  %6d  %s\n", 100 * share, (int)ids[i],
                     base_escape(text, piece ? piece : "", n));
    }
    return CHOIR_OK;
}

/* ---- the rest ---------------------------------------------------------------------------------------- */

static choir_status run_set(writer *w, const char *argument, choir_error *err)
{
    char name[64];
    size_t n = strcspn(argument, " ");
    if (!*argument) {
        settings_show(w);
        return CHOIR_OK;
    }
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), argument);
    return settings_set(w, name, argument[n] ? argument + n + 1 : "", err);
}

static choir_status run_show(writer *w, const char *argument, choir_error *err)
{
    (void)argument;
    (void)err;
    const story_state *now = story_now(&w->story);
    stream_write(&w->s->out, now->text, now->n);
    if (now->n > 0 && w->s->out.line_open) {
        stream_write(&w->s->out, "\n", 1);
    }
    return CHOIR_OK;
}

/* The sequence, brought to the text: what is not computed yet will be when it is loaded. */
static choir_status save_kept(writer *w, const char *path, choir_error *err)
{
    choir_status status = writer_sync(w, err);
    return status ? status : choir_sequence_save(w->seq, path, err);
}

/* What was kept becomes the sequence, and its text a new state. */
static choir_status load_kept(writer *w, const char *path, choir_error *err)
{
    char *text = NULL;
    size_t n = 0;
    choir_engine_info engine;
    choir_status status = kept_continue(w->s, w->seq, path, NULL, 0, err);
    if (status == CHOIR_RESOURCE) { /* former states hold the blocks */
        choir_engine_describe(w->s->engine, &engine);
        writer_make_room(w, engine.ctx_size);
        status = kept_continue(w->s, w->seq, path, NULL, 0, err);
    }
    if (status) {
        return status; /* the sequence is as before */
    }
    status = kept_text(&text, &n, w->s, w->seq, err);
    status = status ? status : story_push(&w->story, 0, text, n, err);
    if (!status) {
        status = story_keep_ids(&w->story, choir_sequence_ids(w->seq), (size_t)choir_sequence_length(w->seq), err);
    }
    w->exact = !status;
    writer_hold(w);
    show_end(w);
    free(text);
    return status;
}

static choir_status run_save(writer *w, const char *argument, choir_error *err)
{
    char path[PATH_MAX];
    const story_state *now = story_now(&w->story);
    if (!*argument) {
        return base_fail(err, CHOIR_USAGE, "/save needs a file");
    }
    argument = path_at_home(path, argument);
    return kept_is_name(argument) ? save_kept(w, argument, err)
                                  : base_new_file_put(argument, now->n ? now->text : "", now->n, err);
}

/* A text that the context cannot hold would stop every turn after it. */
static choir_status check_length(writer *w, const char *path, const prompt *file, choir_error *err)
{
    char name[BASE_ESCAPE_CAP];
    int32_t *ids = NULL;
    size_t n = 0;
    choir_engine_info engine;
    choir_engine_describe(w->s->engine, &engine);
    choir_status status = choir_tokenize(&ids, &n, w->s->model, file->text, file->n, true, err);
    free(ids);
    if (!status && n > (size_t)engine.ctx_size) {
        status = base_fail(err, CHOIR_PROMPT, "%s: %zu tokens, the context is %d", base_escape_str(name, path), n,
                           (int)engine.ctx_size);
    }
    return status;
}

static choir_status run_load(writer *w, const char *argument, choir_error *err)
{
    prompt file;
    char path[PATH_MAX];
    argument = path_at_home(path, argument);
    if (kept_is_name(argument)) {
        return load_kept(w, argument, err);
    }
    if (!*argument || w->s->chat) {
        return base_fail(err, CHOIR_USAGE, "%s", w->s->chat ? "/load: not in a chat" : "/load needs a file");
    }
    choir_status status = prompt_read_file(&file, argument, w->opt.lossy, err);
    if (!status) {
        status = check_length(w, argument, &file, err);
        if (status) {
            prompt_free(&file);
            return status;
        }
        status = story_push(&w->story, 0, file.text, file.n, err);
        prompt_free(&file);
        w->exact = false;
        show_end(w);
    }
    return status;
}

static choir_status run_quit(writer *w, const char *argument, choir_error *err)
{
    (void)argument;
    (void)err;
    w->quit = true;
    return CHOIR_OK;
}

static choir_status run_help(writer *w, const char *argument, choir_error *err);

static const command commands[] = {
    {"undo", "", "take back the last turn", run_undo},
    {"redo", "", "and give it again", run_redo},
    {"alt", "[N]", "N ways to go on (3); pick one by its number", run_alt},
    {"blocks", "", "the blocks of the KV cache: who shares what", run_blocks},
    {"top", "[K]", "the K most likely next tokens (10)", run_top},
    {"set", "[NAME VALUE]", "a setting, as temp 0.5; without a name: all of them", run_set},
    {"show", "", "the whole text", run_show},
    {"save", "FILE", "write the text to FILE; FILE.kv: with its cache", run_save},
    {"load", "FILE", "take the text from FILE, or all from FILE.kv", run_load},
    {"help", "", "this list", run_help},
    {"quit", "", "end; Ctrl-D does it too", run_quit},
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

const char *command_name(size_t i)
{
    return i < N_COMMANDS ? commands[i].name : NULL;
}

static choir_status run_help(writer *w, const char *argument, choir_error *err)
{
    (void)argument;
    (void)err;
    stream *out = &w->s->out;
    stream_print(out, "%s  An empty line: more.  Ctrl-C stops.\n",
                 w->s->chat ? "Type what you say: the model replies." : "Type a text: the model goes on from it.");
    stream_print(out, "\"\"\" begins and ends a text of several lines, // one that begins with a slash.\n"
                      "Tab shows how the model would go on; Tab again or Right takes it.  After / it\n"
                      "completes names.\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        char left[32];
        snprintf(left, sizeof left, "/%s %s", commands[i].name, commands[i].argument);
        stream_print(out, "  %-19s %s\n", left, commands[i].help);
    }
    return CHOIR_OK;
}

choir_status command_run(writer *w, const char *line, size_t n, choir_error *err)
{
    char text[BASE_ESCAPE_CAP], near[32] = "";
    char *copy = strndup(line + 1, n - 1);
    if (!copy) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    size_t name_bytes = strcspn(copy, " ");
    char *argument = copy + name_bytes;
    argument += strspn(argument, " ");
    copy[name_bytes] = '\0';
    suggestion s;
    suggest_begin(&s, copy);
    choir_status status = CHOIR_USAGE;
    const command *found = NULL;
    for (size_t i = 0; i < N_COMMANDS && !found; i++) {
        found = strcmp(commands[i].name, copy) == 0 ? &commands[i] : NULL;
        suggest_add(&s, commands[i].name);
    }
    writer_forget_ahead(w); /* it holds blocks, and may be of a text that is undone */
    if (found) {
        status = found->run(w, argument, err);
    } else {
        if (s.best) {
            snprintf(near, sizeof near, "; did you mean /%s?", s.best);
        }
        base_fail(err, CHOIR_USAGE, "unknown command /%s%s (see /help)", base_escape_str(text, copy), near);
    }
    free(copy);
    return status;
}
