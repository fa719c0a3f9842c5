/* Loading: vectors here, one after the other; matrices left in the file are pointed at; the rest goes to load_matrices. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/bind.h"
#include "weights/finite.h"
#include "weights/quants.h"

/* The tensor's own type is without blocks: elements of `size` bytes are moved.  fits: places in a tensor whose bytes are all in
 * the file. */
static void transpose(const struct mdl_part *part, uint8_t *dst, const uint8_t *src)
{
    const size_t size = (size_t)dtype_table[part->src->type].block_bytes, width = (size_t)part->src->n_cols;
    for (uint64_t r = 0; r < part->n_rows; r++) {
        uint64_t in_run;
        const uint8_t *from = src + mdl_part_row(part, r, &in_run) * size;
        for (uint64_t c = 0; c < part->n_cols; c++, dst += size) {
            memcpy(dst, from + c * width * size, size);
        }
    }
}

/* fits: rows of a tensor whose bytes are all in the file */
choir_status mdl_part_read(const struct mdl_part *part, uint64_t r, uint64_t n, void *dst, void *scratch,
                           choir_error *err)
{
    const struct wts_tensor *t = part->src;
    const size_t row_bytes = dtype_row_bytes(t->type, (size_t)part->n_cols);
    choir_status status = CHOIR_OK;
    if (part->transposed) {
        status = wts_read_rows(t, 0, t->n_rows, scratch, err);
        if (status == CHOIR_OK) {
            transpose(part, dst, scratch);
        }
        return status;
    }
    uint8_t *at = dst;
    for (uint64_t done = 0, in_run; done < n && status == CHOIR_OK; done += in_run) {
        const uint64_t row = mdl_part_row(part, r + done, &in_run);
        in_run = in_run < n - done ? in_run : n - done;
        status = wts_read_rows(t, row, in_run, at + done * row_bytes, err);
    }
    return status;
}

choir_status mdl_part_check(const struct mdl_part *part, uint64_t r, uint64_t n, choir_dtype type, const void *rows,
                            choir_error *err)
{
    struct wts_nonfinite found;
    /* fits: what `rows` has */
    if (wts_all_finite(type, rows, (size_t)(n * part->n_cols), &found)) {
        return CHOIR_OK;
    }
    const struct wts_tensor *t = part->src;
    uint64_t in_run;
    const uint64_t row = mdl_part_row(part, r + found.at / part->n_cols, &in_run), col = found.at % part->n_cols;
    return wts_refuse_nonfinite(t->file->path, t->name, part->transposed ? col : row, part->transposed ? row : col,
                                &found, type != t->type ? dtype_table[type].name : NULL, err);
}

/* W01: a norm that is not a number would only show as garbage, many layers later. */
static choir_status check_vector(const struct mdl_part *part, const float *v, choir_error *err)
{
    const bool positive = part->which == MDL_ROPE_FREQS; /* it divides frequencies */
    char file[BASE_ESCAPE_CAP];
    for (uint64_t i = 0; i < part->n_cols; i++) {
        if (!isfinite(v[i]) || (positive && v[i] <= 0)) {
            return base_fail(err, CHOIR_FILE, "%s: tensor %s: element %llu is not %s",
                             base_escape_str(file, part->src->file->path), part->src->name, (unsigned long long)i,
                             isfinite(v[i]) ? "positive" : "finite");
        }
    }
    return CHOIR_OK;
}

choir_status mdl_part_read_vector(const struct mdl_part *part, float *dst, void *scratch, choir_error *err)
{
    const struct wts_tensor *t = part->src;
    float *whole = scratch;
    choir_status status = wts_read_rows(t, 0, 1, whole + t->n_cols, err);
    if (status != CHOIR_OK) {
        return status;
    }
    wts_dequantize_row(t->type, whole, whole + t->n_cols, (size_t)t->n_cols);
    for (uint64_t i = 0; i < part->n_cols; i++) {
        uint64_t in_run;
        const float w = whole[mdl_part_row(part, i, &in_run)];
        dst[i] = part->plus_one ? 1.0f + w : w;
    }
    return check_vector(part, dst, err);
}

static choir_status load_vector(struct mdl_model *m, const struct mdl_part *part, void *scratch, choir_error *err)
{
    float *v = base_arena_take(&m->arena, (size_t)part->bytes);
    const float **field = mdl_part_field(m, part);
    *field = v;
    return mdl_part_read_vector(part, v, scratch, err);
}

static void place_matrix(struct mdl_model *m, const struct mdl_part *part)
{
    struct mdl_matrix *w = mdl_part_field(m, part);
    *w = (struct mdl_matrix){
        .type = part->type,
        .n_rows = (int32_t)part->n_rows, /* an int32_t extent of the configuration */
        .n_cols = (int32_t)part->n_cols,
        .panels = part->rows == NULL ? base_arena_take(&m->arena, (size_t)part->bytes) : NULL,
        .panel_bytes = dtype_panel_bytes(part->type, (size_t)part->n_cols),
        .rows = part->rows,
        .row_bytes = dtype_row_bytes(part->type, (size_t)part->n_cols),
    };
}

choir_status mdl_load_parts(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                            choir_error *err)
{
    uint64_t longest = 1; /* numbers of a vector's tensor */
    for (size_t i = 0; i < plan->n_parts; i++) {
        const struct mdl_part *part = &plan->parts[i];
        longest = part->is_vector && part->src->n_cols > longest ? part->src->n_cols : longest;
    }
    const size_t scratch_bytes = 2 * (size_t)longest * sizeof(float); /* no type is wider */
    void *scratch = malloc(scratch_bytes);
    if (scratch == NULL) {
        return base_fail_memory(err, scratch_bytes, "a row of weights");
    }
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < plan->n_parts && status == CHOIR_OK; i++) {
        if (plan->parts[i].is_vector) {
            status = load_vector(m, &plan->parts[i], scratch, err);
        } else {
            place_matrix(m, &plan->parts[i]);
        }
    }
    free(scratch);
    return status == CHOIR_OK ? mdl_load_matrices(m, plan, opt, err) : status;
}
