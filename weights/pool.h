/* Memory for the names, strings and arrays of a set: taken piece by piece, given back all at once.  Pieces do not move.
 *
 *   head -> [ used | free ] -> [ used ] -> [ used ] -> NULL       only the first chunk has room */
#ifndef WTS_POOL_H
#define WTS_POOL_H

#include <stddef.h>

struct wts_pool_chunk;

struct wts_pool {
    struct wts_pool_chunk *head;
};

/* n bytes aligned for any number, or NULL when there is no memory. */
void *wts_pool_take(struct wts_pool *pool, size_t n);
void wts_pool_free(struct wts_pool *pool);

#endif
