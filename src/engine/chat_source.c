/* Where a model's chat template is found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/chat.h"

static const size_t file_most = (size_t)64 << 20;

static choir_status copy_text(char **text, const char *from, size_t n, choir_error *err)
{
    *text = malloc(n + 1);
    if (*text == NULL) {
        return base_fail_memory(err, n + 1, "a chat template");
    }
    memcpy(*text, from, n);
    (*text)[n] = '\0'; /* what is behind a NUL is not looked at */
    return CHOIR_OK;
}

/* The field is the text, or a list of texts with names, of which "default" is meant. */
static const char *text_in(const json_t *field)
{
    const char *first = NULL;
    size_t i;
    json_t *one;
    if (json_is_string(field)) {
        return json_string_value(field);
    }
    json_array_foreach(field, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *text = json_string_value(json_object_get(one, "template"));
        if (text != NULL && name != NULL && strcmp(name, "default") == 0) {
            return text;
        }
        first = first != NULL ? first : text;
    }
    return first;
}

static choir_status from_config(char **text, const char *path, choir_error *err)
{
    json_t *root = NULL;
    choir_status status = base_json_load(&root, path, file_most, err);
    if (status == CHOIR_OK) {
        const char *found = text_in(json_object_get(root, "chat_template"));
        status = found != NULL ? copy_text(text, found, strlen(found), err) : CHOIR_OK;
    }
    json_decref(root);
    return status;
}

static choir_status from_folder(char **text, const char *folder, choir_error *err)
{
    static const char *const names[] = {"chat_template.jinja", "tokenizer_config.json"};
    choir_status status = CHOIR_OK;
    for (int i = 0; i < 2 && status == CHOIR_OK && *text == NULL; i++) {
        const size_t cap = strlen(folder) + strlen(names[i]) + 2;
        char *path = malloc(cap);
        if (path == NULL) {
            return base_fail_memory(err, cap, "a file name");
        }
        snprintf(path, cap, "%s/%s", folder, names[i]);
        if (access(path, F_OK) == 0) {
            size_t n;
            status = i == 0 ? base_file_slurp(path, file_most, text, &n, err) : from_config(text, path, err);
        }
        free(path);
    }
    return status;
}

choir_status eng_read_chat_template(char **text, const struct wts_set *set, choir_error *err)
{
    *text = NULL;
    if (set->container == WTS_HF) {
        return from_folder(text, set->path, err);
    }
    const struct wts_meta *m = set->container == WTS_GGUF ? wts_meta_find(set, "tokenizer.chat_template") : NULL;
    return m != NULL && m->type == WTS_STRING ? copy_text(text, m->v.s.data, m->v.s.n, err) : CHOIR_OK;
}
