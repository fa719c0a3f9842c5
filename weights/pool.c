/* Chunks of 64 KiB; a piece that is larger gets a chunk of its own. */
#include "weights/pool.h"

#include <stdint.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 65536, PIECE_ALIGN = 8 };

struct wts_pool_chunk {
    struct wts_pool_chunk *next;
    size_t used, cap;
    uint64_t bytes[];
};

void *wts_pool_take(struct wts_pool *pool, size_t n)
{
    if (n > SIZE_MAX / 2) {
        return NULL;
    }
    n = (n + PIECE_ALIGN - 1) / PIECE_ALIGN * PIECE_ALIGN;
    struct wts_pool_chunk *head = pool->head;
    if (head == NULL || head->cap - head->used < n) {
        size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;
        struct wts_pool_chunk *chunk = malloc(sizeof *chunk + cap);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct wts_pool_chunk){.next = head, .cap = cap};
        if (n > CHUNK_BYTES && head != NULL) { /* full from the start: the head keeps its room */
            chunk->next = head->next;
            head->next = chunk;
            chunk->used = n;
            return chunk->bytes;
        }
        pool->head = head = chunk;
    }
    void *piece = (char *)head->bytes + head->used;
    head->used += n;
    return piece;
}

void wts_pool_free(struct wts_pool *pool)
{
    struct wts_pool_chunk *chunk = pool->head;
    while (chunk != NULL) {
        struct wts_pool_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    pool->head = NULL;
}
