/* Binding by name: the architecture's row says how each container calls a tensor, the configuration what shape it has. */
#include "model/bind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "model/roles.h"

enum { SHAPE_CAP = 96 };

/* A plan being made. */
struct binder {
    struct mdl_plan *plan;
    const struct mdl_config *config;
    const struct wts_set *set;
    const struct mdl_load_options *opt;
    const char *prefix; /* of the names of a folder */
    bool *used;         /* [set->n_tensors] */
    struct wts_misfits misfits;
    choir_error *err;
};

static bool is_hf(const struct binder *b)
{
    return b->set->container == WTS_HF;
}

/* ---- names ---- */

/* What the container calls it; NULL when it has no such tensor. */
static const char *pattern_of(const struct binder *b, enum mdl_tensor which)
{
    const struct mdl_arch *arch = b->config->arch;
    if (which == MDL_TENSOR_COUNT) {
        return NULL;
    }
    if (is_hf(b)) {
        return arch->hf_names[which];
    }
    const bool is_part = which == MDL_W_GATE || which == MDL_W_UP;
    if ((is_part && arch->gguf_fused_ffn) || (which == MDL_GATE_UP && !arch->gguf_fused_ffn)) {
        return NULL; /* one name, two meanings */
    }
    return mdl_gguf_names[which];
}

/* By the first of its names that the file has; NULL when it has none.  name[] is the one found, else the first. */
static const struct wts_tensor *find(const struct binder *b, enum mdl_tensor which, int32_t layer, int32_t expert,
                                     char name[MDL_NAME_CAP])
{
    const char *pattern = pattern_of(b, which);
    for (int i = 0; pattern != NULL && mdl_tensor_name(name, MDL_NAME_CAP, pattern, i, b->prefix, layer, expert); i++) {
        if (wts_has(b->set, name)) {
            return wts_find(b->set, name);
        }
    }
    if (pattern != NULL) {
        mdl_tensor_name(name, MDL_NAME_CAP, pattern, 0, b->prefix, layer, expert);
    }
    return NULL;
}

/* The prefix that the embedding table has. */
static const char *find_prefix(struct binder *b)
{
    const char *const *prefixes = b->config->arch->hf_prefixes;
    char name[MDL_NAME_CAP];
    for (int i = 0; is_hf(b) && prefixes[i] != NULL; i++) {
        b->prefix = prefixes[i];
        find(b, MDL_EMBED, -1, -1, name);
        if (wts_has(b->set, name)) {
            return prefixes[i];
        }
    }
    return is_hf(b) ? prefixes[0] : "";
}

/* ---- shapes ---- */

static const char *shape_text(char dst[SHAPE_CAP], int n_dims, const uint64_t shape[4])
{
    size_t n = 0;
    snprintf(dst, SHAPE_CAP, "of one number");
    for (int i = 0; i < n_dims; i++) {
        n += (size_t)snprintf(dst + n, SHAPE_CAP - n, "%s%" PRIu64, i > 0 ? " x " : "", shape[i]);
    }
    return dst;
}

/* The shape that the whole tensor must have, a slice of which is `slice`. */
static int shape_of(uint64_t shape[4], const struct binder *b, const struct mdl_role *role,
                    const struct mdl_slice *slice, bool stacked, bool transposed)
{
    int n = 0;
    if (stacked) {
        shape[n++] = (uint64_t)b->config->n_experts;
    }
    shape[n++] = slice->total;
    if (role->rows != MDL_ONE) {
        shape[n++] = mdl_extent_of(b->config, role->cols);
    }
    if (transposed) {
        const uint64_t rows = shape[0];
        shape[0] = shape[1];
        shape[1] = rows;
    }
    return n;
}

static bool has_shape(const struct wts_tensor *t, int n_dims, const uint64_t *shape)
{
    bool same = t->n_dims == n_dims;
    for (int i = 0; i < n_dims && same; i++) {
        same = t->shape[i] == shape[i];
    }
    /* a vector may be a matrix of one row */
    return same || (n_dims == 1 && t->n_dims == 2 && t->shape[0] == 1 && t->shape[1] == shape[0]);
}

static choir_status refuse_shape(const struct binder *b, const struct wts_tensor *t, int n_dims, const uint64_t *shape,
                                 const char *why)
{
    char file[BASE_ESCAPE_CAP], found[SHAPE_CAP], want[SHAPE_CAP];
    return base_fail(b->err, CHOIR_FILE, "%s: tensor %s: shape %s, expected %s%s", base_escape_str(file, t->file->path),
                     t->name, shape_text(found, t->n_dims, t->shape), shape_text(want, n_dims, shape), why);
}

/* ---- types ---- */

static enum wts_place place_of(const struct mdl_config *c, enum mdl_tensor which)
{
    switch (which) {
    case MDL_EMBED:
        return c->tied_output ? WTS_PLACE_OUTPUT : WTS_PLACE_ANY;
    case MDL_OUTPUT:
        return WTS_PLACE_OUTPUT;
    case MDL_WK:
        return WTS_PLACE_K;
    case MDL_WV:
    case MDL_QKV:
        return WTS_PLACE_V;
    case MDL_WO:
        return WTS_PLACE_O;
    case MDL_W_DOWN:
    case MDL_SHARED_W_DOWN:
    case MDL_EXPERT_W_DOWN:
        return WTS_PLACE_DOWN;
    default:
        return WTS_PLACE_ANY;
    }
}

/* --quant applies to matrices whose width the type's blocks, or those of a smaller one, divide; every other tensor keeps
 * the file's type, and so do the small ones of which much depends. */
static choir_dtype memory_type(struct binder *b, const struct mdl_part *part)
{
    if (b->opt->quant == NULL || part->which == MDL_ROUTER || part->which == MDL_POSITIONS) {
        return part->src->type;
    }
    const struct wts_mix_model shape = mdl_mix_model(b->config);
    const choir_dtype wanted =
        wts_mix_type(b->opt->quant, &shape, place_of(b->config, part->which), part->layer, part->n_cols);
    const choir_dtype fits = wts_type_that_fits(wanted, part->n_cols);
    if (fits != wanted) {
        wts_misfits_add(&b->misfits, wanted, part->n_cols);
    }
    return fits != DTYPE_COUNT ? fits : part->src->type;
}

static bool is_norm_weight(enum mdl_tensor which)
{
    return which == MDL_OUTPUT_NORM || which == MDL_ATT_NORM || which == MDL_FFN_NORM || which == MDL_POST_ATT_NORM ||
           which == MDL_POST_FFN_NORM || which == MDL_Q_NORM || which == MDL_K_NORM;
}

/* ---- parts ---- */

static choir_status push(struct binder *b, const struct mdl_part *part)
{
    struct mdl_plan *plan = b->plan;
    if (plan->n_parts == plan->cap) {
        const size_t cap = 2 * plan->cap + 64;
        struct mdl_part *larger = base_array_resize(plan->parts, cap, sizeof *larger);
        if (larger == NULL) {
            return base_fail_memory(b->err, cap * sizeof *larger, "the list of tensors");
        }
        plan->parts = larger;
        plan->cap = cap;
    }
    plan->parts[plan->n_parts++] = *part;
    return CHOIR_OK;
}

/* Type, place and size in memory of a part whose source is known. */
static choir_status size_part(struct binder *b, struct mdl_part *part)
{
    const struct wts_tensor *t = part->src;
    uint64_t weight_bytes;
    if (part->is_vector) {
        part->type = DTYPE_F32;
        part->bytes = weight_bytes = part->n_cols * sizeof(float);
    } else {
        part->type = memory_type(b, part);
        const uint8_t *rows = b->opt->in_place && part->type == t->type ? wts_rows_in_place(t) : NULL;
        const size_t row_bytes = dtype_row_bytes(part->type, part->n_cols);
        /* fits: rows that the tensor has, whose bytes are in the file */
        part->rows = rows != NULL && mdl_part_is_plain(part) ? rows + part->row0 * row_bytes : NULL;
        part->bytes = part->rows != NULL ? 0 : dtype_packed_bytes(part->type, part->n_rows, part->n_cols);
        weight_bytes = part->rows != NULL ? part->n_rows * row_bytes : part->bytes; /* fits: as above */
    }
    b->used[t - b->set->tensors] = true;
    if (!base_add(b->plan->arena_bytes, base_arena_cost(part->bytes), &b->plan->arena_bytes) ||
        !base_add(b->plan->weight_bytes, weight_bytes, &b->plan->weight_bytes)) {
        return base_fail_memory(b->err, SIZE_MAX, "the weights");
    }
    return CHOIR_OK;
}

/* A part of tensor t, which holds it alone, or (fused) with others, or (three dimensions) for all experts. */
static choir_status add_part(struct binder *b, const struct wts_tensor *t, enum mdl_tensor which, int32_t layer,
                             int32_t expert, bool fused)
{
    const struct mdl_config *c = b->config;
    const struct mdl_role *role = mdl_role_of(c, which);
    const bool is_vector = role->rows == MDL_ONE, stacked = expert >= 0 && t->n_dims == 3;
    const bool transposed = !is_vector && layer >= 0 && is_hf(b) && c->arch->hf_transposed;
    const uint64_t n = mdl_extent_of(c, is_vector ? role->cols : role->rows);
    struct mdl_slice slice = {.total = n, .run = n, .step = n};
    if (fused) {
        slice = mdl_slice_of(c, which, is_hf(b) && c->arch->hf_grouped_qkv);
    }
    uint64_t shape[4];
    const int n_dims = shape_of(shape, b, role, &slice, stacked, transposed);
    if (!has_shape(t, n_dims, shape)) {
        char why[MDL_REASON_CAP];
        return refuse_shape(b, t, n_dims, shape, mdl_role_reason(why, c, role, fused));
    }
    if (transposed && dtype_table[t->type].block_len != 1) {
        return base_fail(b->err, CHOIR_FILE, "%s: tensor %s: type %s cannot be transposed", t->file->path, t->name,
                         t->type_name);
    }
    struct mdl_part part = {
        .which = which,
        .layer = layer,
        .expert = expert,
        .field = role->field,
        .src = t,
        .n_rows = is_vector ? 1 : n,
        .n_cols = mdl_extent_of(c, role->cols),
        .row0 = slice.row0 + (stacked ? (uint64_t)expert * slice.total : 0), /* fits: has_shape */
        .run = slice.run,
        .step = slice.step,
        .is_vector = is_vector,
        .transposed = transposed,
        .plus_one = c->norm_plus_one && is_norm_weight(which),
    };
    choir_status status = size_part(b, &part);
    return status == CHOIR_OK ? push(b, &part) : status;
}

static choir_status bind_one(struct binder *b, enum mdl_tensor which, int32_t layer, int32_t expert)
{
    char name[MDL_NAME_CAP], other[MDL_NAME_CAP];
    const enum mdl_tensor fused = mdl_role_of(b->config, which)->fused;
    const struct wts_tensor *t = find(b, which, layer, expert, name);
    if (t != NULL) {
        return add_part(b, t, which, layer, expert, false);
    }
    t = find(b, fused, layer, expert, other);
    if (t != NULL) {
        return add_part(b, t, which, layer, expert, true);
    }
    return wts_why_missing(b->set, pattern_of(b, which) != NULL ? name : other, b->err);
}

static choir_status bind_experts(struct binder *b, int32_t layer)
{
    const uint64_t structs = (uint64_t)b->config->n_experts * sizeof(struct mdl_ffn);
    choir_status status = CHOIR_OK;
    if (!base_add(b->plan->arena_bytes, base_arena_cost(structs), &b->plan->arena_bytes)) {
        return base_fail_memory(b->err, SIZE_MAX, "the weights");
    }
    for (int32_t e = 0; e < b->config->n_experts; e++) {
        for (int which = MDL_FIRST_EXPERT_TENSOR; which < MDL_TENSOR_COUNT && status == CHOIR_OK; which++) {
            if (mdl_is_wanted(b->config, (enum mdl_tensor)which, layer)) {
                status = bind_one(b, (enum mdl_tensor)which, layer, e);
            }
        }
    }
    return status;
}

static choir_status bind_all(struct binder *b)
{
    choir_status status = CHOIR_OK;
    for (int32_t l = -1; l < b->config->n_layers && status == CHOIR_OK; l++) {
        const int first = l < 0 ? 0 : MDL_FIRST_LAYER_TENSOR;
        const int end = l < 0 ? MDL_FIRST_LAYER_TENSOR : MDL_FIRST_EXPERT_TENSOR;
        for (int which = first; which < end && status == CHOIR_OK; which++) {
            const bool freqs = which == MDL_ROPE_FREQS && b->set->container == WTS_GGUF &&
                               wts_has(b->set, mdl_gguf_names[MDL_ROPE_FREQS]);
            if (freqs || mdl_is_wanted(b->config, (enum mdl_tensor)which, l)) {
                status = bind_one(b, (enum mdl_tensor)which, l, -1);
            }
        }
        if (l >= 0 && mdl_is_routed(b->config, l) && status == CHOIR_OK) {
            status = bind_experts(b, l);
        }
    }
    return status;
}

/* ---- what is left over ---- */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Tensors that are known to be redundant: tables of RoPE and masks that old exports hold, longrope's divisors, which the
 * configuration has read, the copy of a tied output, and the eyes of a model that has some. */
static bool is_redundant(const struct binder *b, const char *name)
{
    static const char *const ends[] = {".rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias",
                                       "rope_factors_long.weight", "rope_factors_short.weight"};
    static const char *const begins[] = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                         "model.multi_modal_projector."};
    char output[MDL_NAME_CAP];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(name, ends[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (strncmp(name, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    find(b, MDL_OUTPUT, -1, -1, output);
    return b->config->tied_output && is_hf(b) && strcmp(name, output) == 0;
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
    *plan = (struct mdl_plan){.arena_bytes = base_arena_cost((size_t)config->n_layers * sizeof(struct mdl_layer))};
    struct binder b = {.plan = plan, .config = config, .set = set, .opt = opt, .err = err};
    b.prefix = find_prefix(&b);
    b.used = calloc(set->n_tensors + 1, sizeof *b.used);
    choir_status status;
    if (b.used == NULL) {
        status = base_fail_memory(err, set->n_tensors, "the list of tensors");
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
