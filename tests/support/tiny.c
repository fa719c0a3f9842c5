/* See tiny.h. */
#include "tests/support/tiny.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "weights/quants.h"

/* ---- folders ----------------------------------------------------------------------------------------- */

void tiny_dir_make(char dir[TINY_PATH])
{
    snprintf(dir, TINY_PATH, "/tmp/choir-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

void tiny_dir_remove(const char *dir)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[TINY_PATH + 256];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.') {
            assert_int_equal(unlink(path), 0);
        }
    }
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
}

const char *tiny_path(char dst[TINY_PATH], const char *dir, const char *name)
{
    snprintf(dst, TINY_PATH, "%s/%s", dir, name);
    return dst;
}

void tiny_write(const char *dir, const char *name, const void *data, size_t n)
{
    char path[TINY_PATH];
    FILE *f = fopen(tiny_path(path, dir, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

void tiny_put(struct tiny_bytes *b, const void *data, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->p = realloc(b->p, b->cap);
        assert_non_null(b->p);
    }
    if (n > 0) {
        memcpy(b->p + b->n, data, n);
        b->n += n;
    }
}

static void pad(struct tiny_bytes *b, size_t to)
{
    static const unsigned char zeros[64];
    tiny_put(b, zeros, (to - b->n % to) % to);
}

/* values, as rows of `type`. */
static void put_rows(struct tiny_bytes *b, choir_dtype type, size_t n_rows, size_t n_cols, const float *values)
{
    size_t row_bytes = dtype_row_bytes(type, n_cols);
    unsigned char *row = malloc(row_bytes + 1);
    assert_non_null(row);
    for (size_t r = 0; r < n_rows; r++) {
        wts_quantize_row(type, row, values + r * n_cols, n_cols);
        tiny_put(b, row, row_bytes);
    }
    free(row);
}

static size_t rows_of(int n_dims, const uint64_t *shape)
{
    size_t n = 1;
    for (int i = 0; i + 1 < n_dims; i++) {
        n *= (size_t)shape[i];
    }
    return n;
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

static const char *const meta_names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                         "bool", "string", "array", "u64", "i64", "f64"};

static uint32_t meta_type(const char *name)
{
    for (uint32_t i = 0; i < sizeof meta_names / sizeof meta_names[0]; i++) {
        if (strcmp(name, meta_names[i]) == 0) {
            return i;
        }
    }
    fail_msg("no such type: %s", name);
    return 0;
}

static void put_text(struct tiny_bytes *b, const char *s, size_t length)
{
    uint64_t n = length;
    tiny_put(b, &n, sizeof n);
    tiny_put(b, s, length);
}

static void put_string(struct tiny_bytes *b, const char *s)
{
    put_text(b, s, strlen(s));
}

/* Little-endian machines only, as every machine that runs the tests is. */
static void put_value(struct tiny_bytes *b, const char *type, const char *value)
{
    if (strcmp(type, "string") == 0) {
        put_string(b, value);
    } else if (strcmp(type, "f32") == 0) {
        float f = strtof(value, NULL);
        tiny_put(b, &f, sizeof f);
    } else if (strcmp(type, "f64") == 0) {
        double f = strtod(value, NULL);
        tiny_put(b, &f, sizeof f);
    } else {
        static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 0, 1, 0, 0, 8, 8, 0};
        uint64_t v = value[0] == '-' ? (uint64_t)strtoll(value, NULL, 10) : strtoull(value, NULL, 10);
        tiny_put(b, &v, sizes[meta_type(type)]);
    }
}

void tiny_gguf_set(struct tiny_gguf *g, const char *key, const char *type, const char *value)
{
    const bool is_array = strncmp(type, "array:", 6) == 0;
    const uint32_t id = meta_type(is_array ? "array" : type);
    put_string(&g->kv, key);
    tiny_put(&g->kv, &id, sizeof id);
    g->n_kv++;
    if (!is_array) {
        put_value(&g->kv, type, value);
        return;
    }
    const uint32_t elem = meta_type(type + 6);
    uint64_t n = 1;
    for (const char *c = value; *c != '\0'; c++) {
        n += *c == ',';
    }
    tiny_put(&g->kv, &elem, sizeof elem);
    tiny_put(&g->kv, &n, sizeof n);
    for (const char *c = value; c != NULL; c = strchr(c, ',')) {
        c += *c == ',';
        if (elem == meta_type("string")) {
            put_text(&g->kv, c, strcspn(c, ","));
        } else {
            put_value(&g->kv, type + 6, c);
        }
    }
}

void tiny_gguf_tensor(struct tiny_gguf *g, const char *name, choir_dtype type, int n_dims, const uint64_t *shape,
                      const float *values)
{
    const uint32_t dims = (uint32_t)n_dims, id = dtype_table[type].gguf_id;
    pad(&g->data, 32);
    const uint64_t offset = g->data.n;
    put_string(&g->infos, name);
    tiny_put(&g->infos, &dims, sizeof dims);
    for (int i = n_dims - 1; i >= 0; i--) {
        tiny_put(&g->infos, &shape[i], sizeof shape[i]);
    }
    tiny_put(&g->infos, &id, sizeof id);
    tiny_put(&g->infos, &offset, sizeof offset);
    put_rows(&g->data, type, rows_of(n_dims, shape), (size_t)shape[n_dims - 1], values);
    g->n_tensors++;
}

void tiny_gguf_write(struct tiny_gguf *g, const char *dir, const char *name)
{
    struct tiny_bytes all = {0};
    const uint32_t version = 3;
    tiny_put(&all, "GGUF", 4);
    tiny_put(&all, &version, sizeof version);
    tiny_put(&all, &g->n_tensors, sizeof g->n_tensors);
    tiny_put(&all, &g->n_kv, sizeof g->n_kv);
    tiny_put(&all, g->kv.p, g->kv.n);
    tiny_put(&all, g->infos.p, g->infos.n);
    pad(&all, 32);
    tiny_put(&all, g->data.p, g->data.n);
    pad(&all, 32);
    tiny_write(dir, name, all.p, all.n);
    free(all.p);
    free(g->kv.p);
    free(g->infos.p);
    free(g->data.p);
    *g = (struct tiny_gguf){0};
}

/* ---- safetensors ------------------------------------------------------------------------------------- */

void tiny_st_tensor(struct tiny_safetensors *s, const char *name, choir_dtype type, int n_dims, const uint64_t *shape,
                    const float *values)
{
    char text[512];
    const char *type_name = type == DTYPE_F32 ? "F32" : type == DTYPE_F16 ? "F16" : "BF16";
    int n = snprintf(text, sizeof text, "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[", s->header.n == 0 ? '{' : ',', name,
                     type_name);
    for (int i = 0; i < n_dims; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%" PRIu64, i > 0 ? "," : "", shape[i]);
    }
    const size_t from = s->data.n;
    put_rows(&s->data, type, rows_of(n_dims, shape), (size_t)shape[n_dims - 1], values);
    n += snprintf(text + n, sizeof text - (size_t)n, "],\"data_offsets\":[%zu,%zu]}", from, s->data.n);
    tiny_put(&s->header, text, (size_t)n);
}

void tiny_st_write(struct tiny_safetensors *s, const char *dir, const char *name)
{
    struct tiny_bytes all = {0};
    tiny_put(&s->header, "}", 1);
    const uint64_t n = s->header.n;
    tiny_put(&all, &n, sizeof n);
    tiny_put(&all, s->header.p, s->header.n);
    tiny_put(&all, s->data.p, s->data.n);
    tiny_write(dir, name, all.p, all.n);
    free(all.p);
    free(s->header.p);
    free(s->data.p);
    *s = (struct tiny_safetensors){0};
}
