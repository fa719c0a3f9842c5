/* The settings a GGUF file carries: architecture, sizes, vocabulary.  docs/gguf.md of ggml names the keys. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/quantize.h"

uint32_t eng_file_type(choir_dtype type)
{
    switch (type) {
    case DTYPE_F32:
        return 0;
    case DTYPE_F16:
        return 1;
    case DTYPE_Q4_0:
        return 2;
    case DTYPE_Q8_0:
        return 7;
    case DTYPE_BF16:
        return 32;
    case DTYPE_COUNT:
        break;
    }
    return 0;
}

static void write_config(struct wts_writer *w, const struct mdl_config *c)
{
    wts_writer_put_string(w, "general.architecture", c->arch->gguf_archs[0]);
    wts_writer_put_u32(w, "llama.block_count", (uint32_t)c->n_layers);
    wts_writer_put_u32(w, "llama.context_length", (uint32_t)c->max_seq_len);
    wts_writer_put_u32(w, "llama.embedding_length", (uint32_t)c->dim);
    wts_writer_put_u32(w, "llama.feed_forward_length", (uint32_t)c->hidden_dim);
    wts_writer_put_u32(w, "llama.attention.head_count", (uint32_t)c->n_heads);
    wts_writer_put_u32(w, "llama.attention.head_count_kv", (uint32_t)c->n_kv_heads);
    wts_writer_put_u32(w, "llama.attention.key_length", (uint32_t)c->head_dim);
    wts_writer_put_u32(w, "llama.attention.value_length", (uint32_t)c->head_dim);
    wts_writer_put_f32(w, "llama.attention.layer_norm_rms_epsilon", c->norm_eps);
    wts_writer_put_u32(w, "llama.rope.dimension_count", (uint32_t)c->rope_dim);
    wts_writer_put_f32(w, "llama.rope.freq_base", (float)c->rope_theta);
    wts_writer_put_u32(w, "llama.vocab_size", (uint32_t)c->vocab_size);
    if (c->sliding_window > 0) {
        wts_writer_put_u32(w, "llama.attention.sliding_window", (uint32_t)c->sliding_window);
    }
    if (c->rope_scaling == MDL_SCALING_LINEAR) {
        wts_writer_put_string(w, "llama.rope.scaling.type", "linear");
        wts_writer_put_f32(w, "llama.rope.scaling.factor", (float)c->rope_factor);
    }
}

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

static choir_status put_pieces(struct wts_writer *w, const struct tok_vocab *v, choir_error *err)
{
    size_t n = (size_t)v->n_pieces;
    struct wts_string *texts = calloc(n, sizeof *texts);
    if (texts == NULL) {
        return base_fail_memory(err, n * sizeof *texts, "a vocabulary");
    }
    for (size_t i = 0; i < n; i++) {
        texts[i] = (struct wts_string){v->pieces[i], v->piece_bytes[i]};
    }
    put_array(w, "tokenizer.ggml.tokens", WTS_STRING, texts, v->n_pieces);
    put_array(w, "tokenizer.ggml.scores", WTS_F32, v->scores, v->n_pieces);
    put_array(w, "tokenizer.ggml.token_type", WTS_I32, v->types, v->n_pieces);
    free(texts);
    return CHOIR_OK;
}

static void put_id(struct wts_writer *w, const char *key, int32_t id)
{
    if (id >= 0) {
        wts_writer_put_u32(w, key, (uint32_t)id);
    }
}

static choir_status write_vocabulary(struct wts_writer *w, const struct mdl_config *c, const struct tokenizer *t,
                                     bool add_bos, choir_error *err)
{
    struct tok_export e;
    choir_status status = tok_export(&e, t, err);
    if (status != CHOIR_OK) {
        return status;
    }
    const struct tok_vocab *v = &e.vocab;
    wts_writer_put_string(w, "tokenizer.ggml.model", v->unigram ? "t5" : "llama");
    status = put_pieces(w, v, err);
    put_id(w, "tokenizer.ggml.bos_token_id", c->bos_id >= 0 ? c->bos_id : v->bos_id);
    put_id(w, "tokenizer.ggml.eos_token_id", c->n_eos > 0 ? c->eos_ids[0] : v->eos_id);
    put_id(w, "tokenizer.ggml.unknown_token_id", v->unk_id);
    wts_writer_put_bool(w, "tokenizer.ggml.add_bos_token", add_bos);
    wts_writer_put_bool(w, "tokenizer.ggml.add_space_prefix", v->add_dummy_prefix);
    wts_writer_put_bool(w, "tokenizer.ggml.remove_extra_whitespaces", v->remove_extra_whitespaces);
    if (v->charsmap_bytes > 0) {
        put_array(w, "tokenizer.ggml.precompiled_charsmap", WTS_U8, v->charsmap, (int32_t)v->charsmap_bytes);
    }
    tok_export_free(&e);
    return status;
}

/* What a source says of its types and of its parts is not true of the new file. */
static bool is_outdated(const char *key)
{
    return strcmp(key, "general.file_type") == 0 || strcmp(key, "general.quantization_version") == 0 ||
           strncmp(key, "split.", 6) == 0;
}

static void pass_on(struct wts_writer *w, const struct wts_set *set)
{
    for (size_t i = 0; i < set->n_meta; i++) {
        if (!is_outdated(set->meta[i].key.data)) {
            wts_writer_put(w, &set->meta[i]);
        }
    }
}

choir_status eng_write_settings(struct wts_writer *w, const struct wts_set *set, const struct mdl_config *c,
                                const struct tokenizer *t, bool add_bos, choir_dtype type, choir_error *err)
{
    choir_status status = CHOIR_OK;
    if (set->container == WTS_GGUF) {
        pass_on(w, set);
    } else {
        write_config(w, c);
        if (t != NULL) {
            status = write_vocabulary(w, c, t, add_bos, err);
        }
    }
    wts_writer_put_u32(w, "general.file_type", eng_file_type(type));
    wts_writer_put_u32(w, "general.quantization_version", 2);
    return status;
}
