/* New files: whole or not at all, beside what stands there, and what is not replaced. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/new_file.h"
#include "tests/support/files.h"

static void holds(const char *path, const char *text)
{
    char *is;
    size_t n;
    choir_error err;
    assert_int_equal(base_file_slurp(path, 1000, &is, &n, &err), CHOIR_OK);
    assert_string_equal(is, text);
    free(is);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_put(void **state)
{
    (void)state;
    choir_error err;
    char *dir = files_make_dir(), path[PATH_MAX], to_it[PATH_MAX];
    const mode_t mask = umask(027);
    snprintf(path, sizeof path, "%s", files_path(dir, "file"));
    snprintf(to_it, sizeof to_it, "%s", files_path(dir, "link"));
    assert_int_equal(base_new_file_check(path, &err), CHOIR_OK);
    assert_int_equal(files_count(dir), 0);
    assert_int_equal(base_new_file_put(path, "one", 3, &err), CHOIR_OK);
    holds(path, "one");
    assert_int_equal(mode_of(path), 0640);
    /* no more may do with it than with what was there; the link stays one */
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(symlink("file", to_it), 0);
    assert_int_equal(base_new_file_put(to_it, "", 0, &err), CHOIR_OK);
    holds(path, "");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(readlink(to_it, path, sizeof path), 4);
    assert_int_equal(files_count(dir), 2);
    umask(mask);
    files_remove_dir(dir);
}

static void test_unfinished(void **state)
{
    (void)state;
    choir_error err;
    struct base_new_file f;
    char *dir = files_make_dir();
    const char *path = files_write(dir, "file", "old", 3);
    assert_int_equal(base_new_file_open(&f, path, &err), CHOIR_OK);
    assert_int_equal(base_new_file_write(&f, "new", 3, &err), CHOIR_OK);
    base_new_file_close(&f);
    holds(path, "old");
    assert_int_equal(files_count(dir), 1);
    files_remove_dir(dir);
}

/* As the caller names it, and before any work was done. */
static void refused(const char *path, const char *why)
{
    choir_error err;
    char message[600];
    snprintf(message, sizeof message, "%s: %s", path, why);
    assert_int_equal(base_new_file_check(path, &err), CHOIR_IO);
    assert_string_equal(err.msg, message);
}

static void test_names(void **state)
{
    (void)state;
    choir_error err;
    char *dir = files_make_dir(), name[NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[NAME_MAX] = '\0';
    assert_int_equal(base_new_file_put(files_path(dir, name), "x", 1, &err), CHOIR_OK);
    holds(files_path(dir, name), "x");
    assert_int_equal(files_count(dir), 1);
    name[NAME_MAX] = 'n';
    name[NAME_MAX + 1] = '\0';
    assert_int_equal(base_new_file_check(files_path(dir, name), &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, ": File name too long"));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(base_new_file_put("here", "x", 1, &err), CHOIR_OK);
    assert_int_equal(base_new_file_check("", &err), CHOIR_IO);
    assert_string_equal(err.msg, "\"\": No such file or directory");
    refused("nowhere/x", "No such file or directory");
    refused("nowhere/", "No such file or directory");
    refused("here/x", "Not a directory");
    refused("here/", "Not a directory");
    refused(".", "Is a directory");
    refused("/dev/null", "not a regular file");
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    refused("dangling", "not a regular file");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(files_count(dir), 3);
    files_remove_dir(dir);
}

/* What a standard stream goes to would be in no file any more. */
static void test_streams(void **state)
{
    (void)state;
    char *dir = files_make_dir();
    const char *path = files_path(dir, "log");
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            choir_error err;
            FILE *log = fopen(path, "w");
            bool right = log != NULL && dup2(fileno(log), fd) == fd && base_new_file_check(path, &err) == CHOIR_IO &&
                         strstr(err.msg, "/log: stdout or stderr goes there") != NULL;
            _exit(right ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    files_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
