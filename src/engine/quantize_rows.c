/* The rows of a tensor on their way into a new file: read, widened, put in another order, rounded.  A chunk of rows is
 * shared out over the threads, each row a piece of work of its own, and written when all of it is done: memory stays small
 * whatever the model, and the bytes do not depend on the number of threads. */
#include <math.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"
#include "engine/quantize.h"
#include "kernels/parallel.h"
#include "weights/finite.h"
#include "weights/quants.h"

enum { CHUNK_VALUES = 1 << 20, GRAIN_VALUES = 1 << 14 };

/* What went wrong first in a thread. */
struct failure {
    choir_status status;
    int row;
    choir_error err;
};

struct chunk {
    const struct eng_out *out;
    const struct eng_out_tensor *tensor;
    uint64_t first; /* row of the tensor */
    int n;          /* rows */
    size_t n_cols, row_bytes;
    float *scratch;           /* [threads][2][n_cols]: a row as read (no type is wider than f32), and widened */
    unsigned char *rows;      /* [n][row_bytes] as they will be written */
    struct failure *failures; /* [threads] */
};

/* No model with a vector that is not finite opens. */
static choir_status check_vector(const struct chunk *c, const float *x, choir_error *err)
{
    for (size_t i = 0; i < c->n_cols; i++) {
        if (!isfinite(x[i])) {
            return base_fail(err, CHOIR_FILE, "%s: tensor %s: element %zu is not finite", c->out->path, c->tensor->name,
                             i);
        }
    }
    return CHOIR_OK;
}

/* A row in some type.  What is made of a folder's tensors was looked at where they have their own names. */
static choir_status check_row(const struct chunk *c, uint64_t r, choir_dtype type, const void *row, choir_error *err)
{
    const struct eng_out_tensor *o = c->tensor;
    const bool new = type != (o->src != NULL ? o->src->type : o->made->type);
    struct wts_nonfinite found;
    if (wts_all_finite(type, row, c->n_cols, &found)) {
        return CHOIR_OK;
    }
    return wts_refuse_nonfinite(c->out->path, o->name, r, found.at, &found, new ? dtype_table[type].name : NULL, err);
}

static choir_status make_row(const struct chunk *c, int row, float *scratch, choir_error *err)
{
    const struct eng_out_tensor *o = c->tensor;
    const choir_dtype from = o->src != NULL ? o->src->type : o->made->type;
    const bool as_it_is = from == o->type; /* is passed on untouched */
    const bool is_vector = o->src != NULL && o->n_dims < 2;
    const uint64_t r = c->first + (uint64_t)row;
    unsigned char *dst = c->rows + (size_t)row * c->row_bytes; /* fits: a row of the chunk */
    void *raw = as_it_is ? (void *)dst : scratch;
    float *wide = scratch + c->n_cols;
    choir_status status =
        o->src != NULL ? wts_read_rows(o->src, r, 1, raw, err) : mdl_export_row(c->out->export, r, raw, err);
    if (status == CHOIR_OK && o->src != NULL && !is_vector) {
        status = check_row(c, r, from, raw, err);
    }
    if (status != CHOIR_OK || (as_it_is && !is_vector)) {
        return status;
    }
    wts_dequantize_row(from, wide, raw, c->n_cols);
    if (is_vector) {
        status = check_vector(c, wide, err);
    }
    if (status != CHOIR_OK || as_it_is) {
        return status;
    }
    wts_quantize_row(o->type, dst, wide, c->n_cols);
    return check_row(c, r, o->type, dst, err);
}

static void make_rows(struct par_thread *me, void *ctx)
{
    const struct chunk *c = ctx;
    struct failure *failure = &c->failures[me->id];
    const int grain = c->n_cols < GRAIN_VALUES ? (int)(GRAIN_VALUES / c->n_cols) : 1;
    int begin, end;
    par_loop_begin(me, c->n, 1, grain);
    while (par_loop_next(me, &begin, &end)) {
        for (int r = begin; r < end && failure->status == CHOIR_OK; r++) {
            failure->row = r;
            failure->status = make_row(c, r, c->scratch + (size_t)me->id * 2 * c->n_cols, &failure->err);
        }
    }
    par_loop_end(me);
}

/* The failure of the first row that has one, so that the message does not depend on the threads either. */
static choir_status first_failure(const struct chunk *c, choir_error *err)
{
    const struct failure *first = NULL;
    for (int t = 0; t < c->out->n_threads; t++) {
        const struct failure *f = &c->failures[t];
        if (f->status != CHOIR_OK && (first == NULL || f->row < first->row)) {
            first = f;
        }
    }
    if (first != NULL && err != NULL) {
        *err = first->err;
    }
    return first != NULL ? first->status : CHOIR_OK;
}

static choir_status write_bytes(struct eng_out *out, const void *bytes, size_t n, choir_error *err)
{
    choir_status status = wts_writer_data(out->writer, bytes, n, err);
    out->bytes_done += n;
    if (status == CHOIR_OK && out->progress != NULL && out->progress(out->user, out->bytes_done, out->bytes_all) != 0) {
        return base_fail(err, CHOIR_CANCELLED, "cancelled");
    }
    return status;
}

static choir_status write_chunks(struct eng_out *out, struct chunk *c, uint64_t n_rows, int chunk_rows,
                                 choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (uint64_t r = 0; r < n_rows && status == CHOIR_OK; r += (uint64_t)c->n) {
        c->first = r;
        c->n = n_rows - r < (uint64_t)chunk_rows ? (int)(n_rows - r) : chunk_rows;
        for (int t = 0; t < out->n_threads; t++) {
            c->failures[t].status = CHOIR_OK;
        }
        par_run(c->n > 1 ? out->n_threads : 1, make_rows, c);
        status = first_failure(c, err);
        if (status == CHOIR_OK) {
            status = write_bytes(out, c->rows, (size_t)c->n * c->row_bytes, err); /* fits: the chunk */
        }
    }
    return status;
}

uint64_t eng_out_bytes(const struct eng_out_tensor *o)
{
    /* fits: below 2^46 numbers, as the configuration's limits have it, or no wider than in the file */
    return o->n_rows * dtype_row_bytes(o->type, (size_t)o->n_cols);
}

choir_status eng_write_tensor(struct eng_out *out, const struct eng_out_tensor *o, choir_error *err)
{
    if (o->values != NULL) {
        return write_bytes(out, o->values, (size_t)eng_out_bytes(o), err);
    }
    struct chunk c = {.out = out, .tensor = o, .n_cols = (size_t)o->n_cols};
    c.row_bytes = dtype_row_bytes(o->type, c.n_cols);
    uint64_t rows = c.n_cols < CHUNK_VALUES ? CHUNK_VALUES / c.n_cols : 1;
    rows = rows < o->n_rows ? rows : o->n_rows;
    const size_t n_threads = (size_t)out->n_threads, each = 2 * sizeof *c.scratch;
    uint64_t values;
    c.scratch = base_mul(n_threads, c.n_cols, &values) ? base_array((size_t)values, each) : NULL;
    c.rows = base_array((size_t)rows, c.row_bytes);
    c.failures = calloc(n_threads, sizeof *c.failures);
    choir_status status = CHOIR_OK;
    if (c.scratch == NULL || c.rows == NULL || c.failures == NULL) {
        status = base_fail_memory(err, n_threads * c.n_cols * each + (size_t)rows * c.row_bytes, "rows");
    } else if (o->made != NULL) {
        status = mdl_export_begin(out->export, o->made, err);
    }
    if (status == CHOIR_OK) {
        status = write_chunks(out, &c, o->n_rows, (int)rows, err);
    }
    free(c.failures);
    free(c.rows);
    free(c.scratch);
    return status;
}
