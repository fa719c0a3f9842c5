/* Binding by name: the architecture's row says how each container calls a tensor, the configuration what shape it has. */
#include "model/bind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

/* A size that the configuration gives. */
enum extent { ONE, DIM, HIDDEN, VOCAB, Q_DIM, KV_DIM, ROPE_PAIRS };

/* What each tensor of a model is; a vector has ONE row. */
struct role {
    enum extent rows, cols;
    size_t field;
};

static const struct role roles[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = {VOCAB, DIM, offsetof(struct mdl_model, embed)},
    [MDL_OUTPUT_NORM] = {ONE, DIM, offsetof(struct mdl_model, output_norm)},
    [MDL_OUTPUT] = {VOCAB, DIM, offsetof(struct mdl_model, output)},
    [MDL_ATT_NORM] = {ONE, DIM, offsetof(struct mdl_layer, att_norm)},
    [MDL_WQ] = {Q_DIM, DIM, offsetof(struct mdl_layer, wq)},
    [MDL_WK] = {KV_DIM, DIM, offsetof(struct mdl_layer, wk)},
    [MDL_WV] = {KV_DIM, DIM, offsetof(struct mdl_layer, wv)},
    [MDL_WO] = {DIM, Q_DIM, offsetof(struct mdl_layer, wo)},
    [MDL_FFN_NORM] = {ONE, DIM, offsetof(struct mdl_layer, ffn_norm)},
    [MDL_W_GATE] = {HIDDEN, DIM, offsetof(struct mdl_layer, ffn.w_gate)},
    [MDL_W_UP] = {HIDDEN, DIM, offsetof(struct mdl_layer, ffn.w_up)},
    [MDL_W_DOWN] = {DIM, HIDDEN, offsetof(struct mdl_layer, ffn.w_down)},
};

/* GGUF's converter folds llama3's frequency scaling into this tensor. */
static const char rope_freqs_name[] = "rope_freqs.weight";
static const struct role rope_freqs_role = {ONE, ROPE_PAIRS, offsetof(struct mdl_model, rope_freqs)};

enum { NAME_CAP = 128, SHAPE_CAP = 96, WHY_CAP = 64 };

/* A plan being made. */
struct binder {
    struct mdl_plan *plan;
    const struct mdl_config *config;
    const struct wts_set *set;
    const struct mdl_load_options *opt;
    bool *used; /* [set->n_tensors] */
    struct wts_misfits misfits;
    choir_error *err;
};

static uint64_t extent_of(const struct mdl_config *c, enum extent e)
{
    switch (e) {
    case ONE:
        return 1;
    case DIM:
        return (uint64_t)c->dim;
    case HIDDEN:
        return (uint64_t)c->hidden_dim;
    case VOCAB:
        return (uint64_t)c->vocab_size;
    case Q_DIM:
        return (uint64_t)mdl_q_dim(c);
    case KV_DIM:
        return (uint64_t)mdl_kv_dim(c);
    case ROPE_PAIRS:
        return (uint64_t)c->rope_dim / 2;
    }
    return 0;
}

/* " from ..." for a message about a shape; empty where the numbers speak for themselves. */
static const char *reason(char dst[WHY_CAP], const struct mdl_config *c, const struct role *role)
{
    enum extent e = role->cols != DIM && role->rows != ONE ? role->cols : role->rows;
    switch (e) {
    case Q_DIM:
        snprintf(dst, WHY_CAP, " from %d heads of %d", c->n_heads, c->head_dim);
        break;
    case KV_DIM:
        snprintf(dst, WHY_CAP, " from %d key/value heads of %d", c->n_kv_heads, c->head_dim);
        break;
    case HIDDEN:
        snprintf(dst, WHY_CAP, " from a feed-forward width of %d", c->hidden_dim);
        break;
    case VOCAB:
        snprintf(dst, WHY_CAP, " from a vocabulary of %d", c->vocab_size);
        break;
    default:
        dst[0] = '\0';
        break;
    }
    return dst;
}

static const char *shape_text(char dst[SHAPE_CAP], int n_dims, const uint64_t shape[4])
{
    size_t n = 0;
    snprintf(dst, SHAPE_CAP, "of one number");
    for (int i = 0; i < n_dims; i++) {
        n += (size_t)snprintf(dst + n, SHAPE_CAP - n, "%s%" PRIu64, i > 0 ? " x " : "", shape[i]);
    }
    return dst;
}

static choir_status check_shape(const struct binder *b, const struct wts_tensor *t, const struct role *role)
{
    const uint64_t rows = extent_of(b->config, role->rows), cols = extent_of(b->config, role->cols);
    const bool is_vector = role->rows == ONE;
    const uint64_t wanted[4] = {is_vector ? cols : rows, is_vector ? 1 : cols, 1, 1};
    const int n_dims = is_vector ? 1 : 2;
    if (t->n_dims == n_dims && t->shape[0] == wanted[0] && (is_vector || t->shape[1] == wanted[1])) {
        return CHOIR_OK;
    }
    char file[BASE_ESCAPE_CAP], found[SHAPE_CAP], want[SHAPE_CAP], why[WHY_CAP];
    return base_fail(b->err, CHOIR_FILE, "%s: tensor %s: shape %s, expected %s%s", base_escape_str(file, t->file->path),
                     t->name, shape_text(found, t->n_dims, t->shape), shape_text(want, n_dims, wanted),
                     reason(why, b->config, role));
}

static enum wts_place place_of(const struct mdl_config *c, const struct role *role)
{
    const enum mdl_tensor output = c->tied_output ? MDL_EMBED : MDL_OUTPUT;
    return role == &roles[output]       ? WTS_PLACE_OUTPUT
           : role == &roles[MDL_WV]     ? WTS_PLACE_V
           : role == &roles[MDL_W_DOWN] ? WTS_PLACE_DOWN
                                        : WTS_PLACE_ANY;
}

/* --quant applies to matrices whose width the type's blocks, or those of a smaller one, divide; every other tensor keeps
 * the file's type. */
static choir_dtype memory_type(struct binder *b, const struct wts_tensor *t, const struct role *role, int32_t layer)
{
    if (b->opt->quant == NULL) {
        return t->type;
    }
    const choir_dtype wanted = wts_mix_type(b->opt->quant, place_of(b->config, role), layer, b->config->n_layers);
    const choir_dtype fits = wts_type_that_fits(wanted, t->n_cols);
    if (fits != wanted) {
        wts_misfits_add(&b->misfits, wanted, t->n_cols);
    }
    return fits != DTYPE_COUNT ? fits : t->type;
}

static choir_status add_part(struct binder *b, const struct wts_tensor *t, const struct role *role, int32_t layer)
{
    choir_status status = check_shape(b, t, role);
    if (status != CHOIR_OK) {
        return status;
    }
    struct mdl_plan *plan = b->plan;
    struct mdl_part *part = &plan->parts[plan->n_parts++];
    *part = (struct mdl_part){.src = t, .is_vector = role->rows == ONE, .field = role->field, .layer = layer};
    uint64_t weight_bytes;
    if (part->is_vector) {
        part->type = DTYPE_F32;
        part->bytes = weight_bytes = t->n_cols * sizeof(float);
    } else {
        part->type = memory_type(b, t, role, layer);
        part->rows = b->opt->in_place && part->type == t->type ? wts_rows_in_place(t) : NULL;
        part->bytes = part->rows != NULL ? 0 : dtype_packed_bytes(part->type, t->n_rows, t->n_cols);
        weight_bytes = part->rows != NULL ? t->n_rows * dtype_row_bytes(t->type, t->n_cols) : part->bytes;
    }
    b->used[t - b->set->tensors] = true;
    if (!base_add(plan->arena_bytes, base_arena_cost(part->bytes), &plan->arena_bytes) ||
        !base_add(plan->weight_bytes, weight_bytes, &plan->weight_bytes)) {
        return base_fail_memory(b->err, SIZE_MAX, "the weights");
    }
    return CHOIR_OK;
}

static choir_status bind_named(struct binder *b, const char *name, const struct role *role, int32_t layer)
{
    const struct wts_tensor *t = wts_find(b->set, name);
    return t != NULL ? add_part(b, t, role, layer) : wts_why_missing(b->set, name, b->err);
}

static choir_status bind_one(struct binder *b, enum mdl_tensor which, int32_t layer)
{
    const struct mdl_arch *arch = b->config->arch;
    const char *const *names = b->set->container == WTS_HF ? arch->hf_names : arch->gguf_names;
    char name[NAME_CAP];
    mdl_tensor_name(name, sizeof name, names[which], layer);
    return bind_named(b, name, &roles[which], layer);
}

static choir_status bind_all(struct binder *b)
{
    choir_status status = CHOIR_OK;
    for (int which = 0; which < MDL_FIRST_LAYER_TENSOR && status == CHOIR_OK; which++) {
        if (which != MDL_OUTPUT || !b->config->tied_output) {
            status = bind_one(b, (enum mdl_tensor)which, -1);
        }
    }
    if (status == CHOIR_OK && b->set->container == WTS_GGUF && wts_has(b->set, rope_freqs_name)) {
        status = bind_named(b, rope_freqs_name, &rope_freqs_role, -1);
    }
    for (int32_t l = 0; l < b->config->n_layers && status == CHOIR_OK; l++) {
        for (int which = MDL_FIRST_LAYER_TENSOR; which < MDL_TENSOR_COUNT && status == CHOIR_OK; which++) {
            status = bind_one(b, (enum mdl_tensor)which, l);
        }
    }
    return status;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Tensors that are known to be redundant: tables of RoPE that old exports hold, and the copy of a tied output. */
static bool is_redundant(const struct binder *b, const char *name)
{
    return ends_with(name, ".rotary_emb.inv_freq") || (b->config->tied_output && b->set->container == WTS_HF &&
                                                       strcmp(name, b->config->arch->hf_names[MDL_OUTPUT]) == 0);
}

static void warn_misfits(const struct binder *b)
{
    char line[WTS_MISFITS_CAP];
    if (b->opt->warn != NULL && wts_misfits_line(line, &b->misfits) != NULL) {
        b->opt->warn(b->opt->user, line);
    }
}

static void warn_unused(const struct binder *b)
{
    const struct wts_tensor *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < b->set->n_tensors; i++) {
        if (!b->used[i] && !is_redundant(b, b->set->tensors[i].name)) {
            first = first != NULL ? first : &b->set->tensors[i];
            n++;
        }
    }
    if (n == 0 || b->opt->warn == NULL) {
        return;
    }
    char file[BASE_ESCAPE_CAP], name[BASE_ESCAPE_CAP], line[2 * BASE_ESCAPE_CAP + 64];
    snprintf(line, sizeof line, "%s: %zu tensor%s not used: %s%s", base_escape_str(file, first->file->path), n,
             n > 1 ? "s" : "", base_escape_str(name, first->name), n > 1 ? ", ..." : "");
    b->opt->warn(b->opt->user, line);
}

choir_status mdl_plan_make(struct mdl_plan *plan, const struct mdl_config *config, const struct wts_set *set,
                           const struct mdl_load_options *opt, choir_error *err)
{
    const size_t n_layers = (size_t)config->n_layers;
    const size_t parts_cap = n_layers * MDL_TENSOR_COUNT + MDL_FIRST_LAYER_TENSOR + 1;
    *plan = (struct mdl_plan){.arena_bytes = base_arena_cost(n_layers * sizeof(struct mdl_layer))};
    struct binder b = {.plan = plan, .config = config, .set = set, .opt = opt, .err = err};
    plan->parts = malloc(parts_cap * sizeof *plan->parts);
    b.used = calloc(set->n_tensors + 1, sizeof *b.used);
    choir_status status;
    if (plan->parts == NULL || b.used == NULL) {
        status = base_fail_memory(err, parts_cap * sizeof *plan->parts + set->n_tensors, "the list of tensors");
    } else {
        status = bind_all(&b);
    }
    if (status == CHOIR_OK) {
        warn_unused(&b);
        warn_misfits(&b);
    } else {
        mdl_plan_free(plan);
    }
    free(b.used);
    return status;
}

void mdl_plan_free(struct mdl_plan *plan)
{
    free(plan->parts);
    *plan = (struct mdl_plan){0};
}
