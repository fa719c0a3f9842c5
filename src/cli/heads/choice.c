/* --layer and --head: which of the model's heads are meant; all unless said. */
#include <stdlib.h>

#include "base/error.h"
#include "cli/heads/heads.h"

/* The numbers of the list, each once and in order; all below n when it is empty. */
static choir_status choose(int32_t **out, int32_t *n_out, const int_list *list, int32_t n, const char *flag,
                           choir_error *err)
{
    int32_t *chosen = malloc((size_t)n * sizeof *chosen), n_chosen = 0;
    *out = chosen;
    if (!chosen) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    for (int i = 0; i < list->n; i++) {
        if (list->at[i] >= n) {
            return base_fail(err, CHOIR_USAGE, "%s: the model has 0 to %d, not %d", flag, (int)n - 1, (int)list->at[i]);
        }
    }
    for (int32_t k = 0; k < n; k++) {
        bool meant = list->n == 0;
        for (int i = 0; i < list->n; i++) {
            meant = meant || list->at[i] == k;
        }
        if (meant) {
            chosen[n_chosen++] = k;
        }
    }
    *n_out = n_chosen;
    return CHOIR_OK;
}

choir_status heads_choose(heads_choice *c, const session *s, choir_error *err)
{
    *c = (heads_choice){0};
    choir_status status = choose(&c->layers, &c->n_layers, &s->opt->layers, s->info.n_layers, "--layer", err);
    return status ? status : choose(&c->heads, &c->n_heads, &s->opt->heads, s->info.n_heads, "--head", err);
}

void heads_choice_free(heads_choice *c)
{
    free(c->layers);
    free(c->heads);
    *c = (heads_choice){0};
}
