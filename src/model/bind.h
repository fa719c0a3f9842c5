/* Between the names of a file and the fields of a model: which tensor becomes what, checked, sized, nothing read yet.
 * Private to src/model/. */
#ifndef MDL_BIND_H
#define MDL_BIND_H

#include "model/model.h"

/* A tensor of the file and what becomes of it. */
struct mdl_part {
    const struct wts_tensor *src;
    bool is_vector; /* f32 in memory, else a matrix */
    size_t field;   /* offset of its field: in the layer, or in the model when layer is -1 */
    int32_t layer;
    choir_dtype type;    /* in memory */
    const uint8_t *rows; /* where the file's rows lie in memory, for a matrix that stays there; else NULL */
    uint64_t bytes;      /* in the arena; 0 when it stays in the file */
};

/* The arena holds, each 64-byte aligned:  layer structs | parts, in this order. */
struct mdl_plan {
    struct mdl_part *parts; /* [n_parts]: embedding, final norm, output (unless tied), the layers one by one */
    size_t n_parts;
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
    uint8_t *base = part->layer < 0 ? (uint8_t *)m : (uint8_t *)&m->layers[part->layer];
    return base + part->field;
}

/* Fills every part of the model, whose arena has room for all and whose layers are in it. */
choir_status mdl_load_parts(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                            choir_error *err);
/* The matrices among them: `panels` of each is set and its panels are to be filled.  Several threads. */
choir_status mdl_load_matrices(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                               choir_error *err);

#endif
