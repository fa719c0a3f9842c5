/* Text to ids: added tokens, normal form, words, and each word by its kind of model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/bpe/byte_alphabet.h"
#include "tokenizer/bpe/internal.h"

struct encoder {
    const struct bpe *b;
    struct bpe_words words;
    struct bpe_merger merger;
    struct unigram_work unigram;
    int32_t *ids;
    size_t n, cap;
    choir_error *err;
};

static choir_status reserve(struct encoder *e, size_t more)
{
    if (e->cap - e->n >= more) {
        return CHOIR_OK;
    }
    size_t cap = 2 * e->cap + more;
    int32_t *ids = base_array_resize(e->ids, cap, sizeof *ids);
    if (ids == NULL) {
        return base_fail_memory(e->err, cap * sizeof *ids, "tokenizing");
    }
    e->ids = ids;
    e->cap = cap;
    return CHOIR_OK;
}

/* The pieces of the bytes of a word into dst; returns how many. */
static size_t put_bytes(const struct bpe *b, int32_t *dst, const char *word, size_t n)
{
    size_t count = 0;
    bool in_unknown = false;
    int used;
    for (size_t i = 0; i < n; i += (size_t)used) {
        int32_t id = b->byte_ids[byte_alphabet_get(word + i, n - i, &used)];
        bool known = id >= 0;
        if (known || (b->unk_id >= 0 && !(in_unknown && b->fuse_unk))) {
            dst[count++] = known ? id : b->unk_id;
        }
        in_unknown = !known;
    }
    return count;
}

/* The pieces <0x..> of n bytes into dst; false where the vocabulary lacks one. */
static bool put_fallback(const struct bpe *b, int32_t *dst, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = b->byte_ids[(uint8_t)text[i]];
        if (dst[i] < 0) {
            return false;
        }
    }
    return b->byte_fallback;
}

/* The pieces of the characters of a word into dst; returns how many.  An unknown one is put where the next known one, or
 * another unknown one, comes: bytes in between go before it. */
static size_t put_characters(const struct bpe *b, int32_t *dst, const char *word, size_t n)
{
    size_t count = 0;
    bool unknown = false;
    for (size_t i = 0; i < n;) {
        int len = base_utf8_sequence(word + i, n - i);
        size_t bytes = len > 0 ? (size_t)len : 1;
        int32_t id = bpe_names_find(&b->names, word + i, bytes);
        if (id >= 0 && bpe_is_text(b, id)) {
            if (unknown) {
                dst[count++] = b->unk_id;
            }
            unknown = false;
            dst[count++] = id;
        } else if (put_fallback(b, dst + count, word + i, bytes)) {
            count += bytes;
        } else if (b->unk_id >= 0) {
            if (unknown && !b->fuse_unk) {
                dst[count++] = b->unk_id;
            }
            unknown = true;
        }
        i += bytes;
    }
    if (unknown) {
        dst[count++] = b->unk_id;
    }
    return count;
}

/* A word of unknown characters may be a piece in one, or bytes. */
static size_t put_unknown(const struct bpe *b, int32_t *dst, const char *word, size_t n)
{
    int32_t id = bpe_names_find(&b->names, word, n);
    if (id >= 0 && bpe_is_text(b, id)) {
        dst[0] = id;
        return 1;
    }
    if (put_fallback(b, dst, word, n)) {
        return n;
    }
    dst[0] = b->unk_id;
    return b->unk_id >= 0 ? 1 : 0;
}

static choir_status cut_word(struct encoder *e, const char *word, size_t n)
{
    choir_status status = unigram_cut(&e->unigram, e->b->unigram, word, n, e->err);
    for (size_t i = 0; status == CHOIR_OK && i < e->unigram.n_parts; i++) {
        struct unigram_part p = e->unigram.parts[i];
        if (p.id >= 0) {
            e->ids[e->n++] = p.id;
        } else {
            e->n += put_unknown(e->b, e->ids + e->n, word + p.from, p.to - p.from);
        }
    }
    return status;
}

static choir_status encode_word(struct encoder *e, const char *word, size_t n)
{
    const struct bpe *b = e->b;
    choir_status status = reserve(e, n);
    if (status != CHOIR_OK) {
        return status;
    }
    if (b->kind == BPE_UNIGRAM) {
        return cut_word(e, word, n);
    }
    int32_t whole = b->ignore_merges ? bpe_names_find(&b->names, word, n) : -1;
    if (whole >= 0 && bpe_is_text(b, whole)) {
        e->ids[e->n++] = whole;
        return CHOIR_OK;
    }
    size_t count =
        b->kind == BPE_BYTES ? put_bytes(b, e->ids + e->n, word, n) : put_characters(b, e->ids + e->n, word, n);
    status = bpe_merge_word(&e->merger, &b->merges, e->ids + e->n, &count, e->err);
    e->n += count;
    return status;
}

/* A part without added tokens. */
static choir_status encode_text(struct encoder *e, const char *text, size_t n, bool first)
{
    e->words.at_start = first;
    choir_status status = bpe_split(&e->words, e->b->splitter, text, n, e->err);
    for (size_t i = 0; i < e->words.n && status == CHOIR_OK; i++) {
        struct bpe_span w = e->words.spans[i];
        status = encode_word(e, e->words.text + w.from, w.to - w.from);
    }
    return status;
}

/* first: the text begins the whole one. */
typedef choir_status encode_fn(struct encoder *e, const char *text, size_t n, bool first);

/* The added tokens of a set, and by `rest` what lies between them. */
static choir_status encode_parts(struct encoder *e, const struct bpe_added_set *set, const char *text, size_t n,
                                 bool first, encode_fn *rest)
{
    struct bpe_added_place place = {0};
    struct bpe_added_part parts[2];
    choir_status status = CHOIR_OK;
    int count;
    while (status == CHOIR_OK && (count = bpe_added_next(parts, set, &place, text, n)) > 0) {
        for (int i = 0; i < count && status == CHOIR_OK; i++) {
            if (parts[i].id < 0) {
                size_t from = parts[i].from;
                status = rest(e, text + from, parts[i].to - from, first && from == 0);
                continue;
            }
            status = reserve(e, 1);
            if (status == CHOIR_OK) {
                e->ids[e->n++] = parts[i].id;
            }
        }
    }
    return status;
}

static choir_status encode_raw(struct encoder *e, const char *text, size_t n, bool first)
{
    char *made;
    size_t n_made;
    choir_status status = norm_run(&made, &n_made, e->b->norm, text, n, BPE_MAX_TEXT_BYTES, e->err);
    if (status == CHOIR_OK) {
        status = encode_parts(e, &e->b->normalized, made != NULL ? made : text, n_made, first, encode_text);
    }
    free(made);
    return status;
}

choir_status bpe_encode(const struct bpe *b, const char *text, size_t n, int32_t **ids, size_t *n_ids, choir_error *err)
{
    struct encoder e = {.b = b, .err = err};
    choir_status status = reserve(&e, 1); /* a list even of no ids is not NULL */
    if (status == CHOIR_OK) {
        status = encode_parts(&e, &b->raw, text, n, true, encode_raw);
    }
    bpe_words_free(&e.words);
    bpe_merger_free(&e.merger);
    unigram_work_free(&e.unigram);
    if (status != CHOIR_OK) {
        free(e.ids);
        return status;
    }
    *ids = e.ids;
    *n_ids = e.n;
    return CHOIR_OK;
}
