/* Which heads stay, and what becomes of a tensor.  Private to src/engine. */
#ifndef ENG_PRUNE_H
#define ENG_PRUNE_H

#include "choir.h"
#include "model/config/config.h"
#include "weights/weights.h"

/* What is left of the model's heads.  Not removed: n_heads, n_kv_heads are the model's, and heads those that stay. */
struct prn_plan {
    const struct mdl_config *config;
    bool *gone; /* [n_layers * n_heads] */
    bool removed;
    const char *why;             /* not removed */
    int32_t n_heads, n_kv_heads; /* of a layer of the new model */
};

choir_status prn_plan_make(struct prn_plan *p, const struct mdl_config *c, const choir_head *heads, size_t n,
                           choir_error *err);
void prn_plan_free(struct prn_plan *p);
/* Whether key/value head g of the layer is asked by a head that stays, or nothing is removed. */
bool prn_group_stays(const struct prn_plan *p, int32_t layer, int32_t g);

/* What happens to a tensor: some of its rows stay (of a vector: elements), or some of its columns, or (not removed) some
 * columns become zeros. */
enum prn_cut { PRN_WHOLE, PRN_ROWS, PRN_COLUMNS };

struct prn_tensor {
    const struct wts_tensor *src;
    enum prn_cut cut;
    int32_t layer;
    bool of_groups;          /* rows go by key/value head, else by query head */
    bool exact;              /* columns are whole blocks of the type */
    choir_dtype type;        /* in the new file */
    uint64_t n_rows, n_cols; /* there */
    int n_dims;
    uint64_t shape[4];
};

struct prn_tensor prn_tensor_of(const struct prn_plan *p, const struct wts_tensor *src);
/* Row r of the new tensor [dtype_row_bytes(type, n_cols)].  scratch: three rows in f32, of the wider of the two. */
choir_status prn_tensor_row(const struct prn_plan *p, const struct prn_tensor *t, uint64_t r, void *dst, float *scratch,
                            choir_error *err);

#endif
