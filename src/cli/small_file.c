/* Small files, written by one rename. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "cli/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/terminal.h"

static choir_status fail_errno(const char *path, int code, choir_error *err)
{
    char name[ESCAPED_CAP];
    escaped(name, sizeof name, path, strlen(path));
    return fail(err, CHOIR_IO, "%s: %s", *name ? name : "\"\"", strerror(code));
}

/* Whether stdout or stderr goes there, as /dev/stdout >FILE does: what they write would be in no file any more. */
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

/* The temporary file of a target and its name, which the caller frees.  A directory or a device is not to be replaced. */
static choir_status open_beside(int *fd, char **temp, const char *target, const char *path, choir_error *err)
{
    struct stat st;
    mode_t mode = 0666;
    const size_t cap = strlen(target) + 32;
    const bool exists = stat(target, &st) == 0;
    if (exists) {
        mode = st.st_mode & 0666; /* a new file is for no more people than the old one */
    }
    if (exists && S_ISDIR(st.st_mode)) {
        return fail_errno(path, EISDIR, err);
    }
    if (exists && (!S_ISREG(st.st_mode) || is_written_to(&st))) {
        char name[ESCAPED_CAP];
        return fail(err, CHOIR_IO, "%s: is no file that could be replaced",
                    escaped(name, sizeof name, path, strlen(path)));
    }
    *temp = malloc(cap);
    if (!*temp) {
        return fail(err, CHOIR_RESOURCE, "out of memory for a file name");
    }
    snprintf(*temp, cap, "%s.%ld.tmp", target, (long)getpid());
    *fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return *fd >= 0 ? CHOIR_OK : fail_errno(path, errno, err);
}

static int write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno != EINTR) {
            return errno;
        }
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

/* text NULL: removes the temporary file again. */
static choir_status replace(const char *path, const char *text, size_t n, choir_error *err)
{
    char *temp = NULL, *real = realpath(path, NULL);
    const char *target = real ? real : path;
    int fd = -1, code = 0;
    choir_status status = open_beside(&fd, &temp, target, path, err);
    if (!status) {
        code = text ? write_all(fd, text, n) : 0;
        code = close(fd) != 0 && code == 0 ? errno : code;
        code = text && code == 0 && rename(temp, target) != 0 ? errno : code;
        status = code ? fail_errno(path, code, err) : CHOIR_OK;
        if (!text || code) {
            unlink(temp);
        }
    }
    free(temp);
    free(real);
    return status;
}

choir_status small_file_check(const char *path, choir_error *err)
{
    return replace(path, NULL, 0, err);
}

choir_status small_file_write(const char *path, const char *text, size_t n, choir_error *err)
{
    return replace(path, text, n, err);
}
