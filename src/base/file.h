/* A read-only file, or bytes in memory that behave like one (the built-in model).
 *
 * Reading goes through pread: a file that shrinks under us is an error message (CHOIR_IO), not a SIGBUS.
 * base_file_map is for --mmap alone. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

struct base_file {
    char *path;          /* as given, for messages; owned */
    int fd;              /* -1 for memory */
    uint64_t size;       /* bytes, fixed when opened */
    const uint8_t *data; /* the bytes of a memory file, or of a mapping, or NULL */
    size_t mapped_bytes; /* > 0 when `data` is a mapping that close must undo */
};

/* Opens a regular file.  CHOIR_IO (with errno's words) when it cannot be opened or is no regular file.
 * A descriptor 0 to 2 is never used. */
choir_status base_file_open(struct base_file *f, const char *path, choir_error *err);
/* A file over `size` bytes at `data`, which must outlive it.  `name` stands in messages. */
choir_status base_file_memory(struct base_file *f, const char *name, const void *data, size_t size, choir_error *err);
/* Reads exactly n bytes at `offset`.  The caller has checked offset + n <= size: a short read then means that the
 * file changed (CHOIR_IO, "file changed or became unreadable while in use").  Thread-safe. */
choir_status base_file_read(const struct base_file *f, uint64_t offset, void *dst, size_t n, choir_error *err);
/* Makes f->data point at the whole file, read-only and shared. */
choir_status base_file_map(struct base_file *f, choir_error *err);
void base_file_close(struct base_file *f);

/* Whole file into fresh memory (with one NUL behind it, not counted).  CHOIR_FILE when larger than max_bytes. */
choir_status base_file_slurp(const char *path, size_t max_bytes, char **out, size_t *n, choir_error *err);

#endif
