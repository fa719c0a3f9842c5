/* Arithmetic on numbers that came from a file: every product and sum is checked before it is used. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* False when a * b does not fit; *out is then untouched. */
static inline bool base_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}

static inline bool base_add(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_add_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}

/* Room for n things of `size` bytes, to be free'd; NULL when there is no memory for it, or no such number of bytes. */
static inline void *base_array(size_t n, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(n, size, &bytes) ? NULL : malloc(bytes);
}

/* The same for what is there already (NULL: nothing is), which stays as it is when the answer is NULL. */
static inline void *base_array_resize(void *array, size_t n, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(n, size, &bytes) ? NULL : realloc(array, bytes);
}

/* n rounded up to a multiple of `to` (> 0).  The caller knows that n + to fits. */
static inline size_t base_round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

#endif
