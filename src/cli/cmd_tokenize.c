/* choir tokenize: text to ids and pieces, or ids to text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/generation.h"
#include "cli/options/numbers.h"
#include "cli/prompt.h"

#define FLUSH_BYTES 65536

static int flush(session *s, text_buffer *t, size_t at_least)
{
    int stop = 0;
    if (t->n >= at_least) {
        stop = stream_write(&s->out, t->at, t->n);
        t->n = 0;
    }
    return stop;
}

/* "id<tab>piece", the piece with control characters escaped. */
static choir_status print_pieces(session *s, const int32_t *ids, size_t n, choir_error *err)
{
    text_buffer line = {0};
    char *shown = NULL;
    size_t cap = 0;
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < n && !status && flush(s, &line, FLUSH_BYTES) == 0; i++) {
        size_t bytes, used, need;
        char number[16];
        const char *piece = choir_piece(s->model, ids[i], &bytes);
        need = 4 * bytes + 1;
        if (need > cap) {
            char *bigger = realloc(shown, need);
            if (!bigger) {
                status = base_fail(err, CHOIR_RESOURCE, "out of memory for a piece of %zu bytes", bytes);
                break;
            }
            shown = bigger;
            cap = need;
        }
        escape_text(shown, cap, piece ? piece : "", bytes, &used);
        int digits = snprintf(number, sizeof number, "%d\t", (int)ids[i]);
        if (text_append(&line, number, (size_t)digits) || text_append(&line, shown, used) ||
            text_append(&line, "\n", 1)) {
            status = base_fail(err, CHOIR_RESOURCE, "out of memory");
        }
    }
    flush(s, &line, 1);
    free(shown);
    free(line.at);
    return status;
}

static choir_status print_ids(session *s, const int32_t *ids, size_t n, choir_error *err)
{
    text_buffer line = {0};
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < n && flush(s, &line, FLUSH_BYTES) == 0; i++) {
        char number[16];
        int digits = snprintf(number, sizeof number, i ? " %d" : "%d", (int)ids[i]);
        if (text_append(&line, number, (size_t)digits)) {
            status = base_fail(err, CHOIR_RESOURCE, "out of memory");
            break;
        }
    }
    flush(s, &line, 1);
    stream_write(&s->out, "\n", 1);
    free(line.at);
    return status;
}

static choir_status print_json(session *s, const int32_t *ids, size_t n, choir_error *err)
{
    json_t *id_list = json_array(), *piece_list = json_array();
    bool failed = !id_list || !piece_list;
    for (size_t i = 0; i < n && !failed; i++) {
        size_t bytes;
        const char *piece = choir_piece(s->model, ids[i], &bytes);
        failed = json_array_append_new(id_list, json_integer(ids[i])) != 0 ||
                 json_array_append_new(piece_list, json_text(piece, bytes)) != 0;
    }
    json_t *object = failed ? NULL : json_pack("{s:O, s:O}", "ids", id_list, "pieces", piece_list);
    json_decref(id_list);
    json_decref(piece_list);
    return session_print_json(s, object, err);
}

static choir_status encode(session *s, const prompt *text, choir_error *err)
{
    int32_t *ids = NULL;
    size_t n;
    const options *o = s->opt;
    choir_status status = choir_tokenize(&ids, &n, s->model, text->text, text->n, !o->no_bos, err);
    if (!status) {
        status = o->json       ? print_json(s, ids, n, err)
                 : o->ids_only ? print_ids(s, ids, n, err)
                               : print_pieces(s, ids, n, err);
    }
    free(ids);
    return status;
}

/* Ids apart by spaces, newlines, commas or brackets, as --ids and --json write them. */
static choir_status parse_ids(int32_t **out, size_t *n, prompt *text, choir_error *err)
{
    static const char gaps[] = " \t\r\n,[]";
    size_t cap = text->n / 2 + 1;
    int32_t *ids = malloc(cap * sizeof *ids);
    *out = ids;
    *n = 0;
    if (!ids) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for %zu ids", cap);
    }
    for (size_t at = 0; at < text->n;) {
        char word[BASE_ESCAPE_CAP], item[16];
        int64_t id;
        size_t len = 0;
        if (text->text[at] && strchr(gaps, text->text[at])) {
            at++;
            continue;
        }
        while (at + len < text->n && (!text->text[at + len] || !strchr(gaps, text->text[at + len]))) {
            len++;
        }
        snprintf(item, sizeof item, "%.*s", (int)(len < sizeof item ? len : sizeof item - 1), text->text + at);
        if (len >= sizeof item || strlen(item) != len || !number_int(&id, item, 0, INT32_MAX)) {
            return base_fail(err, CHOIR_USAGE, "--decode: \"%s\" at byte %zu is not a token's id",
                             base_escape(word, text->text + at, len), at);
        }
        ids[(*n)++] = (int32_t)id;
        at += len;
    }
    return CHOIR_OK;
}

static choir_status decode(session *s, prompt *text, choir_error *err)
{
    int32_t *ids;
    char *decoded = NULL;
    size_t n, bytes;
    choir_status status = parse_ids(&ids, &n, text, err);
    if (!status) {
        status = choir_detokenize(&decoded, &bytes, s->model, ids, n, err);
    }
    if (!status) {
        stream_write(&s->out, decoded, bytes);
        stream_end_line(&s->out, &s->term);
    }
    free(decoded);
    free(ids);
    return status;
}

int cmd_tokenize(session *s)
{
    choir_error err;
    prompt text;
    choir_status status = prompt_read(&text, s->opt, &s->term, &err);
    if (!status) {
        status = session_open_model(s, true, &err);
    }
    if (!status) {
        status = s->opt->decode ? decode(s, &text, &err) : encode(s, &text, &err);
    }
    prompt_free(&text);
    return session_end(s, status, &err);
}
