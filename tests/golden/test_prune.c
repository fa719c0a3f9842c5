/* Heads cut out of the families' tiny models: the new file gives the bits of the old one with these heads masked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/family.h"
#include "tests/support/tiny.h"

enum { HEADS_CAP = 64 };

/* Query heads by key/value heads: 4 by 2, or 4 by 1. */
static const struct row {
    const char *name, *type;
    bool removed; /* where the numbers allow it */
} rows[] = {
    {"llama", "f32", true}, {"llama_bias", "f32", true}, {"llama3", "f16", true},  {"mixtral", "f32", true},
    {"gemma", "f32", true}, {"qwen3", "f32", true},      {"qwen2", "f32", false},  {"falcon", "f32", false},
    {"gpt2", "f32", false}, {"olmo2", "f32", false},     {"gemma2", "f32", false}, {"llama", "q8_0", true},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static choir_model *open_model(const char *path)
{
    choir_model *m;
    choir_error err;
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.text_optional = true;
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return m;
}

/* Logits [vocab_size] after the prompt; malloc'ed. */
static float *logits_of(const struct family *f, const char *path, const choir_head *masked, size_t n)
{
    choir_model *m = open_model(path);
    choir_engine *e;
    choir_sequence *s;
    choir_error err;
    choir_engine_options opt;
    choir_sampling sampling;
    choir_engine_options_default(&opt);
    choir_sampling_default(&sampling);
    opt.ctx_size = f->ctx_size;
    opt.kv_type = "f32";
    if (choir_engine_open(&e, m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(choir_engine_mask_heads(e, masked, n, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, f->ids, (size_t)f->n_ids, NULL), CHOIR_OK);
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    }
    const size_t bytes = (size_t)f->vocab_size * sizeof(float);
    float *logits = malloc(bytes);
    assert_non_null(logits);
    memcpy(logits, choir_sequence_logits(s), bytes);
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    return logits;
}

/* Prunes the file and holds what comes of it to the masked model. */
static void check(const struct family *f, const char *dir, const char *in, const choir_head *heads, size_t n,
                  choir_prune_result *result)
{
    char out[TINY_PATH];
    choir_error err;
    const choir_prune_options opt = {.in = in, .out = tiny_path(out, dir, "pruned.gguf"), .heads = heads, .n_heads = n};
    if (choir_prune(result, &opt, &err) != CHOIR_OK) {
        fail_msg("%s: %s", f->name, err.msg);
    }
    float *want = logits_of(f, in, heads, n), *got = logits_of(f, out, NULL, 0);
    if (!result->requantized && memcmp(want, got, (size_t)f->vocab_size * sizeof *want) != 0) {
        fail_msg("%s: other logits than with the heads masked", f->name);
    }
    free(want);
    free(got);
}

static void add(choir_head *heads, size_t *n, int32_t layer, int32_t head)
{
    assert_true(*n < HEADS_CAP);
    heads[(*n)++] = (choir_head){layer, head};
}

static void test_family(void **state)
{
    const struct row *row = *state;
    struct family f;
    char dir[TINY_PATH], path[TINY_PATH];
    choir_error err;
    choir_prune_result r;
    choir_model_info info;
    family_load(&f, row->name);
    tiny_dir_make(dir);
    assert_true(family_write(&f, dir, "config"));
    choir_quantize_options q = {.in = dir, .out = tiny_path(path, dir, "m.gguf"), .type = row->type, .pure = true};
    if (choir_quantize(&q, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    choir_model *m = open_model(path);
    choir_model_describe(m, &info);
    choir_model_close(m);

    choir_head heads[HEADS_CAP];
    size_t n = 0;
    for (int32_t l = 0; l < info.n_layers; l++) { /* one of each half: of each group where there are two */
        add(heads, &n, l, l % 2);
        add(heads, &n, l, 2 + (l + 1) % 2);
    }
    check(&f, dir, path, heads, n, &r);
    assert_int_equal(r.removed, row->removed);
    assert_int_equal(r.n_gone, n);
    assert_int_equal(r.n_heads, row->removed ? 2 : info.n_heads);
    assert_int_equal(r.n_kv_heads, info.n_kv_heads);
    assert_true(row->removed ? r.bytes_after < r.bytes_before : r.bytes_after >= r.bytes_before);
    assert_int_equal(r.why[0] == '\0', row->removed);

    n = 0;
    for (int32_t l = 0; l < info.n_layers; l++) { /* another half in each layer: where it is a group, its keys go too */
        add(heads, &n, l, 2 * (l % 2));
        add(heads, &n, l, 2 * (l % 2) + 1);
    }
    check(&f, dir, path, heads, n, &r);
    assert_int_equal(r.removed, row->removed);
    assert_int_equal(r.n_kv_heads, row->removed && info.n_kv_heads == 2 ? 1 : info.n_kv_heads);

    check(&f, dir, path, heads, 1, &r); /* one layer alone */
    assert_false(r.removed);
    assert_int_equal(r.n_gone, 1);
    heads[0].head = -1;
    check(&f, dir, path, heads, 1, &r); /* and all of its heads */
    assert_int_equal(r.n_gone, info.n_heads);
    tiny_dir_remove(dir);
    family_free(&f);
}

static void test_refused(void **state)
{
    struct family f;
    char dir[TINY_PATH], path[TINY_PATH], out[TINY_PATH];
    choir_error err;
    choir_prune_result r;
    const choir_head head = {0, 0}, wrong = {0, 4};
    (void)state;
    family_load(&f, "llama");
    tiny_dir_make(dir);
    assert_true(family_write(&f, dir, "config"));
    choir_quantize_options q = {.in = dir, .out = tiny_path(path, dir, "m.gguf"), .type = "f32"};
    assert_int_equal(choir_quantize(&q, &err), CHOIR_OK);
    choir_prune_options opt = {.in = path, .out = tiny_path(out, dir, "n.gguf"), .heads = &wrong, .n_heads = 1};
    assert_int_equal(choir_prune(&r, &opt, &err), CHOIR_USAGE);
    assert_non_null(strstr(err.msg, "there is no head 4 in layer 0"));
    opt.n_heads = 0;
    assert_int_equal(choir_prune(&r, &opt, &err), CHOIR_USAGE);
    opt.heads = &head;
    opt.n_heads = 1;
    opt.out = path;
    assert_int_equal(choir_prune(&r, &opt, &err), CHOIR_USAGE);
    opt.out = out;
    opt.in = dir;
    assert_int_equal(choir_prune(&r, &opt, &err), CHOIR_USAGE);
    assert_non_null(strstr(err.msg, "choir quantize"));
    opt.in = path;
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -4, SEEK_END), 0); /* the last number of the last tensor */
    assert_int_equal(fwrite("\0\0\xc0\x7f", 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(choir_prune(&r, &opt, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "m.gguf: tensor "));
    assert_non_null(strstr(err.msg, ": nan"));
    assert_null(fopen(out, "rb"));
    tiny_dir_remove(dir);
    family_free(&f);
}

int main(void)
{
    struct CMUnitTest tests[N_ROWS + 1];
    for (int i = 0; i < N_ROWS; i++) {
        tests[i] = (struct CMUnitTest){rows[i].name, test_family, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    }
    tests[N_ROWS] = (struct CMUnitTest)cmocka_unit_test(test_refused);
    return _cmocka_run_group_tests("prune", tests, N_ROWS + 1, NULL, NULL);
}
