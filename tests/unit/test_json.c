/* base/json: what is refused, where it says the fault is, and the typed fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"

static void refused(const char *text, size_t n, const char *message)
{
    json_t *root;
    choir_error err;
    assert_int_equal(base_json_parse(&root, "c.json", text, n, &err), CHOIR_FILE);
    assert_null(root);
    assert_string_equal(err.msg, message);
    assert_int_equal(base_json_parse(&root, "c.json", text, n, NULL), CHOIR_FILE);
}

static void refuses_with_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "c.json: empty file"},
        {" ", "c.json:1:2: unexpected end"},
        {"{", "c.json:1:2: unexpected end"},
        {"{\n\"a\":\n 1e999}", "c.json:3:7: number out of range"},
        {"{\"a\": 12345678901234567890}", "c.json:1:27: number out of range"},
        {"{\"a\": NaN}", "c.json:1:10: invalid token near 'NaN'"},
        {"{\"a\": 01}", "c.json:1:8: invalid token near '0'"},
        {"{\"a\":1,\n \"b\":2, \"a\":3}", "c.json:2:9: duplicate key \"a\""},
        {"{\"a key longer than twenty\":1,\"a key longer than twenty\":2}",
         "c.json:1:31: duplicate key \"a key longer than twenty\""},
        {"{\"a\\\"\":1,\"a\\\"\":2}", "c.json:1:10: duplicate key \"a\\\"\""},
        {"{} x", "c.json:1:5: text after the end"},
        {"{}{}", "c.json:1:4: text after the end"},
        {"{\"a\":\"\\ud800\"}", "c.json:1:14: invalid Unicode '\\uD800' near '\"\\ud800\"'"},
        {"{\"a\":\"\\u0000\"}", "c.json:1:14: NUL character"},
        {"{\"\\u0000\":1}", "c.json:1:10: NUL character"},
        {"{\"a\":\"\x1b\"}", "c.json:1:7: control character 0x1b near '\"'"},
        {"{\"a\":\"\xff\"}", "c.json:1:7: invalid UTF-8"},
        {"{\"\xc3\xa4\":\"\xed\xa0\x80\"}", "c.json:1:7: invalid UTF-8"},
        {"{\"a\":1,}", "c.json:1:9: string or '}' expected near '}'"},
        {"3", "c.json:1:2: '[' or '{' expected near '3'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        refused(rows[i].text, strlen(rows[i].text), rows[i].message);
    }
    refused("{\"a\"\0:1}", 8, "c.json:1:5: NUL byte");
}

static void bounds_nesting(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, '[', N);
    refused(text, N, "c.json:1:65: nested deeper than 64");
    memset(text + 64, ']', 64);
    json_t *root;
    assert_int_equal(base_json_parse(&root, "c.json", text, 128, NULL), CHOIR_OK);
    json_decref(root);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    refused(text, 130, "c.json:1:65: nested deeper than 64");
    free(text);
    /* Brackets inside strings, behind escaped quotes too, are no nesting. */
    static const char quoted[] =
        "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]";
    assert_int_equal(base_json_parse(&root, "c.json", quoted, sizeof quoted - 1, NULL), CHOIR_OK);
    json_decref(root);
}

/* Values after one another: each is looked at when it is its turn. */
static void decodes_the_first_value(void **state)
{
    (void)state;
    char text[200] = "{\"a\": [\"]\"]}]";
    json_t *root;
    json_error_t where;
    const size_t n = strlen(text);
    memset(text + n, '[', 100);
    assert_int_equal(base_json_decode(&root, text, n + 100, JSON_DISABLE_EOF_CHECK, &where), CHOIR_OK);
    assert_int_equal(where.position, n - 1);
    json_decref(root);
    assert_int_equal(base_json_decode(&root, text + n, 100, JSON_DISABLE_EOF_CHECK, &where), CHOIR_FILE);
    assert_null(root);
    assert_string_equal(where.text, "nested deeper than 64");
    assert_int_equal(where.position, 64);
    assert_int_equal(base_json_decode(&root, text + n - 1, 101, JSON_DISABLE_EOF_CHECK, &where), CHOIR_FILE);
    assert_string_equal(where.text, "'[' or '{' expected near ']'");
}

/* Every prefix of a text and every flipped bit: an answer, and no message without a name. */
static void survives_cuts_and_flips(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\": [1, -2.5e3, true, null, \"x\\n\\u00e4\xc3\xa4\"], \"b\": {\"c\": {}}, \"d\": 7}";
    size_t n = sizeof text - 1;
    json_t *root;
    choir_error err;
    for (size_t cut = 0; cut < n; cut++) {
        char *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, text, cut);
        assert_int_equal(base_json_parse(&root, "c.json", copy, cut, &err), CHOIR_FILE);
        assert_int_equal(strncmp(err.msg, "c.json:", 7), 0);
        free(copy);
    }
    for (size_t bit = 0; bit < n * 8; bit++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        if (base_json_parse(&root, "c.json", copy, n, &err) == CHOIR_OK) {
            json_decref(root);
        } else {
            assert_int_equal(err.code, CHOIR_FILE);
        }
    }
}

static void loads_an_object(void **state)
{
    (void)state;
    char path[] = "/tmp/choir_json_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[1]\n", 4), 4);
    json_t *root;
    choir_error err;
    char want[128];
    assert_int_equal(base_json_load(&root, path, 100, &err), CHOIR_FILE);
    assert_null(root);
    snprintf(want, sizeof want, "%s: not an object", path);
    assert_string_equal(err.msg, want);
    assert_int_equal(base_json_load(&root, path, 3, &err), CHOIR_FILE);
    assert_int_equal(pwrite(fd, "{}\n ", 4, 0), 4);
    assert_int_equal(base_json_load(&root, path, 4, &err), CHOIR_OK);
    json_decref(root);
    close(fd);
    unlink(path);
    assert_int_equal(base_json_load(&root, path, 4, &err), CHOIR_IO);
    assert_null(root);
}

static void reads_fields(void **state)
{
    (void)state;
    static const char text[] =
        "{\"i\": 7, \"big\": 2147483648, \"r\": 0.5, \"s\": \"text\", \"t\": true, \"n\": null, \"l\": []}";
    json_t *o;
    choir_error err;
    assert_int_equal(base_json_parse(&o, "c.json", text, sizeof text - 1, &err), CHOIR_OK);
    int64_t i;
    assert_int_equal(base_json_int(&i, o, "c.json", "i", 3, 7, 7, &err), CHOIR_OK);
    assert_int_equal(i, 7);
    assert_int_equal(base_json_int(&i, o, "c.json", "none", 3, 7, 7, &err), CHOIR_OK);
    assert_int_equal(i, 3);
    assert_int_equal(base_json_int(&i, o, "c.json", "n", 4, 7, 7, &err), CHOIR_OK);
    assert_int_equal(i, 4);
    assert_int_equal(base_json_int(&i, o, "c.json", "big", 0, 1, 16777216, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: big: 2147483648 (1 to 16777216 allowed)");
    assert_int_equal(base_json_int(&i, o, "c.json", "r", 0, 1, 2, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: r: 0.5 (1 to 2 allowed)");
    assert_int_equal(base_json_int(&i, o, "c.json", "s", 0, -1, 2, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: s: \"text\" (-1 to 2 allowed)");
    assert_int_equal(base_json_int(&i, o, "c.json", "l", 0, -1, 2, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: l: a list (-1 to 2 allowed)");
    assert_int_equal(base_json_need_int(&i, o, "c.json", "i", 1, 9, &err), CHOIR_OK);
    assert_int_equal(i, 7);
    assert_int_equal(base_json_need_int(&i, o, "c.json", "n", 1, 9, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: n missing");
    double d;
    assert_int_equal(base_json_number(&d, o, "c.json", "i", 0, 0, 10, &err), CHOIR_OK);
    assert_true(d == 7);
    assert_int_equal(base_json_number(&d, o, "c.json", "r", 0, 1, 10, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: r: 0.5 (1 to 10 allowed)");
    assert_int_equal(base_json_number(&d, o, "c.json", "t", 0, 0, 1, &err), CHOIR_FILE);
    bool b;
    assert_int_equal(base_json_bool(&b, o, "c.json", "t", false, &err), CHOIR_OK);
    assert_true(b);
    assert_int_equal(base_json_bool(&b, o, "c.json", "i", false, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: i: 7 (true or false allowed)");
    const char *s;
    assert_int_equal(base_json_string(&s, o, "c.json", "s", &err), CHOIR_OK);
    assert_string_equal(s, "text");
    assert_int_equal(base_json_string(&s, o, "c.json", "none", &err), CHOIR_OK);
    assert_null(s);
    assert_int_equal(base_json_string(&s, o, "c.json", "t", &err), CHOIR_FILE);
    assert_string_equal(err.msg, "c.json: t: true (a string is needed)");
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_place),      cmocka_unit_test(bounds_nesting),
        cmocka_unit_test(decodes_the_first_value), cmocka_unit_test(survives_cuts_and_flips),
        cmocka_unit_test(loads_an_object),         cmocka_unit_test(reads_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
