/* The index of a text's n-grams. */
#include "engine/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { CANDIDATES = 32, LENGTH_MAX = 32, BITS_MAX = 16 };

static const int32_t kind_tokens[NGRAM_KINDS] = {3, 2};

choir_status eng_ngrams_open(struct eng_ngrams *x, int32_t cap, choir_error *err)
{
    *x = (struct eng_ngrams){.bits = 4, .cap = cap};
    while (x->bits < BITS_MAX && (int32_t)1 << x->bits < cap) {
        x->bits++;
    }
    size_t heads_bytes = ((size_t)1 << x->bits) * sizeof(int32_t);
    size_t links_bytes = (size_t)cap * sizeof(int32_t);
    for (int k = 0; k < NGRAM_KINDS; k++) {
        x->heads[k] = malloc(heads_bytes);
        x->links[k] = malloc(links_bytes);
        if (x->heads[k] == NULL || x->links[k] == NULL) {
            return base_fail_memory(err, heads_bytes + links_bytes, "an index of what was said");
        }
        memset(x->heads[k], 0xff, heads_bytes); /* -1 */
    }
    return CHOIR_OK;
}

void eng_ngrams_close(struct eng_ngrams *x)
{
    for (int k = 0; k < NGRAM_KINDS; k++) {
        free(x->heads[k]);
        free(x->links[k]);
        x->heads[k] = x->links[k] = NULL;
    }
}

/* Of the n tokens before position pos. */
static uint32_t hash_before(const struct eng_ngrams *x, const int32_t *ids, int32_t pos, int32_t n)
{
    uint64_t h = 0;
    for (int32_t i = pos - n; i < pos; i++) {
        h = (h + (uint32_t)ids[i] + 1) * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
    }
    return (uint32_t)(h >> (64 - x->bits));
}

static void enter(struct eng_ngrams *x, const int32_t *ids, int32_t pos)
{
    for (int k = 0; k < NGRAM_KINDS; k++) {
        x->links[k][pos] = -1;
        if (pos >= kind_tokens[k]) {
            int32_t *head = &x->heads[k][hash_before(x, ids, pos, kind_tokens[k])];
            x->links[k][pos] = *head;
            *head = pos;
        }
    }
}

/* Equal tokens before positions a < b. */
static int32_t same_before(const int32_t *ids, int32_t a, int32_t b)
{
    int32_t most = a < LENGTH_MAX ? a : LENGTH_MAX;
    int32_t n = 0;
    while (n < most && ids[a - 1 - n] == ids[b - 1 - n]) {
        n++;
    }
    return n;
}

/* The best of one chain. */
static int32_t search(const struct eng_ngrams *x, int k, const int32_t *ids, int32_t n_ids, int32_t *length)
{
    int32_t best = -1;
    *length = kind_tokens[k] - 1; /* fewer are another hash's */
    if (n_ids < kind_tokens[k]) {
        return -1;
    }
    int32_t pos = x->heads[k][hash_before(x, ids, n_ids, kind_tokens[k])];
    for (int i = 0; pos >= 0 && i < CANDIDATES && *length < LENGTH_MAX; i++) {
        int32_t n = same_before(ids, pos, n_ids);
        if (n > *length) {
            best = pos;
            *length = n;
        }
        pos = x->links[k][pos];
    }
    return best;
}

int32_t eng_ngrams_find(struct eng_ngrams *x, const int32_t *ids, int32_t n_ids, int32_t *length)
{
    for (; x->n < n_ids; x->n++) { /* positions that something follows: the end itself is not among them */
        enter(x, ids, x->n);
    }
    int32_t best = -1;
    for (int k = 0; k < NGRAM_KINDS && best < 0; k++) {
        best = search(x, k, ids, n_ids, length);
    }
    return best;
}
