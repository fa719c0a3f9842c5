/* tokenizer.json files that are wrong: refused with one clear line, or read without harm; never a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/support/files.h"
#include "tests/support/random_text.h"
#include "tokenizer/tok_json.h"

#define LEVEL                "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define MODEL(vocab, merges) "\"model\":{\"type\":\"BPE\",\"vocab\":{" vocab "},\"merges\":[" merges "]}"
#define FILE_OF(model)       "{\"pre_tokenizer\":" LEVEL "," model "}"
#define WHOLE(vocab, merges) FILE_OF(MODEL(vocab, merges))
#define SMALL                MODEL("\"a\":0,\"b\":1,\"ab\":2", "\"a b\"")
#define SPLIT(regex)                                                                                                   \
    "{" SMALL                                                                                                          \
    ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex \
    "\"},\"behavior\":\"Isolated\"}," LEVEL "]}}"

static choir_status open_text(struct tokenizer **t, const char *text, int64_t rows, choir_error *err)
{
    return tok_open_json(t, "t.json", text, strlen(text), rows, err);
}

static void refused_rows(const char *text, int64_t rows, const char *want)
{
    struct tokenizer *t;
    choir_error err = {0};
    assert_int_equal(open_text(&t, text, rows, &err), CHOIR_FILE);
    assert_null(t);
    if (strstr(err.msg, want) == NULL || strncmp(err.msg, "t.json:", 7) != 0 || strchr(err.msg, '\n') != NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
    }
}

static void refused(const char *text, const char *want)
{
    refused_rows(text, -1, want);
}

/* The ids of "abb" are those of want[0 .. n). */
static void gives(const char *text, const char *input, const int32_t *want, size_t n)
{
    struct tokenizer *t;
    choir_error err = {0};
    int32_t *ids;
    size_t n_ids;
    if (open_text(&t, text, -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(tok_encode(t, input, strlen(input), &ids, &n_ids, &err), CHOIR_OK);
    assert_int_equal(n_ids, n);
    assert_memory_equal(ids, want, n * sizeof *ids);
    free(ids);
    tok_close(t);
}

static void test_vocab(void **state)
{
    (void)state;
    gives(WHOLE("\"a\":0,\"b\":1,\"ab\":2", "\"a b\""), "abb", (const int32_t[]){2, 1}, 2);
    gives(WHOLE("\"a\":0,\"b\":1,\"ab\":2", "[\"a\",\"b\"]"), "abb", (const int32_t[]){2, 1}, 2);
    gives(WHOLE("\"a\":0,\"b\":7,\"ab\":3", "\"a b\""), "abbxb", (const int32_t[]){3, 7, 7},
          3); /* holes; no piece for x */
    refused(WHOLE("\"a\":0,\"b\":0", ""), "id 0 is that of \"a\" and of \"b\"");
    refused(WHOLE("\"a\":0,\"a\":1", ""), "duplicate key \"a\"");
    refused(WHOLE("\"a\":-1", ""), "id of \"a\": must be 0 to 16777215");
    refused(WHOLE("\"a\":16777216", ""), "id of \"a\": must be 0 to");
    refused(WHOLE("\"a\":\"0\"", ""), "id of \"a\"");
    refused(WHOLE("", ""), "no vocab");
    refused(FILE_OF("\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]}"), "no vocab");
    refused_rows(WHOLE("\"a\":0,\"b\":9", ""), 9, "10 tokens, the model has 9 embedding rows");
}

static void test_merges(void **state)
{
    (void)state;
    refused(WHOLE("\"a\":0,\"b\":1", "\"a b\""), "merge 0: \"ab\" is not in the vocabulary");
    refused(WHOLE("\"a\":0,\"ab\":1", "\"a b\""), "merge 0: \"b\" is not in the vocabulary");
    refused(WHOLE("\"a\":0", "\"a\""), "merge 0: not a pair");
    refused(WHOLE("\"a\":0", "\"a b c\""), "merge 0: not a pair");
    refused(WHOLE("\"a\":0", "[\"a\"]"), "merge 0: not a pair");
    refused(WHOLE("\"a\":0", "[\"a\",\"b\",\"c\"]"), "merge 0: not a pair");
    refused(WHOLE("\"a\":0", "[\"a\",1]"), "merge 0: not a pair");
    refused(WHOLE("\"a\":0", "{}"), "merge 0: not a pair");
    refused(WHOLE("\"a\":0", "\" a\""), "merge 0: not a pair");
    refused(FILE_OF("\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}}"), "no merges");
}

static void test_model(void **state)
{
    (void)state;
    refused("{\"pre_tokenizer\":" LEVEL "}", "model: type \"?\", must be BPE");
    refused(FILE_OF("\"model\":{\"type\":\"WordPiece\"}"), "type \"WordPiece\", must be BPE");
    refused(FILE_OF("\"model\":{\"type\":\"BPE\",\"dropout\":0.1}"), "dropout not supported");
    refused(FILE_OF("\"model\":{\"type\":\"BPE\",\"byte_fallback\":true}"), "byte_fallback not supported");
    refused(FILE_OF("\"model\":{\"type\":\"BPE\",\"continuing_subword_prefix\":\"##\"}"), "continuing_subword_prefix");
    refused(FILE_OF("\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"vocab\":{\"a\":0},\"merges\":[]}"),
            "\"u\" is not in the vocabulary");
    gives(FILE_OF("\"model\":{\"unk_token\":\"u\",\"fuse_unk\":true,\"vocab\":{\"a\":0,\"u\":1},\"merges\":[]}"), "xya",
          (const int32_t[]){1, 0}, 2);
    gives(FILE_OF("\"model\":{\"unk_token\":\"u\",\"vocab\":{\"a\":0,\"u\":1},\"merges\":[]}"), "xya",
          (const int32_t[]){1, 1, 0}, 3);
}

static void test_parts(void **state)
{
    (void)state;
    refused("{" SMALL ",\"normalizer\":{\"type\":\"Lowercase\"},\"pre_tokenizer\":" LEVEL "}",
            "normalizer: \"Lowercase\"");
    refused("{" SMALL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Metaspace\"}," LEVEL
            "]}}",
            "pre_tokenizer: \"Metaspace\"");
    refused("{" SMALL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" LEVEL "," LEVEL "]}}",
            "ByteLevel twice");
    refused("{" SMALL ",\"pre_tokenizer\":{\"type\":\"Digits\"},\"decoder\":" LEVEL "}", "no ByteLevel");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL ",\"post_processor\":{\"type\":\"Strange\"}}",
            "post_processor: \"Strange\"");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL
            ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"no\"}}]}}",
            "\"no\" is not in the vocabulary");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL ",\"added_tokens\":[{\"id\":1,\"content\":\"x\"}]}",
            "id 1 is that of \"b\" and of \"x\"");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL ",\"added_tokens\":[{\"id\":5,\"content\":\"b\"}]}",
            "tokens 1 and 5 are both \"b\"");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL ",\"added_tokens\":[{\"id\":5}]}", "added token 0 has no content");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL ",\"added_tokens\":{}}", "added_tokens: a list is needed");
    refused("{" SMALL ",\"pre_tokenizer\":" LEVEL ",\"added_tokens\":[{\"id\":5,\"content\":\"x\",\"special\":1}]}",
            "special");
}

static void test_patterns(void **state)
{
    static const char *const bad[] = {"[",         "[a",        "[]",      "[[:alpha:]]", "[a&&b]",     "[a[^b]]",
                                      "(?<n>a)",   "(?m)a",     "(*UTF)",  "a{2}+",       "a{,}",       "\\\\h",
                                      "\\\\1",     "\\\\k<n>",  "\\\\",    "\\\\p{Nope}", "[\\\\P{L}]", "\\\\p{",
                                      "(?(1)a|b)", "\\\\x{zz}", "\\\\u12", "a{2}?"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, SPLIT("%s"), bad[i]);
        refused(text, "regular expression");
    }
    refused(SPLIT("(a"), "missing closing parenthesis");
    refused(SPLIT("((a{1000}){1000}){1000}"), "regular expression");
    gives(SPLIT("(?=b)|[\\\\w-]\\\\b"), "ab", (const int32_t[]){0, 1}, 2); /* an empty match parts words */
}

/* A pattern that goes through all ways to part a text is stopped. */
static void test_steps(void **state)
{
    struct tokenizer *t;
    choir_error err = {0};
    int32_t *ids;
    size_t n;
    (void)state;
    assert_int_equal(open_text(&t, SPLIT("(?:a+)+bc"), -1, &err), CHOIR_OK);
    char text[4001];
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 2, "xc", 2);
    assert_int_equal(tok_encode(t, text, sizeof text, &ids, &n, &err), CHOIR_PROMPT);
    assert_non_null(strstr(err.msg, "too many steps"));
    tok_close(t);
}

#define MARK                "\\u2581"
#define DECODER             "\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\"}"
#define SCORED(vocab, more) "{\"model\":{\"type\":\"Unigram\",\"vocab\":[" vocab "]" more "}," DECODER "}"
#define MARKED(more)        "{" SMALL "," DECODER "," more "}"
#define NORM(step)          MARKED("\"normalizer\":" step)
#define MAP(text)           NORM("{\"type\":\"Precompiled\",\"precompiled_charsmap\":" text "}")

/* Those of SentencePiece's kind. */
static void test_marked(void **state)
{
    (void)state;
    refused("{" SMALL "}", "decoder: \"?\" not supported");
    refused("{" SMALL ",\"decoder\":{\"type\":\"Fuse\"}}", "neither Metaspace nor Replace");
    refused("{" SMALL ",\"decoder\":{\"type\":\"WordPiece\"}}", "decoder: \"WordPiece\" not supported");
    refused("{\"model\":{\"type\":\"WordLevel\"}," DECODER "}", "must be BPE or Unigram");
    refused(SCORED("", ""), "no vocab");
    refused(SCORED("[\"a\",0],[\"b\"]", ""), "token 1: must be a piece and its score");
    refused(SCORED("[\"a\",0],\"b\"", ""), "token 1: must be a piece and its score");
    refused(SCORED("[\"a\",0],[\"a\",1]", ""), "tokens 0 and 1 are both \"a\"");
    refused(SCORED("[\"a\",0]", ",\"unk_id\":1"), "unk_id: 1 (0 to 0 allowed)");
    refused(SCORED("[\"a\",0]", ",\"byte_fallback\":2"), "byte_fallback");
    refused(NORM("{\"type\":\"Lowercase\"}"), "normalizer: \"Lowercase\" not supported");
    refused(NORM("{\"type\":\"Prepend\"}"), "Prepend without a text");
    refused(NORM("{\"type\":\"Replace\",\"content\":\"\"}"), "Replace without a pattern");
    refused(NORM("{\"type\":\"Replace\",\"content\":\"\",\"pattern\":{\"Regex\":\"(\"}}"), "regular expression");
    refused(MAP("3"), "Precompiled without precompiled_charsmap");
    refused(MAP("\"AAA\""), "not base64");
    refused(MAP("\"AA=A\""), "not base64");
    refused(MAP("\"AAAA\""), "3 bytes, needs at least 4");
    refused(MAP("\"BAAAAAAAAAA=\""), "text not terminated");
    refused(MARKED("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}"), "\"_\" not supported");
    refused(
        MARKED("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\",\"prepend_scheme\":\"last\"}"),
        "prepend_scheme: \"last\" not supported");
    gives(SCORED("[\"a\",-1],[\"b\",-1],[\"ab\",-1.5],[\"?\",0]", ",\"unk_id\":3"), "abbx", (const int32_t[]){2, 1, 3},
          3);
    gives(SCORED("[\"a\",-1]", ""), "xax", (const int32_t[]){0}, 1); /* what nothing stands for vanishes */
    gives(MARKED("\"normalizer\":{\"type\":\"Strip\"}"), " ab \n", (const int32_t[]){2}, 1);
}

/* Files beside a tokenizer.model. */
static void refused_beside(const char *name, const char *text, const char *want)
{
    struct tokenizer *t;
    choir_error err = {0};
    char *data;
    size_t n;
    assert_int_equal(base_file_slurp("tests/golden/tokenizers/added/tokenizer.model", 1 << 20, &data, &n, &err),
                     CHOIR_OK);
    char *dir = files_make_dir();
    files_write(dir, name, text, strlen(text));
    assert_int_equal(tok_open_file(&t, files_write(dir, "tokenizer.model", data, n), -1, &err), CHOIR_FILE);
    assert_null(t);
    if (strstr(err.msg, want) == NULL || strchr(err.msg, '\n') != NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
    }
    free(data);
    files_remove_dir(dir);
}

static void test_beside(void **state)
{
    static const char config[] = "tokenizer_config.json";
    (void)state;
    refused_beside(config, "{", "tokenizer_config.json:1:");
    refused_beside(config, "{\"legacy\":1}", "legacy");
    refused_beside(config, "{\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}",
                   "id of \"a\": must be 0 to 16777215");
    refused_beside(config, "{\"added_tokens_decoder\":{\"16777216\":{\"content\":\"a\"}}}", "id of \"a\"");
    refused_beside(config, "{\"added_tokens_decoder\":{\"600\":{}}}", "added token \"600\" has no content");
    refused_beside(config, "{\"added_tokens_decoder\":{\"600\":{\"content\":\"\"}}}", "added token 600: 0 bytes");
    refused_beside(config, "{\"added_tokens_decoder\":{\"600\":{\"content\":\"a\",\"special\":3}}}", "special");
    refused_beside(config, "{\"added_tokens_decoder\":{\"5\":{\"content\":\"a\"}}}", "<0x02>\", but \"a\" among");
    refused_beside("added_tokens.json", "{\"a\":-1}", "id of \"a\"");
    refused_beside("added_tokens.json", "{\"a\":\"7\"}", "id of \"a\"");
    refused_beside("special_tokens_map.json", "[]", "special_tokens_map.json");
}

/* Golden files with a few bytes changed or cut: refused or read, and then usable. */
static void test_damage(void **state)
{
    static const char *const names[] = {"mixed",    "llama-bpe",    "falcon", "sp-llama",
                                        "sp-gemma", "sp-llama_new", "sp-t5",  "sp-xlmr"};
    struct random_text r = {7};
    (void)state;
    for (int round = 0; round < 1600; round++) {
        char path[128], text[200];
        choir_error err = {0};
        char *data;
        size_t n;
        struct tokenizer *t;
        snprintf(path, sizeof path, "tests/golden/tokenizers/%s.json", names[round % 8]);
        assert_int_equal(base_file_slurp(path, 1 << 20, &data, &n, &err), CHOIR_OK);
        uint32_t changes = 1 + random_below(&r, 3);
        for (uint32_t i = 0; i < changes; i++) {
            static const char likely[] = "\"[]{}:,\\0123456789-aB ";
            data[random_below(&r, (uint32_t)n)] = likely[random_below(&r, sizeof likely - 1)];
        }
        n = round % 11 == 0 ? random_below(&r, (uint32_t)n) : n;
        if (tok_open_json(&t, "t.json", data, n, -1, &err) == CHOIR_OK) {
            int32_t *ids;
            size_t n_ids, n_back;
            char *back;
            size_t bytes = random_text_make(&r, text, sizeof text);
            if (tok_encode(t, text, bytes, &ids, &n_ids, &err) == CHOIR_OK) {
                assert_int_equal(tok_decode(t, ids, n_ids, &back, &n_back, &err), CHOIR_OK);
                free(back);
                free(ids);
            }
            tok_close(t);
        } else {
            assert_null(t);
            assert_null(strchr(err.msg, '\n'));
        }
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vocab),  cmocka_unit_test(test_merges),   cmocka_unit_test(test_model),
        cmocka_unit_test(test_parts),  cmocka_unit_test(test_patterns), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_marked), cmocka_unit_test(test_beside),   cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
