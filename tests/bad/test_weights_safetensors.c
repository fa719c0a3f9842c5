/* Hostile safetensors files and shard indexes.  Ids are those of the bad-input list. */
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

static const char one_file[] = "model.safetensors", index_file[] = "model.safetensors.index.json";

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

/* The folder as it is gives `status`, and a message that ends with `message` behind the folder's name and a slash. */
static void gives(choir_status status, const char *message)
{
    choir_error err = {.code = CHOIR_OK};
    char want[600] = "";
    choir_status got = files_try(dir, &err);
    if (status != CHOIR_OK) {
        snprintf(want, sizeof want, "%s/%s", dir, message);
    }
    if (got != status || strcmp(err.msg, want) != 0) {
        print_error("wanted: %s (%d)\n   got: %s (%d)\n", want, (int)status, err.msg, (int)got);
    }
    assert_int_equal(got, status);
    assert_string_equal(err.msg, want);
}

/* model.safetensors with this header and n bytes of data. */
static void write_one(const char *header, size_t n)
{
    struct files_bytes b = {0};
    files_safetensors(&b, header, NULL, n);
    files_write(dir, one_file, b.data, b.n);
    files_free(&b);
}

static void refuses_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {"", 0, "model.safetensors: truncated: 0 bytes, the header length needs 8"},
        {"\2\0\0\0\0\0\0", 7, "model.safetensors: truncated: 7 bytes, the header length needs 8"},
        {"\0\0\0\0\0\0\0\0", 8, "model.safetensors: header length 0"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff{}", 10,
         "model.safetensors: header length 18446744073709551615 exceeds 100000000"},
        {"\xf8\xff\xff\xff\xff\xff\xff\xff{}", 10,
         "model.safetensors: header length 18446744073709551608 exceeds 100000000"},
        {"\x01\xe1\xf5\x05\0\0\0\0{}", 10, "model.safetensors: header length 100000001 exceeds 100000000"},
        {"\x03\0\0\0\0\0\0\0{}", 10, "model.safetensors: header ends at byte 11, file has 10"},
        {"\x02\0\0\0\0\0\0\0 {}", 11, "model.safetensors: header does not start with {"},
        {"\x02\0\0\0\0\0\0\0[]", 10, "model.safetensors: header does not start with {"},
        {"version https://git-lfs.github.com/spec/v1\n", 43,
         "model.safetensors: not a safetensors file: it is a git-lfs pointer, not the file itself"},
        {"<!DOCTYPE html>", 15, "model.safetensors: not a safetensors file: it looks like an HTML page"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        files_write(dir, one_file, rows[i].bytes, rows[i].n);
        gives(CHOIR_FILE, rows[i].message);
    }
}

#define A(dtype, shape, offsets) "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define F32A(offsets)            "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":" offsets "}"

static void refuses_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } rows[] = {
        {"{\"a\xff\":1}", 0, "model.safetensors: header byte 3: invalid UTF-8"},
        {A("\"F32\"", "[4]", "[0,NaN]"), 16, "model.safetensors: header byte 50: expected a whole number"},
        {A("\"F32\"", "[4]", "[0,1e3]"), 16, "model.safetensors: header byte 51: expected a whole number"},
        {A("\"F32\"", "[4]", "[0,016]"), 16, "model.safetensors: header byte 53: expected a whole number"},
        {A("\"F32\"", "[4]", "[0,-16]"), 16, "model.safetensors: header byte 50: expected a whole number"},
        {A("\"F32\"", "[4]", "[0,18446744073709551616]"), 16,
         "model.safetensors: header byte 69: expected a whole number"},
        {A("\"F32\"", "[4]", "[0,16,32]"), 16, "model.safetensors: header byte 52: expected \"]\""},
        {A("\"F32\"", "[4,]", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {"{\"a\":" F32A("[0,16]") ",}", 16, "model.safetensors: header byte 55: expected a string"},
        {"{\"a\":" F32A("[0,16]") "} x", 16, "model.safetensors: header byte 56: expected the end"},
        {"{\"a\":" F32A("[0,16]") "}{}", 16, "model.safetensors: header byte 55: expected the end"},
        {"{\"a\":" F32A("[0,16]"), 16, "model.safetensors: header byte 54: expected \",\" or \"}\""},
        {"{/**/}", 0, "model.safetensors: header byte 1: expected a string"},
        {"{\"a\x1b\":{}}", 0, "model.safetensors: header byte 3: expected no control character in a string"},
        {"{\"a\\x\":{}}", 0, "model.safetensors: header byte 5: expected a valid escape"},
        {"{\"a\\ud800\":{}}", 0, "model.safetensors: header byte 9: expected a valid escape"},
        {"{\"a\\u0000\":{}}", 0, "model.safetensors: header byte 9: expected a valid escape"},
        {"{\"a", 0, "model.safetensors: header byte 3: expected the end of a string"},
        {"{\"a\":[]}", 0, "model.safetensors: header byte 5: expected \"{\""},
        {"{\"a\":{}}", 0, "model.safetensors: header byte 6: expected a string"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0,
         "model.safetensors: header byte 28: expected dtype, shape and data_offsets, each once"},
        {"{\"a\":" F32A("[0,16]") ",\"a\":" F32A("[16,32]") "}", 32, "model.safetensors: duplicate tensor \"a\""},
        {"{\"a\":" F32A("[0,16]") ",\"\\u0061\":" F32A("[16,32]") "}", 32, "model.safetensors: duplicate tensor \"a\""},
        {A("\"F7\"", "[4]", "[0,16]"), 16, "model.safetensors: tensor a: dtype \"F7\" not known"},
        {A("7", "[4]", "[0,16]"), 16, "model.safetensors: tensor a: dtype is not a string"},
        {"{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", 16, "model.safetensors: tensor a: dtype missing"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", 16, "model.safetensors: tensor a: shape missing"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", 16, "model.safetensors: tensor a: data_offsets missing"},
        {A("\"F32\"", "[-1]", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {A("\"F32\"", "[1.5]", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {A("\"F32\"", "[18446744073709551616]", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {A("\"F32\"", "null", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {A("\"F32\"", "[null]", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {A("\"F32\"", "[1,1,1,1,1,1,1,1,4]", "[0,16]"), 16, "model.safetensors: tensor a: bad shape"},
        {A("\"F32\"", "[4611686018427387904,4]", "[0,16]"), 16, "model.safetensors: tensor a: shape overflows"},
        {A("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, "model.safetensors: tensor a: shape overflows"},
        {A("\"F32\"", "[0,9223372036854775808,4]", "[0,0]"), 0, "model.safetensors: tensor a: shape overflows"},
        {A("\"F64\"", "[4]", "[0,16]"), 16, "model.safetensors: tensor a: 16 bytes of data, shape and type need 32"},
        {A("\"F32\"", "[4]", "[16,0]"), 16, "model.safetensors: tensor a: data ends before it starts"},
        {A("\"F32\"", "[4]", "[4080,4096]"), 16, "model.safetensors: tensor a: ends at 4096, data has 16 bytes"},
        {A("\"F32\"", "[4]", "[18446744073709551599,18446744073709551615]"), 16,
         "model.safetensors: tensor a: ends at 18446744073709551615, data has 16 bytes"},
        {A("\"F4\"", "[3]", "[0,2]"), 2, "model.safetensors: tensor a: does not fill whole bytes"},
        {"{\"a\":" F32A("[0,16]") ",\"b\":" F32A("[15,31]") "}", 31, "model.safetensors: tensors a and b overlap"},
        {"{\"b\":" F32A("[0,16]") ",\"a\":" F32A("[0,16]") "}", 16, "model.safetensors: tensors b and a overlap"},
        {"{\"a\":" F32A("[16,32]") "}", 32, "model.safetensors: 16 bytes at 0 belong to no tensor"},
        {"{\"a\":" F32A("[0,16]") ",\"b\":" F32A("[32,48]") "}", 48,
         "model.safetensors: 16 bytes at 16 belong to no tensor"},
        {"{\"a\":" F32A("[0,16]") "}", 17, "model.safetensors: 1 bytes at 16 belong to no tensor"},
        {"{}", 1, "model.safetensors: 1 bytes at 0 belong to no tensor"},
        {"{\"__metadata__\":{\"x\":3}}", 0, "model.safetensors: __metadata__: value of \"x\" is not a string"},
        {"{\"__metadata__\":{\"x\":\"3\"}", 0, "model.safetensors: header byte 25: expected \",\" or \"}\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_one(rows[i].header, rows[i].data);
        gives(CHOIR_FILE, rows[i].message);
    }
}

static void takes_what_is_odd_but_right(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
    } rows[] = {
        {"{}", 0},
        {"{} \n\t\r ", 0},
        {"{\"__metadata__\":{}}", 0},
        {"{\"__metadata__\":{\"format\":\"pt\",\"x\":\"\\\"\"},\"a\":" F32A("[0,16]") "}    ", 16},
        {"{ \"a\" : { \"data_offsets\" : [ 0 , 16 ] , \"shape\" : [ 4 ] , \"dtype\" : \"F32\" } }", 16},
        {A("\"F32\"", "[]", "[0,4]"), 4},      /* S23 */
        {A("\"F32\"", "[0,64]", "[0,0]"), 0},  /* S22: found missing or misshapen by who needs it */
        {"{ \"odd\":" F32A("[0,16]") "}", 16}, /* S25: data at an odd byte */
        {"{\"z\":" F32A("[0,16]") ",\"a\":" F32A("[16,32]") ",\"0\":{\"dtype\":\"F32\",\"shape\":[2,0],"
                                                            "\"data_offsets\":[16,16]}}",
         32},
        {A("\"F16\"", "[1,1,1,1,8]", "[0,16]"), 16},
        {A("\"I64\"", "[2]", "[0,16]"), 16},
        {A("\"F4\"", "[32]", "[0,16]"), 16},
        {"{\"\\u00e4\\ud83d\\ude00\\n\":" F32A("[0,16]") "}", 16},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_one(rows[i].header, rows[i].data);
        gives(CHOIR_OK, "");
    }
    struct wts_set *set;
    choir_error err;
    assert_int_equal(wts_open(&set, dir, false, &err), CHOIR_OK);
    assert_int_equal(set->n_tensors, 1);
    assert_string_equal(set->tensors[0].name, "\xc3\xa4\xf0\x9f\x98\x80\n");
    wts_close(set);
}

/* S31, and shapes of more than four dimensions. */
static void names_types_it_cannot_read(void **state)
{
    (void)state;
    write_one("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]},"
              "\"c\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[12,16]},"
              "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
              16);
    struct wts_set *set;
    choir_error err;
    char want[300];
    assert_int_equal(wts_open(&set, dir, false, &err), CHOIR_OK);
    assert_int_equal(set->n_tensors, 1);
    assert_non_null(wts_find(set, "b"));
    static const struct {
        const char *name, *words;
    } rows[] = {
        {"a", "tensor a: type F8_E4M3 not supported"},
        {"c", "tensor c: 5 dimensions (at most 4 allowed)"},
        {"model.layers.3.mlp.up_proj.weight", "tensor model.layers.3.mlp.up_proj.weight missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(wts_find(set, rows[i].name));
        assert_int_equal(wts_why_missing(set, rows[i].name, &err), CHOIR_FILE);
        snprintf(want, sizeof want, "%s/model.safetensors: %s", dir, rows[i].words);
        assert_string_equal(err.msg, want);
    }
    wts_close(set);
}

/* R3 */
static void survives_cuts_and_flips(void **state)
{
    (void)state;
    struct files_bytes b = {0};
    choir_error err;
    files_safetensors(&b,
                      "{\"__metadata__\":{\"x\":\"\\u00e4\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2,2],"
                      "\"data_offsets\":[0,16]},\"\\n\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[16,22]}} ",
                      NULL, 22);
    size_t header = b.n - 22;
    for (size_t cut = 0; cut < b.n; cut++) {
        files_write(dir, one_file, b.data, cut);
        assert_int_equal(files_try(dir, &err), CHOIR_FILE);
        assert_non_null(strstr(err.msg, "/model.safetensors: "));
    }
    for (size_t bit = 0; bit < header * 8; bit++) {
        b.data[bit / 8] = (unsigned char)(b.data[bit / 8] ^ 1 << bit % 8);
        files_write(dir, one_file, b.data, b.n);
        choir_status status = files_try(dir, &err);
        assert_true(status == CHOIR_OK || status == CHOIR_FILE);
        b.data[bit / 8] = (unsigned char)(b.data[bit / 8] ^ 1 << bit % 8);
    }
    files_free(&b);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* S20: 10^6 names, all on one range, and then each on its own. */
static void bounds_time(void **state)
{
    (void)state;
    enum { N = 1000000 };
    for (int own = 0; own < 2; own++) {
        struct files_bytes b = {0};
        files_add_u64(&b, 0);
        for (uint32_t i = 0; i < N; i++) {
            char entry[128];
            unsigned long begin = own ? 4ul * i : 0;
            int n =
                snprintf(entry, sizeof entry, "%c\"%07x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%lu,%lu]}",
                         i == 0 ? '{' : ',', (i * 2654435761u) & 0xfffffff, begin, begin + 4);
            files_add(&b, entry, (size_t)n);
        }
        files_add_text(&b, "}");
        uint64_t header = b.n - 8;
        memcpy(b.data, &header, sizeof header);
        files_add(&b, b.data, own ? 4 * N : 4);
        files_write(dir, one_file, b.data, b.n);
        files_free(&b);
        double start = seconds();
        choir_error err;
        struct wts_set *set;
        choir_status status = wts_open(&set, dir, false, &err);
        double took = seconds() - start;
        wts_close(set);
        assert_int_equal(status, own ? CHOIR_OK : CHOIR_FILE);
        if (took > 15) {
            print_error("10^6 names: %.1f s\n", took);
        }
        assert_true(took <= 15);
    }
}

/* ---- shards ------------------------------------------------------------------------------------------ */

static void write_shard(const char *name, const char *tensor)
{
    struct files_bytes b = {0};
    char header[200];
    snprintf(header, sizeof header, "{\"%s\":" F32A("[0,16]") "}", tensor);
    files_safetensors(&b, header, NULL, 16);
    files_write(dir, name, b.data, b.n);
    files_free(&b);
}

static void refuses_indexes(void **state)
{
    (void)state;
    write_shard("1.safetensors", "a");
    write_shard("2.safetensors", "b");
    static const struct {
        const char *text;
        choir_status status;
        const char *message;
    } rows[] = {
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"},\"metadata\":{\"total_size\":32}}",
         CHOIR_OK, ""},
        {"{}", CHOIR_FILE, "model.safetensors.index.json: weight_map missing"},
        {"{\"weight_map\":[]}", CHOIR_FILE, "model.safetensors.index.json: weight_map missing"},
        {"", CHOIR_FILE, "model.safetensors.index.json: empty file"},
        {"[]", CHOIR_FILE, "model.safetensors.index.json: not an object"},
        {"{\"weight_map\":{\"a\":1}}", CHOIR_FILE,
         "model.safetensors.index.json: weight_map: value of \"a\" is not a string"},
        {"{\"weight_map\":{\"a\":\"../x\"}}", CHOIR_FILE,
         "model.safetensors.index.json: shard name \"../x\" leaves the model directory"},
        {"{\"weight_map\":{\"b\":\"1.safetensors\",\"a\":\"/etc/passwd\"}}", CHOIR_FILE,
         "model.safetensors.index.json: shard name \"/etc/passwd\" leaves the model directory"},
        {"{\"weight_map\":{\"a\":\"a/../../b\"}}", CHOIR_FILE,
         "model.safetensors.index.json: shard name \"a/../../b\" leaves the model directory"},
        {"{\"weight_map\":{\"a\":\"..\"}}", CHOIR_FILE,
         "model.safetensors.index.json: shard name \"..\" leaves the model directory"},
        {"{\"weight_map\":{\"a\":\"\"}}", CHOIR_FILE,
         "model.safetensors.index.json: shard name \"\" leaves the model directory"},
        {"{\"weight_map\":{\"a\":\"a\\u0000b\"}}", CHOIR_FILE, "model.safetensors.index.json:1:30: NUL character"},
        {"{\"weight_map\":{\"a\":\"9.safetensors\"}}", CHOIR_IO, "9.safetensors: No such file or directory"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"}}", CHOIR_FILE,
         "model.safetensors.index.json: tensor c not in 2.safetensors"},
        {"{\"weight_map\":{\"a\":\"2.safetensors\",\"b\":\"1.safetensors\"}}", CHOIR_FILE,
         "model.safetensors.index.json: tensor a not in 2.safetensors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        files_write(dir, index_file, rows[i].text, strlen(rows[i].text));
        gives(rows[i].status, rows[i].message);
    }
    write_shard("2.safetensors", "a");
    files_write(dir, index_file, rows[0].text, strlen(rows[0].text));
    choir_error err;
    assert_int_equal(files_try(dir, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "safetensors: duplicate tensor \"a\""));
}

/* S26: a shard outside is not even opened: one that would hang (a FIFO) does not. */
static void opens_nothing_outside(void **state)
{
    (void)state;
    char *outer = dir;
    assert_int_equal(mkfifo(files_path(outer, "fifo"), 0600), 0);
    dir = strdup(files_path(outer, "model"));
    assert_non_null(dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    static const char text[] = "{\"weight_map\":{\"a\":\"../fifo\"}}";
    files_write(dir, index_file, text, sizeof text - 1);
    gives(CHOIR_FILE, "model.safetensors.index.json: shard name \"../fifo\" leaves the model directory");
    files_remove_dir(dir);
    dir = outer;
}

static void opens_folders_without_weights(void **state)
{
    (void)state;
    struct wts_set *set;
    choir_error err;
    assert_int_equal(wts_open(&set, dir, false, &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, ": Is a directory, without config.json"));
    assert_int_equal(wts_open(&set, dir, true, &err), CHOIR_IO);
    files_write(dir, "config.json", "{}", 2);
    assert_int_equal(wts_open(&set, dir, false, &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, ": neither model.safetensors nor model.safetensors.index.json in it"));
    assert_int_equal(wts_open(&set, dir, true, &err), CHOIR_OK);
    assert_int_equal(set->n_tensors, 0);
    assert_null(wts_find(set, "a"));
    assert_string_equal(set->model_file, files_path(dir, "config.json"));
    wts_close(set);
    write_one("{}", 0);
    assert_int_equal(wts_open(&set, files_path(dir, one_file), false, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "model.safetensors: give the folder that holds it and its config.json"));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(refuses_lengths),
        IN_DIR(refuses_headers),
        IN_DIR(takes_what_is_odd_but_right),
        IN_DIR(names_types_it_cannot_read),
        IN_DIR(survives_cuts_and_flips),
        IN_DIR(bounds_time),
        IN_DIR(refuses_indexes),
        IN_DIR(opens_nothing_outside),
        IN_DIR(opens_folders_without_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
