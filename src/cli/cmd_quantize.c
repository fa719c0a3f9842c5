/* choir quantize: a model in, a smaller GGUF file out. */
#include <stdlib.h>
#include <string.h>

#include "cli/hub.h"
#include "cli/session.h"
#include "cli/signals.h"

static int on_progress(void *user, uint64_t done, uint64_t total)
{
    progress_draw(user, done, total);
    return signals_pending();
}

static void on_warning(void *user, const char *line)
{
    progress *bar = user;
    progress_end(bar);
    warning(bar->term, line);
}

int cmd_quantize(session *s)
{
    const options *o = s->opt;
    choir_error err;
    char *in = NULL;
    progress bar;
    /* The names that --quant takes are the types there are. */
    options named = *o;
    const char *type = o->n_args > 2 ? o->args[2] : "q8_0";
    choir_status status = option_set(&named, option_find(CMD_GENERATE, "quant"), "TYPE", type, &err);
    if (!status) {
        status = hub_find(&in, o->args[0], &err);
    }
    if (!status) {
        choir_quantize_options opt = {.in = in,
                                      .out = o->args[1],
                                      .type = named.quant,
                                      .tokenizer = o->tokenizer,
                                      .pure = o->pure,
                                      .n_threads = o->threads,
                                      .warn = on_warning,
                                      .progress = on_progress,
                                      .user = &bar};
        progress_begin(&bar, &s->term, "quantizing");
        signals_set(SIGNALS_CANCEL, NULL); /* the half-written file must go away first */
        status = choir_quantize(&opt, &err);
        signals_set(SIGNALS_EXIT, NULL);
        progress_end(&bar);
    }
    if (!status && s->term.verbose) {
        note(&s->term, "%s: written, %s", o->args[1], named.quant);
    }
    free(in);
    return session_end(s, status, &err);
}
