/* What fits.  Every flag that is named is one whose account was taken and is small enough. */
#include "cli/fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/report.h"

enum {
    ADVICE_CAP = 160,
    LEAST_CTX = 16,  /* below it a context is of no use */
    USUAL_CTX = 512, /* what is to fit behind weights when no context was asked for */
    LEAST_BATCH = 16
};

typedef struct fit {
    const session *s;
    const choir_model *model;
    choir_engine_options opt;
    const char *prefix;  /* "FILE: " */
    choir_memory need;   /* of opt */
    uint64_t room;       /* for all of it */
    uint64_t free_total; /* of the machine, the weights that are there already included */
    bool limited;        /* by --mem-limit */
    char advice[ADVICE_CAP];
} fit;

static uint64_t total_of(const choir_model *model, const choir_engine_options *opt)
{
    choir_memory m;
    choir_error ignored;
    return choir_memory_account(&m, model, opt, &ignored) == CHOIR_OK ? m.total : UINT64_MAX;
}

static bool has_flag(const fit *f, const char *name)
{
    return option_find(f->s->opt->command->command, name) != NULL;
}

static void advise(fit *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void advise(fit *f, const char *format, ...)
{
    size_t used = strlen(f->advice);
    if (used > 0 && used + 4 < sizeof f->advice) {
        used += (size_t)snprintf(f->advice + used, sizeof f->advice - used, " or ");
    }
    va_list args;
    va_start(args, format);
    vsnprintf(f->advice + used, sizeof f->advice - used, format, args);
    va_end(args);
}

/* false: it cannot be accounted at all. */
static bool begin(fit *f, const session *s, const choir_model *model, bool loaded, const choir_engine_options *opt)
{
    choir_error ignored;
    choir_model_info info;
    *f = (fit){.s = s, .model = model, .opt = *opt, .prefix = ""};
    choir_model_describe(model, &info);
    if (f->opt.ctx_size == 0) {
        f->opt.ctx_size = info.max_seq_len < USUAL_CTX ? info.max_seq_len : USUAL_CTX;
    }
    if (choir_memory_account(&f->need, model, &f->opt, &ignored) != CHOIR_OK) {
        return false;
    }
    f->free_total = f->need.free + (loaded ? f->need.weights : 0);
    f->limited = opt->mem_limit > 0 && opt->mem_limit < f->free_total;
    f->room = f->limited ? opt->mem_limit : f->free_total;
    return true;
}

/* What is free changes from moment to moment; a limit does not. */
static uint64_t usable(const fit *f)
{
    return f->limited ? f->room : f->room - f->room / 32;
}

static int32_t longest_ctx(const fit *f)
{
    choir_engine_options o = f->opt;
    int32_t low = 0, high = o.ctx_size;
    while (low < high) {
        o.ctx_size = high - (high - low) / 2;
        if (total_of(f->model, &o) <= usable(f)) {
            low = o.ctx_size;
        } else {
            high = o.ctx_size - 1;
        }
    }
    return low;
}

static void advise_ctx(fit *f)
{
    const int32_t n = longest_ctx(f);
    if (n < LEAST_CTX) {
        return;
    }
    if (has_flag(f, "ctx-size")) {
        advise(f, "-c %d", (int)n);
    } else {
        advise(f, "-p, -n and -d of %d tokens together", (int)n);
    }
}

static void advise_kv_type(fit *f)
{
    static const char *const smaller[] = {"f16", "q8_0"};
    choir_engine_options o = f->opt;
    for (size_t i = strcmp(o.kv_type, "f32") == 0 ? 0 : 1; i < sizeof smaller / sizeof *smaller; i++) {
        o.kv_type = smaller[i];
        if (strcmp(f->opt.kv_type, o.kv_type) != 0 && total_of(f->model, &o) <= usable(f)) {
            advise(f, "--kv-type %s", o.kv_type);
            return;
        }
    }
}

static void advise_halves(fit *f)
{
    choir_engine_options o = f->opt;
    for (o.batch /= 2; o.batch >= LEAST_BATCH; o.batch /= 2) {
        if (total_of(f->model, &o) <= usable(f)) {
            advise(f, "-b %d", (int)o.batch);
            break;
        }
    }
    o.batch = f->opt.batch;
    for (o.n_seqs /= 2; f->s->opt->command->command == CMD_BENCH && o.n_seqs >= 1; o.n_seqs /= 2) {
        if (total_of(f->model, &o) <= usable(f)) {
            advise(f, "--n-seqs %d", (int)o.n_seqs);
            break;
        }
    }
}

/* The best type that makes everything fit. */
static void advise_quant(fit *f, const choir_model_options *how)
{
    static const char *const types[] = {"q8_0", "q6_K", "q5_K_M", "q4_K_M", "q4_0", "q3_K", "q2_K"};
    choir_model_options o = *how;
    o.headers_only = o.text_optional = true;
    o.progress = NULL;
    o.warn = NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        choir_model *smaller;
        choir_error ignored;
        o.quant = types[i];
        if (choir_model_open(&smaller, &o, &ignored) != CHOIR_OK) {
            continue;
        }
        const bool fits = total_of(smaller, &f->opt) <= usable(f);
        choir_model_close(smaller);
        if (fits) {
            advise(f, "--quant %s", types[i]);
            return;
        }
    }
}

static void advise_mmap(fit *f, const choir_model_options *how)
{
    choir_model *mapped;
    choir_model_options o = *how;
    choir_error ignored;
    o.mmap = o.text_optional = true;
    o.warn = NULL;
    if (how->mmap || how->quant || choir_model_open(&mapped, &o, &ignored) != CHOIR_OK) {
        return;
    }
    if (total_of(mapped, &f->opt) <= usable(f)) {
        advise(f, "--mmap");
    }
    choir_model_close(mapped);
}

static void advise_limit(fit *f)
{
    const uint64_t mib = 1048576;
    if (f->limited && f->need.total <= f->free_total - f->free_total / 32) {
        advise(f, "--mem-limit %lluM", (unsigned long long)((f->need.total + mib - 1) / mib));
    }
}

static choir_status tell(fit *f, choir_error *err)
{
    char total[BYTES_CAP], weights[BYTES_CAP], kv[BYTES_CAP], activations[BYTES_CAP], room[BYTES_CAP], texts[24] = "";
    const choir_memory *m = &f->need;
    format_bytes(total, sizeof total, m->total);
    format_bytes(room, sizeof room, f->room);
    if (strcmp(total, room) == 0) { /* as exactly as shows a difference */
        snprintf(total, sizeof total, "%.1f MiB", (double)m->total / 1048576);
        snprintf(room, sizeof room, "%.1f MiB", (double)f->room / 1048576);
    }
    if (strcmp(total, room) == 0) {
        snprintf(total, sizeof total, "%llu bytes", (unsigned long long)m->total);
        snprintf(room, sizeof room, "%llu bytes", (unsigned long long)f->room);
    }
    if (f->opt.n_seqs > 1) {
        snprintf(texts, sizeof texts, "%d texts of ", (int)f->opt.n_seqs);
    }
    return base_fail(err, CHOIR_RESOURCE,
                     "%sneeds %s: weights %s, keys and values %s for %s%d tokens, activations %s; %s %s%s%s", f->prefix,
                     total, format_bytes(weights, sizeof weights, m->weights), format_bytes(kv, sizeof kv, m->kv),
                     texts, (int)f->opt.ctx_size, format_bytes(activations, sizeof activations, m->activations), room,
                     f->limited ? "allowed by --mem-limit" : "free", *f->advice ? "; this fits: " : "", f->advice);
}

static choir_status explain(fit *f, choir_error *err)
{
    advise_ctx(f);
    advise_kv_type(f);
    advise_halves(f);
    advise_limit(f);
    return tell(f, err);
}

choir_status fit_check(const session *s, const choir_model *headers, const choir_engine_options *opt, choir_error *err)
{
    fit f;
    if (!begin(&f, s, headers, false, opt) || f.need.total <= f.room || f.need.weights > f.room) {
        return CHOIR_OK; /* too much for weights alone: opening the model tells */
    }
    return explain(&f, err);
}

choir_status fit_explain_engine(const session *s, const choir_model *model, const choir_engine_options *opt,
                                choir_error *err)
{
    fit f;
    if (err->code != CHOIR_RESOURCE || !begin(&f, s, model, true, opt) || f.need.total <= f.room) {
        return err->code;
    }
    return explain(&f, err);
}

choir_status fit_explain_model(const session *s, const choir_model_options *opt, choir_error *err)
{
    fit f;
    char name[BASE_ESCAPE_CAP], prefix[BASE_ESCAPE_CAP + 4];
    choir_model *headers;
    choir_error ignored;
    choir_engine_options engine;
    choir_model_options o = *opt;
    o.headers_only = o.text_optional = true;
    o.progress = NULL;
    o.warn = NULL;
    if (err->code != CHOIR_RESOURCE || opt->mmap || choir_model_open(&headers, &o, &ignored) != CHOIR_OK) {
        return err->code;
    }
    session_engine_options(s, &engine);
    choir_status status = err->code;
    if (begin(&f, s, headers, false, &engine) && f.need.total > f.room) {
        const char *path = opt->path ? opt->path : "(built-in)";
        snprintf(prefix, sizeof prefix, "%s: ", base_escape_str(name, path));
        f.prefix = prefix;
        advise_quant(&f, opt);
        advise_mmap(&f, opt);
        advise_limit(&f);
        status = tell(&f, err);
    }
    choir_model_close(headers);
    return status;
}
