/* The rows of a tensor: read as they are, or widened from llama2.c's groups of int8, or found in place. */
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "weights/set.h"

/* Scales fetched at a time. */
enum { SCALES = 256 };

/* Values [first, first + n) of the flat tensor as f32.  The int8 values are read into the last quarter of dst and
 * widened from the front: value i is written to bytes 4i to 4i + 3, of which the values not yet read begin at
 * 3n + i + 1 > 4i + 3. */
static choir_status read_groups(const struct wts_tensor *t, uint64_t first, size_t n, unsigned char *dst,
                                choir_error *err)
{
    unsigned char *q = dst + 3 * n;
    choir_status status = base_file_read(t->file, t->offset + first, q, n, err);
    float scales[SCALES];
    uint64_t group = first / t->group_size;                    /* of value first + i */
    uint64_t loaded = group;                                   /* the group of scales[0] */
    uint64_t n_groups = t->n_rows * t->n_cols / t->group_size; /* fits: at most 2^48 */
    size_t left_in_group = (size_t)(t->group_size - first % t->group_size);
    for (size_t i = 0; i < n && status == CHOIR_OK; left_in_group = t->group_size, group++) {
        if (i == 0 || group - loaded == SCALES) {
            uint64_t count = n_groups - group < SCALES ? n_groups - group : SCALES;
            loaded = group;
            status = base_file_read(t->file, t->scales_offset + 4 * group, scales, 4 * (size_t)count, err);
            if (status != CHOIR_OK) {
                break;
            }
        }
        for (; i < n && left_in_group > 0; i++, left_in_group--) {
            signed char value;
            memcpy(&value, q + i, 1);
            float x = (float)value * scales[group - loaded];
            memcpy(dst + 4 * i, &x, sizeof x);
        }
    }
    return status;
}

choir_status wts_read_rows(const struct wts_tensor *t, uint64_t row0, uint64_t n, void *dst, choir_error *err)
{
    assert(t->type < DTYPE_COUNT && row0 <= t->n_rows && n <= t->n_rows - row0);
    if (n == 0 || t->n_cols == 0) {
        return CHOIR_OK;
    }
    if (t->group_size > 0) {
        /* fits: rows that the tensor has, whose bytes are in the file */
        return read_groups(t, row0 * t->n_cols, (size_t)(n * t->n_cols), dst, err);
    }
    uint64_t row_bytes = dtype_row_bytes(t->type, (size_t)t->n_cols);
    /* fits: as above */
    return base_file_read(t->file, t->offset + row0 * row_bytes, dst, (size_t)(n * row_bytes), err);
}

const void *wts_rows_in_place(const struct wts_tensor *t)
{
    return t->file->data != NULL && t->group_size == 0 ? t->file->data + t->offset : NULL;
}
