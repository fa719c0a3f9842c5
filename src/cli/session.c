/* Opening what a command needs, in one place, so that -m, CHOIR_MODEL, CHOIR_CPU, OMP_NUM_THREADS, progress and warnings
 * mean the same everywhere. */
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/fit.h"
#include "cli/generation.h"
#include "cli/hub.h"
#include "cli/options/numbers.h"
#include "cli/signals.h"

typedef struct loading {
    const terminal *term;
    progress bar;
} loading;

static int on_progress(void *user, uint64_t done, uint64_t total)
{
    loading *l = user;
    progress_draw(&l->bar, done, total);
    return signals_pending();
}

static void on_warning(void *user, const char *line)
{
    loading *l = user;
    progress_end(&l->bar);
    warning(l->term, line);
}

int session_threads(const options *o)
{
    int64_t n;
    char first[8];
    if (o->threads > 0) {
        return o->threads;
    }
    const char *omp = getenv("OMP_NUM_THREADS");
    if (!omp) {
        return 0;
    }
    size_t len = strcspn(omp, ","); /* one number a nesting level */
    if (len >= sizeof first) {
        return 0;
    }
    memcpy(first, omp, len);
    first[len] = '\0';
    return number_int(&n, first, 1, 1024) ? (int)n : 0;
}

static const char *wanted_model(const options *o)
{
    if (o->model) {
        return o->model;
    }
    const char *env = getenv("CHOIR_MODEL");
    return env && *env ? env : NULL;
}

/* --cpu, else CHOIR_CPU, which is held to the same names. */
static choir_status wanted_cpu(const char **cpu, const options *o, choir_error *err)
{
    const char *env = getenv("CHOIR_CPU");
    *cpu = o->cpu;
    if (o->cpu || !env || !*env) {
        return CHOIR_OK;
    }
    options read = *o;
    choir_status status = option_set(&read, option_find(CMD_GENERATE, "cpu"), "CHOIR_CPU", env, err);
    *cpu = status ? NULL : read.cpu;
    return status;
}

/* With --mmap a file that shrinks while in use is a SIGBUS. */
static void watch_mapped(session *s)
{
    char name[BASE_ESCAPE_CAP];
    const char *path = s->model_path ? s->model_path : "(built-in)";
    snprintf(s->mapped_line, sizeof s->mapped_line, "choir: %s: file changed or became unreadable while in use\n",
             base_escape_str(name, path));
    signals_mapped(s->mapped_line);
}

/* A context that was asked for is held against what there is before minutes go into loading.  Where a command's engine is
 * not the usual one, that is known only when it is opened. */
static choir_status check_context(const session *s, const choir_model_options *how, choir_error *err)
{
    choir_model *headers;
    choir_error ignored;
    choir_engine_options engine;
    choir_model_options o = *how;
    o.headers_only = true;
    o.progress = NULL;
    o.warn = NULL;
    const options *p = s->opt;
    const bool plain = p->command->command == CMD_GENERATE && p->n_samples == 1 && p->beams == 0 && p->logprobs < 0;
    if (p->ctx_size == 0 || !plain || how->mmap || choir_model_open(&headers, &o, &ignored) != CHOIR_OK) {
        return CHOIR_OK;
    }
    session_engine_options(s, &engine);
    choir_status status = fit_check(s, headers, &engine, err);
    choir_model_close(headers);
    return status;
}

/* name: as on the command line; NULL: the built-in model.  *path: where it lies. */
static choir_status open_model(choir_model **out, char **path, session *s, const char *flag, const char *name,
                               bool headers, choir_error *err)
{
    const options *o = s->opt;
    loading load = {.term = &s->term};
    choir_model_options opt;
    choir_model_options_default(&opt);
    choir_status status = wanted_cpu(&opt.cpu, o, err);
    if (!status && name) {
        status = *name ? hub_find(path, name, err)
                       : base_fail(err, CHOIR_IO, "\"\": No such file or directory (%s is empty)", flag);
    }
    if (status) {
        return status;
    }
    opt.path = *path;
    opt.tokenizer = o->tokenizer;
    opt.quant = o->quant;
    opt.mmap = o->mmap;
    opt.headers_only = headers;
    opt.text_optional = o->command->command == CMD_BENCH; /* which needs ids only */
    opt.n_threads = session_threads(o);
    opt.mem_limit = o->mem_limit;
    opt.progress = on_progress;
    opt.warn = on_warning;
    opt.user = &load;
    if (o->mmap) {
        watch_mapped(s);
    }
    const bool draft = strcmp(flag, "--draft") == 0;
    status = headers || draft ? CHOIR_OK : check_context(s, &opt, err);
    if (status) {
        return status;
    }
    progress_begin(&load.bar, &s->term, "loading");
    status = choir_model_open(out, &opt, err);
    progress_end(&load.bar);
    return status ? fit_explain_model(s, &opt, err) : CHOIR_OK;
}

choir_status session_open_model(session *s, bool headers, choir_error *err)
{
    choir_status status = open_model(&s->model, &s->model_path, s, "-m", wanted_model(s->opt), headers, err);
    if (!status) {
        choir_model_describe(s->model, &s->info);
    }
    if (!status && s->opt->draft && session_guesses(s) > 0 && !headers) {
        status = open_model(&s->draft_model, &s->draft_path, s, "--draft", s->opt->draft, false, err);
    }
    return status;
}

/* What a draft model is good for: each of its guesses costs a step of its own. */
enum { DRAFT_GUESSES = 8 };
/* Tokens in a step of it: between two of them it sees that all is to end. */
enum { DRAFT_BATCH = 64 };

int32_t session_guesses(const session *s)
{
    if (s->opt->n_samples > 1) {
        return 0; /* a step computes a token of each: guesses would make it no cheaper */
    }
    return s->opt->draft ? DRAFT_GUESSES : s->opt->speculate;
}

void session_engine_options(const session *s, choir_engine_options *opt)
{
    const options *o = s->opt;
    choir_engine_options_default(opt);
    opt->ctx_size = o->ctx_size;
    opt->batch = o->batch;
    opt->n_threads = session_threads(o);
    opt->kv_type = o->kv_type;
    opt->kv_block = o->kv_block;
    opt->mem_limit = o->mem_limit;
    opt->prefix_cache = !o->no_prefix_cache;
    opt->infinite = o->infinite;
    opt->n_sinks = o->n_sinks;
    if (session_guesses(s) > 0) {
        opt->max_logits = session_guesses(s) + 1;
    }
}

/* An engine for the draft model, with as long a context as it can have of the first one's. */
static choir_status open_draft(session *s, const choir_engine_options *like, choir_error *err)
{
    choir_model_info info;
    choir_engine_info engine;
    choir_engine_options opt = *like;
    choir_model_describe(s->draft_model, &info);
    choir_engine_describe(s->engine, &engine);
    opt.ctx_size = engine.ctx_size < info.max_seq_len ? engine.ctx_size : info.max_seq_len;
    opt.n_seqs = 1;
    opt.max_logits = 0;
    opt.batch = like->batch < DRAFT_BATCH ? like->batch : DRAFT_BATCH;
    choir_status status = choir_engine_open(&s->draft, s->draft_model, &opt, err);
    return status ? fit_explain_engine(s, s->draft_model, &opt, err) : CHOIR_OK;
}

/* A context that nobody asked for, and too short for most texts: told, as texts will end early. */
static void tell_short_context(const session *s, const choir_engine_options *asked)
{
    enum { SHORT_CTX = 256 };
    char line[160];
    choir_engine_info engine;
    choir_engine_describe(s->engine, &engine);
    if (asked->ctx_size == 0 && engine.ctx_size < SHORT_CTX && engine.ctx_size < s->info.max_seq_len) {
        snprintf(line, sizeof line,
                 "memory has room for a context of %d tokens only; a smaller -b leaves room for more",
                 (int)engine.ctx_size);
        warning(&s->term, line);
    }
}

choir_status session_open_engine(session *s, const choir_engine_options *opt, choir_error *err)
{
    const head_list *masked = &s->opt->mask_heads;
    choir_status status = choir_engine_open(&s->engine, s->model, opt, err);
    if (status) {
        return fit_explain_engine(s, s->model, opt, err);
    }
    tell_short_context(s, opt);
    if (masked->n > 0) {
        choir_error cause;
        status = choir_engine_mask_heads(s->engine, masked->at, masked->n, &cause);
        status = status ? base_fail(err, status, "--mask-heads: %s", cause.msg) : CHOIR_OK;
    }
    return status || !s->draft_model ? status : open_draft(s, opt, err);
}

choir_status session_open_chat(session *s, choir_error *err)
{
    return s->opt->chat ? choir_chat_open(&s->chat, s->model, s->opt->chat_template, err) : CHOIR_OK;
}

void session_close(session *s)
{
    signals_set(SIGNALS_EXIT, NULL);
    choir_chat_close(s->chat);
    choir_engine_close(s->draft);
    choir_model_close(s->draft_model);
    free(s->draft_path);
    choir_engine_close(s->engine);
    choir_model_close(s->model);
    free(s->model_path);
    s->draft = s->engine = NULL;
    s->draft_model = s->model = NULL;
    s->draft_path = s->model_path = NULL;
    s->chat = NULL;
}

int session_end(session *s, choir_status status, const choir_error *err)
{
    int signal = signals_pending();
    if (s->out.error) {
        return CHOIR_IO; /* stream_close tells it, or not when the reader went away */
    }
    if (signal) {
        if (s->term.verbose) {
            note(&s->term, "interrupted");
        }
        return 128 + signal;
    }
    if (status) {
        message(&s->term, "%s", err->msg);
    }
    return (int)status;
}

const char *session_model_name(const session *s)
{
    const char *path = s->info.path ? s->info.path : "";
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    for (size_t i = n; i > 0; i--) {
        if (path[i - 1] == '/' && i < n) {
            return path + i;
        }
    }
    return path;
}

json_t *json_text(const char *text, size_t n)
{
    char *repaired;
    choir_error err;
    json_t *value = json_stringn(text ? text : "", n);
    if (!value && choir_utf8_repair(&repaired, &n, text, n, &err) == CHOIR_OK) {
        value = json_stringn(repaired, n);
        free(repaired);
    }
    return value;
}

void json_add(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) != 0) {
        json_decref(*list);
        *list = NULL;
    }
}

static int append_json(const char *bytes, size_t n, void *text)
{
    return text_append(text, bytes, n);
}

choir_status session_print_json(session *s, json_t *value, choir_error *err)
{
    text_buffer line = {.n = 0};
    /* Not json_dumps: when memory runs out, it may leave a key out and say nothing. */
    bool whole = value && json_dump_callback(value, append_json, &line, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
    json_decref(value);
    whole = whole && text_append(&line, "\n", 1) == 0 && !line.failed;
    if (whole) {
        stream_write_line(&s->out, line.at, line.n);
    }
    free(line.at);
    return whole ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory for JSON");
}
