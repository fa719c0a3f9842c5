/* Our tokenizer against the SentencePiece library itself, on real models (when the test data is there) and small ones
 * made here: the same ids for random text, the same text for the ids, and again after the model went through a
 * vocabulary as GGUF files hold it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/support/random_text.h"
#include "tests/support/sp_direct.h"
#include "tests/support/tiny_vocab.h"
#include "tokenizer/sentencepiece/parse.h"

#ifdef __SANITIZE_ADDRESS__
enum { N_STRINGS = 20000 };
#else
enum { N_STRINGS = 100000 };
#endif
enum { TEXT_CAP = 160 };

struct stage {
    struct sp_direct *direct;
    struct tokenizer *file;
    struct tokenizer *vocab; /* the same model through tok_open_vocab, or NULL */
};

static bool testdata_path(char *dst, size_t cap, const char *name)
{
    const char *dir = getenv("CHOIR_TESTDATA");
    snprintf(dst, cap, "%s/%s", dir ? dir : "../shared/testdata", name);
    FILE *f = fopen(dst, "rb");
    if (f) {
        fclose(f);
    }
    return f != NULL;
}

/* Opens a tokenizer from the pieces of a model, as a GGUF reader would. */
static struct tokenizer *through_vocab(const char *path)
{
    choir_error err = {0};
    char *data;
    size_t n;
    struct sp_model m;
    assert_int_equal(base_file_slurp(path, 1 << 30, &data, &n, &err), CHOIR_OK);
    assert_int_equal(sp_parse(&m, path, data, n, &err), CHOIR_OK);
    size_t count = (size_t)m.n_pieces;
    const char **pieces = calloc(count, sizeof *pieces);
    size_t *bytes = calloc(count, sizeof *bytes);
    float *scores = calloc(count, sizeof *scores);
    int32_t *types = calloc(count, sizeof *types);
    for (size_t i = 0; i < count; i++) {
        pieces[i] = m.pieces[i].text.s;
        bytes[i] = m.pieces[i].text.n;
        scores[i] = m.pieces[i].score;
        types[i] = m.pieces[i].type;
    }
    struct tok_vocab v = {
        .file = "vocabulary",
        .n_pieces = m.n_pieces,
        .pieces = pieces,
        .piece_bytes = bytes,
        .scores = scores,
        .types = types,
        .bos_id = m.bos_id,
        .eos_id = m.eos_id,
        .unk_id = -1,
        .add_dummy_prefix = m.add_dummy_prefix,
        .remove_extra_whitespaces = m.remove_extra_whitespaces,
        .unigram = m.unigram,
        .charsmap = m.charsmap.s,
        .charsmap_bytes = m.charsmap.n,
    };
    struct tokenizer *t = NULL;
    if (tok_open_vocab(&t, &v, -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    free(pieces);
    free(bytes);
    free(scores);
    free(types);
    sp_model_clear(&m);
    free(data);
    return t;
}

static void check_encode(const struct tokenizer *t, const char *text, size_t n, const int32_t *want, size_t n_want)
{
    choir_error err = {0};
    int32_t *ids;
    size_t n_ids;
    assert_int_equal(tok_encode(t, text, n, &ids, &n_ids, &err), CHOIR_OK);
    if (n_ids != n_want || memcmp(ids, want, n_ids * sizeof *ids) != 0) {
        fail_msg("ids differ for \"%.*s\" (%zu bytes): %zu, library %zu", (int)n, text, n, n_ids, n_want);
    }
    free(ids);
}

static void check_decode(const struct stage *s, const int32_t *ids, size_t n_ids)
{
    choir_error err = {0};
    size_t n, n_want;
    char *text;
    const char *want = sp_direct_decode(s->direct, ids, n_ids, &n_want);
    assert_int_equal(tok_decode(s->file, ids, n_ids, &text, &n, &err), CHOIR_OK);
    if (n != n_want || memcmp(text, want, n) != 0) {
        fail_msg("texts differ: \"%.*s\", library \"%.*s\"", (int)n, text, (int)n_want, want);
    }
    assert_int_equal(text[n], '\0');
    free(text);
}

/* Ids in no order that text gives; half of them special and byte pieces, which mostly come first. */
static void check_any_ids(const struct stage *s, struct random_text *r)
{
    int32_t any[12];
    size_t n = random_below(r, 12);
    uint32_t n_pieces = (uint32_t)tok_n_pieces(s->file);
    for (size_t i = 0; i < n; i++) {
        any[i] = (int32_t)random_below(r, random_below(r, 2) && n_pieces > 300 ? 300 : n_pieces);
    }
    check_decode(s, any, n);
}

static void compare(const struct stage *s, int n_strings)
{
    struct random_text r = {.state = 7};
    char text[TEXT_CAP];
    for (int i = 0; i < n_strings; i++) {
        size_t n = random_text_make(&r, text, sizeof text);
        size_t n_ids;
        const int32_t *ids = sp_direct_encode(s->direct, text, n, &n_ids);
        assert_non_null(ids);
        check_encode(s->file, text, n, ids, n_ids);
        if (i % 4 == 0) {
            check_encode(s->vocab, text, n, ids, n_ids);
            check_decode(s, ids, n_ids);
            check_any_ids(s, &r);
        }
    }
}

/* What spells a special piece is text like any other (where there are no byte pieces, "|" may be unknown). */
static void check_special_spellings(const struct tokenizer *t)
{
    static const char text[] = "</s><s> <unk><|im_end|><0x0A> </s>";
    int32_t *ids;
    size_t n;
    choir_error err = {0};
    assert_int_equal(tok_encode(t, text, sizeof text - 1, &ids, &n, &err), CHOIR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(tok_piece_type(t, ids[i]), TOK_CONTROL);
        assert_int_not_equal(ids[i], tok_bos(t));
        assert_int_not_equal(ids[i], tok_eos(t));
        size_t len;
        const char *piece = tok_piece(t, ids[i], &len);
        assert_false(len == 6 && memcmp(piece, "<0x0A>", 6) == 0);
    }
    free(ids);
}

static void compare_file(const char *name)
{
    char path[512];
    choir_error err = {0};
    if (!testdata_path(path, sizeof path, name)) {
        print_message("%s is not there\n", path);
        skip();
    }
    struct stage s = {.direct = sp_direct_open(path), .vocab = through_vocab(path)};
    assert_non_null(s.direct);
    assert_int_equal(tok_open_file(&s.file, path, -1, &err), CHOIR_OK);
    assert_int_equal(tok_n_pieces(s.file), sp_direct_n_pieces(s.direct));
    assert_int_equal(tok_bos(s.file), sp_direct_bos(s.direct));
    assert_int_equal(tok_eos(s.file), sp_direct_eos(s.direct));
    assert_int_equal(tok_unk(s.file), sp_direct_unk(s.direct));
    assert_int_equal(tok_bos(s.vocab), tok_bos(s.file));
    assert_int_equal(tok_unk(s.vocab), tok_unk(s.file));
    check_special_spellings(s.file);
    check_special_spellings(s.vocab);
    compare(&s, N_STRINGS);
    tok_close(s.file);
    tok_close(s.vocab);
    sp_direct_close(s.direct);
}

static void tok512(void **state)
{
    (void)state;
    compare_file("stories260K/tok512.model");
}

static void open_llama(void **state)
{
    (void)state;
    compare_file("tokenizers/open_llama_3b_tokenizer.model");
}

static void unigram_english(void **state)
{
    (void)state;
    compare_file("tokenizers/sp_test_model_unigram.model");
}

static void unigram_japanese(void **state)
{
    (void)state;
    compare_file("tokenizers/sp_test_ja_model.model");
}

/* A model that sp_build wrote is one the library reads, with the same ids; and so are its bytes opened again. */
static void tiny(bool unigram, bool with_bytes, bool extra)
{
    struct tiny_vocab v;
    choir_error err = {0};
    tiny_vocab_init(&v, unigram, with_bytes);
    v.vocab.remove_extra_whitespaces = extra;
    tiny_vocab_add(&v, "<user>", 6, 0.0f, TOK_USER_DEFINED);
    tiny_vocab_add(&v, "world.", 6, -3.0f, TOK_UNUSED);
    struct stage s = {0};
    assert_int_equal(tok_open_vocab(&s.vocab, &v.vocab, 512, &err), CHOIR_OK);
    assert_string_equal(tok_kind(s.vocab), unigram ? "sentencepiece unigram" : "sentencepiece bpe");
    size_t n;
    const void *model = tok_model_bytes(s.vocab, &n);
    s.direct = sp_direct_open_memory(model, n);
    assert_non_null(s.direct);
    assert_int_equal(sp_direct_n_pieces(s.direct), v.vocab.n_pieces);
    assert_int_equal(sp_direct_unk(s.direct), TINY_UNK);
    assert_int_equal(sp_direct_bos(s.direct), TINY_BOS);
    assert_int_equal(sp_direct_eos(s.direct), TINY_EOS);
    assert_int_equal(tok_open_memory(&s.file, "tiny.model", model, n, -1, &err), CHOIR_OK);
    compare(&s, N_STRINGS / 20);
    tok_close(s.file);
    tok_close(s.vocab);
    sp_direct_close(s.direct);
}

static void tiny_models(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        tiny(i & 1, i & 2, i & 4);
    }
}

static void empty_and_limits(void **state)
{
    (void)state;
    struct tiny_vocab v;
    struct tokenizer *t;
    choir_error err = {0};
    int32_t *ids;
    size_t n;
    tiny_vocab_init(&v, false, true);
    assert_int_equal(tok_open_vocab(&t, &v.vocab, -1, &err), CHOIR_OK);
    assert_int_equal(tok_encode(t, "", 0, &ids, &n, &err), CHOIR_OK);
    assert_int_equal(n, 0);
    free(ids);
    assert_int_equal(tok_encode(t, "x", (size_t)1 << 31, &ids, &n, &err), CHOIR_PROMPT);
    assert_null(ids);
    char *text;
    int32_t wrong[] = {5, v.vocab.n_pieces};
    assert_int_equal(tok_decode(t, wrong, 2, &text, &n, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "id 306, vocabulary has 306");
    assert_null(text);
    assert_int_equal(tok_decode(t, NULL, 0, &text, &n, &err), CHOIR_OK);
    assert_int_equal(n, 0);
    free(text);
    assert_null(tok_piece(t, -1, &n));
    assert_null(tok_piece(t, v.vocab.n_pieces, &n));
    assert_memory_equal(tok_piece(t, 2, &n), "</s>", 4);
    assert_int_equal(n, 4);
    assert_int_equal(tok_piece_type(t, 3), TOK_BYTE);
    tok_close(t);
    tok_close(NULL);
}

/* Long runs, where a quadratic step would show: unknown characters, merges, spaces. */
static void long_runs(void **state)
{
    (void)state;
    static const char *const units[] = {"A", " ", "\n", "\xc3\xa9", "\xe4\xb8\xad", "\xe2\x80\x8d", "\xe2\x9b\xba"};
    for (int kind = 0; kind < 4; kind++) {
        struct tiny_vocab v;
        struct tokenizer *t;
        choir_error err = {0};
        tiny_vocab_init(&v, kind & 1, kind & 2);
        assert_int_equal(tok_open_vocab(&t, &v.vocab, -1, &err), CHOIR_OK);
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            size_t len = strlen(units[u]);
            size_t n = 100000 * len;
            char *text = malloc(n);
            for (size_t i = 0; i < n; i++) {
                text[i] = units[u][i % len];
            }
            int32_t *ids;
            size_t n_ids;
            assert_int_equal(tok_encode(t, text, n, &ids, &n_ids, &err), CHOIR_OK);
            assert_true(n_ids > 0);
            free(ids);
            free(text);
        }
        tok_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tok512),           cmocka_unit_test(open_llama),  cmocka_unit_test(unigram_english),
        cmocka_unit_test(unigram_japanese), cmocka_unit_test(tiny_models), cmocka_unit_test(empty_and_limits),
        cmocka_unit_test(long_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
