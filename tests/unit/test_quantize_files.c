/* choir_quantize and files: sources in parts, several threads, a target that is the source, tensors of three dimensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/files.h"
#include "tests/support/golden.h"
#include "tests/support/golden_run.h"
#include "tests/support/quantizing.h"
#include "tests/support/split.h"
#include "tests/support/tiny.h"
#include "weights/gguf_write.h"
#include "weights/quants.h"
#include "weights/weights.h"

static void expect_same_files(const char *a, const char *b, const char *how)
{
    static char x[1 << 16], y[1 << 16];
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    assert_true(f != NULL && g != NULL);
    size_t n, m, all = 0;
    do {
        n = fread(x, 1, sizeof x, f);
        m = fread(y, 1, sizeof y, g);
        all += n;
    } while (n == m && n > 0 && memcmp(x, y, n) == 0);
    fclose(f);
    fclose(g);
    if (n != m || n > 0 || all < 1000) {
        fail_msg("%s: other bytes, at %zu", how, all);
    }
}

/* A split model is the model: the same logits in memory and in place, and the same file made of it. */
static void test_splits(void **state)
{
    (void)state;
    int32_t ids[12];
    const struct golden g = quantizing_model(ids);
    char dir[TINY_PATH], plain[TINY_PATH], first[TINY_PATH], whole[TINY_PATH], joined[TINY_PATH];
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "plain.gguf", DTYPE_F16);
    tiny_path(plain, dir, "plain.gguf");
    float *wanted = quantizing_logits(&g, plain, NULL, false);
    quantize_file(plain, tiny_path(whole, dir, "whole.gguf"), "q4_K_M", NULL);
    for (uint32_t version = 2; version <= 3; version++) {
        split_gguf(first, plain, dir, 3, version);
        float *found = quantizing_logits(&g, first, NULL, false), *mapped = quantizing_logits(&g, first, NULL, true);
        expect_same_logits(&g, wanted, found, first, "in parts");
        expect_same_logits(&g, wanted, mapped, first, "in parts and in place");
        quantize_file(first, tiny_path(joined, dir, "joined.gguf"), "q4_K_M", NULL);
        expect_same_files(whole, joined, "made of parts");
        free(found);
        free(mapped);
    }
    free(wanted);
    tiny_dir_remove(dir);
}

static void test_threads(void **state)
{
    (void)state;
    static const char *const types[] = {"f32", "q4_1", "q5_K"};
    int32_t ids[12];
    const struct golden g = quantizing_model(ids);
    struct golden folder;
    char dir[TINY_PATH], in[TINY_PATH], one[TINY_PATH], many[TINY_PATH];
    golden_load(&folder, "quant");
    tiny_dir_make(dir);
    golden_write_hf(&folder, dir, DTYPE_BF16);
    golden_write_gguf(&g, dir, "in.gguf", DTYPE_F16);
    tiny_path(in, dir, "in.gguf");
    tiny_path(one, dir, "one.gguf");
    tiny_path(many, dir, "many.gguf");
    for (size_t i = 0; i < 2 * sizeof types / sizeof types[0]; i++) {
        const char *source = i % 2 == 0 ? dir : in, *type = types[i / 2];
        quantize_pure(source, one, type, 1);
        for (int n = 2; n <= 7; n += 5) {
            quantize_pure(source, many, type, n);
            expect_same_files(one, many, type);
        }
    }
    golden_free(&folder);
    choir_error err;
    choir_quantize_options opt = {.in = in, .out = many, .type = "q8_0", .n_threads = 1025};
    assert_int_equal(choir_quantize(&opt, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "--threads: 1025 (1 to 1024 allowed)");
    tiny_dir_remove(dir);
}

/* A model is never written over itself: not by another name, not one of its parts. */
static void test_source_is_kept(void **state)
{
    (void)state;
    int32_t ids[12];
    const struct golden g = quantizing_model(ids);
    char dir[TINY_PATH], in[TINY_PATH], first[TINY_PATH], link_name[TINY_PATH];
    choir_error err;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "in.gguf", DTYPE_F16);
    tiny_path(in, dir, "in.gguf");
    assert_int_equal(quantize_as(in, in, "q8_0", NULL, &err), CHOIR_USAGE);
    assert_non_null(strstr(err.msg, "in.gguf: is the model to be read; give the new file another name"));
    assert_int_equal(symlink(in, tiny_path(link_name, dir, "link.gguf")), 0);
    assert_int_equal(quantize_as(in, link_name, "q8_0", NULL, &err), CHOIR_USAGE);
    split_gguf(first, in, dir, 2, 3);
    char second[TINY_PATH];
    assert_int_equal(quantize_as(first, tiny_path(second, dir, "m-00002-of-00002.gguf"), "q8_0", NULL, &err),
                     CHOIR_USAGE);
    free(quantizing_logits(&g, first, NULL, false)); /* all still there */
    tiny_dir_remove(dir);
}

static void put_f32(struct wts_writer *w, const struct wts_tensor *t)
{
    float *x = malloc((size_t)(t->n_rows * t->n_cols) * sizeof *x);
    for (uint64_t i = 0; i < t->n_rows * t->n_cols; i++) {
        x[i] = files_value(3, i);
    }
    assert_int_equal(wts_writer_data(w, x, (size_t)(t->n_rows * t->n_cols) * sizeof *x, NULL), CHOIR_OK);
    free(x);
}

/* Stacked experts and the matrices that must stay as they are, beside a whole model: more tensors than the model asks for
 * are passed on. */
static void write_with_experts(const char *path, const char *plain)
{
    static const struct wts_tensor more[] = {
        {.name = "blk.0.ffn_down_exps.weight", .n_dims = 3, .shape = {4, 32, 256, 1}, .n_rows = 128, .n_cols = 256},
        {.name = "blk.0.ffn_gate_inp.weight", .n_dims = 2, .shape = {4, 256, 1, 1}, .n_rows = 4, .n_cols = 256},
        {.name = "blk.0.ffn_gate_inp_shexp.weight", .n_dims = 2, .shape = {1, 256, 1, 1}, .n_rows = 1, .n_cols = 256},
        {.name = "blk.0.ffn_up_exps.weight", .n_dims = 3, .shape = {4, 32, 256, 1}, .n_rows = 128, .n_cols = 256},
        {.name = "position_embd.weight", .n_dims = 2, .shape = {32, 256, 1, 1}, .n_rows = 32, .n_cols = 256},
    };
    struct wts_set *set;
    struct wts_writer *w;
    assert_int_equal(wts_open(&set, plain, false, NULL), CHOIR_OK);
    assert_int_equal(wts_map(set, NULL), CHOIR_OK);
    assert_int_equal(wts_writer_open(&w, path, NULL), CHOIR_OK);
    for (size_t i = 0; i < set->n_meta; i++) {
        wts_writer_put(w, &set->meta[i]);
    }
    for (size_t i = 0; i < set->n_tensors; i++) {
        wts_writer_add(w, set->tensors[i].name, set->tensors[i].type, set->tensors[i].n_dims, set->tensors[i].shape);
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        wts_writer_add(w, more[i].name, DTYPE_F32, more[i].n_dims, more[i].shape);
    }
    assert_int_equal(wts_writer_begin(w, NULL), CHOIR_OK);
    for (size_t i = 0; i < set->n_tensors; i++) {
        const struct wts_tensor *t = &set->tensors[i];
        assert_int_equal(wts_writer_data(w, wts_rows_in_place(t), (size_t)t->bytes, NULL), CHOIR_OK);
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        put_f32(w, &more[i]);
    }
    assert_int_equal(wts_writer_finish(w, NULL), CHOIR_OK);
    wts_writer_close(w);
    wts_close(set);
}

static void expect_rows(const struct wts_set *set, const char *name, choir_dtype type, int n_dims)
{
    const struct wts_tensor *t = wts_find(set, name);
    unsigned char row[1024], wanted[1024];
    float x[256];
    assert_non_null(t);
    assert_int_equal(t->type, type);
    assert_int_equal(t->n_dims, n_dims);
    for (uint64_t r = 0; r < t->n_rows; r++) {
        for (uint64_t c = 0; c < 256; c++) {
            x[c] = files_value(3, r * 256 + c);
        }
        wts_quantize_row(type, wanted, x, 256);
        assert_int_equal(wts_read_rows(t, r, 1, row, NULL), CHOIR_OK);
        assert_memory_equal(row, wanted, dtype_row_bytes(type, 256));
    }
}

static void test_experts(void **state)
{
    (void)state;
    int32_t ids[12];
    const struct golden g = quantizing_model(ids);
    char dir[TINY_PATH], plain[TINY_PATH], in[TINY_PATH], out[TINY_PATH];
    struct wts_set *set;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "plain.gguf", DTYPE_F16);
    tiny_path(plain, dir, "plain.gguf");
    write_with_experts(tiny_path(in, dir, "in.gguf"), plain);
    quantize_file(in, tiny_path(out, dir, "out.gguf"), "q3_K_M", NULL);
    assert_int_equal(wts_open(&set, out, false, NULL), CHOIR_OK);
    expect_rows(set, "blk.0.ffn_down_exps.weight", DTYPE_Q4_K, 3);
    expect_rows(set, "blk.0.ffn_up_exps.weight", DTYPE_Q3_K, 3);
    expect_rows(set, "blk.0.ffn_gate_inp.weight", DTYPE_F32, 2);
    expect_rows(set, "blk.0.ffn_gate_inp_shexp.weight", DTYPE_F32, 2);
    expect_rows(set, "position_embd.weight", DTYPE_F32, 2);
    const struct wts_tensor *t = wts_find(set, "blk.0.ffn_up_exps.weight");
    assert_true(t->shape[0] == 4 && t->shape[1] == 32 && t->shape[2] == 256 && t->n_rows == 128);
    wts_close(set);
    tiny_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_source_is_kept),
        cmocka_unit_test(test_experts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
