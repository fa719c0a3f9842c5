/* A small file of a sequence with every bit turned, one after another: each refused, and the sequence that was to be replaced
 * is what it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "choir.h"
#include "tests/support/check.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_IDS = 20, N_OWN = 7, CTX = 48 };

static choir_sequence *open_sequence(choir_engine *e, const int32_t *ids, int32_t n)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, ids, (size_t)n, NULL), CHOIR_OK);
    while (choir_sequence_computed(s) < n) {
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    }
    return s;
}

static choir_engine *open_engine(choir_model **m, const char *path)
{
    choir_model_options model_options;
    choir_engine_options options;
    choir_engine *e;
    choir_model_options_default(&model_options);
    model_options.path = path;
    model_options.text_optional = true;
    model_options.n_threads = 1;
    choir_engine_options_default(&options);
    options.ctx_size = CTX;
    options.n_seqs = 2;
    options.n_threads = 1;
    assert_int_equal(choir_model_open(m, &model_options, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_open(&e, *m, &options, NULL), CHOIR_OK);
    return e;
}

static void refuses_every_flip(void **state)
{
    (void)state;
    int32_t ids[N_IDS];
    for (int i = 0; i < N_IDS; i++) {
        ids[i] = 3 * i % 16;
    }
    const struct golden g = {.name = "flips",
                             .seed = 5,
                             .dim = 8,
                             .hidden_dim = 8,
                             .n_layers = 1,
                             .n_heads = 1,
                             .n_kv_heads = 1,
                             .head_dim = 8,
                             .vocab_size = 16,
                             .max_seq_len = CTX};
    char dir[TINY_PATH], path[TINY_PATH], *file;
    size_t n;
    choir_model *m;
    tiny_dir_make(dir);
    golden_write_gguf(&g, dir, "m.gguf", DTYPE_F32);
    choir_engine *e = open_engine(&m, tiny_path(path, dir, "m.gguf"));
    choir_sequence *kept = open_sequence(e, ids, N_IDS), *live = open_sequence(e, ids + 1, N_OWN);
    float logits[16];
    memcpy(logits, choir_sequence_logits(live), sizeof logits);
    assert_int_equal(choir_sequence_save(kept, tiny_path(path, dir, "s.kv"), NULL), CHOIR_OK);
    assert_int_equal(base_file_slurp(path, 1 << 20, &file, &n, NULL), CHOIR_OK);
    for (size_t bit = 0; bit < 8 * n; bit += (size_t)check_every()) {
        choir_error err = {0};
        file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
        tiny_write(dir, "s.kv", file, n);
        file[bit / 8] = (char)(file[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(choir_sequence_load(live, path, &err), CHOIR_FILE);
        assert_non_null(strstr(err.msg, "s.kv: "));
        assert_int_equal(choir_sequence_length(live), N_OWN);
        assert_memory_equal(choir_sequence_ids(live), ids + 1, N_OWN * sizeof *ids);
        assert_memory_equal(choir_sequence_logits(live), logits, sizeof logits);
    }
    tiny_write(dir, "s.kv", file, n);
    assert_int_equal(choir_sequence_load(live, path, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_length(live), N_IDS);
    free(file);
    choir_sequence_close(live);
    choir_sequence_close(kept);
    choir_engine_close(e);
    choir_model_close(m);
    tiny_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_every_flip)};
    return cmocka_run_group_tests_name("flipped state files", tests, NULL, NULL);
}
