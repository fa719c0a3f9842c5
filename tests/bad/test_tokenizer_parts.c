/* The parts of a tokenizer.json, and vocabularies of GGUF files, at their limits: what is refused, with which words, and what
 * the rarer kinds do to a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tokenizer/tok_json.h"

#define LEVEL         "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}"
#define BYTES         "\"decoder\":" LEVEL ","
#define MODEL         "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}"
#define STEPS(list)   "{" BYTES MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" list LEVEL "]}}"
#define SPLIT(regex)  STEPS("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":\"Isolated\"},")
#define LEVELED(more) "{" BYTES MODEL ",\"pre_tokenizer\":" LEVEL "," more "}"
#define MARK          "\\u2581"
#define MARKS         "\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\",\"prepend_scheme\":\"never\"},"
#define MARKED(more)  "{" MARKS MODEL "," more "}"
#define NORMS(list)   MARKED("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" list "]}")

static struct tokenizer *open_text(const char *text)
{
    struct tokenizer *t;
    choir_error err = {0};
    if (tok_open_json(&t, "t.json", text, strlen(text), -1, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return t;
}

static void refused(const char *text, const char *want)
{
    struct tokenizer *t;
    choir_error err = {0};
    assert_int_equal(tok_open_json(&t, "t.json", text, strlen(text), -1, &err), CHOIR_FILE);
    assert_null(t);
    if (strstr(err.msg, want) == NULL || strncmp(err.msg, "t.json:", 7) != 0 || strchr(err.msg, '\n') != NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
    }
}

/* The ids of the input, as digits: those below 10. */
static void gives(const char *text, const char *input, const char *want)
{
    struct tokenizer *t = open_text(text);
    choir_error err = {0};
    int32_t *ids;
    size_t n;
    char got[64] = "";
    if (tok_encode(t, input, strlen(input), &ids, &n, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_true(n < sizeof got);
    for (size_t i = 0; i < n; i++) {
        got[i] = (char)('0' + ids[i]);
    }
    if (strcmp(got, want) != 0) {
        fail_msg("\"%s\" gives %s, not %s, with %s", input, got, want, text);
    }
    free(ids);
    tok_close(t);
}

/* `before`, `one` n times with commas between, `after`; to be freed. */
static char *repeated(const char *before, const char *one, const char *between, size_t n, const char *after)
{
    const size_t bytes = strlen(before) + n * (strlen(one) + strlen(between)) + strlen(after) + 1;
    char *text = malloc(bytes), *at = text;
    assert_non_null(text);
    at = memcpy(at, before, strlen(before));
    at += strlen(before);
    for (size_t i = 0; i < n; i++) {
        memcpy(at, one, strlen(one));
        at += strlen(one);
        memcpy(at, between, i + 1 < n ? strlen(between) : 0);
        at += i + 1 < n ? strlen(between) : 0;
    }
    snprintf(at, strlen(after) + 1, "%s", after);
    return text;
}

static void refused_many(const char *before, const char *one, const char *between, size_t n, const char *after,
                         const char *want)
{
    char *text = repeated(before, one, between, n, after);
    refused(text, want);
    free(text);
}

static void pre_tokenizers(void **state)
{
    (void)state;
    refused(STEPS("{\"type\":\"Split\",\"pattern\":{}},"), "Split without a pattern");
    refused(STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"\"}},"), "Split without a pattern");
    refused(STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"}},"), "behavior: \"\" not supported");
    refused(STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Sideways\"},"),
            "behavior: \"Sideways\" not supported");
    refused(STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":1},"), "behavior: 1");
    refused(STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Removed\",\"invert\":1},"),
            "invert: 1");
    refused(STEPS("{\"type\":\"Digits\",\"individual_digits\":1},"), "individual_digits: 1");
    refused(STEPS("{\"type\":\"Punctuation\",\"behavior\":1},"), "behavior: 1");
    refused(STEPS("{\"type\":\"ByteLevel\",\"add_prefix_space\":1},"), "add_prefix_space: 1");
    refused(STEPS("{\"type\":\"ByteLevel\",\"use_regex\":1},"), "use_regex: 1");
    refused(MARKED("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":1}"), "replacement: 1");
    refused(MARKED("\"pre_tokenizer\":{\"type\":\"Metaspace\"}"), "replacement: \"\" not supported");
    refused(MARKED("\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\",\"add_prefix_space\":1}"),
            "add_prefix_space: 1");
    refused_many("{" BYTES MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[",
                 "{\"type\":\"Digits\"}", ",", 33, "]}}", "more than 32 steps");
    gives(STEPS("{\"type\":\"Whitespace\"},"), "ab ab", "22");
    gives(STEPS("{\"type\":\"WhitespaceSplit\"},"), "ab\tab", "22");
    gives(MARKED("\"pre_tokenizer\":{\"type\":\"Whitespace\"}"), " a b ab", "012");
    gives(MARKED("\"pre_tokenizer\":null"), "ab", "2");
}

static void patterns(void **state)
{
    static const char *const parts[] = {/* those that part "ab", and say where */
                                        "\\\\x61",    "\\\\x{61}", "\\\\u0061", "a{,1}",     "a{1,}",
                                        "\\\\p{^Lu}", "\\\\P{Nd}", "\\\\D",     "[\\\\d-a]", "[^\\\\s]",
                                        "[[a]]",      "(?i:A)",    "(?<=a)b",   "\\\\w{1}"};
    static const char *const parts_not[] = {"\\\\W", "\\\\v", "\\\\-", "\\\\\xc3\xa4", "[\\\\-\\\\p{Lu}]", "\\\\p{^L}"};
    static const char *const bad[] = {"\\\\x",   "\\\\x6",   "\\\\x{61",    "\\\\u006",
                                      "[\\\\D]", "[\\\\W]",  "[\\\\p{^L}]", "\\\\p{Letter_Number_And_More}",
                                      "a{1}{2}", "(?P<n>a)", "(?#a)",       "[a&&[b]]"};
    char text[1024];
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(text, sizeof text, SPLIT("%s"), parts[i]);
        gives(text, "ab", "01");
    }
    for (size_t i = 0; i < sizeof parts_not / sizeof parts_not[0]; i++) {
        snprintf(text, sizeof text, SPLIT("%s"), parts_not[i]);
        gives(text, "ab", "2");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, SPLIT("%s"), bad[i]);
        refused(text, "regular expression");
    }
    refused_many("{" BYTES MODEL
                 ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":"
                 "\"Isolated\",\"pattern\":{\"Regex\":\"",
                 "a", "", 70000, "\"}}," LEVEL "]}}", "bytes (at most 65536 allowed)");
}

static void processors(void **state)
{
    static const struct {
        const char *json;
        int32_t first; /* id that a text begins with, -1: none */
    } rows[] = {
        {"{\"type\":\"RobertaProcessing\",\"cls\":[\"b\",1],\"sep\":[\"a\",0]}", 1},
        {"{\"type\":\"ByteLevel\"}", -1},
        {"{\"type\":\"Sequence\",\"processors\":[" LEVEL ",{\"type\":\"RobertaProcessing\",\"cls\":[\"ab\",2]}]}", 2},
        {"{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\"}}]}", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, LEVELED("\"post_processor\":%s"), rows[i].json);
        struct tokenizer *t = open_text(text);
        assert_int_equal(tok_adds_bos(t), rows[i].first >= 0);
        assert_int_equal(tok_bos(t), rows[i].first);
        tok_close(t);
    }
    refused(LEVELED("\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"Odd\"}," LEVEL "]}"),
            "\"Odd\"");
}

static void normalizers(void **state)
{
    static const char many[] = "{\"type\":\"NFC\"}";
    (void)state;
    gives(NORMS("{\"type\":\"NFC\"},{\"type\":\"Prepend\",\"prepend\":\"b\"}"), "ab", "12");
    gives(NORMS("{\"type\":\"NFKC\"},{\"type\":\"NFC\"}"), "\xef\xbd\x81\xef\xbd\x82", "2"); /* full-width a and b */
    gives(NORMS("{\"type\":\"Strip\",\"strip_left\":false},{\"type\":\"Prepend\",\"prepend\":\"a\"}"), " \xe3\x80\x80",
          ""); /* of nothing, nothing is made */
    gives(NORMS("{\"type\":\"Strip\"}"),
          "\xc2\x85\xe1\x9a\x80"
          "ab\xe2\x80\xa8\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80",
          "2");
    gives(NORMS("{\"type\":\"Strip\",\"strip_right\":false}"), "  ab", "2");
    gives(NORMS("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x*\"},\"content\":\"b\"}"),
          "\xc3\xa4"
          "a",
          "112");
    gives(MARKED("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}"), "ab", "2");
    gives(MARKED("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":null}"), "ab", "2");
    refused(NORMS("{\"type\":\"Strip\",\"strip_left\":1}"), "strip_left: 1");
    refused(NORMS("{\"type\":\"Prepend\",\"prepend\":1}"), "prepend: 1");
    refused(NORMS("{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":1}"), "content: 1");
    refused(NORMS("{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}"), "Replace without");
    refused(NORMS("{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"b\"}"),
            "Replace without a pattern");
    refused_many("{" MARKS MODEL ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[", many, ",", 17, "]}}",
                 "normalizer: more than 16 steps");
    refused_many("{" MARKS MODEL ",\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"", "AAAA", "",
                 1400000, "\"}}", "precompiled_charsmap: 4200000 bytes (at most 4194304 allowed)");
}

/* Added tokens are normalized as texts are: into equal ones, of which the first counts, into nothing, into too much. */
static void added_tokens(void **state)
{
#define ADDED(id, content) "{\"id\":" id ",\"content\":\"" content "\",\"normalized\":true}"
#define BECOMES(from, to)  "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" from "\"},\"content\":\"" to "\"}"
    static const char both[] = MARKED(
        "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" BECOMES("XX", "c") "," BECOMES("YY", "c") "," BECOMES(
            "ZZ", "") "]},\"added_tokens\":[" ADDED("4", "YY") "," ADDED("3", "XX") "," ADDED("5", "ZZ") "]");
    (void)state;
    gives(both, "aXXb", "031");
    gives(both, "aYYb", "031");
    gives(both, "aZZb", "2");
    refused_many("{" MARKS MODEL
                 ",\"added_tokens\":[" ADDED("3", "XXXXXXXX") "],\"normalizer\":{\"type\":\"Replace\","
                                                              "\"pattern\":{\"String\":\"X\"},\"content\":\"",
                 "c", "", 9000, "\"}}", "added token 3, normalized, is longer than 65536 bytes");
}

/* A token that stands alone only: what its neighbours count for; and the white space that it takes along. */
static void neighbours(void **state)
{
    static const char alone[] = LEVELED("\"added_tokens\":[{\"id\":3,\"content\":\"xy\",\"single_word\":true}]");
    static const char wide[] =
        LEVELED("\"added_tokens\":[{\"id\":3,\"content\":\"xy\",\"lstrip\":true,\"rstrip\":true}]");
    static const char *const words[] = {"\xe2\x80\x8c",
                                        "\xe2\x80\x8d",
                                        "\xe2\x92\xb6",
                                        "\xf0\x9f\x84\xb0",
                                        "\xf0\x9f\x85\x90",
                                        "\xf0\x9f\x85\xb0",
                                        "\xc3\xa4",
                                        "_",
                                        "9",
                                        "\xe2\x93\xa9",
                                        "\xf0\x9f\x86\x89"};
    static const char *const others[] = {
        "\xe2\x80\x8b", "\xe2\x93\xaa", "\xf0\x9f\x85\x8a", "\xf0\x9f\x85\xaa", "\xf0\x9f\x86\x8a", "-", " ",
        "\xe2\x92\xb5"};
    static const char *const spaces[] = {"\t",           " ",
                                         "\xc2\x85",     "\xc2\xa0",
                                         "\xe1\x9a\x80", "\xe2\x80\x80",
                                         "\xe2\x80\x8a", "\xe2\x80\xa8",
                                         "\xe2\x80\xa9", "\xe2\x80\xaf",
                                         "\xe2\x81\x9f", "\xe3\x80\x80",
                                         "  \n"};
    char text[32];
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        snprintf(text, sizeof text, "%sxy", words[i]);
        gives(alone, text, "");
        snprintf(text, sizeof text, "xy%s", words[i]);
        gives(alone, text, "");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(text, sizeof text, "%sxy%s", others[i], others[i]);
        gives(alone, text, "3");
    }
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        struct tokenizer *t = open_text(wide);
        int32_t *ids;
        size_t n;
        snprintf(text, sizeof text, "b%sxy%sb", spaces[i], spaces[i]);
        assert_int_equal(tok_encode(t, text, strlen(text), &ids, &n, NULL), CHOIR_OK);
        assert_int_equal(n, 3);
        assert_int_equal(ids[1], 3);
        free(ids);
        tok_close(t);
    }
    gives(wide, " xyxy ", "33");
}

static void models(void **state)
{
    (void)state;
    refused("{" BYTES "\"pre_tokenizer\":" LEVEL ",\"model\":[]}", "model: type \"?\", must be BPE");
    refused("{" MARKS "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":100000},\"merges\":[]}}",
            "ids up to 100000 for 2 tokens");
    refused("{" MARKS "\"model\":{\"type\":\"BPE\",\"dropout\":\"x\"}}", "dropout: \"x\"");
    refused("{" MARKS "\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1,2]]}}",
            "token 0: must be a piece and its score");
    refused("{" MARKS "\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",\"b\"]]}}",
            "token 0: must be a piece and its score");
    refused("{" MARKS "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[1,\"a\"]]}}",
            "merge 0: not a pair");
    refused("{" MARKS "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a \"]}}", "merge 0: not a pair");
    refused("{" MARKS "\"model\":{\"type\":\"BPE\",\"unk_token\":1,\"vocab\":{\"a\":0},\"merges\":[]}}",
            "unk_token: 1");
    refused(MARKED("\"added_tokens\":[{\"id\":true,\"content\":\"x\"}]"), "id of \"x\"");
    struct tokenizer *t = open_text(MARKED("\"truncation\":null"));
    size_t n = 7;
    assert_null(tok_piece(t, -1, &n));
    assert_int_equal(n, 0);
    assert_null(tok_piece(t, 3, &n));
    assert_int_equal(tok_piece_type(t, -1), TOK_UNUSED);
    assert_int_equal(tok_piece_type(t, 3), TOK_UNUSED);
    tok_close(t);
}

/* What GGUF files cannot tell. */
static void exports(void **state)
{
    static const struct {
        const char *json, *message;
    } rows[] = {
        {NORMS("{\"type\":\"NFC\"},{\"type\":\"NFKC\"}"), "its normal form NFC cannot be said in GGUF files"},
        {"{" BYTES
         "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"model\":{\"type\":\"BPE\",\"vocab\":"
         "{\"x y\":0,\"z\":1,\"x yz\":2},\"merges\":[[\"x y\",\"z\"]]}}",
         "merge 0 has a space in a part, which GGUF cannot hold"},
        {"{" BYTES
         "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"model\":{\"type\":\"BPE\",\"vocab\":"
         "{\"x y\":0,\"z\":1,\"zx y\":2},\"merges\":[[\"z\",\"x y\"]]}}",
         "merge 0 has a space in a part, which GGUF cannot hold"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tokenizer *t = open_text(rows[i].json);
        struct tok_export e;
        choir_error err = {0};
        assert_int_equal(tok_export(&e, t, &err), CHOIR_FILE);
        if (strstr(err.msg, rows[i].message) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", err.msg, rows[i].message);
        }
        tok_close(t);
    }
}

/* Bytes that are no characters, one token each: E2, 80, 61. */
static void broken_bytes(void **state)
{
#define UNKNOWN "\xef\xbf\xbd"
    static const char json[] =
        "{" BYTES "\"pre_tokenizer\":" LEVEL ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\u00e2\":0,\"\\u0122\":1,"
        "\"a\":2},\"merges\":[]},\"added_tokens\":[{\"id\":3,"
        "\"content\":\"<s>\",\"special\":true},{\"id\":4,\"content\":\"\\u4e2d\"}]}";
    static const struct {
        int32_t ids[4];
        size_t n;
        const char *text;
    } rows[] = {
        {{0, 2}, 2, UNKNOWN "a"},       {{1, 2}, 2, UNKNOWN "a"},
        {{0, 1, 2}, 3, UNKNOWN "a"},    {{0, 0, 2}, 3, UNKNOWN UNKNOWN "a"},
        {{0, 1, 1}, 3, "\xe2\x80\x80"}, {{4, 0, 4, 3}, 4, "\xe4\xb8\xad" UNKNOWN "\xe4\xb8\xad"},
    };
    struct tokenizer *t = open_text(json);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text;
        size_t n;
        assert_int_equal(tok_decode(t, rows[i].ids, rows[i].n, &text, &n, NULL), CHOIR_OK);
        if (strcmp(text, rows[i].text) != 0) {
            fail_msg("row %zu: \"%s\"", i, text);
        }
        free(text);
    }
    char *dst = malloc(tok_detok_bound(t));
    assert_non_null(dst);
    assert_int_equal(tok_text(t, 0, true, dst), 1);
    assert_int_equal((unsigned char)dst[0], 0xe2);
    assert_int_equal(tok_text(t, 3, true, dst), 0);
    assert_int_equal(tok_text(t, 4, true, dst), 3);
    assert_memory_equal(dst, "\xe4\xb8\xad", 3);
    assert_int_equal(tok_text(t, 99, true, dst), 0);
    free(dst);
    tok_close(t);
}

/* Byte-level vocabularies as GGUF files have them, one thing wrong. */
static void refused_vocab(const struct tok_vocab *v, const char *want)
{
    struct tokenizer *t;
    choir_error err = {0};
    assert_int_equal(tok_open_vocab(&t, v, -1, &err), CHOIR_FILE);
    assert_null(t);
    if (strstr(err.msg, want) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
    }
}

static void vocabularies(void **state)
{
    static char long_piece[4097];
    const char *pieces[] = {"a", "b", "ab", "abb", "bab"}, *merges[] = {"a b", "ab b", "b ab"};
    size_t bytes[] = {1, 1, 2, 3, 3}, merge_bytes[] = {3, 4, 4}, n;
    int32_t types[] = {TOK_NORMAL, TOK_NORMAL, TOK_NORMAL, TOK_NORMAL, TOK_NORMAL}, *ids;
    struct tok_vocab v = {.file = "m.gguf",
                          .n_pieces = 5,
                          .pieces = pieces,
                          .piece_bytes = bytes,
                          .types = types,
                          .bos_id = 2,
                          .eos_id = -1,
                          .unk_id = -1,
                          .byte_level = true,
                          .pre = "gpt-2",
                          .pre_bytes = 5,
                          .merges = merges,
                          .merge_bytes = merge_bytes,
                          .n_merges = 3};
    struct tokenizer *t;
    (void)state;
    assert_int_equal(tok_open_vocab(&t, &v, -1, NULL), CHOIR_OK);
    assert_int_equal(tok_piece_type(t, 2), TOK_CONTROL); /* what texts begin with is special, whatever the file says, */
    assert_int_equal(tok_encode(t, "abbab", 5, &ids, &n, NULL), CHOIR_OK); /* and in no pair */
    assert_int_equal(n, 5);
    free(ids);
    tok_close(t);
    v.bos_id = 0;
    assert_int_equal(tok_open_vocab(&t, &v, -1, NULL), CHOIR_OK);
    assert_int_equal(tok_piece_type(t, 0), TOK_NORMAL); /* but for what stands for a byte */
    assert_int_equal(tok_encode(t, "abbab", 5, &ids, &n, NULL), CHOIR_OK);
    assert_int_equal(n, 2);
    free(ids);
    tok_close(t);
    v.bos_id = -1;
    v.n_pieces = 0;
    refused_vocab(&v, "m.gguf: 0 tokens (1 to 16777216 allowed)");
    v.n_pieces = (1 << 24) + 1;
    refused_vocab(&v, "m.gguf: 16777217 tokens (1 to 16777216 allowed)");
    v.n_pieces = 5;
    types[1] = 7;
    refused_vocab(&v, "m.gguf: token 1: type 7 (1 to 6 allowed)");
    types[1] = 0;
    refused_vocab(&v, "m.gguf: token 1: type 0 (1 to 6 allowed)");
    types[1] = TOK_NORMAL;
    bytes[1] = 0;
    refused_vocab(&v, "m.gguf: token 1: text of 0 bytes (1 to 4096 allowed)");
    pieces[1] = long_piece;
    bytes[1] = sizeof long_piece;
    refused_vocab(&v, "m.gguf: token 1: text of 4097 bytes (1 to 4096 allowed)");
    pieces[1] = "b";
    bytes[1] = 1;
    static const char *const bad[] = {"a", "ab", "a ", " ", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        merges[0] = bad[i];
        merge_bytes[0] = strlen(bad[i]);
        refused_vocab(&v, "m.gguf: merge 0: \"");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pre_tokenizers), cmocka_unit_test(patterns),     cmocka_unit_test(processors),
        cmocka_unit_test(normalizers),    cmocka_unit_test(added_tokens), cmocka_unit_test(neighbours),
        cmocka_unit_test(models),         cmocka_unit_test(exports),      cmocka_unit_test(broken_bytes),
        cmocka_unit_test(vocabularies),
    };
    return cmocka_run_group_tests_name("parts of tokenizers", tests, NULL, NULL);
}
