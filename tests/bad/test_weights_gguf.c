/* Hostile GGUF files: each gets its own words, none crashes, none leaks.  Ids are those of the bad-input list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/files.h"

/* Refuses the bytes with exactly this message (its beginning, where `message` ends with '*'). */
static void refused(const struct files_bytes *b, const char *message)
{
    choir_error err = {.code = CHOIR_OK};
    unsigned char *exact = malloc(b->n + 1); /* so that reading one byte too many is seen */
    assert_non_null(exact);
    memcpy(exact, b->n > 0 ? b->data : (const unsigned char *)"", b->n);
    unsigned char *tight = realloc(exact, b->n > 0 ? b->n : 1);
    choir_status status = files_try_gguf(tight, b->n, &err);
    size_t n = strlen(message);
    bool same = n > 0 && message[n - 1] == '*' ? strncmp(err.msg, message, n - 1) == 0 : strcmp(err.msg, message) == 0;
    if (status != CHOIR_FILE || !same) {
        print_error("wanted: %s\n   got: %s (%d)\n", message, err.msg, (int)status);
    }
    assert_int_equal(status, CHOIR_FILE);
    assert_true(same);
    free(tight);
}

static void refuses_starts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {"", 0, "m.gguf: empty file"},
        {"GGU", 3, "m.gguf: truncated: 3 bytes, a GGUF header needs 24"},
        {"GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 23, "m.gguf: truncated: 23 bytes, a GGUF header needs 24"},
        {"FUGG\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "m.gguf: not a GGUF file (starts with \"FUGG\")"},
        {"\x1b[2J    ", 8, "m.gguf: not a GGUF file (starts with \"\\x1b[2J\")"},
        {"<!DOCTYPE html><html>", 21, "m.gguf: not a GGUF file: it looks like an HTML page"},
        {"version https://git-lfs.github.com/spec/v1\n", 43,
         "m.gguf: not a GGUF file: it is a git-lfs pointer, not the file itself"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_add(&b, rows[i].bytes, rows[i].n);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

static void refuses_headers(void **state)
{
    (void)state;
    static const struct {
        uint32_t version;
        uint64_t n_tensors, n_settings;
        const char *message;
    } rows[] = {
        {0, 0, 0, "m.gguf: GGUF version 0 not supported (2 and 3 are)"},
        {1, 0, 0, "m.gguf: GGUF version 1 not supported (2 and 3 are)"},
        {4, 0, 0, "m.gguf: GGUF version 4 not supported (2 and 3 are)"},
        {0x03000000, 0, 0, "m.gguf: big-endian GGUF not supported"},
        {3, 0, UINT64_MAX, "m.gguf: header: 18446744073709551615 metadata entries cannot fit in 0 remaining bytes"},
        {3, 0, 1, "m.gguf: header: 1 metadata entries cannot fit in 0 remaining bytes"},
        {3, 1ull << 61, 0, "m.gguf: header: 2305843009213693952 tensors cannot fit in 0 remaining bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_gguf_start(&b, rows[i].version, rows[i].n_tensors, rows[i].n_settings);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* Files of one setting: length and bytes of the key, then what follows it. */
static void refuses_keys(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        const char *key;
        const char *message;
    } rows[] = {
        {UINT64_MAX, "x", "m.gguf: metadata entry 0: key length 18446744073709551615 past end of file"},
        {0, "", "m.gguf: metadata entry 0: empty key"},
        {3, "a\nb", "m.gguf: metadata entry 0: key is not ASCII"},
        {3,
         "a\x1b"
         "b",
         "m.gguf: metadata entry 0: key is not ASCII"},
        {3, "a\xc3\xa4", "m.gguf: metadata entry 0: key is not ASCII"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_gguf_start(&b, 3, 0, 1);
        files_add_u64(&b, rows[i].length);
        files_add_text(&b, rows[i].key);
        files_add_zeros(&b, 16);
        refused(&b, rows[i].message);
        files_free(&b);
    }
    struct files_bytes b = {0};
    files_gguf_start(&b, 3, 0, 1);
    files_add_u64(&b, 65536);
    files_add_zeros(&b, 70000);
    refused(&b, "m.gguf: metadata entry 0: key longer than 65535 bytes");
    files_free(&b);
}

/* Files of one setting: its type and the bytes of its value. */
static void refuses_values(void **state)
{
    (void)state;
#define ZERO4 "\0\0\0\0"
    static const struct {
        uint32_t type;
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {WTS_STRING, ZERO4 "\0\0\0\x80", 8, "m.gguf: x.y: string length 9223372036854775808 past end of file"},
        {WTS_STRING, "\0\0\0\0\x0a\0\0\0", 8, "m.gguf: x.y: string length 42949672960 past end of file"},
        {WTS_STRING, "\4\0\0\0\0\0\0\0abc", 11, "m.gguf: x.y: string ends 1 byte past end of file"},
        {WTS_STRING, "\5\0\0\0\0\0\0\0abc", 11, "m.gguf: x.y: string ends 2 bytes past end of file"},
        {13, ZERO4, 4, "m.gguf: x.y: unknown value type 13"},
        {255, ZERO4, 4, "m.gguf: x.y: unknown value type 255"},
        {UINT32_MAX, ZERO4, 4, "m.gguf: x.y: unknown value type 4294967295"},
        {WTS_BOOL, "\2", 1, "m.gguf: x.y: bool value 2 (must be 0 or 1)"},
        {WTS_ARRAY, "\x09\0\0\0\1\0\0\0\0\0\0\0", 12, "m.gguf: x.y: nested arrays not supported"},
        {WTS_ARRAY, "\x4d\0\0\0\0\0\0\0\0\0\0\x10", 12, "m.gguf: x.y: unknown array element type 77"},
        {WTS_ARRAY, "\x0a\0\0\0\0\0\0\0\0\0\0\x20", 12,
         "m.gguf: x.y: array of 2305843009213693952 \xc3\x97 8 bytes past end of file"},
        {WTS_ARRAY, "\4\0\0\0\2\0\0\0\0\0\0\0abcdabc", 19, "m.gguf: x.y: array of 2 \xc3\x97 4 bytes past end of file"},
        {WTS_ARRAY, "\x08\0\0\0\0\0\0\0\0\0\0\x20", 12,
         "m.gguf: x.y: array of 2305843009213693952 \xc3\x97 8 bytes past end of file"},
        {WTS_ARRAY, "\x08\0\0\0\1\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0", 20,
         "m.gguf: x.y: string ends 9 bytes past end of file"},
        {WTS_ARRAY, "\7\0\0\0\2\0\0\0\0\0\0\0\1\3", 14, "m.gguf: x.y: bool value 3 (must be 0 or 1)"},
        {WTS_U64, "\0\0\0\0", 4, "m.gguf: truncated: the header needs byte 47, file has 43"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_gguf_start(&b, 3, 0, 1);
        files_gguf_key(&b, "x.y", rows[i].type);
        files_add(&b, rows[i].bytes, rows[i].n);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

static void refuses_nesting_of_any_depth(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    files_gguf_start(&b, 3, 0, 1);
    files_gguf_key(&b, "x.y", WTS_ARRAY);
    for (int i = 0; i < 10000; i++) {
        files_add_u32(&b, WTS_ARRAY);
        files_add_u64(&b, 1);
    }
    refused(&b, "m.gguf: x.y: nested arrays not supported");
    files_free(&b);
}

static void refuses_settings_that_disagree(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    files_gguf_start(&b, 3, 0, 3);
    for (int i = 0; i < 3; i++) {
        files_gguf_key(&b, i == 1 ? "x.other" : "general.architecture", WTS_U32);
        files_add_u32(&b, 1);
    }
    refused(&b, "m.gguf: duplicate metadata key general.architecture");
    files_free(&b);
    static const struct {
        uint32_t type, value;
        const char *message;
    } rows[] = {
        {WTS_U32, 0, "m.gguf: general.alignment: 0 is not a power of two up to 65536"},
        {WTS_U32, 13, "m.gguf: general.alignment: 13 is not a power of two up to 65536"},
        {WTS_U32, 0x80000000, "m.gguf: general.alignment: 2147483648 is not a power of two up to 65536"},
        {WTS_I32, 32, "m.gguf: general.alignment: has type i32, must be u32"},
        {WTS_F32, 32, "m.gguf: general.alignment: has type f32, must be u32"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        files_gguf_start(&b, 3, 0, 1);
        files_gguf_key(&b, "general.alignment", rows[i].type);
        files_add_u32(&b, rows[i].value);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* Files of one tensor, with 64 bytes of data from byte 96 on. */
static void refuses_tensors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t n_dims;
        uint64_t ne[4];
        uint32_t type;
        uint64_t offset;
        const char *message;
    } rows[] = {
        {"", 1, {4}, 0, 0, "m.gguf: tensor 0: empty name"},
        {"12345678901234567890123456789012345678901234567890123456789012345",
         1,
         {4},
         0,
         0,
         "m.gguf: tensor 0: name longer than 64 bytes"},
        {"\x1b[2J", 0, {0}, 0, 0, "m.gguf: tensor \\x1b[2J: 0 dimensions (1 to 4 allowed)"},
        {"t", 5, {1, 1, 1, 1}, 0, 0, "m.gguf: tensor t: 5 dimensions (1 to 4 allowed)"},
        {"t", UINT32_MAX, {1}, 0, 0, "m.gguf: tensor t: 4294967295 dimensions (1 to 4 allowed)"},
        {"t", 2, {4, 0}, 0, 0, "m.gguf: tensor t: dimension 1 is 0"},
        {"t", 1, {1ull << 63}, 0, 0, "m.gguf: tensor t: dimension 0 is 9223372036854775808, too large"},
        {"t", 2, {1ull << 32, 1ull << 32}, 0, 0, "m.gguf: tensor t: 4294967296 \xc3\x97 4294967296 elements overflow"},
        {"t", 2, {1ull << 62, 5}, 0, 0, "m.gguf: tensor t: 4611686018427387904 \xc3\x97 5 elements overflow"},
        {"t", 2, {3037000500, 3037000500}, 0, 0, "m.gguf: tensor t: 3037000500 \xc3\x97 3037000500 elements overflow"},
        {"t",
         4,
         {1, 2, 1ull << 60, 1ull << 60},
         0,
         0,
         "m.gguf: tensor t: 1 \xc3\x97 2 \xc3\x97 1152921504606846976 \xc3\x97 1152921504606846976 elements overflow"},
        {"t",
         1,
         {1ull << 59},
         8,
         0,
         "m.gguf: tensor t: needs 612489549322387456 bytes from byte 64, file has 160 (incomplete download?)"},
        {"t", 1, {1ull << 62}, 0, 0, "m.gguf: tensor t: size in bytes overflows"},
        {"t", 1, {33}, 2, 0, "m.gguf: tensor t: row of 33 is not a multiple of q4_0's block of 32"},
        {"t", 1, {48}, 3, 0, "m.gguf: tensor t: row of 48 is not a multiple of q4_1's block of 32"},
        {"t", 1, {48}, 6, 0, "m.gguf: tensor t: row of 48 is not a multiple of q5_0's block of 32"},
        {"t", 1, {48}, 7, 0, "m.gguf: tensor t: row of 48 is not a multiple of q5_1's block of 32"},
        {"t", 1, {48}, 20, 0, "m.gguf: tensor t: row of 48 is not a multiple of iq4_nl's block of 32"},
        {"t", 2, {288, 4}, 10, 0, "m.gguf: tensor t: row of 288 is not a multiple of q2_K's block of 256"},
        {"t", 2, {288, 4}, 11, 0, "m.gguf: tensor t: row of 288 is not a multiple of q3_K's block of 256"},
        {"t", 2, {288, 4}, 12, 0, "m.gguf: tensor t: row of 288 is not a multiple of q4_K's block of 256"},
        {"t", 2, {288, 4}, 13, 0, "m.gguf: tensor t: row of 288 is not a multiple of q5_K's block of 256"},
        {"t", 2, {288, 4}, 14, 0, "m.gguf: tensor t: row of 288 is not a multiple of q6_K's block of 256"},
        {"t", 2, {288, 4}, 23, 0, "m.gguf: tensor t: row of 288 is not a multiple of iq4_xs's block of 256"},
        {"t",
         2,
         {512, 3},
         10,
         0,
         "m.gguf: tensor t: needs 504 bytes from byte 96, file has 160 (incomplete download?)"},
        {"t",
         2,
         {512, 3},
         11,
         0,
         "m.gguf: tensor t: needs 660 bytes from byte 96, file has 160 (incomplete download?)"},
        {"t",
         2,
         {512, 3},
         12,
         0,
         "m.gguf: tensor t: needs 864 bytes from byte 96, file has 160 (incomplete download?)"},
        {"t",
         2,
         {512, 3},
         13,
         0,
         "m.gguf: tensor t: needs 1056 bytes from byte 96, file has 160 (incomplete download?)"},
        {"t",
         2,
         {512, 3},
         14,
         0,
         "m.gguf: tensor t: needs 1260 bytes from byte 96, file has 160 (incomplete download?)"},
        {"t",
         2,
         {512, 3},
         23,
         0,
         "m.gguf: tensor t: needs 816 bytes from byte 96, file has 160 (incomplete download?)"},
        {"t", 1, {4}, 4, 0, "m.gguf: tensor t: unknown type 4"},
        {"t", 1, {4}, 255, 0, "m.gguf: tensor t: unknown type 255"},
        {"t", 1, {4}, 0, 31, "m.gguf: tensor t: offset 31 not aligned to 32"},
        {"t", 1, {4}, 0, 320868864, "m.gguf: tensor t: offset 320868864 past end of file (160 bytes)"},
        {"t", 1, {4}, 0, UINT64_MAX - 31, "m.gguf: tensor t: offset 18446744073709551584 past end of file (160 bytes)"},
        {"t", 1, {25}, 0, 0, "m.gguf: tensor t: needs 100 bytes from byte 64, file has 160 (incomplete download?)"},
        {"t", 1, {4}, 0, 32, "m.gguf: tensor t: offset 32, expected 0"},
        {"t", 1, {UINT64_MAX / 8}, 0, 0, "m.gguf: tensor t: needs 9223372036854775804 bytes from byte 64, *"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_gguf_start(&b, 3, 1, 0);
        uint32_t given = rows[i].n_dims < 4 ? rows[i].n_dims : 4;
        files_gguf_string(&b, rows[i].name);
        files_add_u32(&b, rows[i].n_dims);
        files_add(&b, rows[i].ne, 8 * given);
        files_add_u32(&b, rows[i].type);
        files_add_u64(&b, rows[i].offset);
        files_pad(&b, 32);
        files_add_zeros(&b, 160 - b.n);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* Files of two tensors "A" and "B" of 32 f32 values (128 bytes). */
static void refuses_layouts(void **state)
{
    (void)state;
    static const struct {
        const char *second;
        uint64_t n_second, offset;
        size_t data;
        const char *message;
    } rows[] = {
        {"A", 32, 128, 256, "m.gguf: duplicate tensor A"},
        {"B", 32, 96, 256, "m.gguf: tensors A and B overlap"},
        {"B", 32, 0, 256, "m.gguf: tensors A and B overlap"},
        {"B", 32, 160, 288, "m.gguf: tensor B: offset 160, expected 128"},
        {"B", 33, 128, 256, "m.gguf: tensor B: needs 132 bytes from byte 224, file has 352 (incomplete download?)"},
        {"B", 32, 128, 255, "m.gguf: tensor B: needs 128 bytes from byte 224, file has 351 (incomplete download?)"},
        {"B", 32, 128, 0, "m.gguf: tensor A: offset 0 past end of file (96 bytes)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        static const uint64_t ne[] = {32};
        files_gguf_start(&b, 3, 2, 0);
        files_gguf_tensor(&b, "A", 1, ne, 0, 0);
        files_gguf_tensor(&b, rows[i].second, 1, &rows[i].n_second, 0, rows[i].offset);
        files_pad(&b, 32);
        files_add_zeros(&b, rows[i].data);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* The same for names that must be shown escaped, and for tensors of unknown size (iq2_xxs). */
static void refuses_layouts_of_unread_tensors(void **state)
{
    (void)state;
    static const uint64_t ne[] = {256};
    static const struct {
        const char *first, *second;
        uint64_t offset;
        const char *message;
    } rows[] = {
        {"\x1b[2J", "\x1b[2J", 32, "m.gguf: duplicate tensor \\x1b[2J"},
        {"\x1b[2J", "B", 0, "m.gguf: tensors \\x1b[2J and B overlap"},
        {"A", "B", 64, "m.gguf: tensor B: offset 64 past end of file (160 bytes)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_gguf_start(&b, 3, 2, 0);
        files_gguf_tensor(&b, rows[i].first, 1, ne, 16, 0);
        files_gguf_tensor(&b, rows[i].second, 1, ne, 16, rows[i].offset);
        files_pad(&b, 32);
        files_add_zeros(&b, 64);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* G40, and tensors that stand in the table in another order than in the data. */
static void takes_what_is_odd_but_right(void **state)
{
    (void)state;
    choir_error err;
    struct files_bytes b = {0};
    static const uint64_t ne[] = {32};
    files_gguf_start(&b, 2, 2, 0);
    files_gguf_tensor(&b, "B", 1, ne, 0, 128);
    files_gguf_tensor(&b, "1234567890123456789012345678901234567890123456789012345678901234", 1, ne, 0, 0);
    files_pad(&b, 32);
    files_add_zeros(&b, 256 + 77);
    assert_int_equal(files_try_gguf(b.data, b.n, &err), CHOIR_OK);
    files_free(&b);
    files_gguf_start(&b, 3, 0, 0);
    assert_int_equal(files_try_gguf(b.data, b.n, &err), CHOIR_OK);
    files_free(&b);
    /* An alignment of 1: no padding, offsets of any kind. */
    static const uint64_t three[] = {3};
    files_gguf_start(&b, 3, 2, 1);
    files_gguf_key(&b, "general.alignment", WTS_U32);
    files_add_u32(&b, 1);
    files_gguf_tensor(&b, "a", 1, three, 1, 0);
    files_gguf_tensor(&b, "b", 1, three, 0, 6);
    files_add_zeros(&b, 18);
    assert_int_equal(files_try_gguf(b.data, b.n, &err), CHOIR_OK);
    files_free(&b);
}

/* A type that is known but not read: the file opens, the tensor says why it cannot be had. */
static void names_types_it_cannot_read(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    struct wts_set *set;
    choir_error err;
    static const uint64_t wide[] = {256}, ne[] = {4};
    files_gguf_start(&b, 3, 3, 0);
    files_gguf_tensor(&b, "z", 1, ne, 0, 0);
    files_gguf_tensor(&b, "blk.0.attn_q.weight", 1, wide, 16, 32);
    files_gguf_tensor(&b, "a", 1, ne, 0, 192);
    files_pad(&b, 32);
    files_add_zeros(&b, 208);
    assert_int_equal(wts_open_memory(&set, "m.gguf", b.data, b.n, &err), CHOIR_OK);
    assert_int_equal(set->n_tensors, 2);
    assert_non_null(wts_find(set, "a"));
    assert_non_null(wts_find(set, "z"));
    assert_null(wts_find(set, "blk.0.attn_q.weight"));
    assert_int_equal(wts_why_missing(set, "blk.0.attn_q.weight", &err), CHOIR_FILE);
    assert_string_equal(
        err.msg,
        "m.gguf: tensor blk.0.attn_q.weight: type iq2_xxs not supported yet (f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, "
        "q5_1, iq4_nl, q2_K, q3_K, q4_K, q5_K, q6_K, iq4_xs are)");
    assert_int_equal(wts_why_missing(set, "b", &err), CHOIR_FILE);
    assert_string_equal(err.msg, "m.gguf: tensor b missing");
    wts_close(set);
    files_free(&b);
}

/* G38, R3: the small file ends at every byte, and has every bit of its header turned. */
static void survives_cuts_and_flips(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    files_small_gguf(&b);
    choir_error err;
    assert_int_equal(files_try_gguf(b.data, b.n, &err), CHOIR_OK);
    for (size_t cut = 0; cut < b.n; cut++) {
        unsigned char *copy = malloc(cut > 0 ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, b.data, cut);
        assert_int_equal(files_try_gguf(copy, cut, &err), CHOIR_FILE);
        assert_int_equal(strncmp(err.msg, "m.gguf: ", 8), 0);
        free(copy);
    }
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.data[bit / 8] = (unsigned char)(b.data[bit / 8] ^ 1 << bit % 8);
        choir_status status = files_try_gguf(b.data, b.n, &err);
        assert_true(status == CHOIR_OK || status == CHOIR_FILE);
        b.data[bit / 8] = (unsigned char)(b.data[bit / 8] ^ 1 << bit % 8);
    }
    /* Every byte of the header made the largest, eight at a time made nothing but ones. */
    for (size_t at = 0; at + 8 <= b.n; at++) {
        unsigned char saved[8];
        memcpy(saved, b.data + at, sizeof saved);
        memset(b.data + at, 0xff, sizeof saved);
        choir_status status = files_try_gguf(b.data, b.n, &err);
        assert_true(status == CHOIR_OK || status == CHOIR_FILE);
        memcpy(b.data + at, saved, sizeof saved);
    }
    files_free(&b);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* G41, R4: 2^20 tensors and 2^20 settings, in an order that has to be sorted.  The bound is for a slow machine under
 * a sanitizer; something quadratic takes hours. */
static void bounds_time(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    struct files_bytes b = {0};
    static const uint64_t ne[] = {1};
    files_gguf_start(&b, 3, N, N);
    for (uint32_t i = 0; i < N; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%07x", (i * 2654435761u) & (N - 1));
        files_gguf_key(&b, key, WTS_U8);
        files_add(&b, "", 1);
    }
    for (uint32_t i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%07x", (i * 2654435761u) & (N - 1));
        files_gguf_tensor(&b, name, 1, ne, 0, 32 * (uint64_t)i);
    }
    files_pad(&b, 32);
    files_add(&b, NULL, 0);
    size_t data = (size_t)N * 32;
    b.data = realloc(b.data, b.n + data);
    assert_non_null(b.data);
    memset(b.data + b.n, 0, data);
    b.n += data;
    double start = seconds();
    struct wts_set *set;
    choir_error err;
    assert_int_equal(wts_open_memory(&set, "m.gguf", b.data, b.n, &err), CHOIR_OK);
    double took = seconds() - start;
    assert_int_equal(set->n_tensors, N);
    assert_non_null(wts_find(set, "t00abcde"));
    assert_non_null(wts_meta_find(set, "k00abcde"));
    wts_close(set);
    free(b.data);
    if (took > 15) {
        print_error("2^20 tensors and settings: %.1f s\n", took);
    }
    assert_true(took <= 15);
}

/* G44 */
static void refuses_what_is_no_file(void **state)
{
    (void)state;
    char *dir = files_make_dir();
    struct wts_set *set;
    choir_error err;
    char want[256];
    static const struct {
        const char *name, *words;
    } rows[] = {
        {"none.gguf", "No such file or directory"},
        {"fifo.gguf", "not a regular file"},
        {"folder.gguf", "Is a directory, without config.json"},
    };
    assert_int_equal(mkfifo(files_path(dir, "fifo.gguf"), 0600), 0);
    assert_int_equal(mkdir(files_path(dir, "folder.gguf"), 0700), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *path = files_path(dir, rows[i].name);
        snprintf(want, sizeof want, "%s: %s", path, rows[i].words);
        assert_int_equal(wts_open(&set, path, false, &err), CHOIR_IO);
        assert_null(set);
        assert_string_equal(err.msg, want);
    }
    assert_int_equal(wts_open(&set, "/dev/zero", false, &err), CHOIR_IO);
    assert_string_equal(err.msg, "/dev/zero: not a regular file");
    assert_int_equal(wts_open(&set, "", false, &err), CHOIR_IO);
    assert_int_equal(wts_open(&set, "/dev/zero", false, NULL), CHOIR_IO);
    files_remove_dir(dir);
}

/* ---- G43: split files -------------------------------------------------------------------------------- */

static const char *write_split(const char *dir, const char *name, uint16_t no, uint16_t count, int32_t tensors,
                               const char *tensor)
{
    struct files_bytes b = {0};
    static const uint64_t ne[] = {8};
    files_gguf_start(&b, 3, 1, 3);
    files_gguf_key(&b, "split.no", WTS_U16);
    files_add(&b, &no, sizeof no);
    files_gguf_key(&b, "split.count", WTS_U16);
    files_add(&b, &count, sizeof count);
    files_gguf_key(&b, "split.tensors.count", WTS_I32);
    files_add(&b, &tensors, sizeof tensors);
    files_gguf_tensor(&b, tensor, 1, ne, 0, 0);
    files_pad(&b, 32);
    for (uint32_t i = 0; i < 8; i++) {
        files_add_f32(&b, (float)(no * 8u + i));
    }
    const char *path = files_write(dir, name, b.data, b.n);
    files_free(&b);
    return path;
}

static void joins_splits(void **state)
{
    (void)state;
    static const char first[] = "m-00001-of-00003.gguf", second[] = "m-00002-of-00003.gguf",
                      third[] = "m-00003-of-00003.gguf";
    char *dir = files_make_dir();
    struct wts_set *set;
    choir_error err;
    write_split(dir, second, 1, 3, 3, "a");
    write_split(dir, third, 2, 3, 3, "b");
    write_split(dir, first, 0, 3, 3, "c");
    assert_int_equal(wts_open(&set, files_path(dir, first), false, &err), CHOIR_OK);
    assert_int_equal(set->n_tensors, 3);
    float row[8];
    assert_int_equal(wts_read_rows(wts_find(set, "b"), 0, 1, row, &err), CHOIR_OK);
    assert_true(row[0] == 16 && row[7] == 23);
    wts_close(set);
    const struct {
        const char *name; /* written anew */
        uint16_t no, count;
        int32_t tensors;
        const char *tensor, *words;
    } rows[] = {
        {second, 4, 3, 3, "a", "m-00002-of-00003.gguf: split.no: 4, expected 1 (numbers begin at 0)"},
        {second, 1, 2, 3, "a",
         "m-00002-of-00003.gguf: belongs to another model: 2 splits with 3 tensors, the first one says 3 with 3"},
        {second, 1, 3, 7, "a", "belongs to another model: 3 splits with 7 tensors"},
        {third, 2, 3, 3, "a", "duplicate tensor a"},
        {second, 1, 3, 3, "b", "duplicate tensor b"},
        {first, 5, 3, 3, "c", "split.no: 5, split.count is 3 (numbers begin at 0)"},
        {first, 3, 3, 3, "c", "split.no: 3, split.count is 3"},
        {first, 0, 2000, 3, "c", "split.count: 2000 (at most 1024 allowed)"},
        {first, 1, 3, 3, "c", "split 2 of 3: open it by naming the first one"},
        {first, 0, 2, 3, "c", "split 1 of 2, but its name does not end with -00001-of-00002.gguf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_split(dir, first, 0, 3, 3, "c");
        write_split(dir, second, 1, 3, 3, "a");
        write_split(dir, third, 2, 3, 3, "b");
        write_split(dir, rows[i].name, rows[i].no, rows[i].count, rows[i].tensors, rows[i].tensor);
        assert_int_equal(wts_open(&set, files_path(dir, first), false, &err), CHOIR_FILE);
        assert_null(set);
        assert_non_null(strstr(err.msg, rows[i].words));
    }
    write_split(dir, first, 0, 3, 3, "c"); /* the numbers are right, the sum is not */
    for (int i = 0; i < 3; i++) {
        write_split(dir,
                    i == 0   ? first
                    : i == 1 ? second
                             : third,
                    (uint16_t)i, 3, 4,
                    i == 0   ? "c"
                    : i == 1 ? "a"
                             : "b");
    }
    assert_int_equal(wts_open(&set, files_path(dir, first), false, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "m-00001-of-00003.gguf: split.tensors.count: 4, the 3 files have 3 tensors"));
    assert_int_equal(wts_open(&set, files_path(dir, third), false, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "m-00003-of-00003.gguf: split 3 of 3: open it by naming m-00001-of-00003.gguf"));
    write_split(dir, first, 0, 3, 3, "c");
    unlink(files_path(dir, second));
    assert_int_equal(wts_open(&set, files_path(dir, first), false, &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, "m-00002-of-00003.gguf: No such file"));
    files_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_starts),
        cmocka_unit_test(refuses_headers),
        cmocka_unit_test(refuses_keys),
        cmocka_unit_test(refuses_values),
        cmocka_unit_test(refuses_nesting_of_any_depth),
        cmocka_unit_test(refuses_settings_that_disagree),
        cmocka_unit_test(refuses_tensors),
        cmocka_unit_test(refuses_layouts),
        cmocka_unit_test(refuses_layouts_of_unread_tensors),
        cmocka_unit_test(takes_what_is_odd_but_right),
        cmocka_unit_test(names_types_it_cannot_read),
        cmocka_unit_test(survives_cuts_and_flips),
        cmocka_unit_test(bounds_time),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(joins_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
