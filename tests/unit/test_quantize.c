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
#include "tests/support/files.h"
#include "tests/support/golden.h"
#include "tests/support/golden_run.h"
#include "tests/support/split.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"
#include "weights/gguf_write.h"
#include "weights/mix.h"
#include "weights/quants.h"
#include "weights/weights.h"

static const double exact = 1e-9;
static const double quantized = 1e-3;

static choir_status quantize_as(const char *in, const char *out, const char *type, const char *tokenizer,
                                choir_error *err)
{
    choir_quantize_options opt = {.in = in, .out = out, .type = type, .tokenizer = tokenizer};
    return choir_quantize(&opt, err);
}

static void quantize_pure(const char *in, const char *out, const char *type, int n_threads)
{
    choir_error err;
    choir_quantize_options opt = {.in = in, .out = out, .type = type, .pure = true, .n_threads = n_threads};
    if (choir_quantize(&opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
}

static void quantize(const char *in, const char *out, const char *type, const char *tokenizer)
{
    choir_error err;
    if (quantize_as(in, out, type, tokenizer, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
}

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
        quantize(dir, tiny_path(first, dir, "first.gguf"), "f32", NULL);
        expect_nmse(&g, first, "f32", exact);
        quantize(first, tiny_path(second, dir, "second.gguf"), "bf16", NULL);
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
        quantize(tiny_path(in, dir, "m.bin"), tiny_path(out, dir, "m.gguf"), "f16", NULL);
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
    quantize(dir, tiny_path(plain, dir, "plain.gguf"), "f32", NULL);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        quantize_pure(dir, tiny_path(out, dir, "out.gguf"), types[i], 0);
        expect_nmse(&g, out, types[i], quantized);
        quantize_pure(plain, out, types[i], 0);
        expect_nmse(&g, out, types[i], quantized);
        quantize_pure(out, tiny_path(plain, dir, "again.gguf"), types[i], 0); /* rounding twice changes nothing more */
        expect_nmse(&g, plain, types[i], quantized);
        quantize(dir, tiny_path(plain, dir, "plain.gguf"), "f32", NULL);
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
    quantize(tiny_path(in, dir, "in.gguf"), tiny_path(out, dir, "out.gguf"), "q8_0", NULL);
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
        quantize(dir, out, "q8_0", NULL);
        expect_stops(out, "725");
        quantize(out, tiny_path(again, dir, "again.gguf"), "q4_0", NULL);
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
    quantize(in, out, "q8_0", NULL);
    expect_pieces(out, TINY_TEXT_PIECES, "llo");
    expect_stops(out, "29");
    tiny_text_sp(dir, "other.model");
    tiny_path(sp, dir, "other.model");
    quantize(in, out, "q8_0", sp);
    expect_pieces(out, 6, "ab");
    expect_stops(out, "29");
    golden_write_hf(&g, dir, DTYPE_F32);
    quantize(dir, out, "f32", sp);
    expect_pieces(out, 6, "ab");
    assert_int_equal(rename(sp, tiny_path(in, dir, "tokenizer.model")), 0);
    quantize(dir, out, "f32", NULL);
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

/* A model whose rows are whole super-blocks. */
static struct golden wide_model(int32_t ids[12])
{
    for (int i = 0; i < 12; i++) {
        ids[i] = 7 * i % 96;
    }
    return (struct golden){.name = "wide",
                           .seed = 21,
                           .n_ids = 12,
                           .keep = 12,
                           .dim = 256,
                           .hidden_dim = 512,
                           .n_layers = 3,
                           .n_heads = 4,
                           .n_kv_heads = 2,
                           .head_dim = 64,
                           .vocab_size = 96,
                           .max_seq_len = 32,
                           .ids = ids};
}

/* Logits of every position; [n_ids, vocab_size], malloc'ed. */
static float *logits_of(const struct golden *g, const char *path, const char *quant, bool in_place)
{
    choir_model *m = golden_open(path, quant, in_place);
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.kv_type = "f32";
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    choir_engine *e;
    choir_sequence *s;
    assert_int_equal(choir_engine_open(&e, m, &opt, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    const size_t row = (size_t)g->vocab_size * sizeof(float);
    float *logits = malloc((size_t)g->n_ids * row);
    for (int t = 0; t < g->n_ids; t++) {
        assert_int_equal(choir_sequence_append(s, g->ids + t, 1, NULL), CHOIR_OK);
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        memcpy(logits + (size_t)t * (size_t)g->vocab_size, choir_sequence_logits(s), row);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    return logits;
}

static void expect_same_bits(const struct golden *g, const float *a, const float *b, const char *name, const char *how)
{
    if (memcmp(a, b, (size_t)g->n_ids * (size_t)g->vocab_size * sizeof *a) != 0) {
        fail_msg("%s: other logits %s", name, how);
    }
}

/* Quantized into a file, in that file's own layout, or while loading: the same bits.  And written back as f32 the weights
 * are what the file's were: only the rounding of activations to int8 is gone. */
static void test_every_mix(void **state)
{
    (void)state;
    int32_t ids[12];
    const struct golden g = wide_model(ids);
    char dir[TINY_PATH], plain[TINY_PATH], out[TINY_PATH], back[TINY_PATH];
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "plain.gguf", DTYPE_F32);
    tiny_path(plain, dir, "plain.gguf");
    tiny_path(out, dir, "out.gguf");
    tiny_path(back, dir, "back.gguf");
    for (int i = 0; wts_mix_name(i) != NULL; i++) {
        const char *name = wts_mix_name(i);
        quantize(plain, out, name, NULL);
        quantize(out, back, "f32", NULL);
        float *file = logits_of(&g, out, NULL, false), *mapped = logits_of(&g, out, NULL, true);
        float *loaded = logits_of(&g, plain, name, false), *widened = logits_of(&g, back, NULL, false);
        expect_same_bits(&g, file, mapped, name, "from the file's layout");
        expect_same_bits(&g, file, loaded, name, "when quantized while loading");
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

/* ---- files in parts, threads, experts ---- */

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
    const struct golden g = wide_model(ids);
    char dir[TINY_PATH], plain[TINY_PATH], first[TINY_PATH], whole[TINY_PATH], joined[TINY_PATH];
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "plain.gguf", DTYPE_F16);
    tiny_path(plain, dir, "plain.gguf");
    float *wanted = logits_of(&g, plain, NULL, false);
    quantize(plain, tiny_path(whole, dir, "whole.gguf"), "q4_K_M", NULL);
    for (uint32_t version = 2; version <= 3; version++) {
        split_gguf(first, plain, dir, 3, version);
        float *found = logits_of(&g, first, NULL, false), *mapped = logits_of(&g, first, NULL, true);
        expect_same_bits(&g, wanted, found, first, "in parts");
        expect_same_bits(&g, wanted, mapped, first, "in parts and in place");
        quantize(first, tiny_path(joined, dir, "joined.gguf"), "q4_K_M", NULL);
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
    const struct golden g = wide_model(ids);
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
    const struct golden g = wide_model(ids);
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
    free(logits_of(&g, first, NULL, false)); /* all still there */
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
    const struct golden g = wide_model(ids);
    char dir[TINY_PATH], plain[TINY_PATH], in[TINY_PATH], out[TINY_PATH];
    struct wts_set *set;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "plain.gguf", DTYPE_F16);
    tiny_path(plain, dir, "plain.gguf");
    write_with_experts(tiny_path(in, dir, "in.gguf"), plain);
    quantize(in, tiny_path(out, dir, "out.gguf"), "q3_K_M", NULL);
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
    const struct golden g = wide_model(ids);
    char dir[TINY_PATH], in[TINY_PATH], out[TINY_PATH];
    struct wts_set *set;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "in.gguf", DTYPE_F32);
    quantize(tiny_path(in, dir, "in.gguf"), tiny_path(out, dir, "out.gguf"), "q4_K_M", NULL);
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
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_source_is_kept),
        cmocka_unit_test(test_experts),
        cmocka_unit_test(test_mix_types),
        cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_unknown_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
