/* The vocabulary inside a GGUF file.  docs/gguf.md of ggml names the keys. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/vocabulary.h"

struct gguf_vocab {
    struct tok_vocab vocab;
    const char **pieces;
    size_t *piece_bytes;
    float *scores;
    int32_t *types;
    const char **merges;
    size_t *merge_bytes;
};

static void gguf_vocab_free(struct gguf_vocab *g)
{
    free(g->pieces);
    free(g->piece_bytes);
    free(g->scores);
    free(g->types);
    free(g->merges);
    free(g->merge_bytes);
}

static const char *meta_type_name(enum wts_meta_type t)
{
    static const char *const names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                        "bool", "string", "array", "u64", "i64", "f64"};
    return (size_t)t < sizeof names / sizeof names[0] ? names[t] : "?";
}

/* An array setting of the given element type; NULL *out when it is absent and not needed. */
static choir_status get_array(const struct wts_meta **out, const struct wts_set *set, const char *key,
                              enum wts_meta_type type, bool needed, choir_error *err)
{
    const struct wts_meta *m = wts_meta_find(set, key);
    *out = NULL;
    if (m == NULL) {
        return needed ? base_fail(err, CHOIR_FILE, "%s: %s missing", set->model_file, key) : CHOIR_OK;
    }
    if (m->type != WTS_ARRAY || m->elem_type != type) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %s%s, must be array of %s", set->model_file, key,
                         m->type == WTS_ARRAY ? "array of " : "",
                         meta_type_name(m->type == WTS_ARRAY ? m->elem_type : m->type), meta_type_name(type));
    }
    *out = m;
    return CHOIR_OK;
}

/* A token id setting: -1 when absent; checked against the vocabulary. */
static choir_status get_id(int32_t *out, const struct wts_set *set, const char *key, int32_t n_pieces, choir_error *err)
{
    const struct wts_meta *m = wts_meta_find(set, key);
    *out = -1;
    if (m == NULL) {
        return CHOIR_OK;
    }
    if (m->type != WTS_U32 && m->type != WTS_I32 && m->type != WTS_U64) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %s, must be u32", set->model_file, key, meta_type_name(m->type));
    }
    if (m->type == WTS_I32 && m->v.i == -1) { /* some writers say "none" so */
        return CHOIR_OK;
    }
    uint64_t id = m->type == WTS_I32 ? (uint64_t)m->v.i : m->v.u;
    if (id >= (uint64_t)n_pieces) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %llu, vocabulary has %d", set->model_file, key,
                         (unsigned long long)id, n_pieces);
    }
    *out = (int32_t)id;
    return CHOIR_OK;
}

static choir_status get_flag(bool *out, const struct wts_set *set, const char *key, bool fallback, choir_error *err)
{
    const struct wts_meta *m = wts_meta_find(set, key);
    *out = fallback;
    if (m != NULL && m->type != WTS_BOOL) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %s, must be bool", set->model_file, key, meta_type_name(m->type));
    }
    if (m != NULL) {
        *out = m->v.b;
    }
    return CHOIR_OK;
}

static choir_status same_length(const struct wts_set *set, const struct wts_meta *m, const char *key, uint64_t n,
                                choir_error *err)
{
    if (m != NULL && m->n != n) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %llu entries, %llu tokens", set->model_file, key,
                         (unsigned long long)m->n, (unsigned long long)n);
    }
    return CHOIR_OK;
}

static choir_status copy_pieces(struct gguf_vocab *g, const struct wts_meta *tokens, const struct wts_meta *scores,
                                const struct wts_meta *types, choir_error *err)
{
    size_t n = (size_t)tokens->n;
    g->pieces = calloc(n + 1, sizeof *g->pieces);
    g->piece_bytes = calloc(n + 1, sizeof *g->piece_bytes);
    g->scores = calloc(n + 1, sizeof *g->scores);
    g->types = calloc(n + 1, sizeof *g->types);
    if (g->pieces == NULL || g->piece_bytes == NULL || g->scores == NULL || g->types == NULL) {
        return base_fail_memory(err, n * 24, "a vocabulary");
    }
    const struct wts_string *strings = tokens->v.array;
    for (size_t i = 0; i < n; i++) {
        g->pieces[i] = strings[i].data;
        g->piece_bytes[i] = (size_t)strings[i].n;
        g->types[i] = TOK_NORMAL;
    }
    if (scores != NULL) {
        memcpy(g->scores, scores->v.array, n * sizeof *g->scores);
    }
    if (types != NULL) {
        memcpy(g->types, types->v.array, n * sizeof *g->types);
    }
    g->vocab.n_pieces = (int32_t)n;
    g->vocab.pieces = g->pieces;
    g->vocab.piece_bytes = g->piece_bytes;
    g->vocab.scores = g->scores;
    g->vocab.types = g->types;
    return CHOIR_OK;
}

static choir_status read_pieces(struct gguf_vocab *g, const struct wts_set *set, choir_error *err)
{
    const uint64_t most = 1u << 24;
    const struct wts_meta *tokens, *scores, *types;
    choir_status status = get_array(&tokens, set, "tokenizer.ggml.tokens", WTS_STRING, true, err);
    if (status == CHOIR_OK && (tokens->n == 0 || tokens->n > most)) {
        status = base_fail(err, CHOIR_FILE, "%s: tokenizer.ggml.tokens: %llu tokens (1 to 16777216 allowed)",
                           set->model_file, (unsigned long long)tokens->n);
    }
    if (status == CHOIR_OK) {
        status = get_array(&scores, set, "tokenizer.ggml.scores", WTS_F32, !g->vocab.byte_level, err);
    }
    if (status == CHOIR_OK) {
        status = get_array(&types, set, "tokenizer.ggml.token_type", WTS_I32, false, err);
    }
    if (status == CHOIR_OK) {
        status = same_length(set, scores, "tokenizer.ggml.scores", tokens->n, err);
    }
    if (status == CHOIR_OK) {
        status = same_length(set, types, "tokenizer.ggml.token_type", tokens->n, err);
    }
    return status == CHOIR_OK ? copy_pieces(g, tokens, scores, types, err) : status;
}

static choir_status read_charsmap(struct tok_vocab *v, const struct wts_set *set, choir_error *err)
{
    const char *key = "tokenizer.ggml.precompiled_charsmap";
    const struct wts_meta *m = wts_meta_find(set, key);
    if (m == NULL) {
        return CHOIR_OK;
    }
    if (m->type != WTS_ARRAY || (m->elem_type != WTS_U8 && m->elem_type != WTS_I8)) {
        return base_fail(err, CHOIR_FILE, "%s: %s: must be array of u8", set->model_file, key);
    }
    v->charsmap = m->v.array;
    v->charsmap_bytes = (size_t)m->n;
    return CHOIR_OK;
}

static choir_status read_settings(struct tok_vocab *v, const struct wts_set *set, choir_error *err)
{
    choir_status status = get_id(&v->unk_id, set, "tokenizer.ggml.unknown_token_id", v->n_pieces, err);
    if (status == CHOIR_OK) {
        status = get_flag(&v->add_dummy_prefix, set, "tokenizer.ggml.add_space_prefix", true, err);
    }
    if (status == CHOIR_OK) {
        status = get_flag(&v->remove_extra_whitespaces, set, "tokenizer.ggml.remove_extra_whitespaces", false, err);
    }
    return status == CHOIR_OK ? read_charsmap(v, set, err) : status;
}

/* The pre-tokenizer's name and the merges of a byte-level vocabulary. */
static choir_status read_merges(struct gguf_vocab *g, const struct wts_set *set, choir_error *err)
{
    const char *key = "tokenizer.ggml.pre";
    const struct wts_meta *pre = wts_meta_find(set, key);
    const struct wts_meta *merges;
    if (pre == NULL || pre->type != WTS_STRING) {
        return base_fail(err, CHOIR_FILE, "%s: %s %s", set->model_file, key,
                         pre == NULL ? "missing: how words are split is not known" : "must be string");
    }
    g->vocab.pre = pre->v.s.data;
    g->vocab.pre_bytes = (size_t)pre->v.s.n;
    choir_status status = get_array(&merges, set, "tokenizer.ggml.merges", WTS_STRING, true, err);
    if (status != CHOIR_OK) {
        return status;
    }
    size_t n = (size_t)merges->n;
    g->merges = calloc(n + 1, sizeof *g->merges);
    g->merge_bytes = calloc(n + 1, sizeof *g->merge_bytes);
    if (g->merges == NULL || g->merge_bytes == NULL) {
        return base_fail_memory(err, n * 16, "the merges");
    }
    const struct wts_string *strings = merges->v.array;
    for (size_t i = 0; i < n; i++) {
        g->merges[i] = strings[i].data;
        g->merge_bytes[i] = (size_t)strings[i].n;
    }
    g->vocab.merges = g->merges;
    g->vocab.merge_bytes = g->merge_bytes;
    g->vocab.n_merges = n;
    return CHOIR_OK;
}

/* Which of the kinds a file's vocabulary is. */
static choir_status read_kind(struct tok_vocab *v, const struct wts_set *set, choir_error *err)
{
    const struct wts_meta *kind = wts_meta_find(set, "tokenizer.ggml.model");
    if (kind == NULL || kind->type != WTS_STRING) {
        return base_fail(err, CHOIR_FILE, "%s: tokenizer.ggml.model missing; give --tokenizer FILE", set->model_file);
    }
    v->unigram = strcmp(kind->v.s.data, "t5") == 0;
    v->byte_level = strcmp(kind->v.s.data, "gpt2") == 0;
    if (!v->unigram && !v->byte_level && strcmp(kind->v.s.data, "llama") != 0) {
        char text[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: tokenizer \"%s\" not supported (llama, gpt2 and t5 are)",
                         set->model_file, base_escape(text, kind->v.s.data, (size_t)kind->v.s.n));
    }
    return CHOIR_OK;
}

/* Where the file does not say it, begin of text is put in front if the kind of tokenizer does so. */
static choir_status read_add_bos(struct choir_model *m, const struct tok_vocab *v, const struct wts_set *set,
                                 choir_error *err)
{
    bool usual = v->byte_level ? tok_adds_bos(m->tokenizer) : !v->unigram;
    choir_status status = get_flag(&m->add_bos, set, "tokenizer.ggml.add_bos_token", usual && v->bos_id >= 0, err);
    if (status == CHOIR_OK && m->add_bos && v->bos_id < 0) {
        status = base_fail(err, CHOIR_FILE, "%s: add_bos_token is set but there is no bos_token_id", set->model_file);
    }
    return status;
}

choir_status eng_open_vocabulary_gguf(struct choir_model *m, const struct wts_set *set, choir_error *err)
{
    struct gguf_vocab g = {.vocab = {
                               .file = set->model_file,
                               .bos_id = m->config.bos_id,
                               .eos_id = m->config.n_eos > 0 ? m->config.eos_ids[0] : -1,
                           }};
    choir_status status = read_kind(&g.vocab, set, err);
    if (status == CHOIR_OK) {
        status = read_pieces(&g, set, err);
    }
    if (status == CHOIR_OK) {
        status = g.vocab.byte_level ? read_merges(&g, set, err) : read_settings(&g.vocab, set, err);
    }
    if (status == CHOIR_OK) {
        status = tok_open_vocab(&m->tokenizer, &g.vocab, m->config.vocab_size, err);
    }
    if (status == CHOIR_OK) {
        status = read_add_bos(m, &g.vocab, set, err);
        if (status != CHOIR_OK) {
            tok_close(m->tokenizer);
            m->tokenizer = NULL;
        }
    }
    gguf_vocab_free(&g);
    return status;
}
