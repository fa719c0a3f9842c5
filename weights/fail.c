/* The words of refusals that all containers share: which file, which tensor, bytes from outside escaped. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "weights/set.h"

enum { TEXT_CAP = 360 };

choir_status wts_fail(choir_error *err, const struct base_file *file, const char *fmt, ...)
{
    char name[BASE_ESCAPE_CAP], text[TEXT_CAP];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return base_fail(err, CHOIR_FILE, "%s: %s", base_escape_str(name, file->path), text);
}

choir_status wts_fail_tensor(choir_error *err, const struct wts_tensor *t, const char *fmt, ...)
{
    char name[BASE_ESCAPE_CAP], text[TEXT_CAP];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return wts_fail(err, t->file, "tensor %s: %s", base_escape_str(name, t->name), text);
}

choir_status wts_fail_overlap(choir_error *err, const struct wts_tensor *a, const struct wts_tensor *b)
{
    char first[BASE_ESCAPE_CAP], second[BASE_ESCAPE_CAP];
    return wts_fail(err, a->file, "tensors %s and %s overlap", base_escape_str(first, a->name),
                    base_escape_str(second, b->name));
}

choir_status wts_why_missing(const struct wts_set *set, const char *name, choir_error *err)
{
    const struct wts_tensor *t = wts_find_any(set, name);
    if (t == NULL) {
        return base_fail(err, CHOIR_FILE, "%s: tensor %s missing", set->priv->weights_file, name);
    }
    if (t->n_dims > WTS_MAX_DIMS) {
        return wts_fail_tensor(err, t, "%d dimensions (at most %d allowed)", t->n_dims, WTS_MAX_DIMS);
    }
    if (set->container == WTS_HF) {
        return wts_fail_tensor(err, t, "type %s not supported", t->type_name);
    }
    char types[DTYPE_COUNT * 8] = "";
    for (int i = 0; i < DTYPE_COUNT; i++) {
        size_t used = strlen(types);
        snprintf(types + used, sizeof types - used, "%s%s", i > 0 ? ", " : "", dtype_table[i].name);
    }
    return wts_fail_tensor(err, t, "type %s not supported yet (%s are)", t->type_name, types);
}

choir_status wts_fail_magic(choir_error *err, const struct base_file *file, const char *wanted)
{
    char head[48] = "", shown[BASE_ESCAPE_CAP];
    size_t n = file->size < sizeof head ? (size_t)file->size : sizeof head;
    if (n == 0) {
        return wts_fail(err, file, "empty file");
    }
    choir_status status = base_file_read(file, 0, head, n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    static const char lfs[] = "version https://git-lfs";
    if (n >= sizeof lfs - 1 && memcmp(head, lfs, sizeof lfs - 1) == 0) {
        return wts_fail(err, file, "not %s: it is a git-lfs pointer, not the file itself", wanted);
    }
    if (head[0] == '<') {
        return wts_fail(err, file, "not %s: it looks like an HTML page", wanted);
    }
    return wts_fail(err, file, "not %s (starts with \"%s\")", wanted, base_escape(shown, head, n < 4 ? n : 4));
}

char *wts_show_path(const char *path)
{
    size_t n = strlen(path), used = 0;
    char *shown = n < SIZE_MAX / 4 - 1 ? malloc(4 * n + 1) : NULL; /* fits: as asked before */
    if (shown == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n;) {
        char one[BASE_ESCAPE_CAP];
        int len = base_utf8_sequence(path + i, n - i);
        size_t step = len > 0 ? (size_t)len : 1;
        size_t room = strlen(base_escape(one, path + i, step));
        memcpy(shown + used, one, room);
        used += room;
        i += step;
    }
    shown[used] = '\0';
    return shown;
}
