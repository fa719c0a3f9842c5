#include "tests/support/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weights/gguf_write.h"

static void put_number(struct wts_writer *w, const char *key, enum wts_meta_type type, uint64_t value)
{
    struct wts_meta m = {.key = {key, strlen(key)}, .type = type, .n = 1};
    if (type == WTS_I32) {
        m.v.i = (int64_t)value;
    } else {
        m.v.u = value;
    }
    wts_writer_put(w, &m);
}

static void write_tensors(struct wts_writer *w, const struct wts_set *set, int i, int n)
{
    for (size_t k = (size_t)i; k < set->n_tensors; k += (size_t)n) {
        const struct wts_tensor *t = &set->tensors[k];
        wts_writer_add(w, t->name, t->type, t->n_dims, t->shape);
    }
    assert_int_equal(wts_writer_begin(w, NULL), CHOIR_OK);
    for (size_t k = (size_t)i; k < set->n_tensors; k += (size_t)n) {
        const struct wts_tensor *t = &set->tensors[k];
        assert_int_equal(wts_writer_data(w, wts_rows_in_place(t), (size_t)t->bytes, NULL), CHOIR_OK);
    }
    assert_int_equal(wts_writer_finish(w, NULL), CHOIR_OK);
}

/* Versions 2 and 3 differ in what they say of big-endian files only. */
static void set_version(const char *path, uint32_t version)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 4, SEEK_SET), 0);
    assert_int_equal(fwrite(&version, sizeof version, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

void split_gguf(char first[TINY_PATH], const char *path, const char *dir, int n, uint32_t version)
{
    struct wts_set *set;
    assert_int_equal(wts_open(&set, path, false, NULL), CHOIR_OK);
    assert_int_equal(wts_map(set, NULL), CHOIR_OK);
    for (int i = 0; i < n; i++) {
        char name[40], part[TINY_PATH];
        struct wts_writer *w;
        snprintf(name, sizeof name, "m-%05d-of-%05d.gguf", i + 1, n);
        tiny_path(part, dir, name);
        assert_int_equal(wts_writer_open(&w, part, NULL), CHOIR_OK);
        for (size_t k = 0; i == 0 && k < set->n_meta; k++) {
            wts_writer_put(w, &set->meta[k]);
        }
        put_number(w, "split.no", WTS_U16, (uint64_t)i);
        put_number(w, "split.count", WTS_U16, (uint64_t)n);
        put_number(w, "split.tensors.count", WTS_I32, set->n_tensors);
        write_tensors(w, set, i, n);
        wts_writer_close(w);
        set_version(part, version);
        if (i == 0) {
            snprintf(first, TINY_PATH, "%s", part);
        }
    }
    wts_close(set);
}
