/* Sequences and their files when something is in the way: no block or memory left, a disk that is full, a file that cannot be
 * read to its end or changes meanwhile.  The sequence has its own ids afterwards, and the logits that follow from them.
 *
 * The linker turns calls of pread and fstatvfs into the functions here (see the Makefile). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "choir.h"
#include "engine/state_file.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_KEPT = 21, N_OWN = 12, CTX = 48 };

ssize_t __real_pread(int fd, void *dst, size_t n, off_t at);
int __real_fstatvfs(int fd, struct statvfs *st);
ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at);
ssize_t __wrap___pread_chk(int fd, void *dst, size_t n, off_t at, size_t cap);
int __wrap_fstatvfs(int fd, struct statvfs *st);

static long reads, bad_read; /* calls; number of the one that fails, 0: none */
static bool disk_full;

ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at)
{
    if (++reads == bad_read) {
        errno = EIO;
        return -1;
    }
    return __real_pread(fd, dst, n, at);
}

ssize_t __wrap___pread_chk(int fd, void *dst, size_t n, off_t at, size_t cap)
{
    assert_true(n <= cap);
    return __wrap_pread(fd, dst, n, at);
}

int __wrap_fstatvfs(int fd, struct statvfs *st)
{
    int result = __real_fstatvfs(fd, st);
    st->f_bavail = disk_full ? 0 : st->f_bavail;
    return result;
}

struct fixture {
    struct golden golden;
    char dir[TINY_PATH], path[TINY_PATH];
    choir_model *model;
    choir_engine *engine;
    choir_sequence *seq; /* N_OWN tokens; the file has N_KEPT others */
    float *logits;       /* that seq has */
};

static void compute(choir_engine *e, choir_sequence *s)
{
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    }
}

static choir_engine *open_engine(const choir_model *m, int n_seqs, bool infinite)
{
    choir_engine_options opt;
    choir_engine *e;
    choir_engine_options_default(&opt);
    opt.ctx_size = CTX;
    opt.n_threads = 1;
    opt.n_seqs = n_seqs;
    opt.prefix_cache = false;
    opt.infinite = infinite;
    assert_int_equal(choir_engine_open(&e, m, &opt, NULL), CHOIR_OK);
    return e;
}

/* With n ids, computed. */
static choir_sequence *open_sequence(choir_engine *e, const int32_t *ids, size_t n)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, ids, n, NULL), CHOIR_OK);
    compute(e, s);
    return s;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    choir_model_options opt;
    assert_non_null(f);
    golden_load(&f->golden, "gqa_wide");
    tiny_dir_make(f->dir);
    golden_write_hf(&f->golden, f->dir, DTYPE_F32);
    tiny_path(f->path, f->dir, "s.kv");
    choir_model_options_default(&opt);
    opt.path = f->dir;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&f->model, &opt, NULL), CHOIR_OK);
    f->engine = open_engine(f->model, 1, false);
    choir_sequence *kept = open_sequence(f->engine, f->golden.ids, N_KEPT);
    assert_int_equal(choir_sequence_save(kept, f->path, NULL), CHOIR_OK);
    choir_sequence_close(kept);
    f->seq = open_sequence(f->engine, f->golden.ids + 2, N_OWN);
    size_t bytes = (size_t)f->golden.vocab_size * sizeof *f->logits;
    f->logits = malloc(bytes);
    assert_non_null(f->logits);
    memcpy(f->logits, choir_sequence_logits(f->seq), bytes);
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
    free(f);
    return 0;
}

/* The sequence is what it was, or becomes it again. */
static void check_own(const struct fixture *f)
{
    assert_int_equal(choir_sequence_length(f->seq), N_OWN);
    assert_memory_equal(choir_sequence_ids(f->seq), f->golden.ids + 2, N_OWN * sizeof(int32_t));
    compute(f->engine, f->seq);
    assert_memory_equal(choir_sequence_logits(f->seq), f->logits, (size_t)f->golden.vocab_size * sizeof *f->logits);
}

/* Each read of the file and of the model fails once; of the last ones, those of the second time, keys and values are gone. */
static void reads_that_fail(void **state)
{
    const struct fixture *f = *state;
    choir_error err;
    bool computed_anew = false;
    long n = 1;
    for (bool failed = true; failed; n++) {
        err = (choir_error){.code = CHOIR_OK};
        reads = 0;
        bad_read = n;
        choir_status status = choir_sequence_load(f->seq, f->path, &err);
        failed = reads >= n;
        bad_read = 0;
        if (failed) {
            assert_int_equal(status, CHOIR_IO);
            assert_non_null(strstr(err.msg, f->dir));
            computed_anew = computed_anew || choir_sequence_computed(f->seq) == 0;
            check_own(f);
        } else {
            assert_int_equal(status, CHOIR_OK);
        }
    }
    assert_true(n > 4 && computed_anew);
    assert_int_equal(choir_sequence_length(f->seq), N_KEPT);
}

/* Of two sequences, the other holds nearly all blocks. */
static void no_block_left(void **state)
{
    const struct fixture *f = *state;
    choir_error err;
    choir_sequence *other = open_sequence(f->engine, f->golden.ids, 18); /* two of three blocks */
    assert_int_equal(choir_sequence_load(f->seq, f->path, &err), CHOIR_RESOURCE);
    assert_non_null(strstr(err.msg, "s.kv: no free block for its 21 tokens"));
    choir_sequence_close(other);
    check_own(f);
    assert_int_equal(choir_sequence_load(f->seq, f->path, &err), CHOIR_OK);
    assert_int_equal(choir_sequence_length(f->seq), N_KEPT);
}

static void a_full_disk(void **state)
{
    const struct fixture *f = *state;
    choir_error err;
    disk_full = true;
    assert_int_equal(choir_sequence_save(f->seq, f->path, &err), CHOIR_IO);
    disk_full = false;
    assert_non_null(strstr(err.msg, "s.kv: needs 0.0 MiB, 0.0 MiB are free there; what stood there before is kept"));
    assert_int_equal(choir_sequence_load(f->seq, f->path, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_length(f->seq), N_KEPT);
}

static void texts_without_end(void **state)
{
    const struct fixture *f = *state;
    choir_error err;
    choir_engine *e = open_engine(f->model, 1, true);
    choir_sequence *s = open_sequence(e, f->golden.ids, 3);
    assert_int_equal(choir_sequence_save(s, f->path, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "a text without end cannot be kept");
    assert_int_equal(choir_sequence_load(s, f->path, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "a text without end cannot go on from one that was kept");
    assert_int_equal(choir_sequence_length(s), 3);
    choir_sequence_close(s);
    choir_engine_close(e);
}

/* Headers of files larger than any. */
static void sizes(void **state)
{
    const struct kv_shape shape = {.type = KV_F16, .n_layers = 1, .n_kv_heads = 1, .head_dim = 3, .block_size = 16};
    const uint64_t tile = 16 * 3 * 2 * 2 + 8;
    uint64_t bytes;
    (void)state;
    struct eng_state_header h = {.n_ids = 40, .n_computed = 33};
    assert_true(eng_state_bytes(&bytes, &h, &shape));
    assert_int_equal(bytes, 96 + 40 * 4 + 3 * tile);
    h.first_held = 16;
    assert_true(eng_state_bytes(&bytes, &h, &shape));
    assert_int_equal(bytes, 96 + 40 * 4 + 2 * tile);
    h = (struct eng_state_header){.n_ids = UINT64_C(1) << 62}; /* ids */
    assert_false(eng_state_bytes(&bytes, &h, &shape));
    h = (struct eng_state_header){.n_ids = UINT64_C(1) << 61, .n_computed = UINT64_C(1) << 61}; /* keys and values */
    assert_false(eng_state_bytes(&bytes, &h, &shape));
    h.n_ids = h.n_computed = UINT64_C(1) << 60; /* both together */
    assert_false(eng_state_bytes(&bytes, &h, &shape));
    h.n_ids = h.n_computed = UINT64_C(1) << 59; /* more than a file can have */
    assert_false(eng_state_bytes(&bytes, &h, &shape));
    h.n_ids = h.n_computed = UINT64_C(1) << 58;
    assert_true(eng_state_bytes(&bytes, &h, &shape));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_that_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_block_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_without_end, set_up, tear_down),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("errors of states", tests, NULL, NULL);
}
