/* New files: a temporary one, one rename at the end. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"

enum { TEMP_TRIES = 100 };

static choir_status fail_errno(const struct base_new_file *f, int code, choir_error *err)
{
    char name[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_IO, "%s: %s", base_escape_str(name, f->path), strerror(code));
}

/* A device, a pipe, a dangling link: not to be replaced.  *mode: who may do what with the file that is, if there is one. */
static choir_status check_target(const struct base_new_file *f, mode_t *mode, choir_error *err)
{
    struct stat st;
    char name[BASE_ESCAPE_CAP];
    if (lstat(f->path, &st) != 0) {
        return CHOIR_OK;
    }
    *mode = st.st_mode & 0777;
    if (S_ISREG(st.st_mode)) {
        return CHOIR_OK;
    }
    return S_ISDIR(st.st_mode) ? fail_errno(f, EISDIR, err)
                               : base_fail(err, CHOIR_IO, "%s: not a regular file", base_escape_str(name, f->path));
}

/* A new file beside the target.  Not mkstemp: its files are for their owner alone. */
static choir_status make_temp(struct base_new_file *f, mode_t mode, choir_error *err)
{
    size_t cap = strlen(f->path) + 48;
    char *temp = malloc(cap);
    if (temp == NULL) {
        return base_fail_memory(err, cap, "a file name");
    }
    for (int i = 0; i < TEMP_TRIES && f->fd < 0; i++) {
        snprintf(temp, cap, "%s.%ld-%d.tmp", f->path, (long)getpid(), i);
        f->fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (f->fd < 0 && errno != EEXIST) {
            break;
        }
    }
    int code = errno;
    if (f->fd < 0) {
        free(temp);
        return fail_errno(f, code, err);
    }
    f->temp = temp;
    if (f->fd <= 2) { /* the standard streams' places, were they closed */
        int high = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
        code = errno;
        close(f->fd);
        f->fd = high;
    }
    return f->fd >= 0 ? CHOIR_OK : fail_errno(f, code, err);
}

choir_status base_new_file_open(struct base_new_file *f, const char *path, choir_error *err)
{
    *f = (struct base_new_file){.fd = -1, .path = realpath(path, NULL)};
    if (f->path == NULL && errno != ENOMEM) {
        f->path = strdup(path); /* nothing there yet */
    }
    if (f->path == NULL) {
        return base_fail_memory(err, strlen(path) + 1, "a file name");
    }
    mode_t mode = 0666;
    choir_status status = check_target(f, &mode, err);
    status = status == CHOIR_OK ? make_temp(f, mode, err) : status;
    if (status != CHOIR_OK) {
        base_new_file_close(f);
    }
    return status;
}

choir_status base_new_file_room(const struct base_new_file *f, uint64_t bytes, choir_error *err)
{
    const double mib = 1048576;
    struct statvfs fs;
    char name[BASE_ESCAPE_CAP];
    if (fstatvfs(f->fd, &fs) != 0 || (double)bytes <= (double)fs.f_bavail * (double)fs.f_frsize) {
        return CHOIR_OK;
    }
    return base_fail(err, CHOIR_IO, "%s: needs %.1f MiB, %.1f MiB are free there", base_escape_str(name, f->path),
                     (double)bytes / mib, (double)fs.f_bavail * (double)fs.f_frsize / mib);
}

choir_status base_new_file_write(struct base_new_file *f, const void *bytes, size_t n, choir_error *err)
{
    const char *p = bytes;
    while (n > 0) {
        ssize_t done = write(f->fd, p, n);
        if (done < 0 && errno != EINTR) {
            return fail_errno(f, errno, err);
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return CHOIR_OK;
}

choir_status base_new_file_finish(struct base_new_file *f, choir_error *err)
{
    if (fsync(f->fd) != 0) {
        return fail_errno(f, errno, err);
    }
    int closed = close(f->fd), code = errno;
    f->fd = -1;
    if (closed != 0) {
        return fail_errno(f, code, err);
    }
    if (rename(f->temp, f->path) != 0) {
        return fail_errno(f, errno, err);
    }
    free(f->temp);
    f->temp = NULL;
    return CHOIR_OK;
}

void base_new_file_close(struct base_new_file *f)
{
    if (f->temp != NULL) {
        if (f->fd >= 0) {
            close(f->fd);
        }
        unlink(f->temp);
    }
    free(f->temp);
    free(f->path);
    *f = (struct base_new_file){.fd = -1};
}
