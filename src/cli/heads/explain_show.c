/* The explanation as tables and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/explain.h"

/* A part and its share of the logit. */
typedef struct share {
    char name[32];
    double x;
} share;

static int by_size(const void *a, const void *b)
{
    const double x = fabs(((const share *)a)->x), y = fabs(((const share *)b)->x);
    return x < y ? 1 : x > y ? -1 : 0;
}

/* All parts, largest first; NULL: out of memory. */
static share *sorted_shares(const explanation *x, int *n)
{
    const choir_model_info *m = &x->text.s->info;
    share *all = calloc((size_t)m->n_layers * ((size_t)m->n_heads + 1) + 5, sizeof *all);
    *n = 0;
    for (int32_t l = 0; all && l < m->n_layers; l++) {
        for (int32_t h = 0; h < m->n_heads; h++) {
            all[*n].x = x->heads[l * m->n_heads + h];
            snprintf(all[(*n)++].name, sizeof all->name, "L%dH%d", (int)l, (int)h);
        }
        all[*n].x = x->feed_forward[l];
        snprintf(all[(*n)++].name, sizeof all->name, "L%d feed-forward", (int)l);
    }
    const share others[] = {{"embedding", x->embedding},
                            {"biases of W_O", x->bias},
                            {"constant", x->constant},
                            {"rounded inputs", x->activations},
                            {"rounding", x->rounding}};
    for (size_t i = 0; all && i < sizeof others / sizeof others[0]; i++) {
        all[(*n)++] = others[i];
    }
    if (all) {
        qsort(all, (size_t)*n, sizeof *all, by_size);
    }
    return all;
}

/* As many of the tokens as the window has room for; one in any case. */
static void print_lens(paper *p, const explanation *x)
{
    const choir_model *model = x->text.s->model;
    char label[LABEL_CAP], entry[LABEL_CAP + 16], name[24];
    paper_prose(p, "what the model would say after each layer, and the place of %s", heads_label(label, model, x->id));
    for (int32_t l = 0; l <= x->text.s->info.n_layers; l++) {
        const lens *y = &x->lenses[l];
        int used = 19;
        snprintf(name, sizeof name, y->layer < 0 ? "embedding" : "layer %d", (int)y->layer);
        paper_print(p, "  %-10s %6lld", name, (long long)y->rank);
        for (int i = 0; i < x->n_top; i++) {
            snprintf(entry, sizeof entry, "   %s %.1f %%", heads_label(label, model, y->top[i].id),
                     100 * exp(y->top[i].log_prob));
            used += terminal_width(entry);
            if (i > 0 && used > p->columns) {
                break;
            }
            paper_print(p, "%s", entry);
        }
        paper_print(p, "\n");
    }
}

static void print_bar(paper *p, double x, double most)
{
    enum { COLUMNS = 24, LEFT = 30 };
    const int columns = p->columns < LEFT + COLUMNS ? p->columns - LEFT : COLUMNS;
    const int n = most > 0 ? (int)(fabs(x) / most * columns + 0.5) : 0;
    for (int i = 0; i < n; i++) {
        paper_print(p, "%s", x > 0 ? "\u2588" : "\u2592");
    }
}

static void print_shares(paper *p, const explanation *x, const share *all, int n)
{
    enum { SHOWN = 16 };
    double rest = 0;
    paper_print(p, "\nwhat of its logit %+.3f came from where\n", x->uncapped);
    for (int i = 0; i < n; i++) {
        if (i < SHOWN) {
            paper_print(p, "  %-17s %+8.3f  ", all[i].name, all[i].x);
            print_bar(p, all[i].x, fabs(all[0].x));
            paper_print(p, "\n");
        } else {
            rest += all[i].x;
        }
    }
    if (n > SHOWN) {
        paper_print(p, "  %d others together %+.3f\n", n - SHOWN, rest);
    }
    paper_prose(p, "they add up to it but for rounding: %.2g of the largest logit",
                x->most > 0 ? fabs(x->rounding) / x->most : 0);
}

choir_status heads_explanation_table(const explanation *x, choir_error *err)
{
    int n;
    char label[LABEL_CAP];
    share *all = sorted_shares(x, &n);
    if (!all) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for the shares");
    }
    paper p = paper_open(x->text.s);
    paper_print(&p, "next token: %s (id %d), %.1f %%, logit %.3f\n\n", heads_label(label, x->text.s->model, x->id),
                (int)x->id, 100 * exp(x->log_prob), x->logit);
    print_lens(&p, x);
    print_shares(&p, x, all, n);
    paper_close(&p);
    free(all);
    return CHOIR_OK;
}

/* ---- JSON ---- */

static json_t *lens_json(const explanation *x)
{
    json_t *list = json_array();
    for (int32_t l = 0; list && l <= x->text.s->info.n_layers; l++) {
        const lens *y = &x->lenses[l];
        json_t *top = json_array();
        for (int i = 0; top && i < x->n_top; i++) {
            json_add(&top, json_pack("{s:i, s:o, s:f}", "id", (int)y->top[i].id, "token",
                                     heads_token_json(x->text.s->model, y->top[i].id), "logprob", y->top[i].log_prob));
        }
        json_add(&list, json_pack("{s:i, s:I, s:f, s:o}", "layer", (int)y->layer, "rank", (json_int_t)y->rank,
                                  "logprob", y->log_prob, "top", top));
    }
    return list;
}

static json_t *layers_json(const explanation *x)
{
    const choir_model_info *m = &x->text.s->info;
    json_t *list = json_array();
    for (int32_t l = 0; list && l < m->n_layers; l++) {
        json_t *heads = json_array();
        for (int32_t h = 0; heads && h < m->n_heads; h++) {
            json_add(&heads, json_real(x->heads[l * m->n_heads + h]));
        }
        json_add(&list,
                 json_pack("{s:i, s:o, s:f}", "layer", (int)l, "heads", heads, "feed_forward", x->feed_forward[l]));
    }
    return list;
}

choir_status heads_explanation_json(const explanation *x, choir_error *err)
{
    return session_print_json(x->text.s,
                              json_pack("{s:i, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "id",
                                        (int)x->id, "token", heads_token_json(x->text.s->model, x->id), "logprob",
                                        x->log_prob, "logit", x->logit, "logit_uncapped", x->uncapped, "largest_logit",
                                        x->most, "embedding", x->embedding, "attention_biases", x->bias, "constant",
                                        x->constant, "rounded_inputs", x->activations, "rounding", x->rounding,
                                        "layers", layers_json(x), "lens", lens_json(x)),
                              err);
}
