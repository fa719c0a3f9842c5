/* New files where something is in the way: names that are taken, by what may be removed and what may not, systems without
 * /proc, locks or room.
 *
 * The linker turns calls of realpath, access, flock and fstatvfs into the functions here (see the Makefile). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/new_file.h"
#include "tests/support/files.h"

char *__real_realpath(const char *path, char *out);
int __real_access(const char *path, int mode);
int __real_flock(int fd, int operation);
int __real_fstatvfs(int fd, struct statvfs *st);
char *__wrap_realpath(const char *path, char *out);
int __wrap_access(const char *path, int mode);
int __wrap_flock(int fd, int operation);
int __wrap_fstatvfs(int fd, struct statvfs *st);

static struct {
    bool no_memory;      /* for realpath */
    bool no_proc;        /* so that files have a temporary name from the beginning */
    bool no_locks;       /* on that file system */
    const char *removed; /* by another, which took it for stale, before it is locked; once */
    int statvfs;         /* 0: as it is, -1: fails, 1: nothing free */
} system_is;

char *__wrap_realpath(const char *path, char *out)
{
    errno = ENOMEM;
    return system_is.no_memory ? NULL : __real_realpath(path, out);
}

int __wrap_access(const char *path, int mode)
{
    errno = ENOENT;
    return system_is.no_proc && strncmp(path, "/proc/", 6) == 0 ? -1 : __real_access(path, mode);
}

int __wrap_flock(int fd, int operation)
{
    if (system_is.removed != NULL) {
        assert_int_equal(unlink(system_is.removed), 0);
        system_is.removed = NULL;
    }
    errno = ENOLCK;
    return system_is.no_locks ? -1 : __real_flock(fd, operation);
}

int __wrap_fstatvfs(int fd, struct statvfs *st)
{
    int result = __real_fstatvfs(fd, st);
    st->f_bavail = system_is.statvfs == 1 ? 0 : st->f_bavail;
    return system_is.statvfs == -1 ? -1 : result;
}

struct folder {
    char *dir, target[256];
};

static int set_up(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    assert_non_null(f);
    memset(&system_is, 0, sizeof system_is);
    f->dir = files_make_dir();
    snprintf(f->target, sizeof f->target, "%s", files_write(f->dir, "x", "old", 3));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *f = *state;
    memset(&system_is, 0, sizeof system_is);
    files_remove_dir(f->dir);
    free(f);
    return 0;
}

static void holds(const char *path, const char *text)
{
    char *now;
    size_t n;
    assert_int_equal(base_file_slurp(path, 100, &now, &n, NULL), CHOIR_OK);
    assert_string_equal(now, text);
    free(now);
}

static choir_status write_new(const char *path, choir_error *err)
{
    struct base_new_file f;
    choir_status status = base_new_file_open(&f, path, err);
    if (status != CHOIR_OK) {
        assert_int_equal(f.fd, -1);
        return status;
    }
    assert_true(f.fd > 2);
    status = base_new_file_room(&f, 3 << 20, err);
    status = status == CHOIR_OK ? base_new_file_write(&f, "new", 3, err) : status;
    status = status == CHOIR_OK ? base_new_file_finish(&f, err) : status;
    base_new_file_close(&f);
    return status;
}

/* A new "x" is written; the folder then has n files. */
static void writes(const struct folder *f, int n)
{
    choir_error err = {0};
    if (write_new(f->target, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    holds(f->target, "new");
    assert_int_equal(files_count(f->dir), n);
    files_write(f->dir, "x", "old", 3);
}

static void refused(const struct folder *f, choir_status wanted, const char *message)
{
    choir_error err = {0};
    assert_int_equal(write_new(f->target, &err), wanted);
    if (strstr(err.msg, message) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
    }
    holds(f->target, "old");
}

/* What has the first temporary name: a stale file goes, one that is written, a pipe, a folder and a link stay. */
static void names_that_are_taken(void **state)
{
    const struct folder *f = *state;
    char first[300];
    for (int no_proc = 0; no_proc < 2; no_proc++) {
        system_is.no_proc = no_proc == 1;
        snprintf(first, sizeof first, "%s", files_write(f->dir, "x.0.tmp", "stale", 5));
        writes(f, 1);
        files_write(f->dir, "x.0.tmp", "stale", 5);
        int fd = open(first, O_RDONLY);
        assert_int_equal(__real_flock(fd, LOCK_EX), 0);
        writes(f, 2);
        close(fd);
        assert_int_equal(unlink(first), 0);
        assert_int_equal(mkfifo(first, 0600), 0);
        writes(f, 2);
        assert_int_equal(unlink(first), 0);
        assert_int_equal(symlink("x", first), 0);
        writes(f, 2);
        assert_int_equal(unlink(first), 0);
    }
}

static void no_name_left(void **state)
{
    const struct folder *f = *state;
    char name[300];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%s.%d.tmp", f->target, i);
        assert_int_equal(mkdir(name, 0700), 0);
    }
    refused(f, CHOIR_IO, "/x: File exists");
    system_is.no_proc = true;
    refused(f, CHOIR_IO, "/x: File exists");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%s.%d.tmp", f->target, i);
        assert_int_equal(rmdir(name), 0);
    }
}

static void systems_with_less(void **state)
{
    const struct folder *f = *state;
    char first[300];
    system_is.no_locks = true;
    writes(f, 1);
    system_is.no_proc = true;
    writes(f, 1);
    system_is.no_locks = false;
    snprintf(first, sizeof first, "%s.0.tmp", f->target);
    system_is.removed = first;
    writes(f, 1);
    assert_null(system_is.removed);
    system_is.statvfs = -1; /* then writing will tell */
    writes(f, 1);
    system_is.statvfs = 1;
    refused(f, CHOIR_IO, "/x: needs 3.0 MiB, 0.0 MiB are free there");
    assert_int_equal(files_count(f->dir), 1);
    system_is.no_memory = true;
    refused(f, CHOIR_RESOURCE, "memory");
}

/* Without a slash, and with one that is the first byte only. */
static void folders(void **state)
{
    const struct folder *f = *state;
    struct base_new_file file;
    choir_error err;
    int home = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(f->dir), 0);
    assert_int_equal(write_new("y", NULL), CHOIR_OK);
    assert_int_equal(write_new("none/y", &err), CHOIR_IO);
    assert_int_equal(fchdir(home), 0);
    close(home);
    holds(files_path(f->dir, "y"), "new");
    choir_status status = base_new_file_open(&file, "/choir-test-new-file", &err); /* root may */
    assert_true(status == CHOIR_OK || status == CHOIR_IO);
    assert_true((file.fd >= 0) == (status == CHOIR_OK));
    base_new_file_close(&file);
    assert_int_equal(__real_access("/choir-test-new-file", F_OK), -1);
}

/* In a child, which ends by exit: stdout or stderr is the target, or all three streams are closed. */
static void streams(void **state)
{
    const struct folder *f = *state;
    for (int fd = 0; fd <= 2; fd++) {
        int ended;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            choir_error err = {0};
            int target = open(f->target, O_WRONLY);
            close(0);
            close(fd == 0 ? 1 : 0);
            close(fd == 0 ? 2 : 0);
            choir_status status = fd == 0 || dup2(target, fd) == fd ? write_new(f->target, &err) : CHOIR_INTERNAL;
            int code = (int)status;
            exit(fd == 0 || strstr(err.msg, "stderr goes there") != NULL ? code : 99);
        }
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_true(WIFEXITED(ended));
        assert_int_equal(WEXITSTATUS(ended), fd == 0 ? CHOIR_OK : CHOIR_IO);
        holds(f->target, fd == 0 ? "new" : "old");
        files_write(f->dir, "x", "old", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_that_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_name_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(systems_with_less, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("new files", tests, NULL, NULL);
}
