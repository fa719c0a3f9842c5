/* Messages: filled where the fault is seen, cut where it does no harm, printable whatever was put in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

static void statuses_have_names_and_exit_codes(void **state)
{
    (void)state;
    const struct {
        choir_status status;
        int value;
        const char *name;
    } all[] = {
        {CHOIR_OK, 0, "OK"},         {CHOIR_INTERNAL, 1, "INTERNAL"},
        {CHOIR_USAGE, 2, "USAGE"},   {CHOIR_FILE, 3, "FILE"},
        {CHOIR_IO, 4, "IO"},         {CHOIR_RESOURCE, 5, "RESOURCE"},
        {CHOIR_PROMPT, 6, "PROMPT"}, {CHOIR_CANCELLED, 7, "CANCELLED"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(all[i].status, all[i].value); /* pinned: exit codes */
        assert_string_equal(choir_status_name(all[i].status), all[i].name);
        const char *text = choir_status_text(all[i].status);
        assert_true(strlen(text) > 3 && text[0] >= 'a' && text[0] <= 'z' && text[strlen(text) - 1] != '.');
    }
    assert_string_equal(choir_status_name((choir_status)8), "?");
    assert_string_equal(choir_status_text((choir_status)99), "?");
}

static void fail_fills_the_record(void **state)
{
    (void)state;
    choir_error err = {.offset = 77};
    memset(err.msg, 'x', sizeof err.msg);
    assert_int_equal(base_fail(&err, CHOIR_FILE, "%s: tensor %d", "m.gguf", 3), CHOIR_FILE);
    assert_int_equal(err.code, CHOIR_FILE);
    assert_int_equal(err.offset, 0);
    assert_string_equal(err.msg, "m.gguf: tensor 3");
    assert_int_equal(base_fail(NULL, CHOIR_IO, "%s", "nobody listens"), CHOIR_IO);
    assert_int_equal(base_fail_memory(&err, 4096, "the KV cache"), CHOIR_RESOURCE);
    assert_int_equal(err.code, CHOIR_RESOURCE);
    assert_string_equal(err.msg, "out of memory (4096 bytes for the KV cache)");
    assert_int_equal(base_fail_memory(NULL, 1, "x"), CHOIR_RESOURCE);
}

/* A message that is too long loses its end, never half a character. */
static void fail_cuts_at_a_character(void **state)
{
    (void)state;
    choir_error err;
    char text[600];
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'a', sizeof text);
        for (size_t i = lead; i + 4 < sizeof text; i += 4) {
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        }
        text[sizeof text - 1] = '\0';
        assert_int_equal(base_fail(&err, CHOIR_FILE, "%s", text), CHOIR_FILE);
        size_t n = strlen(err.msg);
        assert_true(n < sizeof err.msg && n >= sizeof err.msg - 4);
        assert_int_equal(base_utf8_valid(err.msg, n), n);
        assert_memory_equal(err.msg, text, n);
    }
    memset(text, 'b', sizeof text);
    text[sizeof err.msg - 1] = '\0'; /* fits exactly */
    base_fail(&err, CHOIR_FILE, "%s", text);
    assert_string_equal(err.msg, text);
    text[sizeof err.msg - 1] = 'b';
    text[sizeof err.msg] = '\0'; /* one too many */
    base_fail(&err, CHOIR_FILE, "%s", text);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

static void escaped(const char *text, size_t n, const char *want)
{
    char dst[BASE_ESCAPE_CAP];
    memset(dst, '#', sizeof dst);
    assert_ptr_equal(base_escape(dst, text, n), dst);
    assert_string_equal(dst, want);
}

static void escape_shows_what_cannot_be_printed(void **state)
{
    (void)state;
    escaped("", 0, "");
    escaped("wq.weight", 9, "wq.weight");
    escaped("a b~", 4, "a b~");
    escaped("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 14, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    escaped("a\0b", 3, "a\\x00b");
    escaped("\x1b[2J", 4, "\\x1b[2J");
    escaped("line\r\n", 6, "line\\x0d\\x0a");
    escaped("\x7f", 1, "\\x7f");
    escaped("\xc2\x9b", 2, "\\xc2\\x9b");          /* C1: a terminal may take it for ESC [ */
    escaped("\xc2\xa0", 2, "\xc2\xa0");            /* the first one behind C1 */
    escaped("\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8"); /* a line separator */
    escaped("\xe2\x80\xae", 3, "\\xe2\\x80\\xae"); /* from right to left: a name may look like another */
    escaped("\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6");
    escaped("\xe2\x80\xaf\xe2\x81\xaa", 6, "\xe2\x80\xaf\xe2\x81\xaa"); /* spaces and marks of other kinds */
    escaped("\xff\xfe", 2, "\\xff\\xfe");
    escaped("\xc0\x80", 2, "\\xc0\\x80");
    escaped("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
    escaped("x\xe2\x82", 3, "x\\xe2\\x82"); /* cut off */
    char dst[BASE_ESCAPE_CAP];
    assert_string_equal(base_escape_str(dst, "tab\there"), "tab\\x09here");
}

static void escape_cuts_long_text(void **state)
{
    (void)state;
    char text[200];
    char want[BASE_ESCAPE_CAP] = {0};
    memset(text, 'a', sizeof text);
    memset(want, 'a', 96);
    escaped(text, 96, want);
    memcpy(want + 96, "...", 4);
    escaped(text, 97, want);
    escaped(text, 200, want);
    /* neither a character nor an escape is cut */
    memcpy(text + 94, "\xe2\x82\xac", 3);
    memcpy(want + 94, "...", 4);
    escaped(text, 200, want);
    text[94] = '\n';
    escaped(text, 200, want);
}

/* Whatever comes in, printable UTF-8 without a line end comes out, and it fits. */
static void escape_random_bytes(void **state)
{
    (void)state;
    uint64_t rng = 0x5EED;
    for (int round = 0; round < 20000; round++) {
        unsigned char src[120];
        char dst[BASE_ESCAPE_CAP + 1];
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        size_t n = (size_t)(rng >> 40) % (sizeof src + 1);
        uint64_t bytes = rng;
        for (size_t i = 0; i < n; i++) {
            bytes = bytes * 6364136223846793005u + 1442695040888963407u;
            src[i] = (unsigned char)(round % 2 ? bytes >> 56 : 0xc0 | bytes >> 58);
            src[i] = (unsigned char)(i % 3 ? src[i] & 0xbf : src[i]); /* continuations behind leads now and then */
        }
        dst[BASE_ESCAPE_CAP] = '#';
        base_escape(dst, src, n);
        assert_int_equal(dst[BASE_ESCAPE_CAP], '#');
        size_t len = strlen(dst);
        assert_true(len < BASE_ESCAPE_CAP);
        assert_int_equal(base_utf8_valid(dst, len), len);
        for (size_t i = 0; i < len; i++) {
            assert_true((unsigned char)dst[i] >= 0x20 && dst[i] != 0x7f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_names_and_exit_codes),
        cmocka_unit_test(fail_fills_the_record),
        cmocka_unit_test(fail_cuts_at_a_character),
        cmocka_unit_test(escape_shows_what_cannot_be_printed),
        cmocka_unit_test(escape_cuts_long_text),
        cmocka_unit_test(escape_random_bytes),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
