/* choir_quantize: a model from any container becomes a GGUF file of one type or mix.  Rows are read, widened, rounded and written in
 * pieces; memory stays small whatever the model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/quantize.h"
#include "model/export.h"
#include "model/rope.h"
#include "weights/mix.h"
#include "weights/quants.h"

/* A tensor of the new file. */
struct out_tensor {
    const struct wts_tensor *src;         /* passed on, or */
    const struct mdl_export_tensor *made; /* made of a folder's, or */
    const float *values;                  /* [n_cols] our own */
    uint64_t n_rows, n_cols;
    char name[MDL_NAME_CAP];
    choir_dtype type;
};

struct job {
    const choir_quantize_options *opt;
    choir_model *m; /* opened for its headers: set, config, tokenizer */
    const struct wts_mix *mix;
    struct wts_misfits misfits;
    struct out_tensor *tensors;
    size_t n_tensors;
    struct mdl_export export;
    float *freqs; /* [rope_dim / 2] rope_freqs.weight for a llama3 scaling, or NULL */
    struct wts_writer *writer;
    uint64_t rows_done, rows_all;
};

/* Small matrices of which much depends. */
static bool stays_f32(const char *name)
{
    return strstr(name, "ffn_gate_inp") != NULL || strcmp(name, "position_embd.weight") == 0;
}

/* name: of the tensor in the new file; from: its type so far. */
static choir_dtype type_for(struct job *j, choir_dtype from, int n_dims, uint64_t n_cols, const char *name)
{
    if (n_dims < 2 || stays_f32(name)) {
        return DTYPE_F32;
    }
    int layer;
    const enum wts_place place = wts_place_of(name, j->m->config.tied_output, &layer);
    const choir_dtype wanted = wts_mix_type(j->mix, place, layer, j->m->config.n_layers);
    const choir_dtype fits = wts_type_that_fits(wanted, n_cols);
    if (fits != wanted) {
        wts_misfits_add(&j->misfits, wanted, n_cols);
    }
    if (fits == DTYPE_COUNT) { /* no block fits the width: stay a float */
        return dtype_table[from].block_len == 1 ? from : DTYPE_F16;
    }
    return fits;
}

static void add_tensor(struct job *j, const struct wts_tensor *src)
{
    struct out_tensor *o = &j->tensors[j->n_tensors++];
    *o = (struct out_tensor){.src = src, .n_rows = src->n_rows, .n_cols = src->n_cols};
    o->type = type_for(j, src->type, src->n_dims, src->n_cols, src->name);
    snprintf(o->name, sizeof o->name, "%s", src->name);
    j->rows_all += src->n_rows;
}

static void add_values(struct job *j, const char *name, const float *values, size_t n)
{
    struct out_tensor *o = &j->tensors[j->n_tensors++];
    *o = (struct out_tensor){.values = values, .n_rows = 1, .n_cols = n, .type = DTYPE_F32};
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
        const struct mdl_export_tensor *t = &j->export.tensors[i];
        struct out_tensor *o = &j->tensors[j->n_tensors++];
        *o = (struct out_tensor){.made = t,
                                 .n_rows = t->n_rows,
                                 .n_cols = t->n_cols,
                                 .type = type_for(j, t->type, t->n_dims, t->n_cols, t->name)};
        snprintf(o->name, sizeof o->name, "%s", t->name);
        j->rows_all += t->n_rows;
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
    double *scaled = malloc(2 * n * sizeof *scaled);
    j->freqs = malloc(n * sizeof *j->freqs);
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

static void announce(struct job *j)
{
    for (size_t i = 0; i < j->n_tensors; i++) {
        const struct out_tensor *o = &j->tensors[i];
        const int n_dims = o->src != NULL ? o->src->n_dims : o->made != NULL ? o->made->n_dims : 1;
        const uint64_t *shape = o->src != NULL ? o->src->shape : o->made != NULL ? o->made->shape : &o->n_cols;
        wts_writer_add(j->writer, o->name, o->type, n_dims, shape);
    }
}

/* No model with a vector that is not finite opens. */
static choir_status check_vector(const struct job *j, const struct out_tensor *o, const float *x, choir_error *err)
{
    for (size_t i = 0; i < o->n_cols; i++) {
        if (!isfinite(x[i])) {
            return base_fail(err, CHOIR_FILE, "%s: tensor %s: element %zu is not finite", j->m->path, o->name, i);
        }
    }
    return CHOIR_OK;
}

static choir_status report_row(struct job *j, choir_error *err)
{
    j->rows_done++;
    if (j->opt->progress != NULL && (j->rows_done % 1024 == 0 || j->rows_done == j->rows_all) &&
        j->opt->progress(j->opt->user, j->rows_done, j->rows_all) != 0) {
        return base_fail(err, CHOIR_CANCELLED, "cancelled");
    }
    return CHOIR_OK;
}

static choir_status write_row(struct job *j, const struct out_tensor *o, uint64_t r, void *raw, float *wide,
                              void *cooked, choir_error *err)
{
    const size_t n = (size_t)o->n_cols;
    const choir_dtype from = o->src != NULL ? o->src->type : o->made->type;
    choir_status status =
        o->src != NULL ? wts_read_rows(o->src, r, 1, raw, err) : mdl_export_row(&j->export, r, raw, err);
    const void *bytes = raw;
    if (status == CHOIR_OK && (from != o->type || (o->src != NULL && o->src->n_dims < 2))) {
        wts_dequantize_row(from, wide, raw, n);
        status = o->src != NULL && o->src->n_dims < 2 ? check_vector(j, o, wide, err) : CHOIR_OK;
    }
    if (status == CHOIR_OK && from != o->type) { /* a row of the same type is passed on untouched */
        wts_quantize_row(o->type, cooked, wide, n);
        bytes = cooked;
    }
    if (status == CHOIR_OK) {
        status = report_row(j, err);
    }
    return status == CHOIR_OK ? wts_writer_data(j->writer, bytes, dtype_row_bytes(o->type, n), err) : status;
}

static choir_status write_tensor(struct job *j, const struct out_tensor *o, choir_error *err)
{
    const size_t n = (size_t)o->n_cols;
    if (o->values != NULL) {
        return wts_writer_data(j->writer, o->values, n * sizeof *o->values, err);
    }
    float *wide = malloc(3 * n * sizeof *wide); /* no type is wider than f32: three rows of any */
    if (wide == NULL) {
        return base_fail_memory(err, 3 * n * sizeof *wide, "a row");
    }
    choir_status status = o->made != NULL ? mdl_export_begin(&j->export, o->made, err) : CHOIR_OK;
    for (uint64_t r = 0; r < o->n_rows && status == CHOIR_OK; r++) {
        status = write_row(j, o, r, wide + n, wide, wide + 2 * n, err);
    }
    free(wide);
    return status;
}

static choir_status write_file(struct job *j, choir_error *err)
{
    choir_status status = wts_writer_open(&j->writer, j->opt->out, err);
    if (status == CHOIR_OK) {
        status = eng_write_settings(j->writer, j->m, j->opt->tokenizer != NULL, j->mix->file_type, err);
    }
    if (status == CHOIR_OK) {
        announce(j);
        status = wts_writer_begin(j->writer, err);
    }
    for (size_t i = 0; i < j->n_tensors && status == CHOIR_OK; i++) {
        status = write_tensor(j, &j->tensors[i], err);
    }
    return status == CHOIR_OK ? wts_writer_finish(j->writer, err) : status;
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

choir_status choir_quantize(const choir_quantize_options *opt, choir_error *err)
{
    struct job j = {.opt = opt, .mix = wts_mix_by_name(opt->type)};
    if (j.mix == NULL) {
        char text[BASE_ESCAPE_CAP], names[WTS_MIX_NAMES_CAP];
        return base_fail(err, CHOIR_USAGE, "type \"%.32s\" is not one of %s", base_escape_str(text, opt->type),
                         wts_mix_names(names));
    }
    choir_model_options headers;
    choir_model_options_default(&headers);
    headers.path = opt->in;
    headers.tokenizer = opt->tokenizer;
    headers.headers_only = true;
    headers.text_optional = true;
    choir_status status = choir_model_open(&j.m, &headers, err);
    if (status == CHOIR_OK) {
        status = list_tensors(&j, err);
    }
    if (status == CHOIR_OK) {
        warn_of_gaps(&j);
    }
    if (status == CHOIR_OK) {
        status = write_file(&j, err);
    }
    wts_writer_close(j.writer);
    free(j.tensors);
    free(j.freqs);
    mdl_export_free(&j.export);
    choir_model_close(j.m);
    return status;
}
