/* choir_quantize: what a model is after it became a GGUF file: the same logits, vocabulary and stop ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/golden_run.h"
#include "tests/support/quantizing.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"
#include "weights/mix.h"
#include "weights/weights.h"

static const double exact = 1e-9;
static const double quantized = 1e-3;

static void expect_nmse(const struct golden *g, const char *path, const char *type, double most)
{
    double nmse = golden_nmse(g, path, NULL, false, type);
    if (!(nmse <= most)) {
        fail_msg("%s written as %s: NMSE %.3g, at most %.3g wanted", g->name, type, nmse, most);
    }
}

/* Every setting that a golden model has (scalings, window, tied or not, head sizes) survives, from a folder and from the GGUF
 * file made of it. */
static void test_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"mha_tied", "gqa_wide",    "mqa",       "linear", "llama3",    "window",
                                        "long",     "long_window", "odd_quant", "odd",    "wide_group"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct golden g;
        char dir[TINY_PATH], first[TINY_PATH], second[TINY_PATH];
        golden_load(&g, names[i]);
        tiny_dir_make(dir);
        golden_write_hf(&g, dir, DTYPE_BF16);
        quantize_file(dir, tiny_path(first, dir, "first.gguf"), "f32", NULL);
        expect_nmse(&g, first, "f32", exact);
        quantize_file(first, tiny_path(second, dir, "second.gguf"), "bf16", NULL);
        expect_nmse(&g, second, "f32", exact);
        tiny_dir_remove(dir);
        golden_free(&g);
    }
}

static void test_llama2c(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH], in[TINY_PATH], out[TINY_PATH];
    golden_load(&g, "mha_tied");
    tiny_dir_make(dir);
    for (int version = 0; version <= 1; version++) {
        golden_write_llama2c(&g, dir, "m.bin", version);
        quantize_file(tiny_path(in, dir, "m.bin"), tiny_path(out, dir, "m.gguf"), "f16", NULL);
        expect_nmse(&g, out, "f32", exact);
    }
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* Rounded weights against the float64 pass over the same rounded weights. */
static void test_rounding(void **state)
{
    (void)state;
    static const char *const types[] = {"q8_0", "q4_0"};
    struct golden g;
    char dir[TINY_PATH], plain[TINY_PATH], out[TINY_PATH];
    golden_load(&g, "quant");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F16);
    quantize_file(dir, tiny_path(plain, dir, "plain.gguf"), "f32", NULL);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        quantize_pure(dir, tiny_path(out, dir, "out.gguf"), types[i], 0);
        expect_nmse(&g, out, types[i], quantized);
        quantize_pure(plain, out, types[i], 0);
        expect_nmse(&g, out, types[i], quantized);
        quantize_pure(out, tiny_path(plain, dir, "again.gguf"), types[i], 0); /* rounding twice changes nothing more */
        expect_nmse(&g, plain, types[i], quantized);
        quantize_file(dir, tiny_path(plain, dir, "plain.gguf"), "f32", NULL);
    }
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* ---- settings ---- */

static bool has_key(const struct wts_set *set, const char *key)
{
    return wts_meta_find(set, key) != NULL;
}

/* What a GGUF source says of itself goes into the new file, but not what is true of the old one only. */
static void test_keys(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH], in[TINY_PATH], out[TINY_PATH];
    golden_load(&g, "mha_tied");
    tiny_dir_make(dir);
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    tiny_gguf_set(&file, "general.name", "string", "a name");
    tiny_gguf_set(&file, "general.file_type", "u32", "0");
    tiny_gguf_set(&file, "split.no", "u16", "0");
    tiny_gguf_set(&file, "split.count", "u16", "1");
    tiny_gguf_write(&file, dir, "in.gguf");
    quantize_file(tiny_path(in, dir, "in.gguf"), tiny_path(out, dir, "out.gguf"), "q8_0", NULL);
    struct wts_set *set;
    assert_int_equal(wts_open(&set, out, true, NULL), CHOIR_OK);
    assert_false(has_key(set, "split.no"));
    assert_false(has_key(set, "split.count"));
    const struct wts_meta *name = wts_meta_find(set, "general.name");
    assert_non_null(name);
    assert_string_equal(name->v.s.data, "a name");
    const struct wts_meta *type = wts_meta_find(set, "general.file_type");
    assert_non_null(type);
    assert_int_equal(type->v.u, 7);
    wts_close(set);
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* Changes dir/config.json. */
static void set_eos(const char *dir, const char *eos)
{
    char path[TINY_PATH];
    json_t *c = json_load_file(tiny_path(path, dir, "config.json"), 0, NULL);
    assert_non_null(c);
    assert_int_equal(json_object_set_new(c, "eos_token_id", json_loads(eos, 0, NULL)), 0);
    assert_int_equal(json_dump_file(c, path, 0), 0);
    json_decref(c);
}

static void expect_stops(const char *path, const char *ids)
{
    choir_model *m = golden_open(path, NULL, false);
    for (int32_t id = 0; id < 10; id++) {
        if (choir_is_eos(m, id) != (strchr(ids, '0' + id) != NULL)) {
            fail_msg("%s: id %d %s a text", path, id, choir_is_eos(m, id) ? "ends" : "does not end");
        }
    }
    choir_model_close(m);
}

static void count_line(void *user, const char *line)
{
    (void)line;
    ++*(int *)user;
}

/* All the ids that end a text, with and without a vocabulary, and through another GGUF file.  GGUF has room for three: a
 * fourth is said to be lost. */
static void test_stop_ids(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH], out[TINY_PATH], again[TINY_PATH];
    golden_load(&g, "mha_tied");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F32);
    set_eos(dir, "[7, 2, 5]");
    tiny_path(out, dir, "out.gguf");
    for (int with_text = 0; with_text < 2; with_text++) {
        expect_stops(dir, "725");
        quantize_file(dir, out, "q8_0", NULL);
        expect_stops(out, "725");
        quantize_file(out, tiny_path(again, dir, "again.gguf"), "q4_0", NULL);
        expect_stops(again, "725");
        tiny_text_sp(dir, "tokenizer.model");
    }
    set_eos(dir, "[7, 2, 5, 9]");
    int lines = 0;
    choir_quantize_options opt = {.in = dir, .out = out, .type = "f32", .warn = count_line, .user = &lines};
    assert_int_equal(choir_quantize(&opt, NULL), CHOIR_OK);
    assert_int_equal(lines, 1);
    expect_stops(out, "725");
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* ---- vocabulary ---- */

static void expect_pieces(const char *path, int n, const char *fifth)
{
    char want[32];
    choir_model_info info;
    choir_model *m = golden_open(path, NULL, false);
    choir_model_describe(m, &info);
    snprintf(want, sizeof want, "sentencepiece bpe, %d pieces", n);
    assert_string_equal(info.tokenizer, want);
    size_t bytes;
    const char *piece = choir_piece(m, 5, &bytes);
    assert_int_equal(bytes, strlen(fifth));
    assert_memory_equal(piece, fifth, bytes);
    choir_model_close(m);
}

/* A vocabulary beside the source, inside it, and another one that --tokenizer names. */
static void test_vocabulary(void **state)
{
    (void)state;
    struct golden g;
    char dir[TINY_PATH], in[TINY_PATH], out[TINY_PATH], sp[TINY_PATH];
    golden_load(&g, "mha_tied");
    tiny_dir_make(dir);
    tiny_path(out, dir, "out.gguf");
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    tiny_text_gguf(&file, NULL);
    tiny_gguf_set(&file, "tokenizer.ggml.eot_token_id", "u32", "9");
    tiny_gguf_write(&file, dir, "in.gguf");
    tiny_path(in, dir, "in.gguf");
    quantize_file(in, out, "q8_0", NULL);
    expect_pieces(out, TINY_TEXT_PIECES, "llo");
    expect_stops(out, "29");
    tiny_text_sp(dir, "other.model");
    tiny_path(sp, dir, "other.model");
    quantize_file(in, out, "q8_0", sp);
    expect_pieces(out, 6, "ab");
    expect_stops(out, "29");
    golden_write_hf(&g, dir, DTYPE_F32);
    quantize_file(dir, out, "f32", sp);
    expect_pieces(out, 6, "ab");
    assert_int_equal(rename(sp, tiny_path(in, dir, "tokenizer.model")), 0);
    quantize_file(dir, out, "f32", NULL);
    expect_pieces(out, 6, "ab");
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* A tokenizer that is named must be there, whatever the source has. */
static void test_missing_tokenizer(void **state)
{
    (void)state;
    struct golden g;
    choir_error err;
    char dir[TINY_PATH], in[TINY_PATH], out[TINY_PATH], sp[TINY_PATH];
    golden_load(&g, "mha_tied");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F32);
    golden_write_gguf(&g, dir, "in.gguf", DTYPE_F32);
    tiny_path(in, dir, "in.gguf");
    tiny_path(out, dir, "out.gguf");
    tiny_path(sp, dir, "none.model");
    assert_int_equal(quantize_as(in, out, "f32", sp, &err), CHOIR_IO);
    assert_int_equal(quantize_as(dir, out, "f32", sp, &err), CHOIR_IO);
    tiny_write(dir, "none.model", "no", 2);
    assert_int_equal(quantize_as(in, out, "f32", sp, &err), CHOIR_FILE);
    assert_int_equal(access(out, F_OK), -1);
    tiny_dir_remove(dir);
    golden_free(&g);
}

/* ---- super-blocks, and mixes of types ---- */

/* Quantized into a file, in that file's own layout, or while loading: the same bits.  And written back as f32 the weights
 * are what the file's were: only the rounding of activations to int8 is gone. */
static void test_every_mix(void **state)
{
    (void)state;
    int32_t ids[12];
    const struct golden g = quantizing_model(ids);
    char dir[TINY_PATH], plain[TINY_PATH], out[TINY_PATH], back[TINY_PATH];
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "plain.gguf", DTYPE_F32);
    tiny_path(plain, dir, "plain.gguf");
    tiny_path(out, dir, "out.gguf");
    tiny_path(back, dir, "back.gguf");
    for (int i = 0; wts_mix_name(i) != NULL; i++) {
        const char *name = wts_mix_name(i);
        quantize_file(plain, out, name, NULL);
        quantize_file(out, back, "f32", NULL);
        float *file = quantizing_logits(&g, out, NULL, false), *mapped = quantizing_logits(&g, out, NULL, true);
        float *loaded = quantizing_logits(&g, plain, name, false), *widened = quantizing_logits(&g, back, NULL, false);
        expect_same_logits(&g, file, mapped, name, "from the file's layout");
        expect_same_logits(&g, file, loaded, name, "when quantized while loading");
        double error = 0, power = 0;
        for (int k = 0; k < g.n_ids * g.vocab_size; k++) {
            error += ((double)file[k] - (double)widened[k]) * ((double)file[k] - (double)widened[k]);
            power += (double)widened[k] * (double)widened[k];
        }
        if (!(error <= quantized * power)) {
            fail_msg("%s: NMSE %.3g against the same weights in f32", name, error / power);
        }
        free(file);
        free(mapped);
        free(loaded);
        free(widened);
    }
    tiny_dir_remove(dir);
}

static choir_dtype type_in(const struct wts_set *set, const char *name)
{
    const struct wts_tensor *t = wts_find(set, name);
    assert_non_null(t);
    return t->type;
}

/* What the names promise: three layers, of which the third counts as one of the last. */
static void test_mix_types(void **state)
{
    (void)state;
    int32_t ids[12];
    const struct golden g = quantizing_model(ids);
    char dir[TINY_PATH], in[TINY_PATH], out[TINY_PATH];
    struct wts_set *set;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "in.gguf", DTYPE_F32);
    quantize_file(tiny_path(in, dir, "in.gguf"), tiny_path(out, dir, "out.gguf"), "q4_K_M", NULL);
    assert_int_equal(wts_open(&set, out, true, NULL), CHOIR_OK);
    assert_int_equal(type_in(set, "output.weight"), DTYPE_Q6_K);
    assert_int_equal(type_in(set, "token_embd.weight"), DTYPE_Q4_K);
    assert_int_equal(type_in(set, "blk.0.attn_v.weight"), DTYPE_Q4_K);
    assert_int_equal(type_in(set, "blk.2.attn_v.weight"), DTYPE_Q6_K);
    assert_int_equal(type_in(set, "blk.2.ffn_down.weight"), DTYPE_Q6_K);
    assert_int_equal(type_in(set, "blk.2.ffn_up.weight"), DTYPE_Q4_K);
    assert_int_equal(type_in(set, "blk.2.attn_norm.weight"), DTYPE_F32);
    assert_int_equal(wts_meta_find(set, "general.file_type")->v.u, 15);
    wts_close(set);
    tiny_dir_remove(dir);
}

static void keep_line(void *user, const char *line)
{
    if (strstr(line, "multiple") != NULL) {
        snprintf(user, 160, "%s", line);
    }
}

/* Rows of 128 and of 192: no super-blocks, which is said once, in a file and while loading. */
static void test_misfits(void **state)
{
    (void)state;
    static const char said[] =
        "128 columns are no multiple of 256: 13 matrices q5_0 instead of q4_K, 2 q8_0 instead of q6_K";
    struct golden g;
    choir_error err;
    char dir[TINY_PATH], out[TINY_PATH], line[160] = "";
    golden_load(&g, "quant");
    tiny_dir_make(dir);
    golden_write_hf(&g, dir, DTYPE_F16);
    tiny_path(out, dir, "out.gguf");
    choir_quantize_options opt = {.in = dir, .out = out, .type = "q4_k", .warn = keep_line, .user = line};
    assert_int_equal(choir_quantize(&opt, &err), CHOIR_OK);
    assert_string_equal(line, said);
    struct wts_set *set;
    assert_int_equal(wts_open(&set, out, true, NULL), CHOIR_OK);
    assert_int_equal(type_in(set, "blk.0.attn_q.weight"), DTYPE_Q5_0);
    wts_close(set);
    line[0] = '\0';
    choir_model_options load;
    choir_model_options_default(&load);
    load.path = dir;
    load.quant = "Q4_K";
    load.text_optional = true;
    load.warn = keep_line;
    load.user = line;
    choir_model *m;
    assert_int_equal(choir_model_open(&m, &load, &err), CHOIR_OK);
    assert_string_equal(line, said);
    choir_model_close(m);
    tiny_dir_remove(dir);
    golden_free(&g);
}

static void test_unknown_type(void **state)
{
    (void)state;
    choir_error err;
    static const char all[] =
        "type \"iq4_xs\" is not one of f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q2_K, q3_K, q3_K_S, "
        "q3_K_M, q3_K_L, q4_K, q4_K_S, q4_K_M, q5_K, q5_K_S, q5_K_M, q6_K";
    assert_int_equal(quantize_as("nowhere", "out.gguf", "iq4_xs", NULL, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, all);
    assert_int_equal(access("out.gguf", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_llama2c),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_stop_ids),
        cmocka_unit_test(test_vocabulary),
        cmocka_unit_test(test_missing_tokenizer),
        cmocka_unit_test(test_every_mix),
        cmocka_unit_test(test_mix_types),
        cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_unknown_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
