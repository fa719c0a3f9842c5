/* Files that are there whole or not at all, and small enough to be held in memory. */
#ifndef CHOIR_CLI_SMALL_FILE_H
#define CHOIR_CLI_SMALL_FILE_H

#include <stddef.h>

#include "choir.h"

/* Whether a file can be written there: tries it with an empty one of another name.  CHOIR_IO in errno's words. */
choir_status small_file_check(const char *path, choir_error *err);
/* Writes a temporary file beside path and renames it; what stood there before stays until then, and after a failure.  A
 * link stays a link.  CHOIR_IO in errno's words. */
choir_status small_file_write(const char *path, const char *text, size_t n, choir_error *err);

#endif
