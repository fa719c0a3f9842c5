/* UTF-8 against an oracle that decodes: collect the bits, then ask whether the code point may be written that way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

/* ---- the oracle -------------------------------------------------------------------------------------- */

/* Length of the well-formed sequence that s[0..n) begins with; 0: none. */
static int oracle_sequence(const unsigned char *s, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        return 1;
    }
    int len = s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
    if (len == 0 || (size_t)len > n) {
        return 0;
    }
    uint32_t c = s[0] & (0x7fu >> len);
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    return c >= least[len] && c <= 0x10ffff && !surrogate ? len : 0;
}

/* The n (1 to 3) bytes could be made well-formed by bytes behind them: all of them are needed, none is over. */
static bool oracle_beginning(const unsigned char *s, size_t n)
{
    static const unsigned char more[] = {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf};
    for (size_t extra = 1; n + extra <= 4; extra++) {
        for (int k = 0; k < 6 * 6 * 6; k++) {
            unsigned char t[4];
            memcpy(t, s, n);
            int rest = k;
            for (size_t i = 0; i < extra; i++) {
                t[n + i] = more[rest % 6];
                rest /= 6;
            }
            if (oracle_sequence(t, n + extra) == (int)(n + extra)) {
                return true;
            }
        }
    }
    return false;
}

/* What base_utf8_sequence has to say. */
static int oracle_answer(const unsigned char *s, size_t n)
{
    int len = oracle_sequence(s, n);
    return len > 0 ? len : n == 0 || (n <= 3 && oracle_beginning(s, n)) ? -1 : 0;
}

/* Bytes of the part at s: a sequence, or the longest beginning of one (at least a byte) that leads nowhere. */
static size_t oracle_part(const unsigned char *s, size_t n, bool *whole)
{
    int len = oracle_sequence(s, n);
    *whole = len > 0;
    if (len > 0) {
        return (size_t)len;
    }
    for (size_t k = n < 3 ? n : 3; k > 1; k--) {
        if (oracle_beginning(s, k)) {
            return k;
        }
    }
    return 1;
}

static size_t oracle_repair(char *dst, const unsigned char *s, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        bool whole;
        size_t part = oracle_part(s + i, n - i, &whole);
        const void *from = whole ? (const void *)(s + i) : "\xef\xbf\xbd";
        size_t bytes = whole ? part : 3;
        memcpy(dst + used, from, bytes);
        used += bytes;
        i += part;
    }
    return used;
}

static size_t oracle_whole(const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        bool whole;
        size_t part = oracle_part(s + i, n - i, &whole);
        if (!whole && i + part == n && oracle_beginning(s + i, part)) {
            return i;
        }
        i += part;
    }
    return n;
}

/* ---- sequences --------------------------------------------------------------------------------------- */

static int sequence(const unsigned char *s, size_t n)
{
    return base_utf8_sequence((const char *)s, n);
}

/* Compared with != first: an assert for each of millions would take minutes. */
static void same_sequence(const unsigned char *s, size_t n)
{
    if (sequence(s, n) != oracle_answer(s, n)) {
        print_error("%zu bytes: %02x %02x %02x %02x\n", n, s[0], n > 1 ? s[1] : 0, n > 2 ? s[2] : 0, n > 3 ? s[3] : 0);
        assert_int_equal(sequence(s, n), oracle_answer(s, n));
    }
}

static void sequences_of_one_and_two_bytes(void **state)
{
    (void)state;
    assert_int_equal(base_utf8_sequence("", 0), -1);
    for (int a = 0; a < 256; a++) {
        const unsigned char one[] = {(unsigned char)a};
        same_sequence(one, 1);
        for (int b = 0; b < 256; b++) {
            const unsigned char two[] = {(unsigned char)a, (unsigned char)b};
            same_sequence(two, 2);
        }
    }
}

/* Every byte at which a row of table 3-7 begins or ends, and its neighbours. */
static const unsigned char borders[] = {0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xa1, 0xbe, 0xbf,
                                        0xc0, 0xc1, 0xc2, 0xc3, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
                                        0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfc, 0xfe, 0xff};
enum { N_BORDERS = sizeof borders };

static void sequences_of_three_and_four_bytes(void **state)
{
    (void)state;
    for (int a = 0; a < N_BORDERS; a++) {
        for (int b = 0; b < N_BORDERS; b++) {
            for (int c = 0; c < N_BORDERS; c++) {
                unsigned char s[] = {borders[a], borders[b], borders[c], 0};
                same_sequence(s, 3);
                for (int d = 0; d < N_BORDERS; d += b < 3 ? 7 : 1) {
                    s[3] = borders[d];
                    if (sequence(s, 4) != oracle_sequence(s, 4)) { /* four bytes are never a mere beginning */
                        same_sequence(s, 4);
                    }
                }
            }
        }
    }
}

/* Every code point, and what lies behind it does not matter. */
static void code_points_go_round(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char s[5] = {0};
        int len = base_utf8_encode(s, c);
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        s[len] = (char)0x80;
        int want = surrogate ? 0 : len;
        if (base_utf8_sequence(s, 5 < len + 1 ? 5 : (size_t)len + 1) != want ||
            base_utf8_valid(s, (size_t)len) != (size_t)want) {
            print_error("U+%04X\n", c);
            assert_int_equal(base_utf8_sequence(s, (size_t)len + 1), want);
            assert_int_equal(base_utf8_valid(s, (size_t)len), want);
        }
        for (int cut = 1; cut < len && !surrogate; cut++) {
            if (base_utf8_sequence(s, (size_t)cut) != -1) {
                print_error("U+%04X cut to %d\n", c, cut);
                fail();
            }
        }
    }
    char s[4];
    assert_int_equal(base_utf8_encode(s, 0x7f), 1);
    assert_int_equal(base_utf8_encode(s, 0x80), 2);
    assert_memory_equal(s, "\xc2\x80", 2);
    assert_int_equal(base_utf8_encode(s, 0x20ac), 3);
    assert_memory_equal(s, "\xe2\x82\xac", 3);
    assert_int_equal(base_utf8_encode(s, 0x1f600), 4);
    assert_memory_equal(s, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(base_utf8_encode(s, 0x10ffff), 4);
    assert_memory_equal(s, "\xf4\x8f\xbf\xbf", 4);
}

static void valid_prefix(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t n, want;
    } cases[] = {
        {"", 0, 0},
        {"plain", 5, 5},
        {"a\0b", 3, 3},          /* NUL is a character */
        {"\xef\xbb\xbfx", 4, 4}, /* so is a byte order mark */
        {"ab\xff"
         "cd",
         5, 2},
        {"ab\xe2\x82", 4, 2}, /* cut off */
        {"\xe2\x82\xac\xe2\x82\xac", 6, 6},
        {"\xe2\x82\xac\x80", 4, 3}, /* a continuation on its own */
        {"\xc0\x80", 2, 0},         /* overlong NUL */
        {"\xed\xa0\x80", 3, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
        {"\xef\xbf\xbf\xf4\x8f\xbf\xbf", 7, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(base_utf8_valid(cases[i].text, cases[i].n), cases[i].want);
    }
}

/* ---- streams and repair ------------------------------------------------------------------------------ */

static void repaired(const char *text, size_t n, const char *want)
{
    char got[64];
    size_t bytes = base_utf8_repair(got, sizeof got, text, n);
    assert_int_equal(bytes, strlen(want));
    assert_memory_equal(got, want, bytes);
    assert_int_equal(base_utf8_repair(NULL, 0, text, n), bytes);
}

#define FFFD "\xef\xbf\xbd"

/* The worked examples of the Unicode standard, section 3.9, tables 3-8 to 3-11. */
static void repair_as_unicode_shows_it(void **state)
{
    (void)state;
    repaired("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9, FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
    repaired("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9, FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
    repaired("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9, FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B");
    repaired("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9, FFFD FFFD FFFD FFFD "A");
    repaired("a\xf1\x80\x80\xe1\x80\xc2"
             "b\x80"
             "c\x80\xbf"
             "d",
             13, "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d");
    repaired("", 0, "");
    repaired("whole: \xe2\x82\xac", 10, "whole: \xe2\x82\xac");
    repaired("\xe2\x82", 2, FFFD); /* cut at the end */
}

static uint32_t rnd(uint64_t *state, uint32_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 33) % n);
}

/* Bytes that make long sequences, cut ones and wrong ones about equally often. */
static size_t random_bytes(unsigned char *s, size_t cap, uint64_t *rng)
{
    size_t n = rnd(rng, (uint32_t)cap + 1);
    for (size_t i = 0; i < n; i++) {
        uint32_t what = rnd(rng, 4);
        s[i] = what == 0 ? borders[rnd(rng, N_BORDERS)]
                         : (unsigned char)(what == 1 ? 0xc2 + rnd(rng, 0x33) : 0x80 + rnd(rng, 0x40));
    }
    return n;
}

static void repair_random_bytes(void **state)
{
    (void)state;
    uint64_t rng = 0xABCDEF;
    for (int round = 0; round < 3000; round++) {
        unsigned char s[24];
        char want[72];
        char got[72];
        size_t n = random_bytes(s, sizeof s, &rng);
        size_t bytes = oracle_repair(want, s, n);
        assert_int_equal(base_utf8_repair(got, sizeof got, (const char *)s, n), bytes);
        assert_memory_equal(got, want, bytes);
        assert_int_equal(base_utf8_valid(got, bytes), bytes);
        /* never beyond cap, whatever is cut off is cut off whole */
        size_t cap = rnd(&rng, 72);
        memset(got, '#', sizeof got);
        assert_int_equal(base_utf8_repair(got, cap, (const char *)s, n), bytes);
        for (size_t i = cap; i < sizeof got; i++) {
            assert_int_equal(got[i], '#');
        }
    }
}

static void whole_random_bytes(void **state)
{
    (void)state;
    uint64_t rng = 0x777;
    for (int round = 0; round < 5000; round++) {
        unsigned char s[12];
        size_t n = random_bytes(s, sizeof s, &rng);
        assert_int_equal(base_utf8_whole((const char *)s, n), oracle_whole(s, n));
    }
}

/* Text given in pieces at any place comes out whole: what waits is at most three bytes and always completed. */
static void whole_pieces_of_text(void **state)
{
    (void)state;
    const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\xf0\x9f\x98\x80";
    for (size_t cut = 0; cut < sizeof text; cut++) {
        size_t now = base_utf8_whole(text, cut);
        assert_true(now <= cut && cut - now <= 3);
        assert_int_equal(base_utf8_valid(text, now), now);
        assert_int_equal(base_utf8_valid(text + now, sizeof text - now), sizeof text - now);
    }
    assert_int_equal(base_utf8_whole("", 0), 0);
    assert_int_equal(base_utf8_whole("\xff", 1), 1); /* will never be better */
    assert_int_equal(base_utf8_whole("\x80\x80\x80\x80", 4), 4);
    assert_int_equal(base_utf8_whole("\xe0\x80", 2), 2);
    assert_int_equal(base_utf8_whole("\xe0\xa0", 2), 0);
    assert_int_equal(base_utf8_whole("x\xf4\x8f\xbf", 4), 1);
    assert_int_equal(base_utf8_whole("x\xf4\x90\xbf", 4), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_of_one_and_two_bytes),
        cmocka_unit_test(sequences_of_three_and_four_bytes),
        cmocka_unit_test(code_points_go_round),
        cmocka_unit_test(valid_prefix),
        cmocka_unit_test(repair_as_unicode_shows_it),
        cmocka_unit_test(repair_random_bytes),
        cmocka_unit_test(whole_random_bytes),
        cmocka_unit_test(whole_pieces_of_text),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
