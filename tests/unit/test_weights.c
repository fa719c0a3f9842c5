/* Sets of tensors as their users see them: found by name, read by rows, in place; the settings of a GGUF file; the
 * three llama2.c versions of one model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/files.h"
#include "weights/quants.h"

static struct wts_set *open_small(struct files_bytes *b)
{
    struct wts_set *set;
    choir_error err;
    files_small_gguf(b);
    assert_int_equal(wts_open_memory(&set, "m.gguf", b->data, b->n, &err), CHOIR_OK);
    return set;
}

static void finds_tensors(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    struct wts_set *set = open_small(&b);
    static const struct {
        const char *name;
        choir_dtype type;
        int n_dims;
        uint64_t shape[4], n_rows, n_cols;
    } rows[] = {
        {"a", DTYPE_F32, 2, {2, 3, 1, 1}, 2, 3},    {"b", DTYPE_F16, 1, {5, 1, 1, 1}, 1, 5},
        {"c", DTYPE_Q8_0, 2, {2, 32, 1, 1}, 2, 32}, {"d", DTYPE_Q4_0, 1, {32, 1, 1, 1}, 1, 32},
        {"e", DTYPE_BF16, 3, {2, 1, 2, 1}, 2, 2},
    };
    assert_int_equal(set->n_tensors, 5);
    assert_int_equal(set->container, WTS_GGUF);
    assert_string_equal(set->model_file, "m.gguf");
    assert_int_equal(wts_file_bytes(set), b.n);
    for (size_t i = 0; i < 5; i++) {
        const struct wts_tensor *t = wts_find(set, rows[i].name);
        assert_non_null(t);
        assert_ptr_equal(t, &set->tensors[i]);
        assert_int_equal(t->type, rows[i].type);
        assert_int_equal(t->n_dims, rows[i].n_dims);
        assert_memory_equal(t->shape, rows[i].shape, sizeof t->shape);
        assert_int_equal(t->n_rows, rows[i].n_rows);
        assert_int_equal(t->n_cols, rows[i].n_cols);
        assert_non_null(wts_rows_in_place(t));
    }
    assert_null(wts_find(set, ""));
    assert_null(wts_find(set, "aa"));
    assert_null(wts_find(set, "f"));
    wts_close(set);
    wts_close(NULL);
    files_free(&b);
}

static void reads_settings(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    struct wts_set *set = open_small(&b);
    assert_int_equal(set->n_meta, 15);
    assert_string_equal(set->meta[0].key.data, "general.architecture");
    assert_int_equal(set->meta[0].v.s.n, 5);
    assert_string_equal(set->meta[0].v.s.data, "llama");
    assert_int_equal(wts_meta_find(set, "x.u8")->v.u, 0xfe);
    assert_int_equal(wts_meta_find(set, "x.i8")->v.i, -2);
    assert_int_equal(wts_meta_find(set, "x.u16")->v.u, 0xff01);
    assert_int_equal(wts_meta_find(set, "x.i16")->v.i, -255);
    assert_int_equal(wts_meta_find(set, "x.u32")->v.u, 4000000000u);
    assert_int_equal(wts_meta_find(set, "x.i32")->v.i, 4000000000 - (1ll << 32));
    assert_true(wts_meta_find(set, "x.f32")->v.f == (double)0.1f);
    assert_true(wts_meta_find(set, "x.bool")->v.b);
    assert_true(wts_meta_find(set, "x.u64")->v.u == UINT64_MAX - 1);
    assert_int_equal(wts_meta_find(set, "x.i64")->v.i, -2);
    assert_true(wts_meta_find(set, "x.f64")->v.f == 0.1);
    const struct wts_meta *words = wts_meta_find(set, "x.words");
    const struct wts_string *strings = words->v.array;
    assert_int_equal(words->type, WTS_ARRAY);
    assert_int_equal(words->elem_type, WTS_STRING);
    assert_int_equal(words->n, 3);
    assert_string_equal(strings[0].data, "one");
    assert_int_equal(strings[1].n, 0);
    assert_string_equal(strings[2].data, "three");
    const struct wts_meta *scores = wts_meta_find(set, "x.scores");
    float values[2];
    assert_int_equal(scores->elem_type, WTS_F32);
    memcpy(values, scores->v.array, sizeof values);
    assert_true(values[0] == -1.5f && values[1] == 2.5f);
    assert_null(wts_meta_find(set, "x"));
    assert_null(wts_meta_find(set, "x.z"));
    wts_close(set);
    files_free(&b);
}

/* Rows of a file and of a mapped file are those of memory. */
static void reads_rows(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    struct wts_set *memory = open_small(&b), *set;
    char *dir = files_make_dir();
    choir_error err;
    assert_int_equal(wts_open(&set, files_write(dir, "a model", b.data, b.n), false, &err), CHOIR_OK);
    assert_int_equal(set->container, WTS_GGUF); /* by its first bytes, not its name */
    for (size_t i = 0; i < 5; i++) {
        const struct wts_tensor *t = &set->tensors[i];
        size_t row_bytes = dtype_row_bytes(t->type, (size_t)t->n_cols), n = (size_t)t->n_rows * row_bytes;
        unsigned char rows[256];
        float x[64];
        assert_null(wts_rows_in_place(t));
        assert_true(n <= sizeof rows);
        assert_int_equal(wts_read_rows(t, 0, t->n_rows, rows, &err), CHOIR_OK);
        assert_memory_equal(rows, wts_rows_in_place(&memory->tensors[i]), n);
        memset(rows, 0, sizeof rows);
        assert_int_equal(wts_read_rows(t, t->n_rows - 1, 1, rows, &err), CHOIR_OK);
        assert_memory_equal(rows, (const char *)wts_rows_in_place(&memory->tensors[i]) + n - row_bytes, row_bytes);
        assert_int_equal(wts_read_rows(t, t->n_rows, 0, rows, &err), CHOIR_OK);
        if (i == 0) { /* not just the same, but right */
            wts_dequantize_row(t->type, x, rows, (size_t)t->n_cols);
            assert_true(x[0] == files_value(1, 3));
        }
    }
    assert_int_equal(wts_map(set, &err), CHOIR_OK);
    assert_int_equal(wts_map(set, &err), CHOIR_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_memory_equal(wts_rows_in_place(&set->tensors[i]), wts_rows_in_place(&memory->tensors[i]),
                            set->tensors[i].bytes);
    }
    wts_close(set);
    wts_close(memory);
    files_free(&b);
    files_remove_dir(dir);
}

/* A file that is cut while it is open is an error, not a crash. */
static void notices_a_file_that_shrinks(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    struct wts_set *set;
    choir_error err;
    char *dir = files_make_dir();
    files_small_gguf(&b);
    assert_int_equal(wts_open(&set, files_write(dir, "m.gguf", b.data, b.n), false, &err), CHOIR_OK);
    FILE *f = fopen(files_path(dir, "m.gguf"), "wb"); /* the same file, emptied */
    assert_non_null(f);
    fclose(f);
    unsigned char row[64];
    assert_int_equal(wts_read_rows(wts_find(set, "a"), 0, 1, row, &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, "file changed or became unreadable while in use"));
    wts_close(set);
    files_free(&b);
    files_remove_dir(dir);
}

/* ---- llama2.c ---------------------------------------------------------------------------------------- */

static void expect_model(const struct wts_set *set, const struct wts_llama2c *h)
{
    int32_t kv_dim = h->dim / h->n_heads * h->n_kv_heads;
    const struct {
        const char *name;
        uint64_t seed;
        int32_t rows, cols; /* rows 0: a norm */
    } rows[] = {
        {"token_embd.weight", 1, h->vocab_size, h->dim},
        {"blk.1.attn_norm.weight", 18, 0, h->dim},
        {"blk.0.attn_q.weight", 3, h->dim, h->dim},
        {"blk.1.attn_k.weight", 20, kv_dim, h->dim},
        {"blk.0.attn_v.weight", 5, kv_dim, h->dim},
        {"blk.1.attn_output.weight", 22, h->dim, h->dim},
        {"blk.0.ffn_norm.weight", 7, 0, h->dim},
        {"blk.1.ffn_gate.weight", 24, h->hidden_dim, h->dim},
        {"blk.0.ffn_down.weight", 9, h->dim, h->hidden_dim},
        {"blk.1.ffn_up.weight", 26, h->hidden_dim, h->dim},
        {"output_norm.weight", 11, 0, h->dim},
        {"output.weight", 12, h->vocab_size, h->dim},
    };
    choir_error err;
    assert_int_equal(set->n_tensors, 3 + 9 * 2 - (h->shared_output ? 1 : 0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] - (h->shared_output ? 1 : 0); i++) {
        const struct wts_tensor *t = wts_find(set, rows[i].name);
        assert_non_null(t);
        assert_int_equal(t->type, DTYPE_F32);
        assert_int_equal(t->n_dims, rows[i].rows > 0 ? 2 : 1);
        uint64_t n_rows = rows[i].rows > 0 ? (uint64_t)rows[i].rows : 1, n_cols = (uint64_t)rows[i].cols;
        assert_int_equal(t->n_rows, n_rows);
        assert_int_equal(t->n_cols, n_cols);
        float x[600];
        for (uint64_t row0 = 0; row0 < n_rows; row0++) { /* from each row on: groups are entered in their middle */
            assert_int_equal(wts_read_rows(t, row0, n_rows - row0, x, &err), CHOIR_OK);
            for (uint64_t k = 0; k < (n_rows - row0) * n_cols; k++) {
                float v = files_value(rows[i].seed, row0 * n_cols + k);
                float want = rows[i].rows > 0 ? v / 8 : 1 + v / 16;
                if (h->version == 2 && rows[i].rows > 0) {
                    float scale = files_scale((row0 * n_cols + k) / (uint64_t)h->group_size);
                    want = (float)(int)(want / scale) * scale;
                }
                assert_true(x[k] == want);
            }
        }
    }
    assert_null(wts_find(set, h->shared_output ? "output.weight" : "blk.2.attn_q.weight"));
}

static void reads_llama2c(void **state)
{
    (void)state;
    char *dir = files_make_dir();
    for (int version = 0; version <= 2; version++) {
        for (int shared = 0; shared < 2; shared++) {
            struct wts_llama2c h = {.version = version,
                                    .dim = 12,
                                    .hidden_dim = 42,
                                    .n_layers = 2,
                                    .n_heads = 6,
                                    .n_kv_heads = 2,
                                    .vocab_size = 10,
                                    .max_seq_len = 7,
                                    .shared_output = shared,
                                    /* more groups than are fetched at a time, and rows of half a group more */
                                    .group_size = version == 2 ? (shared ? 1 : 8) : 0};
            struct files_bytes b = {0};
            struct wts_set *set;
            choir_error err;
            files_llama2c(&b, &h, 0);
            assert_int_equal(wts_open(&set, files_write(dir, "m.bin", b.data, b.n), false, &err), CHOIR_OK);
            assert_int_equal(set->container, WTS_LLAMA2C);
            assert_int_equal(set->llama2c.version, version);
            assert_int_equal(set->llama2c.vocab_size, 10);
            assert_int_equal(set->llama2c.max_seq_len, 7);
            assert_int_equal(set->llama2c.shared_output, shared);
            assert_int_equal(set->llama2c.group_size, h.group_size);
            expect_model(set, &h);
            assert_int_equal(wts_map(set, &err), CHOIR_OK);
            const struct wts_tensor *q = wts_find(set, "blk.0.attn_q.weight");
            assert_true((wts_rows_in_place(q) == NULL) == (version == 2));
            wts_close(set);
            files_free(&b);
        }
    }
    files_remove_dir(dir);
}

static struct wts_set *open_stories(const char *name)
{
    const char *data = getenv("CHOIR_TESTDATA");
    char folder[512];
    snprintf(folder, sizeof folder, "%s/stories260K", data != NULL ? data : "../shared/testdata");
    struct wts_set *set = NULL;
    choir_error err;
    choir_status status = wts_open(&set, files_path(folder, name), false, &err);
    if (status == CHOIR_IO) {
        print_message("skipped: %s\n", err.msg);
        skip();
    }
    assert_int_equal(status, CHOIR_OK);
    return set;
}

/* A whole tensor; free() it. */
static float *whole(const struct wts_set *set, const char *name, size_t *n)
{
    const struct wts_tensor *t = wts_find(set, name);
    choir_error err;
    assert_non_null(t);
    *n = (size_t)(t->n_rows * t->n_cols);
    float *x = malloc(*n * sizeof *x);
    assert_non_null(x);
    assert_int_equal(wts_read_rows(t, 0, t->n_rows, x, &err), CHOIR_OK);
    return x;
}

/* A real model in the three versions: 0 and 1 agree in every bit, 2 within half of each group's scale. */
static void reads_real_files(void **state)
{
    (void)state;
    struct wts_set *v0 = open_stories("stories260K.bin"), *v1 = open_stories("stories260K_v1.bin"),
                   *v2 = open_stories("stories260K-q8.bin");
    assert_int_equal(v0->n_tensors, 5 * 9 + 2);
    assert_int_equal(v2->llama2c.group_size, 8);
    for (size_t i = 0; i < v0->n_tensors; i++) {
        size_t n, n1, n2;
        const char *name = v0->tensors[i].name;
        float *x0 = whole(v0, name, &n), *x1 = whole(v1, name, &n1), *x2 = whole(v2, name, &n2);
        assert_int_equal(n, n1);
        assert_int_equal(n, n2);
        assert_memory_equal(x0, x1, n * sizeof *x0);
        for (size_t g = 0; g < n; g += 8) {
            float largest = 0;
            for (size_t k = g; k < g + 8; k++) {
                float a = x0[k] < 0 ? -x0[k] : x0[k];
                largest = a > largest ? a : largest;
            }
            for (size_t k = g; k < g + 8; k++) {
                float d = x0[k] - x2[k];
                assert_true((d < 0 ? -d : d) <= largest / 127 * 0.501f);
            }
        }
        free(x0);
        free(x1);
        free(x2);
    }
    wts_close(v0);
    wts_close(v1);
    wts_close(v2);
}

/* ---- safetensors ------------------------------------------------------------------------------------- */

static void reads_shards(void **state)
{
    (void)state;
    char *dir = files_make_dir();
    struct files_bytes b = {0};
    files_safetensors(&b,
                      "{\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[24,28]},"
                      "\"a\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}",
                      NULL, 28);
    files_write(dir, "x-2.safetensors", b.data, b.n);
    size_t first = b.n;
    files_free(&b);
    files_safetensors(&b, "{\"c\":{\"dtype\":\"F16\",\"shape\":[1,2,2],\"data_offsets\":[0,8]}}",
                      "\x00\x3c\x00\xbc\x01\x00\x00\x7c", 8);
    files_write(dir, "x-1.safetensors", b.data, b.n);
    size_t second = b.n;
    files_free(&b);
    static const char index[] = "{\"weight_map\":{\"a\":\"x-2.safetensors\",\"c\":\"x-1.safetensors\","
                                "\"b\":\"x-2.safetensors\"}}";
    files_write(dir, "model.safetensors.index.json", index, sizeof index - 1);
    struct wts_set *set;
    choir_error err;
    size_t n;
    assert_int_equal(wts_open(&set, dir, false, &err), CHOIR_OK);
    assert_int_equal(set->n_tensors, 3);
    assert_int_equal(wts_file_bytes(set), first + second);
    assert_string_equal(set->path, dir);
    assert_string_equal(set->model_file, files_path(dir, "config.json"));
    float *a = whole(set, "a", &n);
    for (uint64_t i = 0; i < 6; i++) {
        assert_true(a[i] == files_value(1, i));
    }
    free(a);
    uint16_t halves[4];
    float x[4];
    const struct wts_tensor *c = wts_find(set, "c");
    assert_int_equal(c->n_rows, 2);
    assert_int_equal(wts_read_rows(c, 0, 2, halves, &err), CHOIR_OK);
    wts_dequantize_row(c->type, x, halves, 4);
    assert_true(x[0] == 1 && x[1] == -1 && x[2] == 0x1p-24f && x[3] > 0x1p127f);
    wts_close(set);
    files_remove_dir(dir);
}

static void has_a_built_in_model(void **state)
{
    (void)state;
    const void *data;
    size_t n;
    choir_error err;
    wts_builtin(&data, &n);
    assert_non_null(data);
    if (n == 0) {
        print_message("skipped: this build has no built-in model\n");
        skip();
    }
    assert_int_equal(files_try_gguf(data, n, &err), CHOIR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_tensors), cmocka_unit_test(reads_settings),
        cmocka_unit_test(reads_rows),    cmocka_unit_test(notices_a_file_that_shrinks),
        cmocka_unit_test(reads_llama2c), cmocka_unit_test(reads_real_files),
        cmocka_unit_test(reads_shards),  cmocka_unit_test(has_a_built_in_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
