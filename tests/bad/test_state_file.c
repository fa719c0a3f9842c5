/* Files of sequences that are damaged, cut, foreign or forged: each refused with one line and CHOIR_FILE, and the sequence
 * that was to be replaced goes on with the bits it would have had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "choir.h"
#include "engine/state_file.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_IDS = 21, N_OWN = 12, FLIPS = 2000, CAP = 1 << 20 };

struct fixture {
    struct golden golden;
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model *model;
    choir_engine *engine;
    choir_sequence *seq; /* the live one */
    float *logits;       /* that it has after its tokens */
    unsigned char *file, *bad;
    size_t n_file;
};

static void compute(choir_engine *e, choir_sequence *s)
{
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    }
}

static choir_engine *open_engine(const struct fixture *f, const char *kv_type, int ctx)
{
    choir_engine_options opt;
    choir_engine *e;
    choir_engine_options_default(&opt);
    opt.ctx_size = ctx;
    opt.n_threads = 1;
    opt.n_seqs = 2;
    opt.kv_type = kv_type;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, NULL), CHOIR_OK);
    return e;
}

static choir_sequence *open_sequence(choir_engine *e)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    return s;
}

static size_t read_file(const char *path, unsigned char *dst)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t n = fread(dst, 1, CAP, in);
    fclose(in);
    return n;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    choir_model_options opt;
    golden_load(&f->golden, "gqa_wide");
    tiny_dir_make(f->dir);
    golden_write_hf(&f->golden, f->dir, DTYPE_F32);
    tiny_path(f->path, f->dir, "s.kv");
    choir_model_options_default(&opt);
    opt.path = f->dir;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&f->model, &opt, NULL), CHOIR_OK);
    f->engine = open_engine(f, "f16", 48);
    choir_sequence *kept = open_sequence(f->engine);
    f->seq = open_sequence(f->engine);
    assert_int_equal(choir_sequence_append(kept, f->golden.ids, N_IDS, NULL), CHOIR_OK);
    compute(f->engine, kept);
    assert_int_equal(choir_sequence_save(kept, f->path, NULL), CHOIR_OK);
    choir_sequence_close(kept);
    assert_int_equal(choir_sequence_append(f->seq, f->golden.ids + 2, N_OWN, NULL), CHOIR_OK);
    compute(f->engine, f->seq);
    size_t bytes = (size_t)f->golden.vocab_size * sizeof *f->logits;
    f->logits = malloc(bytes);
    memcpy(f->logits, choir_sequence_logits(f->seq), bytes);
    f->file = malloc(CAP);
    f->bad = malloc(CAP);
    f->n_file = read_file(f->path, f->file);
    assert_true(f->n_file > ENG_STATE_HEADER && f->n_file < CAP);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_sequence_close(f->seq);
    choir_engine_close(f->engine);
    choir_model_close(f->model);
    golden_free(&f->golden);
    tiny_dir_remove(f->dir);
    free(f->logits);
    free(f->file);
    free(f->bad);
    free(f);
    return 0;
}

/* The live sequence is what it was: its tokens, its logits, also when it computes one of them again. */
static void check_live(const struct fixture *f, bool again)
{
    size_t bytes = (size_t)f->golden.vocab_size * sizeof *f->logits;
    assert_int_equal(choir_sequence_length(f->seq), N_OWN);
    assert_int_equal(choir_sequence_computed(f->seq), N_OWN);
    assert_memory_equal(choir_sequence_ids(f->seq), f->golden.ids + 2, N_OWN * sizeof(int32_t));
    if (again) {
        int32_t last = f->golden.ids[2 + N_OWN - 1];
        choir_sequence_truncate(f->seq, N_OWN - 1);
        assert_int_equal(choir_sequence_append(f->seq, &last, 1, NULL), CHOIR_OK);
        compute(f->engine, f->seq);
    }
    assert_memory_equal(choir_sequence_logits(f->seq), f->logits, bytes);
}

/* n bytes as a file: refused, with these words. */
static void refused(const struct fixture *f, const void *bytes, size_t n, const char *words)
{
    choir_error err = {0};
    tiny_write(f->dir, "s.kv", bytes, n);
    choir_status status = choir_sequence_load(f->seq, f->path, &err);
    if (status != CHOIR_FILE || strstr(err.msg, "s.kv: ") == NULL || strchr(err.msg, '\n') != NULL ||
        (words != NULL && strstr(err.msg, words) == NULL)) {
        fail_msg("status %d, \"%s\" instead of \"%s\"", (int)status, err.msg, words != NULL ? words : "");
    }
    check_live(f, false);
}

static void test_cut(void **state)
{
    const struct fixture *f = *state;
    for (size_t n = 0; n < f->n_file; n++) {
        refused(f, f->file, n, n < 8 ? "not a choir state file" : "truncated");
    }
    memcpy(f->bad, f->file, f->n_file);
    f->bad[f->n_file] = 0;
    refused(f, f->bad, f->n_file + 1, "too long");
    check_live(f, true);
}

static void test_flips(void **state)
{
    const struct fixture *f = *state;
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < FLIPS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        /* a third of them in header and ids */
        size_t bit = (size_t)(x >> 8) % (8 * (i % 3 == 0 ? ENG_STATE_HEADER + N_IDS * sizeof(int32_t) : f->n_file));
        memcpy(f->bad, f->file, f->n_file);
        f->bad[bit / 8] ^= (unsigned char)(1u << bit % 8);
        refused(f, f->bad, f->n_file, NULL);
    }
    memcpy(f->bad, f->file, f->n_file);
    f->bad[ENG_STATE_HEADER + 5] ^= 1;
    refused(f, f->bad, f->n_file, "checksum mismatch in section tokens");
    f->bad[ENG_STATE_HEADER + 5] ^= 1;
    f->bad[f->n_file - 9] ^= 128;
    refused(f, f->bad, f->n_file, "checksum mismatch in keys and values of tokens 16 to 20");
    f->bad[f->n_file - 9] ^= 128;
    f->bad[20] ^= 1;
    refused(f, f->bad, f->n_file, "checksum mismatch in section header");
    f->bad[20] ^= 1;
    f->bad[8] = 9;
    refused(f, f->bad, f->n_file, "state version 9 not supported (1 is)");
    check_live(f, true);
}

/* A header with one thing changed and the sum made right again. */
static void forged(const struct fixture *f, size_t field, uint64_t value, size_t bytes, const char *words)
{
    struct eng_state_header h;
    memcpy(f->bad, f->file, f->n_file);
    memcpy(f->bad + field, &value, bytes);
    memcpy(&h, f->bad, sizeof h);
    h.header_sum = eng_state_header_sum(&h);
    memcpy(f->bad, &h, sizeof h);
    refused(f, f->bad, f->n_file, words);
}

#define FIELD(name) offsetof(struct eng_state_header, name)

static void test_forged(void **state)
{
    const struct fixture *f = *state;
    struct eng_state_header h;
    forged(f, FIELD(kv_type), 0, 4, "saved with f32 keys and values, this run uses f16");
    forged(f, FIELD(kv_type), 77, 4, "saved with unknown keys and values");
    forged(f, FIELD(n_layers), 77, 4, "another model");
    forged(f, FIELD(head_dim), 0, 4, "another model");
    forged(f, FIELD(model), 77, 8, "another model");
    forged(f, FIELD(tokenizer), 77, 8, "another tokenizer");
    forged(f, FIELD(rope), 77, 8, "other rotations");
    forged(f, FIELD(n_ids), (uint64_t)1 << 61, 8, "2305843009213693952 tokens, context is 48");
    forged(f, FIELD(n_ids), UINT64_MAX, 8, "tokens, context is 48");
    forged(f, FIELD(n_ids), 20, 8, "of 20 tokens");
    forged(f, FIELD(n_ids), 22, 8, "truncated");
    forged(f, FIELD(n_computed), UINT64_MAX, 8, "of 21 tokens");
    forged(f, FIELD(n_computed), 3, 8, "too long");
    forged(f, FIELD(first_held), UINT64_MAX, 8, "of 21 tokens");
    forged(f, FIELD(first_held), 16, 8, "too long");
    const int32_t wrong = 99999;
    memcpy(f->bad, f->file, f->n_file);
    memcpy(f->bad + ENG_STATE_HEADER + 12 * sizeof wrong, &wrong, sizeof wrong);
    memcpy(&h, f->bad, sizeof h);
    h.ids_sum = eng_state_ids_sum((const int32_t *)(const void *)(f->bad + ENG_STATE_HEADER), N_IDS);
    h.header_sum = eng_state_header_sum(&h);
    memcpy(f->bad, &h, sizeof h);
    refused(f, f->bad, f->n_file, "token 12: id 99999, vocabulary has 70");
    check_live(f, true);
}

/* A file, right in all its sums, that leaves out what only a window could have passed: computed anew. */
static void test_hole(void **state)
{
    const struct fixture *f = *state;
    struct eng_state_header h;
    const size_t tiles = ENG_STATE_HEADER + N_IDS * sizeof(int32_t), bytes = (f->n_file - tiles) / 2;
    const size_t n_logits = (size_t)f->golden.vocab_size * sizeof *f->logits;
    float *right = malloc(n_logits);
    assert_int_equal(choir_sequence_load(f->seq, f->path, NULL), CHOIR_OK);
    compute(f->engine, f->seq);
    memcpy(right, choir_sequence_logits(f->seq), n_logits);
    memcpy(&h, f->file, sizeof h);
    h.first_held = 16;
    h.n_computed = N_IDS - 1;
    h.header_sum = eng_state_header_sum(&h);
    memcpy(f->bad, &h, sizeof h);
    memcpy(f->bad + sizeof h, f->file + sizeof h, N_IDS * sizeof(int32_t));
    memcpy(f->bad + tiles, f->file + tiles + bytes, bytes);
    tiny_write(f->dir, "s.kv", f->bad, tiles + bytes);
    assert_int_equal(choir_sequence_load(f->seq, f->path, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_computed(f->seq), 0);
    compute(f->engine, f->seq);
    assert_memory_equal(choir_sequence_logits(f->seq), right, n_logits);
    free(right);
}

/* Another type, a context too short, no file, a folder. */
static void test_others(void **state)
{
    const struct fixture *f = *state;
    choir_error err;
    tiny_write(f->dir, "s.kv", f->file, f->n_file);
    choir_engine *e = open_engine(f, "q8_0", 48);
    choir_sequence *s = open_sequence(e);
    assert_int_equal(choir_sequence_load(s, f->path, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "saved with f16 keys and values, this run uses q8_0"));
    choir_sequence_close(s);
    choir_engine_close(e);
    e = open_engine(f, "f16", N_IDS - 1);
    s = open_sequence(e);
    assert_int_equal(choir_sequence_load(s, f->path, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "21 tokens, context is 20"));
    choir_sequence_close(s);
    choir_engine_close(e);
    assert_int_equal(choir_sequence_load(f->seq, "/nowhere/s.kv", &err), CHOIR_IO);
    assert_int_equal(choir_sequence_load(f->seq, f->dir, &err), CHOIR_IO);
    assert_int_equal(choir_sequence_save(f->seq, f->dir, &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, "Is a directory"));
    assert_int_equal(choir_sequence_save(f->seq, "/nowhere/s.kv", &err), CHOIR_IO);
    check_live(f, true);
}

/* A file that can't be written leaves what was there, and nothing beside it. */
static void test_failed_save(void **state)
{
    const struct fixture *f = *state;
    char link[TINY_PATH];
    choir_error err;
    assert_int_equal(choir_sequence_save(f->seq, "/dev/full", &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, "not a regular file"));
    tiny_path(link, f->dir, "link.kv");
    assert_int_equal(symlink("s.kv", link), 0);
    assert_int_equal(choir_sequence_save(f->seq, link, NULL), CHOIR_OK);
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode)); /* what it names was replaced */
    assert_int_equal(chmod(f->path, 0600), 0);
    assert_int_equal(choir_sequence_save(f->seq, f->path, NULL), CHOIR_OK);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600); /* nobody sees more than before */
    assert_int_equal(choir_sequence_load(f->seq, f->path, NULL), CHOIR_OK);
    compute(f->engine, f->seq);
    check_live(f, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flips, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_save, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("bad state files", tests, NULL, NULL);
}
