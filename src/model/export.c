/* See export.h. */
#include "model/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

/* ---- which tensors ---- */

/* What GGUF has the tensor in: itself, or a fused one. */
static enum mdl_tensor target_of(const struct mdl_arch *arch, enum mdl_tensor which)
{
    switch (which) {
    case MDL_WQ:
    case MDL_WK:
    case MDL_WV:
        return arch->gguf_fused_qkv ? MDL_QKV : which;
    case MDL_BQ:
    case MDL_BK:
    case MDL_BV:
        return arch->gguf_fused_qkv ? MDL_QKV_BIAS : which;
    case MDL_W_GATE:
    case MDL_W_UP:
        return arch->gguf_fused_ffn ? MDL_GATE_UP : which;
    default:
        return which;
    }
}

/* GGUF's rotation works on pairs (2i, 2i + 1), a folder's on (i, i + half). */
static bool is_turned(const struct mdl_config *c, enum mdl_tensor which)
{
    return c->rope_layout == MDL_ROPE_HALF && c->arch->gguf_rope_layout == MDL_ROPE_INTERLEAVED &&
           (which == MDL_WQ || which == MDL_WK || which == MDL_BQ || which == MDL_BK);
}

/* Parts of one target in one layer become a tensor. */
static void add_tensor(struct mdl_export *x, size_t first, size_t n, enum mdl_tensor target)
{
    struct mdl_export_tensor *t = &x->tensors[x->n_tensors++];
    const struct mdl_part *part = x->order[first];
    *t = (struct mdl_export_tensor){.first = first, .n_parts = n, .n_cols = part->n_cols, .type = part->src->type};
    t->turned = is_turned(x->config, part->which);
    mdl_tensor_name(t->name, sizeof t->name, mdl_gguf_names[target], 0, "", part->layer, 0);
    for (size_t i = first; i < first + n; i++) {
        t->n_rows += x->order[i]->n_rows;
    }
    if (part->is_vector) {
        t->type = DTYPE_F32;
        t->n_cols = 0;
        for (size_t i = first; i < first + n; i++) {
            t->n_cols += x->order[i]->n_cols;
        }
        t->n_rows = 1;
        t->shape[t->n_dims++] = t->n_cols;
        return;
    }
    if (part->expert >= 0) {
        t->shape[t->n_dims++] = n;
    }
    t->shape[t->n_dims++] = part->expert >= 0 ? part->n_rows : t->n_rows;
    t->shape[t->n_dims++] = t->n_cols;
}

/* Parts [begin, end) of the plan are a layer's (or those around the layers).  Each target takes its own, in their order. */
static void add_layer(struct mdl_export *x, size_t begin, size_t end)
{
    size_t at = begin; /* in x->order */
    for (int target = 0; target < MDL_TENSOR_COUNT; target++) {
        const size_t first = at;
        for (size_t i = begin; i < end; i++) {
            if (target_of(x->config->arch, x->plan.parts[i].which) == (enum mdl_tensor)target) {
                x->order[at++] = &x->plan.parts[i];
            }
        }
        if (at > first) {
            add_tensor(x, first, at - first, (enum mdl_tensor)target);
        }
    }
}

choir_status mdl_export_make(struct mdl_export *x, const struct mdl_config *c, const struct wts_set *set,
                             void (*warn)(void *user, const char *line), void *user, choir_error *err)
{
    const struct mdl_load_options opt = {.n_threads = 1, .warn = warn, .user = user};
    *x = (struct mdl_export){.config = c};
    choir_status status = mdl_plan_make(&x->plan, c, set, &opt, err);
    if (status != CHOIR_OK) {
        return status;
    }
    const size_t n = x->plan.n_parts;
    x->order = base_array(n, sizeof(const struct mdl_part *));
    x->tensors = base_array(n, sizeof *x->tensors);
    if (x->order == NULL || x->tensors == NULL) {
        mdl_export_free(x);
        return base_fail_memory(err, n * sizeof *x->tensors, "a tensor list");
    }
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin; end < n && x->plan.parts[end].layer == x->plan.parts[begin].layer;) {
            end++;
        }
        add_layer(x, begin, end);
    }
    return CHOIR_OK;
}

void mdl_export_free(struct mdl_export *x)
{
    mdl_plan_free(&x->plan);
    free(x->order);
    free(x->tensors);
    free(x->whole);
    *x = (struct mdl_export){0};
}

/* ---- their rows ---- */

/* Row (or element) of the part that becomes r. */
static uint64_t turned_row(const struct mdl_export *x, uint64_t r)
{
    if (!x->now->turned) {
        return r;
    }
    const uint64_t hd = (uint64_t)x->config->head_dim, i = r % hd;
    return r - i + (i % 2 == 0 ? i / 2 : hd / 2 + i / 2);
}

static choir_status out_of_memory(size_t bytes, choir_error *err)
{
    return base_fail_memory(err, bytes, "a tensor");
}

/* The parts of a vector, one after the other. */
static choir_status gather_vector(struct mdl_export *x, choir_error *err)
{
    const struct mdl_export_tensor *t = x->now;
    size_t longest = (size_t)t->n_cols;
    for (size_t i = 0; i < t->n_parts; i++) {
        const size_t n = (size_t)x->order[t->first + i]->src->n_cols;
        longest = n > longest ? n : longest;
    }
    const size_t bytes = ((size_t)t->n_cols * 2 + longest * 2) * sizeof(float);
    float *v = x->whole = malloc(bytes);
    if (v == NULL) {
        return out_of_memory(bytes, err);
    }
    float *plain = v + t->n_cols, *scratch = plain + t->n_cols;
    choir_status status = CHOIR_OK;
    for (size_t i = 0, at = 0; i < t->n_parts && status == CHOIR_OK; i++) {
        const struct mdl_part *part = x->order[t->first + i];
        status = mdl_part_read_vector(part, plain + at, scratch, err);
        at += (size_t)part->n_cols;
    }
    for (uint64_t i = 0; i < t->n_cols && status == CHOIR_OK; i++) {
        v[i] = plain[turned_row(x, i)];
    }
    return status;
}

/* All rows of parts that lie transposed.  One file, one type: they are of one tensor or of tensors alike.  fits: tensors whose
 * bytes are all in files, or rows of the buffer. */
static choir_status gather_transposed(struct mdl_export *x, choir_error *err)
{
    const struct mdl_export_tensor *t = x->now;
    const size_t row_bytes = dtype_row_bytes(t->type, (size_t)t->n_cols);
    size_t largest = 0, bytes;
    for (size_t i = 0; i < t->n_parts; i++) {
        const struct wts_tensor *src = x->order[t->first + i]->src;
        const size_t n = (size_t)src->n_rows * dtype_row_bytes(src->type, (size_t)src->n_cols);
        largest = n > largest ? n : largest;
    }
    if (!base_add((size_t)t->n_rows * row_bytes, largest, &bytes)) {
        return out_of_memory(SIZE_MAX, err);
    }
    uint8_t *rows = x->whole = malloc(bytes);
    if (rows == NULL) {
        return out_of_memory(bytes, err);
    }
    uint8_t *scratch = rows + (size_t)t->n_rows * row_bytes;
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < t->n_parts && status == CHOIR_OK; i++) {
        const struct mdl_part *part = x->order[t->first + i];
        status = mdl_part_read(part, 0, part->n_rows, rows, scratch, err);
        if (status == CHOIR_OK) {
            status = mdl_part_check(part, 0, part->n_rows, part->src->type, rows, err);
        }
        rows += (size_t)part->n_rows * row_bytes;
    }
    return status;
}

choir_status mdl_export_begin(struct mdl_export *x, const struct mdl_export_tensor *t, choir_error *err)
{
    const struct mdl_part *part = x->order[t->first];
    free(x->whole);
    x->whole = NULL;
    x->now = t;
    for (size_t i = 0; i < t->n_parts; i++) {
        const struct wts_tensor *src = x->order[t->first + i]->src;
        if (!part->is_vector && src->type != t->type) {
            return base_fail(err, CHOIR_FILE, "%s: tensor %s: has type %s, its neighbours have another: not supported",
                             src->file->path, src->name, src->type_name);
        }
    }
    if (part->is_vector) {
        return gather_vector(x, err);
    }
    return part->transposed ? gather_transposed(x, err) : CHOIR_OK;
}

choir_status mdl_export_row(const struct mdl_export *x, uint64_t r, void *dst, choir_error *err)
{
    const struct mdl_export_tensor *t = x->now;
    const size_t row_bytes = dtype_row_bytes(t->type, (size_t)t->n_cols);
    if (x->whole != NULL) {
        memcpy(dst, (const uint8_t *)x->whole + (size_t)r * row_bytes, row_bytes); /* fits: a row of it */
        return CHOIR_OK;
    }
    r = turned_row(x, r);
    size_t i = t->first;
    for (; r >= x->order[i]->n_rows; i++) {
        r -= x->order[i]->n_rows;
    }
    const choir_status status = mdl_part_read(x->order[i], r, 1, dst, NULL, err);
    return status != CHOIR_OK ? status : mdl_part_check(x->order[i], r, 1, t->type, dst, err);
}
