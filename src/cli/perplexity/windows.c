/* Where the windows over a text lie. */
#include "base/error.h"
#include "cli/options/options.h"
#include "cli/perplexity/perplexity.h"

static choir_status check_sizes(const ppl_windows *w, choir_error *err)
{
    if (w->ctx < 4) {
        return base_fail(err, CHOIR_USAGE, "--ctx-size: windows of %d tokens leave nothing to score (4 or more do)",
                         (int)w->ctx);
    }
    if (w->stride >= w->ctx) {
        return base_fail(err, CHOIR_USAGE, "--stride: %d is not below the window of %d tokens (--ctx-size)",
                         (int)w->stride, (int)w->ctx);
    }
    return CHOIR_OK;
}

choir_status ppl_windows_plan(ppl_windows *w, int32_t ctx, int32_t stride, int32_t chunks, size_t n_ids,
                              choir_error *err)
{
    *w = (ppl_windows){.ctx = ctx, .stride = stride};
    choir_status status = check_sizes(w, err);
    if (status) {
        return status;
    }
    size_t tokens = (size_t)ctx;
    if (n_ids < 2 * tokens) {
        return base_fail(
            err, CHOIR_PROMPT,
            "the text has %zu tokens; windows of %d need at least %zu: give a longer text or a lower --ctx-size", n_ids,
            (int)ctx, 2 * tokens);
    }
    size_t step = stride > 0 ? (size_t)stride : tokens;
    size_t most = stride > 0 ? (n_ids - tokens + step - 1) / step : n_ids / tokens;
    most = most < INT32_MAX ? most : INT32_MAX;
    w->n = chunks > 0 && (size_t)chunks < most ? chunks : (int32_t)most;
    w->first = stride > 0 ? ctx - stride - 1 : ctx / 2;
    w->n_scored = ctx - 1 - w->first;
    return CHOIR_OK;
}

size_t ppl_window_start(const ppl_windows *w, int32_t i)
{
    return (size_t)i * (size_t)(w->stride > 0 ? w->stride : w->ctx);
}
