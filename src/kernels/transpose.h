/* Sixteen rows become one panel: squares of 32- or 16-bit numbers transposed in registers (the compiler's vectors: SSE2
 * or NEON, whatever the baseline has).  Interleaving the halves of a square, first row with middle row and so on, and
 * doing so log2(side) times, transposes it. */
#ifndef KERN_TRANSPOSE_H
#define KERN_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/dtype.h"

enum { KERN_WORDS = 4, KERN_HALVES = 8 }; /* in a vector */
typedef uint32_t kern_words __attribute__((vector_size(16)));
typedef uint16_t kern_halves __attribute__((vector_size(16)));

/* What tells of numbers that are not finite: all ones in the exponent.  Without the sign and with one added at the exponent's
 * lowest bit they alone carry into the sign's place.  Two 16-bit numbers in a word do so each for itself. */
static inline kern_words kern_seen(kern_words v, uint32_t mask, uint32_t one)
{
    return (v & mask) + one;
}

static inline void kern_transpose_words(kern_words v[KERN_WORDS])
{
    for (int stage = 0; stage < 2; stage++) {
        kern_words t[KERN_WORDS];
        for (int i = 0; i < KERN_WORDS / 2; i++) {
            t[2 * i] = __builtin_shufflevector(v[i], v[i + KERN_WORDS / 2], 0, 4, 1, 5);
            t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + KERN_WORDS / 2], 2, 6, 3, 7);
        }
        memcpy(v, t, sizeof t);
    }
}

static inline void kern_transpose_halves(kern_halves v[KERN_HALVES])
{
    for (int stage = 0; stage < 3; stage++) {
        kern_halves t[KERN_HALVES];
        for (int i = 0; i < KERN_HALVES / 2; i++) {
            t[2 * i] = __builtin_shufflevector(v[i], v[i + KERN_HALVES / 2], 0, 8, 1, 9, 2, 10, 3, 11);
            t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + KERN_HALVES / 2], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(v, t, sizeof t);
    }
}

/* dst[w][row] = src[row][w], for n words (a multiple of KERN_WORDS) of 16 rows, row_bytes apart.  Returns kern_seen of them all;
 * whoever does not want that does not pay for it. */
static inline kern_words kern_pack_words(uint8_t *dst, const uint8_t *src, size_t row_bytes, size_t n, uint32_t mask,
                                         uint32_t one)
{
    kern_words seen = {0};
    for (size_t r = 0; r < DTYPE_PANEL_ROWS; r += KERN_WORDS) {
        for (size_t w = 0; w < n; w += KERN_WORDS) {
            kern_words v[KERN_WORDS];
            for (size_t i = 0; i < KERN_WORDS; i++) {
                memcpy(&v[i], src + (r + i) * row_bytes + w * 4, sizeof v[i]);
                seen |= kern_seen(v[i], mask, one);
            }
            kern_transpose_words(v);
            for (size_t i = 0; i < KERN_WORDS; i++) {
                memcpy(dst + ((w + i) * DTYPE_PANEL_ROWS + r) * 4, &v[i], sizeof v[i]);
            }
        }
    }
    return seen;
}

/* The same for n 16-bit numbers (a multiple of KERN_HALVES). */
static inline kern_words kern_pack_halves(uint8_t *dst, const uint8_t *src, size_t row_bytes, size_t n, uint32_t mask,
                                          uint32_t one)
{
    kern_words seen = {0};
    for (size_t r = 0; r < DTYPE_PANEL_ROWS; r += KERN_HALVES) {
        for (size_t c = 0; c < n; c += KERN_HALVES) {
            kern_halves v[KERN_HALVES];
            for (size_t i = 0; i < KERN_HALVES; i++) {
                memcpy(&v[i], src + (r + i) * row_bytes + c * 2, sizeof v[i]);
                seen |= kern_seen((kern_words)v[i], mask, one);
            }
            kern_transpose_halves(v);
            for (size_t i = 0; i < KERN_HALVES; i++) {
                memcpy(dst + ((c + i) * DTYPE_PANEL_ROWS + r) * 2, &v[i], sizeof v[i]);
            }
        }
    }
    return seen;
}

#endif
