/* Arithmetic on numbers that came from a file: every product and sum is checked before it is used. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* n rounded up to a multiple of `to` (> 0).  The caller knows that n + to fits. */
static inline size_t base_round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

#endif
