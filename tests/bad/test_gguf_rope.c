/* The divisors of longrope in GGUF files, which are two tensors: of another size, or with numbers that divide nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

#define SHORT "rope_factors_short.weight"
#define LONG  "rope_factors_long.weight"

enum { PAIRS = 8 }; /* of heads of 16 numbers */

struct tensor {
    const char *name;
    int n_dims;
    uint64_t shape[2];
    float last; /* of its numbers; the others are 1 */
};

static choir_status open_with(const struct tensor *tensors, int n, choir_error *err)
{
    struct golden g;
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model_options opt;
    choir_model *m;
    golden_load(&g, "mha_tied");
    assert_int_equal(g.head_dim, 2 * PAIRS);
    tiny_dir_make(dir);
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    golden_free(&g);
    for (int i = 0; i < n; i++) {
        float values[2 * PAIRS];
        const struct tensor *t = &tensors[i];
        const uint64_t count = t->shape[0] * (t->n_dims > 1 ? t->shape[1] : 1);
        assert_true(count <= 2 * PAIRS);
        for (uint64_t k = 0; k < count; k++) {
            values[k] = k + 1 < count ? 1 : t->last;
        }
        tiny_gguf_tensor(&file, t->name, DTYPE_F32, t->n_dims, t->shape, values);
    }
    tiny_gguf_write(&file, dir, "m.gguf");
    choir_model_options_default(&opt);
    opt.path = tiny_path(path, dir, "m.gguf");
    opt.text_optional = true;
    choir_status status = choir_model_open(&m, &opt, err);
    choir_model_close(m);
    tiny_dir_remove(dir);
    return status;
}

static void refused(void **state)
{
    static const struct {
        struct tensor tensors[2];
        int n;
        const char *message;
    } rows[] = {
        {{{LONG, 1, {PAIRS}, 1}}, 1, "m.gguf: tensor " SHORT " missing"},
        {{{LONG, 1, {PAIRS - 1}, 1}, {SHORT, 1, {PAIRS}, 1}}, 2, "m.gguf: tensor " LONG ": 7 numbers, expected 8"},
        {{{LONG, 1, {PAIRS}, 1}, {SHORT, 1, {PAIRS + 1}, 1}}, 2, "m.gguf: tensor " SHORT ": 9 numbers, expected 8"},
        {{{LONG, 1, {PAIRS}, 1}, {SHORT, 2, {2, PAIRS}, 1}}, 2, "m.gguf: tensor " SHORT ": 8 numbers, expected 8"},
        {{{LONG, 1, {PAIRS}, 1}, {SHORT, 1, {PAIRS}, 0}}, 2, "m.gguf: tensor " SHORT ": element 7: 0 must be above 0"},
        {{{LONG, 1, {PAIRS}, -1}, {SHORT, 1, {PAIRS}, 1}}, 2, "m.gguf: tensor " LONG ": element 7: -1 must be above 0"},
        {{{LONG, 1, {PAIRS}, NAN}, {SHORT, 1, {PAIRS}, 1}},
         2,
         "m.gguf: tensor " LONG ": element 7: nan must be above 0"},
        {{{LONG, 1, {PAIRS}, 1e13f}, {SHORT, 1, {PAIRS}, 1}}, 2, "m.gguf: tensor " LONG ": element 7: 1e+13"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        choir_error err = {0};
        choir_status status = open_with(rows[i].tensors, rows[i].n, &err);
        if (status != CHOIR_FILE || strstr(err.msg, rows[i].message) == NULL) {
            fail_msg("row %zu: status %d, \"%s\" instead of \"%s\"", i, (int)status, err.msg, rows[i].message);
        }
    }
}

static void right(void **state)
{
    static const struct tensor tensors[] = {{LONG, 1, {PAIRS}, 2}, {SHORT, 1, {PAIRS}, 1}};
    choir_error err = {0};
    (void)state;
    if (open_with(tensors, 2, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused), cmocka_unit_test(right)};
    return cmocka_run_group_tests_name("divisors of longrope", tests, NULL, NULL);
}
