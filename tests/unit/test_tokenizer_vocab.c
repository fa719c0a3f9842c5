/* Vocabularies as GGUF files hold them, with what is odd in real ones; and that text never makes a special id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/tiny_vocab.h"

static struct tokenizer *open_vocab(const struct tiny_vocab *v)
{
    struct tokenizer *t;
    choir_error err = {0};
    if (tok_open_vocab(&t, &v->vocab, -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return t;
}

static void refused(const struct tiny_vocab *v, int64_t rows, const char *want)
{
    struct tokenizer *t;
    choir_error err = {0};
    assert_int_equal(tok_open_vocab(&t, &v->vocab, rows, &err), CHOIR_FILE);
    assert_null(t);
    assert_string_equal(err.msg, want);
}

static bool gives(const struct tokenizer *t, const char *text, int32_t id)
{
    int32_t *ids;
    size_t n;
    choir_error err = {0};
    bool found = false;
    assert_int_equal(tok_encode(t, text, strlen(text), &ids, &n, &err), CHOIR_OK);
    for (size_t i = 0; i < n; i++) {
        found |= ids[i] == id;
    }
    free(ids);
    return found;
}

static void decodes(const struct tokenizer *t, int32_t id, const char *want)
{
    char *text;
    size_t n;
    choir_error err = {0};
    assert_int_equal(tok_decode(t, &id, 1, &text, &n, &err), CHOIR_OK);
    assert_string_equal(text, want);
    free(text);
}

/* Every byte and character a text could try. */
static void makes_nothing_special(const struct tokenizer *t, const char *text)
{
    int32_t *ids;
    size_t n;
    choir_error err = {0};
    assert_int_equal(tok_encode(t, text, strlen(text), &ids, &n, &err), CHOIR_OK);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(tok_piece_type(t, ids[i]), TOK_CONTROL);
        assert_int_not_equal(tok_piece_type(t, ids[i]), TOK_UNKNOWN);
        assert_int_not_equal(tok_piece_type(t, ids[i]), TOK_BYTE);
    }
    free(ids);
}

static void special_spellings_are_text(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, true);
    tiny_vocab_add(&v, "<|im_end|>", 10, 0.0f, TOK_CONTROL);
    static const char *const texts[] = {"</s>", "<s>", "<unk>", "<0x0A>", "<|im_end|>", "a</s>b <s>"};
    for (int merges = 0; merges < 2; merges++) {
        if (merges) { /* the spellings of specials can be put together from pieces, and are pieces too */
            static const char *const parts[] = {"</", "s>",   "<0",   "x0",  "A>",     "<0x0", "<u",
                                                "nk", "<unk", "</s>", "<s>", "<0x0A>", "<unk>"};
            for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
                tiny_vocab_word(&v, parts[i]);
            }
        }
        struct tokenizer *t = open_vocab(&v);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            makes_nothing_special(t, texts[i]);
        }
        tok_close(t);
    }
}

static void one_character_specials(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, true);
    int32_t star = tiny_vocab_add(&v, "*", 1, 0.0f, TOK_CONTROL);
    int32_t end = tiny_vocab_add(&v, "\n", 1, 0.0f, TOK_NORMAL);
    v.vocab.eos_id = end;
    struct tokenizer *t = open_vocab(&v);
    assert_false(gives(t, "a*b", star));
    assert_true(gives(t, "a*b", 3 + '*'));
    assert_false(gives(t, "a\nb", end));
    assert_int_equal(tok_piece_type(t, end), TOK_CONTROL);
    assert_int_equal(tok_eos(t), end);
    tok_close(t);
}

/* A user-defined piece that ends the text is special all the same. */
static void eos_listed_as_user_defined(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, true);
    int32_t user = tiny_vocab_add(&v, "<|user|>", 8, 0.0f, TOK_USER_DEFINED);
    int32_t end = tiny_vocab_add(&v, "<|im_end|>", 10, 0.0f, TOK_USER_DEFINED);
    struct tokenizer *t = open_vocab(&v);
    assert_true(gives(t, "a<|user|>b<|im_end|>", user));
    assert_true(gives(t, "a<|user|>b<|im_end|>", end));
    tok_close(t);
    v.vocab.eos_id = end;
    t = open_vocab(&v);
    assert_true(gives(t, "a<|user|>b<|im_end|>", user));
    assert_false(gives(t, "a<|user|>b<|im_end|>", end));
    tok_close(t);
}

/* Runs of spaces and line ends as GGUF has them: written out.  The longest one that begins is taken. */
static void user_defined_spaces(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, false);
    int32_t three = tiny_vocab_add(&v, "   ", 3, -1000.0f, TOK_USER_DEFINED);
    int32_t five = tiny_vocab_add(&v, "     ", 5, -1000.0f, TOK_USER_DEFINED);
    int32_t lines = tiny_vocab_add(&v, "\n\n", 2, -1000.0f, TOK_USER_DEFINED);
    struct tokenizer *t = open_vocab(&v);
    assert_true(gives(t, "a   b", three));
    assert_true(gives(t, "a     b", five));
    assert_false(gives(t, "a     b", three));
    assert_true(gives(t, "a\n\nb", lines));
    decodes(t, five, "    "); /* the first space of a text is the one put in front */
    tok_close(t);
}

static void duplicates(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, true);
    int32_t unused_a = tiny_vocab_add(&v, "new", 3, 0.0f, TOK_UNUSED);
    int32_t unused_b = tiny_vocab_add(&v, "new", 3, 0.0f, TOK_UNUSED);
    int32_t control_a = tiny_vocab_add(&v, "[X]", 3, 0.0f, TOK_CONTROL);
    int32_t control_b = tiny_vocab_add(&v, "[X]", 3, 0.0f, TOK_CONTROL);
    int32_t hello = tiny_vocab_add(&v, "\xe2\x96\x81hello", 8, 0.0f, TOK_UNUSED);
    int32_t world = tiny_vocab_add(&v, "world", 5, 0.0f, TOK_CONTROL);
    struct tokenizer *t = open_vocab(&v);
    decodes(t, unused_a, "new");
    decodes(t, unused_b, "new");
    decodes(t, control_a, "");
    decodes(t, control_b, "");
    decodes(t, hello, "hello");
    assert_false(gives(t, "hello", hello)); /* the normal one of that name is found */
    assert_false(gives(t, "a hello world", world));
    size_t n;
    assert_memory_equal(tok_piece(t, unused_b, &n), "new", 3);
    tok_close(t);
    int32_t first = v.vocab.n_pieces;
    tiny_vocab_word(&v, "twice");
    tiny_vocab_word(&v, "twice");
    char want[80];
    snprintf(want, sizeof want, "tiny: tokens %d and %d are both \"twice\"", (int)first, (int)first + 1);
    refused(&v, -1, want);
}

static void unknown_pieces(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, true);
    v.types[TINY_UNK] = TOK_NORMAL;
    v.vocab.unk_id = -1; /* none at all: every character has its bytes */
    struct tokenizer *t = open_vocab(&v);
    assert_int_equal(tok_unk(t), -1);
    assert_true(gives(t, "\xe2\x9b\xba", 3 + 0xe2));
    size_t n;
    assert_non_null(tok_model_bytes(t, &n));
    tok_close(t);
    v.vocab.unk_id = 7; /* a byte piece cannot be it */
    t = open_vocab(&v);
    assert_int_equal(tok_unk(t), -1);
    tok_close(t);
    v.vocab.unk_id = TINY_UNK;
    t = open_vocab(&v);
    assert_int_equal(tok_unk(t), TINY_UNK);
    tok_close(t);
    v.types[TINY_UNK] = TOK_UNKNOWN; /* several */
    int32_t other = tiny_vocab_add(&v, "<unknown>", 9, 0.0f, TOK_UNKNOWN);
    t = open_vocab(&v);
    assert_int_equal(tok_unk(t), TINY_UNK);
    decodes(t, other, " \xe2\x81\x87 ");
    tok_close(t);
    v.vocab.unk_id = other;
    t = open_vocab(&v);
    assert_int_equal(tok_unk(t), other);
    tok_close(t);
    tiny_vocab_init(&v, false, false);
    v.types[TINY_UNK] = TOK_CONTROL;
    v.vocab.unk_id = -1;
    refused(&v, -1, "tiny: no unknown piece");
}

/* Without byte pieces a run of unknown characters is one unknown id. */
static void runs_of_unknown(void **state)
{
    (void)state;
    for (int unigram = 0; unigram < 2; unigram++) {
        struct tiny_vocab v;
        tiny_vocab_init(&v, unigram, false);
        v.vocab.add_dummy_prefix = false;
        struct tokenizer *t = open_vocab(&v);
        int32_t *ids;
        size_t n;
        choir_error err = {0};
        assert_int_equal(tok_encode(t, "\xe2\x9b\xba?a!\xff\xe2\x9b\xba!", 11, &ids, &n, &err), CHOIR_OK);
        assert_int_equal(n, 3);
        assert_int_equal(ids[0], TINY_UNK);
        assert_int_equal(ids[2], TINY_UNK);
        free(ids);
        int32_t byte = tiny_vocab_word(&v, "<0x21>"); /* a normal piece that looks like a byte is left alone */
        struct tokenizer *u = open_vocab(&v);
        assert_int_equal(tok_encode(u, "a!?", 3, &ids, &n, &err), CHOIR_OK);
        assert_int_equal(n, 2);
        assert_int_equal(ids[1], TINY_UNK);
        free(ids);
        assert_int_equal(gives(u, "<0x21>", byte), unigram); /* BPE has no way to put it together */
        tok_close(u);
        tok_close(t);
    }
}

static void refusals(void **state)
{
    (void)state;
    struct tiny_vocab v;
    tiny_vocab_init(&v, false, true);
    struct tokenizer *t;
    choir_error err = {0};
    assert_int_equal(tok_open_vocab(&t, &v.vocab, v.vocab.n_pieces, &err), CHOIR_OK);
    tok_close(t);
    refused(&v, 305, "tiny: 306 tokens, the model has 305 embedding rows");
    v.vocab.eos_id = 306;
    refused(&v, -1, "tiny: eos id 306, vocabulary has 306");
    v.vocab.eos_id = -2;
    refused(&v, -1, "tiny: eos id -2, vocabulary has 306");
    v.vocab.eos_id = -1;
    t = open_vocab(&v);
    assert_int_equal(tok_eos(t), -1);
    tok_close(t);
    v.types[300] = 9;
    refused(&v, -1, "tiny: token 300: type 9 not known");
    v.types[300] = TOK_NORMAL;
    v.pieces[300] = "\xe2\x96";
    v.bytes[300] = 2;
    refused(&v, -1, "tiny: token 300: not valid UTF-8");
    v.bytes[300] = 0;
    refused(&v, -1, "tiny: token 300: empty");
    v.pieces[300] = "Q";
    v.bytes[300] = 1;
    v.types[20] = TOK_NORMAL;
    refused(&v, -1, "tiny: byte_fallback set, token <0x11> missing");
    v.vocab.n_pieces = 0;
    refused(&v, -1, "tiny: 0 tokens (1 to 16777216 allowed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_spellings_are_text),
        cmocka_unit_test(one_character_specials),
        cmocka_unit_test(eos_listed_as_user_defined),
        cmocka_unit_test(user_defined_spaces),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(unknown_pieces),
        cmocka_unit_test(runs_of_unknown),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
