/* Rows of the new tensors.  Whole blocks are copied as they are; a block that heads share is widened and rounded again. */
#include <stdio.h>
#include <string.h>

#include "base/dtype.h"
#include "base/error.h"
#include "engine/prune.h"
#include "weights/finite.h"
#include "weights/mix.h"
#include "weights/quants.h"

/* "blk.7.attn_q.weight": 7, and what follows; NULL for other tensors. */
static const char *part_of_layer(const char *name, int32_t *layer)
{
    int l = 0, n = 0;
    if (sscanf(name, "blk.%d.%n", &l, &n) != 1 || n == 0) {
        return NULL;
    }
    *layer = l;
    return name + n;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(name, *list) == 0) {
            return true;
        }
    }
    return false;
}

/* A row as the file has it.  No model with a number that is not finite opens. */
static choir_status read_row(const struct prn_tensor *t, uint64_t r, void *dst, choir_error *err)
{
    const struct wts_tensor *src = t->src;
    struct wts_nonfinite found;
    choir_status status = wts_read_rows(src, r, 1, dst, err);
    if (status != CHOIR_OK || wts_all_finite(src->type, dst, (size_t)src->n_cols, &found)) {
        return status;
    }
    return wts_refuse_nonfinite(src->file->path, src->name, r, found.at, &found, NULL, err);
}

static enum prn_cut cut_of(const struct prn_plan *p, const struct wts_tensor *src, int32_t *layer, bool *of_groups)
{
    static const char *const queries[] = {"attn_q.weight", "attn_q.bias", NULL};
    static const char *const keys[] = {"attn_k.weight", "attn_k.bias", "attn_v.weight", "attn_v.bias", NULL};
    const char *name = part_of_layer(src->name, layer);
    if (name == NULL) {
        return PRN_WHOLE;
    }
    if (strcmp(name, "attn_output.weight") == 0) {
        return PRN_COLUMNS;
    }
    *of_groups = is_one_of(name, keys);
    return p->removed && (*of_groups || is_one_of(name, queries)) ? PRN_ROWS : PRN_WHOLE;
}

/* fits: at most 2^12 heads of 2^10 numbers */
struct prn_tensor prn_tensor_of(const struct prn_plan *p, const struct wts_tensor *src)
{
    const uint64_t hd = (uint64_t)p->config->head_dim;
    struct prn_tensor t = {
        .src = src, .type = src->type, .n_rows = src->n_rows, .n_cols = src->n_cols, .n_dims = src->n_dims};
    memcpy(t.shape, src->shape, sizeof t.shape);
    t.cut = cut_of(p, src, &t.layer, &t.of_groups);
    if (t.cut == PRN_ROWS) {
        const uint64_t n = hd * (uint64_t)(t.of_groups ? p->n_kv_heads : p->n_heads);
        *(src->n_dims > 1 ? &t.n_rows : &t.n_cols) = n;
        t.shape[0] = n;
    } else if (t.cut == PRN_COLUMNS) {
        t.exact = hd % (uint64_t)dtype_table[src->type].block_len == 0;
        t.n_cols = hd * (uint64_t)p->n_heads;
        t.shape[1] = t.n_cols;
        if (!t.exact) {
            const choir_dtype fits = wts_type_that_fits(src->type, t.n_cols);
            t.type = fits != DTYPE_COUNT && wts_quantizable(fits) ? fits : DTYPE_F16;
        }
    }
    return t;
}

/* The head of the old model that is number i of those that stay.  fits: at most 2^10 layers of 2^12 heads. */
static int32_t staying(const struct prn_plan *p, const struct prn_tensor *t, int32_t i)
{
    const struct mdl_config *c = p->config;
    int32_t h = 0;
    for (;; h++) {
        const bool stays = t->of_groups ? prn_group_stays(p, t->layer, h) : !p->gone[t->layer * c->n_heads + h];
        if (stays && i-- == 0) {
            return h;
        }
    }
}

/* Heads' parts of a row, `each` bytes a head: those that stay follow each other, or those that go become zeros.  fits:
 * places in the row, and at most 2^10 layers of 2^12 heads. */
static void cut_row(const struct prn_plan *p, const struct prn_tensor *t, uint8_t *dst, const uint8_t *src, size_t each)
{
    const struct mdl_config *c = p->config;
    for (int32_t h = 0; h < c->n_heads; h++) {
        const bool gone = p->gone[t->layer * c->n_heads + h];
        if (gone && !p->removed) {
            memset(dst, 0, each);
        } else if (!gone) {
            memcpy(dst, src + (size_t)h * each, each);
        }
        dst += gone && p->removed ? 0 : each;
    }
}

static choir_status columns(const struct prn_plan *p, const struct prn_tensor *t, uint64_t r, uint8_t *dst,
                            float *scratch, choir_error *err)
{
    const size_t hd = (size_t)p->config->head_dim, n = (size_t)t->src->n_cols;
    uint8_t *raw = (uint8_t *)scratch;
    float *wide = scratch + n, *cut = scratch + 2 * n;
    choir_status status = read_row(t, r, raw, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (t->exact) {
        cut_row(p, t, dst, raw, dtype_row_bytes(t->src->type, hd));
        return CHOIR_OK;
    }
    wts_dequantize_row(t->src->type, wide, raw, n);
    cut_row(p, t, (uint8_t *)cut, (const uint8_t *)wide, hd * sizeof *wide);
    wts_quantize_row(t->type, dst, cut, (size_t)t->n_cols);
    return CHOIR_OK;
}

/* A vector has one row; its elements stay by heads.  fits: places in it. */
static choir_status elements(const struct prn_plan *p, const struct prn_tensor *t, uint8_t *dst, float *scratch,
                             choir_error *err)
{
    const size_t hd = (size_t)p->config->head_dim, each = dtype_row_bytes(t->src->type, hd);
    choir_status status = read_row(t, 0, scratch, err);
    for (size_t i = 0; status == CHOIR_OK && i * hd < t->n_cols; i++) {
        memcpy(dst + i * each, (const uint8_t *)scratch + (size_t)staying(p, t, (int32_t)i) * each, each);
    }
    return status;
}

choir_status prn_tensor_row(const struct prn_plan *p, const struct prn_tensor *t, uint64_t r, void *dst, float *scratch,
                            choir_error *err)
{
    const uint64_t hd = (uint64_t)p->config->head_dim;
    switch (t->cut) {
    case PRN_COLUMNS:
        return columns(p, t, r, dst, scratch, err);
    case PRN_ROWS:
        if (t->n_dims < 2) {
            return elements(p, t, dst, scratch, err);
        }
        /* fits: a row of the old tensor */
        r = (uint64_t)staying(p, t, (int32_t)(r / hd)) * hd + r % hd;
        break;
    case PRN_WHOLE:
        break;
    }
    return read_row(t, r, dst, err);
}
