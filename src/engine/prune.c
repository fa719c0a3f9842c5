/* choir_prune: a GGUF file without some heads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "engine/prune.h"
#include "engine/quantize.h"

struct job {
    const choir_prune_options *opt;
    choir_model *m; /* opened for its headers */
    struct prn_plan plan;
    struct prn_tensor *tensors; /* [n] of the set */
    size_t n;
    struct wts_writer *writer;
    uint64_t done, all;
};

static choir_status open_source(struct job *j, choir_error *err)
{
    choir_model_options headers;
    choir_model_options_default(&headers);
    headers.path = j->opt->in;
    headers.headers_only = true;
    headers.text_optional = true;
    choir_status status = choir_model_open(&j->m, &headers, err);
    if (status == CHOIR_OK && j->m->set->container != WTS_GGUF) {
        return base_fail(err, CHOIR_USAGE, "%s: is no GGUF file; make one first: choir quantize IN OUT.gguf f16",
                         j->m->path);
    }
    if (status == CHOIR_OK && wts_first_unread(j->m->set) != NULL) {
        return wts_why_missing(j->m->set, wts_first_unread(j->m->set), err);
    }
    return status;
}

static choir_status plan_tensors(struct job *j, choir_prune_result *out, choir_error *err)
{
    const struct wts_set *set = j->m->set;
    choir_status status = eng_not_source(j->opt->out, set, err);
    status = status != CHOIR_OK ? status : prn_plan_make(&j->plan, &j->m->config, j->opt->heads, j->opt->n_heads, err);
    if (status != CHOIR_OK) {
        return status;
    }
    j->n = set->n_tensors;
    j->tensors = calloc(j->n, sizeof *j->tensors);
    if (j->tensors == NULL) {
        return base_fail_memory(err, j->n * sizeof *j->tensors, "a tensor list");
    }
    for (size_t i = 0; i < j->n; i++) {
        struct prn_tensor *t = &j->tensors[i];
        *t = prn_tensor_of(&j->plan, &set->tensors[i]);
        /* fits: the file's tensors */
        out->bytes_before += t->src->n_rows * dtype_row_bytes(t->src->type, (size_t)t->src->n_cols);
        /* fits: the same, which may become f16 where they were quantized */
        out->bytes_after += t->n_rows * dtype_row_bytes(t->type, (size_t)t->n_cols);
        out->requantized = out->requantized || (t->cut == PRN_COLUMNS && !t->exact);
    }
    j->all = out->bytes_after;
    out->removed = j->plan.removed;
    out->n_heads = j->plan.n_heads;
    out->n_kv_heads = j->plan.n_kv_heads;
    snprintf(out->why, sizeof out->why, "%s", out->removed ? "" : j->plan.why);
    /* fits: at most 2^10 layers of 2^12 heads */
    for (int32_t i = 0; i < j->m->config.n_layers * j->m->config.n_heads; i++) {
        out->n_gone += j->plan.gone[i];
    }
    return CHOIR_OK;
}

/* ---- settings ---- */

enum { KEY_CAP = 128 };

static const char *key_of(char key[KEY_CAP], const struct job *j, const char *name)
{
    const struct wts_meta *arch = wts_meta_find(j->m->set, "general.architecture");
    snprintf(key, KEY_CAP, "%s.%s", arch != NULL ? arch->v.s.data : "", name);
    return key;
}

/* What a file of another number of heads says anew: their numbers, and widths that follow from these unless said. */
static void put_settings(struct job *j)
{
    const struct mdl_config *c = &j->m->config;
    const struct {
        const char *name;
        int32_t value;
        bool wanted;
    } ours[] = {{"attention.head_count", j->plan.n_heads, j->plan.removed},
                {"attention.head_count_kv", j->plan.n_kv_heads, j->plan.removed},
                {"attention.key_length", c->head_dim, j->plan.removed},
                {"attention.value_length", c->head_dim, j->plan.removed},
                {"rope.dimension_count", c->rope_dim, j->plan.removed && c->rope_dim > 0}};
    enum { N_OURS = sizeof ours / sizeof ours[0] };
    char key[KEY_CAP];
    for (size_t i = 0; i < j->m->set->n_meta; i++) {
        const struct wts_meta *meta = &j->m->set->meta[i];
        bool outdated = strncmp(meta->key.data, "split.", 6) == 0;
        for (size_t k = 0; k < N_OURS; k++) {
            outdated = outdated || (ours[k].wanted && strcmp(meta->key.data, key_of(key, j, ours[k].name)) == 0);
        }
        if (!outdated) {
            wts_writer_put(j->writer, meta);
        }
    }
    for (size_t k = 0; k < N_OURS; k++) {
        if (ours[k].wanted) {
            wts_writer_put_u32(j->writer, key_of(key, j, ours[k].name), (uint32_t)ours[k].value);
        }
    }
}

/* ---- tensors ---- */

static choir_status write_tensor(struct job *j, const struct prn_tensor *t, choir_error *err)
{
    const size_t bytes = dtype_row_bytes(t->type, (size_t)t->n_cols);
    const size_t widest = (size_t)(t->src->n_cols > t->n_cols ? t->src->n_cols : t->n_cols);
    uint8_t *row = malloc(bytes);
    float *scratch = base_array(widest, 3 * sizeof *scratch);
    choir_status status = row != NULL && scratch != NULL ? CHOIR_OK : base_fail_memory(err, bytes, "a row");
    for (uint64_t r = 0; status == CHOIR_OK && r < t->n_rows; r++) {
        status = prn_tensor_row(&j->plan, t, r, row, scratch, err);
        status = status != CHOIR_OK ? status : wts_writer_data(j->writer, row, bytes, err);
        j->done += bytes;
    }
    free(row);
    free(scratch);
    if (status == CHOIR_OK && j->opt->progress != NULL && j->opt->progress(j->opt->user, j->done, j->all) != 0) {
        return base_fail(err, CHOIR_CANCELLED, "cancelled");
    }
    return status;
}

static choir_status write_file(struct job *j, choir_error *err)
{
    choir_status status = wts_writer_open(&j->writer, j->opt->out, err);
    if (status != CHOIR_OK) {
        return status;
    }
    put_settings(j);
    for (size_t i = 0; i < j->n; i++) {
        const struct prn_tensor *t = &j->tensors[i];
        wts_writer_add(j->writer, t->src->name, t->type, t->n_dims, t->shape);
    }
    status = wts_writer_begin(j->writer, err);
    for (size_t i = 0; i < j->n && status == CHOIR_OK; i++) {
        status = write_tensor(j, &j->tensors[i], err);
    }
    return status == CHOIR_OK ? wts_writer_finish(j->writer, err) : status;
}

choir_status choir_prune(choir_prune_result *result, const choir_prune_options *opt, choir_error *err)
{
    struct job j = {.opt = opt};
    *result = (choir_prune_result){.n_gone = 0};
    choir_status status = open_source(&j, err);
    status = status != CHOIR_OK ? status : plan_tensors(&j, result, err);
    status = status != CHOIR_OK ? status : write_file(&j, err);
    wts_writer_close(j.writer);
    free(j.tensors);
    prn_plan_free(&j.plan);
    choir_model_close(j.m);
    return status;
}
