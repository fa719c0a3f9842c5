/* Vocabularies of GGUF files that do not fit together: refused with the setting's name, or left out where text is optional;
 * and which ids end a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/golden_run.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"

struct fixture {
    struct golden golden;
    char dir[TINY_PATH], path[TINY_PATH];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    golden_load(&f->golden, "mha_tied");
    tiny_dir_make(f->dir);
    tiny_path(f->path, f->dir, "m.gguf");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    golden_free(&f->golden);
    tiny_dir_remove(f->dir);
    free(f);
    return 0;
}

/* m.gguf with the setting tokenizer.ggml.KEY replaced, or left out when type is NULL. */
static void write_model(const struct fixture *f, const char *key, const char *type, const char *value)
{
    char full[64];
    snprintf(full, sizeof full, "tokenizer.ggml.%s", key);
    struct tiny_gguf file = golden_gguf(&f->golden, DTYPE_F32);
    tiny_text_gguf(&file, full);
    if (type != NULL) {
        tiny_gguf_set(&file, full, type, value);
    }
    tiny_gguf_write(&file, f->dir, "m.gguf");
}

static choir_status open_it(choir_model **m, const char *path, bool text_optional, choir_error *err)
{
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.text_optional = text_optional;
    return choir_model_open(m, &opt, err);
}

static void refused(const struct fixture *f, const char *key, const char *type, const char *value, const char *want)
{
    choir_model *m;
    choir_error err;
    write_model(f, key, type, value);
    assert_int_equal(open_it(&m, f->path, false, &err), CHOIR_FILE);
    assert_null(m);
    if (strstr(err.msg, want) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
    }
}

/* Refused with text; ids only where text is optional, and the reason is told when text is asked for. */
static void no_text(const struct fixture *f, const char *key, const char *type, const char *value, const char *want)
{
    refused(f, key, type, value, want);
    choir_model *m;
    choir_error err;
    int32_t *ids;
    size_t n;
    assert_int_equal(open_it(&m, f->path, true, &err), CHOIR_OK);
    assert_int_equal(choir_tokenize(&ids, &n, m, "a", 1, false, &err), CHOIR_FILE);
    assert_null(ids);
    assert_non_null(strstr(err.msg, want));
    choir_model_close(m);
}

static void test_whole(void **state)
{
    struct fixture *f = *state;
    choir_model *m;
    int32_t *ids;
    size_t n;
    write_model(f, "add_bos_token", "bool", "1");
    assert_int_equal(open_it(&m, f->path, false, NULL), CHOIR_OK);
    assert_int_equal(choir_tokenize(&ids, &n, m, "hello", 5, true, NULL), CHOIR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], 1);
    size_t bytes;
    assert_memory_equal(choir_piece(m, ids[1], &bytes), "\xe2\x96\x81hello", 8);
    free(ids);
    choir_model_close(m);
}

static void test_arrays(void **state)
{
    struct fixture *f = *state;
    no_text(f, "tokens", NULL, NULL, "tokenizer.ggml.tokens missing");
    no_text(f, "tokens", "array:i32", "1,2,3", "tokenizer.ggml.tokens: array of i32, must be array of string");
    no_text(f, "tokens", "string", "a", "tokenizer.ggml.tokens: string, must be array of string");
    no_text(f, "tokens", "array:string", "a,b", "tokenizer.ggml.scores: 50 entries, 2 tokens");
    no_text(f, "scores", NULL, NULL, "tokenizer.ggml.scores missing");
    no_text(f, "scores", "array:f32", "0,0,0", "tokenizer.ggml.scores: 3 entries, 50 tokens");
    no_text(f, "scores", "array:i32", "0,0,0", "tokenizer.ggml.scores: array of i32, must be array of f32");
    no_text(f, "scores", "f32", "0", "tokenizer.ggml.scores: f32, must be array of f32");
    no_text(f, "token_type", "array:i32", "2,3,3,1", "tokenizer.ggml.token_type: 4 entries, 50 tokens");
    no_text(f, "token_type", "array:f32", "2,3", "tokenizer.ggml.token_type: array of f32, must be array of i32");
    no_text(f, "model", NULL, NULL, "tokenizer.ggml.model missing");
    no_text(f, "model", "string", "bert", "tokenizer \"bert\" not supported");
    no_text(f, "model", "string", "gpt2", "tokenizer.ggml.pre missing");
    no_text(f, "precompiled_charsmap", "array:i32", "1,2", "tokenizer.ggml.precompiled_charsmap: must be array of u8");
}

static void test_flags_and_ids(void **state)
{
    struct fixture *f = *state;
    no_text(f, "add_bos_token", "u32", "1", "tokenizer.ggml.add_bos_token: u32, must be bool");
    no_text(f, "add_space_prefix", "u8", "1", "tokenizer.ggml.add_space_prefix: u8, must be bool");
    no_text(f, "unknown_token_id", "u32", "50", "tokenizer.ggml.unknown_token_id: 50, vocabulary has 50");
    no_text(f, "unknown_token_id", "string", "0", "tokenizer.ggml.unknown_token_id: string, must be u32");
    refused(f, "bos_token_id", "u32", "96", "bos_token_id"); /* of the model, not only of its text */
    refused(f, "eos_token_id", "string", "2", "tokenizer.ggml.eos_token_id");
}

/* A BOS that must begin a text but has no id; one that has none and is not wanted is fine. */
static void test_bos_without_id(void **state)
{
    struct fixture *f = *state;
    for (int none = 0; none < 2; none++) {
        for (int wanted = 0; wanted < 2; wanted++) {
            struct tiny_gguf file = golden_gguf(&f->golden, DTYPE_F32);
            tiny_text_gguf(&file, "tokenizer.ggml.bos_token_id");
            if (none) { /* as some writers say it */
                tiny_gguf_set(&file, "tokenizer.ggml.bos_token_id", "i32", "-1");
            }
            if (wanted) {
                tiny_gguf_set(&file, "tokenizer.ggml.add_bos_token", "bool", "1");
            }
            tiny_gguf_write(&file, f->dir, "m.gguf");
            choir_model *m;
            choir_error err;
            assert_int_equal(open_it(&m, f->path, false, &err), wanted ? CHOIR_FILE : CHOIR_OK);
            if (wanted) {
                assert_null(m);
                assert_non_null(strstr(err.msg, "add_bos_token is set but there is no bos_token_id"));
            } else {
                choir_model_info info;
                choir_model_describe(m, &info);
                assert_int_equal(info.bos_id, -1);
            }
            choir_model_close(m);
        }
    }
}

/* llama2.c's models begin the next text where one ends: BOS stops them too.  Others go on over a BOS. */
static void test_stops(void **state)
{
    struct fixture *f = *state;
    char bin[TINY_PATH];
    write_model(f, "eot_token_id", "u32", "7");
    choir_model *m = golden_open(f->path, NULL, false);
    assert_false(choir_is_eos(m, 1));
    assert_true(choir_is_eos(m, 2));
    assert_true(choir_is_eos(m, 7));
    choir_model_close(m);
    tiny_text_sp(f->dir, "tokenizer.model");
    for (int version = 0; version <= 1; version++) {
        golden_write_llama2c(&f->golden, f->dir, "m.bin", version);
        m = golden_open(tiny_path(bin, f->dir, "m.bin"), NULL, false);
        assert_false(choir_is_eos(m, 0));
        assert_true(choir_is_eos(m, 1));
        assert_true(choir_is_eos(m, 2));
        assert_false(choir_is_eos(m, 3));
        choir_model_close(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arrays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flags_and_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bos_without_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stops, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
