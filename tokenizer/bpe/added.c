#include "tokenizer/bpe/added.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/checked.h"
#include "base/error.h"

/* Equal texts stay in the order they were given: shorter ids are not meant, the earlier entry is. */
static int compare(const void *a, const void *b)
{
    const struct bpe_added *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = memcmp(x->text, y->text, n);
    return order != 0 ? order : x->n != y->n ? (x->n < y->n ? -1 : 1) : (x->id > y->id) - (x->id < y->id);
}

choir_status bpe_added_open(struct bpe_added_set *set, const struct bpe_added *tokens, size_t n, choir_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += tokens[i].n;
    }
    *set = (struct bpe_added_set){0};
    set->tokens = base_array(n + 1, sizeof *set->tokens);
    set->texts = malloc(bytes + 1);
    if (set->tokens == NULL || set->texts == NULL) {
        return base_fail_memory(err, n * sizeof *set->tokens + bytes, "the added tokens");
    }
    char *at = set->texts;
    for (size_t i = 0; i < n; i++) {
        if (tokens[i].n > 0) {
            memcpy(at, tokens[i].text, tokens[i].n);
            set->tokens[set->n] = tokens[i];
            set->tokens[set->n++].text = at;
            at += tokens[i].n;
        }
    }
    qsort(set->tokens, set->n, sizeof *set->tokens, compare);
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct bpe_added *last = kept > 0 ? &set->tokens[kept - 1] : NULL;
        if (last == NULL || last->n != set->tokens[i].n || memcmp(last->text, set->tokens[i].text, last->n) != 0) {
            set->tokens[kept++] = set->tokens[i];
        }
    }
    set->n = kept;
    for (size_t byte = 0, i = 0; byte <= 256; byte++) {
        while (i < kept && (uint8_t)set->tokens[i].text[0] < byte) {
            i++;
        }
        set->first[byte] = i;
    }
    return CHOIR_OK;
}

void bpe_added_close(struct bpe_added_set *set)
{
    free(set->tokens);
    free(set->texts);
    *set = (struct bpe_added_set){0};
}

/* The first token in [low, high), all equal in their first k bytes, whose byte k is at least `byte`; a text that ends there
 * comes before all. */
static size_t lower_bound(const struct bpe_added_set *set, size_t low, size_t high, size_t k, int byte)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct bpe_added *t = &set->tokens[middle];
        if (t->n <= k || (uint8_t)t->text[k] < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The longest token that the n bytes of text begin with, or NULL. */
static const struct bpe_added *longest(const struct bpe_added_set *set, const char *text, size_t n)
{
    const struct bpe_added *best = NULL;
    size_t low = set->first[(uint8_t)text[0]];
    size_t high = set->first[(uint8_t)text[0] + 1];
    for (size_t k = 1; low < high; k++) {
        if (set->tokens[low].n == k) {
            best = &set->tokens[low];
        }
        if (k == n) {
            break;
        }
        size_t from = lower_bound(set, low, high, k, (uint8_t)text[k]);
        high = lower_bound(set, from, high, k, (uint8_t)text[k] + 1);
        low = from;
    }
    return best;
}

/* ---- what stands beside a token ---- */

static int32_t decode(const char *s, size_t n)
{
    utf8proc_int32_t c;
    return utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)(n < 4 ? n : 4), &c) > 0 ? c : -1;
}

static size_t start_of_last(const char *text, size_t n)
{
    do {
        n--;
    } while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80);
    return n;
}

static bool is_space(int32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t bpe_space_at(const char *text, size_t n)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)(n < 4 ? n : 4), &c);
    return used > 0 && is_space(c) ? (size_t)used : 0;
}

/* \w of UTS #18: letters, marks, decimal digits, connectors, joiners, and what is alphabetic by its looks. */
static bool is_word(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NL) || k == UTF8PROC_CATEGORY_PC || c == 0x200c ||
           c == 0x200d || (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
           (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

static bool stands_alone(const char *text, size_t n, size_t from, size_t to)
{
    bool left = from > 0 && is_word(decode(text + start_of_last(text, from), n));
    bool right = to < n && is_word(decode(text + to, n - to));
    return !left && !right;
}

/* The token's place with the white space that belongs to it, not before `done`. */
static void widen(const struct bpe_added *t, const char *text, size_t n, size_t done, size_t *from, size_t *to)
{
    while (t->lstrip && *from > done) {
        size_t last = start_of_last(text, *from);
        if (last < done || !is_space(decode(text + last, *from - last))) {
            break;
        }
        *from = last;
    }
    while (t->rstrip && *to < n && is_space(decode(text + *to, n - *to))) {
        do {
            ++*to;
        } while (*to < n && ((unsigned char)text[*to] & 0xc0) == 0x80);
    }
}

int bpe_added_next(struct bpe_added_part parts[2], const struct bpe_added_set *set, struct bpe_added_place *place,
                   const char *text, size_t n)
{
    while (set->n > 0 && place->at < n) {
        const struct bpe_added *t = longest(set, text + place->at, n - place->at);
        if (t == NULL) {
            place->at++;
            continue;
        }
        size_t from = place->at;
        size_t to = from + t->n;
        place->at = to;
        if (t->special || (t->single_word && !stands_alone(text, n, from, to))) {
            continue;
        }
        widen(t, text, n, place->done, &from, &to);
        int count = 0;
        if (place->done < from) {
            parts[count++] = (struct bpe_added_part){place->done, from, -1};
        }
        parts[count++] = (struct bpe_added_part){from, to, t->id};
        place->done = to;
        return count;
    }
    if (place->done >= n) {
        return 0;
    }
    parts[0] = (struct bpe_added_part){place->done, n, -1};
    place->done = n;
    return 1;
}
