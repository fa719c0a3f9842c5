/* Loading: vectors here, one after the other; matrices left in the file are pointed at; the rest goes to load_matrices. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "model/bind.h"
#include "weights/quants.h"

/* W01: a norm that is not a number would only show as garbage, many layers later. */
static choir_status check_vector(const struct wts_tensor *t, const float *v, bool positive, choir_error *err)
{
    char file[BASE_ESCAPE_CAP];
    for (uint64_t i = 0; i < t->n_cols; i++) {
        if (!isfinite(v[i]) || (positive && v[i] <= 0)) {
            return base_fail(err, CHOIR_FILE, "%s: tensor %s: element %llu is not %s",
                             base_escape_str(file, t->file->path), t->name, (unsigned long long)i,
                             isfinite(v[i]) ? "positive" : "finite");
        }
    }
    return CHOIR_OK;
}

static choir_status load_vector(struct mdl_model *m, const struct mdl_part *part, void *scratch, choir_error *err)
{
    const struct wts_tensor *t = part->src;
    float *v = base_arena_take(&m->arena, (size_t)part->bytes);
    choir_status status = wts_read_rows(t, 0, 1, scratch, err);
    if (status != CHOIR_OK) {
        return status;
    }
    wts_dequantize_row(t->type, v, scratch, (size_t)t->n_cols);
    const float **field = mdl_part_field(m, part);
    *field = v;
    /* rope_freqs divides frequencies */
    return check_vector(t, v, field == &m->rope_freqs, err);
}

static void place_matrix(struct mdl_model *m, const struct mdl_part *part)
{
    const struct wts_tensor *t = part->src;
    struct mdl_matrix *w = mdl_part_field(m, part);
    *w = (struct mdl_matrix){
        .type = part->type,
        .n_rows = (int32_t)t->n_rows, /* equal to an int32_t extent of the configuration */
        .n_cols = (int32_t)t->n_cols,
        .panels = part->rows == NULL ? base_arena_take(&m->arena, (size_t)part->bytes) : NULL,
        .panel_bytes = dtype_panel_bytes(part->type, (size_t)t->n_cols),
        .rows = part->rows,
        .row_bytes = dtype_row_bytes(part->type, (size_t)t->n_cols),
    };
}

choir_status mdl_load_parts(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                            choir_error *err)
{
    size_t scratch_bytes = 1;
    for (size_t i = 0; i < plan->n_parts; i++) {
        const struct mdl_part *part = &plan->parts[i];
        size_t bytes = part->is_vector ? dtype_row_bytes(part->src->type, (size_t)part->src->n_cols) : 0;
        scratch_bytes = bytes > scratch_bytes ? bytes : scratch_bytes;
    }
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
