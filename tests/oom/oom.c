/* See oom.h. */
#include "tests/oom/oom.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <cmocka.h>

#include "tests/support/files.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);

/* Loading allocates in several threads. */
static atomic_bool armed;
static atomic_long n_calls;
static long fail_at;      /* number of the first call that fails; 0: none */
static bool all_the_rest; /* those after it fail too */

static bool fails(void)
{
    if (!atomic_load(&armed)) {
        return false;
    }
    long k = atomic_fetch_add(&n_calls, 1) + 1;
    if (fail_at == 0 || k < fail_at || (k > fail_at && !all_the_rest)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    return fails() ? MAP_FAILED : __real_mmap(at, n, prot, flags, fd, offset);
}

void oom_arm(long k, bool rest)
{
    fail_at = k;
    all_the_rest = rest;
    atomic_store(&n_calls, 0);
    atomic_store(&armed, true);
}

long oom_calls(void)
{
    return atomic_load(&n_calls);
}

long oom_disarm(void)
{
    atomic_store(&armed, false);
    return oom_calls();
}

/* One run that is to fail at call k.  False when it has fewer calls. */
static bool run_failing(oom_run_fn *run, void *user, const char *name, const char *dir, long k, bool rest)
{
    choir_error err = {.code = CHOIR_OK};
    const int n_files = dir != NULL ? files_count(dir) : 0;
    oom_arm(k, rest);
    choir_status status = run(user, &err);
    bool failed = oom_disarm() >= k;
    if (status != (failed ? CHOIR_RESOURCE : CHOIR_OK)) {
        fail_msg("%s, allocation %ld%s: status %d \"%s\"", name, k, rest ? " and all after it" : "", status,
                 status != CHOIR_OK ? err.msg : "");
    }
    if (failed && (err.code != CHOIR_RESOURCE || strstr(err.msg, "memory") == NULL)) {
        fail_msg("%s, allocation %ld%s: said \"%s\"", name, k, rest ? " and all after it" : "", err.msg);
    }
    assert_int_equal(dir != NULL ? files_count(dir) : 0, n_files);
    return failed;
}

void oom_run(oom_run_fn *run, void *user, const char *name, const char *dir)
{
    assert_int_equal(run(user, NULL), CHOIR_OK);
    for (int rest = 0; rest < 2; rest++) {
        long k = 1;
        while (run_failing(run, user, name, dir, k, rest == 1)) {
            k++;
        }
        assert_true(k > 1); /* there was something to fail */
    }
}
