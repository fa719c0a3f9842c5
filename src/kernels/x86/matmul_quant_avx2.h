/* Matrices of quantized weights with 256-bit vectors: what the levels avx2 and avxvnni share.  Each includes this with
 * the instructions it may use.
 *
 *   vpdpbusd    u8 * s8, four products added to 32 bits: whatever the type, the bytes are multiplied as they come
 *   vpmaddubsw  u8 * s8, two products in 16 bits, which must not overflow.  Weights of at most 6 bits leave room for
 *               the sums of 2 to 8 such vectors (quant_room); then one vpmaddwd goes to 32 bits.  Bytes of 8 bits have
 *               no room: |w| is the unsigned operand, and the sign of w goes over to x.
 *
 * Bytes of S forms stand for w + offset: the integer sum of a block starts from -offset * sum(x), which lies ready
 * beside the activations.
 *
 * Two ways, one result:
 *   one token  everything in registers, two panels side by side, their lines in turn: two streams come faster from
 *              memory than one
 *   more       a strip of one panel or two is spread into bytes and f32 scales in the L1 cache, once for up to
 *              CHUNK_TOKENS tokens, and then meets them in groups of a few tokens.  Integer sums of a block are
 *              registers, float sums lie in memory between blocks.  Batched decode takes strips of a pair of blocks, so
 *              that weights come from memory steadily; prefill takes longer ones of two panels. */
#ifndef KERN_MATMUL_QUANT_AVX2_H
#define KERN_MATMUL_QUANT_AVX2_H

#include "kernels/x86/quant_strip_avx2.h"

enum {
    CHUNK_TOKENS = 540, /* how many meet a strip once it is spread */
    FEW_TOKENS = 24,    /* up to so many: batched decode */
    FETCH_FEW = 6144,   /* how far ahead weights are fetched, bytes: few tokens, */
    FETCH_MANY = 8192   /* many */
};

/* Where the integer sums of a run start, or what its minimums are multiplied by: n tokens. */
static inline void prepare_starts(int32_t *restrict to, const int32_t *restrict bias, const int32_t *restrict less,
                                  int shift, int n)
{
    for (int t = 0; t < n; t++) {
        to[t] = MAGIC_BITS + ((bias[t] - (less ? less[t] : 0)) >> shift);
    }
}

static inline void prepare_dsums(float *restrict to, const float *restrict d, const int32_t *restrict bias,
                                 const int32_t *restrict less, int n)
{
    for (int t = 0; t < n; t++) {
        to[t] = d[t] * (float)((bias[t] - (less ? less[t] : 0)) >> 7);
    }
}

/* One block, tokens [t0, t0 + n) of a tile of `width`. */
static inline void prepare_block(union per_token *to, int block, enum dtype_form form, int shift, const int8_t *act,
                                 int width, int t0, int n)
{
    const struct kern_act_q8 x = kern_act_q8_block(act, width);
    const int32_t *all = x.bias + t0, *low = x.bias_lo + t0;
    switch (form) {
    case DTYPE_FORM_S32:
        prepare_starts(to->start[block][0], all, NULL, shift, n);
        break;
    case DTYPE_FORM_S16:
        prepare_starts(to->start[block][0], low, NULL, shift, n);
        prepare_starts(to->start[block][1], all, low, shift, n);
        break;
    case DTYPE_FORM_M16:
        prepare_dsums(to->dsum[block][0], x.d + t0, low, NULL, n);
        prepare_dsums(to->dsum[block][1], x.d + t0, all, low, n);
        break;
    default:
        memcpy(to->dsum[block][0], x.dsum + t0, (size_t)n * sizeof(float));
        break;
    }
}

/* sum [panel][at + token][16] += strips of n_panels panels times tokens [t0, t0 + n) of a tile of `width`, at most
 * TILE_TOKENS of them. */
static void add_tile(choir_dtype type, float (*sum)[CHUNK_TOKENS][16], int at, const struct strip_view *w, int n_panels,
                     const int8_t *act, int width, int t0, int n)
{
    union per_token per_token;
    const size_t block_bytes = (size_t)width * ACT_BYTES;
    for (int b = 0; b < 2 * w->n_pairs; b++) {
        prepare_block(&per_token, b, quant_form(type), quant_shift(type), act + (size_t)b * block_bytes, width, t0, n);
    }
    const struct tile_view x = {
        .q = act + 32 * (size_t)t0,
        .d = kern_act_q8_block(act, width).d + t0,
        .block_bytes = block_bytes,
        .per_token = &per_token,
    };
    const int most = group_tokens(quant_room(type)), groups = (n + most - 1) / most;
    const int group = (n + groups - 1) / groups; /* even groups: 9 tokens are 5 + 4 */
    add_strip_fn *add_group = add_strip_fn_of(type);
    for (int t = 0; t < n; t += group) {
        for (int p = 0; p < n_panels; p++) {
            add_group(n - t < group ? n - t : group, sum[p] + at + t, w + p, &x, t);
        }
    }
}

/* n_panels (1 or 2) panels times tokens of whole tiles, at most CHUNK_TOKENS; strips of `step` pairs. */
static void add_panels(choir_dtype type, float (*sum)[CHUNK_TOKENS][16], const uint8_t *panel, size_t panel_bytes,
                       int n_panels, int n_pairs, int step, const int8_t *act, int n_tokens, int tile)
{
    struct strip strip[2];
    struct strip_view view[2];
    const size_t token_bytes = (size_t)n_pairs * 2 * ACT_BYTES;
    for (int pair = 0; pair < n_pairs; pair += step) {
        const int n = n_pairs - pair < step ? n_pairs - pair : step;
        for (int p = 0; p < n_panels; p++) {
            view[p] = spread_of(type, &strip[p], panel + (size_t)p * panel_bytes, pair, n,
                                step == 1 ? FETCH_FEW : FETCH_MANY);
        }
        for (int t = 0; t < n_tokens; t += tile) {
            const int width = n_tokens - t < tile ? n_tokens - t : tile;
            const int8_t *from = act + (size_t)t * token_bytes + (size_t)pair * 2 * ACT_BYTES * (size_t)width;
            for (int i = 0; i < width; i += TILE_TOKENS) {
                const int some = width - i < TILE_TOKENS ? width - i : TILE_TOKENS;
                add_tile(type, sum, t + i, view, n_panels, from, width, i, some);
            }
        }
    }
}

/* Two tokens or more. */
AVX2_NOINLINE void multiply_tokens(choir_dtype type, float *y, size_t ldy, const uint8_t *panel, size_t panel_bytes,
                                   int n_rows, int n_pairs, const int8_t *act, int n_tokens, int tile, bool add)
{
    _Alignas(64) float sum[2][CHUNK_TOKENS][16];
    const size_t token_bytes = (size_t)n_pairs * 2 * ACT_BYTES;
    const bool signs = !VNNI && quant_room(type) == 0; /* their strips are twice as large */
    const int most_panels = n_tokens <= FEW_TOKENS ? 1 : 2, step = n_tokens <= FEW_TOKENS ? 1
                                                                   : signs                ? STRIP_PAIRS / 2
                                                                                          : STRIP_PAIRS;
    const int chunk = CHUNK_TOKENS / tile * tile;
    for (int r = 0; r < n_rows; r += most_panels * DTYPE_PANEL_ROWS, panel += (size_t)most_panels * panel_bytes) {
        const int n_panels = n_rows - r > DTYPE_PANEL_ROWS ? most_panels : 1;
        for (int t = 0; t < n_tokens; t += chunk) {
            const int width = n_tokens - t < chunk ? n_tokens - t : chunk;
            for (int p = 0; p < n_panels; p++) {
                memset(sum[p], 0, (size_t)width * sizeof sum[p][0]);
            }
            add_panels(type, sum, panel, panel_bytes, n_panels, n_pairs, step, act + (size_t)t * token_bytes, width,
                       tile);
            for (int p = 0; p < n_panels; p++) {
                const int row = r + p * DTYPE_PANEL_ROWS;
                avx2_store_rows(y + (size_t)t * ldy + row, ldy, (const float(*)[16])sum[p], width, n_rows - row, add);
            }
        }
    }
}

AVX2_TEMPLATE void multiply_quant(const choir_dtype type, float *y, size_t ldy, const void *W, int n_rows, int n_cols,
                                  const void *act, int n_tokens, int tile, bool add)
{
    const int unit_cols = quant_is_super(type) ? 256 : 64, units = (n_cols + unit_cols - 1) / unit_cols;
    const size_t panel_bytes = (size_t)units * (size_t)quant_unit_bytes(type);
    if (n_tokens == 1) {
        multiply_vector(type, y, W, n_rows, act, units, add);
    } else {
        multiply_tokens(type, y, ldy, W, panel_bytes, n_rows, units * unit_cols / 64, act, n_tokens, tile, add);
    }
}

#endif
