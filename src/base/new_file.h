/* A file that is there whole or not at all: written without a name where the file system can, else under a temporary one
 * ("PATH.0.tmp") in the target's folder; renamed when all of it is on disk.  Whatever goes wrong before, what stood there
 * stays.  A process that is killed leaves at most one temporary file, which the next one to write that target removes: who
 * still writes holds a lock on it. */
#ifndef BASE_NEW_FILE_H
#define BASE_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "choir/status.h"

/* Zero-initialized: nothing to close. */
struct base_new_file {
    const char *named; /* borrowed: the target as messages name it */
    char *path;        /* through a link: what it names, the link stays */
    char *temp;        /* NULL: no temporary name yet */
    int fd;
    mode_t mode; /* who may do what with it */
};

/* Where a file is already, the new one is for no more people than that.  CHOIR_IO, in errno's words, when no file can be made
 * there, or what is there is no regular file. */
choir_status base_new_file_open(struct base_new_file *f, const char *path, choir_error *err);
/* CHOIR_IO when the file system has less room than that.  It may still run full later. */
choir_status base_new_file_room(const struct base_new_file *f, uint64_t bytes, choir_error *err);
choir_status base_new_file_write(struct base_new_file *f, const void *bytes, size_t n, choir_error *err);
/* Puts it in its place; nothing is written after that. */
choir_status base_new_file_finish(struct base_new_file *f, choir_error *err);
/* Removes what was not finished. */
void base_new_file_close(struct base_new_file *f);

/* Whether such a file can be made, before the work that would go into it; leaves nothing behind. */
choir_status base_new_file_check(const char *path, choir_error *err);
/* Whether both would be the same file. */
bool base_new_file_same(const char *a, const char *b);
/* All of it at once. */
choir_status base_new_file_put(const char *path, const void *bytes, size_t n, choir_error *err);

#endif
