/* choir_quantize: a model from any container becomes a GGUF file of one type or mix.  Here: which tensors it has, of which
 * types; quantize_rows.c makes their bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/machine.h"
#include "engine/quantize.h"
#include "kernels/parallel.h"
#include "model/export.h"
#include "model/rope.h"
#include "weights/mix.h"

struct job {
    const choir_quantize_options *opt;
    choir_model *m; /* opened for its headers: set, config, tokenizer */
    const struct wts_mix *mix;
    struct wts_misfits misfits;
    struct eng_out_tensor *tensors;
    size_t n_tensors;
    float *freqs; /* [rope_dim / 2] rope_freqs.weight for a llama3 scaling, or NULL */
    struct mdl_export export;
    struct eng_out out;
};

/* The type of a tensor in the new file, which has its name and shape; from: its type so far. */
static choir_dtype type_for(struct job *j, choir_dtype from, const struct eng_out_tensor *o)
{
    if (!wts_is_mixed(o->name, o->n_dims, o->n_rows)) {
        return DTYPE_F32;
    }
    int layer;
    const struct wts_mix_model shape = mdl_mix_model(&j->m->config);
    const enum wts_place place = wts_place_of(o->name, j->m->config.tied_output, &layer);
    const choir_dtype wanted = wts_mix_type(j->mix, &shape, place, layer, o->n_cols);
    const choir_dtype fits = wts_type_that_fits(wanted, o->n_cols);
    if (fits != wanted) {
        wts_misfits_add(&j->misfits, wanted, o->n_cols);
    }
    if (fits == DTYPE_COUNT) { /* no block fits the width: stay a float */
        return dtype_table[from].block_len == 1 ? from : DTYPE_F16;
    }
    return fits;
}

static void add_tensor(struct job *j, const struct wts_tensor *src)
{
    struct eng_out_tensor *o = &j->tensors[j->n_tensors++];
    *o = (struct eng_out_tensor){
        .src = src, .n_dims = src->n_dims, .shape = src->shape, .n_rows = src->n_rows, .n_cols = src->n_cols};
    snprintf(o->name, sizeof o->name, "%s", src->name);
    o->type = type_for(j, src->type, o);
}

static void add_made(struct job *j, const struct mdl_export_tensor *t)
{
    struct eng_out_tensor *o = &j->tensors[j->n_tensors++];
    *o = (struct eng_out_tensor){
        .made = t, .n_dims = t->n_dims, .shape = t->shape, .n_rows = t->n_rows, .n_cols = t->n_cols};
    snprintf(o->name, sizeof o->name, "%s", t->name);
    o->type = type_for(j, t->type, o);
}

static void add_values(struct job *j, const char *name, const float *values, size_t n)
{
    struct eng_out_tensor *o = &j->tensors[j->n_tensors++];
    *o = (struct eng_out_tensor){
        .values = values, .n_dims = 1, .shape = &o->n_cols, .n_rows = 1, .n_cols = n, .type = DTYPE_F32};
    snprintf(o->name, sizeof o->name, "%s", name);
}

/* Names, types and shapes that GGUF wants. */
static choir_status add_folder_tensors(struct job *j, choir_error *err)
{
    choir_status status = mdl_export_make(&j->export, &j->m->config, j->m->set, j->opt->warn, j->opt->user, err);
    if (status != CHOIR_OK) {
        return status;
    }
    /* and three of our own */
    j->tensors = calloc(j->export.n_tensors + 3, sizeof *j->tensors);
    if (j->tensors == NULL) {
        return base_fail_memory(err, j->export.n_tensors * sizeof *j->tensors, "a tensor list");
    }
    for (size_t i = 0; i < j->export.n_tensors; i++) {
        add_made(j, &j->export.tensors[i]);
    }
    return CHOIR_OK;
}

/* GGUF says llama3 and longrope scalings by tensors of divisors. */
static choir_status make_freqs(struct job *j, choir_error *err)
{
    const struct mdl_config *c = &j->m->config;
    size_t n = (size_t)c->rope_dim / 2;
    if (c->rope[0].scaling == MDL_SCALING_LONGROPE) {
        add_values(j, "rope_factors_long.weight", c->rope_long, n);
        add_values(j, "rope_factors_short.weight", c->rope_short, n);
    }
    if (c->rope[0].scaling != MDL_SCALING_LLAMA3) {
        return CHOIR_OK;
    }
    struct mdl_config plain = *c;
    plain.rope[0].scaling = MDL_SCALING_NONE;
    double *scaled = base_array(2 * n, sizeof *scaled);
    j->freqs = base_array(n, sizeof *j->freqs);
    if (scaled == NULL || j->freqs == NULL) {
        free(scaled);
        return base_fail_memory(err, n * sizeof *scaled, "frequencies");
    }
    mdl_rope_inv_freq(scaled, c, 0, c->max_seq_len, NULL);
    mdl_rope_inv_freq(scaled + n, &plain, 0, c->max_seq_len, NULL);
    for (size_t i = 0; i < n; i++) {
        j->freqs[i] = (float)(scaled[n + i] / scaled[i]);
    }
    free(scaled);
    add_values(j, "rope_freqs.weight", j->freqs, n);
    return CHOIR_OK;
}

static choir_status list_tensors(struct job *j, choir_error *err)
{
    const struct wts_set *set = j->m->set;
    const char *unread = wts_first_unread(set);
    if (unread != NULL) { /* a file without it would be another model */
        return wts_why_missing(set, unread, err);
    }
    if (set->container == WTS_HF) {
        choir_status status = add_folder_tensors(j, err);
        return status == CHOIR_OK ? make_freqs(j, err) : status;
    }
    j->tensors = calloc(set->n_tensors + 1, sizeof *j->tensors);
    if (j->tensors == NULL) {
        return base_fail_memory(err, (set->n_tensors + 1) * sizeof *j->tensors, "a tensor list");
    }
    for (size_t i = 0; i < set->n_tensors; i++) {
        add_tensor(j, &set->tensors[i]);
    }
    return CHOIR_OK;
}

choir_status eng_not_source(const char *path, const struct wts_set *set, choir_error *err)
{
    struct stat out, in;
    if (stat(path, &out) != 0) {
        return CHOIR_OK;
    }
    for (size_t i = 0; i < set->n_tensors; i++) {
        const struct base_file *file = set->tensors[i].file;
        if (file->fd >= 0 && fstat(file->fd, &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
            char name[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_USAGE, "%s: is the model to be read; give the new file another name",
                             base_escape_str(name, path));
        }
    }
    return CHOIR_OK;
}

static void announce(struct job *j)
{
    for (size_t i = 0; i < j->n_tensors; i++) {
        const struct eng_out_tensor *o = &j->tensors[i];
        wts_writer_add(j->out.writer, o->name, o->type, o->n_dims, o->shape);
        j->out.bytes_all += eng_out_bytes(o);
    }
}

static choir_status write_file(struct job *j, choir_error *err)
{
    choir_status status = wts_writer_open(&j->out.writer, j->opt->out, err);
    if (status == CHOIR_OK) {
        status = eng_write_settings(j->out.writer, j->m, j->opt->tokenizer != NULL, j->mix->file_type, err);
    }
    if (status == CHOIR_OK) {
        announce(j);
        status = wts_writer_begin(j->out.writer, err);
    }
    for (size_t i = 0; i < j->n_tensors && status == CHOIR_OK; i++) {
        status = eng_write_tensor(&j->out, &j->tensors[i], err);
    }
    return status == CHOIR_OK ? wts_writer_finish(j->out.writer, err) : status;
}

/* What the new file cannot say, and what of it is not as asked for. */
static void warn_of_gaps(const struct job *j)
{
    const struct choir_model *m = j->m;
    if (j->opt->warn == NULL) {
        return;
    }
    if (m->tokenizer == NULL && m->container != WTS_GGUF) {
        j->opt->warn(j->opt->user, "no tokenizer found: the new file has no vocabulary; see --tokenizer");
    }
    if (m->n_eos > ENG_GGUF_EOS && m->container != WTS_GGUF) {
        j->opt->warn(j->opt->user, "more than three ids end a text; GGUF has room for three");
    }
    char line[WTS_MISFITS_CAP];
    if (wts_misfits_line(line, &j->misfits) != NULL) {
        j->opt->warn(j->opt->user, line);
    }
}

static choir_status read_options(struct job *j, const choir_quantize_options *opt, choir_error *err)
{
    const struct wts_mix *mix = wts_mix_by_name(opt->type);
    if (mix == NULL) {
        char text[BASE_ESCAPE_CAP], names[WTS_MIX_NAMES_CAP];
        return base_fail(err, CHOIR_USAGE, "type \"%.32s\" is not one of %s", base_escape_str(text, opt->type),
                         wts_mix_names(names));
    }
    if (opt->n_threads < 0 || opt->n_threads > PAR_MAX_THREADS) {
        return base_fail(err, CHOIR_USAGE, "--threads: %d (1 to %d allowed)", opt->n_threads, PAR_MAX_THREADS);
    }
    *j = (struct job){.opt = opt, .mix = opt->pure ? wts_mix_alike(mix->type) : mix};
    j->out = (struct eng_out){.n_threads = par_threads(opt->n_threads > 0 ? opt->n_threads : base_machine_cores()),
                              .progress = opt->progress,
                              .user = opt->user};
    return CHOIR_OK;
}

choir_status choir_quantize(const choir_quantize_options *opt, choir_error *err)
{
    struct job j = {.opt = opt};
    choir_model_options headers;
    choir_model_options_default(&headers);
    headers.path = opt->in;
    headers.tokenizer = opt->tokenizer;
    headers.headers_only = true;
    headers.text_optional = true;
    choir_status status = read_options(&j, opt, err);
    if (status == CHOIR_OK) {
        status = choir_model_open(&j.m, &headers, err);
    }
    if (status == CHOIR_OK) {
        j.out.path = j.m->path;
        j.out.export = &j.export;
        status = eng_not_source(opt->out, j.m->set, err);
    }
    if (status == CHOIR_OK) {
        status = list_tensors(&j, err);
    }
    if (status == CHOIR_OK) {
        warn_of_gaps(&j);
        status = write_file(&j, err);
    }
    wts_writer_close(j.out.writer);
    free(j.tensors);
    free(j.freqs);
    mdl_export_free(&j.export);
    choir_model_close(j.m);
    return status;
}
