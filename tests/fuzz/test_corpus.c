/* The fuzz targets without a fuzzer: every file of tests/fuzz/corpus, and each first file ("seed-...") of a format ended at
 * every byte and with every bit turned.  A target that finds a promise broken aborts. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/check.h"

#define FOLDER "tests/fuzz/corpus/"
enum {
    PATH_CAP = 400,
    MAX_FILE = 1 << 20,
    CHANGES = 40000, /* of a file, at most: of more every second one, or third.. */
};

struct target {
    const char *name;
    fuzz_target *run;
};

static struct target targets[] = {
    {"gguf", fuzz_gguf},         {"safetensors", fuzz_safetensors},
    {"index", fuzz_index},       {"config", fuzz_config},
    {"llama2c", fuzz_llama2c},   {"tokenizer_json", fuzz_tokenizer_json},
    {"sp_model", fuzz_sp_model}, {"added", fuzz_added},
    {"state", fuzz_state},       {"jsonl", fuzz_jsonl},
    {"options", fuzz_options},   {"utf8", fuzz_utf8},
    {"encode", fuzz_encode},
};
enum { TARGETS = sizeof targets / sizeof targets[0] };

/* In memory of exactly that size, so that a sanitizer sees a byte too many read. */
static void run_exactly(const struct target *t, const void *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    if (n > 0) {
        memcpy(copy, data, n);
    }
    t->run(copy, n);
    free(copy);
}

static void each_file(const struct target *t, void (*use)(const struct target *, char *, size_t), const char *prefix)
{
    char folder[PATH_CAP], path[2 * PATH_CAP];
    size_t n, used = 0;
    snprintf(folder, sizeof folder, FOLDER "%s", t->name);
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        fail_msg("no folder %s; run this from the top of the repository", folder);
    }
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char *data;
        if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        assert_int_equal(base_file_slurp(path, MAX_FILE, &data, &n, NULL), CHOIR_OK);
        use(t, data, n);
        free(data);
        used++;
    }
    closedir(dir);
    assert_true(used > 0);
}

static void use_whole(const struct target *t, char *data, size_t n)
{
    run_exactly(t, data, n);
}

/* Prefixes, then bits: 9 changes a byte. */
static void use_changed(const struct target *t, char *data, size_t n)
{
    const size_t all = 9 * n, most = CHANGES / (size_t)check_every() + 1;
    const size_t stride = all > most ? all / most + 1 : 1;
    for (size_t i = 0; i < all; i += stride) {
        if (i < n) {
            run_exactly(t, data, i);
            continue;
        }
        const size_t bit = i - n;
        data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
        run_exactly(t, data, n);
        data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
    }
}

static void replays(void **state)
{
    each_file(*state, use_whole, "");
}

static void survives_cuts_and_flips(void **state)
{
    each_file(*state, use_changed, "seed-00");
}

int main(void)
{
    static char names[2 * TARGETS][64];
    struct CMUnitTest tests[2 * TARGETS];
    for (size_t i = 0; i < TARGETS; i++) {
        snprintf(names[2 * i], sizeof names[0], "replays_%s", targets[i].name);
        snprintf(names[2 * i + 1], sizeof names[0], "survives_cuts_and_flips_%s", targets[i].name);
        tests[2 * i] = (struct CMUnitTest){.name = names[2 * i], .test_func = replays, .initial_state = &targets[i]};
        tests[2 * i + 1] = (struct CMUnitTest){
            .name = names[2 * i + 1], .test_func = survives_cuts_and_flips, .initial_state = &targets[i]};
    }
    return cmocka_run_group_tests_name("fuzz corpus", tests, NULL, NULL);
}
