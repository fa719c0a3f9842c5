/* Whether heads can be removed: the same numbers must be left in every layer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/prune.h"

/* Families whose other loaders read W_Q and W_O of any number of heads.  The rest hold them to be dim rows. */
static bool is_flexible(const struct mdl_config *c)
{
    static const char *const names[] = {"llama", "gemma", "gemma2", "gemma3", "qwen3", "qwen3moe"};
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        known = known || strcmp(c->arch->gguf_archs[0], names[i]) == 0;
    }
    return known;
}

static int32_t left_in_group(const struct prn_plan *p, int32_t layer, int32_t g)
{
    const struct mdl_config *c = p->config;
    const int32_t size = c->n_heads / c->n_kv_heads;
    int32_t n = 0;
    for (int32_t h = g * size; h < (g + 1) * size; h++) {
        n += !p->gone[layer * c->n_heads + h];
    }
    return n;
}

bool prn_group_stays(const struct prn_plan *p, int32_t layer, int32_t g)
{
    return !p->removed || left_in_group(p, layer, g) > 0;
}

/* Why heads cannot be removed; NULL, with the numbers that are left in every layer: they can. */
static const char *find_numbers(struct prn_plan *p)
{
    const struct mdl_config *c = p->config;
    const double usual = 1 / sqrt((double)c->head_dim);
    int32_t size = 0, n_groups = -1;
    if (!is_flexible(c)) {
        return "loaders of this family know one number of heads only";
    }
    if (c->qk_norm == MDL_QK_NORM_ROW) {
        return "queries of all heads are normed together";
    }
    if (fabs((double)c->attn_scale - usual) > 1e-6 * usual) {
        return "scores are scaled by the number of heads";
    }
    for (int32_t l = 0; l < c->n_layers; l++) {
        int32_t n = 0;
        for (int32_t g = 0; g < c->n_kv_heads; g++) {
            const int32_t left = left_in_group(p, l, g);
            if (left > 0 && size > 0 && left != size) {
                return "groups of query heads would be of different sizes";
            }
            size = left > 0 ? left : size;
            n += left > 0;
        }
        if (n == 0) {
            return "a layer would have no head left";
        }
        if (n_groups >= 0 && n != n_groups) {
            return "layers would have different numbers of heads";
        }
        n_groups = n;
    }
    p->n_heads = size * n_groups;
    p->n_kv_heads = n_groups;
    return NULL;
}

static choir_status mark(struct prn_plan *p, choir_head h, choir_error *err)
{
    const struct mdl_config *c = p->config;
    if (h.layer < 0 || h.layer >= c->n_layers || h.head < -1 || h.head >= c->n_heads) {
        return base_fail(err, CHOIR_USAGE,
                         "there is no head %d in layer %d: the model has layers 0 to %d of heads 0 to %d", h.head,
                         h.layer, c->n_layers - 1, c->n_heads - 1);
    }
    for (int32_t i = 0; i < c->n_heads; i++) {
        bool *gone = &p->gone[h.layer * c->n_heads + i];
        *gone = *gone || h.head < 0 || h.head == i;
    }
    return CHOIR_OK;
}

choir_status prn_plan_make(struct prn_plan *p, const struct mdl_config *c, const choir_head *heads, size_t n,
                           choir_error *err)
{
    const size_t n_all = (size_t)c->n_layers * (size_t)c->n_heads;
    *p = (struct prn_plan){.config = c, .n_heads = c->n_heads, .n_kv_heads = c->n_kv_heads};
    if (n == 0) {
        return base_fail(err, CHOIR_USAGE, "no heads are named that shall go");
    }
    p->gone = calloc(n_all, sizeof *p->gone);
    if (p->gone == NULL) {
        return base_fail_memory(err, n_all * sizeof *p->gone, "a list of heads");
    }
    for (size_t i = 0; i < n; i++) {
        choir_status status = mark(p, heads[i], err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    p->why = find_numbers(p);
    p->removed = p->why == NULL;
    return CHOIR_OK;
}

void prn_plan_free(struct prn_plan *p)
{
    free(p->gone);
    p->gone = NULL;
}
