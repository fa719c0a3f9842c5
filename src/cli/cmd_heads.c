/* choir heads: which of its commands is meant. */
#include <stdio.h>
#include <string.h>

#include "cli/heads.h"
#include "cli/suggest.h"

static const struct {
    const char *name;
    choir_status (*run)(session *s, choir_error *err);
    int max_args; /* its own name included */
    const char *stray;
} parts[] = {
    {"map", heads_map, 1, "the text goes after -p"},
    {"report", heads_report, 1, "the text goes after -f"},
    {"explain", heads_explain, 1, "the text goes after -p"},
    {"prune-scan", heads_prune_scan, 1, "the text goes after -f"},
    {"prune", heads_prune, 2, "heads prune takes the new file's name; the model goes after -m"},
    {"cost", heads_cost, 2, "heads cost takes one model"},
};
enum { N_PARTS = sizeof parts / sizeof parts[0] };

static choir_status unknown(const char *name, choir_error *err)
{
    char text[ESCAPED_CAP], near[48] = "";
    suggestion s;
    suggest_begin(&s, name);
    for (size_t i = 0; i < N_PARTS; i++) {
        suggest_add(&s, parts[i].name);
    }
    if (s.best) {
        snprintf(near, sizeof near, "; did you mean %s?", s.best);
    }
    return fail(err, CHOIR_USAGE, "heads: there is no %s%s (see choir help heads)",
                escaped(text, sizeof text, name, strlen(name)), near);
}

static choir_status run(session *s, choir_error *err)
{
    const options *o = s->opt;
    for (size_t i = 0; i < N_PARTS; i++) {
        if (strcmp(parts[i].name, o->args[0]) == 0) {
            return o->n_args <= parts[i].max_args
                       ? parts[i].run(s, err)
                       : fail(err, CHOIR_USAGE, "heads %s: an argument is too many: %s", o->args[0], parts[i].stray);
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
