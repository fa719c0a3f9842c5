/* Settings of a GGUF file: the keys of its architecture ("llama.block_count", ...) as docs/gguf.md lists them, and the ids
 * of the vocabulary's special tokens.  Any integer type is taken where the value fits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/config_read.h"

enum { KEY_CAP = 96, PREFIX_CAP = 40 };

struct reader {
    const struct wts_set *set;
    const char *file;        /* as messages name it */
    char prefix[PREFIX_CAP]; /* "llama." */
    choir_error *err;
};

static const struct {
    const char *name;
    int bytes; /* of an integer, else 0 */
    bool is_signed;
} meta_types[] = {
    [WTS_U8] = {"u8", 1, false},       [WTS_I8] = {"i8", 1, true},      [WTS_U16] = {"u16", 2, false},
    [WTS_I16] = {"i16", 2, true},      [WTS_U32] = {"u32", 4, false},   [WTS_I32] = {"i32", 4, true},
    [WTS_F32] = {"f32", 0, false},     [WTS_BOOL] = {"bool", 0, false}, [WTS_STRING] = {"string", 0, false},
    [WTS_ARRAY] = {"array", 0, false}, [WTS_U64] = {"u64", 8, false},   [WTS_I64] = {"i64", 8, true},
    [WTS_F64] = {"f64", 0, false},
};

static choir_status wrong_type(const struct reader *r, const char *key, const struct wts_meta *m, const char *wanted)
{
    const char *of = m->type == WTS_ARRAY ? meta_types[m->elem_type].name : "";
    return base_fail(r->err, CHOIR_FILE, "%s: %s: has type %s%s%s, must be %s", r->file, key, meta_types[m->type].name,
                     m->type == WTS_ARRAY ? " of " : "", of, wanted);
}

static choir_status missing(const struct reader *r, const char *key)
{
    return base_fail(r->err, CHOIR_FILE, "%s: %s missing", r->file, key);
}

/* The setting of this architecture called `name`; its whole key goes to key[KEY_CAP]. */
static const struct wts_meta *find(const struct reader *r, const char *name, char key[KEY_CAP])
{
    snprintf(key, KEY_CAP, "%s%s", r->prefix, name);
    return wts_meta_find(r->set, key);
}

/* Element i of an integer or of an array of integers. */
static void int_at(const struct wts_meta *m, uint64_t i, struct wts_meta *out)
{
    *out = *m;
    if (m->type != WTS_ARRAY) {
        return;
    }
    out->type = m->elem_type;
    size_t bytes = (size_t)meta_types[m->elem_type].bytes;
    const uint8_t *at = (const uint8_t *)m->v.array + i * bytes;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (bytes) {
    case 1:
        memcpy(&u8, at, 1);
        out->v.u = u8;
        break;
    case 2:
        memcpy(&u16, at, 2);
        out->v.u = u16;
        break;
    case 4:
        memcpy(&u32, at, 4);
        out->v.u = u32;
        break;
    default:
        memcpy(&out->v.u, at, 8);
        break;
    }
    if (meta_types[out->type].is_signed) { /* two's complement of its own width */
        int shift = 64 - 8 * (int)bytes;
        uint64_t top = out->v.u << shift;
        out->v.i = (int64_t)top >> shift;
    }
}

static choir_status check_int(int32_t *out, const struct reader *r, const char *key, const struct wts_meta *m,
                              int32_t min, int32_t max)
{
    if (meta_types[m->type].is_signed) {
        if (m->v.i < min || m->v.i > max) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRId64 " (%d to %d allowed)", r->file, key, m->v.i, min,
                             max);
        }
        *out = (int32_t)m->v.i;
        return CHOIR_OK;
    }
    if (m->v.u > (uint64_t)max || (int64_t)m->v.u < min) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRIu64 " (%d to %d allowed)", r->file, key, m->v.u, min, max);
    }
    *out = (int32_t)m->v.u;
    return CHOIR_OK;
}

/* An integer setting; absent: *out keeps its value, or, with `need`, it is an error. */
static choir_status get_int(int32_t *out, const struct reader *r, const char *name, bool need, int32_t min, int32_t max)
{
    char key[KEY_CAP];
    const struct wts_meta *m = find(r, name, key);
    if (m == NULL) {
        return need ? missing(r, key) : CHOIR_OK;
    }
    if (meta_types[m->type].bytes == 0) {
        return wrong_type(r, key, m, "u32");
    }
    return check_int(out, r, key, m, min, max);
}

/* As get_int, but the file may give one number a layer: they must be equal, since every layer has one shape here. */
static choir_status get_layers_int(int32_t *out, const struct reader *r, const char *name, bool need, int32_t n_layers,
                                   int32_t max)
{
    char key[KEY_CAP];
    const struct wts_meta *m = find(r, name, key);
    if (m == NULL || m->type != WTS_ARRAY) {
        return get_int(out, r, name, need, 1, max);
    }
    if (meta_types[m->elem_type].bytes == 0) {
        return wrong_type(r, key, m, "u32");
    }
    if (m->n != (uint64_t)n_layers) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRIu64 " entries, the model has %d layers", r->file, key, m->n,
                         n_layers);
    }
    int32_t first = 0;
    for (uint64_t i = 0; i < m->n; i++) {
        struct wts_meta one;
        int_at(m, i, &one);
        choir_status status = check_int(out, r, key, &one, 1, max);
        if (status != CHOIR_OK) {
            return status;
        }
        if (i == 0) {
            first = *out;
        } else if (*out != first) {
            return base_fail(r->err, CHOIR_FILE,
                             "%s: %s: %d in layer 0, %d in layer %" PRIu64 ": layers that differ are not supported",
                             r->file, key, first, *out, i);
        }
    }
    return CHOIR_OK;
}

/* *found (may be NULL) tells whether the key is there. */
static choir_status get_real(double *out, const struct reader *r, const char *name, bool need, bool *found)
{
    char key[KEY_CAP];
    const struct wts_meta *m = find(r, name, key);
    if (found != NULL) {
        *found = m != NULL;
    }
    if (m == NULL) {
        return need ? missing(r, key) : CHOIR_OK;
    }
    if (m->type != WTS_F32 && m->type != WTS_F64) {
        return wrong_type(r, key, m, "f32");
    }
    *out = m->v.f;
    return CHOIR_OK;
}

/* A string setting by its whole key, NULL when absent.  One with a NUL inside equals nothing we know. */
static choir_status get_string(const struct wts_string **out, const struct reader *r, const char *key)
{
    *out = NULL;
    const struct wts_meta *m = wts_meta_find(r->set, key);
    if (m != NULL && m->type != WTS_STRING) {
        return wrong_type(r, key, m, "string");
    }
    *out = m != NULL ? &m->v.s : NULL;
    return CHOIR_OK;
}

static bool string_is(const struct wts_string *s, const char *text)
{
    return s->n == strlen(text) && memcmp(s->data, text, (size_t)s->n) == 0;
}

static choir_status read_family(struct mdl_config *c, struct reader *r)
{
    const struct wts_string *name;
    choir_status status = get_string(&name, r, "general.architecture");
    if (status != CHOIR_OK) {
        return status;
    }
    if (name == NULL) {
        return missing(r, "general.architecture");
    }
    if (name->n < PREFIX_CAP - 1 && memchr(name->data, '\0', (size_t)name->n) == NULL) {
        c->arch = mdl_arch_by_gguf(name->data);
    }
    if (c->arch == NULL) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(r->err, CHOIR_FILE, "%s: architecture \"%s\" not supported", r->file,
                         base_escape(shown, name->data, (size_t)name->n));
    }
    snprintf(r->prefix, sizeof r->prefix, "%s.", name->data);
    c->rope_layout = (enum mdl_rope_layout)c->arch->gguf_rope_layout;
    return CHOIR_OK;
}

static choir_status read_counts(struct mdl_config *c, const struct reader *r)
{
    choir_status status = get_int(&c->n_layers, r, "block_count", true, 1, MDL_LAYERS_MAX);
    if (status == CHOIR_OK) {
        status = get_int(&c->dim, r, "embedding_length", true, 1, MDL_DIM_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_layers_int(&c->hidden_dim, r, "feed_forward_length", true, c->n_layers, MDL_HIDDEN_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_layers_int(&c->n_heads, r, "attention.head_count", true, c->n_layers, MDL_HEADS_MAX);
    }
    if (status == CHOIR_OK) {
        c->n_kv_heads = c->n_heads;
        status = get_layers_int(&c->n_kv_heads, r, "attention.head_count_kv", false, c->n_layers, MDL_HEADS_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_int(&c->max_seq_len, r, "context_length", true, 1, MDL_SEQ_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_int(&c->sliding_window, r, "attention.sliding_window", false, 0, MDL_SEQ_MAX);
    }
    return status;
}

static choir_status read_head_dims(struct mdl_config *c, const struct reader *r)
{
    int32_t value_dim = 0;
    choir_status status = get_int(&c->head_dim, r, "attention.key_length", false, 1, MDL_HEAD_DIM_MAX);
    if (status == CHOIR_OK) {
        status = get_int(&value_dim, r, "attention.value_length", false, 1, MDL_HEAD_DIM_MAX);
    }
    if (status == CHOIR_OK) {
        status = get_int(&c->rope_dim, r, "rope.dimension_count", false, 1, MDL_DIM_MAX);
    }
    if (status != CHOIR_OK || value_dim == 0) {
        return status;
    }
    int32_t key_dim = c->head_dim != 0 ? c->head_dim : c->dim / c->n_heads;
    if (value_dim != key_dim) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sattention.value_length: %d, keys have %d: not supported", r->file,
                         r->prefix, value_dim, key_dim);
    }
    return CHOIR_OK;
}

/* llama3's factors come as the tensor rope_freqs.weight, so "none" and "linear" are all there is here. */
static choir_status read_scaling(struct mdl_config *c, const struct reader *r)
{
    char key[KEY_CAP];
    const struct wts_string *type;
    bool found;
    snprintf(key, sizeof key, "%srope.scaling.type", r->prefix);
    choir_status status = get_string(&type, r, key);
    if (status != CHOIR_OK) {
        return status;
    }
    if (type != NULL && !string_is(type, "none") && !string_is(type, "linear")) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(r->err, CHOIR_FILE, "%s: %s: type \"%s\" not supported", r->file, key,
                         base_escape(shown, type->data, (size_t)type->n));
    }
    status = get_real(&c->rope[0].factor, r, "rope.scaling.factor", false, &found);
    if (status == CHOIR_OK && !found) { /* the older key */
        status = get_real(&c->rope[0].factor, r, "rope.scale_linear", false, &found);
    }
    if (found && (type == NULL || string_is(type, "linear"))) {
        c->rope[0].scaling = MDL_SCALING_LINEAR;
    } else {
        c->rope[0].factor = 1;
    }
    return status;
}

/* The embedding table says how large the vocabulary is; tokenizers may know fewer pieces than it has rows. */
static choir_status read_vocab(struct mdl_config *c, const struct reader *r)
{
    const char *name = c->arch->gguf_names[MDL_EMBED];
    const struct wts_tensor *t = wts_find(r->set, name);
    if (t == NULL) {
        return wts_why_missing(r->set, name, r->err);
    }
    if (t->n_rows < 1 || t->n_rows > MDL_VOCAB_MAX) {
        return base_fail(r->err, CHOIR_FILE, "%s: tensor %s: %" PRIu64 " rows (1 to %d allowed)", r->file, name,
                         t->n_rows, MDL_VOCAB_MAX);
    }
    c->vocab_size = (int32_t)t->n_rows;
    c->tied_output = !wts_has(r->set, c->arch->gguf_names[MDL_OUTPUT]);
    return CHOIR_OK;
}

/* -1 when the key is absent, or says -1. */
static choir_status read_id(int32_t *out, const struct mdl_config *c, const struct reader *r, const char *key)
{
    *out = -1;
    const struct wts_meta *m = wts_meta_find(r->set, key);
    if (m == NULL) {
        return CHOIR_OK;
    }
    if (meta_types[m->type].bytes == 0) {
        return wrong_type(r, key, m, "u32");
    }
    int64_t id = !meta_types[m->type].is_signed && m->v.u > INT64_MAX ? INT64_MAX : m->v.i;
    if (meta_types[m->type].is_signed && id == -1) { /* some writers say "none" so */
        return CHOIR_OK;
    }
    choir_status status = mdl_config_check_id(c, r->file, key, id, r->err);
    *out = status == CHOIR_OK ? (int32_t)id : -1;
    return status;
}

static choir_status read_ids(struct mdl_config *c, const struct reader *r)
{
    static const char *const stops[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                        "tokenizer.ggml.eom_token_id"};
    choir_status status = read_id(&c->bos_id, c, r, "tokenizer.ggml.bos_token_id");
    for (size_t i = 0; i < sizeof stops / sizeof stops[0] && status == CHOIR_OK; i++) {
        int32_t id = -1;
        status = read_id(&id, c, r, stops[i]);
        if (status == CHOIR_OK && id >= 0) {
            mdl_config_add_eos(c, id); /* three always fit */
        }
    }
    return status;
}

static choir_status refuse_experts(const struct reader *r)
{
    int32_t experts = 0;
    choir_status status = get_int(&experts, r, "expert_count", false, 0, INT32_MAX);
    if (status == CHOIR_OK && experts != 0) {
        return base_fail(r->err, CHOIR_FILE, "%s: %sexpert_count: %d: mixture of experts not supported", r->file,
                         r->prefix, experts);
    }
    return status;
}

choir_status mdl_config_read_gguf(struct mdl_config *c, const struct wts_set *set, choir_error *err)
{
    struct reader r = {.set = set, .file = set->model_file, .err = err};
    choir_status status = read_family(c, &r);
    struct mdl_spelling spelling = {
        .file = r.file,
        .prefix = r.prefix,
        .dim = "embedding_length",
        .head_dim = "attention.key_length",
        .rope_dim = "rope.dimension_count",
        .rope_theta = "rope.freq_base",
        .norm_eps = "attention.layer_norm_rms_epsilon",
        .rope_scaling = "rope.scaling.factor",
    };
    c->rope[0].theta = 10000;
    if (status == CHOIR_OK) {
        status = refuse_experts(&r);
    }
    if (status == CHOIR_OK) {
        status = read_counts(c, &r);
    }
    if (status == CHOIR_OK) {
        status = read_head_dims(c, &r);
    }
    if (status == CHOIR_OK) {
        status = get_real(&spelling.norm_eps_value, &r, spelling.norm_eps, true, NULL);
    }
    if (status == CHOIR_OK) {
        status = get_real(&c->rope[0].theta, &r, spelling.rope_theta, false, NULL);
    }
    if (status == CHOIR_OK) {
        status = read_scaling(c, &r);
    }
    if (status == CHOIR_OK) {
        status = read_vocab(c, &r);
    }
    if (status == CHOIR_OK) {
        status = mdl_config_finish(c, &spelling, err);
    }
    return status == CHOIR_OK ? read_ids(c, &r) : status;
}
