/* Model files for tests. */
#include "tests/support/files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weights/quants.h"

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

void files_add(struct files_bytes *b, const void *src, size_t n)
{
    if (b->cap - b->n < n) {
        b->cap = 2 * b->cap + n + 64;
        b->data = realloc(b->data, b->cap);
        need(b->data != NULL, "realloc");
    }
    if (n > 0) {
        memcpy(b->data + b->n, src, n);
    }
    b->n += n;
}

void files_add_zeros(struct files_bytes *b, size_t n)
{
    static const char zero;
    for (size_t i = 0; i < n; i++) {
        files_add(b, &zero, 1);
    }
}

void files_add_text(struct files_bytes *b, const char *text)
{
    files_add(b, text, strlen(text));
}

void files_add_u32(struct files_bytes *b, uint32_t v)
{
    files_add(b, &v, sizeof v);
}

void files_add_u64(struct files_bytes *b, uint64_t v)
{
    files_add(b, &v, sizeof v);
}

void files_add_f32(struct files_bytes *b, float v)
{
    files_add(b, &v, sizeof v);
}

void files_pad(struct files_bytes *b, size_t to)
{
    files_add_zeros(b, (to - b->n % to) % to);
}

void files_free(struct files_bytes *b)
{
    free(b->data);
    *b = (struct files_bytes){0};
}

float files_value(uint64_t seed, uint64_t i)
{
    uint64_t z = seed * 0x9e3779b97f4a7c15u + i + 1; /* the finalizer of splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)((int)(z % 2047) - 1023) * 0x1p-10f;
}

/* ---- folders ----------------------------------------------------------------------------------------- */

char *files_make_dir(void)
{
    const char *parent = getenv("TMPDIR");
    char name[512];
    if (parent == NULL) { /* thousands of small files: memory where there is some */
        parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(name, sizeof name, "%s/choir_test_XXXXXX", parent);
    need(mkdtemp(name) != NULL, "mkdtemp");
    char *copy = strdup(name);
    need(copy != NULL, "strdup");
    return copy;
}

const char *files_path(const char *dir, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

const char *files_write(const char *dir, const char *name, const void *data, size_t n)
{
    const char *path = files_path(dir, name);
    unlink(path); /* file systems sync a file that is truncated and written anew */
    FILE *f = fopen(path, "wb");
    need(f != NULL && (n == 0 || fwrite(data, 1, n, f) == n) && fclose(f) == 0, path);
    return path;
}

/* Calls for each entry; returns how many there are. */
static int each_entry(const char *dir, void (*visit)(const char *path))
{
    DIR *d = opendir(dir);
    need(d != NULL, dir);
    int n = 0;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            n++;
            visit(files_path(dir, e->d_name));
        }
    }
    closedir(d);
    return n;
}

static void remove_one(const char *path)
{
    (void)(unlink(path) == 0 || rmdir(path) == 0);
}

static void leave(const char *path)
{
    (void)path;
}

void files_remove_dir(char *dir)
{
    each_entry(dir, remove_one);
    rmdir(dir);
    free(dir);
}

int files_count(const char *dir)
{
    return each_entry(dir, leave);
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

void files_gguf_start(struct files_bytes *b, uint32_t version, uint64_t n_tensors, uint64_t n_settings)
{
    files_add_text(b, "GGUF");
    files_add_u32(b, version);
    files_add_u64(b, n_tensors);
    files_add_u64(b, n_settings);
}

void files_gguf_string(struct files_bytes *b, const char *s)
{
    files_add_u64(b, strlen(s));
    files_add_text(b, s);
}

void files_gguf_key(struct files_bytes *b, const char *key, uint32_t type)
{
    files_gguf_string(b, key);
    files_add_u32(b, type);
}

void files_gguf_tensor(struct files_bytes *b, const char *name, uint32_t n_dims, const uint64_t *ne, uint32_t type,
                       uint64_t offset)
{
    files_gguf_string(b, name);
    files_add_u32(b, n_dims);
    for (uint32_t d = 0; d < n_dims; d++) {
        files_add_u64(b, ne[d]);
    }
    files_add_u32(b, type);
    files_add_u64(b, offset);
}

static void add_row(struct files_bytes *b, choir_dtype type, uint64_t seed, size_t n)
{
    float row[64];
    unsigned char out[64 * sizeof(float)];
    for (size_t i = 0; i < n; i++) {
        row[i] = files_value(seed, i);
    }
    wts_quantize_row(type, out, row, n);
    files_add(b, out, dtype_row_bytes(type, n));
}

void files_small_gguf(struct files_bytes *b)
{
    files_gguf_start(b, 3, 5, 15);
    files_gguf_key(b, "general.architecture", WTS_STRING);
    files_gguf_string(b, "llama");
    files_gguf_key(b, "x.u8", WTS_U8);
    files_add(b, "\xfe", 1);
    files_gguf_key(b, "x.i8", WTS_I8);
    files_add(b, "\xfe", 1);
    files_gguf_key(b, "x.u16", WTS_U16);
    files_add(b, "\x01\xff", 2);
    files_gguf_key(b, "x.i16", WTS_I16);
    files_add(b, "\x01\xff", 2);
    files_gguf_key(b, "x.u32", WTS_U32);
    files_add_u32(b, 4000000000u);
    files_gguf_key(b, "x.i32", WTS_I32);
    files_add_u32(b, 4000000000u);
    files_gguf_key(b, "x.f32", WTS_F32);
    files_add_f32(b, 0.1f);
    files_gguf_key(b, "x.bool", WTS_BOOL);
    files_add(b, "\x01", 1);
    files_gguf_key(b, "x.u64", WTS_U64);
    files_add_u64(b, UINT64_MAX - 1);
    files_gguf_key(b, "x.i64", WTS_I64);
    files_add_u64(b, UINT64_MAX - 1);
    files_gguf_key(b, "x.f64", WTS_F64);
    double f64 = 0.1;
    files_add(b, &f64, sizeof f64);
    files_gguf_key(b, "x.words", WTS_ARRAY);
    files_add_u32(b, WTS_STRING);
    files_add_u64(b, 3);
    files_gguf_string(b, "one");
    files_gguf_string(b, "");
    files_gguf_string(b, "three");
    files_gguf_key(b, "x.scores", WTS_ARRAY);
    files_add_u32(b, WTS_F32);
    files_add_u64(b, 2);
    files_add_f32(b, -1.5f);
    files_add_f32(b, 2.5f);
    files_gguf_key(b, "x.flags", WTS_ARRAY);
    files_add_u32(b, WTS_BOOL);
    files_add_u64(b, 2);
    files_add(b, "\x00\x01", 2);
    static const uint64_t a[] = {3, 2}, v[] = {5}, c[] = {32, 2}, d[] = {32}, e[] = {2, 1, 2};
    files_gguf_tensor(b, "a", 2, a, 0, 0);
    files_gguf_tensor(b, "b", 1, v, 1, 32);
    files_gguf_tensor(b, "c", 2, c, 8, 64);
    files_gguf_tensor(b, "d", 1, d, 2, 160);
    files_gguf_tensor(b, "e", 3, e, 30, 192);
    files_pad(b, 32);
    add_row(b, DTYPE_F32, 1, 6);
    files_pad(b, 32);
    add_row(b, DTYPE_F16, 2, 5);
    files_pad(b, 32);
    add_row(b, DTYPE_Q8_0, 3, 64);
    files_pad(b, 32);
    add_row(b, DTYPE_Q4_0, 4, 32);
    files_pad(b, 32);
    add_row(b, DTYPE_BF16, 5, 4);
}

/* ---- safetensors, llama2.c --------------------------------------------------------------------------- */

void files_safetensors(struct files_bytes *b, const char *header, const void *data, size_t n)
{
    files_add_u64(b, strlen(header));
    files_add_text(b, header);
    if (data != NULL) {
        files_add(b, data, n);
        return;
    }
    for (size_t i = 0; i < n / 4; i++) {
        files_add_f32(b, files_value(1, i));
    }
    files_add_zeros(b, n % 4);
}

float files_scale(uint64_t group)
{
    return group % 2 == 0 ? 0x1p-10f : 0x1p-9f;
}

/* One tensor; norms are vectors around 1. */
static void add_tensor(struct files_bytes *b, const struct wts_llama2c *h, uint64_t seed, int32_t rows, int32_t cols)
{
    uint64_t n = (uint64_t)(rows > 0 ? rows : 1) * (uint64_t)cols;
    size_t group = rows > 0 && h->version == 2 ? (size_t)h->group_size : 0;
    for (uint64_t i = 0; i < n; i++) {
        float x = rows > 0 ? files_value(seed, i) / 8 : 1 + files_value(seed, i) / 16;
        if (group > 0) { /* whole numbers below 128 */
            signed char q = (signed char)(x / files_scale(i / group));
            files_add(b, &q, 1);
        } else {
            files_add_f32(b, x);
        }
    }
    for (uint64_t i = 0; group > 0 && i < n / group; i++) {
        files_add_f32(b, files_scale(i));
    }
}

static void add_layers(struct files_bytes *b, const struct wts_llama2c *h, uint64_t seed, int32_t rows, int32_t cols)
{
    for (int32_t l = 0; l < h->n_layers; l++) {
        add_tensor(b, h, seed + (uint64_t)l * 16, rows, cols);
    }
}

void files_llama2c(struct files_bytes *b, const struct wts_llama2c *h, uint64_t seed)
{
    int32_t dim = h->dim, hidden = h->hidden_dim, kv_dim = dim / h->n_heads * h->n_kv_heads;
    bool legacy = h->version == 0;
    if (!legacy) {
        files_add_u32(b, 0x616b3432);
        files_add_u32(b, (uint32_t)h->version);
    }
    int32_t vocab = legacy && !h->shared_output ? -h->vocab_size : h->vocab_size;
    const int32_t numbers[] = {dim, hidden, h->n_layers, h->n_heads, h->n_kv_heads, vocab, h->max_seq_len};
    files_add(b, numbers, sizeof numbers);
    if (!legacy) {
        unsigned char shared = h->shared_output;
        files_add(b, &shared, 1);
        files_add_u32(b, h->version == 2 ? (uint32_t)h->group_size : 0);
        files_add_zeros(b, 256 - b->n);
        add_layers(b, h, seed + 2, 0, dim);
        add_layers(b, h, seed + 7, 0, dim);
        add_tensor(b, h, seed + 11, 0, dim);
    }
    add_tensor(b, h, seed + 1, h->vocab_size, dim);
    if (legacy) {
        add_layers(b, h, seed + 2, 0, dim);
    }
    add_layers(b, h, seed + 3, dim, dim);
    add_layers(b, h, seed + 4, kv_dim, dim);
    add_layers(b, h, seed + 5, kv_dim, dim);
    add_layers(b, h, seed + 6, dim, dim);
    if (legacy) {
        add_layers(b, h, seed + 7, 0, dim);
    }
    add_layers(b, h, seed + 8, hidden, dim);
    add_layers(b, h, seed + 9, dim, hidden);
    add_layers(b, h, seed + 10, hidden, dim);
    if (legacy) {
        add_tensor(b, h, seed + 11, 0, dim);
        files_add_zeros(b, 4 * (size_t)h->max_seq_len * (size_t)(dim / h->n_heads / 2 * 2));
    }
    if (!h->shared_output) {
        add_tensor(b, h, seed + 12, h->vocab_size, dim);
    }
}

/* ---- trying ------------------------------------------------------------------------------------------ */

static choir_status read_all(const struct wts_set *set, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < set->n_tensors && status == CHOIR_OK; i++) {
        const struct wts_tensor *t = &set->tensors[i];
        size_t n = (size_t)t->n_rows * dtype_row_bytes(t->type, (size_t)t->n_cols);
        unsigned char *rows = malloc(n + 1);
        need(rows != NULL, "malloc");
        status = wts_read_rows(t, 0, t->n_rows, rows, err);
        free(rows);
    }
    return status;
}

choir_status files_try(const char *path, choir_error *err)
{
    struct wts_set *set;
    choir_status status = wts_open(&set, path, false, err);
    if (status == CHOIR_OK) {
        status = read_all(set, err);
    } else {
        need(set == NULL, "a refused file gave a set");
    }
    wts_close(set);
    return status;
}

choir_status files_try_gguf(const void *data, size_t n, choir_error *err)
{
    struct wts_set *set;
    choir_status status = wts_open_memory(&set, "m.gguf", data, n, err);
    if (status == CHOIR_OK) {
        status = read_all(set, err);
    } else {
        need(set == NULL, "a refused file gave a set");
    }
    wts_close(set);
    return status;
}
