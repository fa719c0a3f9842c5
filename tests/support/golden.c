/* The same integer hash as tools/golden/logits.py, and writers for each container. */
#include "tests/support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/support/tiny.h"

static void die(const char *what, const char *which)
{
    fprintf(stderr, "golden: %s: %s\n", what, which);
    abort();
}

static uint64_t splitmix64(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int hash_integer(const struct golden *g, uint64_t tensor, uint64_t i)
{
    return (int)(splitmix64((g->seed << 56) + (tensor << 32) + i) >> 56) - 128;
}

/* Tensors are numbered in the order embedding; per layer att_norm, wq, wk, wv, wo, ffn_norm, gate, up, down; norm; output. */
enum part { ATT_NORM, WQ, WK, WV, WO, FFN_NORM, GATE, UP, DOWN, N_PARTS };

static uint64_t layer_tensor(int l, enum part p)
{
    return 1 + (uint64_t)l * N_PARTS + p;
}

static uint64_t norm_tensor(const struct golden *g)
{
    return layer_tensor(g->n_layers, ATT_NORM);
}

/* [rows, cols] f32, malloc'ed.  interleave > 0: rows of each head of that size go from half-split to interleaved order. */
static float *matrix(const struct golden *g, uint64_t tensor, int rows, int cols, int interleave)
{
    float *w = malloc((size_t)rows * (size_t)cols * sizeof *w);
    float scale = (float)(exp2(rint(0.5 * log2(3.0 / cols))) / 128);
    for (int r = 0; r < rows; r++) {
        int from = r;
        if (interleave > 0) {
            int i = r % interleave;
            from = r - i + (i % 2 == 0 ? i / 2 : interleave / 2 + i / 2);
        }
        for (int c = 0; c < cols; c++) {
            uint64_t at = (uint64_t)from * (uint64_t)cols + (uint64_t)c;
            w[(size_t)r * (size_t)cols + (size_t)c] = (float)hash_integer(g, tensor, at) * scale;
        }
    }
    return w;
}

static float *norm(const struct golden *g, uint64_t tensor)
{
    float *w = malloc((size_t)g->dim * sizeof *w);
    for (int i = 0; i < g->dim; i++) {
        w[i] = 1.0f + (float)(hash_integer(g, tensor, (uint64_t)i) >> 3) / 64.0f;
    }
    return w;
}

/* ---- loading ---- */

static char *golden_path(char path[256], const char *name, const char *suffix)
{
    snprintf(path, 256, "tests/golden/logits/%s%s", name, suffix);
    return path;
}

static int get_int(const json_t *o, const char *key)
{
    return (int)json_integer_value(json_object_get(o, key));
}

void golden_load(struct golden *g, const char *name)
{
    char path[256];
    json_t *c = json_load_file(golden_path(path, name, ".json"), 0, NULL);
    if (c == NULL) {
        die("cannot read", path);
    }
    const json_t *own = json_object_get(c, "golden");
    *g = (struct golden){
        .seed = (uint64_t)get_int(own, "seed"),
        .n_ids = get_int(own, "n_ids"),
        .keep = get_int(own, "keep"),
        .dim = get_int(c, "hidden_size"),
        .hidden_dim = get_int(c, "intermediate_size"),
        .n_layers = get_int(c, "num_hidden_layers"),
        .n_heads = get_int(c, "num_attention_heads"),
        .n_kv_heads = get_int(c, "num_key_value_heads"),
        .head_dim = get_int(c, "head_dim"),
        .vocab_size = get_int(c, "vocab_size"),
        .max_seq_len = get_int(c, "max_position_embeddings"),
        .sliding_window = get_int(c, "sliding_window"),
        .tied = json_is_true(json_object_get(c, "tie_word_embeddings")),
        .plain_rope = json_is_null(json_object_get(c, "rope_scaling")),
    };
    snprintf(g->name, sizeof g->name, "%s", name);
    json_decref(c);
    g->ids = malloc((size_t)g->n_ids * sizeof *g->ids);
    for (int i = 0; i < g->n_ids; i++) {
        uint64_t h = splitmix64((g->seed << 56) + ((uint64_t)0xffffff << 32) + (uint64_t)i);
        g->ids[i] = (int32_t)(h % (uint64_t)g->vocab_size);
    }
}

void golden_free(struct golden *g)
{
    free(g->ids);
}

double *golden_logits(const struct golden *g, const char *type)
{
    char path[256], suffix[32];
    bool exact = strcmp(type, "q8_0") != 0 && strcmp(type, "q4_0") != 0;
    snprintf(suffix, sizeof suffix, "%s%s.f64", exact ? "" : ".", exact ? "" : type);
    FILE *f = fopen(golden_path(path, g->name, suffix), "rb");
    size_t n = (size_t)g->keep * (size_t)g->vocab_size;
    double *out = malloc(n * sizeof *out);
    if (f == NULL || fread(out, sizeof *out, n, f) != n) {
        die("cannot read", path);
    }
    fclose(f);
    return out;
}

/* ---- the tensors, one after another, for any writer ---- */

typedef void visit_fn(void *user, const char *hf_name, const char *gguf_name, int rows, int cols, const float *w);

/* w on its way to the writer, with the number that is to be spoiled. */
static void give(const struct golden *g, visit_fn *visit, void *user, const char *hf_name, const char *gguf_name,
                 int rows, int cols, float *w)
{
    if (g->bad_tensor != NULL && strcmp(g->bad_tensor, gguf_name) == 0) {
        w[g->bad_at] = g->bad_value;
    }
    visit(user, hf_name, gguf_name, rows, cols, w);
}

/* interleaved: q and k rows in the order of GGUF's llama and llama2.c.  rows 0: a vector. */
static void visit_all(const struct golden *g, bool interleaved, visit_fn *visit, void *user)
{
    static const char *const hf[N_PARTS] = {"input_layernorm",  "self_attn.q_proj", "self_attn.k_proj",
                                            "self_attn.v_proj", "self_attn.o_proj", "post_attention_layernorm",
                                            "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
    static const char *const gguf[N_PARTS] = {"attn_norm", "attn_q",   "attn_k", "attn_v",  "attn_output",
                                              "ffn_norm",  "ffn_gate", "ffn_up", "ffn_down"};
    int q = g->n_heads * g->head_dim, kv = g->n_kv_heads * g->head_dim;
    const int rows[N_PARTS] = {0, q, kv, kv, g->dim, 0, g->hidden_dim, g->hidden_dim, g->dim};
    const int cols[N_PARTS] = {g->dim, g->dim, g->dim, g->dim, q, g->dim, g->dim, g->dim, g->hidden_dim};
    float *w = matrix(g, 0, g->vocab_size, g->dim, 0);
    give(g, visit, user, "model.embed_tokens.weight", "token_embd.weight", g->vocab_size, g->dim, w);
    free(w);
    for (int l = 0; l < g->n_layers; l++) {
        for (int p = 0; p < N_PARTS; p++) {
            char a[96], b[96];
            int turn = interleaved && (p == WQ || p == WK) ? g->head_dim : 0;
            snprintf(a, sizeof a, "model.layers.%d.%s.weight", l, hf[p]);
            snprintf(b, sizeof b, "blk.%d.%s.weight", l, gguf[p]);
            uint64_t tensor = layer_tensor(l, (enum part)p);
            w = rows[p] == 0 ? norm(g, tensor) : matrix(g, tensor, rows[p], cols[p], turn);
            give(g, visit, user, a, b, rows[p], cols[p], w);
            free(w);
        }
    }
    w = norm(g, norm_tensor(g));
    give(g, visit, user, "model.norm.weight", "output_norm.weight", 0, g->dim, w);
    free(w);
    if (!g->tied) {
        w = matrix(g, norm_tensor(g) + 1, g->vocab_size, g->dim, 0);
        give(g, visit, user, "lm_head.weight", "output.weight", g->vocab_size, g->dim, w);
        free(w);
    }
}

/* ---- Hugging Face ---- */

struct hf_writer {
    struct tiny_safetensors file;
    choir_dtype type;
};

static void hf_visit(void *user, const char *hf_name, const char *gguf_name, int rows, int cols, const float *w)
{
    struct hf_writer *x = user;
    (void)gguf_name;
    const uint64_t shape[2] = {rows == 0 ? (uint64_t)cols : (uint64_t)rows, (uint64_t)cols};
    tiny_st_tensor(&x->file, hf_name, rows == 0 ? DTYPE_F32 : x->type, rows == 0 ? 1 : 2, shape, w);
}

void golden_write_hf(const struct golden *g, const char *dir, choir_dtype type)
{
    char path[256];
    json_t *c = json_load_file(golden_path(path, g->name, ".json"), 0, NULL);
    json_object_del(c, "golden");
    char *text = json_dumps(c, 0);
    tiny_write(dir, "config.json", text, strlen(text));
    free(text);
    json_decref(c);
    struct hf_writer x = {.type = type};
    visit_all(g, false, hf_visit, &x);
    tiny_st_write(&x.file, dir, "model.safetensors");
}

/* ---- GGUF ---- */

struct gguf_writer {
    struct tiny_gguf file;
    choir_dtype type;
};

static void gguf_visit(void *user, const char *hf_name, const char *gguf_name, int rows, int cols, const float *w)
{
    struct gguf_writer *x = user;
    (void)hf_name;
    const uint64_t shape[2] = {rows == 0 ? (uint64_t)cols : (uint64_t)rows, (uint64_t)cols};
    tiny_gguf_tensor(&x->file, gguf_name, rows == 0 ? DTYPE_F32 : x->type, rows == 0 ? 1 : 2, shape, w);
}

static void set_u32(struct tiny_gguf *f, const char *key, int value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    tiny_gguf_set(f, key, "u32", text);
}

struct tiny_gguf golden_gguf(const struct golden *g, choir_dtype type)
{
    struct gguf_writer x = {.type = type};
    tiny_gguf_set(&x.file, "general.architecture", "string", "llama");
    set_u32(&x.file, "llama.block_count", g->n_layers);
    set_u32(&x.file, "llama.context_length", g->max_seq_len);
    set_u32(&x.file, "llama.embedding_length", g->dim);
    set_u32(&x.file, "llama.feed_forward_length", g->hidden_dim);
    set_u32(&x.file, "llama.attention.head_count", g->n_heads);
    set_u32(&x.file, "llama.attention.head_count_kv", g->n_kv_heads);
    set_u32(&x.file, "llama.attention.key_length", g->head_dim);
    set_u32(&x.file, "llama.attention.value_length", g->head_dim);
    set_u32(&x.file, "llama.rope.dimension_count", g->head_dim);
    tiny_gguf_set(&x.file, "llama.attention.layer_norm_rms_epsilon", "f32", "1e-5");
    tiny_gguf_set(&x.file, "llama.rope.freq_base", "f32", "10000");
    if (g->sliding_window > 0) {
        set_u32(&x.file, "llama.attention.sliding_window", g->sliding_window);
    }
    visit_all(g, true, gguf_visit, &x);
    return x.file;
}

void golden_write_gguf(const struct golden *g, const char *dir, const char *name, choir_dtype type)
{
    struct tiny_gguf file = golden_gguf(g, type);
    tiny_gguf_write(&file, dir, name);
}

/* ---- llama2.c ---- */

struct bin_writer {
    FILE *file;
    const char *wanted; /* gguf name of the kind of tensor, its layer number left out */
};

static void bin_visit(void *user, const char *hf_name, const char *gguf_name, int rows, int cols, const float *w)
{
    struct bin_writer *x = user;
    (void)hf_name;
    const char *kind = strncmp(gguf_name, "blk.", 4) == 0 ? strchr(gguf_name + 4, '.') + 1 : gguf_name;
    if (strcmp(kind, x->wanted) == 0) {
        fwrite(w, sizeof *w, (size_t)(rows == 0 ? 1 : rows) * (size_t)cols, x->file);
    }
}

void golden_write_llama2c(const struct golden *g, const char *dir, const char *name, int version)
{
    char path[TINY_PATH];
    tiny_path(path, dir, name);
    static const char *const legacy[] = {
        "token_embd.weight",  "attn_norm.weight", "attn_q.weight",   "attn_k.weight",   "attn_v.weight",
        "attn_output.weight", "ffn_norm.weight",  "ffn_gate.weight", "ffn_down.weight", "ffn_up.weight",
        "output_norm.weight", "(rope)",           "output.weight"};
    static const char *const v1[] = {"attn_norm.weight", "ffn_norm.weight", "output_norm.weight", "token_embd.weight",
                                     "attn_q.weight",    "attn_k.weight",   "attn_v.weight",      "attn_output.weight",
                                     "ffn_gate.weight",  "ffn_down.weight", "ffn_up.weight",      "output.weight"};
    struct bin_writer x = {.file = fopen(path, "wb")};
    if (x.file == NULL) {
        die("cannot write", path);
    }
    int32_t header[7] = {g->dim, g->hidden_dim, g->n_layers, g->n_heads, g->n_kv_heads, g->vocab_size, g->max_seq_len};
    if (version == 0) {
        header[5] = g->tied ? g->vocab_size : -g->vocab_size;
        fwrite(header, sizeof header, 1, x.file);
        for (size_t i = 0; i < sizeof legacy / sizeof legacy[0]; i++) {
            x.wanted = legacy[i];
            visit_all(g, true, bin_visit, &x);
            for (int j = 0; strcmp(x.wanted, "(rope)") == 0 && j < g->max_seq_len * g->head_dim; j++) {
                fwrite(&(float){0}, sizeof(float), 1, x.file);
            }
        }
    } else {
        uint32_t magic[2] = {0x616b3432, 1};
        char rest[256 - 8 - sizeof header] = {(char)g->tied};
        fwrite(magic, sizeof magic, 1, x.file);
        fwrite(header, sizeof header, 1, x.file);
        fwrite(rest, sizeof rest, 1, x.file);
        for (size_t i = 0; i < sizeof v1 / sizeof v1[0]; i++) {
            x.wanted = v1[i];
            visit_all(g, true, bin_visit, &x);
        }
    }
    fclose(x.file);
}
