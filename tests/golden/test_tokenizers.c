/* Byte-level tokenizers against Hugging Face's, on small vocabularies of every family's kind (tools/golden/tokenizers.py): the
 * same ids, also after the tokenizer went through a vocabulary as GGUF files hold it; and the text back, streamed or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/utf8.h"
#include "tokenizer/tokenizer.h"

#define FOLDER "tests/golden/tokenizers/"

struct file {
    char *data;
    size_t n;
};

static struct file load(const char *name)
{
    char path[256];
    choir_error err = {0};
    struct file f;
    snprintf(path, sizeof path, FOLDER "%s", name);
    if (base_file_slurp(path, 1 << 20, &f.data, &f.n, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return f;
}

static struct tokenizer *open_family(const char *family)
{
    char path[256];
    choir_error err = {0};
    struct tokenizer *t;
    snprintf(path, sizeof path, FOLDER "%s.json", family);
    if (tok_open_file(&t, path, -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_string_equal(tok_kind(t), "byte-level bpe");
    return t;
}

static uint32_t hash_ids(const int32_t *ids, size_t n)
{
    uint32_t h = 0x811c9dc5;
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 32; k += 8) {
            h = (h ^ ((uint32_t)ids[i] >> k & 255)) * 0x01000193;
        }
    }
    return h;
}

/* Pushed one by one, ids give whole characters only, and together what tok_decode gives. */
static void check_stream(const struct tokenizer *t, const int32_t *ids, size_t n_ids, const char *whole, size_t n_whole)
{
    struct tok_detok d;
    char *piece = malloc(tok_detok_bound(t));
    size_t at = 0;
    tok_detok_init(&d, t, true);
    for (size_t i = 0; i <= n_ids; i++) {
        size_t n = i < n_ids ? tok_detok_push(&d, ids[i], piece) : tok_detok_flush(&d, piece);
        assert_true(n <= tok_detok_bound(t));
        assert_int_equal(base_utf8_valid(piece, n), n);
        assert_true(n <= n_whole - at);
        assert_memory_equal(piece, whole + at, n);
        at += n;
    }
    assert_int_equal(at, n_whole);
    free(piece);
}

/* All texts; keeps_text: what is decoded is the text. */
static void check_texts(const struct tokenizer *t, const char *family, bool keeps_text)
{
    char name[64];
    snprintf(name, sizeof name, "%s.ids", family);
    struct file texts = load("texts.bin"), hashes = load(name);
    size_t k = 0;
    for (size_t at = 0; at < texts.n; k++) {
        uint32_t n, want;
        choir_error err = {0};
        int32_t *ids;
        size_t n_ids, n_back;
        char *back;
        memcpy(&n, texts.data + at, sizeof n);
        memcpy(&want, hashes.data + 4 * k, sizeof want);
        const char *text = texts.data + at + sizeof n;
        assert_int_equal(tok_encode(t, text, n, &ids, &n_ids, &err), CHOIR_OK);
        if (hash_ids(ids, n_ids) != want) {
            fail_msg("%s: other ids for text %zu: \"%.*s\"", family, k, (int)n, text);
        }
        assert_int_equal(tok_decode(t, ids, n_ids, &back, &n_back, &err), CHOIR_OK);
        if (keeps_text) {
            assert_int_equal(n_back, n);
            assert_memory_equal(back, text, n);
        }
        check_stream(t, ids, n_ids, back, n_back);
        free(ids);
        free(back);
        at += sizeof n + n;
    }
    assert_int_equal(4 * k, hashes.n);
    assert_true(k > 300);
    free(texts.data);
    free(hashes.data);
}

/* As a GGUF file would hold it. */
static struct tokenizer *through_vocab(const struct tokenizer *t, const char *pre)
{
    struct tok_export e;
    choir_error err = {0};
    struct tokenizer *again;
    if (tok_export(&e, t, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_string_equal(e.vocab.pre, pre);
    e.vocab.file = "vocabulary";
    if (tok_open_vocab(&again, &e.vocab, -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    tok_export_free(&e);
    return again;
}

static void test_families(void **state)
{
    static const char *const families[] = {"gpt-2",  "llama-bpe",      "qwen2",       "smollm",
                                           "falcon", "deepseek-coder", "deepseek-v3", "gpt-4o"};
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        bool keeps_text = strcmp(families[i], "qwen2") != 0; /* its normal form is NFC */
        struct tokenizer *t = open_family(families[i]);
        check_texts(t, families[i], keeps_text);
        struct tokenizer *again = through_vocab(t, families[i]);
        check_texts(again, families[i], keeps_text);
        tok_close(again);
        tok_close(t);
    }
}

/* What GGUF files cannot say: a space in front, normalized tokens, flags of tokens, steps without a name. */
static void test_others(void **state)
{
    static const char *const others[] = {"roberta", "olmo", "mixed"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct tokenizer *t = open_family(others[i]);
        check_texts(t, others[i], false);
        tok_close(t);
    }
    struct tokenizer *t = open_family("mixed");
    struct tok_export e;
    choir_error err = {0};
    assert_int_equal(tok_export(&e, t, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "no name in GGUF"));
    tok_close(t);
}

static void test_special(void **state)
{
    static const char text[] = "a<|endoftext|>b<user>c";
    (void)state;
    struct tokenizer *t = open_family("llama-bpe");
    int32_t special = tok_find_piece(t, "<|endoftext|>", 13);
    int32_t user = tok_find_piece(t, "<user>", 6);
    assert_int_equal(tok_piece_type(t, special), TOK_CONTROL);
    assert_int_equal(tok_piece_type(t, user), TOK_USER_DEFINED);
    assert_int_equal(tok_find_piece(t, "<nobody>", 8), -1);
    assert_true(tok_adds_bos(t));
    assert_int_equal(tok_bos(t), special);
    int32_t *ids;
    size_t n, users = 0;
    assert_int_equal(tok_encode(t, text, sizeof text - 1, &ids, &n, NULL), CHOIR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(ids[i], special);
        users += ids[i] == user;
    }
    assert_int_equal(users, 1);
    free(ids);
    char *back;
    const int32_t both[] = {special, user};
    assert_int_equal(tok_decode(t, both, 2, &back, &n, NULL), CHOIR_OK);
    assert_string_equal(back, "<user>");
    free(back);
    tok_close(t);
    t = open_family("gpt-2");
    assert_false(tok_adds_bos(t));
    tok_close(t);
}

/* A megabyte of one character: no recursion, and no time that grows with its square. */
static void test_long(void **state)
{
    static const char *const families[] = {"llama-bpe", "deepseek-coder", "mixed"};
    static const char *const units[] = {"a", " ", "\n", "7", ".", "\xe4\xb8\xad", "\xcc\xa3\xcc\x81", "<", " a"};
    enum { BYTES = 1 << 20 };
    (void)state;
    char *text = malloc(BYTES + 8);
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        struct tokenizer *t = open_family(families[f]);
        for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
            size_t n = 0, unit = strlen(units[u]), n_ids;
            int32_t *ids;
            for (; n + unit <= BYTES; n += unit) {
                memcpy(text + n, units[u], unit);
            }
            text[n++] = '1'; /* so that spaces do not end the text */
            clock_t start = clock();
            assert_int_equal(tok_encode(t, text, n, &ids, &n_ids, NULL), CHOIR_OK);
            /* Below a second where nothing slows it; squares would be hours. */
            assert_true(clock() - start < 60 * (clock_t)CLOCKS_PER_SEC);
            free(ids);
        }
        tok_close(t);
    }
    free(text);
}

/* Each name of a pre-tokenizer that GGUF files may hold opens; another is refused by its name. */
static void test_names(void **state)
{
    static const char *const names[] = {
        "default",      "gpt-2",       "phi-2",     "roberta-bpe", "jais",           "trillion",     "granite-docling",
        "gigachat",     "exaone4",     "mellum",    "a.x-4.0",     "olmo",           "mpt",          "modern-bert",
        "llama-bpe",    "llama3",      "llama-v3",  "falcon3",     "falcon-h1",      "pixtral",      "midm-2.0",
        "lfm2",         "glm4",        "dbrx",      "smaug-bpe",   "chatglm-bpe",    "qwen2",        "deepseek-r1-qwen",
        "stablelm2",    "megrez",      "hunyuan",   "grok-2",      "solar-open",     "qwen35",       "smollm",
        "starcoder",    "refact",      "codeshell", "exaone",      "minerva-7b",     "mellum2",      "command-r",
        "falcon",       "tekken",      "gpt-4o",    "llama4",      "deepseek-coder", "deepseek-v3",  "hunyuan-dense",
        "deepseek-llm", "minimax-m2",  "kanana2",   "bloom",       "poro-chat",      "gpt3-finnish", "viking",
        "bailingmoe",   "bailingmoe2", "llada-moe", "seed-coder",  "minicpm5",       "tiny_aya",
    };
    (void)state;
    struct tokenizer *t = open_family("gpt-2");
    struct tok_export e;
    choir_error err = {0};
    struct tokenizer *other;
    assert_int_equal(tok_export(&e, t, &err), CHOIR_OK);
    e.vocab.file = "m.gguf";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static const char text[] = "Don't stop: 12345 \xe4\xb8\xad\xe6\x96\x87 na\xc3\xafve   \n\n x";
        int32_t *ids;
        size_t n_ids, n;
        char *back;
        e.vocab.pre = names[i];
        e.vocab.pre_bytes = strlen(names[i]);
        if (tok_open_vocab(&other, &e.vocab, -1, &err) != CHOIR_OK) {
            fail_msg("%s: %s", names[i], err.msg);
        }
        assert_int_equal(tok_encode(other, text, sizeof text - 1, &ids, &n_ids, &err), CHOIR_OK);
        assert_int_equal(tok_decode(other, ids, n_ids, &back, &n, &err), CHOIR_OK);
        assert_string_equal(back, text);
        free(ids);
        free(back);
        tok_close(other);
    }
    e.vocab.pre = "no-such";
    e.vocab.pre_bytes = 7;
    assert_int_equal(tok_open_vocab(&other, &e.vocab, -1, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "m.gguf: pre-tokenizer \"no-such\" not supported");
    tok_export_free(&e);
    tok_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families), cmocka_unit_test(test_others), cmocka_unit_test(test_special),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
