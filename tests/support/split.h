/* A GGUF file cut into several, as split models come. */
#ifndef TEST_SPLIT_H
#define TEST_SPLIT_H

#include <stdint.h>

#include "tests/support/tiny.h"

/* Writes dir/m-0000i-of-0000n.gguf, i from 1 to n (at most 9): tensor k of `path` goes to file k % n + 1, the settings to
 * the first.  version 2 or 3.  first: the path of the first. */
void split_gguf(char first[TINY_PATH], const char *path, const char *dir, int n, uint32_t version);

#endif
