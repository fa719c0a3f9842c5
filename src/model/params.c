/* How many parameters a model of this configuration has, part by part. */
#include "model/model.h"
#include "model/roles.h"

/* Numbers in one such tensor of one layer (or expert).  fits: the configuration's limits make it 2^44 at most, an expert's 2^40. */
static uint64_t size_of(const struct mdl_config *c, enum mdl_tensor which)
{
    const struct mdl_role *role = mdl_role_of(c, which);
    return mdl_extent_of(c, role->rows) * mdl_extent_of(c, role->cols);
}

static uint64_t *part_of(struct mdl_params *p, enum mdl_tensor which)
{
    switch (which) {
    case MDL_EMBED:
        return &p->embedding;
    case MDL_POSITIONS:
        return &p->positions;
    case MDL_OUTPUT:
        return &p->output;
    case MDL_WQ:
        return &p->wq;
    case MDL_WK:
        return &p->wk;
    case MDL_WV:
        return &p->wv;
    case MDL_WO:
        return &p->wo;
    case MDL_ROUTER:
    case MDL_SHARED_GATE:
        return &p->router;
    case MDL_W_GATE:
    case MDL_W_UP:
    case MDL_W_DOWN:
    case MDL_SHARED_W_GATE:
    case MDL_SHARED_W_UP:
    case MDL_SHARED_W_DOWN:
        return &p->ffn;
    case MDL_EXPERT_W_GATE:
    case MDL_EXPERT_W_UP:
    case MDL_EXPERT_W_DOWN:
        return &p->experts;
    case MDL_OUTPUT_BIAS:
    case MDL_BQ:
    case MDL_BK:
    case MDL_BV:
    case MDL_BO:
    case MDL_B_GATE:
    case MDL_B_UP:
    case MDL_B_DOWN:
        return &p->biases;
    default:
        return &p->norms; /* and their biases */
    }
}

/* fits: 2^10 layers, each of 2^9 experts of three such tensors, are 2^61 numbers */
void mdl_count_params(const struct mdl_config *c, struct mdl_params *p)
{
    *p = (struct mdl_params){0};
    uint64_t idle = 0;
    for (int32_t l = -1; l < c->n_layers; l++) {
        const int first = l < 0 ? 0 : MDL_FIRST_LAYER_TENSOR, end = l < 0 ? MDL_FIRST_LAYER_TENSOR : MDL_TENSOR_COUNT;
        for (int which = first; which < end; which++) {
            if (!mdl_is_wanted(c, (enum mdl_tensor)which, l)) {
                continue;
            }
            const uint64_t n = size_of(c, (enum mdl_tensor)which);
            const bool of_experts = which >= MDL_FIRST_EXPERT_TENSOR;
            *part_of(p, (enum mdl_tensor)which) += of_experts ? n * (uint64_t)c->n_experts : n;
            idle += of_experts ? n * (uint64_t)(c->n_experts - c->n_experts_used) : 0;
        }
    }
    p->total = p->embedding + p->positions + p->wq + p->wk + p->wv + p->wo + p->ffn + p->router + p->experts +
               p->norms + p->biases + p->output;
    p->active = p->total - idle;
}
