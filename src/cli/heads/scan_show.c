/* Prices of heads as tables and as JSON. */
#include <math.h>
#include <string.h>

#include "cli/heads/scan.h"

static const char *head_name(char dst[24], choir_head h)
{
    if (h.head < 0) {
        snprintf(dst, 24, "L%dH*", (int)h.layer);
    } else {
        snprintf(dst, 24, "L%dH%d", (int)h.layer, (int)h.head);
    }
    return dst;
}

/* What the perplexity rises by, and its error. */
static ppl_estimate rise(const heads_scan *x, const head_price *p)
{
    return (ppl_estimate){p->perplexity - exp(x->mean.value), p->perplexity * p->change.error};
}

/* A line's figures, the perplexity where there is room for it. */
static void print_price(paper *p, const heads_scan *x, const head_price *y)
{
    const ppl_estimate r = rise(x, y);
    if (p->columns >= 60) {
        paper_print(p, " %12.4f  ", y->perplexity);
    }
    paper_print(p, " %+10.4f +/- %-8.4f %+7.2f %%\n", r.value, r.error, 100 * (exp(y->change.value) - 1));
}

static void print_heading(paper *p, const char *what)
{
    paper_print(p, "%-13s%s %-22s %8s\n", what, p->columns >= 60 ? "   perplexity  " : "", "price", "share");
}

static void print_prices(paper *p, const heads_scan *x)
{
    char name[24];
    paper_print(p, "\nwithout one head, cheapest first\n");
    print_heading(p, "head");
    for (int32_t i = 0; i < x->n_prices; i++) {
        paper_print(p, "%-13s", head_name(name, x->prices[i].head));
        print_price(p, x, &x->prices[i]);
    }
}

static void print_curve(paper *p, const heads_scan *x)
{
    char name[24];
    paper_print(p, "\n");
    paper_prose(p, x->text.s->opt->rerank ? "without several, each line the cheapest of those that are left"
                                          : "without several, in the order of these prices");
    print_heading(p, "heads  last");
    for (int32_t i = 0; i < x->n_curve; i++) {
        paper_print(p, "%-6d %-6s", (int)x->curve[i].n_dropped, head_name(name, x->curve[i].head));
        print_price(p, x, &x->curve[i]);
    }
}

void heads_scan_table(const heads_scan *x)
{
    char name[24];
    paper p = paper_open(x->text.s);
    const int32_t n = heads_scan_free(x);
    paper_prose(&p, "perplexity %.4f +/- %.4f (%d window%s of %d tokens, %zu scored)", exp(x->mean.value),
                exp(x->mean.value) * x->mean.error, (int)x->windows.n, x->windows.n == 1 ? "" : "s",
                (int)x->windows.ctx, x->n_scored);
    print_prices(&p, x);
    print_curve(&p, x);
    if (n > 0) {
        paper_print(&p, "\n%d of %d can go for less than 1 %%: --mask-heads", (int)n, (int)x->n_prices);
        for (size_t i = 0; i < x->n_given + (size_t)n; i++) {
            paper_print(&p, "%s%s", i > 0 ? "," : " ", head_name(name, x->masked[i]));
        }
        paper_print(&p, "\n");
    }
    paper_close(&p);
}

/* ---- JSON ---- */

static json_t *price_json(const heads_scan *x, const head_price *p)
{
    const ppl_estimate r = rise(x, p);
    return json_pack("{s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "layer", (int)p->head.layer, "head", (int)p->head.head,
                     "dropped", (int)p->n_dropped, "perplexity", p->perplexity, "price", r.value, "price_error",
                     r.error, "nll_change", p->change.value, "nll_change_error", p->change.error);
}

static json_t *list_json(const heads_scan *x, const head_price *prices, int32_t n)
{
    json_t *list = json_array();
    for (int32_t i = 0; list && i < n; i++) {
        json_add(&list, price_json(x, &prices[i]));
    }
    return list;
}

/* As --mask-heads names them, in the order of the curve. */
static json_t *order_json(const heads_scan *x)
{
    char name[24];
    json_t *list = json_array();
    for (int32_t i = 0; list && i < x->n_prices; i++) {
        json_add(&list, json_string(head_name(name, x->masked[x->n_given + (size_t)i])));
    }
    return list;
}

choir_status heads_scan_json(const heads_scan *x, choir_error *err)
{
    const choir_model_info *m = &x->text.s->info;
    return session_print_json(x->text.s,
                              json_pack("{s:o, s:f, s:f, s:i, s:i, s:I, s:i, s:b, s:o, s:o, s:o}", "model",
                                        json_text(m->path, strlen(m->path)), "perplexity", exp(x->mean.value), "stderr",
                                        exp(x->mean.value) * x->mean.error, "chunks", (int)x->windows.n, "ctx",
                                        (int)x->windows.ctx, "tokens", (json_int_t)x->n_scored, "free",
                                        (int)heads_scan_free(x), "rerank", (int)x->text.s->opt->rerank, "order",
                                        order_json(x), "heads", list_json(x, x->prices, x->n_prices), "curve",
                                        list_json(x, x->curve, x->n_curve)),
                              err);
}
