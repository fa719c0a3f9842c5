/* Memory runs out (oom.h) while a sequence is kept in a file and taken from one: the file is the old one or the new one, the
 * sequence has its own ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "choir.h"
#include "tests/oom/oom.h"
#include "tests/support/files.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_IDS = 20, N_OTHER = 7 };

struct fixture {
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model *model;
    choir_engine *engine;
    choir_sequence *seq, *other;
    int32_t ids[N_IDS];
    char *file, *file_other; /* what each of them is in a file */
    size_t n_file, n_other;
};

static choir_sequence *open_sequence(choir_engine *e, const int32_t *ids, size_t n)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, ids, n, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    return s;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct golden g;
    choir_model_options mo;
    choir_engine_options eo;
    assert_non_null(f);
    golden_load(&g, "gqa_wide");
    tiny_dir_make(f->dir);
    golden_write_hf(&g, f->dir, DTYPE_F32);
    tiny_path(f->path, f->dir, "s.kv");
    memcpy(f->ids, g.ids, sizeof f->ids);
    golden_free(&g);
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    mo.path = f->dir;
    mo.text_optional = true;
    eo.ctx_size = 32;
    eo.n_threads = 1;
    eo.n_seqs = 3;
    assert_int_equal(choir_model_open(&f->model, &mo, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_open(&f->engine, f->model, &eo, NULL), CHOIR_OK);
    f->seq = open_sequence(f->engine, f->ids, N_IDS);
    f->other = open_sequence(f->engine, f->ids + 1, N_OTHER);
    assert_int_equal(choir_sequence_save(f->other, f->path, NULL), CHOIR_OK);
    assert_int_equal(base_file_slurp(f->path, 1 << 20, &f->file_other, &f->n_other, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_save(f->seq, f->path, NULL), CHOIR_OK);
    assert_int_equal(base_file_slurp(f->path, 1 << 20, &f->file, &f->n_file, NULL), CHOIR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_sequence_close(f->seq);
    choir_sequence_close(f->other);
    choir_engine_close(f->engine);
    choir_model_close(f->model);
    tiny_dir_remove(f->dir);
    free(f->file);
    free(f->file_other);
    free(f);
    return 0;
}

static choir_status load(void *user, choir_error *err)
{
    struct fixture *f = user;
    choir_status status = choir_sequence_load(f->other, f->path, err);
    const size_t n = status == CHOIR_OK ? N_IDS : N_OTHER;
    assert_int_equal(choir_sequence_length(f->other), n);
    assert_memory_equal(choir_sequence_ids(f->other), f->ids + (status == CHOIR_OK ? 0 : 1), n * sizeof *f->ids);
    if (status == CHOIR_OK) {
        choir_sequence_truncate(f->other, 0);
        assert_int_equal(choir_sequence_append(f->other, f->ids + 1, N_OTHER, NULL), CHOIR_OK);
    }
    return status;
}

static void test_load(void **state)
{
    struct fixture *f = *state;
    oom_run(load, f, "a sequence from a file", f->dir);
}

/* Without a name for the folder, or a file that has none, another way is gone: not each failure is one of the call. */
static void test_save(void **state)
{
    const struct fixture *f = *state;
    int n_failed = 0;
    for (int rest = 0; rest < 2; rest++) {
        bool failed = true;
        for (long k = 1; failed; k++) {
            choir_error err = {.code = CHOIR_OK};
            char *now;
            size_t n;
            tiny_write(f->dir, "s.kv", f->file_other, f->n_other);
            const int n_files = files_count(f->dir);
            oom_arm(k, rest == 1);
            choir_status status = choir_sequence_save(f->seq, f->path, &err);
            failed = oom_disarm() >= k;
            assert_int_equal(files_count(f->dir), n_files);
            assert_int_equal(base_file_slurp(f->path, 1 << 20, &now, &n, NULL), CHOIR_OK);
            if (status == CHOIR_OK) {
                assert_int_equal(n, f->n_file);
                assert_memory_equal(now, f->file, n);
            } else {
                assert_int_equal(status, CHOIR_RESOURCE);
                assert_non_null(strstr(err.msg, "memory"));
                assert_int_equal(n, f->n_other);
                assert_memory_equal(now, f->file_other, n);
                n_failed++;
            }
            free(now);
        }
    }
    assert_true(n_failed >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_save, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("memory for states", tests, NULL, NULL);
}
