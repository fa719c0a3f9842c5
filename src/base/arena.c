/* An arena is one anonymous mapping; taking a part only moves a counter. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/arena.h"

#include <assert.h>
#include <sys/mman.h>

#include "base/error.h"

choir_status base_arena_map(struct base_arena *a, size_t bytes, bool huge, const char *what, choir_error *err)
{
    *a = (struct base_arena){0};
    if (bytes == 0) {
        return CHOIR_OK;
    }
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return base_fail_memory(err, bytes, what);
    }
#ifdef MADV_HUGEPAGE
    if (huge) {
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* a wish: works as well without */
    }
#else
    (void)huge;
#endif
    a->base = p;
    a->cap = bytes;
    return CHOIR_OK;
}

void *base_arena_take(struct base_arena *a, size_t bytes)
{
    size_t cost = base_arena_cost(bytes);
    assert(cost <= a->cap - a->used);
    void *p = a->base + a->used;
    a->used += cost;
    return p;
}

void base_arena_unmap(struct base_arena *a)
{
    if (a->base != NULL) {
        munmap(a->base, a->cap);
    }
    *a = (struct base_arena){0};
}
