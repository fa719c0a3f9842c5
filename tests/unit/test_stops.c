/* Stop strings over pieces of text, against searching the whole text at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/stops.h"

/* Where the text ends: at the first place where a stop string is complete, cut before the earliest one that is. */
static size_t naive_end(const char *text, size_t n, const char *const *stops, size_t n_stops)
{
    for (size_t end = 1; end <= n; end++) {
        for (size_t at = 0; at < end; at++) {
            for (size_t i = 0; i < n_stops; i++) {
                size_t len = strlen(stops[i]);
                if (len > 0 && at + len <= end && memcmp(text + at, stops[i], len) == 0) {
                    return at;
                }
            }
        }
    }
    return n;
}

static void check(const char *text, const char *const *stops, size_t n_stops, unsigned seed, size_t longest)
{
    struct eng_stops s;
    char shown[256];
    size_t n_shown = 0, n = strlen(text), at = 0;
    bool stopped = false;
    assert_int_equal(eng_stops_open(&s, stops, NULL, n_stops, longest, NULL), CHOIR_OK);
    while (at < n && !stopped) {
        seed = seed * 1664525u + 1013904223u;
        size_t piece = seed >> 16 & 3;
        piece = piece > longest ? longest : piece;
        piece = piece > n - at ? n - at : piece;
        size_t show;
        stopped = eng_stops_push(&s, text + at, piece, &show);
        memcpy(shown + n_shown, s.held, show);
        n_shown += show;
        eng_stops_shown(&s, show);
        at += piece;
    }
    if (!stopped) {
        memcpy(shown + n_shown, s.held, s.n_held);
        n_shown += s.n_held;
    }
    eng_stops_close(&s);
    size_t want = naive_end(text, n, stops, n_stops);
    assert_int_equal(n_shown, want);
    assert_memory_equal(shown, text, want);
    assert_int_equal(stopped, want < n);
}

static void test_by_hand(void **state)
{
    (void)state;
    const char *const stops[] = {"END", "\n\n", ""};
    check("a story END more", stops, 3, 1, 3);
    check("line\n\nnext", stops, 3, 2, 3);
    check("EN EENDX", stops, 3, 3, 3);
    check("no stop, but E", stops, 3, 4, 3);
    check("END", stops, 3, 5, 3);
    const char *const nested[] = {"abcd", "bc"};
    check("xxabcd", nested, 2, 6, 3);
    check("xxabd", nested, 2, 7, 3);
}

/* Random texts over two letters, where beginnings of stop strings are everywhere. */
static void test_random(void **state)
{
    (void)state;
    unsigned seed = 12345;
    for (int round = 0; round < 20000; round++) {
        char text[48], a[8], b[8];
        char *const parts[] = {text, a, b};
        const size_t most[] = {40, 5, 4};
        for (int p = 0; p < 3; p++) {
            seed = seed * 1664525u + 1013904223u;
            size_t len = 1 + (seed >> 16) % most[p];
            for (size_t i = 0; i < len; i++) {
                seed = seed * 1664525u + 1013904223u;
                parts[p][i] = (char)('a' + (seed >> 20 & 1));
            }
            parts[p][len] = '\0';
        }
        const char *const stops[] = {a, b};
        check(text, stops, 2, seed, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
