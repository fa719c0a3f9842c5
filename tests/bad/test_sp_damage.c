/* A good SentencePiece model cut at every byte and with every bit flipped: refused or usable, never a crash (run it under
 * ASan). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/random_text.h"
#include "tests/support/sp_bytes.h"
#include "tests/support/tiny_vocab.h"

#define NAME "tokenizer.model"

static void try_model(const char *data, size_t n)
{
    static const char text[] = "hello  world <user> AB\n\0\xc3\xa9\xe4\xb8\xad</s> wo";
    struct tokenizer *t;
    choir_error err = {0};
    choir_status s = tok_open_memory(&t, NAME, data, n, -1, &err);
    if (s != CHOIR_OK) {
        assert_int_equal(s, CHOIR_FILE);
        assert_true(strncmp(err.msg, NAME ": ", strlen(NAME ": ")) == 0);
        assert_null(strstr(err.msg, "SentencePiece:")); /* never the library's own words */
        return;
    }
    int32_t *ids;
    size_t n_ids, n_text;
    char *back;
    assert_int_equal(tok_encode(t, text, sizeof text - 1, &ids, &n_ids, &err), CHOIR_OK);
    for (size_t i = 0; i < n_ids; i++) {
        assert_in_range(ids[i], 0, tok_n_pieces(t) - 1);
        assert_int_not_equal(tok_piece_type(t, ids[i]), TOK_CONTROL);
    }
    assert_int_equal(tok_decode(t, ids, n_ids, &back, &n_text, &err), CHOIR_OK);
    free(back);
    free(ids);
    tok_close(t);
}

/* A small model with all there is; its map is the good one above. */
static void *make_model(bool unigram, bool with_bytes, size_t *n)
{
    struct tiny_vocab v;
    struct tokenizer *t;
    choir_error err = {0};
    struct sp_charsmap map = sp_good_map();
    tiny_vocab_init(&v, unigram, with_bytes);
    tiny_vocab_add(&v, "<user>", 6, 0.0f, TOK_USER_DEFINED);
    tiny_vocab_add(&v, "hello world", 11, 0.0f, TOK_UNUSED);
    v.vocab.charsmap = (const char *)&map;
    v.vocab.charsmap_bytes = sizeof map;
    assert_int_equal(tok_open_vocab(&t, &v.vocab, -1, &err), CHOIR_OK);
    const void *model = tok_model_bytes(t, n);
    void *copy = malloc(*n);
    memcpy(copy, model, *n);
    tok_close(t);
    return copy;
}

static void cut_everywhere(void **state)
{
    (void)state;
    size_t n;
    char *model = make_model(false, false, &n);
    for (size_t cut = 0; cut <= n; cut++) {
        char *part = malloc(cut ? cut : 1);
        memcpy(part, model, cut);
        try_model(part, cut);
        free(part);
    }
    free(model);
}

static void flip_every_bit(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        size_t n;
        struct random_text r = {.state = 3};
        char *model = make_model(kind == 1, kind == 1, &n);
        size_t first = 8 * 2048;
        for (size_t i = 0; i < first + 4096; i++) {
            size_t bit = i < first ? i : random_below(&r, (uint32_t)(8 * n));
            model[bit / 8] ^= (char)(1 << bit % 8);
            try_model(model, n);
            model[bit / 8] ^= (char)(1 << bit % 8);
        }
        free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_everywhere),
        cmocka_unit_test(flip_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
