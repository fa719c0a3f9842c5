/* Weights that are NaN or infinite are found while they are read, whatever their type and place, and named; the largest and the
 * smallest numbers of each type pass. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "choir.h"
#include "kernels/pack.h"
#include "tests/support/quantizing.h"
#include "weights/finite.h"
#include "weights/quants.h"

/* ---- rows --------------------------------------------------------------------------------------------- */

enum { N = 1024, BYTES_MAX = 4 * N };

/* Where a type has numbers: one at the offset in each block, or a scale, with a minimum behind it. */
struct place {
    choir_dtype type;
    int offset;
    const char *what;
};

static const struct place places[] = {
    {DTYPE_F32, 0, ""},           {DTYPE_F16, 0, ""},          {DTYPE_BF16, 0, ""},         {DTYPE_Q8_0, 0, "scale "},
    {DTYPE_Q4_0, 0, "scale "},    {DTYPE_Q4_1, 0, "scale "},   {DTYPE_Q4_1, 2, "minimum "}, {DTYPE_Q5_0, 0, "scale "},
    {DTYPE_Q5_1, 0, "scale "},    {DTYPE_Q5_1, 2, "minimum "}, {DTYPE_IQ4_NL, 0, "scale "}, {DTYPE_Q2_K, 80, "scale "},
    {DTYPE_Q2_K, 82, "minimum "}, {DTYPE_Q3_K, 108, "scale "}, {DTYPE_Q4_K, 0, "scale "},   {DTYPE_Q4_K, 2, "minimum "},
    {DTYPE_Q5_K, 0, "scale "},    {DTYPE_Q5_K, 2, "minimum "}, {DTYPE_Q6_K, 208, "scale "}, {DTYPE_IQ4_XS, 0, "scale "},
};

enum { N_PLACES = sizeof places / sizeof places[0] };

/* Infinity and NaN in the type of the place, then finite ones: largest, smallest normal, subnormal, zeros. */
static uint32_t bits_at(const struct place *p, int i)
{
    static const uint32_t f32[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff, 0x7f7fffff,
                                   0xff7fffff, 0x00800000, 0x80000001, 0x007fffff, 0,          0x80000000};
    static const uint32_t f16[] = {0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff, 0x7bff,
                                   0xfbff, 0x0400, 0x8001, 0x03ff, 0,      0x8000};
    static const uint32_t bf16[] = {0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff, 0x7f7f,
                                    0xff7f, 0x0080, 0x8001, 0x007f, 0,      0x8000};
    return p->type == DTYPE_F32 ? f32[i] : p->type == DTYPE_BF16 ? bf16[i] : f16[i];
}

enum { N_BITS = 12, N_NONFINITE = 5 };

static const char *text_at(int i)
{
    return i == 0 ? "inf" : i == 1 ? "-inf" : "nan";
}

/* Every bit of a row but those of the numbers set: integers have no forbidden values. */
static void fill(const struct place *p, unsigned char *rows, size_t n_blocks)
{
    const size_t block = (size_t)dtype_table[p->type].block_bytes;
    memset(rows, 0xff, n_blocks * block);
    for (int i = 0; i < N_PLACES; i++) {
        for (size_t b = 0; b < n_blocks && places[i].type == p->type; b++) {
            memset(rows + b * block + places[i].offset, 0x11, p->type == DTYPE_F32 ? 4 : 2);
        }
    }
}

/* The row as one of a panel, the others of which are zeros. */
static bool panel_finite(choir_dtype type, const unsigned char *row, size_t n_cols, int lane)
{
    static unsigned char rows[DTYPE_PANEL_ROWS * BYTES_MAX];
    static _Alignas(64) unsigned char panel[DTYPE_PANEL_ROWS * BYTES_MAX];
    const size_t row_bytes = dtype_row_bytes(type, n_cols);
    assert_true(dtype_panel_bytes(type, n_cols) <= sizeof panel);
    memset(rows, 0, DTYPE_PANEL_ROWS * row_bytes);
    memcpy(rows + (size_t)lane * row_bytes, row, row_bytes);
    /* whole strips of 16 rows go another way than the rest */
    return kern_pack_panel_checked(type, panel, rows, row_bytes, lane % 2 ? DTYPE_PANEL_ROWS : lane + 1, (int)n_cols);
}

static void test_every_place(void **state)
{
    (void)state;
    unsigned char space[BYTES_MAX + 1], *rows = space + 1; /* at an odd address */
    for (const struct place *p = places; p < places + N_PLACES; p++) {
        const size_t len = (size_t)dtype_table[p->type].block_len, block = (size_t)dtype_table[p->type].block_bytes;
        const size_t n_blocks = len == 1 ? 67 : N / len; /* not a multiple of a vector */
        for (size_t b = 0; b < n_blocks; b++) {
            for (int i = 0; i < N_BITS; i++) {
                const uint32_t bits = bits_at(p, i);
                char text[32];
                struct wts_nonfinite found = {7, NULL};
                fill(p, rows, n_blocks);
                memcpy(rows + b * block + p->offset, &bits, p->type == DTYPE_F32 ? 4 : 2);
                assert_int_equal(wts_all_finite(p->type, rows, n_blocks * len, &found), i >= N_NONFINITE);
                assert_int_equal(panel_finite(p->type, rows, n_blocks * len, (int)(b % 16)), i >= N_NONFINITE);
                if (i < N_NONFINITE) {
                    snprintf(text, sizeof text, "%s%s", p->what, text_at(i));
                    assert_string_equal(found.text, text);
                    assert_int_equal(found.at, b * len);
                    assert_true(wts_all_finite(p->type, rows, b * len, &found)); /* those before it */
                }
            }
        }
    }
}

/* Of several, the first. */
static void test_first(void **state)
{
    (void)state;
    float x[32] = {0};
    struct wts_nonfinite found;
    x[9] = -INFINITY;
    x[20] = NAN;
    assert_false(wts_all_finite(DTYPE_F32, x, 32, &found));
    assert_int_equal(found.at, 9);
    assert_string_equal(found.text, "-inf");
    assert_true(wts_all_finite(DTYPE_F32, x, 0, &found));
}

/* ---- models ------------------------------------------------------------------------------------------- */

static choir_status open_model(const char *path, const char *quant, bool in_place, int n_threads, choir_error *err)
{
    choir_model *m = NULL;
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.quant = quant;
    opt.mmap = in_place;
    opt.n_threads = n_threads;
    opt.text_optional = true;
    const choir_status status = choir_model_open(&m, &opt, err);
    choir_model_close(m);
    return status;
}

static void expect_refused(choir_status status, const choir_error *err, const char *where)
{
    if (status != CHOIR_FILE || strstr(err->msg, where) == NULL) {
        fail_msg("status %d, \"%s\", expected \"%s\"", (int)status, status != CHOIR_OK ? err->msg : "", where);
    }
}

/* Every type that can be written, packed as it is and quantized, as many threads as there are; `choir quantize`, too. */
static void test_every_type(void **state)
{
    (void)state;
    int32_t ids[12];
    char dir[TINY_PATH], path[TINY_PATH], out[TINY_PATH], where[128];
    struct golden g = quantizing_model(ids);
    g.n_layers = 2;
    g.bad_tensor = "blk.1.ffn_up.weight";
    g.bad_at = (size_t)(37 * g.dim + 133);
    for (int t = 0; t < DTYPE_COUNT; t++) {
        choir_error err;
        const choir_dtype type = (choir_dtype)t;
        const bool plain = dtype_table[t].block_len == 1;
        if (!wts_quantizable(type)) {
            continue;
        }
        g.bad_value = t % 2 == 0 ? NAN : INFINITY;
        tiny_dir_make(dir);
        golden_write_gguf(&g, dir, "model.gguf", type);
        tiny_path(path, dir, "model.gguf");
        tiny_path(out, dir, "out.gguf");
        snprintf(where, sizeof where, "model.gguf: tensor blk.1.ffn_up.weight: row 37, column %d: %s",
                 133 / dtype_table[t].block_len * dtype_table[t].block_len,
                 !plain       ? ""
                 : t % 2 == 0 ? "nan"
                              : "inf");
        expect_refused(open_model(path, NULL, false, 1, &err), &err, where);
        expect_refused(open_model(path, NULL, false, 3, &err), &err, where);
        expect_refused(quantize_as(path, out, type == DTYPE_Q8_0 ? "q4_0" : "q8_0", NULL, &err), &err, where);
        if (plain) {
            expect_refused(open_model(path, "q4_0", false, 1, &err), &err, where);
        }
        assert_int_equal(open_model(path, NULL, true, 1, &err), CHOIR_OK); /* nothing is read */
        tiny_dir_remove(dir);
    }
}

/* Folders, whose tensors go by other names, and whose rows are taken in another order into a GGUF file; llama2.c. */
static void test_other_files(void **state)
{
    (void)state;
    char dir[TINY_PATH], out[TINY_PATH], path[TINY_PATH];
    static const char where[] = "tensor model.layers.1.self_attn.q_proj.weight: row 5, column 50: -inf";
    struct golden g;
    choir_error err;
    golden_load(&g, "quant");
    g.bad_tensor = "blk.1.attn_q.weight";
    g.bad_at = (size_t)(5 * g.dim + 50);
    g.bad_value = -INFINITY;
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_BF16);
    golden_write_llama2c(&g, dir, "model.bin", 1);
    tiny_path(out, dir, "out.gguf");
    expect_refused(open_model(dir, NULL, false, 2, &err), &err, where);
    expect_refused(open_model(dir, "q5_0", false, 2, &err), &err, where);
    expect_refused(quantize_as(dir, out, "f16", NULL, &err), &err, where);
    expect_refused(quantize_as(dir, out, "bf16", NULL, &err), &err, where);
    expect_refused(open_model(tiny_path(path, dir, "model.bin"), NULL, false, 2, &err), &err,
                   "model.bin: tensor blk.1.attn_q.weight: row 5, column 50: -inf");
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* A number that the file's type holds and the wanted one does not. */
static void test_too_large(void **state)
{
    (void)state;
    int32_t ids[12];
    char dir[TINY_PATH], path[TINY_PATH], out[TINY_PATH];
    struct golden g = quantizing_model(ids);
    choir_error err;
    g.bad_tensor = "blk.0.attn_output.weight";
    g.bad_at = (size_t)(2 * g.dim + 70);
    g.bad_value = 3e38f;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "model.gguf", DTYPE_F32);
    tiny_path(path, dir, "model.gguf");
    tiny_path(out, dir, "out.gguf");
    static const char scale[] = "tensor blk.0.attn_output.weight: row 2, column 64: scale inf as q8_0";
    assert_int_equal(open_model(path, NULL, false, 2, &err), CHOIR_OK);
    expect_refused(open_model(path, "q8_0", false, 2, &err), &err, scale);
    expect_refused(quantize_as(path, out, "q8_0", NULL, &err), &err, scale);
    expect_refused(quantize_as(path, out, "f16", NULL, &err), &err, "row 2, column 70: inf as f16");
    assert_int_equal(quantize_as(path, out, "f32", NULL, &err), CHOIR_OK);
    tiny_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_place), cmocka_unit_test(test_first),     cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_other_files), cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
