/* /set: the same rows, checks and messages as the flags of the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/complete/complete.h"
#include "cli/options/suggest.h"

static bool settable(const option_row *row)
{
    static const char *const others[] = {"max-tokens", "stop", "ignore-eos", "status"};
    if (!(row->commands & CMD_COMPLETE)) {
        return false;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(row->name, others[i]) == 0) {
            return true;
        }
    }
    return row->group == GROUP_SAMPLING;
}

/* The lists of the command line belong to the session; the writer gets its own. */
choir_status settings_open(writer *w, choir_error *err)
{
    const options *o = w->s->opt;
    w->opt = *o;
    w->opt.mask_heads = (head_list){0}; /* the engine's, which is open */
    w->opt.stops.at = calloc(o->stops.n + 1, sizeof *w->opt.stops.at);
    w->opt.biases.at = calloc(o->biases.n + 1, sizeof *w->opt.biases.at);
    if (!w->opt.stops.at || !w->opt.biases.at) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    if (o->stops.n > 0) {
        memcpy(w->opt.stops.at, o->stops.at, o->stops.n * sizeof *o->stops.at);
    }
    if (o->biases.n > 0) {
        memcpy(w->opt.biases.at, o->biases.at, o->biases.n * sizeof *o->biases.at);
    }
    generation_seed(&w->opt.sampling, o);
    w->opt.sampling.logit_bias = w->opt.biases.at;
    w->sampling = w->opt.sampling;
    return CHOIR_OK;
}

void settings_close(writer *w)
{
    options_free(&w->opt);
    for (size_t i = 0; i < w->n_kept; i++) {
        free(w->kept[i]);
    }
    free(w->kept);
}

/* A copy of value that lives as long as the writer. */
static const char *keep(writer *w, const char *value)
{
    char **more = realloc(w->kept, (w->n_kept + 1) * sizeof *more);
    if (!more) {
        return NULL;
    }
    w->kept = more;
    char *copy = strdup(value);
    if (copy) {
        w->kept[w->n_kept++] = copy;
    }
    return copy;
}

const char *setting_name(size_t i)
{
    for (const option_row *row = option_rows; row->name; row++) {
        if (settable(row) && i-- == 0) {
            return row->name;
        }
    }
    return NULL;
}

static choir_status unknown(const char *name, choir_error *err)
{
    char text[BASE_ESCAPE_CAP], near[64] = "";
    suggestion s;
    suggest_begin(&s, name);
    for (size_t i = 0; setting_name(i); i++) {
        suggest_add(&s, setting_name(i));
    }
    if (s.best) {
        snprintf(near, sizeof near, "; did you mean %s?", s.best);
    }
    return base_fail(err, CHOIR_USAGE, "/set: unknown name %s%s", base_escape_str(text, name), near);
}

static choir_status set_flag(writer *w, const option_row *row, const char *value, choir_error *err)
{
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0) {
        return base_fail(err, CHOIR_USAGE, "%s: on or off", row->name);
    }
    *(bool *)((char *)&w->opt + row->field) = on;
    return CHOIR_OK;
}

static choir_status set_value(writer *w, const option_row *row, const char *value, choir_error *err)
{
    if (row->kind == OPTION_FLAG) {
        return set_flag(w, row, value, err);
    }
    if (row->kind == OPTION_TEXTS && !*value) {
        w->opt.stops.n = 0;
        return CHOIR_OK;
    }
    if (row->kind == OPTION_BIAS && (!*value || strcmp(value, "none") == 0)) {
        w->opt.biases.n = 0;
        return CHOIR_OK;
    }
    const char *kept = keep(w, value);
    return kept ? option_set(&w->opt, row, row->name, kept, err) : base_fail(err, CHOIR_RESOURCE, "out of memory");
}

/* A fork with the new settings holds them against the model, as the next turn will. */
static choir_status check_with_model(writer *w, choir_error *err)
{
    choir_sequence *fork = NULL;
    choir_status status = choir_sampling_check(&w->opt.sampling, err);
    status = status ? status : choir_sequence_fork(&fork, w->seq, &w->opt.sampling, err);
    choir_sequence_close(fork);
    return status;
}

choir_status settings_set(writer *w, const char *name, const char *value, choir_error *err)
{
    char plain[48];
    snprintf(plain, sizeof plain, "%s", name);
    for (char *c = plain; *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    const option_row *row =
        plain[0] && !plain[1] ? option_find_letter(CMD_COMPLETE, plain[0]) : option_find(CMD_COMPLETE, plain);
    if (!row || !settable(row)) {
        return unknown(name, err);
    }
    choir_sampling before = w->opt.sampling;
    choir_status status = set_value(w, row, value, err);
    w->opt.sampling.logit_bias = w->opt.biases.at;
    w->opt.sampling.n_logit_bias = w->opt.biases.n;
    if (!status) {
        status = check_with_model(w, err);
    }
    if (status) {
        before.logit_bias = w->opt.biases.at;
        w->opt.sampling = before;
        w->opt.biases.n = before.n_logit_bias;
    }
    return status;
}

static void show_value(writer *w, const option_row *row)
{
    const char *field = (const char *)&w->opt + row->field;
    stream *out = &w->s->out;
    char text[BASE_ESCAPE_CAP];
    switch (row->kind) {
    case OPTION_FLAG:
        stream_print(out, "%s", *(const bool *)field ? "on" : "off");
        break;
    case OPTION_INT:
        stream_print(out, "%d", *(const int *)(const void *)field);
        break;
    case OPTION_REAL:
        stream_print(out, "%g", (double)*(const float *)(const void *)field);
        break;
    case OPTION_SEED:
        stream_print(out, "%llu", (unsigned long long)w->opt.sampling.seed);
        break;
    case OPTION_TEXTS:
        for (size_t i = 0; i < w->opt.stops.n; i++) {
            const char *stop = w->opt.stops.at[i];
            stream_print(out, "\"%s\" ", base_escape_str(text, stop));
        }
        break;
    case OPTION_BIAS:
        stream_print(out, "%s", w->opt.biases.n ? "" : "none");
        for (size_t i = 0; i < w->opt.biases.n; i++) {
            stream_print(out, "%d=%g ", (int)w->opt.biases.at[i].id, (double)w->opt.biases.at[i].bias);
        }
        break;
    case OPTION_NAME:
        stream_print(out, "%s", *(const char *const *)(const void *)field);
        break;
    default:
        stream_print(out, "%s", w->opt.sampling.samplers ? w->opt.sampling.samplers : row->help);
        break;
    }
}

void settings_show(writer *w)
{
    for (const option_row *row = option_rows; row->name; row++) {
        if (settable(row)) {
            stream_print(&w->s->out, "%-18s ", row->name);
            show_value(w, row);
            stream_print(&w->s->out, "\n");
        }
    }
}
