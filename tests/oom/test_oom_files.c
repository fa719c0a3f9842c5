/* Memory runs out (oom.h) while models of several files, and vocabularies of the kinds that GGUF files have, are opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/oom/oom.h"
#include "tests/support/golden.h"
#include "tests/support/sp_bytes.h"
#include "tests/support/split.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"

struct setting {
    const char *key, *type, *value;
};

static const struct setting byte_level[] = {
    {"tokenizer.ggml.model", "string", "gpt2"},
    {"tokenizer.ggml.pre", "string", "gpt-2"},
    {"tokenizer.ggml.tokens", "array:string", "a,b,ab,<end>"},
    {"tokenizer.ggml.token_type", "array:i32", "1,1,1,3"},
    {"tokenizer.ggml.merges", "array:string", "a b"},
    {"tokenizer.ggml.eos_token_id", "u32", "3"},
    {NULL, NULL, NULL},
};

static const struct setting unigram[] = {
    {"tokenizer.ggml.model", "string", "t5"},
    {"tokenizer.ggml.tokens", "array:string", "<unk>,a,b,ab,</s>"},
    {"tokenizer.ggml.scores", "array:f32", "0,-1,-1,-1.5,0"},
    {"tokenizer.ggml.token_type", "array:i32", "2,1,1,1,3"},
    {"tokenizer.ggml.unknown_token_id", "u32", "0"},
    {"tokenizer.ggml.eos_token_id", "u32", "4"},
    {"tokenizer.ggml.add_space_prefix", "bool", "0"},
    {NULL, NULL, NULL},
};

/* "A" becomes "b". */
static void set_map(struct tiny_gguf *file)
{
    const struct sp_charsmap map = sp_good_map();
    const unsigned char *bytes = (const unsigned char *)&map;
    char *text = malloc(4 * sizeof map + 1), *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof map; i++) {
        at += snprintf(at, 5, "%s%d", i > 0 ? "," : "", bytes[i]);
    }
    tiny_gguf_set(file, "tokenizer.ggml.precompiled_charsmap", "array:u8", text);
    free(text);
}

/* dir/m.gguf, with the settings of a vocabulary (NULL: tiny_text.h's). */
static void write_model(const char *dir, const struct setting *settings)
{
    struct golden g;
    golden_load(&g, "mha_tied");
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    golden_free(&g);
    if (settings == NULL) {
        tiny_text_gguf(&file, NULL);
    }
    for (size_t i = 0; settings != NULL && settings[i].key != NULL; i++) {
        tiny_gguf_set(&file, settings[i].key, settings[i].type, settings[i].value);
    }
    if (settings == unigram) {
        set_map(&file);
    }
    tiny_gguf_write(&file, dir, "m.gguf");
}

static choir_status open_model(void *user, choir_error *err)
{
    choir_model_options opt;
    choir_model *m = (choir_model *)err;
    choir_model_options_default(&opt);
    opt.path = user;
    opt.n_threads = 2;
    choir_status status = choir_model_open(&m, &opt, err);
    assert_true((m != NULL) == (status == CHOIR_OK));
    choir_model_close(m);
    return status;
}

static void splits(void **state)
{
    char dir[TINY_PATH], path[TINY_PATH], first[TINY_PATH];
    (void)state;
    tiny_dir_make(dir);
    write_model(dir, NULL);
    split_gguf(first, tiny_path(path, dir, "m.gguf"), dir, 3, 3);
    oom_run(open_model, first, "a model of three files", dir);
    tiny_dir_remove(dir);
}

/* The text is the token `id`. */
static void check_vocabulary(const struct setting *settings, const char *text, int32_t id, const char *name)
{
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model_options opt;
    choir_model *m;
    choir_error err = {0};
    int32_t *ids;
    size_t n;
    tiny_dir_make(dir);
    write_model(dir, settings);
    choir_model_options_default(&opt);
    opt.path = tiny_path(path, dir, "m.gguf");
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(choir_tokenize(&ids, &n, m, text, strlen(text), false, NULL), CHOIR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], id);
    free(ids);
    choir_model_close(m);
    oom_run(open_model, path, name, dir);
    tiny_dir_remove(dir);
}

static void vocabularies(void **state)
{
    (void)state;
    check_vocabulary(byte_level, "ab", 2, "a byte-level vocabulary");
    check_vocabulary(unigram, "aA", 3, "a unigram vocabulary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(splits), cmocka_unit_test(vocabularies)};
    return cmocka_run_group_tests_name("memory for files", tests, NULL, NULL);
}
