/* Writing a page. */
#include "cli/heads_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/new_file.h"

extern const char choir_page[], choir_page_end[]; /* src/cli/page/page.S */

static const char tail[] = "</script>\n</body>\n</html>\n";

choir_status heads_page_check(const session *s, choir_error *err)
{
    return s->opt->html ? base_new_file_check(s->opt->html, err) : CHOIR_OK;
}

/* ---- data ---- */

void heads_page_append(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) != 0) {
        json_decref(*list);
        *list = NULL;
    }
}

json_t *heads_page_labels(const choir_model *model, const int32_t *ids, int32_t n)
{
    char label[LABEL_CAP], *text = malloc(choir_token_text_bound(model) + 1);
    json_t *list = text ? json_array() : NULL;
    for (int32_t i = 0; list && i < n; i++) {
        heads_label_in(label, model, ids[i], text);
        heads_page_append(&list, json_text(label, strlen(label)));
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

/* The shell, the JSON with every < as \u003c, the end; NULL: out of memory. */
static char *compose(size_t *n_out, const char *json)
{
    const size_t n_shell = (size_t)(choir_page_end - choir_page), n_json = strlen(json), n_tail = sizeof tail - 1;
    size_t n_angles = 0, used = n_shell;
    for (const char *c = json; (c = strchr(c, '<')); c++) {
        n_angles++;
    }
    char *text = malloc(n_shell + n_json + 5 * n_angles + n_tail);
    if (!text) {
        return NULL;
    }
    memcpy(text, choir_page, n_shell);
    for (size_t i = 0; i < n_json; i++) {
        if (json[i] == '<') {
            memcpy(text + used, "\\u003c", 6);
            used += 6;
        } else {
            text[used++] = json[i];
        }
    }
    memcpy(text + used, tail, n_tail);
    *n_out = used + n_tail;
    return text;
}

static choir_status write_page(const session *s, const char *text, size_t n, choir_error *err)
{
    char name[ESCAPED_CAP];
    choir_status status = base_new_file_put(s->opt->html, text, n, err);
    if (!status && s->term.verbose) {
        note(&s->term, "%s: %.1f MB", escaped(name, sizeof name, s->opt->html, strlen(s->opt->html)), (double)n / 1e6);
    }
    return status;
}

choir_status heads_page_write(const session *s, const char *kind, json_t *data, choir_error *err)
{
    const choir_model_info *m = &s->info;
    const char *name = session_model_name(s);
    json_t *about =
        json_pack("{s:s, s:o, s:i, s:i, s:i}", "page", kind, "model", json_text(name, strlen(name)), "n_layers",
                  (int)m->n_layers, "n_heads", (int)m->n_heads, "n_kv_heads", (int)m->n_kv_heads);
    const bool ok = data && about && json_object_update(data, about) == 0;
    char *json = ok ? json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6)) : NULL;
    size_t n = 0;
    json_decref(about);
    json_decref(data);
    char *text = json ? compose(&n, json) : NULL;
    free(json);
    if (!text) {
        return fail(err, CHOIR_RESOURCE, "out of memory for the page");
    }
    choir_status status = n <= PAGE_MOST
                              ? write_page(s, text, n, err)
                              : fail(err, CHOIR_RESOURCE, "--html: the page would have %.0f MB, the most is %.0f",
                                     (double)n / 1e6, PAGE_MOST / 1e6);
    free(text);
    return status;
}
