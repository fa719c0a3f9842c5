/* Streaming: what the pushes give, put together, is what decoding all at once gives (and that is the library's, see
 * test_tokenizer.c); each push gives whole UTF-8 only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "tests/support/random_text.h"
#include "tests/support/tiny_vocab.h"

enum { FIRST_BYTE = 3, OUT_CAP = 4096, N_RUNS = 50000 };

static struct tokenizer *open_tiny(bool prefix, bool extra)
{
    struct tiny_vocab v;
    struct tokenizer *t;
    choir_error err = {0};
    tiny_vocab_init(&v, false, true);
    tiny_vocab_add(&v, "<user>", 6, 0.0f, TOK_USER_DEFINED);
    tiny_vocab_add(&v, "odd", 3, 0.0f, TOK_UNUSED);
    v.vocab.add_dummy_prefix = prefix;
    v.vocab.remove_extra_whitespaces = extra;
    assert_int_equal(tok_open_vocab(&t, &v.vocab, -1, &err), CHOIR_OK);
    return t;
}

static int32_t id_of(const struct tokenizer *t, const char *piece)
{
    for (int32_t i = tok_n_pieces(t); i-- > 0;) {
        size_t n;
        const char *p = tok_piece(t, i, &n);
        if (n == strlen(piece) && memcmp(p, piece, n) == 0) {
            return i;
        }
    }
    fail_msg("no piece %s", piece);
    return -1;
}

/* One push into a buffer with a guard behind it. */
static size_t push(struct tok_detok *d, int32_t id, char *dst)
{
    size_t bound = tok_detok_bound(d->t);
    char *room = malloc(bound);
    assert_non_null(room);
    size_t n = id < 0 ? tok_detok_flush(d, room) : tok_detok_push(d, id, room);
    assert_true(n <= bound);
    assert_int_equal(base_utf8_valid(room, n), n);
    memcpy(dst, room, n);
    free(room);
    return n;
}

/* The stream of ids, ended by the -1 of flush. */
static size_t stream(const struct tokenizer *t, bool at_start, const int32_t *ids, size_t n_ids, char *out)
{
    struct tok_detok d;
    size_t n = 0;
    tok_detok_init(&d, t, at_start);
    for (size_t i = 0; i < n_ids; i++) {
        struct tok_detok copy = d; /* plain data: a fork goes on as the original does */
        d = copy;
        n += push(&d, ids[i], out + n);
        assert_in_range(d.n_pending, 0, 3);
    }
    n += push(&d, -1, out + n);
    assert_int_equal(d.n_pending, 0);
    return n;
}

static void expect(const struct tokenizer *t, bool at_start, const int32_t *ids, size_t n_ids, const char *want)
{
    char out[OUT_CAP];
    size_t n = stream(t, at_start, ids, n_ids, out);
    out[n] = '\0';
    assert_string_equal(out, want);
}

static void random_ids(void **state)
{
    (void)state;
    struct random_text r = {.state = 11};
    for (int kind = 0; kind < 4; kind++) {
        struct tokenizer *t = open_tiny(kind & 1, kind & 2);
        for (int run = 0; run < N_RUNS / 4; run++) {
            int32_t ids[24];
            size_t n_ids = random_below(&r, 24);
            for (size_t i = 0; i < n_ids; i++) {
                uint32_t range = random_below(&r, 3) == 0 ? 3 : (uint32_t)tok_n_pieces(t);
                ids[i] = (int32_t)random_below(&r, range);
            }
            char out[OUT_CAP];
            size_t n = stream(t, true, ids, n_ids, out);
            char *text;
            size_t n_text;
            choir_error err = {0};
            assert_int_equal(tok_decode(t, ids, n_ids, &text, &n_text, &err), CHOIR_OK);
            assert_int_equal(n, n_text);
            assert_memory_equal(out, text, n);
            free(text);
        }
        tok_close(t);
    }
}

static bool has_space_mark(const char *text, size_t n)
{
    for (size_t i = 0; i + 3 <= n; i++) {
        if (memcmp(text + i, "\xe2\x96\x81", 3) == 0) {
            return true;
        }
    }
    return false;
}

static void random_texts(void **state)
{
    (void)state;
    struct random_text r = {.state = 12};
    struct tokenizer *t = open_tiny(true, false);
    for (int run = 0; run < N_RUNS / 2; run++) {
        char text[200], out[OUT_CAP];
        int32_t *ids;
        size_t n_ids, n = random_text_make(&r, text, sizeof text);
        choir_error err = {0};
        assert_int_equal(tok_encode(t, text, n, &ids, &n_ids, &err), CHOIR_OK);
        size_t n_out = stream(t, true, ids, n_ids, out);
        free(ids);
        if (has_space_mark(text, n)) {
            continue; /* U+2581 in the text comes back as a space */
        }
        assert_int_equal(n_out, n);
        assert_memory_equal(out, text, n);
    }
    tok_close(t);
}

static void bytes_over_pushes(void **state)
{
    (void)state;
    struct tokenizer *t = open_tiny(true, false);
    struct tok_detok d;
    char out[64];
    tok_detok_init(&d, t, true);
    assert_int_equal(push(&d, FIRST_BYTE + 0xf0, out), 0);
    assert_int_equal(push(&d, FIRST_BYTE + 0x9f, out), 0);
    assert_int_equal(push(&d, FIRST_BYTE + 0x98, out), 0);
    assert_int_equal(push(&d, FIRST_BYTE + 0x80, out), 4);
    assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(push(&d, FIRST_BYTE + 'A', out), 1);
    assert_int_equal(push(&d, FIRST_BYTE, out), 1); /* NUL */
    assert_int_equal(out[0], '\0');
    assert_int_equal(push(&d, tok_n_pieces(t), out), 0); /* no such id */
    tok_close(t);
}

#define FFFD "\xef\xbf\xbd"

static void invalid_bytes(void **state)
{
    (void)state;
    struct tokenizer *t = open_tiny(true, false);
    int32_t a = id_of(t, "a");
    enum { B = FIRST_BYTE };
    expect(t, true, (int32_t[]){B + 0x80, a}, 2, FFFD "a");
    expect(t, true, (int32_t[]){B + 0xc0, B + 0x80}, 2, FFFD FFFD);
    expect(t, true, (int32_t[]){B + 0xe4, B + 0xb8, a}, 3, FFFD FFFD "a");
    expect(t, true, (int32_t[]){B + 0xe4, B + 0xb8}, 2, FFFD FFFD);
    expect(t, true, (int32_t[]){B + 0xe4, B + 0xb8, TINY_EOS, B + 0xad}, 4, FFFD FFFD FFFD);
    expect(t, true, (int32_t[]){B + 0xf4, B + 0x90, B + 0x80, B + 0x80}, 4, FFFD FFFD FFFD FFFD);
    expect(t, true, (int32_t[]){B + 0xed, B + 0xa0, B + 0x80}, 3, FFFD FFFD FFFD);
    expect(t, true, (int32_t[]){B + 0xe4, B + 0xc3, B + 0xa9}, 3, FFFD "\xc3\xa9");
    expect(t, true, (int32_t[]){B + 0xf0, B + 0x9f, B + 0x98, B + 'x'}, 4, FFFD FFFD FFFD "x");
    tok_close(t);
}

static void first_space(void **state)
{
    (void)state;
    struct tokenizer *t = open_tiny(true, false);
    int32_t the = id_of(t, "\xe2\x96\x81the");
    int32_t mark = id_of(t, "\xe2\x96\x81");
    int32_t two = id_of(t, "\xe2\x96\x81\xe2\x96\x81");
    int32_t a = id_of(t, "a");
    expect(t, true, (int32_t[]){the, the}, 2, "the the");
    expect(t, false, (int32_t[]){the, the}, 2, " the the");
    expect(t, true, (int32_t[]){TINY_BOS, the}, 2, "the");
    expect(t, true, (int32_t[]){mark, the}, 2, " the"); /* one space is dropped, not two */
    expect(t, true, (int32_t[]){mark, TINY_BOS, the}, 3, " the");
    expect(t, true, (int32_t[]){two}, 1, " ");
    expect(t, true, (int32_t[]){a, the}, 2, "a the");
    expect(t, true, (int32_t[]){FIRST_BYTE + 'A', the}, 2, "A the");
    expect(t, true, (int32_t[]){FIRST_BYTE + 0xe4, the}, 2, FFFD " the");
    expect(t, true, (int32_t[]){TINY_UNK, the}, 2, " \xe2\x81\x87  the");
    tok_close(t);
    t = open_tiny(false, false);
    expect(t, true, (int32_t[]){the, the}, 2, " the the");
    tok_close(t);
    t = open_tiny(false, true);
    expect(t, true, (int32_t[]){mark, mark, the, the}, 4, "the the");
    expect(t, false, (int32_t[]){mark, the}, 2, "  the");
    tok_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_ids),    cmocka_unit_test(random_texts), cmocka_unit_test(bytes_over_pushes),
        cmocka_unit_test(invalid_bytes), cmocka_unit_test(first_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
