/* llama2.c's .bin files (https://github.com/karpathy/llama2.c, export.py and runq.c).
 *
 *   legacy  i32 dim hidden_dim n_layers n_heads n_kv_heads vocab_size seq_len; vocab_size < 0: output not shared.
 *           token_embd; all attn_norm; all q, k, v, o; all ffn_norm; all w1, w2, w3; output_norm;
 *           two tables [seq_len, head_dim / 2] that are not used; output
 *   v1      "24ka", i32 1, the same seven, u8 shared; from byte 256, all f32:
 *           all attn_norm; all ffn_norm; output_norm; token_embd; all q, k, v, o, w1, w2, w3; output
 *   v2      "24ka", i32 2, the same seven, u8 shared, i32 group_size; from byte 256 as v1, but each matrix is its
 *           int8 values, then an f32 scale for each group_size of them
 *
 * Nothing in the file says where a tensor is, so the file's size has to be exactly what the header asks for. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "weights/set.h"

enum { LEGACY_BYTES = 28, HEADER_BYTES = 256, SHARED_AT = 36, GROUP_AT = 37 };
enum { MAX_DIM = 1 << 24, MAX_LAYERS = 1024, MAX_HEADS = 4096, MAX_VOCAB = 1 << 24 };

static const unsigned char magic[4] = {0x32, 0x34, 0x6b, 0x61}; /* 0x616b3432 */

/* The walk through the file. */
struct walk {
    struct wts_set *set;
    const struct base_file *file;
    uint64_t pos; /* of the next tensor */
    choir_error *err;
};

static int32_t int_at(const unsigned char *p)
{
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

static choir_status check_range(const struct base_file *file, const char *name, int32_t value, int32_t max,
                                choir_error *err)
{
    if (value < 1 || value > max) {
        return wts_fail(err, file, "%s: %d (1 to %d allowed)", name, value, max);
    }
    return CHOIR_OK;
}

static choir_status check_header(const struct wts_llama2c *h, const struct base_file *file, choir_error *err)
{
    if (h->version == 0 && (h->dim < 1 || h->dim > MAX_DIM)) { /* the only sign of a file of another kind */
        return wts_fail_magic(err, file, "a GGUF or llama2.c file");
    }
    const struct {
        const char *name;
        int32_t value, max;
    } rows[] = {
        {"dim", h->dim, MAX_DIM},
        {"hidden_dim", h->hidden_dim, MAX_DIM},
        {"n_layers", h->n_layers, MAX_LAYERS},
        {"n_heads", h->n_heads, MAX_HEADS},
        {"n_kv_heads", h->n_kv_heads, MAX_HEADS},
        {"vocab_size", h->vocab_size, MAX_VOCAB},
        {"seq_len", h->max_seq_len, INT32_MAX},
    };
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && status == CHOIR_OK; i++) {
        status = check_range(file, rows[i].name, rows[i].value, rows[i].max, err);
    }
    if (status == CHOIR_OK && h->version == 2) {
        status = check_range(file, "group_size", h->group_size, MAX_DIM, err);
    }
    if (status == CHOIR_OK && h->dim % h->n_heads != 0) {
        return wts_fail(err, file, "dim %d not divisible by %d attention heads", h->dim, h->n_heads);
    }
    if (status == CHOIR_OK && h->n_heads % h->n_kv_heads != 0) {
        return wts_fail(err, file, "%d attention heads not divisible by %d key/value heads", h->n_heads, h->n_kv_heads);
    }
    return status;
}

static choir_status read_header(struct wts_llama2c *h, uint64_t *header_bytes, const struct base_file *file,
                                choir_error *err)
{
    unsigned char b[HEADER_BYTES] = {0};
    size_t have = file->size < sizeof b ? (size_t)file->size : sizeof b;
    choir_status status = base_file_read(file, 0, b, have, err);
    if (status != CHOIR_OK) {
        return status;
    }
    bool legacy = have < sizeof magic || memcmp(b, magic, sizeof magic) != 0;
    *header_bytes = legacy ? LEGACY_BYTES : HEADER_BYTES;
    if (have == 0) {
        return wts_fail(err, file, "empty file");
    }
    if (have < *header_bytes) {
        return wts_fail(err, file, "truncated: %zu bytes, a llama2.c header needs %d", have, (int)*header_bytes);
    }
    *h = (struct wts_llama2c){.version = legacy ? 0 : int_at(b + 4)};
    if (!legacy && h->version != 1 && h->version != 2) {
        return wts_fail(err, file, "llama2.c version %d not supported (legacy, 1 and 2 are)", h->version);
    }
    const unsigned char *p = legacy ? b : b + 8;
    int32_t *fields[] = {&h->dim,        &h->hidden_dim, &h->n_layers,   &h->n_heads,
                         &h->n_kv_heads, &h->vocab_size, &h->max_seq_len};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        *fields[i] = int_at(p + 4 * i);
    }
    if (legacy) {
        h->shared_output = h->vocab_size > 0;
        h->vocab_size = h->vocab_size < 0 && h->vocab_size != INT32_MIN ? -h->vocab_size : h->vocab_size;
    } else {
        if (b[SHARED_AT] > 1) {
            return wts_fail(err, file, "shared classifier flag is %d (must be 0 or 1)", b[SHARED_AT]);
        }
        h->shared_output = b[SHARED_AT] == 1;
        h->group_size = h->version == 2 ? int_at(b + GROUP_AT) : 0;
    }
    return check_header(h, file, err);
}

/* Steps over n bytes.  Below 2^64: a file has at most 9,219 tensors of at most 2^24 rows of 2^24 values. */
static void skip(struct walk *w, uint64_t n)
{
    w->pos += n;
}

/* One tensor at the walk's place.  layer: -1 for one that is no layer's.  rows 0: a vector. */
static choir_status add(struct walk *w, const char *name, int layer, int32_t rows, int32_t cols)
{
    char full[WTS_MAX_NAME];
    int n = layer < 0 ? snprintf(full, sizeof full, "%s.weight", name)
                      : snprintf(full, sizeof full, "blk.%d.%s.weight", layer, name);
    struct wts_tensor *t = wts_add_tensor(w->set);
    char *kept = t != NULL ? wts_keep(w->set, full, (size_t)n) : NULL;
    if (kept == NULL) {
        return base_fail_memory(w->err, sizeof *t, "a table of tensors");
    }
    t->name = kept;
    t->type = DTYPE_F32;
    t->type_name = "f32";
    t->file = w->file;
    t->n_dims = rows > 0 ? 2 : 1;
    t->shape[0] = rows > 0 ? (uint64_t)rows : (uint64_t)cols;
    t->shape[1] = rows > 0 ? (uint64_t)cols : 1;
    (void)wts_count_rows(t);
    uint64_t values = t->n_rows * t->n_cols; /* fits: at most 2^48 */
    t->offset = w->pos;
    t->bytes = 4 * values;
    int32_t group = w->set->llama2c.group_size;
    if (group > 0 && rows > 0) {
        if (values % (uint64_t)group != 0) {
            return wts_fail_tensor(w->err, t, "%llu values are not a multiple of the group size %d",
                                   (unsigned long long)values, group);
        }
        t->type_name = "int8";
        t->group_size = (uint32_t)group;
        t->scales_offset = t->offset + values;
        t->bytes = values + values / (uint64_t)group * 4;
    }
    skip(w, t->bytes);
    return CHOIR_OK;
}

/* The tensor of that name in each layer. */
static choir_status add_layers(struct walk *w, const char *name, int32_t rows, int32_t cols)
{
    choir_status status = CHOIR_OK;
    for (int l = 0; l < w->set->llama2c.n_layers && status == CHOIR_OK; l++) {
        status = add(w, name, l, rows, cols);
    }
    return status;
}

enum span { TOP, LAYERS, TABLES };

struct step {
    enum span span;
    const char *name;
    int32_t rows, cols;
};

static choir_status walk_steps(struct walk *w, const struct step *steps, size_t n)
{
    const struct wts_llama2c *h = &w->set->llama2c;
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < n && status == CHOIR_OK; i++) {
        const struct step *s = &steps[i];
        switch (s->span) {
        case TOP:
            status = add(w, s->name, -1, s->rows, s->cols);
            break;
        case LAYERS:
            status = add_layers(w, s->name, s->rows, s->cols);
            break;
        case TABLES:
            /* fits: below 8 * 2^31 * 2^23 */
            skip(w, 2 * 4 * (uint64_t)h->max_seq_len * (uint64_t)(h->dim / h->n_heads / 2));
            break;
        }
    }
    if (status == CHOIR_OK && !h->shared_output) {
        status = add(w, "output", -1, h->vocab_size, h->dim);
    }
    return status;
}

static choir_status walk_file(struct walk *w)
{
    const struct wts_llama2c *h = &w->set->llama2c;
    /* fits: there are at most as many key/value heads as heads */
    int32_t dim = h->dim, hidden = h->hidden_dim, kv_dim = h->dim / h->n_heads * h->n_kv_heads;
    if (h->version == 0) {
        const struct step legacy[] = {
            {TOP, "token_embd", h->vocab_size, dim},
            {LAYERS, "attn_norm", 0, dim},
            {LAYERS, "attn_q", dim, dim},
            {LAYERS, "attn_k", kv_dim, dim},
            {LAYERS, "attn_v", kv_dim, dim},
            {LAYERS, "attn_output", dim, dim},
            {LAYERS, "ffn_norm", 0, dim},
            {LAYERS, "ffn_gate", hidden, dim},
            {LAYERS, "ffn_down", dim, hidden},
            {LAYERS, "ffn_up", hidden, dim},
            {TOP, "output_norm", 0, dim},
            {TABLES, "freq_cis", 0, 0},
        };
        return walk_steps(w, legacy, sizeof legacy / sizeof legacy[0]);
    }
    const struct step later[] = {
        {LAYERS, "attn_norm", 0, dim},           {LAYERS, "ffn_norm", 0, dim},      {TOP, "output_norm", 0, dim},
        {TOP, "token_embd", h->vocab_size, dim}, {LAYERS, "attn_q", dim, dim},      {LAYERS, "attn_k", kv_dim, dim},
        {LAYERS, "attn_v", kv_dim, dim},         {LAYERS, "attn_output", dim, dim}, {LAYERS, "ffn_gate", hidden, dim},
        {LAYERS, "ffn_down", dim, hidden},       {LAYERS, "ffn_up", hidden, dim},
    };
    return walk_steps(w, later, sizeof later / sizeof later[0]);
}

choir_status wts_load_llama2c(struct wts_set *set, choir_error *err)
{
    struct walk w = {.set = set, .file = set->priv->files[0], .err = err};
    choir_status status = read_header(&set->llama2c, &w.pos, w.file, err);
    if (status == CHOIR_OK) {
        status = walk_file(&w);
    }
    if (status == CHOIR_OK && w.pos != w.file->size) {
        status = wts_fail(err, w.file, "%llu bytes, a model of dim %d and %d layers needs %llu%s",
                          (unsigned long long)w.file->size, set->llama2c.dim, set->llama2c.n_layers,
                          (unsigned long long)w.pos, w.file->size < w.pos ? " (incomplete download?)" : "");
    }
    return status == CHOIR_OK ? wts_finish(set, err) : status;
}
