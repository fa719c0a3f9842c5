/* Hostile llama2.c files, the three versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/files.h"

static const struct wts_llama2c small = {
    .dim = 8,
    .hidden_dim = 6,
    .n_layers = 2,
    .n_heads = 2,
    .n_kv_heads = 1,
    .vocab_size = 3,
    .max_seq_len = 2,
    .shared_output = true,
    .group_size = 4,
};

static char *dir;

static int make_dir(void **state)
{
    (void)state;
    dir = files_make_dir();
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    files_remove_dir(dir);
    return 0;
}

static void small_file(struct files_bytes *b, int version, bool shared)
{
    struct wts_llama2c h = small;
    h.version = version;
    h.shared_output = shared;
    files_llama2c(b, &h, 1);
}

static void refused(const struct files_bytes *b, const char *message)
{
    choir_error err = {.code = CHOIR_OK};
    const char *path = files_write(dir, "m.bin", b->data, b->n);
    char want[500];
    snprintf(want, sizeof want, "%s: %s", path, message);
    choir_status status = files_try(path, &err);
    if (strcmp(err.msg, want) != 0) {
        print_error("wanted: %s\n   got: %s (%d)\n", want, err.msg, (int)status);
    }
    assert_int_equal(status, CHOIR_FILE);
    assert_string_equal(err.msg, want);
}

static void refuses_other_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {"", 0, "empty file"},
        {"abc", 3, "truncated: 3 bytes, a llama2.c header needs 28"},
        {"24ka\1\0\0\0", 8, "truncated: 8 bytes, a llama2.c header needs 256"},
        {"<!DOCTYPE html><html><head></head></html>", 41, "not a GGUF or llama2.c file: it looks like an HTML page"},
        {"version https://git-lfs.github.com/spec/v1\n", 43,
         "not a GGUF or llama2.c file: it is a git-lfs pointer, not the file itself"},
        {"PK\3\4 this is an archive of some kind", 36, "not a GGUF or llama2.c file (starts with \"PK\\x03\\x04\")"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        files_add(&b, rows[i].bytes, rows[i].n);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* One number of the header changed. */
static void refuses_headers(void **state)
{
    (void)state;
    static const struct {
        int version;
        size_t at;
        int32_t value;
        const char *message;
    } rows[] = {
        {0, 4, 0, "hidden_dim: 0 (1 to 16777216 allowed)"},
        {0, 4, -1, "hidden_dim: -1 (1 to 16777216 allowed)"},
        {0, 8, 1025, "n_layers: 1025 (1 to 1024 allowed)"},
        {0, 12, 0, "n_heads: 0 (1 to 4096 allowed)"},
        {0, 12, 3, "dim 8 not divisible by 3 attention heads"},
        {0, 16, 0, "n_kv_heads: 0 (1 to 4096 allowed)"},
        {0, 16, 4, "2 attention heads not divisible by 4 key/value heads"},
        {0, 20, 0, "vocab_size: 0 (1 to 16777216 allowed)"},
        {0, 20, INT32_MIN, "vocab_size: -2147483648 (1 to 16777216 allowed)"},
        {0, 24, 0, "seq_len: 0 (1 to 2147483647 allowed)"},
        {0, 24, INT32_MAX, "3004 bytes, a model of dim 8 and 2 layers needs 34359741324 (incomplete download?)"},
        {0, 4, 16777216, "3004 bytes, a model of dim 8 and 2 layers needs 3221227324 (incomplete download?)"},
        {0, 8, 1, "3004 bytes, a model of dim 8 and 1 layers needs 1596"},
        {0, 20, -3, "3004 bytes, a model of dim 8 and 2 layers needs 3100 (incomplete download?)"},
        {1, 4, 0, "llama2.c version 0 not supported (legacy, 1 and 2 are)"},
        {1, 4, 3, "llama2.c version 3 not supported (legacy, 1 and 2 are)"},
        {1, 8, -1, "dim: -1 (1 to 16777216 allowed)"},
        {1, 36, 2, "shared classifier flag is 2 (must be 0 or 1)"},
        {1, 8, 16777216,
         "3200 bytes, a model of dim 16777216 and 2 layers needs 6755402393846016 (incomplete download?)"},
        {2, 37, 0, "group_size: 0 (1 to 16777216 allowed)"},
        {2, 37, -4, "group_size: -4 (1 to 16777216 allowed)"},
        {2, 37, 5, "tensor token_embd.weight: 24 values are not a multiple of the group size 5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files_bytes b = {0};
        small_file(&b, rows[i].version, true);
        memcpy(b.data + rows[i].at, &rows[i].value, sizeof rows[i].value);
        refused(&b, rows[i].message);
        files_free(&b);
    }
}

/* R3: every cut, one byte more, every bit of the header. */
static void survives_cuts_and_flips(void **state)
{
    (void)state;
    choir_error err;
    for (int kind = 0; kind < 6; kind++) {
        struct files_bytes b = {0};
        small_file(&b, kind / 2, kind % 2);
        const char *path = files_write(dir, "m.bin", b.data, b.n);
        assert_int_equal(files_try(path, &err), CHOIR_OK);
        for (size_t cut = 0; cut < b.n; cut += cut < 300 || cut > b.n - 40 ? 1 : 7) {
            path = files_write(dir, "m.bin", b.data, cut);
            assert_int_equal(files_try(path, &err), CHOIR_FILE);
        }
        size_t header = kind < 2 ? 28 : 48;
        for (size_t bit = 0; bit < header * 8; bit++) {
            b.data[bit / 8] = (unsigned char)(b.data[bit / 8] ^ 1 << bit % 8);
            path = files_write(dir, "m.bin", b.data, b.n);
            choir_status status = files_try(path, &err);
            assert_true(status == CHOIR_OK || status == CHOIR_FILE);
            b.data[bit / 8] = (unsigned char)(b.data[bit / 8] ^ 1 << bit % 8);
        }
        files_add_zeros(&b, 1);
        path = files_write(dir, "m.bin", b.data, b.n);
        assert_int_equal(files_try(path, &err), CHOIR_FILE);
        files_free(&b);
    }
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(refuses_other_files),
        IN_DIR(refuses_headers),
        IN_DIR(survives_cuts_and_flips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
