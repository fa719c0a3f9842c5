/* Files: what is refused and how that reads, reading at offsets, files that change, and the memory file. */
#include <fcntl.h>
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

struct scratch {
    char dir[64];
    char path[128]; /* the last one that at() made */
};

static const char *at(struct scratch *s, const char *name)
{
    snprintf(s->path, sizeof s->path, "%s/%s", s->dir, name);
    return s->path;
}

static void write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return -1;
    }
    strcpy(s->dir, "/tmp/choir-test-file-XXXXXX");
    *state = s;
    return mkdtemp(s->dir) == NULL ? -1 : 0;
}

/* Every test removes what it made, so that this fails when one did not. */
static int tear_down(void **state)
{
    struct scratch *s = *state;
    int failed = rmdir(s->dir);
    free(s);
    return failed;
}

static void refused(const char *path, choir_status status, const char *message)
{
    struct base_file f;
    choir_error err = {0};
    memset(&f, 0x5a, sizeof f);
    assert_int_equal(base_file_open(&f, path, &err), status);
    assert_int_equal(err.code, status);
    assert_string_equal(err.msg, message);
    assert_int_equal(base_file_open(&f, path, NULL), status);
    base_file_close(&f); /* nothing there, no harm */
    char *text = (char *)&err;
    size_t n = 99;
    assert_int_equal(base_file_slurp(path, 100, &text, &n, &err), status);
    assert_string_equal(err.msg, message);
    assert_null(text);
    assert_int_equal(n, 0);
}

static void what_cannot_be_opened(void **state)
{
    struct scratch *s = *state;
    char message[256];
    snprintf(message, sizeof message, "%s: No such file or directory", at(s, "absent"));
    refused(s->path, CHOIR_IO, message);
    snprintf(message, sizeof message, "%s: Is a directory", s->dir);
    refused(s->dir, CHOIR_IO, message);
    refused("/dev/zero", CHOIR_IO, "/dev/zero: not a regular file");
    refused("", CHOIR_IO, ": No such file or directory");
    snprintf(message, sizeof message, "%s/\\x1b[31m\\x0a\\xff: No such file or directory", s->dir);
    refused(at(s, "\x1b[31m\n\xff"), CHOIR_IO, message);
    write_file(at(s, "plain"), "x", 1);
    snprintf(message, sizeof message, "%s/plain/below: Not a directory", s->dir);
    refused(at(s, "plain/below"), CHOIR_IO, message);
    assert_int_equal(unlink(at(s, "plain")), 0);
}

/* Waits for a child that runs a check; its exit status. */
static int status_of(pid_t child)
{
    int ended;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    return WEXITSTATUS(ended);
}

/* Root may read everything, so the child becomes nobody. */
static void not_permitted(void **state)
{
    struct scratch *s = *state;
    write_file(at(s, "secret"), "x", 1);
    assert_int_equal(chmod(s->dir, 0755), 0);
    assert_int_equal(chmod(s->path, 0), 0);
    pid_t child = fork();
    if (child == 0) {
        struct base_file f;
        choir_error err = {0};
        if (geteuid() == 0 && setuid(65534) != 0) {
            _exit(2);
        }
        choir_status status = base_file_open(&f, s->path, &err);
        _exit(status == CHOIR_IO && strstr(err.msg, "/secret: Permission denied") != NULL ? 0 : 1);
    }
    int result = status_of(child);
    assert_int_equal(unlink(s->path), 0);
    if (result == 2) {
        print_message("root that cannot become another user\n");
        skip();
    }
    assert_int_equal(result, 0);
}

/* Opening a pipe without a writer must not wait for one.  In a child, which an alarm ends if it does wait. */
static void fifo(void **state)
{
    struct scratch *s = *state;
    assert_int_equal(mkfifo(at(s, "pipe"), 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        struct base_file f;
        choir_error err = {0};
        alarm(5);
        choir_status status = base_file_open(&f, s->path, &err);
        _exit(status == CHOIR_IO && strstr(err.msg, ": not a regular file") != NULL ? 0 : 1);
    }
    int ended; /* by the alarm: it waited */
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(unlink(s->path), 0);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
}

static void reads_at_offsets(void **state)
{
    struct scratch *s = *state;
    uint8_t data[10000];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + i / 256);
    }
    write_file(at(s, "data"), data, sizeof data);
    struct base_file f;
    assert_int_equal(base_file_open(&f, s->path, NULL), CHOIR_OK);
    assert_int_equal(f.size, sizeof data);
    assert_true(f.fd > 2);
    assert_null(f.data);
    assert_string_equal(f.path, s->path);
    assert_ptr_not_equal(f.path, s->path);
    uint8_t got[sizeof data];
    const struct {
        size_t offset, n;
    } parts[] = {{0, sizeof data}, {9999, 1}, {5000, 123}, {0, 1}, {10000, 0}, {0, 0}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memset(got, 0, sizeof got);
        assert_int_equal(base_file_read(&f, parts[i].offset, got, parts[i].n, NULL), CHOIR_OK);
        assert_memory_equal(got, data + parts[i].offset, parts[i].n);
    }
    assert_int_equal(base_file_map(&f, NULL), CHOIR_OK);
    assert_memory_equal(f.data, data, sizeof data);
    const uint8_t *mapped = f.data;
    assert_int_equal(base_file_map(&f, NULL), CHOIR_OK); /* once is enough */
    assert_ptr_equal(f.data, mapped);
    assert_int_equal(base_file_read(&f, 100, got, 50, NULL), CHOIR_OK);
    assert_memory_equal(got, data + 100, 50);
    base_file_close(&f);
    assert_int_equal(f.fd, -1);
    assert_null(f.path);
    base_file_close(&f);
    assert_int_equal(unlink(at(s, "data")), 0);
}

static void a_file_that_shrinks(void **state)
{
    struct scratch *s = *state;
    write_file(at(s, "shrinks"), "0123456789", 10);
    struct base_file f;
    assert_int_equal(base_file_open(&f, s->path, NULL), CHOIR_OK);
    assert_int_equal(truncate(s->path, 4), 0);
    char got[10];
    choir_error err = {0};
    assert_int_equal(base_file_read(&f, 0, got, 10, &err), CHOIR_IO);
    assert_non_null(strstr(err.msg, "/shrinks: file changed or became unreadable while in use (ends at byte 4)"));
    assert_int_equal(base_file_read(&f, 8, got, 2, &err), CHOIR_IO);
    assert_int_equal(base_file_read(&f, 0, got, 4, &err), CHOIR_OK);
    assert_memory_equal(got, "0123", 4);
    base_file_close(&f);
    assert_int_equal(unlink(s->path), 0);
}

static void an_unlinked_file_goes_on(void **state)
{
    struct scratch *s = *state;
    write_file(at(s, "gone"), "still here", 10);
    struct base_file f;
    assert_int_equal(base_file_open(&f, s->path, NULL), CHOIR_OK);
    assert_int_equal(unlink(s->path), 0);
    char got[10];
    assert_int_equal(base_file_read(&f, 0, got, 10, NULL), CHOIR_OK);
    assert_memory_equal(got, "still here", 10);
    base_file_close(&f);
}

static void an_empty_file(void **state)
{
    struct scratch *s = *state;
    write_file(at(s, "empty"), "", 0);
    struct base_file f;
    assert_int_equal(base_file_open(&f, s->path, NULL), CHOIR_OK);
    assert_int_equal(f.size, 0);
    assert_int_equal(base_file_map(&f, NULL), CHOIR_OK); /* nothing to map */
    assert_int_equal(base_file_read(&f, 0, NULL, 0, NULL), CHOIR_OK);
    base_file_close(&f);
    char *text;
    size_t n;
    assert_int_equal(base_file_slurp(s->path, 0, &text, &n, NULL), CHOIR_OK);
    assert_int_equal(n, 0);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(unlink(s->path), 0);
}

static void memory(void **state)
{
    (void)state;
    const char data[] = "built in";
    struct base_file f;
    assert_int_equal(base_file_memory(&f, "(built-in)", data, 8, NULL), CHOIR_OK);
    assert_int_equal(f.size, 8);
    assert_int_equal(f.fd, -1);
    assert_string_equal(f.path, "(built-in)");
    char got[8];
    assert_int_equal(base_file_read(&f, 0, got, 8, NULL), CHOIR_OK);
    assert_memory_equal(got, data, 8);
    assert_int_equal(base_file_read(&f, 6, got, 2, NULL), CHOIR_OK);
    assert_memory_equal(got, "in", 2);
    assert_int_equal(base_file_map(&f, NULL), CHOIR_OK);
    assert_ptr_equal(f.data, data);
    base_file_close(&f);
    assert_null(f.data);
    assert_int_equal(base_file_memory(&f, "nothing", NULL, 0, NULL), CHOIR_OK);
    assert_int_equal(base_file_read(&f, 0, NULL, 0, NULL), CHOIR_OK);
    base_file_close(&f);
}

static void slurp(void **state)
{
    struct scratch *s = *state;
    write_file(at(s, "text"), "one\0two", 7);
    char *text;
    size_t n;
    assert_int_equal(base_file_slurp(s->path, 7, &text, &n, NULL), CHOIR_OK);
    assert_int_equal(n, 7);
    assert_memory_equal(text, "one\0two", 8); /* with the NUL behind it */
    free(text);
    choir_error err = {0};
    char message[256];
    assert_int_equal(base_file_slurp(s->path, 6, &text, &n, &err), CHOIR_FILE);
    snprintf(message, sizeof message, "%s: 7 bytes, at most 6 are read", s->path);
    assert_string_equal(err.msg, message);
    assert_null(text);
    assert_int_equal(n, 0);
    assert_int_equal(unlink(s->path), 0);
}

/* With any of stdin, stdout and stderr closed, a file must not become one of them.  In children, which have them to lose. */
static void never_a_standard_stream(void **state)
{
    struct scratch *s = *state;
    write_file(at(s, "data"), "x", 1);
    for (int closed = 1; closed < 8; closed++) { /* one bit each */
        pid_t child = fork();
        if (child == 0) {
            for (int fd = 0; fd <= 2; fd++) {
                if (closed >> fd & 1) {
                    close(fd);
                }
            }
            struct base_file f;
            bool ok = base_file_open(&f, s->path, NULL) == CHOIR_OK && f.fd > 2;
            ok = ok && (fcntl(f.fd, F_GETFD) & FD_CLOEXEC) != 0;
            for (int fd = 0; fd <= 2; fd++) { /* closed ones are closed again */
                ok = ok && (fcntl(fd, F_GETFD) == -1) == (closed >> fd & 1);
            }
            _exit(ok ? 0 : 1);
        }
        assert_int_equal(status_of(child), 0);
    }
    assert_int_equal(unlink(s->path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(not_permitted),
        cmocka_unit_test(fifo),
        cmocka_unit_test(reads_at_offsets),
        cmocka_unit_test(a_file_that_shrinks),
        cmocka_unit_test(an_unlinked_file_goes_on),
        cmocka_unit_test(an_empty_file),
        cmocka_unit_test(memory),
        cmocka_unit_test(slurp),
        cmocka_unit_test(never_a_standard_stream),
    };
    return cmocka_run_group_tests_name("file", tests, set_up, tear_down);
}
