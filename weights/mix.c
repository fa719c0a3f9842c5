/* The table of mixes, and where a matrix has its place in them. */
#include "weights/mix.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct wts_mix mixes[] = {
    {"f32", DTYPE_F32, WTS_ALIKE, 0},       {"f16", DTYPE_F16, WTS_ALIKE, 1},
    {"bf16", DTYPE_BF16, WTS_ALIKE, 32},    {"q8_0", DTYPE_Q8_0, WTS_OUTPUT, 7},
    {"q4_0", DTYPE_Q4_0, WTS_OUTPUT, 2},    {"q4_1", DTYPE_Q4_1, WTS_OUTPUT, 3},
    {"q5_0", DTYPE_Q5_0, WTS_OUTPUT, 8},    {"q5_1", DTYPE_Q5_1, WTS_OUTPUT, 9},
    {"q2_K", DTYPE_Q2_K, WTS_SMALL, 10},    {"q3_K", DTYPE_Q3_K, WTS_MEDIUM, 12},
    {"q3_K_S", DTYPE_Q3_K, WTS_SMALL, 11},  {"q3_K_M", DTYPE_Q3_K, WTS_MEDIUM, 12},
    {"q3_K_L", DTYPE_Q3_K, WTS_LARGE, 13},  {"q4_K", DTYPE_Q4_K, WTS_MEDIUM, 15},
    {"q4_K_S", DTYPE_Q4_K, WTS_SMALL, 14},  {"q4_K_M", DTYPE_Q4_K, WTS_MEDIUM, 15},
    {"q5_K", DTYPE_Q5_K, WTS_MEDIUM, 17},   {"q5_K_S", DTYPE_Q5_K, WTS_SMALL, 16},
    {"q5_K_M", DTYPE_Q5_K, WTS_MEDIUM, 17}, {"q6_K", DTYPE_Q6_K, WTS_OUTPUT, 18},
};

/* GGUF numbers a file by its main type, however pure. */
static const struct wts_mix alike[DTYPE_COUNT] = {
    [DTYPE_F32] = {"f32", DTYPE_F32, WTS_ALIKE, 0},     [DTYPE_F16] = {"f16", DTYPE_F16, WTS_ALIKE, 1},
    [DTYPE_BF16] = {"bf16", DTYPE_BF16, WTS_ALIKE, 32}, [DTYPE_Q8_0] = {"q8_0", DTYPE_Q8_0, WTS_ALIKE, 7},
    [DTYPE_Q4_0] = {"q4_0", DTYPE_Q4_0, WTS_ALIKE, 2},  [DTYPE_Q4_1] = {"q4_1", DTYPE_Q4_1, WTS_ALIKE, 3},
    [DTYPE_Q5_0] = {"q5_0", DTYPE_Q5_0, WTS_ALIKE, 8},  [DTYPE_Q5_1] = {"q5_1", DTYPE_Q5_1, WTS_ALIKE, 9},
    [DTYPE_Q2_K] = {"q2_K", DTYPE_Q2_K, WTS_ALIKE, 10}, [DTYPE_Q3_K] = {"q3_K", DTYPE_Q3_K, WTS_ALIKE, 11},
    [DTYPE_Q4_K] = {"q4_K", DTYPE_Q4_K, WTS_ALIKE, 14}, [DTYPE_Q5_K] = {"q5_K", DTYPE_Q5_K, WTS_ALIKE, 16},
    [DTYPE_Q6_K] = {"q6_K", DTYPE_Q6_K, WTS_ALIKE, 18},
};

enum { N_MIXES = sizeof mixes / sizeof mixes[0] };

const struct wts_mix *wts_mix_by_name(const char *name)
{
    for (int i = 0; i < N_MIXES; i++) {
        if (strcasecmp(mixes[i].name, name) == 0) {
            return &mixes[i];
        }
    }
    return NULL;
}

const char *wts_mix_name(int i)
{
    return i >= 0 && i < N_MIXES ? mixes[i].name : NULL;
}

const struct wts_mix *wts_mix_alike(choir_dtype type)
{
    return alike[type].name != NULL ? &alike[type] : NULL;
}

const char *wts_mix_names(char dst[WTS_MIX_NAMES_CAP])
{
    size_t n = 0;
    for (int i = 0; i < N_MIXES; i++) {
        n += (size_t)snprintf(dst + n, WTS_MIX_NAMES_CAP - n, "%s%s", i > 0 ? ", " : "", mixes[i].name);
    }
    return dst;
}

enum wts_place wts_place_of(const char *gguf_name, bool tied_output, int *layer)
{
    static const struct {
        const char *name;
        enum wts_place place;
    } parts[] = {
        {"attn_k.weight", WTS_PLACE_K},
        {"attn_v.weight", WTS_PLACE_V},
        {"attn_qkv.weight", WTS_PLACE_V},
        {"attn_output.weight", WTS_PLACE_O},
        {"ffn_down.weight", WTS_PLACE_DOWN},
        {"ffn_down_exps.weight", WTS_PLACE_DOWN},
        {"ffn_down_shexp.weight", WTS_PLACE_DOWN},
    };
    int end = 0;
    *layer = -1;
    if (strcmp(gguf_name, tied_output ? "token_embd.weight" : "output.weight") == 0) {
        return WTS_PLACE_OUTPUT;
    }
    if (sscanf(gguf_name, "blk.%6d.%n", layer, &end) != 1 || end == 0) {
        return WTS_PLACE_ANY;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(gguf_name + end, parts[i].name) == 0) {
            return parts[i].place;
        }
    }
    return WTS_PLACE_ANY;
}

bool wts_is_mixed(const char *gguf_name, int n_dims, uint64_t n_rows)
{
    static const char weight[] = ".weight";
    static const char *const kept[] = {"_norm.", "ffn_gate_inp", "position_embd.", "token_types.", "rope_f"};
    const size_t n = strlen(gguf_name), end = sizeof weight - 1;
    if (n_dims < 2 || n_rows < 2 || n < end || strcmp(gguf_name + n - end, weight) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (strstr(gguf_name, kept[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* The first and the last eighth of the layers, and each third one between. */
static bool is_spread(int layer, int n_layers)
{
    const int eighth = n_layers / 8;
    return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

/* The biggest matrix, and the one whose errors reach the result as they are. */
static choir_dtype output_type(const struct wts_mix *mix, const struct wts_mix_model *model, uint64_t n_cols)
{
    const bool is_float = dtype_table[mix->type].block_len == 1;
    if (is_float || mix->type == DTYPE_Q8_0) {
        return mix->type;
    }
    return model->falcon || n_cols % (uint64_t)dtype_table[DTYPE_Q6_K].block_len != 0 ? DTYPE_Q8_0 : DTYPE_Q6_K;
}

/* W_V is small where several heads share it. */
static choir_dtype v_type(const struct wts_mix *mix, const struct wts_mix_model *model, int layer)
{
    choir_dtype type = mix->type;
    if (mix->recipe > WTS_OUTPUT) {
        if (type == DTYPE_Q2_K) {
            type = model->n_heads >= 4 * model->n_kv_heads ? DTYPE_Q4_K : DTYPE_Q3_K;
        } else if (type == DTYPE_Q3_K && mix->recipe != WTS_SMALL) {
            type = mix->recipe == WTS_LARGE || layer < 2 ? DTYPE_Q5_K : DTYPE_Q4_K;
        } else if (type == DTYPE_Q4_K && mix->recipe == WTS_SMALL) {
            type = layer < 4 ? DTYPE_Q5_K : type;
        } else if (mix->recipe == WTS_MEDIUM) {
            type = is_spread(layer, model->n_layers) ? DTYPE_Q6_K : type;
        }
    }
    const bool is_70b = model->n_layers == 80 && model->n_heads != model->n_kv_heads;
    return is_70b && (type == DTYPE_Q3_K || type == DTYPE_Q4_K) ? DTYPE_Q5_K : type;
}

static choir_dtype o_type(const struct wts_mix *mix, const struct wts_mix_model *model)
{
    const choir_dtype type = mix->type;
    if (model->falcon) {
        return mix->recipe == WTS_LARGE ? DTYPE_Q4_K : type;
    }
    if (model->n_experts == 8) {
        return type != DTYPE_Q5_K && mix->recipe != WTS_LARGE ? DTYPE_Q5_K : type;
    }
    return type == DTYPE_Q2_K                                ? DTYPE_Q3_K
           : type == DTYPE_Q3_K && mix->recipe == WTS_MEDIUM ? DTYPE_Q4_K
           : type == DTYPE_Q3_K && mix->recipe == WTS_LARGE  ? DTYPE_Q5_K
                                                             : type;
}

static choir_dtype down_type(const struct wts_mix *mix, const struct wts_mix_model *model, int layer)
{
    const choir_dtype type = mix->type;
    const int n = model->n_layers;
    const bool spread = is_spread(layer, n);
    if (mix->recipe == WTS_LARGE) {
        return model->falcon ? DTYPE_Q4_K : DTYPE_Q5_K;
    }
    if (mix->recipe == WTS_SMALL) {
        return type == DTYPE_Q2_K                                      ? DTYPE_Q3_K
               : type == DTYPE_Q4_K && !model->falcon && layer < n / 8 ? DTYPE_Q5_K
                                                                       : type;
    }
    if (type == DTYPE_Q3_K) {
        return layer < n / 16 ? DTYPE_Q5_K : !model->falcon || spread ? DTYPE_Q4_K : type;
    }
    if (type == DTYPE_Q4_K && model->falcon) {
        return layer < n / 16 ? DTYPE_Q6_K : spread ? DTYPE_Q5_K : type;
    }
    return spread ? DTYPE_Q6_K : type;
}

choir_dtype wts_mix_type(const struct wts_mix *mix, const struct wts_mix_model *model, enum wts_place place, int layer,
                         uint64_t n_cols)
{
    const bool is_plain = mix->recipe == WTS_ALIKE, is_eight = model->n_experts == 8;
    if (is_plain || place == WTS_PLACE_ANY) {
        return mix->type;
    }
    if (place == WTS_PLACE_OUTPUT) {
        return output_type(mix, model, n_cols);
    }
    if (is_eight && (place == WTS_PLACE_V || place == WTS_PLACE_K)) { /* small beside the experts */
        return DTYPE_Q8_0;
    }
    if (place == WTS_PLACE_V) {
        return v_type(mix, model, layer);
    }
    if (mix->recipe == WTS_OUTPUT || place == WTS_PLACE_K) {
        return mix->type;
    }
    return place == WTS_PLACE_O ? o_type(mix, model) : down_type(mix, model, layer);
}

/* What takes the place of a super-block type. */
static const choir_dtype smaller[DTYPE_COUNT] = {
    [DTYPE_Q2_K] = DTYPE_Q4_0, [DTYPE_Q3_K] = DTYPE_Q4_0, [DTYPE_Q4_K] = DTYPE_Q5_0,
    [DTYPE_Q5_K] = DTYPE_Q5_1, [DTYPE_Q6_K] = DTYPE_Q8_0,
};

choir_dtype wts_type_that_fits(choir_dtype wanted, uint64_t n_cols)
{
    if (n_cols % (uint64_t)dtype_table[wanted].block_len != 0 && dtype_table[wanted].block_len > 32) {
        wanted = smaller[wanted];
    }
    return n_cols % (uint64_t)dtype_table[wanted].block_len == 0 ? wanted : DTYPE_COUNT;
}

void wts_misfits_add(struct wts_misfits *m, choir_dtype wanted, uint64_t n_cols)
{
    if (wts_type_that_fits(wanted, n_cols) == DTYPE_COUNT) {
        m->kept_cols = m->kept_cols > 0 ? m->kept_cols : n_cols;
        m->n_kept++;
        return;
    }
    m->n_cols = m->n_cols > 0 ? m->n_cols : n_cols;
    m->n[wanted]++;
}

/* Those that got another type: the length of the text, 0 where there are none. */
static size_t replaced_text(char dst[WTS_MISFITS_CAP], const struct wts_misfits *m)
{
    if (m->n_cols == 0) {
        return 0;
    }
    size_t n = (size_t)snprintf(dst, WTS_MISFITS_CAP, "%" PRIu64 " columns are no multiple of 256:", m->n_cols);
    bool first = true;
    for (int t = 0; t < DTYPE_COUNT && n < WTS_MISFITS_CAP; t++) {
        if (m->n[t] > 0) {
            const char *what = !first ? "" : m->n[t] > 1 ? " matrices" : " matrix";
            n += (size_t)snprintf(dst + n, WTS_MISFITS_CAP - n, "%s %zu%s %s instead of %s", first ? "" : ",", m->n[t],
                                  what, dtype_table[smaller[t]].name, dtype_table[t].name);
            first = false;
        }
    }
    return n < WTS_MISFITS_CAP ? n : WTS_MISFITS_CAP - 1;
}

const char *wts_misfits_line(char dst[WTS_MISFITS_CAP], const struct wts_misfits *m)
{
    const size_t n = replaced_text(dst, m);
    if (m->n_kept > 0) {
        (void)snprintf(dst + n, WTS_MISFITS_CAP - n,
                       "%s%" PRIu64 " columns are no multiple of 32: %zu %s not quantized", n > 0 ? "; " : "",
                       m->kept_cols, m->n_kept, m->n_kept > 1 ? "matrices" : "matrix");
    }
    return n > 0 || m->n_kept > 0 ? dst : NULL;
}
