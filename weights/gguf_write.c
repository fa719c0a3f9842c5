/* The GGUF writer: header gathered in memory, data passed through, one rename at the end. */
#include "weights/gguf_write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/new_file.h"

enum { ALIGNMENT = 32, VERSION = 3, MAX_NAME = 64 };

/* Bytes that grow; after a failure nothing is added any more. */
struct bytes {
    unsigned char *data;
    size_t n, cap;
    bool failed;
};

struct wts_writer {
    char *path;
    struct base_new_file file;
    struct bytes settings, infos; /* as they stand in the file */
    struct bytes sizes;           /* of the tensors, uint64_t each */
    uint64_t n_settings, n_tensors;
    uint64_t data_bytes;   /* of the tensors announced so far, padded */
    uint64_t tensor, left; /* the tensor being written, its bytes to come */
};

/* ---- bytes ------------------------------------------------------------------------------------------- */

static void append(struct bytes *b, const void *src, size_t n)
{
    if (b->failed || n > SIZE_MAX / 2 - b->n) {
        b->failed = true;
        return;
    }
    if (b->cap - b->n < n) {
        size_t cap = 2 * b->n + n + 256;
        unsigned char *data = realloc(b->data, cap);
        if (data == NULL) {
            b->failed = true;
            return;
        }
        b->data = data;
        b->cap = cap;
    }
    if (n > 0) {
        memcpy(b->data + b->n, src, n);
    }
    b->n += n;
}

static void append_number(struct bytes *b, uint64_t v, int n_bytes)
{
    unsigned char out[8];
    for (int i = 0; i < n_bytes; i++) {
        out[i] = (unsigned char)(v >> (8 * i) & 0xff);
    }
    append(b, out, (size_t)n_bytes);
}

static void append_string(struct bytes *b, const char *s, size_t n)
{
    append_number(b, n, 8);
    append(b, s, n);
}

/* ---- settings ---------------------------------------------------------------------------------------- */

/* Bytes of a number; 0 for strings and arrays. */
static int number_bytes(enum wts_meta_type type)
{
    switch (type) {
    case WTS_U8:
    case WTS_I8:
    case WTS_BOOL:
        return 1;
    case WTS_U16:
    case WTS_I16:
        return 2;
    case WTS_U32:
    case WTS_I32:
    case WTS_F32:
        return 4;
    case WTS_U64:
    case WTS_I64:
    case WTS_F64:
        return 8;
    case WTS_STRING:
    case WTS_ARRAY:
        break;
    }
    return 0;
}

static uint64_t number_bits(const struct wts_meta *m)
{
    uint64_t bits = 0;
    float single = (float)m->v.f;
    switch (m->type) {
    case WTS_I8:
    case WTS_I16:
    case WTS_I32:
    case WTS_I64:
        return (uint64_t)m->v.i;
    case WTS_BOOL:
        return m->v.b ? 1 : 0;
    case WTS_F32:
        memcpy(&bits, &single, sizeof single);
        return bits;
    case WTS_F64:
        memcpy(&bits, &m->v.f, sizeof bits);
        return bits;
    default:
        return m->v.u;
    }
}

static void append_array(struct bytes *b, const struct wts_meta *m)
{
    append_number(b, m->elem_type, 4);
    append_number(b, m->n, 8);
    if (m->elem_type == WTS_STRING) {
        const struct wts_string *strings = m->v.array;
        for (uint64_t i = 0; i < m->n; i++) {
            append_string(b, strings[i].data, (size_t)strings[i].n);
        }
    } else { /* numbers are kept as a file has them */
        assert(m->elem_type != WTS_ARRAY);
        /* fits: as they lie in memory */
        append(b, m->v.array, (size_t)m->n * (size_t)number_bytes(m->elem_type));
    }
}

void wts_writer_put(struct wts_writer *w, const struct wts_meta *m)
{
    if (strcmp(m->key.data, "general.alignment") == 0) {
        return;
    }
    struct bytes *b = &w->settings;
    append_string(b, m->key.data, (size_t)m->key.n);
    append_number(b, m->type, 4);
    if (m->type == WTS_STRING) {
        append_string(b, m->v.s.data, (size_t)m->v.s.n);
    } else if (m->type == WTS_ARRAY) {
        append_array(b, m);
    } else {
        append_number(b, number_bits(m), number_bytes(m->type));
    }
    w->n_settings++;
}

static struct wts_meta setting(const char *key, enum wts_meta_type type)
{
    return (struct wts_meta){.key = {key, strlen(key)}, .type = type, .n = 1};
}

void wts_writer_put_string(struct wts_writer *w, const char *key, const char *value)
{
    struct wts_meta m = setting(key, WTS_STRING);
    m.v.s = (struct wts_string){value, strlen(value)};
    wts_writer_put(w, &m);
}

void wts_writer_put_u32(struct wts_writer *w, const char *key, uint32_t value)
{
    struct wts_meta m = setting(key, WTS_U32);
    m.v.u = value;
    wts_writer_put(w, &m);
}

void wts_writer_put_f32(struct wts_writer *w, const char *key, float value)
{
    struct wts_meta m = setting(key, WTS_F32);
    m.v.f = (double)value;
    wts_writer_put(w, &m);
}

void wts_writer_put_bool(struct wts_writer *w, const char *key, bool value)
{
    struct wts_meta m = setting(key, WTS_BOOL);
    m.v.b = value;
    wts_writer_put(w, &m);
}

/* ---- tensors ----------------------------------------------------------------------------------------- */

static uint64_t padded(uint64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void wts_writer_add(struct wts_writer *w, const char *name, choir_dtype type, int n_dims, const uint64_t *shape)
{
    size_t n = strlen(name);
    const struct dtype_info *info = &dtype_table[type];
    assert(n > 0 && n <= MAX_NAME && n_dims >= 1 && n_dims <= 4);
    assert(shape[n_dims - 1] % (uint64_t)info->block_len == 0);
    struct bytes *b = &w->infos;
    append_string(b, name, n);
    append_number(b, (uint64_t)n_dims, 4);
    uint64_t size = (uint64_t)info->block_bytes;
    bool fits = true;
    for (int d = n_dims - 1; d >= 0; d--) {
        assert(shape[d] > 0);
        append_number(b, shape[d], 8);
        fits = fits && base_mul(size, d == n_dims - 1 ? shape[d] / (uint64_t)info->block_len : shape[d], &size);
    }
    append_number(b, info->gguf_id, 4);
    append_number(b, w->data_bytes, 8);
    append(&w->sizes, &size, sizeof size);
    if (!fits || size > INT64_MAX / 2 || w->data_bytes > INT64_MAX / 2) { /* no disk holds it */
        w->infos.failed = true;
        return;
    }
    w->data_bytes += padded(size);
    w->n_tensors++;
}

/* ---- the file ---------------------------------------------------------------------------------------- */

choir_status wts_writer_open(struct wts_writer **out, const char *path, choir_error *err)
{
    *out = NULL;
    struct wts_writer *w = calloc(1, sizeof *w);
    char *copy = strdup(path);
    if (w == NULL || copy == NULL) {
        free(w);
        free(copy);
        return base_fail_memory(err, sizeof *w, "a GGUF writer");
    }
    w->path = copy;
    *out = w;
    return CHOIR_OK;
}

static choir_status write_padding(struct wts_writer *w, uint64_t n, choir_error *err)
{
    static const char zeros[ALIGNMENT];
    return base_new_file_write(&w->file, zeros, (size_t)(padded(n) - n), err);
}

static uint64_t tensor_bytes(const struct wts_writer *w, uint64_t tensor)
{
    uint64_t size = 0;
    if (tensor < w->n_tensors) {
        memcpy(&size, w->sizes.data + tensor * sizeof size, sizeof size);
    }
    return size;
}

choir_status wts_writer_begin(struct wts_writer *w, choir_error *err)
{
    struct bytes head = {.data = NULL};
    append(&head, "GGUF", 4);
    append_number(&head, VERSION, 4);
    append_number(&head, w->n_tensors, 8);
    append_number(&head, w->n_settings, 8);
    append(&head, w->settings.data, w->settings.n);
    append(&head, w->infos.data, w->infos.n);
    if (head.failed || w->settings.failed || w->infos.failed || w->sizes.failed) {
        free(head.data);
        return base_fail_memory(err, w->settings.n + w->infos.n, "a GGUF header");
    }
    choir_status status = base_new_file_open(&w->file, w->path, err);
    if (status == CHOIR_OK) {
        status = base_new_file_write(&w->file, head.data, head.n, err);
    }
    if (status == CHOIR_OK) {
        status = write_padding(w, head.n, err);
    }
    w->left = tensor_bytes(w, 0);
    free(head.data);
    return status;
}

choir_status wts_writer_data(struct wts_writer *w, const void *bytes, size_t n, choir_error *err)
{
    const char *p = bytes;
    choir_status status = CHOIR_OK;
    while (n > 0 && status == CHOIR_OK) {
        assert(w->tensor < w->n_tensors);
        size_t part = n < w->left ? n : (size_t)w->left;
        status = base_new_file_write(&w->file, p, part, err);
        p += part;
        n -= part;
        w->left -= part;
        if (w->left == 0 && status == CHOIR_OK) {
            status = write_padding(w, tensor_bytes(w, w->tensor), err);
            w->left = tensor_bytes(w, ++w->tensor);
        }
    }
    return status;
}

choir_status wts_writer_finish(struct wts_writer *w, choir_error *err)
{
    assert(w->tensor == w->n_tensors);
    return base_new_file_finish(&w->file, err);
}

void wts_writer_close(struct wts_writer *w)
{
    if (w == NULL) {
        return;
    }
    base_new_file_close(&w->file);
    free(w->settings.data);
    free(w->infos.data);
    free(w->sizes.data);
    free(w->path);
    free(w);
}
