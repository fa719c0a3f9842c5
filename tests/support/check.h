/* What the kernel checks share: the levels of this machine, buffers that notice stray accesses, data, comparison.
 * In the manner of dav1d's checkasm: every kernel of every level against the reference, on the same data. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

/* ---- levels ---- */

struct check_levels {
    int n; /* at least 1: the reference is the first */
    struct choir_kernels k[BASE_CPU_COUNT];
};

/* Every level that this processor and this build have. */
struct check_levels check_levels_here(void);

/* The stride of long series of cases: 1, or what CHOIR_CHECK_EVERY says, which an emulator and the sanitizers take (a prime, so that cases
 * of every kind are left). */
int check_every(void);

/* ---- memory ----
 * The end of a buffer lies at a page that cannot be touched (up to alignment), so that reading past the end crashes;
 * what is around it holds a pattern, so that a stray write is seen. */

struct check_buffer {
    char *map;
    size_t map_bytes;
    char *data;
    size_t bytes;
    size_t pages_bytes; /* usable part of the map */
};

/* A buffer of `bytes`, `misalign` bytes after a multiple of `align` (a power of two, at least 4). */
struct check_buffer check_buffer_open(size_t bytes, size_t align, size_t misalign);

/* Fails the test if anything around the buffer has changed; then frees it. */
void check_buffer_close(struct check_buffer *b);

/* ---- data ---- */

/* Fixed seeds: a failure repeats. */
struct check_rng {
    uint64_t state;
};
uint32_t check_random(struct check_rng *r);
int check_between(struct check_rng *r, int low, int high); /* both included */
float check_uniform(struct check_rng *r);                  /* -1 .. 1 */

enum check_data {
    CHECK_INTEGERS, /* -8 .. 8: every order of summation is exact, a lost element cannot hide */
    CHECK_REALS,    /* -1 .. 1 */
    CHECK_EXTREMES, /* zeros of both signs, subnormals, very large and very small; all equal at times */
    CHECK_DATA_COUNT
};

void check_fill(struct check_rng *r, enum check_data kind, float *x, size_t n);

/* ---- comparison ---- */

/* The same bits, or both NaN. */
bool check_same(float a, float b);

/* Fails, naming `what` and the place, at the first of n numbers that differ. */
void check_equal(const float *expected, const float *found, size_t n, const char *what);

/* Fails unless |found - truth| <= bound. */
void check_near(double truth, double found, double bound, const char *what);

#endif
