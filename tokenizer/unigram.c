/* Pieces that begin a text are found in a trie.  Its nodes lie in order of their depth, the children of a node side by side in
 * order of their bytes; it is built from the sorted pieces, of which each node has a range. */
#include "tokenizer/unigram.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"

/* What an unknown character costs beyond the least score: kUnkPenalty. */
static const double unknown_penalty = 10.0;

struct trie_node {
    uint32_t children; /* the first one */
    int32_t id;        /* of the piece that ends here, or -1 */
    uint16_t n_children;
    uint8_t byte;
};

struct unigram {
    struct trie_node *nodes;
    uint32_t n_nodes;
    double *scores;
    int32_t n_pieces;
    double unknown;
};

/* The best way to a place in the word. */
struct unigram_node {
    double score;
    int32_t from; /* where its last piece begins, or -1: no way yet */
    int32_t id;
};

/* ---- the trie ---- */

struct entry {
    const char *text;
    uint32_t n;
    int32_t id;
};

/* The entries [low, high) that share the first `depth` bytes. */
struct range {
    uint32_t low, high;
};

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* A node for each different beginning of an entry, and the root. */
static size_t count_nodes(const struct entry *entries, uint32_t n)
{
    size_t count = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t same = 0;
        while (i > 0 && same < entries[i].n && same < entries[i - 1].n &&
               entries[i].text[same] == entries[i - 1].text[same]) {
            same++;
        }
        count += entries[i].n - same;
    }
    return count;
}

/* The children of node i, whose entries are ranges[i], behind the nodes that are there. */
static void add_children(struct unigram *u, const struct entry *entries, struct range *ranges, uint32_t i,
                         uint32_t depth)
{
    struct range r = ranges[i];
    struct trie_node *node = &u->nodes[i];
    node->id = -1;
    node->children = u->n_nodes;
    if (r.low < r.high && entries[r.low].n == depth) {
        node->id = entries[r.low++].id;
    }
    while (r.low < r.high) {
        uint8_t byte = (uint8_t)entries[r.low].text[depth];
        uint32_t from = r.low;
        while (r.low < r.high && (uint8_t)entries[r.low].text[depth] == byte) {
            r.low++;
        }
        u->nodes[u->n_nodes] = (struct trie_node){.byte = byte};
        ranges[u->n_nodes++] = (struct range){from, r.low};
        node->n_children++;
    }
}

static choir_status build(struct unigram *u, const struct entry *entries, uint32_t n, choir_error *err)
{
    size_t count = count_nodes(entries, n);
    struct range *ranges = base_array(count, sizeof *ranges);
    u->nodes = base_array(count, sizeof *u->nodes);
    if (count > UINT32_MAX || ranges == NULL || u->nodes == NULL) {
        free(ranges);
        return base_fail_memory(err, count * (sizeof *ranges + sizeof *u->nodes), "the vocabulary");
    }
    ranges[0] = (struct range){0, n};
    u->nodes[0] = (struct trie_node){0};
    u->n_nodes = 1;
    for (uint32_t i = 0, end = 1, depth = 0; i < u->n_nodes; i++) {
        if (i == end) { /* the next level begins */
            end = u->n_nodes;
            depth++;
        }
        add_children(u, entries, ranges, i, depth);
    }
    free(ranges);
    return CHOIR_OK;
}

static choir_status fill(struct unigram *u, const char *texts, const size_t *starts, const bool *visible,
                         const double *scores, choir_error *err)
{
    size_t n = (size_t)u->n_pieces;
    struct entry *entries = base_array(n + 1, sizeof *entries);
    u->scores = base_array(n + 1, sizeof *u->scores);
    if (entries == NULL || u->scores == NULL) {
        free(entries);
        return base_fail_memory(err, n * (sizeof *entries + sizeof *u->scores), "the vocabulary");
    }
    uint32_t kept = 0;
    double least = 0;
    for (size_t i = 0; i < n; i++) {
        u->scores[i] = scores[i];
        least = i == 0 || scores[i] < least ? scores[i] : least;
        if (visible[i] && starts[i + 1] > starts[i]) {
            entries[kept++] = (struct entry){texts + starts[i], (uint32_t)(starts[i + 1] - starts[i]), (int32_t)i};
        }
    }
    u->unknown = least - unknown_penalty;
    qsort(entries, kept, sizeof *entries, compare);
    choir_status status = build(u, entries, kept, err);
    free(entries);
    return status;
}

choir_status unigram_open(struct unigram **out, const char *texts, const size_t *starts, const bool *visible,
                          const double *scores, int32_t n_pieces, choir_error *err)
{
    struct unigram *u = calloc(1, sizeof *u);
    *out = NULL;
    if (u == NULL) {
        return base_fail_memory(err, sizeof *u, "the vocabulary");
    }
    u->n_pieces = n_pieces;
    choir_status status = fill(u, texts, starts, visible, scores, err);
    if (status != CHOIR_OK) {
        unigram_close(u);
        return status;
    }
    *out = u;
    return CHOIR_OK;
}

void unigram_close(struct unigram *u)
{
    if (u != NULL) {
        free(u->nodes);
        free(u->scores);
        free(u);
    }
}

const double *unigram_scores(const struct unigram *u)
{
    return u->scores;
}

static const struct trie_node *child(const struct unigram *u, const struct trie_node *node, uint8_t byte)
{
    uint32_t low = node->children, high = low + node->n_children;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (u->nodes[middle].byte < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < node->children + node->n_children && u->nodes[low].byte == byte;
    return found ? &u->nodes[low] : NULL;
}

/* ---- cutting ---- */

void unigram_work_free(struct unigram_work *w)
{
    free(w->nodes);
    free(w->parts);
    *w = (struct unigram_work){0};
}

static choir_status reserve(struct unigram_work *w, size_t n, choir_error *err)
{
    if (n < w->cap) {
        return CHOIR_OK;
    }
    size_t cap = n + n / 2 + 64;
    unigram_work_free(w);
    w->nodes = base_array(cap, sizeof *w->nodes);
    w->parts = base_array(cap, sizeof *w->parts);
    if (w->nodes == NULL || w->parts == NULL) {
        unigram_work_free(w);
        return base_fail_memory(err, cap * (sizeof *w->nodes + sizeof *w->parts), "tokenizing");
    }
    w->cap = cap;
    return CHOIR_OK;
}

static void offer(struct unigram_node *to, double score, size_t from, int32_t id)
{
    if (to->from < 0 || score > to->score) {
        *to = (struct unigram_node){score, (int32_t)from, id};
    }
}

/* The ways that go on from `at`; returns where the next character begins. */
static size_t go_on(struct unigram_node *nodes, const struct unigram *u, const char *word, size_t n, size_t at)
{
    int len = base_utf8_sequence(word + at, n - at);
    size_t next = at + (len > 0 ? (size_t)len : 1);
    bool has_single = false;
    const struct trie_node *node = child(u, &u->nodes[0], (uint8_t)word[at]);
    for (size_t end = at + 1; node != NULL; end++) {
        if (node->id >= 0) {
            offer(&nodes[end], u->scores[node->id] + nodes[at].score, at, node->id);
            has_single = has_single || end == next;
        }
        node = end < n ? child(u, node, (uint8_t)word[end]) : NULL;
    }
    if (!has_single) {
        offer(&nodes[next], u->unknown + nodes[at].score, at, -1);
    }
    return next;
}

/* The best way back from the end, into w->parts in order. */
static void collect(struct unigram_work *w, size_t n)
{
    size_t count = 0;
    bool in_unknown = false;
    for (size_t end = n; end > 0;) {
        const struct unigram_node *node = &w->nodes[end];
        size_t from = (size_t)node->from;
        if (node->id < 0 && in_unknown) {
            w->parts[count - 1].from = (uint32_t)from;
        } else {
            w->parts[count++] = (struct unigram_part){(uint32_t)from, (uint32_t)end, node->id};
        }
        in_unknown = node->id < 0;
        end = from;
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct unigram_part part = w->parts[i];
        w->parts[i] = w->parts[count - 1 - i];
        w->parts[count - 1 - i] = part;
    }
    w->n_parts = count;
}

choir_status unigram_cut(struct unigram_work *w, const struct unigram *u, const char *word, size_t n, choir_error *err)
{
    choir_status status = reserve(w, n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    for (size_t i = 0; i <= n; i++) {
        w->nodes[i] = (struct unigram_node){0, -1, -1};
    }
    for (size_t at = 0; at < n;) {
        at = go_on(w->nodes, u, word, n, at);
    }
    collect(w, n);
    return CHOIR_OK;
}
