/* SentencePiece model files that are wrong: each is refused with its message, none reaches the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/random_text.h"
#include "tests/support/sp_bytes.h"
#include "tokenizer/tokenizer.h"

#define NAME "tokenizer.model"

/* Opens and closes b; the message must be `want` (NULL: it opens). */
static void check(struct sp_bytes b, int64_t rows, const char *want)
{
    struct tokenizer *t;
    choir_error err = {0};
    char *exact = malloc(b.n ? b.n : 1); /* so that ASan sees a byte too far */
    assert_non_null(exact);
    if (b.n > 0) {
        memcpy(exact, b.data, b.n);
    }
    choir_status s = tok_open_memory(&t, NAME, exact, b.n, rows, &err);
    free(exact);
    free(b.data);
    tok_close(t);
    if (want == NULL) {
        assert_int_equal(s, CHOIR_OK);
        return;
    }
    assert_int_equal(s, CHOIR_FILE);
    assert_int_equal(err.code, CHOIR_FILE);
    assert_null(t);
    assert_string_equal(err.msg, want);
}

static void check_bytes(const void *data, size_t n, const char *want)
{
    struct sp_bytes b = {0};
    sp_bytes_put(&b, data, n);
    check(b, -1, want);
}

static void p01_not_a_model(void **state)
{
    (void)state;
    check((struct sp_bytes){0}, -1, NAME ": empty file");
    check_bytes("hello\n", 6, NAME ": byte 0: not a SentencePiece model");
    struct random_text r = {.state = 1};
    char noise[1024];
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (char)random_next(&r);
    }
    check_bytes(noise, sizeof noise, NAME ": byte 0: not a SentencePiece model");
}

static void p02_long_number(void **state)
{
    (void)state;
    char b[] = "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    check_bytes(b, sizeof b - 1, NAME ": byte 1: number longer than 10 bytes");
    check_bytes("\x0a\x80\x80", 3, NAME ": byte 1: number cut off at the end");
}

static void p03_past_end(void **state)
{
    (void)state;
    check_bytes("\x0a\x29x", 3, NAME ": byte 0: field 1 ends 40 bytes past end of file");
    check_bytes("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12,
                NAME ": byte 0: field 1 ends 18446744073709551614 bytes past end of file");
    check_bytes("\x0a\x04\x0a\x03xx", 6, NAME ": byte 2: field 1 ends 1 bytes past end of file");
    check_bytes("\x0a\x03\x15\x01\x02", 5, NAME ": byte 2: number cut off at the end");
}

static void p04_bad_field(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x02\x01x",
                                      "\x06",
                                      "\x07",
                                      "\x0b\x0c",
                                      "\x0c",
                                      "\x08\x01",
                                      "\x15\x01\x02\x03\x04",
                                      "\xf8\xff\xff\xff\xff\x01\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sp_bytes b = {0};
        sp_bytes_put(&b, "\x0a\x03\x0a\x01x", 5);
        sp_bytes_put(&b, bad[i], strlen(bad[i]));
        check(b, -1, NAME ": byte 5: bad field");
    }
    struct sp_bytes groups = {0};
    sp_bytes_put(&groups, "\x0a\x03\x0a\x01x", 5);
    for (int i = 0; i < 100000; i++) {
        sp_bytes_put(&groups, "\x0b", 1);
    }
    check(groups, -1, NAME ": byte 5: bad field");
    check_bytes("\x0a\x02\x08\x01", 4, NAME ": byte 2: bad field"); /* the piece's text as a number */
}

static void p05_long_piece(void **state)
{
    (void)state;
    static const size_t lengths[] = {4096, 4097, 1 << 20};
    for (size_t i = 0; i < 3; i++) {
        struct sp_bytes b = sp_bytes_begin();
        char *text = malloc(lengths[i]);
        memset(text, 'x', lengths[i]);
        sp_bytes_piece(&b, text, lengths[i], -2.0f, TOK_NORMAL);
        free(text);
        check(b, -1, i == 0 ? NULL : NAME ": piece 6: longer than 4096 bytes");
    }
    char text[1025];
    memset(text, 'x', sizeof text);
    for (size_t n = 1024; n <= 1025; n++) {
        static const unsigned types[] = {TOK_USER_DEFINED, TOK_UNUSED, TOK_NORMAL};
        for (size_t i = 0; i < 3; i++) {
            struct sp_bytes b = sp_bytes_begin();
            sp_bytes_piece(&b, text, n, -2.0f, types[i]);
            sp_bytes_setting(&b, 2, 3, types[i] == TOK_NORMAL ? 1 : 2);
            check(b, -1, n == 1024 ? NULL : NAME ": piece 6: longer than 1024 bytes");
        }
    }
}

static void p06_nul_piece(void **state)
{
    (void)state;
    struct tokenizer *t;
    choir_error err = {0};
    struct sp_bytes b = sp_bytes_begin();
    sp_bytes_piece(&b, "\0", 1, -1.0f, TOK_NORMAL);
    sp_bytes_piece(&b, "a\0", 2, -1.0f, TOK_USER_DEFINED);
    sp_bytes_setting(&b, 3, 3, 0);
    assert_int_equal(tok_open_memory(&t, NAME, b.data, b.n, -1, &err), CHOIR_OK);
    int32_t *ids;
    size_t n;
    assert_int_equal(tok_encode(t, "b\0\0a\0a", 6, &ids, &n, &err), CHOIR_OK);
    static const int32_t want[] = {4, 6, 6, 7, 3};
    assert_int_equal(n, 5);
    assert_memory_equal(ids, want, sizeof want);
    char *text;
    assert_int_equal(tok_decode(t, ids, n, &text, &n, &err), CHOIR_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(text, "b\0\0a\0a", 6);
    free(text);
    free(ids);
    tok_close(t);
    sp_bytes_setting(&b, 2, 3, 1); /* unigram: the library cannot hold it, but the model opens and the id decodes */
    assert_int_equal(tok_open_memory(&t, NAME, b.data, b.n, -1, &err), CHOIR_OK);
    assert_int_equal(tok_decode(t, (int32_t[]){6, 7}, 2, &text, &n, &err), CHOIR_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(text, "\0a\0", 3);
    free(text);
    tok_close(t);
    free(b.data);
}

static void p07_to_p09_names(void **state)
{
    (void)state;
    struct sp_bytes b = sp_bytes_begin();
    sp_bytes_word(&b, "");
    check(b, -1, NAME ": piece 6: empty");
    b = sp_bytes_begin();
    sp_bytes_field(&b, 1, "", 0);
    check(b, -1, NAME ": piece 6: empty");
    b = sp_bytes_begin();
    sp_bytes_word(&b, "x");
    sp_bytes_word(&b, "ab");
    check(b, -1, NAME ": pieces 5 and 7 are both \"ab\"");
    b = sp_bytes_begin();
    sp_bytes_piece(&b, "ab", 2, 0.0f, TOK_USER_DEFINED);
    check(b, -1, NAME ": pieces 5 and 6 are both \"ab\"");
    b = sp_bytes_begin();
    sp_bytes_word(&b, "\xff\x1b");
    check(b, -1, NAME ": piece 6: not valid UTF-8");
    b = (struct sp_bytes){0};
    sp_bytes_word(&b, "a");
    check(b, -1, NAME ": no unknown piece");
    b = (struct sp_bytes){0};
    sp_bytes_piece(&b, "<unk>", 5, 0.0f, TOK_UNKNOWN);
    check(b, -1, NAME ": no piece that text could give");
    b = sp_bytes_begin();
    sp_bytes_piece(&b, "<u>", 3, 0.0f, TOK_UNKNOWN);
    check(b, -1, NAME ": pieces 0 and 6 are both the unknown piece");
}

static void put_byte_pieces(struct sp_bytes *b, int except)
{
    for (int i = 0; i < 256; i++) {
        char name[16];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)i);
        if (i != except) {
            sp_bytes_piece(b, name, 6, 0.0f, TOK_BYTE);
        }
    }
}

static void p10_p11_byte_pieces(void **state)
{
    (void)state;
    struct sp_bytes b = sp_bytes_begin();
    sp_bytes_setting(&b, 2, 35, 1);
    check(b, -1, NAME ": byte_fallback set, piece <0x00> missing");
    b = sp_bytes_begin();
    put_byte_pieces(&b, 0x7f);
    sp_bytes_setting(&b, 2, 35, 1);
    check(b, -1, NAME ": byte_fallback set, piece <0x7F> missing");
    b = sp_bytes_begin();
    put_byte_pieces(&b, -1);
    sp_bytes_setting(&b, 2, 35, 1);
    check(b, -1, NULL);
    b = sp_bytes_begin();
    put_byte_pieces(&b, -1);
    check(b, -1, NAME ": piece 6: a byte piece, but byte_fallback is not set");
    b = sp_bytes_begin();
    put_byte_pieces(&b, -1);
    sp_bytes_piece(&b, "<0x0A>", 6, 0.0f, TOK_BYTE);
    sp_bytes_setting(&b, 2, 35, 1);
    check(b, -1, NAME ": pieces 16 and 262 are both \"<0x0A>\"");
    static const char *const bad[] = {"<0x-1>", "<0xZZ>", "<0x100>", "<0x0a>", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char want[80];
        snprintf(want, sizeof want, NAME ": piece 6: bad byte piece \"%s\"", bad[i]);
        b = sp_bytes_begin();
        sp_bytes_piece(&b, bad[i], strlen(bad[i]), 0.0f, TOK_BYTE);
        sp_bytes_setting(&b, 2, 35, 1);
        check(b, -1, want);
    }
}

static void p12_scores(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f800001};
    for (size_t i = 0; i < 4; i++) {
        float f;
        memcpy(&f, &bad[i], 4);
        struct sp_bytes b = sp_bytes_begin();
        sp_bytes_piece(&b, "x", 1, f, TOK_NORMAL);
        check(b, -1, NAME ": piece 6: score is not finite");
    }
    struct sp_bytes b = sp_bytes_begin();
    sp_bytes_piece(&b, "x", 1, -3.4e38f, TOK_NORMAL);
    check(b, -1, NULL);
}

/* ---- precompiled_charsmap ---- */

static void check_map(const void *map, size_t n, const char *want)
{
    struct sp_bytes b = sp_bytes_begin();
    struct sp_bytes p = {0};
    sp_bytes_field(&p, 2, map, n);
    sp_bytes_field(&b, 3, p.data, p.n);
    free(p.data);
    check(b, -1, want);
}

static void check_units(const struct sp_charsmap *m, const char *want)
{
    check_map(m, sizeof *m, want);
}

static void p13_p15_p16_charsmap(void **state)
{
    (void)state;
    struct sp_charsmap m = sp_good_map();
    check_units(&m, NULL);
    check_map("", 0, NULL);
    check_map("x", 1, NAME ": precompiled_charsmap: 1 bytes, needs at least 4");
    check_map("xyz", 3, NAME ": precompiled_charsmap: 3 bytes, needs at least 4");
    check_map("\0\0\0\0", 4, NAME ": precompiled_charsmap: trie of 0 bytes in a blob of 4");
    m.trie_bytes = sizeof m - 3; /* within the blob, but not behind its own length */
    check_units(&m, NAME ": precompiled_charsmap: trie of 4105 bytes in a blob of 4108");
    m.trie_bytes = sizeof m + 400;
    check_units(&m, NAME ": precompiled_charsmap: trie of 4508 bytes in a blob of 4108");
    m.trie_bytes = 4095;
    check_units(&m, NAME ": precompiled_charsmap: trie of 4095 bytes in a blob of 4108");
    m = sp_good_map();
    check_map(&m, sizeof m - 8, NAME ": precompiled_charsmap: text not terminated");
    m.texts[7] = 'x';
    check_units(&m, NAME ": precompiled_charsmap: text not terminated");
    m = sp_good_map();
    m.texts[0] = '\xff';
    check_units(&m, NAME ": precompiled_charsmap: text is not valid UTF-8");
}

/* What one rule puts in: a space counts for the three bytes of its mark. */
static void long_rules(void **state)
{
    (void)state;
    enum { MOST = 1024 };
    const struct sp_charsmap m = sp_good_map();
    const size_t units = offsetof(struct sp_charsmap, texts);
    char *map = malloc(units + MOST + 2);
    assert_non_null(map);
    memcpy(map, &m, units);
    memset(map + units, 'b', MOST + 1);
    map[units + MOST] = '\0';
    check_map(map, units + MOST + 1, NULL);
    map[units + 7] = ' ';
    check_map(map, units + MOST + 1, NAME ": precompiled_charsmap: node 321 puts in more than 1024 bytes");
    map[units + 7] = map[units + MOST] = 'b';
    map[units + MOST + 1] = '\0';
    check_map(map, units + MOST + 2, NAME ": precompiled_charsmap: node 321 puts in more than 1024 bytes");
    free(map);
}

static void p14_charsmap_trie(void **state)
{
    (void)state;
    struct sp_charsmap m = sp_good_map();
    m.units[0] = sp_unit(0, 1024, 0, false);
    check_units(&m, NAME ": precompiled_charsmap: node 0 points outside");
    m.units[0] = 0xffffffff;
    check_units(&m, NAME ": precompiled_charsmap: node 0 points outside");
    m = sp_good_map();
    m.trie_bytes = 1020 * 4; /* the last block is not whole: base ^ c can be past its end */
    memset(m.units + 1020, 0, 16);
    check_units(&m, NAME ": precompiled_charsmap: node 578 points outside");
    m = sp_good_map();
    m.units[512 ^ 'B'] = sp_unit(512 ^ 'B', 4096, 'B', false);
    check_units(&m, NAME ": precompiled_charsmap: node 578 points outside");
    m = sp_good_map();
    m.units[768] = 0x80000008u;
    check_units(&m, NAME ": precompiled_charsmap: node 578 has its text outside");
    m = sp_good_map();
    m.units[512 ^ 'B'] = sp_unit(512 ^ 'B', 256, 'B', false);
    check_units(&m, NAME ": precompiled_charsmap: node 578 is part of a cycle");
    m = sp_good_map();
    m.units[256 ^ 'A'] = sp_unit(256 ^ 'A', 256, 'A', false);
    check_units(&m, NAME ": precompiled_charsmap: node 321 is part of a cycle");
    m = sp_good_map();
    m.units[300] = 0xffffffff; /* text cannot come here */
    check_units(&m, NULL);
    /* A chain of 32 rules, then of 33: A, AA, AAA, ... (each base is one further on in the last block). */
    m = sp_good_map();
    uint32_t at = 0;
    m.units[0] = sp_unit(0, 512, 0, false);
    m.units[256 ^ 'A'] = m.units[512 ^ 'B'] = SP_NO_UNIT;
    for (uint32_t i = 0; i < 33; i++) {
        uint32_t base = 512 + 2 * i;
        uint32_t next = 512 + 2 * (i + 1);
        at = base ^ 'A';
        m.units[at] = sp_unit(at, next, 'A', i < 32);
    }
    check_units(&m, NULL);
    m.units[at] |= 0x100;
    check_units(&m, NAME ": precompiled_charsmap: node 577 is on a path with more than 32 rules");
}

static void p17_p18_p20(void **state)
{
    (void)state;
    check(sp_bytes_begin(), 6, NULL);
    check(sp_bytes_begin(), 5, NAME ": 6 pieces, the model has 5 embedding rows");
    struct sp_bytes b = sp_bytes_begin();
    sp_bytes_piece(&b, "x", 1, 0.0f, 7);
    check(b, -1, NAME ": piece 6: type 7 not known");
    b = sp_bytes_begin();
    sp_bytes_piece(&b, "x", 1, 0.0f, 0);
    check(b, -1, NAME ": piece 6: type 0 not known");
    static const char *const types[] = {
        "type 0 not known", NULL, NULL, "type WORD not supported", "type CHAR not supported", "type 5 not known"};
    for (unsigned i = 0; i < 6; i++) {
        char want[80];
        snprintf(want, sizeof want, NAME ": model %s", types[i] ? types[i] : "");
        b = sp_bytes_begin();
        sp_bytes_setting(&b, 2, 3, i);
        check(b, -1, types[i] ? want : NULL);
    }
    b = sp_bytes_begin();
    for (int i = 0; i < (1 << 24) + 1; i++) {
        sp_bytes_put(&b, "\x0a\x04\x0a\x02xy", 6);
    }
    check(b, -1, NAME ": more than 16777216 pieces");
}

static void nested_user_pieces(void **state)
{
    (void)state;
    char text[65];
    memset(text, 'u', sizeof text);
    for (size_t most = 64; most <= 65; most++) {
        struct sp_bytes b = sp_bytes_begin();
        for (size_t n = 1; n <= most; n++) {
            sp_bytes_piece(&b, text, n, 0.0f, TOK_USER_DEFINED);
        }
        sp_bytes_piece(&b, "v", 1, 0.0f, TOK_USER_DEFINED);
        check(b, -1, most == 64 ? NULL : NAME ": piece 70: more than 64 user-defined pieces begin like it");
    }
}

static void other_refusals(void **state)
{
    (void)state;
    struct sp_bytes b = sp_bytes_begin();
    sp_bytes_field(&b, 5, "\x12\x01x", 3);
    check(b, -1, NAME ": denormalizer_spec: rules after decoding not supported");
    b = sp_bytes_begin();
    sp_bytes_field(&b, 2, "\xe2\x02\x01\xff", 4);
    check(b, -1, NAME ": unk_surface is not valid UTF-8");
    b = sp_bytes_begin(); /* unknown fields, and self-test data that the library would run at load, are skipped */
    sp_bytes_field(&b, 300, "x", 1);
    sp_bytes_field(&b, 4, "\x0a\x06\x0a\x01x\x12\x01y", 8);
    check(b, -1, NULL);
}

static void long_unk_surface(void **state)
{
    (void)state;
    char text[257];
    memset(text, 'x', sizeof text);
    for (size_t n = 256; n <= 257; n++) {
        struct sp_bytes b = sp_bytes_begin(), p = {0};
        sp_bytes_field(&p, 44, text, n);
        sp_bytes_field(&b, 2, p.data, p.n);
        free(p.data);
        check(b, -1, n == 256 ? NULL : NAME ": unk_surface longer than 256 bytes");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p01_not_a_model),      cmocka_unit_test(p02_long_number),
        cmocka_unit_test(p03_past_end),         cmocka_unit_test(p04_bad_field),
        cmocka_unit_test(p05_long_piece),       cmocka_unit_test(p06_nul_piece),
        cmocka_unit_test(p07_to_p09_names),     cmocka_unit_test(p10_p11_byte_pieces),
        cmocka_unit_test(p12_scores),           cmocka_unit_test(p14_charsmap_trie),
        cmocka_unit_test(long_rules),           cmocka_unit_test(long_unk_surface),
        cmocka_unit_test(p13_p15_p16_charsmap), cmocka_unit_test(p17_p18_p20),
        cmocka_unit_test(nested_user_pieces),   cmocka_unit_test(other_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
