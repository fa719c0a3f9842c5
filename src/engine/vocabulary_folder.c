/* The tokenizer's files beside the weights: tokenizer.model, else tokenizer.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/vocabulary.h"

/* "DIR/name" where `path` is a folder, "DIR-of-path/name" where it is a file; malloc'ed. */
static char *beside(const char *path, bool is_folder, const char *name, choir_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t dir = is_folder ? strlen(path) : slash != NULL ? (size_t)(slash - path) : 0;
    bool bare = !is_folder && slash == NULL;
    size_t cap = dir + strlen(name) + 2;
    char *out = malloc(cap);
    if (out == NULL) {
        base_fail_memory(err, cap, "a file name");
        return NULL;
    }
    snprintf(out, cap, "%.*s%s%s", (int)dir, path, bare ? "" : "/", name);
    return out;
}

/* A folder's tokenizer_config.json may say whether BOS is wanted; else it is what *add_bos already says. */
static choir_status read_add_bos(bool *add_bos, const char *folder, choir_error *err)
{
    char *path = beside(folder, true, "tokenizer_config.json", err);
    if (path == NULL) {
        return CHOIR_RESOURCE;
    }
    choir_status status = CHOIR_OK;
    if (access(path, F_OK) == 0) {
        json_t *root = NULL;
        status = base_json_load(&root, path, (size_t)64 << 20, err);
        if (status == CHOIR_OK) {
            status = base_json_bool(add_bos, root, path, "add_bos_token", *add_bos, err);
            json_decref(root);
        }
    }
    free(path);
    return status;
}

static choir_status open_path(struct choir_model *m, const char *path, choir_error *err)
{
    choir_status status = tok_open_file(&m->tokenizer, path, m->config.vocab_size, err);
    if (status == CHOIR_OK) {
        m->add_bos = tok_adds_bos(m->tokenizer);
    }
    return status;
}

/* DIR/tokenizer.model, else DIR/tokenizer.json. */
static choir_status open_beside(struct choir_model *m, const struct wts_set *set, bool is_folder, choir_error *err)
{
    static const char *const names[] = {"tokenizer.model", "tokenizer.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = beside(set->path, is_folder, names[i], err);
        if (path == NULL) {
            return CHOIR_RESOURCE;
        }
        bool there = access(path, F_OK) == 0;
        choir_status status = there ? open_path(m, path, err) : CHOIR_OK;
        free(path);
        if (there) {
            return status;
        }
    }
    char name[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: no tokenizer.model or tokenizer.json%s; give --tokenizer FILE",
                     base_escape_str(name, set->path), is_folder ? " in it" : " beside it");
}

choir_status eng_open_vocabulary_file(struct choir_model *m, const struct wts_set *set, const char *path,
                                      choir_error *err)
{
    bool is_folder = set->container == WTS_HF;
    choir_status status = path != NULL ? open_path(m, path, err) : open_beside(m, set, is_folder, err);
    return status == CHOIR_OK && is_folder ? read_add_bos(&m->add_bos, set->path, err) : status;
}
