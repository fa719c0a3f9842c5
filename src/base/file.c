/* Files, read at offsets. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* "FILE: No such file or directory", the name escaped. */
static choir_status fail_errno(choir_error *err, const char *path, int code)
{
    char name[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_IO, "%s: %s", base_escape_str(name, path), strerror(code));
}

/* Descriptors 0 to 2 belong to the standard streams even when they are closed. */
static int open_above_streams(const char *path)
{
    /* not blocking: a FIFO without a writer is refused, not waited for */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fd > 2) {
        return fd;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int code = errno;
    close(fd);
    errno = code;
    return high;
}

choir_status base_file_open(struct base_file *f, const char *path, choir_error *err)
{
    *f = (struct base_file){.fd = -1};
    int fd = open_above_streams(path);
    if (fd < 0) {
        return fail_errno(err, path, errno);
    }
    struct stat st;
    int code = fstat(fd, &st) != 0 ? errno : 0;
    if (code == 0 && S_ISDIR(st.st_mode)) {
        code = EISDIR;
    }
    if (code != 0) {
        close(fd);
        return fail_errno(err, path, code);
    }
    if (!S_ISREG(st.st_mode)) {
        char name[BASE_ESCAPE_CAP];
        close(fd);
        return base_fail(err, CHOIR_IO, "%s: not a regular file", base_escape_str(name, path));
    }
    f->path = strdup(path);
    if (f->path == NULL) {
        close(fd);
        return base_fail_memory(err, strlen(path) + 1, "a file name");
    }
    f->fd = fd;
    f->size = (uint64_t)st.st_size;
    return CHOIR_OK;
}

choir_status base_file_memory(struct base_file *f, const char *name, const void *data, size_t size, choir_error *err)
{
    *f = (struct base_file){.fd = -1, .path = strdup(name)};
    if (f->path == NULL) {
        return base_fail_memory(err, strlen(name) + 1, "a file name");
    }
    f->data = data;
    f->size = size;
    return CHOIR_OK;
}

choir_status base_file_read(const struct base_file *f, uint64_t offset, void *dst, size_t n, choir_error *err)
{
    if (f->fd < 0) {
        if (n > 0) {
            memcpy(dst, f->data + offset, n);
        }
        return CHOIR_OK;
    }
    char name[BASE_ESCAPE_CAP];
    char *p = dst;
    while (n > 0) {
        ssize_t got = pread(f->fd, p, n, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return base_fail(err, CHOIR_IO, "%s: %s at byte %llu", base_escape_str(name, f->path), strerror(errno),
                             (unsigned long long)offset);
        }
        if (got == 0) {
            return base_fail(err, CHOIR_IO, "%s: file changed or became unreadable while in use (ends at byte %llu)",
                             base_escape_str(name, f->path), (unsigned long long)offset);
        }
        p += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return CHOIR_OK;
}

choir_status base_file_map(struct base_file *f, choir_error *err)
{
    if (f->data != NULL || f->size == 0) {
        return CHOIR_OK;
    }
    if (f->size > SIZE_MAX) {
        return base_fail_memory(err, SIZE_MAX, "mapping a file");
    }
    void *p = mmap(NULL, (size_t)f->size, PROT_READ, MAP_SHARED, f->fd, 0);
    if (p == MAP_FAILED) {
        return errno == ENOMEM ? base_fail_memory(err, (size_t)f->size, "mapping a file")
                               : fail_errno(err, f->path, errno);
    }
    f->data = p;
    f->mapped_bytes = (size_t)f->size;
    return CHOIR_OK;
}

void base_file_close(struct base_file *f)
{
    if (f->mapped_bytes > 0) {
        munmap((void *)(uintptr_t)f->data, f->mapped_bytes);
    }
    if (f->fd >= 0) {
        close(f->fd);
    }
    free(f->path);
    *f = (struct base_file){.fd = -1};
}

choir_status base_file_slurp(const char *path, size_t max_bytes, char **out, size_t *n, choir_error *err)
{
    *out = NULL;
    *n = 0;
    struct base_file f;
    choir_status status = base_file_open(&f, path, err);
    if (status != CHOIR_OK) {
        return status;
    }
    char *text = NULL;
    if (f.size > max_bytes) {
        char name[BASE_ESCAPE_CAP];
        status = base_fail(err, CHOIR_FILE, "%s: %llu bytes, at most %zu are read", base_escape_str(name, path),
                           (unsigned long long)f.size, max_bytes);
    } else if ((text = malloc((size_t)f.size + 1)) == NULL) {
        status = base_fail_memory(err, (size_t)f.size + 1, "a file");
    } else {
        status = base_file_read(&f, 0, text, (size_t)f.size, err);
    }
    if (status == CHOIR_OK) {
        text[f.size] = '\0';
        *out = text;
        *n = (size_t)f.size;
    } else {
        free(text);
    }
    base_file_close(&f);
    return status;
}
