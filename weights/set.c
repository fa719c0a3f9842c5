/* A set of tensors and settings: filled, ordered, searched, closed.  Both tables are searched by halving; the
 * settings stay in file order, so they have an index beside them. */
#include "weights/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

/* Room made at once, so that the table is never NULL. */
enum { FIRST_TENSORS = 16 };

choir_status wts_set_new(struct wts_set **out, enum wts_container container, const char *path, choir_error *err)
{
    *out = NULL;
    struct wts_set *set = calloc(1, sizeof *set);
    struct wts_private *priv = calloc(1, sizeof *priv);
    char *copy = strdup(path);
    char *shown = wts_show_path(path);
    char *weights = wts_show_path(path);
    if (set == NULL || priv == NULL || copy == NULL || shown == NULL || weights == NULL) {
        free(set);
        free(priv);
        free(copy);
        free(shown);
        free(weights);
        return base_fail_memory(err, sizeof *set + sizeof *priv, "a table of weights");
    }
    priv->weights_file = weights;
    *set = (struct wts_set){.container = container, .path = copy, .model_file = shown, .priv = priv};
    choir_status status = wts_reserve_tensors(set, FIRST_TENSORS, err);
    if (status != CHOIR_OK) {
        wts_close(set);
        return status;
    }
    *out = set;
    return CHOIR_OK;
}

void wts_close(struct wts_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->priv->n_files; i++) {
        base_file_close(set->priv->files[i]);
        free(set->priv->files[i]);
    }
    free(set->priv->files);
    free(set->priv->meta_order);
    free(set->priv->weights_file);
    wts_pool_free(&set->priv->pool);
    free(set->priv);
    free(set->tensors);
    free(set->meta);
    free(set->model_file);
    free(set->path);
    free(set);
}

struct base_file *wts_add_file(struct wts_set *set)
{
    struct wts_private *priv = set->priv;
    if (priv->n_files == priv->files_cap) {
        size_t cap = priv->files_cap == 0 ? 1 : priv->files_cap * 2;
        struct base_file **files = base_array_resize(priv->files, cap, sizeof(struct base_file *));
        if (files == NULL) {
            return NULL;
        }
        priv->files = files;
        priv->files_cap = cap;
    }
    struct base_file *file = malloc(sizeof *file);
    if (file != NULL) {
        *file = (struct base_file){.fd = -1};
        priv->files[priv->n_files++] = file;
    }
    return file;
}

choir_status wts_reserve_tensors(struct wts_set *set, size_t n, choir_error *err)
{
    if (n <= set->priv->tensors_cap) {
        return CHOIR_OK;
    }
    uint64_t bytes = UINT64_MAX;
    bool fits = base_mul(n, sizeof *set->tensors, &bytes) && bytes <= SIZE_MAX / 2;
    struct wts_tensor *tensors = fits ? realloc(set->tensors, (size_t)bytes) : NULL;
    if (tensors == NULL) {
        return base_fail_memory(err, (size_t)bytes, "a table of tensors");
    }
    set->tensors = tensors;
    set->priv->tensors_cap = n;
    return CHOIR_OK;
}

struct wts_tensor *wts_add_tensor(struct wts_set *set)
{
    size_t cap = set->priv->tensors_cap;
    if (set->n_tensors == cap && wts_reserve_tensors(set, cap + cap / 2, NULL) != CHOIR_OK) {
        return NULL;
    }
    struct wts_tensor *t = &set->tensors[set->n_tensors++];
    *t = (struct wts_tensor){.type = DTYPE_COUNT, .shape = {1, 1, 1, 1}, .n_rows = 1, .n_cols = 1};
    return t;
}

char *wts_keep(struct wts_set *set, const void *bytes, size_t n)
{
    char *copy = wts_pool_take(&set->priv->pool, n + 1);
    if (copy != NULL) {
        memcpy(copy, bytes, n);
        copy[n] = '\0';
    }
    return copy;
}

bool wts_count_rows(struct wts_tensor *t)
{
    uint64_t rows = 1, all;
    for (int d = 0; d + 1 < t->n_dims; d++) {
        if (!base_mul(rows, t->shape[d], &rows)) {
            return false;
        }
    }
    t->n_rows = rows;
    t->n_cols = t->n_dims > 0 ? t->shape[t->n_dims - 1] : 1;
    return base_mul(rows, t->n_cols, &all);
}

/* ---- order ------------------------------------------------------------------------------------------- */

typedef int compare_fn(const void *a, const void *b);

static int by_offset(const void *a, const void *b)
{
    const struct wts_tensor *s = a, *t = b;
    if (s->offset != t->offset) {
        return s->offset < t->offset ? -1 : 1;
    }
    return (s->bytes > t->bytes) - (s->bytes < t->bytes);
}

static int by_name(const void *a, const void *b)
{
    const struct wts_tensor *s = a, *t = b;
    return strcmp(s->name, t->name);
}

static int by_support_and_name(const void *a, const void *b)
{
    const struct wts_tensor *s = a, *t = b;
    int unread = (s->type == DTYPE_COUNT) - (t->type == DTYPE_COUNT);
    return unread != 0 ? unread : strcmp(s->name, t->name);
}

/* qsort, where what is in order already (the usual case) costs one pass. */
static void sort_tensors(struct wts_tensor *tensors, size_t n, compare_fn *compare)
{
    size_t i = 1;
    while (i < n && compare(&tensors[i - 1], &tensors[i]) <= 0) {
        i++;
    }
    if (i < n) {
        qsort(tensors, n, sizeof *tensors, compare);
    }
}

void wts_sort_by_offset(struct wts_set *set, size_t from)
{
    sort_tensors(set->tensors + from, set->n_tensors - from, by_offset);
}

choir_status wts_finish(struct wts_set *set, choir_error *err)
{
    size_t n = set->n_tensors, n_unread = 0;
    sort_tensors(set->tensors, n, by_name);
    for (size_t i = 0; i < n; i++) {
        const struct wts_tensor *t = &set->tensors[i];
        if (i > 0 && strcmp(t[-1].name, t->name) == 0) {
            char name[BASE_ESCAPE_CAP];
            const char *quote = set->container == WTS_HF ? "\"" : "";
            return wts_fail(err, t->file, "duplicate tensor %s%s%s", quote, base_escape_str(name, t->name), quote);
        }
        n_unread += t->type == DTYPE_COUNT;
    }
    if (n_unread > 0) {
        sort_tensors(set->tensors, n, by_support_and_name);
    }
    set->n_tensors = n - n_unread;
    set->priv->n_unread = n_unread;
    return CHOIR_OK;
}

/* ---- search ------------------------------------------------------------------------------------------ */

static const struct wts_tensor *search(const struct wts_tensor *tensors, size_t n, const char *name)
{
    struct wts_tensor key = {.name = name};
    return n > 0 ? bsearch(&key, tensors, n, sizeof *tensors, by_name) : NULL;
}

const struct wts_tensor *wts_find(const struct wts_set *set, const char *name)
{
    return search(set->tensors, set->n_tensors, name);
}

const struct wts_tensor *wts_find_any(const struct wts_set *set, const char *name)
{
    const struct wts_tensor *t = wts_find(set, name);
    return t != NULL ? t : search(set->tensors + set->n_tensors, set->priv->n_unread, name);
}

bool wts_has(const struct wts_set *set, const char *name)
{
    return wts_find_any(set, name) != NULL;
}

const char *wts_first_unread(const struct wts_set *set)
{
    return set->priv->n_unread > 0 ? set->tensors[set->n_tensors].name : NULL;
}

const struct wts_meta *wts_meta_find(const struct wts_set *set, const char *key)
{
    size_t low = 0, high = set->n_meta;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct wts_meta *m = &set->meta[set->priv->meta_order[middle]];
        int order = strcmp(m->key.data, key);
        if (order == 0) {
            return m;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

uint64_t wts_file_bytes(const struct wts_set *set)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < set->priv->n_files; i++) {
        if (!base_add(sum, set->priv->files[i]->size, &sum)) { /* files with more holes than bytes */
            return UINT64_MAX;
        }
    }
    return sum;
}
