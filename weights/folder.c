/* Hugging Face folders: model.safetensors, or the shards that model.safetensors.index.json names.  A shard is a
 * file of the folder itself: a name with a slash is refused before anything is opened. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "weights/set.h"

enum { MAX_INDEX_BYTES = 100000000 };

/* DIR/name; malloc'ed. */
static char *join(const char *folder, const char *name)
{
    size_t n = strlen(folder), m = strlen(name);
    char *path = malloc(n + m + 2);
    if (path != NULL) {
        bool slash = n > 0 && folder[n - 1] != '/';
        memcpy(path, folder, n);
        path[n] = '/';
        memcpy(path + n + (slash ? 1 : 0), name, m + 1);
    }
    return path;
}

static choir_status fail_name_memory(choir_error *err)
{
    return base_fail_memory(err, BASE_ESCAPE_CAP, "a file name");
}

/* Sets one of the set's names for messages to DIR/name. */
static choir_status name_file(char **shown, const struct wts_set *set, const char *name, choir_error *err)
{
    char *path = join(set->path, name);
    char *made = path != NULL ? wts_show_path(path) : NULL;
    free(path);
    if (made == NULL) {
        return fail_name_memory(err);
    }
    free(*shown);
    *shown = made;
    return CHOIR_OK;
}

static choir_status is_there(bool *there, const struct wts_set *set, const char *name, choir_error *err)
{
    struct stat st;
    char *path = join(set->path, name);
    if (path == NULL) {
        return fail_name_memory(err);
    }
    *there = stat(path, &st) == 0;
    free(path);
    return CHOIR_OK;
}

static choir_status load_file(struct wts_set *set, const char *name, choir_error *err)
{
    char *path = join(set->path, name);
    struct base_file *file = path != NULL ? wts_add_file(set) : NULL;
    choir_status status = file != NULL ? base_file_open(file, path, err) : fail_name_memory(err);
    free(path);
    return status == CHOIR_OK ? wts_load_safetensors(set, file, err) : status;
}

/* ---- shards ------------------------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static choir_status check_shard_name(const char *index, const char *name, choir_error *err)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: shard name \"%s\" leaves the model directory", index,
                         base_escape_str(shown, name));
    }
    return CHOIR_OK;
}

/* The different values of the map, in order, into names [*n]. */
static choir_status list_shards(const char **names, size_t *n, json_t *map, const char *index, choir_error *err)
{
    const char *tensor;
    json_t *value;
    size_t all = 0;
    json_object_foreach(map, tensor, value)
    {
        if (!json_is_string(value)) {
            char shown[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_FILE, "%s: weight_map: value of \"%s\" is not a string", index,
                             base_escape_str(shown, tensor));
        }
        names[all++] = json_string_value(value);
        choir_status status = check_shard_name(index, names[all - 1], err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    qsort(names, all, sizeof *names, by_text);
    *n = 0;
    for (size_t i = 0; i < all; i++) {
        if (*n == 0 || strcmp(names[*n - 1], names[i]) != 0) {
            names[(*n)++] = names[i];
        }
    }
    if (*n > WTS_MAX_SPLITS) {
        return base_fail(err, CHOIR_FILE, "%s: %zu shards (at most %d allowed)", index, *n, WTS_MAX_SPLITS);
    }
    return CHOIR_OK;
}

/* Every tensor that the index names is in the shard that it names. */
static choir_status check_map(const struct wts_set *set, json_t *map, choir_error *err)
{
    const char *tensor;
    json_t *value;
    json_object_foreach(map, tensor, value)
    {
        const struct wts_tensor *t = wts_find_any(set, tensor);
        const char *shard = json_string_value(value);
        const char *slash = t != NULL ? strrchr(t->file->path, '/') : NULL;
        if (slash == NULL || strcmp(slash + 1, shard) != 0) {
            char shown[BASE_ESCAPE_CAP], shown_shard[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_FILE, "%s: tensor %s not in %s", set->priv->weights_file,
                             base_escape_str(shown, tensor), base_escape_str(shown_shard, shard));
        }
    }
    return CHOIR_OK;
}

static choir_status load_shards(struct wts_set *set, json_t *map, choir_error *err)
{
    const char *index = set->priv->weights_file;
    if (!json_is_object(map)) {
        return base_fail(err, CHOIR_FILE, "%s: weight_map missing", index);
    }
    size_t n_entries = json_object_size(map), n = 0;
    const char **names = base_array(n_entries + 1, sizeof(const char *));
    if (names == NULL) {
        return fail_name_memory(err);
    }
    choir_status status = list_shards(names, &n, map, index, err);
    for (size_t i = 0; i < n && status == CHOIR_OK; i++) {
        status = load_file(set, names[i], err);
    }
    free(names);
    if (status == CHOIR_OK) {
        status = wts_finish(set, err);
    }
    return status == CHOIR_OK ? check_map(set, map, err) : status;
}

static choir_status load_index(struct wts_set *set, const char *name, choir_error *err)
{
    char *path = join(set->path, name);
    if (path == NULL) {
        return fail_name_memory(err);
    }
    json_t *root;
    choir_status status = base_json_load(&root, path, MAX_INDEX_BYTES, err);
    free(path);
    if (status == CHOIR_OK) {
        status = load_shards(set, json_object_get(root, "weight_map"), err);
        json_decref(root);
    }
    return status;
}

choir_status wts_load_folder(struct wts_set *set, bool headers_from_config, choir_error *err)
{
    static const char one[] = "model.safetensors", index[] = "model.safetensors.index.json", config[] = "config.json";
    bool single = false, sharded = false, described = false;
    choir_status status = is_there(&single, set, one, err);
    if (status == CHOIR_OK && !single) {
        status = is_there(&sharded, set, index, err);
    }
    if (status == CHOIR_OK) {
        status = is_there(&described, set, config, err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    if (!single && !sharded && !(headers_from_config && described)) {
        return base_fail(err, CHOIR_IO, "%s: %s", set->model_file,
                         described ? "neither model.safetensors nor model.safetensors.index.json in it"
                                   : "Is a directory, without config.json");
    }
    status = name_file(&set->model_file, set, config, err);
    if (status == CHOIR_OK) {
        status = name_file(&set->priv->weights_file, set, sharded ? index : one, err);
    }
    if (status == CHOIR_OK && single) {
        status = load_file(set, one, err);
        return status == CHOIR_OK ? wts_finish(set, err) : status;
    }
    return status == CHOIR_OK && sharded ? load_index(set, index, err) : status;
}
