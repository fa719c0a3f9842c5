/* Logits and greedy ids of every model family against Hugging Face's classes (tools/golden/families.py): from a folder, from
 * the GGUF that `choir quantize` makes of it, with the same bits whatever the level, the threads and the chunks. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/family.h"
#include "tests/support/tiny.h"

static const double most = 1e-9;

/* The GGUF file that the folder becomes. */
enum gguf {
    ANOTHER, /* gives other bits: sums over a head go in another order, or a setting is rounded to f32 */
    SAME     /* gives the same bits */
};

static const struct row {
    const char *name;
    enum gguf gguf;
} rows[] = {
    {"falcon", SAME},
    {"falcon_new", SAME},
    {"falcon_new_one_norm", SAME},
    {"gemma", SAME},
    {"gemma2", SAME},
    {"gemma2_long", SAME},
    {"gemma3", SAME},
    {"gemma3_linear", SAME},
    {"gemma3_long", SAME},
    {"gpt2", SAME},
    {"gpt2_bare", SAME},
    {"internlm2", ANOTHER},
    {"llama", ANOTHER},
    {"llama3", ANOTHER},
    {"llama_bias", ANOTHER},
    {"llama_dynamic", ANOTHER},
    {"llama_dynamic_short", ANOTHER},
    {"llama_linear", ANOTHER},
    {"llama_yarn", ANOTHER},
    {"llama_yarn_factor", ANOTHER},
    {"llama_yarn_set", ANOTHER},
    {"mistral", ANOTHER},
    {"mistral_long", ANOTHER},
    {"mistral_window", ANOTHER},
    {"mixtral", ANOTHER},
    {"olmo2", SAME},
    {"phi3", SAME},
    {"phi3_long_factors", ANOTHER},
    {"phi3_partial", ANOTHER},
    {"phi3_short_factors", ANOTHER},
    {"phi3_su", ANOTHER},
    {"qwen2", SAME},
    {"qwen2_moe", SAME},
    {"qwen2_moe_mixed", SAME},
    {"qwen2_window", SAME},
    {"qwen2_yarn", SAME},
    {"qwen3", SAME},
    {"qwen3_moe", SAME},
    {"starcoder2", ANOTHER},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* The first is the one the others are held to. */
static const struct family_setting settings[] = {
    {NULL, false, 2, 64},     {"reference", false, 1, 64}, {"avx2", false, 3, 7}, {"avx512", false, 1, 7},
    {"avxvnni", true, 2, 64}, {NULL, true, 3, 1},          {NULL, false, 1, 512},
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

static void expect_golden(const struct family *f, const float *logits, int wrong, const char *what)
{
    double nmse = family_nmse(f, logits);
    if (!(nmse <= most)) {
        fail_msg("%s, %s: NMSE %.3g, at most %.3g wanted", f->name, what, nmse, most);
    }
    if (wrong >= 0) {
        fail_msg("%s, %s: greedy id %d is another", f->name, what, wrong);
    }
    if (getenv("FAMILIES_VERBOSE") != NULL) {
        fprintf(stderr, "%-24s %-24s NMSE %.2g\n", f->name, what, nmse);
    }
}

static void expect_same(const struct family *f, const float *a, const float *b, const char *what)
{
    if (memcmp(a, b, (size_t)(f->n_keep + f->n_greedy) * (size_t)f->vocab_size * sizeof *a) != 0) {
        fail_msg("%s: other bits %s", f->name, what);
    }
}

/* The golden numbers, and the same bits at every setting. */
static void check_folder(const struct family *f, const char *dir, const float *logits)
{
    for (int i = 1; i < N_SETTINGS; i++) {
        const struct family_setting *x = &settings[i];
        char what[96];
        int wrong;
        float *other = family_run(f, dir, x, &wrong);
        snprintf(what, sizeof what, "with cpu %s, %d threads, chunk %d%s", x->cpu != NULL ? x->cpu : "best", x->threads,
                 x->chunk, x->in_place ? ", in place" : "");
        expect_same(f, logits, other, what);
        free(other);
    }
}

static void check_saved(const struct family *f, const float *logits)
{
    char dir[TINY_PATH];
    int wrong;
    tiny_dir_make(dir);
    if (family_write(f, dir, "saved")) {
        float *other = family_run(f, dir, &settings[0], &wrong);
        expect_same(f, logits, other, "with config.json as the library saves it");
        free(other);
    }
    tiny_dir_remove(dir);
}

static void check_gguf(const struct family *f, const char *dir, const float *logits, bool same_bits)
{
    char path[TINY_PATH];
    choir_error err;
    choir_quantize_options opt = {.in = dir, .out = tiny_path(path, dir, "m.gguf"), .type = "f32"};
    if (choir_quantize(&opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    for (int in_place = 0; in_place <= 1; in_place++) {
        struct family_setting x = settings[0];
        int wrong;
        x.in_place = in_place != 0;
        float *other = family_run(f, path, &x, &wrong);
        expect_golden(f, other, wrong, "as GGUF");
        if (same_bits) {
            expect_same(f, logits, other, in_place ? "as GGUF in place" : "as GGUF");
        }
        free(other);
    }
}

static void test_family(void **state)
{
    const struct row *row = *state;
    struct family f;
    char dir[TINY_PATH];
    int wrong;
    family_load(&f, row->name);
    tiny_dir_make(dir);
    assert_true(family_write(&f, dir, "config"));
    float *logits = family_run(&f, dir, &settings[0], &wrong);
    expect_golden(&f, logits, wrong, "from a folder");
    check_folder(&f, dir, logits);
    check_saved(&f, logits);
    check_gguf(&f, dir, logits, row->gguf == SAME);
    free(logits);
    tiny_dir_remove(dir);
    family_free(&f);
}

/* Every golden file is in the list above. */
static void test_all_listed(void **state)
{
    (void)state;
    int n = 0;
    DIR *d = opendir("tests/golden/families");
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        const char *end = strstr(e->d_name, ".json");
        n += end != NULL;
        bool listed = end == NULL;
        for (int i = 0; !listed && i < N_ROWS; i++) {
            size_t length = strlen(rows[i].name);
            listed = (size_t)(end - e->d_name) == length && memcmp(e->d_name, rows[i].name, length) == 0;
        }
        if (!listed) {
            fail_msg("%s is not tested", e->d_name);
        }
    }
    closedir(d);
    assert_int_equal(n, N_ROWS);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[N_ROWS + 1] = {cmocka_unit_test(test_all_listed)};
    size_t n = 1;
    for (int i = 0; i < N_ROWS; i++) {
        if (argc < 2 || strcmp(argv[1], rows[i].name) == 0) { /* one by name, when working on it */
            tests[n++] = (struct CMUnitTest){rows[i].name, test_family, NULL, NULL, (void *)(uintptr_t)&rows[i]};
        }
    }
    return _cmocka_run_group_tests("families", tests, n, NULL, NULL);
}
