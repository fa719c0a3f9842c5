/* Opening: the tables of a tokenizer from its parts. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "tokenizer/bpe/byte_alphabet.h"
#include "tokenizer/bpe/internal.h"

void bpe_close(struct bpe *b)
{
    if (b == NULL) {
        return;
    }
    bpe_names_close(&b->names);
    bpe_merges_close(&b->merges);
    free(b->merge_list);
    free(b->beside);
    unigram_close(b->unigram);
    norm_close(b->norm);
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

const double *bpe_scores(const struct bpe *b)
{
    return unigram_scores(b->unigram);
}

const struct norm_step *bpe_norm_steps(const struct bpe *b)
{
    return norm_steps(b->norm);
}

const struct bpe_step *bpe_word_steps(const struct bpe *b)
{
    return bpe_splitter_steps(b->splitter);
}

const char *bpe_shown_piece(const struct tokenizer *t, int32_t id, size_t *n)
{
    const struct bpe_added_set *set = &t->bpe->normalized;
    for (size_t i = 0; t->types[id] == TOK_USER_DEFINED && i < set->n; i++) {
        if (set->tokens[i].id == id) {
            *n = set->tokens[i].n;
            return set->tokens[i].text;
        }
    }
    return tok_piece(t, id, n);
}

enum bpe_kind bpe_kind_of(const struct bpe *b)
{
    return b->kind;
}

/* ---- opening ---- */

static choir_status check_pieces(const struct bpe_source *s, int64_t vocab_rows, choir_error *err)
{
    assert(s->n_pieces >= 1 && s->n_pieces <= BPE_MAX_PIECES);
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
    t->starts = base_array(n + 1, sizeof *t->starts);
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

static choir_status copy_beside(struct bpe *b, const struct bpe_source *s, choir_error *err)
{
    size_t n = (size_t)s->n_pieces;
    if (s->beside == NULL) {
        return CHOIR_OK;
    }
    b->beside = malloc(n);
    if (b->beside == NULL) {
        return base_fail_memory(err, n, "the vocabulary");
    }
    memcpy(b->beside, s->beside, n * sizeof *b->beside);
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

/* The pieces "<0x0A>". */
static void find_byte_pieces(struct bpe *b)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[8];
        int n = snprintf(text, sizeof text, "<0x%02X>", byte);
        int32_t id = bpe_names_find(&b->names, text, (size_t)n);
        b->byte_ids[byte] = id >= 0 && bpe_is_text(b, id) ? id : -1;
    }
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
    if (bpe_is_text(b, left) && bpe_is_text(b, right) && bpe_is_text(b, id)) {
        bpe_merges_add(&b->merges, (struct bpe_merge){left, right, (int32_t)i, id});
    }
    return CHOIR_OK;
}

static choir_status add_merges(struct bpe *b, const struct bpe_source *s, choir_error *err)
{
    if (s->n_merges > BPE_MAX_PIECES) {
        return base_fail(err, CHOIR_FILE, "%s: %zu merges (at most %d allowed)", s->file, s->n_merges, BPE_MAX_PIECES);
    }
    b->merge_list = base_array(s->n_merges + 1, sizeof *b->merge_list);
    b->n_merges = s->n_merges;
    choir_status status = b->merge_list != NULL
                              ? bpe_merges_open(&b->merges, s->n_merges, err)
                              : base_fail_memory(err, s->n_merges * sizeof *b->merge_list, "the merges");
    for (size_t i = 0; i < s->n_merges && status == CHOIR_OK; i++) {
        status = add_merge(b, s, i, err);
    }
    return status;
}

static choir_status add_scores(struct bpe *b, const struct tokenizer *t, const struct bpe_source *s, choir_error *err)
{
    size_t n = (size_t)s->n_pieces;
    bool *visible = base_array(n, sizeof *visible);
    if (visible == NULL) {
        return base_fail_memory(err, n, "the vocabulary");
    }
    for (size_t i = 0; i < n; i++) {
        visible[i] = bpe_is_text(b, (int32_t)i) && t->types[i] != TOK_UNUSED;
        assert(isfinite(s->scores[i])); /* JSON has no other numbers, and those too large are refused */
    }
    choir_status status = unigram_open(&b->unigram, t->texts, t->starts, visible, s->scores, s->n_pieces, err);
    free(visible);
    return status;
}

/* The added tokens into the two sets; those for the normalized text are normalized too. */
static choir_status add_tokens(struct bpe *b, const struct bpe_source *s, choir_error *err)
{
    struct bpe_added *list = base_array(2 * s->n_added + 1, sizeof *list);
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
        status = norm_run(&made[i], &a->n, b->norm, a->text, a->n, BPE_MAX_PIECE_BYTES << 4, err);
        status = status == CHOIR_PROMPT
                     ? base_fail(err, CHOIR_FILE, "%s: added token %d, normalized, is longer than %d bytes", s->file,
                                 (int)a->id, BPE_MAX_PIECE_BYTES << 4)
                     : status;
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
        b->kind = s->kind;
        b->byte_fallback = s->byte_fallback;
        t->unigram = s->kind == BPE_UNIGRAM;
        t->first_space = s->first_space;
        b->ignore_merges = s->recipe.ignore_merges;
        b->fuse_unk = s->fuse_unk;
        b->unk_id = s->unk_id;
        b->pre = s->recipe.name;
        if (b->pre == NULL && s->kind == BPE_BYTES) {
            b->pre = bpe_recipe_name(&s->recipe);
        }
        status = copy_beside(b, s, err);
    }
    if (status == CHOIR_OK) {
        status = name_pieces(b, t, s->file, err);
    }
    if (status == CHOIR_OK) {
        if (s->kind == BPE_BYTES) {
            find_bytes(b, t);
        } else {
            find_byte_pieces(b);
        }
        status = s->kind == BPE_UNIGRAM ? add_scores(b, t, s, err) : add_merges(b, s, err);
    }
    if (status == CHOIR_OK) {
        const struct norm_step form[] = {
            {.kind = s->recipe.form != BPE_FORM_NONE ? NORM_FORM : NORM_END, .form = s->recipe.form},
            {.kind = NORM_END}};
        status = norm_open(&b->norm, s->recipe.norm != NULL ? s->recipe.norm : form, s->file, err);
    }
    if (status == CHOIR_OK) {
        status = add_tokens(b, s, err);
    }
    for (size_t i = 0; i < b->normalized.n; i++) {
        size_t n = b->normalized.tokens[i].n;
        t->max_piece_bytes = n > t->max_piece_bytes ? n : t->max_piece_bytes;
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
