/* choir heads prune: a smaller model in a file. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/heads.h"
#include "cli/hub.h"
#include "cli/report.h"
#include "cli/signals.h"

static int on_progress(void *user, uint64_t done, uint64_t total)
{
    progress_draw(user, done, total);
    return signals_pending();
}

static void tell(session *s, const char *out, const choir_prune_result *r)
{
    char before[BYTES_CAP], after[BYTES_CAP], name[BASE_ESCAPE_CAP];
    const char *plural = r->n_gone == 1 ? "" : "s";
    base_escape_str(name, out);
    if (r->removed) {
        stream_print(
            &s->out, "%s: %d head%s removed; a layer has %d for queries and %d for keys and values; %s, was %s\n", name,
            (int)r->n_gone, plural, (int)r->n_heads, (int)r->n_kv_heads,
            format_bytes(after, sizeof after, r->bytes_after), format_bytes(before, sizeof before, r->bytes_before));
    } else {
        stream_print(&s->out, "%s: %d head%s made zero, %s\n", name, (int)r->n_gone, plural, r->why);
    }
}

choir_status heads_prune(session *s, choir_error *err)
{
    const options *o = s->opt;
    const char *env = getenv("CHOIR_MODEL"), *model = o->model ? o->model : env && *env ? env : NULL;
    char *in = NULL;
    progress bar;
    choir_prune_result result;
    if (o->n_args < 2) {
        return base_fail(err, CHOIR_USAGE,
                         "heads prune needs the name of the new file: choir heads prune OUT.gguf --mask-heads LIST");
    }
    if (o->mask_heads.n == 0) {
        return base_fail(err, CHOIR_USAGE, "heads prune needs the heads that shall go: --mask-heads LIST");
    }
    choir_status status = model ? hub_find(&in, model, err) : CHOIR_OK;
    if (status) {
        return status;
    }
    const choir_prune_options opt = {.in = in,
                                     .out = o->args[1],
                                     .heads = o->mask_heads.at,
                                     .n_heads = o->mask_heads.n,
                                     .progress = on_progress,
                                     .user = &bar};
    progress_begin(&bar, &s->term, "pruning");
    signals_set(SIGNALS_CANCEL, NULL); /* the half-written file must go away first */
    status = choir_prune(&result, &opt, err);
    signals_set(SIGNALS_EXIT, NULL);
    progress_end(&bar);
    free(in);
    if (!status && result.requantized) {
        warning(&s->term, "blocks of W_O hold numbers of several heads: W_O was rounded once more");
    }
    if (!status) {
        tell(s, o->args[1], &result);
    }
    return status;
}
