#include "tokenizer/bpe/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

static size_t slots_for(size_t n)
{
    size_t slots = 16;
    while (slots < 2 * n) {
        slots *= 2;
    }
    return slots;
}

/* splitmix64's last steps. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t hash_text(const char *s, size_t n)
{
    uint64_t h = mix(n + 0x9e3779b97f4a7c15u);
    for (; n >= 8; s += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, s, 8);
        h = mix(h ^ word) + 0x9e3779b97f4a7c15u;
    }
    uint64_t rest = 0;
    if (n > 0) {
        memcpy(&rest, s, n);
    }
    return mix(h ^ rest);
}

choir_status bpe_names_open(struct bpe_names *v, const char *texts, const size_t *starts, size_t n_pieces,
                            choir_error *err)
{
    size_t n = slots_for(n_pieces);
    *v = (struct bpe_names){.texts = texts, .starts = starts, .mask = n - 1};
    v->slots = calloc(n, sizeof *v->slots);
    return v->slots != NULL ? CHOIR_OK : base_fail_memory(err, n * sizeof *v->slots, "the vocabulary");
}

void bpe_names_close(struct bpe_names *v)
{
    free(v->slots);
    v->slots = NULL;
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t *name_slot(const struct bpe_names *v, const char *text, size_t n)
{
    size_t i = (size_t)hash_text(text, n) & v->mask;
    for (; v->slots[i] != 0; i = (i + 1) & v->mask) {
        size_t id = v->slots[i] - 1;
        if (v->starts[id + 1] - v->starts[id] == n && memcmp(v->texts + v->starts[id], text, n) == 0) {
            break;
        }
    }
    return &v->slots[i];
}

int32_t bpe_names_add(struct bpe_names *v, int32_t id)
{
    uint32_t *slot = name_slot(v, v->texts + v->starts[id], v->starts[id + 1] - v->starts[id]);
    if (*slot == 0) {
        *slot = (uint32_t)id + 1;
    }
    return (int32_t)(*slot - 1);
}

int32_t bpe_names_find(const struct bpe_names *v, const char *text, size_t n)
{
    return (int32_t)*name_slot(v, text, n) - 1;
}

choir_status bpe_merges_open(struct bpe_merges *m, size_t n_merges, choir_error *err)
{
    size_t n = slots_for(n_merges);
    m->mask = n - 1;
    m->slots = base_array(n, sizeof *m->slots);
    if (m->slots == NULL) {
        return base_fail_memory(err, n * sizeof *m->slots, "the merges");
    }
    memset(m->slots, 0xff, n * sizeof *m->slots); /* left -1 */
    return CHOIR_OK;
}

void bpe_merges_close(struct bpe_merges *m)
{
    free(m->slots);
    m->slots = NULL;
}

/* The slot of the pair, or the free one where it belongs. */
static struct bpe_merge *merge_slot(const struct bpe_merges *m, int32_t left, int32_t right)
{
    size_t i = (size_t)mix((uint64_t)(uint32_t)left << 32 | (uint32_t)right) & m->mask;
    while (m->slots[i].left != -1 && (m->slots[i].left != left || m->slots[i].right != right)) {
        i = (i + 1) & m->mask;
    }
    return &m->slots[i];
}

void bpe_merges_add(struct bpe_merges *m, struct bpe_merge merge)
{
    *merge_slot(m, merge.left, merge.right) = merge;
}

const struct bpe_merge *bpe_merges_find(const struct bpe_merges *m, int32_t left, int32_t right)
{
    const struct bpe_merge *slot = merge_slot(m, left, right);
    return slot->left != -1 ? slot : NULL;
}
