/* SentencePiece vocabularies as tokenizer.json against Hugging Face's tokenizers (tools/golden/sp_tokenizers.py): the same ids
 * and the same text back, streamed or not; tokens that files beside a tokenizer.model add; a megabyte of one character. */
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

static struct file load(const char *name, const char *end)
{
    char path[256];
    choir_error err = {0};
    struct file f;
    snprintf(path, sizeof path, FOLDER "%s%s", name, end);
    if (base_file_slurp(path, 1 << 20, &f.data, &f.n, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return f;
}

static struct tokenizer *open_golden(const char *name, const char *end)
{
    char path[256];
    choir_error err = {0};
    struct tokenizer *t;
    snprintf(path, sizeof path, FOLDER "%s%s", name, end);
    if (tok_open_file(&t, path, -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return t;
}

static uint32_t hash_id(uint32_t h, uint32_t id)
{
    for (int k = 0; k < 32; k += 8) {
        h = (h ^ (id >> k & 255)) * 0x01000193;
    }
    return h;
}

static uint32_t hash_ids(const int32_t *ids, size_t n)
{
    uint32_t h = 0x811c9dc5;
    for (size_t i = 0; i < n; i++) {
        h = hash_id(h, (uint32_t)ids[i]);
    }
    return h;
}

static uint32_t hash_bytes(const char *text, size_t n)
{
    uint32_t h = 0x811c9dc5;
    for (size_t i = 0; i < n; i++) {
        h = hash_id(h, (uint8_t)text[i]);
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

/* The k-th of the numbers in a file. */
static uint32_t number(const struct file *f, size_t k)
{
    uint32_t v;
    assert_true(4 * k + 4 <= f->n);
    memcpy(&v, f->data + 4 * k, sizeof v);
    return v;
}

/* One text: its ids, and what they say if `back` is not NULL.  A hash of 0 stands for texts that cannot be compared. */
static void check_text(const struct tokenizer *t, const char *name, const char *text, size_t n, uint32_t want,
                       const uint32_t *back)
{
    choir_error err = {0};
    int32_t *ids;
    size_t n_ids, n_said;
    char *said;
    assert_int_equal(tok_encode(t, text, n, &ids, &n_ids, &err), CHOIR_OK);
    if (want != 0 && hash_ids(ids, n_ids) != want) {
        fail_msg("%s: other ids for \"%.*s\"", name, (int)n, text);
    }
    assert_int_equal(tok_decode(t, ids, n_ids, &said, &n_said, &err), CHOIR_OK);
    if (back != NULL && want != 0 && hash_bytes(said, n_said) != *back) {
        fail_msg("%s: \"%.*s\" became \"%s\"", name, (int)n, text, said);
    }
    check_stream(t, ids, n_ids, said, n_said);
    free(ids);
    free(said);
}

static void check_texts(const struct tokenizer *t, const char *name, bool has_back)
{
    struct file texts = load("texts.bin", ""), want = load(name, ".ids");
    struct file back = has_back ? load(name, ".back") : (struct file){0};
    size_t k = 0;
    for (size_t at = 0; at < texts.n; k++) {
        uint32_t n, said = has_back ? number(&back, k) : 0;
        memcpy(&n, texts.data + at, sizeof n);
        check_text(t, name, texts.data + at + sizeof n, n, number(&want, k), has_back ? &said : NULL);
        at += sizeof n + n;
    }
    assert_int_equal(4 * k, want.n);
    assert_true(k > 300);
    free(texts.data);
    free(want.data);
    free(back.data);
}

static void test_json(void **state)
{
    static const char *const bpe[] = {"sp-llama", "sp-llama_new", "sp-gemma"};
    static const char *const unigram[] = {"sp-t5", "sp-xlmr"};
    (void)state;
    for (size_t i = 0; i < sizeof bpe / sizeof bpe[0]; i++) {
        struct tokenizer *t = open_golden(bpe[i], ".json");
        assert_string_equal(tok_kind(t), "sentencepiece bpe");
        check_texts(t, bpe[i], true);
        tok_close(t);
    }
    for (size_t i = 0; i < sizeof unigram / sizeof unigram[0]; i++) {
        struct tokenizer *t = open_golden(unigram[i], ".json");
        assert_string_equal(tok_kind(t), "sentencepiece unigram");
        check_texts(t, unigram[i], true);
        tok_close(t);
    }
}

static void test_special(void **state)
{
    (void)state;
    struct tokenizer *t = open_golden("sp-llama", ".json");
    assert_int_equal(tok_bos(t), 1);
    assert_int_equal(tok_unk(t), 0);
    assert_true(tok_adds_bos(t));
    int32_t end = tok_find_piece(t, "<|end|>", 7);
    assert_true(end >= 500);
    assert_int_equal(tok_piece_type(t, end), TOK_CONTROL);
    assert_int_equal(tok_piece_type(t, tok_find_piece(t, "<0x0A>", 6)), TOK_BYTE);
    int32_t *ids;
    size_t n;
    assert_int_equal(tok_encode(t, "<s>a<|end|>", 11, &ids, &n, NULL), CHOIR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_true(ids[i] != end && ids[i] != 1);
    }
    free(ids);
    tok_close(t);
}

static void test_added(void **state)
{
    static const char *const folders[] = {"added", "added-legacy"};
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct tokenizer *t = open_golden(folders[i], "/tokenizer.model");
        check_texts(t, folders[i], false);
        assert_int_equal(tok_n_pieces(t), 505);
        assert_int_equal(tok_find_piece(t, "<|end|>", 7), 500);
        assert_int_equal(tok_piece_type(t, 500), TOK_CONTROL);
        assert_int_equal(tok_piece_type(t, 501), TOK_USER_DEFINED);
        assert_int_equal(tok_piece_type(t, 502), TOK_UNUSED);
        assert_int_equal(tok_find_piece(t, "http", 4), 300); /* which the model calls otherwise */
        const int32_t ids[] = {500, 501, 504};
        char *said;
        size_t n;
        assert_int_equal(tok_decode(t, ids, 3, &said, &n, NULL), CHOIR_OK);
        assert_string_equal(said, "<user>the");
        free(said);
        struct tok_export e;
        assert_int_equal(tok_export(&e, t, NULL), CHOIR_OK);
        assert_int_equal(e.vocab.n_pieces, 505);
        assert_int_equal(e.types[501], TOK_USER_DEFINED);
        tok_export_free(&e);
        tok_close(t);
    }
}

/* As a GGUF file would hold them: the library then merges by pieces, which on words gives the same. */
static void test_export(void **state)
{
    static const char *const names[] = {"sp-llama", "sp-llama_new", "sp-gemma", "sp-t5"};
    static const char text[] = "of a naive in and Hello";
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tokenizer *t = open_golden(names[i], ".json"), *again;
        struct tok_export e;
        choir_error err = {0};
        int32_t *ids, *ids_again;
        size_t n, n_again;
        if (tok_export(&e, t, &err) != CHOIR_OK) {
            fail_msg("%s", err.msg);
        }
        e.vocab.file = "vocabulary";
        if (tok_open_vocab(&again, &e.vocab, -1, &err) != CHOIR_OK) {
            fail_msg("%s", err.msg);
        }
        tok_export_free(&e);
        assert_string_equal(tok_kind(again), tok_kind(t));
        assert_int_equal(tok_encode(t, text, sizeof text - 1, &ids, &n, NULL), CHOIR_OK);
        assert_int_equal(tok_encode(again, text, sizeof text - 1, &ids_again, &n_again, NULL), CHOIR_OK);
        assert_int_equal(n, n_again);
        assert_memory_equal(ids, ids_again, n * sizeof *ids);
        free(ids);
        free(ids_again);
        tok_close(again);
        tok_close(t);
    }
}

/* Tokens that the model has no rows for are left out. */
static void test_rows(void **state)
{
    struct tokenizer *t;
    choir_error err = {0};
    (void)state;
    assert_int_equal(tok_open_file(&t, FOLDER "added/tokenizer.model", 502, &err), CHOIR_OK);
    assert_int_equal(tok_n_pieces(t), 502);
    tok_close(t);
    assert_int_equal(tok_open_file(&t, FOLDER "added/tokenizer.model", 499, &err), CHOIR_FILE);
    assert_int_equal(tok_open_file(&t, FOLDER "sp-llama.json", 500, &err), CHOIR_OK);
    assert_int_equal(tok_n_pieces(t), 500);
    tok_close(t);
    assert_int_equal(tok_open_file(&t, FOLDER "sp-llama.json", 499, &err), CHOIR_FILE);
}

static void test_long(void **state)
{
    static const char *const names[] = {"sp-llama", "sp-gemma", "sp-t5"};
    static const char *const units[] = {"a", " ", "\n", ".", "\xe4\xb8\xad", "\xcc\xa3\xcc\x81", "http"};
    enum { BYTES = 1 << 20 };
    (void)state;
    char *text = malloc(BYTES + 8);
    for (size_t f = 0; f < sizeof names / sizeof names[0]; f++) {
        struct tokenizer *t = open_golden(names[f], ".json");
        for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
            size_t n = 0, unit = strlen(units[u]), n_ids;
            int32_t *ids;
            for (; n + unit <= BYTES; n += unit) {
                memcpy(text + n, units[u], unit);
            }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),   cmocka_unit_test(test_special), cmocka_unit_test(test_added),
        cmocka_unit_test(test_export), cmocka_unit_test(test_rows),    cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
