/* Between the names of a file and the fields of a model: which tensor becomes what, checked, sized, nothing read yet.
 * Private to src/model/. */
#ifndef MDL_BIND_H
#define MDL_BIND_H

#include "model/model.h"

/* A field of the model and where its numbers are: a tensor of the file, or some of its rows (a vector: some of its
 * elements).  Row r of the part is the tensor's row  row0 + r / run * step + r % run,  so that heads can be taken out of a
 * tensor that holds queries, keys and values group by group. */
struct mdl_part {
    enum mdl_tensor which;
    int32_t layer, expert; /* -1: not of one */
    size_t field;          /* offset of its field: in the expert, in the layer, or in the model */
    const struct wts_tensor *src;
    uint64_t n_rows, n_cols; /* of the part; a vector has one row */
    uint64_t row0, run, step;
    bool is_vector;      /* f32 in memory, else a matrix */
    bool transposed;     /* the tensor's columns are the rows meant here */
    bool plus_one;       /* the vector's weights w stand for 1 + w */
    choir_dtype type;    /* in memory */
    const uint8_t *rows; /* where the file's rows lie in memory, for a matrix that stays there; else NULL */
    uint64_t bytes;      /* in the arena; 0 when it stays in the file */
};

/* The arena holds, each 64-byte aligned:  layer structs | expert structs, layer by layer | parts, in this order. */
struct mdl_plan {
    struct mdl_part *parts; /* [n_parts]: what is around the layers, then the layers one by one, experts last */
    size_t n_parts, cap;
    uint64_t arena_bytes;
    uint64_t weight_bytes; /* of the parts as they lie in memory, in the file's mapping included */
};

/* Finds every tensor that the configuration calls for and checks its shape.  opt->warn hears of those nobody asked for. */
choir_status mdl_plan_make(struct mdl_plan *plan, const struct mdl_config *config, const struct wts_set *set,
                           const struct mdl_load_options *opt, choir_error *err);
void mdl_plan_free(struct mdl_plan *plan);

/* Where a part goes. */
static inline void *mdl_part_field(struct mdl_model *m, const struct mdl_part *part)
{
    uint8_t *base = part->layer < 0    ? (uint8_t *)m
                    : part->expert < 0 ? (uint8_t *)&m->layers[part->layer]
                                       : (uint8_t *)&m->layers[part->layer].experts[part->expert];
    return base + part->field;
}

/* The tensor's row (or element) that is row r of the part, and how many that follow each other begin there. */
static inline uint64_t mdl_part_row(const struct mdl_part *part, uint64_t r, uint64_t *n_in_run)
{
    *n_in_run = part->run - r % part->run;
    return part->row0 + r / part->run * part->step + r % part->run;
}

/* Rows follow each other in the file as they do in the part. */
static inline bool mdl_part_is_plain(const struct mdl_part *part)
{
    return !part->transposed && part->run >= part->n_rows;
}

/* n rows of a matrix from r on, as the file has them: in the tensor's type, dtype_row_bytes(type, n_cols) apart.  A
 * transposed part is read whole: r = 0, n = n_rows; its tensor has a type without blocks, and `scratch` room for all of it
 * (else NULL will do). */
choir_status mdl_part_read(const struct mdl_part *part, uint64_t r, uint64_t n, void *dst, void *scratch,
                           choir_error *err);
/* Whether rows r to r + n - 1 of a matrix, which are in memory in that type, are finite; CHOIR_FILE names the tensor's row and
 * column where not. */
choir_status mdl_part_check(const struct mdl_part *part, uint64_t r, uint64_t n, choir_dtype type, const void *rows,
                            choir_error *err);
/* A vector, widened.  scratch: room for twice the tensor in f32. */
choir_status mdl_part_read_vector(const struct mdl_part *part, float *dst, void *scratch, choir_error *err);

/* Fills every part of the model, whose arena has room for all and whose layers are in it. */
choir_status mdl_load_parts(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                            choir_error *err);
/* The matrices among them: `panels` of each is set and its panels are to be filled.  Several threads. */
choir_status mdl_load_matrices(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                               choir_error *err);

#endif
