#include "tokenizer/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tokenizer/bpe_merge.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tok_internal.h"

struct bpe {
    struct bpe_names names;
    struct bpe_merges merges;
    int32_t (*merge_list)[2];
    size_t n_merges;
    int32_t byte_ids[256]; /* the piece of each byte, or -1 */
    const uint8_t *types;  /* the tokenizer's */
    struct bpe_splitter *splitter;
    struct bpe_added_set raw, normalized;
    enum bpe_form form;
    bool ignore_merges, fuse_unk;
    int32_t unk_id;
    const char *pre; /* static */
};

void bpe_close(struct bpe *b)
{
    if (b == NULL) {
        return;
    }
    bpe_names_close(&b->names);
    bpe_merges_close(&b->merges);
    free(b->merge_list);
    bpe_splitter_close(b->splitter);
    bpe_added_close(&b->raw);
    bpe_added_close(&b->normalized);
    free(b);
}

int32_t bpe_find_piece(const struct bpe *b, const char *text, size_t n)
{
    return bpe_names_find(&b->names, text, n);
}

const int32_t (*bpe_merge_list(const struct bpe *b, size_t *n))[2]
{
    *n = b->n_merges;
    return (const int32_t(*)[2])b->merge_list;
}

const char *bpe_pre_name(const struct bpe *b)
{
    return b->pre;
}

/* ---- opening ---- */

static choir_status check_pieces(const struct bpe_source *s, int64_t vocab_rows, choir_error *err)
{
    if (s->n_pieces < 1 || s->n_pieces > BPE_MAX_PIECES) {
        return base_fail(err, CHOIR_FILE, "%s: %d tokens (1 to %d allowed)", s->file, (int)s->n_pieces, BPE_MAX_PIECES);
    }
    if (vocab_rows >= 0 && s->n_pieces > vocab_rows) {
        return base_fail(err, CHOIR_FILE, "%s: %d tokens, the model has %lld embedding rows", s->file, (int)s->n_pieces,
                         (long long)vocab_rows);
    }
    for (int32_t i = 0; i < s->n_pieces; i++) {
        if (s->types[i] < TOK_NORMAL || s->types[i] > TOK_BYTE) {
            return base_fail(err, CHOIR_FILE, "%s: token %d: type %d (1 to 6 allowed)", s->file, (int)i,
                             (int)s->types[i]);
        }
        if (s->piece_bytes[i] > BPE_MAX_PIECE_BYTES || (s->piece_bytes[i] == 0 && s->types[i] == TOK_NORMAL)) {
            return base_fail(err, CHOIR_FILE, "%s: token %d: text of %zu bytes (1 to %d allowed)", s->file, (int)i,
                             s->piece_bytes[i], BPE_MAX_PIECE_BYTES);
        }
    }
    return CHOIR_OK;
}

/* Texts and types into t. */
static choir_status copy_pieces(struct tokenizer *t, const struct bpe_source *s, choir_error *err)
{
    size_t n = (size_t)s->n_pieces;
    size_t bytes = 0; /* at most 2^24 * 4096 */
    for (size_t i = 0; i < n; i++) {
        bytes += s->piece_bytes[i];
    }
    t->texts = malloc(bytes + 1);
    t->starts = malloc((n + 1) * sizeof *t->starts);
    t->types = malloc(n);
    if (t->texts == NULL || t->starts == NULL || t->types == NULL) {
        return base_fail_memory(err, bytes + (n + 1) * sizeof *t->starts + n, "the vocabulary");
    }
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(t->texts + at, s->pieces[i], s->piece_bytes[i]);
        t->starts[i] = at;
        t->types[i] = (uint8_t)s->types[i];
        at += s->piece_bytes[i];
        t->max_piece_bytes = s->piece_bytes[i] > t->max_piece_bytes ? s->piece_bytes[i] : t->max_piece_bytes;
    }
    t->starts[n] = at;
    t->n_pieces = s->n_pieces;
    t->bos_id = s->bos_id;
    t->eos_id = s->eos_id;
    t->unk_id = s->unk_id;
    t->adds_bos = s->recipe.adds_bos;
    t->max_text_bytes = BPE_MAX_TEXT_BYTES;
    return CHOIR_OK;
}

static choir_status name_pieces(struct bpe *b, const struct tokenizer *t, const char *file, choir_error *err)
{
    choir_status status = bpe_names_open(&b->names, t->texts, t->starts, (size_t)t->n_pieces, err);
    for (int32_t i = 0; status == CHOIR_OK && i < t->n_pieces; i++) {
        size_t n = t->starts[i + 1] - t->starts[i];
        int32_t first = t->types[i] != TOK_UNUSED && n > 0 ? bpe_names_add(&b->names, i) : i;
        if (first != i) {
            char shown[BASE_ESCAPE_CAP];
            status = base_fail(err, CHOIR_FILE, "%s: tokens %d and %d are both \"%s\"", file, (int)first, (int)i,
                               base_escape(shown, t->texts + t->starts[i], n));
        }
    }
    return status;
}

/* The piece of a byte that occurs in UTF-8 is that byte, whatever else its file uses it for. */
static void find_bytes(struct bpe *b, struct tokenizer *t)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[2];
        int n = byte_alphabet_put(text, (uint8_t)byte);
        int32_t id = bpe_names_find(&b->names, text, (size_t)n);
        b->byte_ids[byte] = id;
        if (id >= 0 && byte != 0xc0 && byte != 0xc1 && byte <= 0xf4) {
            t->types[id] = TOK_NORMAL;
        }
    }
}

static bool is_text(const struct bpe *b, int32_t id)
{
    return b->types[id] != TOK_CONTROL && b->types[id] != TOK_UNKNOWN;
}

static choir_status fail_merge(const struct bpe_source *s, size_t i, const char *part, size_t n, choir_error *err)
{
    char shown[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: merge %zu: \"%s\" is not in the vocabulary", s->file, i,
                     base_escape(shown, part, n));
}

/* The i-th merge of the source into the table and the list.  A merge that would make a special piece out of text is
 * listed only. */
static choir_status add_merge(struct bpe *b, const struct bpe_source *s, size_t i, choir_error *err)
{
    const struct bpe_merge_text *m = &s->merges[i];
    char joined[2 * BPE_MAX_PIECE_BYTES];
    int32_t left = bpe_names_find(&b->names, m->left, m->n_left);
    int32_t right = bpe_names_find(&b->names, m->right, m->n_right);
    if (left < 0 || right < 0) {
        return fail_merge(s, i, left < 0 ? m->left : m->right, left < 0 ? m->n_left : m->n_right, err);
    }
    memcpy(joined, m->left, m->n_left); /* parts that are pieces are no longer than these may be */
    memcpy(joined + m->n_left, m->right, m->n_right);
    int32_t id = bpe_names_find(&b->names, joined, m->n_left + m->n_right);
    if (id < 0) {
        return fail_merge(s, i, joined, m->n_left + m->n_right, err);
    }
    b->merge_list[i][0] = left;
    b->merge_list[i][1] = right;
    if (is_text(b, left) && is_text(b, right) && is_text(b, id)) {
        bpe_merges_add(&b->merges, (struct bpe_merge){left, right, (int32_t)i, id});
    }
    return CHOIR_OK;
}

static choir_status add_merges(struct bpe *b, const struct bpe_source *s, choir_error *err)
{
    if (s->n_merges > BPE_MAX_PIECES) {
        return base_fail(err, CHOIR_FILE, "%s: %zu merges (at most %d allowed)", s->file, s->n_merges, BPE_MAX_PIECES);
    }
    b->merge_list = malloc((s->n_merges + 1) * sizeof *b->merge_list);
    b->n_merges = s->n_merges;
    choir_status status = b->merge_list != NULL
                              ? bpe_merges_open(&b->merges, s->n_merges, err)
                              : base_fail_memory(err, s->n_merges * sizeof *b->merge_list, "the merges");
    for (size_t i = 0; i < s->n_merges && status == CHOIR_OK; i++) {
        status = add_merge(b, s, i, err);
    }
    return status;
}

/* The added tokens into the two sets; those for the normalized text are normalized too. */
static choir_status add_tokens(struct bpe *b, const struct bpe_source *s, choir_error *err)
{
    struct bpe_added *list = malloc((2 * s->n_added + 1) * sizeof *list);
    char **made = calloc(s->n_added + 1, sizeof *made);
    choir_status status = CHOIR_OK;
    size_t n_raw = 0, n_normalized = 0;
    if (list == NULL || made == NULL) {
        status = base_fail_memory(err, s->n_added * 2 * sizeof *list, "the added tokens");
    }
    for (size_t i = 0; status == CHOIR_OK && i < s->n_added; i++) {
        if (!s->added[i].normalized) {
            list[n_raw++] = s->added[i];
            continue;
        }
        struct bpe_added *a = &list[s->n_added + n_normalized++];
        *a = s->added[i];
        status = bpe_normalize(&made[i], &a->n, b->form, a->text, a->n, err);
        a->text = made[i] != NULL ? made[i] : a->text;
    }
    if (status == CHOIR_OK) {
        status = bpe_added_open(&b->raw, list, n_raw, err);
    }
    if (status == CHOIR_OK) {
        status = bpe_added_open(&b->normalized, list + s->n_added, n_normalized, err);
    }
    for (size_t i = 0; made != NULL && i < s->n_added; i++) {
        free(made[i]);
    }
    free(made);
    free(list);
    return status;
}

static choir_status fill(struct tokenizer *t, struct bpe *b, const struct bpe_source *s, choir_error *err)
{
    t->bpe = b;
    choir_status status = copy_pieces(t, s, err);
    if (status == CHOIR_OK) {
        b->types = t->types;
        b->form = s->recipe.form;
        b->ignore_merges = s->recipe.ignore_merges;
        b->fuse_unk = s->fuse_unk;
        b->unk_id = s->unk_id;
        b->pre = s->recipe.name != NULL ? s->recipe.name : bpe_recipe_name(&s->recipe);
        status = name_pieces(b, t, s->file, err);
    }
    if (status == CHOIR_OK) {
        find_bytes(b, t);
        status = add_merges(b, s, err);
    }
    if (status == CHOIR_OK) {
        status = add_tokens(b, s, err);
    }
    return status == CHOIR_OK ? bpe_splitter_open(&b->splitter, s->recipe.steps, s->file, err) : status;
}

choir_status bpe_open(struct tokenizer **out, const struct bpe_source *source, int64_t vocab_rows, choir_error *err)
{
    *out = NULL;
    choir_status status = check_pieces(source, vocab_rows, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct tokenizer *t = calloc(1, sizeof *t);
    struct bpe *b = calloc(1, sizeof *b);
    if (t == NULL || b == NULL) {
        free(t);
        free(b);
        return base_fail_memory(err, sizeof *t + sizeof *b, "the tokenizer");
    }
    status = fill(t, b, source, err);
    if (status != CHOIR_OK) {
        tok_close(t);
        return status;
    }
    *out = t;
    return CHOIR_OK;
}

/* ---- encoding ---- */

struct encoder {
    const struct bpe *b;
    struct bpe_words words;
    struct bpe_merger merger;
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
    int32_t *ids = realloc(e->ids, cap * sizeof *ids);
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

static choir_status encode_word(struct encoder *e, const char *word, size_t n)
{
    const struct bpe *b = e->b;
    choir_status status = reserve(e, n);
    if (status != CHOIR_OK) {
        return status;
    }
    int32_t whole = b->ignore_merges ? bpe_names_find(&b->names, word, n) : -1;
    if (whole >= 0 && is_text(b, whole)) {
        e->ids[e->n++] = whole;
        return CHOIR_OK;
    }
    size_t count = put_bytes(b, e->ids + e->n, word, n);
    status = bpe_merge_word(&e->merger, &b->merges, e->ids + e->n, &count, e->err);
    e->n += count;
    return status;
}

/* A part without added tokens. */
static choir_status encode_text(struct encoder *e, const char *text, size_t n)
{
    choir_status status = bpe_split(&e->words, e->b->splitter, text, n, e->err);
    for (size_t i = 0; i < e->words.n && status == CHOIR_OK; i++) {
        struct bpe_span w = e->words.spans[i];
        status = encode_word(e, e->words.text + w.from, w.to - w.from);
    }
    return status;
}

typedef choir_status encode_fn(struct encoder *e, const char *text, size_t n);

/* The added tokens of a set, and by `rest` what lies between them. */
static choir_status encode_parts(struct encoder *e, const struct bpe_added_set *set, const char *text, size_t n,
                                 encode_fn *rest)
{
    struct bpe_added_place place = {0};
    struct bpe_added_part parts[2];
    choir_status status = CHOIR_OK;
    int count;
    while (status == CHOIR_OK && (count = bpe_added_next(parts, set, &place, text, n)) > 0) {
        for (int i = 0; i < count && status == CHOIR_OK; i++) {
            if (parts[i].id < 0) {
                status = rest(e, text + parts[i].from, parts[i].to - parts[i].from);
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

static choir_status encode_raw(struct encoder *e, const char *text, size_t n)
{
    char *made;
    size_t n_made;
    choir_status status = bpe_normalize(&made, &n_made, e->b->form, text, n, e->err);
    if (status == CHOIR_OK) {
        status = encode_parts(e, &e->b->normalized, made != NULL ? made : text, n_made, encode_text);
    }
    free(made);
    return status;
}

choir_status bpe_encode(const struct bpe *b, const char *text, size_t n, int32_t **ids, size_t *n_ids, choir_error *err)
{
    struct encoder e = {.b = b, .err = err};
    choir_status status = reserve(&e, 1); /* a list even of no ids is not NULL */
    if (status == CHOIR_OK) {
        status = encode_parts(&e, &b->raw, text, n, encode_raw);
    }
    bpe_words_free(&e.words);
    bpe_merger_free(&e.merger);
    if (status != CHOIR_OK) {
        free(e.ids);
        return status;
    }
    *ids = e.ids;
    *n_ids = e.n;
    return CHOIR_OK;
}
