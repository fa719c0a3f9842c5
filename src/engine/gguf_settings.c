/* The settings a GGUF file carries: architecture, sizes, vocabulary.  docs/gguf.md of ggml names the keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/quantize.h"

static void put_array(struct wts_writer *w, const char *key, enum wts_meta_type type, const void *array, int32_t n)
{
    struct wts_meta m = {
        .key = {key, strlen(key)},
        .type = WTS_ARRAY,
        .elem_type = type,
        .n = (uint64_t)n,
        .v.array = array,
    };
    wts_writer_put(w, &m);
}

static choir_status put_strings(struct wts_writer *w, const char *key, const char *const *list, const size_t *bytes,
                                size_t n, choir_error *err)
{
    struct wts_string *texts = calloc(n + 1, sizeof *texts);
    if (texts == NULL) {
        return base_fail_memory(err, n * sizeof *texts, "a vocabulary");
    }
    for (size_t i = 0; i < n; i++) {
        texts[i] = (struct wts_string){list[i], bytes[i]};
    }
    put_array(w, key, WTS_STRING, texts, (int32_t)n);
    free(texts);
    return CHOIR_OK;
}

static choir_status put_pieces(struct wts_writer *w, const struct tok_vocab *v, choir_error *err)
{
    choir_status status = put_strings(w, "tokenizer.ggml.tokens", v->pieces, v->piece_bytes, (size_t)v->n_pieces, err);
    if (!v->byte_level) {
        put_array(w, "tokenizer.ggml.scores", WTS_F32, v->scores, v->n_pieces);
    }
    put_array(w, "tokenizer.ggml.token_type", WTS_I32, v->types, v->n_pieces);
    if (status == CHOIR_OK && v->byte_level) {
        status = put_strings(w, "tokenizer.ggml.merges", v->merges, v->merge_bytes, v->n_merges, err);
    }
    return status;
}

/* How SentencePiece treats spaces and other characters before it looks for pieces. */
static void put_normalizer(struct wts_writer *w, const struct tok_vocab *v)
{
    wts_writer_put_bool(w, "tokenizer.ggml.add_space_prefix", v->add_dummy_prefix);
    wts_writer_put_bool(w, "tokenizer.ggml.remove_extra_whitespaces", v->remove_extra_whitespaces);
    if (v->charsmap_bytes > 0) {
        put_array(w, "tokenizer.ggml.precompiled_charsmap", WTS_U8, v->charsmap, (int32_t)v->charsmap_bytes);
    }
}

static void put_id(struct wts_writer *w, const char *key, int32_t id)
{
    if (id >= 0) {
        wts_writer_put_u32(w, key, (uint32_t)id);
    }
}

/* The ids that begin and end a text.  GGUF has keys for three ends. */
static void write_special_ids(struct wts_writer *w, const struct choir_model *m)
{
    static const char *const ends[ENG_GGUF_EOS] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                                   "tokenizer.ggml.eom_token_id"};
    put_id(w, "tokenizer.ggml.bos_token_id", m->bos_id);
    for (int32_t i = 0; i < m->n_eos && i < ENG_GGUF_EOS; i++) {
        put_id(w, ends[i], m->eos_ids[i]);
    }
}

static choir_status write_vocabulary(struct wts_writer *w, const struct tokenizer *t, bool add_bos, choir_error *err)
{
    struct tok_export e;
    choir_status status = tok_export(&e, t, err);
    if (status != CHOIR_OK) {
        return status;
    }
    const struct tok_vocab *v = &e.vocab;
    wts_writer_put_string(w, "tokenizer.ggml.model", v->byte_level ? "gpt2" : v->unigram ? "t5" : "llama");
    if (v->byte_level) {
        wts_writer_put_string(w, "tokenizer.ggml.pre", v->pre);
    }
    status = put_pieces(w, v, err);
    put_id(w, "tokenizer.ggml.unknown_token_id", v->unk_id);
    wts_writer_put_bool(w, "tokenizer.ggml.add_bos_token", add_bos);
    if (!v->byte_level) {
        put_normalizer(w, v);
    }
    tok_export_free(&e);
    return status;
}

/* What a source says of its types and of its parts is not true of the new file; nor is its vocabulary, when another one was
 * named. */
static bool is_outdated(const char *key, bool new_vocabulary)
{
    return strcmp(key, "general.file_type") == 0 || strcmp(key, "general.quantization_version") == 0 ||
           strncmp(key, "split.", 6) == 0 || (new_vocabulary && strncmp(key, "tokenizer.", 10) == 0);
}

static void pass_on(struct wts_writer *w, const struct wts_set *set, bool new_vocabulary)
{
    for (size_t i = 0; i < set->n_meta; i++) {
        if (!is_outdated(set->meta[i].key.data, new_vocabulary)) {
            wts_writer_put(w, &set->meta[i]);
        }
    }
}

choir_status eng_write_settings(struct wts_writer *w, const struct choir_model *m, bool new_vocabulary,
                                uint32_t file_type, choir_error *err)
{
    choir_status status = CHOIR_OK;
    bool from_gguf = m->set->container == WTS_GGUF;
    if (from_gguf) {
        pass_on(w, m->set, new_vocabulary);
    } else {
        eng_write_config(w, &m->config);
    }
    if (!from_gguf || new_vocabulary) {
        write_special_ids(w, m);
        status = m->tokenizer != NULL ? write_vocabulary(w, m->tokenizer, m->add_bos, err) : CHOIR_OK;
    }
    wts_writer_put_u32(w, "general.file_type", file_type);
    wts_writer_put_u32(w, "general.quantization_version", 2);
    return status;
}
