/* The model and the added tokens of tokenizer.json. */
#include "tokenizer/bpe/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "tokenizer/normalizer/json.h"
#include "tokenizer/sentencepiece/validate.h"

/* Texts for ids that the file leaves out: "[PAD123]", as GGUF's writers call them. */
enum { HOLE_BYTES = 16 };

/* More ids without a token than this, and than tokens: a file of some bytes shall not ask for some 2^24 texts. */
enum { MAX_SPARE_IDS = 1 << 14 };

/* What a bpe_source borrows. */
struct reader {
    const char *file;
    const json_t *root, *model;
    int64_t vocab_rows;
    const char **pieces;
    size_t *piece_bytes;
    int32_t *types; /* 0: no piece has the id */
    char (*holes)[HOLE_BYTES];
    struct bpe_merge_text *merges;
    struct bpe_added *added;
    double *scores;
    bool *beside;
    struct bpe_step steps[BPE_MAX_STEPS + 1];
    struct norm_list norm;
    struct bpe_source source;
};

static void reader_free(struct reader *r)
{
    free(r->pieces);
    free(r->piece_bytes);
    free(r->types);
    free(r->holes);
    free(r->merges);
    free(r->added);
    free(r->scores);
    free(r->beside);
    norm_json_free(&r->norm);
}

/* ---- what the model must be ---- */

/* A setting that has to be absent, null, false or empty. */
static choir_status need_none(const struct reader *r, const char *key, choir_error *err)
{
    const json_t *v = json_object_get(r->model, key);
    bool none = v == NULL || json_is_null(v) || json_is_false(v) || (json_is_string(v) && json_string_length(v) == 0);
    return none ? CHOIR_OK : base_fail(err, CHOIR_FILE, "%s: model: %s not supported", r->file, key);
}

/* Older files state no type. */
static choir_status read_kind(struct reader *r, bool bytes, choir_error *err)
{
    const char *type = json_string_value(json_object_get(r->model, "type"));
    const char *guess = json_is_array(json_object_get(r->model, "vocab")) ? "Unigram" : "BPE";
    type = type != NULL ? type : guess;
    bool unigram = !bytes && strcmp(type, "Unigram") == 0;
    if (!json_is_object(r->model) || (!unigram && strcmp(type, "BPE") != 0)) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: model: type \"%s\", must be BPE%s", r->file,
                         base_escape_str(shown, json_is_object(r->model) ? type : "?"), bytes ? "" : " or Unigram");
    }
    r->source.kind = bytes ? BPE_BYTES : unigram ? BPE_UNIGRAM : BPE_CHARACTERS;
    return bytes ? need_none(r, "byte_fallback", err)
                 : base_json_bool(&r->source.byte_fallback, r->model, r->file, "byte_fallback", false, err);
}

static choir_status check_model(const struct reader *r, choir_error *err)
{
    const char *const keys[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    choir_status status = CHOIR_OK;
    double dropout = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && status == CHOIR_OK; i++) {
        status = need_none(r, keys[i], err);
    }
    if (status == CHOIR_OK) {
        status = base_json_number(&dropout, r->model, r->file, "dropout", 0, 0, 1, err);
    }
    if (status == CHOIR_OK && dropout != 0) {
        status = base_fail(err, CHOIR_FILE, "%s: model: dropout not supported", r->file);
    }
    return status;
}

/* ---- pieces ---- */

/* An id of a piece; *most grows to hold it. */
static choir_status check_id(const struct reader *r, const char *text, const json_t *value, json_int_t *most,
                             choir_error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) >= BPE_MAX_PIECES) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: id of \"%s\": must be 0 to %d", r->file, base_escape_str(shown, text),
                         BPE_MAX_PIECES - 1);
    }
    *most = json_integer_value(value) > *most ? json_integer_value(value) : *most;
    return CHOIR_OK;
}

/* An added token that the model has no row for, as of a model without the images its family knows: it is left out. */
static bool beyond_rows(const struct reader *r, const json_t *entry)
{
    const json_t *id = json_object_get(entry, "id");
    return r->vocab_rows >= 0 && json_is_integer(id) && json_integer_value(id) >= r->vocab_rows;
}

static choir_status make_room(struct reader *r, size_t n, choir_error *err)
{
    r->source.n_pieces = (int32_t)n;
    r->pieces = calloc(n + 1, sizeof *r->pieces);
    r->piece_bytes = calloc(n + 1, sizeof *r->piece_bytes);
    r->types = calloc(n + 1, sizeof *r->types);
    r->beside = calloc(n + 1, sizeof *r->beside);
    r->scores = r->source.kind == BPE_UNIGRAM ? calloc(n + 1, sizeof *r->scores) : NULL;
    if (r->pieces == NULL || r->piece_bytes == NULL || r->types == NULL || r->beside == NULL ||
        (r->scores == NULL && r->source.kind == BPE_UNIGRAM)) {
        return base_fail_memory(err, n * (sizeof *r->pieces + sizeof *r->piece_bytes + 4), "the vocabulary");
    }
    return CHOIR_OK;
}

/* Checks all ids; makes room for them. */
static choir_status count_pieces(struct reader *r, const json_t *vocab, const json_t *added, choir_error *err)
{
    json_int_t most = json_is_array(vocab) ? (json_int_t)json_array_size(vocab) - 1 : -1, left_out = 0;
    choir_status status = CHOIR_OK;
    const char *text;
    json_t *value;
    if (most >= BPE_MAX_PIECES) {
        return base_fail(err, CHOIR_FILE, "%s: model: more than %d tokens", r->file, BPE_MAX_PIECES);
    }
    if (json_is_object(vocab)) {
        json_object_foreach((json_t *)(uintptr_t)vocab, text, value)
        {
            status = status == CHOIR_OK ? check_id(r, text, value, &most, err) : status;
        }
    }
    for (size_t i = 0; i < json_array_size(added) && status == CHOIR_OK; i++) {
        const json_t *entry = json_array_get(added, i);
        text = json_string_value(json_object_get(entry, "content"));
        if (text == NULL) {
            status = base_fail(err, CHOIR_FILE, "%s: added token %zu has no content", r->file, i);
        } else {
            json_int_t *to = beyond_rows(r, entry) ? &left_out : &most;
            status = check_id(r, text, json_object_get(entry, "id"), to, err);
        }
    }
    const size_t n_tokens =
        (json_is_array(vocab) ? json_array_size(vocab) : json_object_size(vocab)) + json_array_size(added);
    if (status == CHOIR_OK && (size_t)(most + 1) > 2 * n_tokens + MAX_SPARE_IDS) {
        status = base_fail(err, CHOIR_FILE, "%s: ids up to %lld for %zu tokens", r->file, (long long)most, n_tokens);
    }
    return status == CHOIR_OK ? make_room(r, (size_t)(most + 1), err) : status;
}

static choir_status fail_twice(const struct reader *r, int64_t id, const char *text, choir_error *err)
{
    char first[BASE_ESCAPE_CAP], second[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: id %lld is that of \"%s\" and of \"%s\"", r->file, (long long)id,
                     base_escape(first, r->pieces[id], r->piece_bytes[id]), base_escape_str(second, text));
}

static choir_status put_piece(struct reader *r, json_int_t id, const char *text, choir_error *err)
{
    if (r->types[id] != 0) {
        return fail_twice(r, id, text, err);
    }
    r->pieces[id] = text;
    r->piece_bytes[id] = strlen(text);
    r->types[id] = *text != '\0' ? TOK_NORMAL : TOK_UNUSED;
    return CHOIR_OK;
}

static choir_status put_vocab(struct reader *r, const json_t *vocab, choir_error *err)
{
    const char *text;
    json_t *value;
    choir_status status = CHOIR_OK;
    json_object_foreach((json_t *)(uintptr_t)vocab, text, value)
    {
        status = status == CHOIR_OK ? put_piece(r, json_integer_value(value), text, err) : status;
    }
    return status;
}

/* A list of [piece, score]. */
static choir_status put_scored(struct reader *r, const json_t *vocab, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < json_array_size(vocab) && status == CHOIR_OK; i++) {
        const json_t *entry = json_array_get(vocab, i);
        const char *text = json_string_value(json_array_get(entry, 0));
        const json_t *score = json_array_get(entry, 1);
        if (text == NULL || !json_is_number(score) || json_array_size(entry) != 2) {
            return base_fail(err, CHOIR_FILE, "%s: token %zu: must be a piece and its score", r->file, i);
        }
        r->scores[i] = json_number_value(score);
        status = put_piece(r, (json_int_t)i, text, err);
    }
    return status;
}

static choir_status put_added(struct reader *r, const json_t *entry, struct bpe_added *a, choir_error *err)
{
    const json_t *content = json_object_get(entry, "content");
    *a = (struct bpe_added){
        .text = json_string_value(content),
        .n = json_string_length(content),
        .id = (int32_t)json_integer_value(json_object_get(entry, "id")),
    };
    choir_status status = base_json_bool(&a->special, entry, r->file, "special", false, err);
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {{"single_word", &a->single_word}, {"lstrip", &a->lstrip}, {"rstrip", &a->rstrip}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0] && status == CHOIR_OK; i++) {
        status = base_json_bool(flags[i].flag, entry, r->file, flags[i].key, false, err);
    }
    if (status == CHOIR_OK) {
        status = base_json_bool(&a->normalized, entry, r->file, "normalized", !a->special, err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    if (r->types[a->id] != 0 && strcmp(r->pieces[a->id], a->text) != 0) {
        return fail_twice(r, a->id, a->text, err);
    }
    if (r->types[a->id] == 0) {
        r->beside[a->id] = true;
        if (r->scores != NULL) {
            r->scores[a->id] = r->scores[0]; /* any that the model has */
        }
    }
    r->pieces[a->id] = a->text;
    r->piece_bytes[a->id] = a->n;
    r->types[a->id] = a->special ? TOK_CONTROL : TOK_USER_DEFINED;
    return CHOIR_OK;
}

/* Ids without a piece. */
static choir_status fill_holes(struct reader *r, choir_error *err)
{
    size_t n = (size_t)r->source.n_pieces;
    size_t n_holes = 0;
    for (size_t i = 0; i < n; i++) {
        n_holes += r->types[i] == 0;
    }
    r->holes = base_array(n_holes + 1, sizeof *r->holes);
    if (r->holes == NULL) {
        return base_fail_memory(err, n_holes * sizeof *r->holes, "the vocabulary");
    }
    for (size_t i = 0, k = 0; i < n; i++) {
        if (r->types[i] == 0) {
            r->piece_bytes[i] = (size_t)snprintf(r->holes[k], HOLE_BYTES, "[PAD%u]", (unsigned)i);
            r->pieces[i] = r->holes[k++];
            r->types[i] = TOK_UNUSED;
        }
    }
    return CHOIR_OK;
}

static choir_status read_added(struct reader *r, const json_t *added, choir_error *err)
{
    r->added = calloc(json_array_size(added) + 1, sizeof *r->added);
    if (r->added == NULL) {
        return base_fail_memory(err, json_array_size(added), "the added tokens");
    }
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < json_array_size(added) && status == CHOIR_OK; i++) {
        if (!beyond_rows(r, json_array_get(added, i))) {
            status = put_added(r, json_array_get(added, i), &r->added[r->source.n_added++], err);
        }
    }
    return status;
}

static choir_status read_pieces(struct reader *r, choir_error *err)
{
    const json_t *vocab = json_object_get(r->model, "vocab");
    const json_t *added = json_object_get(r->root, "added_tokens");
    bool unigram = r->source.kind == BPE_UNIGRAM;
    if (unigram ? json_array_size(vocab) == 0 : json_object_size(vocab) == 0) {
        return base_fail(err, CHOIR_FILE, "%s: model: no vocab", r->file);
    }
    if (added != NULL && !json_is_null(added) && !json_is_array(added)) {
        return base_fail(err, CHOIR_FILE, "%s: added_tokens: a list is needed", r->file);
    }
    choir_status status = count_pieces(r, vocab, added, err);
    if (status == CHOIR_OK) {
        status = unigram ? put_scored(r, vocab, err) : put_vocab(r, vocab, err);
    }
    if (status == CHOIR_OK) {
        status = read_added(r, added, err);
    }
    return status == CHOIR_OK ? fill_holes(r, err) : status;
}

/* ---- merges ---- */

/* "left right", or ["left", "right"]. */
static bool read_merge(struct bpe_merge_text *m, const json_t *entry)
{
    if (json_is_string(entry)) {
        const char *text = json_string_value(entry);
        const char *gap = strchr(text, ' ');
        if (gap == NULL || strchr(gap + 1, ' ') != NULL) {
            return false;
        }
        *m = (struct bpe_merge_text){text, gap + 1, (size_t)(gap - text), strlen(gap + 1)};
    } else {
        const json_t *left = json_array_get(entry, 0), *right = json_array_get(entry, 1);
        if (json_array_size(entry) != 2 || !json_is_string(left) || !json_is_string(right)) {
            return false;
        }
        *m = (struct bpe_merge_text){json_string_value(left), json_string_value(right), json_string_length(left),
                                     json_string_length(right)};
    }
    return m->n_left > 0 && m->n_right > 0;
}

static choir_status read_merges(struct reader *r, choir_error *err)
{
    const json_t *list = json_object_get(r->model, "merges");
    if (!json_is_array(list)) {
        return base_fail(err, CHOIR_FILE, "%s: model: no merges", r->file);
    }
    r->source.n_merges = json_array_size(list);
    r->merges = base_array(r->source.n_merges + 1, sizeof *r->merges);
    if (r->merges == NULL) {
        return base_fail_memory(err, r->source.n_merges * sizeof *r->merges, "the merges");
    }
    for (size_t i = 0; i < r->source.n_merges; i++) {
        if (!read_merge(&r->merges[i], json_array_get(list, i))) {
            return base_fail(err, CHOIR_FILE, "%s: merge %zu: not a pair", r->file, i);
        }
    }
    return CHOIR_OK;
}

/* ---- special ids ---- */

static int32_t find_piece(const struct reader *r, const char *text)
{
    for (int32_t i = 0; i < r->source.n_pieces; i++) {
        if (strcmp(r->pieces[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

/* The piece for what has none: by its text, or, of unigram models, by its id. */
static choir_status read_unknown(struct reader *r, choir_error *err)
{
    struct bpe_source *s = &r->source;
    const char *unk;
    int64_t id = -1;
    choir_status status = CHOIR_OK;
    s->unk_id = -1;
    if (s->kind == BPE_UNIGRAM) {
        status = base_json_int(&id, r->model, r->file, "unk_id", -1, 0, s->n_pieces - 1, err);
        s->unk_id = (int32_t)id;
        return status;
    }
    status = base_json_bool(&s->fuse_unk, r->model, r->file, "fuse_unk", false, err);
    if (status == CHOIR_OK) {
        status = base_json_string(&unk, r->model, r->file, "unk_token", err);
    }
    if (status == CHOIR_OK && unk != NULL) {
        s->unk_id = find_piece(r, unk);
        char shown[BASE_ESCAPE_CAP];
        status = s->unk_id >= 0 ? CHOIR_OK
                                : base_fail(err, CHOIR_FILE, "%s: \"%s\" is not in the vocabulary", r->file,
                                            base_escape_str(shown, unk));
    }
    return status;
}

static choir_status read_first(struct reader *r, choir_error *err)
{
    struct bpe_source *s = &r->source;
    const char *first;
    int32_t id;
    s->bos_id = s->eos_id = -1;
    choir_status status = bpe_json_first_token(&first, &id, r->file, r->root, err);
    if (status != CHOIR_OK || first == NULL) {
        return status;
    }
    s->bos_id = id >= 0 ? id : find_piece(r, first);
    s->recipe.adds_bos = true;
    if (s->bos_id < 0 || s->bos_id >= s->n_pieces) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: \"%s\" is not in the vocabulary", r->file,
                         base_escape_str(shown, first));
    }
    return CHOIR_OK;
}

/* ---- what stands around the model ---- */

static choir_status read_recipe(struct reader *r, bool bytes, choir_error *err)
{
    struct bpe_recipe *to = &r->source.recipe;
    to->steps = r->steps;
    choir_status status = norm_json_read(&r->norm, r->file, r->root, err);
    if (r->norm.n == 1 && r->norm.steps[0].kind == NORM_FORM) {
        to->form = r->norm.steps[0].form;
    } else if (r->norm.n > 0) {
        to->norm = r->norm.steps;
    }
    if (status == CHOIR_OK) {
        status = bpe_json_steps(r->steps, r->file, r->root, bytes, err);
    }
    return status == CHOIR_OK ? base_json_bool(&to->ignore_merges, r->model, r->file, "ignore_merges", false, err)
                              : status;
}

/* Bytes and the unknown piece have types of their own; what begins or ends a text is special there. */
static choir_status read_types(struct reader *r, choir_error *err)
{
    struct bpe_json_decoder d;
    struct bpe_source *s = &r->source;
    choir_status status = bpe_json_read_decoder(&d, r->file, r->root, err);
    s->first_space = d.first_space;
    for (int32_t i = 0; status == CHOIR_OK && d.bytes && i < s->n_pieces; i++) {
        if (r->types[i] == TOK_NORMAL && sp_byte_of((struct sp_text){r->pieces[i], r->piece_bytes[i]}) >= 0) {
            r->types[i] = TOK_BYTE;
        }
    }
    if (status == CHOIR_OK && s->unk_id >= 0) {
        r->types[s->unk_id] = TOK_UNKNOWN;
    }
    return status;
}

choir_status bpe_open_json(struct tokenizer **out, const char *file, const json_t *root, bool bytes, int64_t vocab_rows,
                           choir_error *err)
{
    struct reader r = {.file = file, .root = root, .model = json_object_get(root, "model"), .vocab_rows = vocab_rows};
    choir_status status = read_kind(&r, bytes, err);
    if (status == CHOIR_OK) {
        status = check_model(&r, err);
    }
    if (status == CHOIR_OK) {
        status = read_pieces(&r, err);
    }
    if (status == CHOIR_OK && r.source.kind != BPE_UNIGRAM) {
        status = read_merges(&r, err);
    }
    if (status == CHOIR_OK) {
        status = read_recipe(&r, bytes, err);
    }
    if (status == CHOIR_OK) {
        status = read_unknown(&r, err);
    }
    if (status == CHOIR_OK) {
        status = read_first(&r, err);
    }
    if (status == CHOIR_OK && !bytes) {
        status = read_types(&r, err);
    }
    if (status == CHOIR_OK) {
        r.source.file = file;
        r.source.pieces = r.pieces;
        r.source.piece_bytes = r.piece_bytes;
        r.source.types = r.types;
        r.source.merges = r.merges;
        r.source.added = r.added;
        r.source.scores = r.scores;
        r.source.beside = r.beside;
        status = bpe_open(out, &r.source, vocab_rows, err);
    }
    reader_free(&r);
    return status;
}
