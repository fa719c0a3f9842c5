/* choir_quantize: a model from any container becomes a GGUF file of one type or mix.  Rows are read, widened, rounded and written in
 * pieces; memory stays small whatever the model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/quantize.h"
#include "model/roles.h"
#include "model/rope.h"
#include "weights/mix.h"
#include "weights/quants.h"

/* A tensor of the new file. */
struct out_tensor {
    const struct wts_tensor *src; /* NULL: `freqs` */
    char name[80];
    choir_dtype type;
    int32_t turn_heads; /* > 0: head size of rows that go from half-split to interleaved order */
};

struct job {
    const choir_quantize_options *opt;
    choir_model *m; /* opened for its headers: set, config, tokenizer */
    const struct wts_mix *mix;
    struct wts_misfits misfits;
    struct out_tensor *tensors;
    size_t n_tensors;
    float *freqs; /* [rope_dim / 2] rope_freqs.weight for a llama3 scaling, or NULL */
    struct wts_writer *writer;
    uint64_t rows_done, rows_all;
};

/* name: of the tensor in the new file. */
static choir_dtype type_for(struct job *j, const struct wts_tensor *t, const char *name)
{
    if (t->n_dims < 2) {
        return DTYPE_F32;
    }
    int layer;
    const enum wts_place place = wts_place_of(name, j->m->config.tied_output, &layer);
    const choir_dtype wanted = wts_mix_type(j->mix, place, layer, j->m->config.n_layers);
    const choir_dtype fits = wts_type_that_fits(wanted, t->n_cols);
    if (fits != wanted) {
        wts_misfits_add(&j->misfits, wanted, t->n_cols);
    }
    if (fits == DTYPE_COUNT) { /* no block fits the width: stay a float */
        return dtype_table[t->type].block_len == 1 ? t->type : DTYPE_F16;
    }
    return fits;
}

static void add_tensor(struct job *j, const struct wts_tensor *src, const char *name, int32_t turn_heads)
{
    struct out_tensor *o = &j->tensors[j->n_tensors++];
    *o = (struct out_tensor){.src = src, .type = type_for(j, src, name), .turn_heads = turn_heads};
    snprintf(o->name, sizeof o->name, "%s", name);
    j->rows_all += src->n_rows;
}

/* Renames the architecture's tensors from a folder's names to GGUF's; others are left behind. */
static choir_status add_folder_tensors(struct job *j, choir_error *err)
{
    const struct mdl_config *c = &j->m->config;
    const struct mdl_arch *a = c->arch;
    bool turn = c->rope_layout == MDL_ROPE_HALF && a->gguf_rope_layout == MDL_ROPE_INTERLEAVED;
    for (int32_t l = -1; l < c->n_layers; l++) {
        int first = l < 0 ? 0 : MDL_FIRST_LAYER_TENSOR;
        int end = l < 0 ? MDL_FIRST_LAYER_TENSOR : MDL_TENSOR_COUNT;
        for (int i = first; i < end; i++) {
            char from[128], to[80];
            if (!mdl_is_wanted(c, (enum mdl_tensor)i, l)) {
                continue;
            }
            if (a->hf_names[i] == NULL) {
                return base_fail(err, CHOIR_FILE, "%s: a folder of a %s model cannot be written as GGUF", j->m->path,
                                 a->name);
            }
            mdl_tensor_name(from, sizeof from, a->hf_names[i], 0, a->hf_prefixes[0], l, 0);
            mdl_tensor_name(to, sizeof to, mdl_gguf_names[i], 0, "", l, 0);
            const struct wts_tensor *t = wts_find(j->m->set, from);
            if (t == NULL) {
                return base_fail(err, CHOIR_FILE, "%s: tensor %s missing", j->m->path, from);
            }
            add_tensor(j, t, to, turn && (i == MDL_WQ || i == MDL_WK) ? c->head_dim : 0);
        }
    }
    return CHOIR_OK;
}

/* GGUF says a llama3 scaling by a tensor of divisors. */
static choir_status make_freqs(struct job *j, choir_error *err)
{
    const struct mdl_config *c = &j->m->config;
    if (j->m->set->container != WTS_HF || c->rope[0].scaling != MDL_SCALING_LLAMA3) {
        return CHOIR_OK;
    }
    size_t n = (size_t)c->rope_dim / 2;
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
    j->tensors[j->n_tensors++] = (struct out_tensor){.name = "rope_freqs.weight", .type = DTYPE_F32};
    return CHOIR_OK;
}

static choir_status list_tensors(struct job *j, choir_error *err)
{
    const struct wts_set *set = j->m->set;
    const char *unread = wts_first_unread(set);
    if (unread != NULL) { /* a file without it would be another model */
        return wts_why_missing(set, unread, err);
    }
    j->tensors = calloc(set->n_tensors + 1, sizeof *j->tensors);
    if (j->tensors == NULL) {
        return base_fail_memory(err, (set->n_tensors + 1) * sizeof *j->tensors, "a tensor list");
    }
    if (set->container == WTS_HF) {
        choir_status status = add_folder_tensors(j, err);
        return status == CHOIR_OK ? make_freqs(j, err) : status;
    }
    for (size_t i = 0; i < set->n_tensors; i++) {
        add_tensor(j, &set->tensors[i], set->tensors[i].name, 0);
    }
    return CHOIR_OK;
}

static void announce(struct job *j)
{
    for (size_t i = 0; i < j->n_tensors; i++) {
        const struct out_tensor *o = &j->tensors[i];
        uint64_t n_freqs = (uint64_t)j->m->config.rope_dim / 2;
        wts_writer_add(j->writer, o->name, o->type, o->src != NULL ? o->src->n_dims : 1,
                       o->src != NULL ? o->src->shape : &n_freqs);
    }
}

/* Row of the source that becomes row r. */
static uint64_t source_row(const struct out_tensor *o, uint64_t r)
{
    if (o->turn_heads == 0) {
        return r;
    }
    uint64_t hd = (uint64_t)o->turn_heads;
    uint64_t i = r % hd;
    return r - i + (i % 2 == 0 ? i / 2 : hd / 2 + i / 2);
}

static choir_status write_row(struct job *j, const struct out_tensor *o, uint64_t r, void *raw, float *wide,
                              void *cooked, choir_error *err)
{
    size_t n = (size_t)o->src->n_cols;
    choir_status status = wts_read_rows(o->src, source_row(o, r), 1, raw, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (o->src->n_dims < 2) {
        wts_dequantize_row(o->src->type, wide, raw, n);
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(wide[i])) { /* no model with it opens */
                return base_fail(err, CHOIR_FILE, "%s: tensor %s: element %zu is not finite", j->m->path, o->src->name,
                                 i);
            }
        }
    }
    const void *bytes = raw;
    if (o->src->type != o->type) { /* a row of the same type is passed on untouched */
        wts_dequantize_row(o->src->type, wide, raw, n);
        wts_quantize_row(o->type, cooked, wide, n);
        bytes = cooked;
    }
    j->rows_done++;
    if (j->opt->progress != NULL && (j->rows_done % 1024 == 0 || j->rows_done == j->rows_all) &&
        j->opt->progress(j->opt->user, j->rows_done, j->rows_all) != 0) {
        return base_fail(err, CHOIR_CANCELLED, "cancelled");
    }
    return wts_writer_data(j->writer, bytes, dtype_row_bytes(o->type, n), err);
}

static choir_status write_tensor(struct job *j, const struct out_tensor *o, choir_error *err)
{
    if (o->src == NULL) {
        return wts_writer_data(j->writer, j->freqs, (size_t)j->m->config.rope_dim / 2 * sizeof *j->freqs, err);
    }
    size_t n = (size_t)o->src->n_cols;
    float *wide = malloc(3 * n * sizeof *wide); /* no type is wider than f32: three rows of any */
    if (wide == NULL) {
        return base_fail_memory(err, 3 * n * sizeof *wide, "a row");
    }
    choir_status status = CHOIR_OK;
    for (uint64_t r = 0; r < o->src->n_rows && status == CHOIR_OK; r++) {
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
    choir_model_close(j.m);
    return status;
}
