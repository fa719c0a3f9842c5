/* What each tensor of a model is: its shape by the configuration, its field, and whether a model has it.  Private to
 * src/model/. */
#ifndef MDL_ROLES_H
#define MDL_ROLES_H

#include "model/model.h"

/* A size that the configuration gives. */
enum mdl_extent {
    MDL_ONE,
    MDL_EXTENT_DIM,
    MDL_EXTENT_HIDDEN,
    MDL_EXTENT_VOCAB,
    MDL_EXTENT_SEQ,
    MDL_EXTENT_Q,
    MDL_EXTENT_KV,
    MDL_EXTENT_Q_NORM,
    MDL_EXTENT_K_NORM,
    MDL_EXTENT_ROPE_PAIRS,
    MDL_EXTENT_EXPERTS,
    MDL_EXTENT_EXPERT,
    MDL_EXTENT_SHARED
};

/* A vector has MDL_ONE row. */
struct mdl_role {
    enum mdl_extent rows, cols;
    size_t field;          /* in struct mdl_ffn for tensors of an expert, in the layer, or in the model */
    enum mdl_tensor fused; /* the tensor that may hold it together with others; MDL_TENSOR_COUNT: none */
};

/* NULL for the fused tensors, which are no part themselves. */
const struct mdl_role *mdl_role_of(const struct mdl_config *c, enum mdl_tensor which);
uint64_t mdl_extent_of(const struct mdl_config *c, enum mdl_extent e);

/* " from ..." for a message about a shape; empty where the numbers speak for themselves. */
enum { MDL_REASON_CAP = 96 };
const char *mdl_role_reason(char dst[MDL_REASON_CAP], const struct mdl_config *c, const struct mdl_role *role,
                            bool fused);

/* Where the rows of a tensor are in the fused one: its rows, all of it, and the rule of struct mdl_part. */
struct mdl_slice {
    uint64_t total, row0, run, step;
};
struct mdl_slice mdl_slice_of(const struct mdl_config *c, enum mdl_tensor which, bool grouped);

/* Whether a model of this configuration has the tensor in that layer (-1: around the layers). */
bool mdl_is_wanted(const struct mdl_config *c, enum mdl_tensor which, int32_t layer);

#endif
