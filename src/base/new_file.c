/* New files: one without a name or with a temporary one, one rename at the end. */
#define _GNU_SOURCE /* O_TMPFILE, realpath */

#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"

enum {
    TEMP_TRIES = 100,
    TEMP_NAME = 240, /* bytes of the target's name in it: both fit what a file system takes */
    FD_PATH = 32
};

static choir_status fail_errno(const struct base_new_file *f, int code, choir_error *err)
{
    char name[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_IO, "%s: %s", *f->named ? base_escape_str(name, f->named) : "\"\"", strerror(code));
}

/* Whether stdout or stderr goes there, as with /dev/stdout >FILE: what they write would be in no file any more. */
static bool is_written_to(const struct stat *st)
{
    struct stat own;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fstat(fd, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino) {
            return true;
        }
    }
    return false;
}

/* A device, a pipe, a dangling link: not to be replaced.  The new file is for no more people than the one that is. */
static choir_status check_target(struct base_new_file *f, choir_error *err)
{
    struct stat st;
    char name[BASE_ESCAPE_CAP];
    f->mode = 0666;
    if (lstat(f->path, &st) != 0) { /* what rename could not do is told before the work */
        return errno == ENOENT && *f->path ? CHOIR_OK : fail_errno(f, errno, err);
    }
    f->mode = st.st_mode & 0777;
    if (S_ISREG(st.st_mode) && !is_written_to(&st)) {
        return CHOIR_OK;
    }
    if (S_ISREG(st.st_mode)) {
        return base_fail(err, CHOIR_IO, "%s: stdout or stderr goes there", base_escape_str(name, f->named));
    }
    return S_ISDIR(st.st_mode) ? fail_errno(f, EISDIR, err)
                               : base_fail(err, CHOIR_IO, "%s: not a regular file", base_escape_str(name, f->named));
}

/* Descriptors 0 to 2 are the standard streams' places, were they closed. */
static int above_streams(int fd)
{
    if (fd < 0 || fd > 2) {
        return fd;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3), code = errno;
    close(fd);
    errno = code;
    return high;
}

/* The folder that the target lies in; malloc'ed. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Removes a temporary file that nobody writes any more; whether it is gone. */
static bool remove_stale(const char *temp)
{
    int fd = open(temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat held, named;
    bool stale = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &held) == 0 && lstat(temp, &named) == 0 &&
                 S_ISREG(held.st_mode) && held.st_dev == named.st_dev && held.st_ino == named.st_ino;
    bool gone = stale && unlink(temp) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return gone;
}

/* A file without a name, or -1. */
static int open_nameless(const struct base_new_file *f)
{
    int fd = -1;
#ifdef O_TMPFILE
    char *folder = folder_of(f->path), itself[FD_PATH];
    fd = folder != NULL ? above_streams(open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, f->mode)) : -1;
    free(folder);
    snprintf(itself, sizeof itself, "/proc/self/fd/%d", fd);
    if (fd >= 0 && access(itself, F_OK) != 0) { /* it could not get a name later */
        close(fd);
        fd = -1;
    }
#else
    (void)f;
#endif
    return fd;
}

/* The file under the name `temp`: made, if there is none yet.  False with errno. */
static bool name_it(struct base_new_file *f, const char *temp)
{
    if (f->fd >= 0) {
        char itself[FD_PATH];
        snprintf(itself, sizeof itself, "/proc/self/fd/%d", f->fd);
        return linkat(AT_FDCWD, itself, AT_FDCWD, temp, AT_SYMLINK_FOLLOW) == 0;
    }
    /* not mkstemp: its files are for their owner alone */
    f->fd = above_streams(open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, f->mode));
    struct stat st;
    if (f->fd < 0) {
        return false;
    }
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0 && fstat(f->fd, &st) == 0 && st.st_nlink == 0) {
        close(f->fd); /* taken for a stale one before it was locked */
        f->fd = -1;
        errno = EEXIST;
    }
    return f->fd >= 0;
}

/* A temporary name beside the target. */
static choir_status take_temp(struct base_new_file *f, choir_error *err)
{
    const char *slash = strrchr(f->path, '/');
    const int folder = slash != NULL ? (int)(slash + 1 - f->path) : 0;
    const size_t cap = strlen(f->path) + 24;
    char *temp = malloc(cap);
    if (temp == NULL) {
        return base_fail_memory(err, cap, "a file name");
    }
    int code = EEXIST;
    for (int i = 0; i < TEMP_TRIES && code == EEXIST; i++) {
        snprintf(temp, cap, "%.*s%.*s.%d.tmp", folder, f->path, TEMP_NAME, f->path + folder, i);
        code = name_it(f, temp) ? 0 : errno;
        if (code == EEXIST && remove_stale(temp)) {
            code = name_it(f, temp) ? 0 : errno;
        }
    }
    if (code != 0) {
        free(temp);
        return fail_errno(f, code, err);
    }
    f->temp = temp;
    return CHOIR_OK;
}

choir_status base_new_file_open(struct base_new_file *f, const char *path, choir_error *err)
{
    *f = (struct base_new_file){.fd = -1, .named = path, .path = realpath(path, NULL)};
    if (f->path == NULL && errno != ENOMEM) {
        f->path = strdup(path); /* nothing there yet */
    }
    if (f->path == NULL) {
        return base_fail_memory(err, strlen(path) + 1, "a file name");
    }
    choir_status status = check_target(f, err);
    if (status == CHOIR_OK) {
        f->fd = open_nameless(f);
        if (f->fd >= 0) {
            (void)flock(f->fd, LOCK_EX | LOCK_NB); /* where there are no locks, nobody takes it for stale either */
        } else {
            status = take_temp(f, err);
        }
    }
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
    return base_fail(err, CHOIR_IO, "%s: needs %.1f MiB, %.1f MiB are free there", base_escape_str(name, f->named),
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

/* So that the new name outlives a power cut.  A failure changes nothing: the file is whole, under its name. */
static void sync_folder(const struct base_new_file *f)
{
    char *folder = folder_of(f->path);
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

choir_status base_new_file_finish(struct base_new_file *f, choir_error *err)
{
    if (fsync(f->fd) != 0) {
        return fail_errno(f, errno, err);
    }
    choir_status status = f->temp == NULL ? take_temp(f, err) : CHOIR_OK;
    if (status != CHOIR_OK) {
        return status;
    }
    if (rename(f->temp, f->path) != 0) {
        return fail_errno(f, errno, err);
    }
    free(f->temp);
    f->temp = NULL;
    sync_folder(f);
    close(f->fd); /* only now, for the lock; all of it is on disk, so there is nothing to fail */
    f->fd = -1;
    return CHOIR_OK;
}

choir_status base_new_file_check(const char *path, choir_error *err)
{
    struct base_new_file f;
    choir_status status = base_new_file_open(&f, path, err);
    base_new_file_close(&f);
    return status;
}

/* As the file system knows it, there already or not; malloc'ed. */
static char *full_path(const char *path)
{
    char *full = realpath(path, NULL);
    if (full != NULL || errno != ENOENT) {
        return full;
    }
    char *folder = folder_of(path), *at = folder != NULL ? realpath(folder, NULL) : NULL;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const size_t cap = at != NULL ? strlen(at) + strlen(name) + 2 : 0;
    full = cap > 0 ? malloc(cap) : NULL;
    if (full != NULL) {
        snprintf(full, cap, "%s/%s", at, name);
    }
    free(folder);
    free(at);
    return full;
}

bool base_new_file_same(const char *a, const char *b)
{
    char *x = full_path(a), *y = full_path(b);
    const bool same = strcmp(x != NULL ? x : a, y != NULL ? y : b) == 0;
    free(x);
    free(y);
    return same;
}

choir_status base_new_file_put(const char *path, const void *bytes, size_t n, choir_error *err)
{
    struct base_new_file f;
    choir_status status = base_new_file_open(&f, path, err);
    status = status == CHOIR_OK ? base_new_file_write(&f, bytes, n, err) : status;
    status = status == CHOIR_OK ? base_new_file_finish(&f, err) : status;
    base_new_file_close(&f);
    return status;
}

void base_new_file_close(struct base_new_file *f)
{
    if (f->temp != NULL) {
        unlink(f->temp);
    }
    if (f->path != NULL && f->fd >= 0) {
        close(f->fd);
    }
    free(f->temp);
    free(f->path);
    *f = (struct base_new_file){.fd = -1};
}
