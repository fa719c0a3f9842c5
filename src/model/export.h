/* A folder's model as the tensors of a GGUF file: what each is called there and from which rows it is made.  The family's row
 * says what GGUF has in one tensor; experts are stacked; rows of W_Q and W_K are put in the order of GGUF's rotation; norm
 * weights are 1 + w where the folder has w. */
#ifndef MDL_EXPORT_H
#define MDL_EXPORT_H

#include "model/bind.h"

struct mdl_export_tensor {
    char name[MDL_NAME_CAP];
    int n_dims;
    uint64_t shape[4];       /* outermost first */
    uint64_t n_rows, n_cols; /* n_rows: product of all but the last dimension */
    choir_dtype type;        /* of the rows that mdl_export_row gives; vectors are f32 */
    size_t first, n_parts;   /* in `order`: they follow each other */
    bool turned;             /* each head's rows go from half-split to interleaved order */
};

struct mdl_export {
    const struct mdl_config *config;
    struct mdl_plan plan;
    const struct mdl_part **order; /* [plan.n_parts] */
    struct mdl_export_tensor *tensors;
    size_t n_tensors;
    const struct mdl_export_tensor *now; /* the tensor that was begun */
    void *whole;                         /* all of its rows, when they do not lie in the file as they are wanted */
};

/* The tensors of the model that the folder holds.  Config and set must outlive x.  warn hears of odd things. */
choir_status mdl_export_make(struct mdl_export *x, const struct mdl_config *c, const struct wts_set *set,
                             void (*warn)(void *user, const char *line), void *user, choir_error *err);
void mdl_export_free(struct mdl_export *x);

/* Rows of one tensor at a time. */
choir_status mdl_export_begin(struct mdl_export *x, const struct mdl_export_tensor *t, choir_error *err);
/* Row r of the tensor begun, in t->type.  dst: room for it; also for any number of threads. */
choir_status mdl_export_row(const struct mdl_export *x, uint64_t r, void *dst, choir_error *err);

#endif
