/* The result of a perplexity run, for people and as JSON. */
#include "cli/perplexity/report.h"

#include <string.h>

static void print_estimate(session *s, const char *name, ppl_estimate e, double scale, const char *unit)
{
    stream_print(&s->out, "%-24s %11.6f +/- %.6f%s\n", name, scale * e.value, scale * e.error, unit);
}

static void print_comparison(session *s, const ppl_comparison *c)
{
    const struct {
        const char *name;
        double value;
    } values[] = {{"maximum", c->most}, {"99.9 %", c->p999},   {"99 %", c->p99},     {"95 %", c->p95},
                  {"90 %", c->p90},     {"median", c->median}, {"minimum", c->least}};
    print_estimate(s, "base perplexity", c->base, 1, "");
    print_estimate(s, "ratio", c->ratio, 1, "");
    print_estimate(s, "log of the ratio", c->log_ratio, 1, "");
    stream_print(&s->out, "%-24s %11.6f\n", "correlation", c->correlation);
    print_estimate(s, "divergence, mean", c->divergence, 1, " nats");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        stream_print(&s->out, "  %-22s %11.6f\n", values[i].name, values[i].value);
    }
    print_estimate(s, "same best token", c->same_best, 100, " %");
    print_estimate(s, "token probability, mean", c->change, 100, " %");
    print_estimate(s, "  root mean square", c->change_rms, 100, " %");
}

static void print(session *s, const ppl_outcome *out, const ppl_result *r, const ppl_comparison *c)
{
    const ppl_windows *w = &out->windows;
    stream_print(&s->out, "perplexity %.4f +/- %.5f (%d chunk%s of %d tokens", r->perplexity.value, r->perplexity.error,
                 (int)w->n, w->n == 1 ? "" : "s", (int)w->ctx);
    if (w->stride > 0) {
        stream_print(&s->out, ", stride %d", (int)w->stride);
    }
    stream_print(&s->out, ", %llu scored)\n", (unsigned long long)out->sums.n);
    if (out->divergences) {
        print_comparison(s, c);
    }
}

static json_t *comparison_json(const ppl_comparison *c)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
                     "s:f, s:f, s:f}",
                     "mean", c->divergence.value, "stderr", c->divergence.error, "max", c->most, "p99_9", c->p999,
                     "p99", c->p99, "p95", c->p95, "p90", c->p90, "median", c->median, "min", c->least, "top1",
                     c->same_best.value, "top1_stderr", c->same_best.error, "delta_p_mean", c->change.value,
                     "delta_p_mean_stderr", c->change.error, "delta_p_rms", c->change_rms.value, "delta_p_rms_stderr",
                     c->change_rms.error, "base_perplexity", c->base.value, "base_stderr", c->base.error, "ppl_ratio",
                     c->ratio.value, "ppl_ratio_stderr", c->ratio.error, "log_ppl_ratio", c->log_ratio.value,
                     "log_ppl_ratio_stderr", c->log_ratio.error, "correlation", c->correlation);
}

static choir_status print_json(session *s, const ppl_outcome *out, const ppl_result *r, const ppl_comparison *c,
                               choir_error *err)
{
    const char *name = session_model_name(s);
    const ppl_windows *w = &out->windows;
    json_t *object =
        json_pack("{s:o, s:f, s:f, s:f, s:f, s:I, s:I, s:i, s:i, s:i, s:f}", "model", json_text(name, strlen(name)),
                  "perplexity", r->perplexity.value, "stderr", r->perplexity.error, "nll", r->nll.value, "nll_stderr",
                  r->nll.error, "tokens", (json_int_t)out->sums.n, "text_tokens", (json_int_t)out->n_ids, "chunks",
                  (int)w->n, "ctx", (int)w->ctx, "stride", (int)w->stride, "seconds", out->seconds);
    if (object && out->divergences && json_object_set_new(object, "kl", comparison_json(c)) != 0) {
        json_decref(object);
        object = NULL;
    }
    return session_print_json(s, object, err);
}

choir_status ppl_report(session *s, const ppl_outcome *out, choir_error *err)
{
    const ppl_result r = ppl_summary(&out->sums);
    ppl_comparison c = {0};
    if (out->divergences) {
        c = ppl_compare(&out->sums, out->divergences);
    }
    if (s->opt->json) {
        return print_json(s, out, &r, &c, err);
    }
    print(s, out, &r, &c);
    return CHOIR_OK;
}
