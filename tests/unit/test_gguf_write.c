/* The GGUF writer: what it writes is what is read, and a file is there whole or not at all. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/files.h"
#include "weights/gguf_write.h"

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

/* Copies all of `set` to dir/out.gguf, data in pieces of `piece` bytes. */
static void copy(const struct wts_set *set, size_t piece)
{
    struct wts_writer *w;
    choir_error err;
    assert_int_equal(wts_writer_open(&w, files_path(dir, "out.gguf"), &err), CHOIR_OK);
    for (size_t i = 0; i < set->n_meta; i++) {
        wts_writer_put(w, &set->meta[i]);
    }
    struct files_bytes data = {0};
    for (size_t i = 0; i < set->n_tensors; i++) {
        const struct wts_tensor *t = &set->tensors[i];
        wts_writer_add(w, t->name, t->type, t->n_dims, t->shape);
        files_add(&data, wts_rows_in_place(t), (size_t)t->bytes);
    }
    assert_int_equal(wts_writer_begin(w, &err), CHOIR_OK);
    for (size_t at = 0; at < data.n; at += piece) {
        size_t n = data.n - at < piece ? data.n - at : piece;
        assert_int_equal(wts_writer_data(w, data.data + at, n, &err), CHOIR_OK);
    }
    assert_in_range(files_count(dir), 0, 1); /* the temporary file, where it needs a name */
    assert_int_equal(access(files_path(dir, "out.gguf"), F_OK), -1);
    assert_int_equal(wts_writer_finish(w, &err), CHOIR_OK);
    wts_writer_close(w);
    files_free(&data);
    assert_int_equal(files_count(dir), 1);
}

/* Every type of setting and tensor, written and read, is the file it came from: byte for byte, as the small file
 * has its tensors in order of name. */
static void writes_what_it_read(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 32, 1000000};
    struct files_bytes b = {0};
    files_small_gguf(&b);
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        struct wts_set *set;
        choir_error err;
        assert_int_equal(wts_open_memory(&set, "m.gguf", b.data, b.n, &err), CHOIR_OK);
        copy(set, pieces[p]);
        wts_close(set);
        unsigned char again[2048];
        FILE *f = fopen(files_path(dir, "out.gguf"), "rb");
        assert_non_null(f);
        size_t n = fread(again, 1, sizeof again, f);
        fclose(f);
        assert_int_equal(n, (b.n + 31) / 32 * 32);
        assert_memory_equal(again, b.data, b.n);
        unlink(files_path(dir, "out.gguf"));
    }
    files_free(&b);
}

static void writes_settings_one_by_one(void **state)
{
    (void)state;
    struct wts_writer *w;
    choir_error err;
    const uint64_t shape[] = {1};
    float one = 1;
    assert_int_equal(wts_writer_open(&w, files_path(dir, "out.gguf"), &err), CHOIR_OK);
    wts_writer_put_string(w, "s", "text");
    wts_writer_put_u32(w, "u", 7);
    wts_writer_put_f32(w, "f", 0.5f);
    wts_writer_put_bool(w, "b", true);
    wts_writer_put_u32(w, "general.alignment", 64); /* left out */
    wts_writer_add(w, "t", DTYPE_F32, 1, shape);
    assert_int_equal(wts_writer_begin(w, &err), CHOIR_OK);
    assert_int_equal(wts_writer_data(w, &one, sizeof one, &err), CHOIR_OK);
    assert_int_equal(wts_writer_finish(w, &err), CHOIR_OK);
    wts_writer_close(w);
    struct wts_set *set;
    assert_int_equal(wts_open(&set, files_path(dir, "out.gguf"), false, &err), CHOIR_OK);
    assert_int_equal(set->n_meta, 4);
    assert_string_equal(wts_meta_find(set, "s")->v.s.data, "text");
    assert_int_equal(wts_meta_find(set, "u")->v.u, 7);
    assert_true(wts_meta_find(set, "f")->v.f == 0.5);
    assert_true(wts_meta_find(set, "b")->v.b);
    wts_close(set);
    struct stat st;
    assert_int_equal(stat(files_path(dir, "out.gguf"), &st), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(st.st_mode & 0777, 0666 & ~mask); /* as any new file, not the owner's alone */
}

/* Starts a file of one tensor of 1 MiB. */
static struct wts_writer *start(const char *name)
{
    struct wts_writer *w;
    const uint64_t shape[] = {1 << 18};
    assert_int_equal(wts_writer_open(&w, files_path(dir, name), NULL), CHOIR_OK);
    wts_writer_add(w, "t", DTYPE_F32, 1, shape);
    return w;
}

static void leaves_no_trace(void **state)
{
    (void)state;
    choir_error err;
    struct wts_writer *w = start("out.gguf");
    wts_writer_close(w);
    files_write(dir, "out.gguf", "old", 3);
    w = start("out.gguf");
    assert_int_equal(wts_writer_begin(w, &err), CHOIR_OK);
    assert_int_equal(wts_writer_data(w, "abcd", 4, &err), CHOIR_OK);
    assert_in_range(files_count(dir), 1, 2);
    wts_writer_close(w);
    assert_int_equal(files_count(dir), 1);
    struct stat st;
    assert_int_equal(stat(files_path(dir, "out.gguf"), &st), 0);
    assert_int_equal(st.st_size, 3);
    wts_writer_close(NULL);
}

static void says_why_not(void **state)
{
    (void)state;
    choir_error err;
    char want[300];
    assert_int_equal(mkdir(files_path(dir, "folder"), 0700), 0);
    static const struct {
        const char *name, *words;
    } rows[] = {
        {"none/out.gguf", "No such file or directory"},
        {"folder", "Is a directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wts_writer *w = start(rows[i].name);
        assert_int_equal(wts_writer_begin(w, &err), CHOIR_IO);
        snprintf(want, sizeof want, "%s: %s", files_path(dir, rows[i].name), rows[i].words);
        assert_string_equal(err.msg, want);
        wts_writer_close(w);
        assert_int_equal(files_count(dir), 1);
    }
}

/* A disk that is full, played by a limit on the size of files. */
static void survives_a_full_disk(void **state)
{
    (void)state;
    struct rlimit old, low;
    choir_error err;
    static float data[1 << 18];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 65536;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct wts_writer *w = start("out.gguf");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    choir_status begun = wts_writer_begin(w, &err), status = wts_writer_data(w, data, sizeof data, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(begun, CHOIR_OK);
    assert_int_equal(status, CHOIR_IO);
    assert_non_null(strstr(err.msg, "/out.gguf: File too large"));
    wts_writer_close(w);
    assert_int_equal(files_count(dir), 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(writes_what_it_read), IN_DIR(writes_settings_one_by_one), IN_DIR(leaves_no_trace),
        IN_DIR(says_why_not),        IN_DIR(survives_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
