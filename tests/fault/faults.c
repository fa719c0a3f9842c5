/* See faults.h. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/fault/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__real_realpath(const char *path, char *out);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
int __real_open(const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *st);
ssize_t __real_read(int fd, void *dst, size_t n);
ssize_t __real_pread(int fd, void *dst, size_t n, off_t at);
ssize_t __real_write(int fd, const void *src, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int __real_close(int fd);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
char *__wrap_realpath(const char *path, char *out);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
int __wrap_open(const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *st);
ssize_t __wrap_read(int fd, void *dst, size_t n);
ssize_t __wrap___read_chk(int fd, void *dst, size_t n, size_t cap);
ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at);
ssize_t __wrap___pread_chk(int fd, void *dst, size_t n, off_t at, size_t cap);
ssize_t __wrap_write(int fd, const void *src, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int __wrap_close(int fd);

/* What jansson loses by itself when it runs out of memory while it packs. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libjansson\n";
}
/* Nor is stderr told of it, which the tests read. */
const char *__lsan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

static atomic_bool armed;
static atomic_long calls[FAULT_KINDS_COUNT];
static enum fault_kind what;
static enum fault_mode how;
static long when;

static const int codes[] = {
#define X(name, text, code) code,
    FAULT_KINDS(X)
#undef X
};

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[] = {
#define X(name, text, code) text,
        FAULT_KINDS(X)
#undef X
    };
    return kind < FAULT_KINDS_COUNT ? names[kind] : "nothing";
}

/* A call is to be made: whether it fails (errno is set).  *part: it is to move no more than one byte. */
static bool fails(enum fault_kind kind, bool *part)
{
    if (!atomic_load(&armed)) {
        return false;
    }
    const long k = atomic_fetch_add(&calls[kind], 1) + 1;
    if (how == FAULT_SHORT && part != NULL) {
        *part = true;
        errno = EINTR;
        return k % 2 == 1;
    }
    if (how == FAULT_SHORT || kind != what || k < when || (k > when && how == FAULT_ONCE)) {
        return false;
    }
    if (how == FAULT_KILL) {
        if (part == NULL) {
            raise(SIGKILL);
        }
        *part = true;
        return false;
    }
    errno = codes[kind];
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails(FAULT_MEMORY, NULL) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(FAULT_MEMORY, NULL) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails(FAULT_MEMORY, NULL) ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return fails(FAULT_MEMORY, NULL) ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails(FAULT_MEMORY, NULL) ? NULL : __real_strndup(s, n);
}

char *__wrap_realpath(const char *path, char *out)
{
    return fails(FAULT_MEMORY, NULL) ? NULL : __real_realpath(path, out);
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    return fails(FAULT_MEMORY, NULL) ? MAP_FAILED : __real_mmap(at, n, prot, flags, fd, offset);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const unsigned mode = va_arg(args, unsigned); /* unused bits where there is none */
    va_end(args);
    return fails(FAULT_OPEN, NULL) ? -1 : __real_open(path, flags, mode);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return fails(FAULT_STAT, NULL) ? -1 : __real_fstat(fd, st);
}

ssize_t __wrap_read(int fd, void *dst, size_t n)
{
    bool part = false;
    return fails(FAULT_READ, &part) ? -1 : __real_read(fd, dst, part && n > 0 ? 1 : n);
}

ssize_t __wrap___read_chk(int fd, void *dst, size_t n, size_t cap)
{
    return n <= cap ? __wrap_read(fd, dst, n) : (abort(), -1);
}

ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at)
{
    bool part = false;
    return fails(FAULT_READ, &part) ? -1 : __real_pread(fd, dst, part ? (n + 1) / 2 : n, at);
}

ssize_t __wrap___pread_chk(int fd, void *dst, size_t n, off_t at, size_t cap)
{
    return n <= cap ? __wrap_pread(fd, dst, n, at) : (abort(), -1);
}

ssize_t __wrap_write(int fd, const void *src, size_t n)
{
    bool part = false;
    if (fd == STDERR_FILENO) { /* what the test reads */
        return __real_write(fd, src, n);
    }
    if (fails(FAULT_WRITE, &part)) {
        return -1;
    }
    ssize_t done = __real_write(fd, src, part ? (n + 1) / 2 : n);
    if (part && how == FAULT_KILL) {
        raise(SIGKILL);
    }
    return done;
}

int __wrap_fsync(int fd)
{
    return fails(FAULT_SYNC, NULL) ? -1 : atomic_load(&armed) ? 0 : __real_fsync(fd); /* no disk is waited for */
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(FAULT_NAME, NULL) ? -1 : __real_rename(from, to);
}

int __wrap_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return fails(FAULT_NAME, NULL) ? -1 : __real_linkat(from_dir, from, to_dir, to, flags);
}

int __wrap_close(int fd)
{
    if (fails(FAULT_CLOSE, NULL)) {
        const int code = errno;
        __real_close(fd); /* as the kernel does */
        errno = code;
        return -1;
    }
    return __real_close(fd);
}

void faults_arm(enum fault_kind kind, enum fault_mode mode, long k)
{
    what = kind;
    how = mode;
    when = k;
    for (int i = 0; i < FAULT_KINDS_COUNT; i++) {
        atomic_store(&calls[i], 0);
    }
    json_set_alloc_funcs(__wrap_malloc, free);
    atomic_store(&armed, true);
}

void faults_disarm(long n_calls[FAULT_KINDS_COUNT])
{
    atomic_store(&armed, false);
    for (int i = 0; i < FAULT_KINDS_COUNT; i++) {
        n_calls[i] = atomic_load(&calls[i]);
    }
}

/* ---- threads: libgomp's too, for which this definition stands before the library's ---- */

static atomic_int threads_left = -1;

void faults_limit_threads(int n)
{
    atomic_store(&threads_left, n);
}

struct started {
    void *(*run)(void *);
    void *arg;
};

static void *run_counted(void *arg)
{
    struct started s = *(struct started *)arg;
    free(arg);
    void *result = s.run(s.arg);
    if (atomic_load(&threads_left) >= 0) {
        atomic_fetch_add(&threads_left, 1);
    }
    return result;
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                                          void *(*run)(void *), void *arg)
{
    typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    create_fn *real;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (atomic_load(&threads_left) == 0) {
        return EAGAIN;
    }
    if (atomic_load(&threads_left) > 0) {
        atomic_fetch_sub(&threads_left, 1);
    }
    struct started *s = __real_malloc(sizeof *s);
    if (s == NULL) {
        return EAGAIN;
    }
    *s = (struct started){run, arg};
    return real(thread, attr, run_counted, s);
}
