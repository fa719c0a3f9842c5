/* choir heads: which of its commands is meant. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/heads.h"
#include "cli/options/suggest.h"

enum { MAP = 1, REPORT = 2, EXPLAIN = 4, SCAN = 8, PRUNE = 16, COST = 32 };

static const struct {
    unsigned part;
    const char *name;
    choir_status (*run)(session *s, choir_error *err);
    int max_args; /* its own name included */
    const char *stray;
} parts[] = {
    {MAP, "map", heads_map, 1, "the text goes after -p"},
    {REPORT, "report", heads_report, 1, "the text goes after -f"},
    {EXPLAIN, "explain", heads_explain, 1, "the text goes after -p"},
    {SCAN, "prune-scan", heads_prune_scan, 1, "the text goes after -f"},
    {PRUNE, "prune", heads_prune, 2, "heads prune takes the new file's name; the model goes after -m"},
    {COST, "cost", heads_cost, 2, "heads cost takes one model"},
};
enum { N_PARTS = sizeof parts / sizeof parts[0] };

static choir_status unknown(const char *name, choir_error *err)
{
    char text[BASE_ESCAPE_CAP], near[48] = "";
    suggestion s;
    suggest_begin(&s, name);
    for (size_t i = 0; i < N_PARTS; i++) {
        suggest_add(&s, parts[i].name);
    }
    if (s.best) {
        snprintf(near, sizeof near, "; did you mean %s?", s.best);
    }
    return base_fail(err, CHOIR_USAGE, "heads: there is no %s%s (see choir help heads)", base_escape_str(text, name),
                     near);
}

/* Flags that say nothing to this part are refused, not passed over. */
static choir_status check(const options *o, unsigned part, choir_error *err)
{
    const struct {
        bool given;
        unsigned parts;
        const char *name;
    } flags[] = {
        {o->layers.n > 0, MAP, "--layer"},
        {o->heads.n > 0, MAP, "--head"},
        {o->from != 0, MAP, "--from"},
        {o->csv, MAP, "--csv"},
        {o->pgm, MAP, "--pgm"},
        {o->html, MAP | REPORT | EXPLAIN, "--html"},
        {o->top > 0, MAP | EXPLAIN, "--top"},
        {o->quant, ~(unsigned)(PRUNE | COST), "--quant"},
        {o->mmap, ~(unsigned)(PRUNE | COST), "--mmap"},
        {o->tokenizer, ~(unsigned)PRUNE, "--tokenizer"},
        {o->raw, ~(unsigned)(PRUNE | COST), "--raw"},
        {o->lossy, ~(unsigned)(PRUNE | COST), "--lossy"},
        {o->cpu, ~(unsigned)(PRUNE | COST), "--cpu"},
        {o->mem_limit > 0, ~(unsigned)(PRUNE | COST), "--mem-limit"},
        {o->new_tokens > 0, MAP | EXPLAIN, "--new-tokens"},
        {o->token >= 0, EXPLAIN, "--token"},
        {o->rerank, SCAN, "--rerank"},
        {o->chunks > 0, REPORT | SCAN, "--chunks"},
        {o->ctx_size > 0, REPORT | SCAN | COST, "--ctx-size"},
        {o->json, ~(unsigned)PRUNE, "--json"},
        {o->mask_heads.n > 0, ~(unsigned)COST, "--mask-heads"},
        {o->prompt || o->file, ~(unsigned)(PRUNE | COST), "a text"},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i].given && !(flags[i].parts & part)) {
            return base_fail(err, CHOIR_USAGE, "heads %s has no use for %s (see choir help heads)", o->args[0],
                             flags[i].name);
        }
    }
    return CHOIR_OK;
}

static choir_status run(session *s, choir_error *err)
{
    const options *o = s->opt;
    for (size_t i = 0; i < N_PARTS; i++) {
        if (strcmp(parts[i].name, o->args[0]) == 0) {
            if (o->n_args > parts[i].max_args) {
                return base_fail(err, CHOIR_USAGE, "heads %s: an argument is too many: %s", o->args[0], parts[i].stray);
            }
            choir_status status = check(o, parts[i].part, err);
            return status ? status : parts[i].run(s, err);
        }
    }
    return unknown(o->args[0], err);
}

int cmd_heads(session *s)
{
    choir_error err;
    choir_status status = run(s, &err);
    return session_end(s, status, &err);
}
