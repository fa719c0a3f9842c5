/* A file that is there whole or not at all: written under a temporary name in the target's folder, renamed when all of it
 * is on disk.  Whatever goes wrong before, what stood there stays. */
#ifndef BASE_NEW_FILE_H
#define BASE_NEW_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

/* Zero-initialized: nothing to close. */
struct base_new_file {
    char *path; /* through a link: what it names, the link stays */
    char *temp; /* NULL: no temporary file */
    int fd;
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

#endif
