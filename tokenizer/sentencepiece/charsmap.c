/* Layout of the map: u32 bytes of the trie, the trie, then the texts, each ended by a NUL.
 *
 * The trie is an array of 32-bit units (Yata et al., "A compact static double-array keeping character codes", 2007, in
 * the form of Darts-clone):
 *
 *     bits 0-7   label of the edge that leads to this unit; bit 31: this unit is a leaf, the other bits its value
 *     bit 8      a key ends here: the leaf is at base ^ 0
 *     bit 9      the offset is times 256
 *     bits 10-31 offset:  base = index of this unit ^ offset;  the child for byte c is at base ^ c if its label is c
 *
 * So every unit is the child of exactly one base (its index ^ its label), and the walk over all that text can reach is
 * linear.  Equal subtrees are shared, so this is an acyclic graph of bases.  The library reads base ^ c for any byte c
 * and writes down at most 32 keys that begin the same text. */
#include "tokenizer/sentencepiece/charsmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

enum { MAX_KEYS_ON_PATH = 32 };
enum { NEW = 0, OPEN = 1, DONE = 2 };

struct walk {
    const char *file;
    const char *units; /* [n_units] little-endian u32, unaligned */
    uint32_t n_units;
    struct sp_text texts;
    /* [n_units] each, by index: */
    uint32_t *first; /* base -> its first child, or UINT32_MAX */
    uint32_t *next;  /* child -> the next child of the same base */
    uint32_t *from;  /* base being walked -> the base it was entered from */
    uint8_t *state;  /* of a base: NEW, OPEN, DONE */
    uint8_t *keys;   /* base -> most keys that end on a path below it, up to MAX_KEYS_ON_PATH + 1 */
    size_t max_bytes;
};

static uint32_t unit_at(const struct walk *w, uint32_t i)
{
    const uint8_t *p = (const uint8_t *)w->units + 4 * (size_t)i;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t base_of(const struct walk *w, uint32_t i)
{
    uint32_t u = unit_at(w, i);
    return i ^ ((u >> 10) << ((u & 0x200) >> 6)); /* fits: by 0 or 8 */
}

static bool has_leaf(const struct walk *w, uint32_t i)
{
    return unit_at(w, i) >> 8 & 1;
}

static choir_status fail(const struct walk *w, uint32_t node, const char *what, choir_error *err)
{
    return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: node %u %s", w->file, (unsigned)node, what);
}

/* Unit `node` is one that text can reach: may the library go on from it? */
static choir_status check_node(struct walk *w, uint32_t node, choir_error *err)
{
    uint32_t base = base_of(w, node);
    if ((base | 0xff) >= w->n_units) {
        return fail(w, node, "points outside", err);
    }
    if (!has_leaf(w, node)) {
        return CHOIR_OK;
    }
    size_t at = unit_at(w, base) & 0x7fffffff;
    if (at >= w->texts.n || (at > 0 && ((uint8_t)w->texts.s[at] & 0xc0) == 0x80)) {
        return fail(w, node, "has its text outside", err);
    }
    size_t bytes = 0;
    for (; w->texts.s[at] != '\0'; at++) {
        bytes += w->texts.s[at] == ' ' ? 3 : 1;
        if (bytes > SP_MAX_RULE_BYTES) {
            return fail(w, node, "puts in more than 1024 bytes", err);
        }
    }
    w->max_bytes = bytes > w->max_bytes ? bytes : w->max_bytes;
    return CHOIR_OK;
}

static void link_children(struct walk *w)
{
    memset(w->first, 0xff, w->n_units * sizeof *w->first);
    for (uint32_t i = 0; i < w->n_units; i++) {
        uint32_t label = unit_at(w, i) & 0x800000ff;
        if (label <= 0xff) { /* not a leaf */
            uint32_t base = i ^ label;
            if (base < w->n_units) {
                w->next[i] = w->first[base];
                w->first[base] = i;
            }
        }
    }
}

/* The children of `base` that are not walked yet: the next one's base, or UINT32_MAX when all are done. */
static choir_status next_child(struct walk *w, uint32_t base, uint32_t *child_base, choir_error *err)
{
    for (; w->first[base] != UINT32_MAX; w->first[base] = w->next[w->first[base]]) {
        uint32_t child = w->first[base];
        choir_status s = check_node(w, child, err);
        if (s != CHOIR_OK) {
            return s;
        }
        *child_base = base_of(w, child);
        if (w->state[*child_base] == OPEN) {
            return fail(w, child, "is part of a cycle", err);
        }
        if (w->state[*child_base] == NEW) {
            return CHOIR_OK;
        }
        unsigned keys = w->keys[*child_base] + (unsigned)has_leaf(w, child);
        if (keys > MAX_KEYS_ON_PATH) {
            return fail(w, child, "is on a path with more than 32 rules", err);
        }
        w->keys[base] = keys > w->keys[base] ? (uint8_t)keys : w->keys[base];
    }
    *child_base = UINT32_MAX;
    return CHOIR_OK;
}

/* Depth first from the root, the way back kept in w->from. */
static choir_status walk_all(struct walk *w, choir_error *err)
{
    link_children(w);
    choir_status s = check_node(w, 0, err);
    if (s != CHOIR_OK) {
        return s;
    }
    uint32_t base = base_of(w, 0);
    w->state[base] = OPEN;
    w->from[base] = UINT32_MAX;
    while (base != UINT32_MAX) {
        uint32_t child_base;
        s = next_child(w, base, &child_base, err);
        if (s != CHOIR_OK) {
            return s;
        }
        if (child_base == UINT32_MAX) {
            w->state[base] = DONE;
            base = w->from[base];
        } else {
            w->state[child_base] = OPEN;
            w->from[child_base] = base;
            base = child_base;
        }
    }
    return CHOIR_OK;
}

static choir_status walk_trie(struct walk *w, choir_error *err)
{
    size_t n = w->n_units;
    size_t bytes = n * (3 * sizeof(uint32_t) + 2);
    uint32_t *room = calloc(1, bytes);
    if (room == NULL) {
        return base_fail_memory(err, bytes, "checking precompiled_charsmap");
    }
    w->first = room;
    w->next = room + n;
    w->from = room + 2 * n;
    w->state = (uint8_t *)(room + 3 * n);
    w->keys = w->state + n;
    choir_status s = walk_all(w, err);
    free(room);
    return s;
}

choir_status sp_charsmap_check(const char *file, struct sp_text map, size_t *max_bytes, choir_error *err)
{
    *max_bytes = 0;
    if (map.n == 0) {
        return CHOIR_OK;
    }
    if (map.n < 4 || map.n > SP_MAX_CHARSMAP_BYTES) {
        return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: %zu bytes, needs at %s %d", file, map.n,
                         map.n < 4 ? "least" : "most", map.n < 4 ? 4 : SP_MAX_CHARSMAP_BYTES);
    }
    struct walk w = {.file = file, .units = map.s, .n_units = 1};
    uint32_t trie_bytes = unit_at(&w, 0);
    w.units = map.s + 4;
    w.n_units = trie_bytes / 4;
    if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > map.n - 4) {
        return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: trie of %u bytes in a blob of %zu", file,
                         (unsigned)trie_bytes, map.n);
    }
    w.texts = (struct sp_text){w.units + trie_bytes, map.n - 4 - trie_bytes};
    if (w.texts.n == 0 || w.texts.s[w.texts.n - 1] != '\0') {
        return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: text not terminated", file);
    }
    if (base_utf8_valid(w.texts.s, w.texts.n) != w.texts.n) {
        return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: text is not valid UTF-8", file);
    }
    choir_status s = walk_trie(&w, err);
    *max_bytes = w.max_bytes;
    return s;
}
