/* The table of mixes, and where a matrix has its place in them. */
#include "weights/mix.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* All matrices of one type. */
#define ALONE(TYPE, name, file_type)                                                                                   \
    {                                                                                                                  \
        name, DTYPE_##TYPE, DTYPE_##TYPE, DTYPE_##TYPE, WTS_NO_LAYER, file_type                                        \
    }

static const struct wts_mix mixes[] = {
    ALONE(F32, "f32", 0),
    ALONE(F16, "f16", 1),
    ALONE(BF16, "bf16", 32),
    ALONE(Q8_0, "q8_0", 7),
    ALONE(Q4_0, "q4_0", 2),
    ALONE(Q4_1, "q4_1", 3),
    ALONE(Q5_0, "q5_0", 8),
    ALONE(Q5_1, "q5_1", 9),
    ALONE(Q2_K, "q2_K", 10),
    ALONE(Q3_K, "q3_K", 11),
    ALONE(Q4_K, "q4_K", 14),
    ALONE(Q5_K, "q5_K", 16),
    ALONE(Q6_K, "q6_K", 18),
    {"q4_K_S", DTYPE_Q4_K, DTYPE_Q6_K, DTYPE_Q5_K, WTS_FIRST_LAYERS, 14},
    {"q4_K_M", DTYPE_Q4_K, DTYPE_Q6_K, DTYPE_Q6_K, WTS_SPREAD_LAYERS, 15},
    {"q5_K_M", DTYPE_Q5_K, DTYPE_Q6_K, DTYPE_Q6_K, WTS_SPREAD_LAYERS, 17},
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
    int end = 0;
    *layer = -1;
    if (strcmp(gguf_name, tied_output ? "token_embd.weight" : "output.weight") == 0) {
        return WTS_PLACE_OUTPUT;
    }
    if (sscanf(gguf_name, "blk.%6d.%n", layer, &end) != 1 || end == 0) {
        return WTS_PLACE_ANY;
    }
    return strcmp(gguf_name + end, "attn_v.weight") == 0     ? WTS_PLACE_V
           : strcmp(gguf_name + end, "ffn_down.weight") == 0 ? WTS_PLACE_DOWN
                                                             : WTS_PLACE_ANY;
}

/* The first and the last eighth of the layers, and each third one between. */
static bool is_spread(int layer, int n_layers)
{
    const int eighth = n_layers / 8;
    return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

choir_dtype wts_mix_type(const struct wts_mix *mix, enum wts_place place, int layer, int n_layers)
{
    if (place == WTS_PLACE_OUTPUT) {
        return mix->output;
    }
    if (place == WTS_PLACE_ANY || mix->layers == WTS_NO_LAYER) {
        return mix->type;
    }
    const int first = place == WTS_PLACE_V ? 4 : n_layers / 8;
    return (mix->layers == WTS_FIRST_LAYERS ? layer < first : is_spread(layer, n_layers)) ? mix->better : mix->type;
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
