/* Writing a page. */
#include "cli/heads/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/generation.h"

extern const char choir_page[], choir_page_end[]; /* src/cli/page/page.S */

static const char tail[] = "</script>\n</body>\n</html>\n";

/* ---- data ---- */

json_t *heads_page_labels(const choir_model *model, const int32_t *ids, int32_t n)
{
    char label[LABEL_CAP], *text = malloc(choir_token_text_bound(model) + 1);
    json_t *list = text ? json_array() : NULL;
    for (int32_t i = 0; list && i < n; i++) {
        heads_label_in(label, model, ids[i], text);
        json_add(&list, json_text(label, strlen(label)));
    }
    free(text);
    return list;
}

size_t heads_page_base64_bound(size_t n)
{
    return (2 * n + 2) / 3 * 4;
}

/* The k-th byte of the numbers; behind them 0. */
static unsigned byte_of(const float *x, size_t n, size_t k)
{
    if (k / 2 >= n) {
        return 0;
    }
    const float w = x[k / 2] > 0 ? x[k / 2] < 1 ? x[k / 2] : 1 : 0;
    const unsigned all = (unsigned)(w * 65535.0f + 0.5f);
    return k % 2 == 0 ? all & 255 : all >> 8;
}

json_t *heads_page_base64(const float *x, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t n_text = heads_page_base64_bound(n);
    char *text = malloc(n_text + 1);
    size_t used = 0;
    for (size_t k = 0; text && k < 2 * n; k += 3) {
        const unsigned bits = byte_of(x, n, k) << 16 | byte_of(x, n, k + 1) << 8 | byte_of(x, n, k + 2);
        text[used++] = digits[bits >> 18];
        text[used++] = digits[bits >> 12 & 63];
        text[used++] = k + 1 < 2 * n ? digits[bits >> 6 & 63] : '=';
        text[used++] = k + 2 < 2 * n ? digits[bits & 63] : '=';
    }
    json_t *value = text ? json_stringn_nocheck(text, used) : NULL;
    free(text);
    return value;
}

/* ---- the file ---- */

/* Every < as \u003c. */
static int append_escaped(const char *json, size_t n, void *page)
{
    for (size_t i = 0; i < n; i++) {
        const bool angle = json[i] == '<';
        if (text_append(page, angle ? "\\u003c" : json + i, angle ? 6 : 1)) {
            return -1;
        }
    }
    return 0;
}

choir_status heads_page_write(session *s, const char *kind, json_t *data, choir_error *err)
{
    const choir_model_info *m = &s->info;
    const char *name = session_model_name(s);
    json_t *about =
        json_pack("{s:s, s:o, s:i, s:i, s:i}", "page", kind, "model", json_text(name, strlen(name)), "n_layers",
                  (int)m->n_layers, "n_heads", (int)m->n_heads, "n_kv_heads", (int)m->n_kv_heads);
    text_buffer page = {.n = 0};
    bool whole = data && about && json_object_update(data, about) == 0;
    whole = whole && text_append(&page, choir_page, (size_t)(choir_page_end - choir_page)) == 0 &&
            json_dump_callback(data, append_escaped, &page,
                               JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6)) == 0 &&
            text_append(&page, tail, sizeof tail - 1) == 0 && !page.failed; /* jansson passes over a key's failure */
    json_decref(about);
    json_decref(data);
    choir_status status = CHOIR_OK;
    if (!whole) {
        status = base_fail(err, CHOIR_RESOURCE, "out of memory for the page");
    } else if (page.n > PAGE_MOST) {
        status = base_fail(err, CHOIR_RESOURCE, "--html: the page would have %.0f MB, the most is %.0f",
                           (double)page.n / 1e6, PAGE_MOST / 1e6);
    } else {
        status = heads_file_write(s, s->opt->html, page.at, page.n, err);
    }
    free(page.at);
    return status;
}
