#include "tokenizer/bpe/merge.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"

void bpe_merger_free(struct bpe_merger *m)
{
    free(m->symbols);
    free(m->heap);
    *m = (struct bpe_merger){0};
}

/* Each symbol but the last begins a pair, and each joining makes two more. */
enum { PAIRS_PER_SYMBOL = 3 };

static choir_status reserve(struct bpe_merger *m, size_t n, choir_error *err)
{
    if (n <= m->cap) {
        return CHOIR_OK;
    }
    size_t cap = n < 64 ? 64 : n;
    bpe_merger_free(m);
    m->symbols = base_array(cap, sizeof *m->symbols);
    m->heap = base_array(cap * PAIRS_PER_SYMBOL, sizeof *m->heap);
    if (m->symbols == NULL || m->heap == NULL) {
        size_t each = sizeof *m->symbols + PAIRS_PER_SYMBOL * sizeof *m->heap;
        bpe_merger_free(m);
        return base_fail_memory(err, cap * each, "tokenizing");
    }
    m->cap = cap;
    return CHOIR_OK;
}

static void sift_up(struct bpe_pair *heap, size_t i)
{
    struct bpe_pair moved = heap[i];
    while (i > 0 && moved.order < heap[(i - 1) / 2].order) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = moved;
}

static struct bpe_pair pop(struct bpe_merger *m)
{
    struct bpe_pair *heap = m->heap;
    struct bpe_pair top = heap[0];
    struct bpe_pair moved = heap[--m->n_heap];
    size_t i = 0;
    for (size_t child = 1; child < m->n_heap; child = 2 * i + 1) {
        child += child + 1 < m->n_heap && heap[child + 1].order < heap[child].order;
        if (moved.order <= heap[child].order) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moved;
    return top;
}

/* The merge of the symbol at i with its right neighbour, if there is one. */
static const struct bpe_merge *merge_at(const struct bpe_merger *m, const struct bpe_merges *merges, int32_t i)
{
    int32_t next = m->symbols[i].next;
    return next < 0 ? NULL : bpe_merges_find(merges, m->symbols[i].id, m->symbols[next].id);
}

static void push(struct bpe_merger *m, const struct bpe_merges *merges, int32_t i)
{
    const struct bpe_merge *found = merge_at(m, merges, i);
    if (found != NULL) {
        m->heap[m->n_heap] = (struct bpe_pair){(uint64_t)found->rank << 32 | (uint32_t)i, found->id};
        sift_up(m->heap, m->n_heap++);
    }
}

/* Joins the symbol at i and its right neighbour. */
static void join(struct bpe_merger *m, const struct bpe_merges *merges, int32_t i, int32_t id)
{
    struct bpe_symbol *left = &m->symbols[i];
    struct bpe_symbol *right = &m->symbols[left->next];
    left->id = id;
    left->next = right->next;
    right->id = -1;
    if (right->next >= 0) {
        m->symbols[right->next].prev = i;
    }
    if (left->prev >= 0) {
        push(m, merges, left->prev);
    }
    push(m, merges, i);
}

choir_status bpe_merge_word(struct bpe_merger *m, const struct bpe_merges *merges, int32_t *ids, size_t *n,
                            choir_error *err)
{
    if (*n < 2) {
        return CHOIR_OK;
    }
    choir_status status = reserve(m, *n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    int32_t count = (int32_t)*n;
    m->n_heap = 0;
    for (int32_t i = 0; i < count; i++) {
        m->symbols[i] = (struct bpe_symbol){ids[i], i - 1, i + 1 < count ? i + 1 : -1};
    }
    for (int32_t i = 0; i + 1 < count; i++) {
        push(m, merges, i);
    }
    while (m->n_heap > 0) {
        struct bpe_pair top = pop(m);
        int32_t i = (int32_t)(uint32_t)top.order;
        const struct bpe_merge *now = m->symbols[i].id >= 0 ? merge_at(m, merges, i) : NULL;
        if (now != NULL && now->id == top.id) { /* else its symbols were joined to others meanwhile */
            join(m, merges, i, top.id);
        }
    }
    *n = 0;
    for (int32_t i = 0; i >= 0; i = m->symbols[i].next) {
        ids[(*n)++] = m->symbols[i].id;
    }
    return CHOIR_OK;
}
