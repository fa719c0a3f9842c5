/* One anonymous mapping, handed out from the front in 64-byte aligned parts, freed all at once.
 * Sizes are planned and summed before the mapping is made; pages are taken by the kernel when first touched. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

enum { BASE_ALIGN = 64 };

struct base_arena {
    uint8_t *base; /* NULL when not mapped */
    size_t cap;    /* bytes mapped */
    size_t used;   /* bytes handed out */
};

/* Maps `bytes` (0 is allowed and maps nothing), zeroed, lazily.  huge: ask for huge pages (a wish, not a need).
 * CHOIR_RESOURCE naming `what` when the kernel refuses. */
choir_status base_arena_map(struct base_arena *a, size_t bytes, bool huge, const char *what, choir_error *err);
/* The next `bytes` bytes, 64-byte aligned.  Asking for more than was planned is our own bug (assert). */
void *base_arena_take(struct base_arena *a, size_t bytes);
/* Unmaps; an arena that was never mapped is fine. */
void base_arena_unmap(struct base_arena *a);

/* What a part of `bytes` costs in an arena: rounded up to the alignment. */
static inline size_t base_arena_cost(size_t bytes)
{
    return (bytes + BASE_ALIGN - 1) / BASE_ALIGN * BASE_ALIGN;
}

#endif
