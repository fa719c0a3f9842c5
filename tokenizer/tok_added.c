#include "tokenizer/tok_added.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "tokenizer/sentencepiece/model.h"

enum { MAX_FILE_BYTES = 64 << 20 };

struct reader {
    struct tok_added *to;
    int64_t vocab_rows;
    char file[BASE_ESCAPE_CAP]; /* the one being read */
    choir_error *err;
};

void tok_added_free(struct tok_added *a)
{
    free(a->tokens);
    json_decref(a->roots[0]);
    json_decref(a->roots[1]);
    *a = (struct tok_added){0};
}

/* The file `name` beside `path`; *root stays NULL where there is none. */
static choir_status load_beside(json_t **root, struct reader *r, const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    size_t dir = slash != NULL ? (size_t)(slash + 1 - path) : 0;
    size_t cap = dir + strlen(name) + 1;
    char *whole = malloc(cap);
    if (whole == NULL) {
        return base_fail_memory(r->err, cap, "a file name");
    }
    memcpy(whole, path, dir);
    memcpy(whole + dir, name, strlen(name) + 1);
    base_escape_str(r->file, whole);
    choir_status status = access(whole, F_OK) == 0 ? base_json_load(root, whole, MAX_FILE_BYTES, r->err) : CHOIR_OK;
    free(whole);
    return status;
}

/* A decimal number as a key, or -1. */
static int64_t id_of_key(const char *key)
{
    int64_t id = 0;
    for (const char *c = key; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || (*c == '0' && c == key && c[1] != '\0') || id >= SP_MAX_PIECES) {
            return -1;
        }
        id = 10 * id + (*c - '0');
    }
    return *key != '\0' ? id : -1;
}

static choir_status add(struct reader *r, int64_t id, struct bpe_added token)
{
    char shown[BASE_ESCAPE_CAP];
    if (id < 0 || id >= SP_MAX_PIECES) {
        return base_fail(r->err, CHOIR_FILE, "%s: id of \"%s\": must be 0 to %d", r->file,
                         base_escape(shown, token.text, token.n), SP_MAX_PIECES - 1);
    }
    if (r->vocab_rows >= 0 && id >= r->vocab_rows) {
        return CHOIR_OK;
    }
    if (token.n == 0 || token.n > SP_MAX_PIECE_BYTES) {
        return base_fail(r->err, CHOIR_FILE, "%s: added token %d: %zu bytes (1 to %d allowed)", r->file, (int)id,
                         token.n, SP_MAX_PIECE_BYTES);
    }
    token.id = (int32_t)id;
    r->to->tokens[r->to->n++] = token;
    return CHOIR_OK;
}

static choir_status make_room(struct reader *r, size_t n)
{
    r->to->tokens = base_array(n + 1, sizeof *r->to->tokens);
    return r->to->tokens != NULL ? CHOIR_OK : base_fail_memory(r->err, n * sizeof *r->to->tokens, "the added tokens");
}

/* ---- tokenizer_config.json ---- */

static choir_status read_entry(struct reader *r, const char *key, const json_t *entry)
{
    const json_t *content = json_object_get(entry, "content");
    struct bpe_added token = {.text = json_string_value(content), .n = json_string_length(content)};
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {{"special", &token.special},
                 {"single_word", &token.single_word},
                 {"lstrip", &token.lstrip},
                 {"rstrip", &token.rstrip}};
    if (token.text == NULL) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(r->err, CHOIR_FILE, "%s: added token \"%s\" has no content", r->file,
                         base_escape_str(shown, key));
    }
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0] && status == CHOIR_OK; i++) {
        status = base_json_bool(flags[i].flag, entry, r->file, flags[i].key, false, r->err);
    }
    return status == CHOIR_OK ? add(r, id_of_key(key), token) : status;
}

static choir_status read_decoder(struct reader *r, const json_t *decoder)
{
    choir_status status = make_room(r, json_object_size(decoder));
    const char *key;
    json_t *entry;
    json_object_foreach((json_t *)(uintptr_t)decoder, key, entry)
    {
        status = status == CHOIR_OK ? read_entry(r, key, entry) : status;
    }
    return status;
}

/* ---- added_tokens.json ---- */

static bool is_text_of(const json_t *value, const char *text)
{
    const char *own = json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
    return own != NULL && strcmp(own, text) == 0;
}

/* Whether the map of special tokens names the text: values are tokens or lists of them. */
static bool is_named(const json_t *map, const char *text)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        bool found = is_text_of(value, text);
        for (size_t i = 0; !found && i < json_array_size(value); i++) {
            found = is_text_of(json_array_get(value, i), text);
        }
        if (found) {
            return true;
        }
    }
    return false;
}

static int by_id(const void *a, const void *b)
{
    const struct bpe_added *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* An id has one text: else one that is special could be made from the other, which is not. */
static choir_status check_ids(struct reader *r)
{
    struct bpe_added *tokens = r->to->tokens;
    qsort(tokens, r->to->n, sizeof *tokens, by_id);
    for (size_t i = 1; i < r->to->n; i++) {
        if (tokens[i].id == tokens[i - 1].id) {
            char first[BASE_ESCAPE_CAP], second[BASE_ESCAPE_CAP];
            return base_fail(r->err, CHOIR_FILE, "%s: id %d is that of \"%s\" and of \"%s\"", r->file,
                             (int)tokens[i].id, base_escape(first, tokens[i - 1].text, tokens[i - 1].n),
                             base_escape(second, tokens[i].text, tokens[i].n));
        }
    }
    return CHOIR_OK;
}

static choir_status read_list(struct reader *r, const char *path)
{
    json_t *map = NULL;
    choir_status status = load_beside(&map, r, path, "special_tokens_map.json");
    if (status == CHOIR_OK) {
        status = load_beside(&r->to->roots[1], r, path, "added_tokens.json");
    }
    if (status == CHOIR_OK) {
        status = make_room(r, json_object_size(r->to->roots[1]));
    }
    const char *text;
    json_t *id;
    json_object_foreach(r->to->roots[1], text, id)
    {
        struct bpe_added token = {.text = text, .n = strlen(text), .special = is_named(map, text)};
        if (status == CHOIR_OK) {
            status = add(r, json_is_integer(id) ? json_integer_value(id) : -1, token);
        }
    }
    json_decref(map);
    return status == CHOIR_OK ? check_ids(r) : status;
}

choir_status tok_added_read(struct tok_added *a, const char *path, int64_t vocab_rows, choir_error *err)
{
    *a = (struct tok_added){.legacy = true};
    struct reader r = {.to = a, .vocab_rows = vocab_rows, .err = err};
    choir_status status = load_beside(&a->roots[0], &r, path, "tokenizer_config.json");
    if (status == CHOIR_OK && a->roots[0] != NULL) {
        status = base_json_bool(&a->legacy, a->roots[0], r.file, "legacy", true, err);
    }
    const json_t *decoder = json_object_get(a->roots[0], "added_tokens_decoder");
    if (status != CHOIR_OK) {
        return status;
    }
    return json_is_object(decoder) ? read_decoder(&r, decoder) : read_list(&r, path);
}
