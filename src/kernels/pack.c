/* The panel layout of pack.h: from the file's rows and back.  Pure data movement, no arithmetic but the sign bit of
 * q8_0, so packing is exact.  Whole strips of 16 rows and 64 columns go through registers, edges number by number. */
#include "kernels/pack.h"

#include <stdint.h>
#include <string.h>

#include "base/half.h"

enum {
    ROWS = DTYPE_PANEL_ROWS,
    BLOCK = 32,      /* columns in a quantized block */
    UNIT_BLOCKS = 2, /* blocks of a row in a unit */
    UNIT_COLS = BLOCK * UNIT_BLOCKS,
    SCALE_BYTES = UNIT_BLOCKS * ROWS * 2,
    GROUP_BYTES = ROWS * 4
};

static inline uint32_t load_u32(const void *src)
{
    uint32_t u;
    memcpy(&u, src, sizeof u);
    return u;
}

static inline void store_u32(void *dst, uint32_t u)
{
    memcpy(dst, &u, sizeof u);
}

/* ---- packing one row into its lane of the panel ------------------------------------------------------- */

typedef void pack_row_fn(uint8_t *panel, const uint8_t *row, int lane, int n_cols);

static void pack_f32(uint8_t *panel, const uint8_t *row, int lane, int n_cols)
{
    uint8_t *dst = panel + (size_t)lane * 4;
    for (size_t c = 0; c < (size_t)n_cols; c++) {
        store_u32(dst + c * ROWS * 4, load_u32(row + c * 4));
    }
}

static void pack_f16(uint8_t *panel, const uint8_t *row, int lane, int n_cols)
{
    uint8_t *dst = panel + (size_t)lane * 2;
    for (size_t c = 0; c < (size_t)n_cols; c++) {
        memcpy(dst + c * ROWS * 2, row + c * 2, 2);
    }
}

static void pack_bf16(uint8_t *panel, const uint8_t *row, int lane, int n_cols)
{
    uint8_t *dst = panel + (size_t)lane * 4;
    size_t n_pairs = (size_t)n_cols / 2;
    for (size_t p = 0; p < n_pairs; p++) {
        store_u32(dst + p * ROWS * 4, load_u32(row + p * 4));
    }
    if (n_cols % 2 != 0) {
        memcpy(dst + n_pairs * ROWS * 4, row + n_pairs * 4, 2);
    }
}

/* Quantized rows: every block of the file is an f16 scale and n_groups groups of 4 bytes, which go to the panel
 * unchanged but for `flip` (the sign bits of q8_0). */
static inline void pack_blocks(uint8_t *panel, const uint8_t *row, int lane, int n_cols, int n_groups, uint32_t flip)
{
    size_t unit_bytes = SCALE_BYTES + (size_t)(UNIT_BLOCKS * n_groups) * GROUP_BYTES;
    size_t n_blocks = (size_t)n_cols / BLOCK;
    for (size_t b = 0; b < n_blocks; b++) {
        const uint8_t *src = row + b * (2 + (size_t)n_groups * 4);
        uint8_t *unit = panel + b / UNIT_BLOCKS * unit_bytes;
        size_t half = b % UNIT_BLOCKS;
        memcpy(unit + (half * ROWS + (size_t)lane) * 2, src, 2);
        uint8_t *dst = unit + SCALE_BYTES + half * (size_t)n_groups * GROUP_BYTES + (size_t)lane * 4;
        for (size_t g = 0; g < (size_t)n_groups; g++) {
            store_u32(dst + g * GROUP_BYTES, load_u32(src + 2 + g * 4) ^ flip);
        }
    }
}

static void pack_q8_0(uint8_t *panel, const uint8_t *row, int lane, int n_cols)
{
    pack_blocks(panel, row, lane, n_cols, 8, 0x80808080u);
}

static void pack_q4_0(uint8_t *panel, const uint8_t *row, int lane, int n_cols)
{
    pack_blocks(panel, row, lane, n_cols, 4, 0);
}

static pack_row_fn *const pack_row[DTYPE_COUNT] = {
    [DTYPE_F32] = pack_f32,   [DTYPE_F16] = pack_f16,   [DTYPE_BF16] = pack_bf16,
    [DTYPE_Q8_0] = pack_q8_0, [DTYPE_Q4_0] = pack_q4_0,
};

/* ---- packing a whole panel ----------------------------------------------------------------------------
 * The same moves, sixteen bytes of a row at a time, transposed in registers (the compiler's vectors: SSE2 or NEON,
 * whatever the baseline has).  Interleaving the halves of a square, first row with middle row and so on, and doing so
 * log2(side) times, transposes it. */

enum { WORDS = 4, HALVES = 8 }; /* in a vector */
typedef uint32_t words __attribute__((vector_size(16)));
typedef uint16_t halves __attribute__((vector_size(16)));

static inline void transpose_words(words v[WORDS])
{
    for (int stage = 0; stage < 2; stage++) {
        words t[WORDS];
        for (int i = 0; i < WORDS / 2; i++) {
            t[2 * i] = __builtin_shufflevector(v[i], v[i + WORDS / 2], 0, 4, 1, 5);
            t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + WORDS / 2], 2, 6, 3, 7);
        }
        memcpy(v, t, sizeof t);
    }
}

static inline void transpose_halves(halves v[HALVES])
{
    for (int stage = 0; stage < 3; stage++) {
        halves t[HALVES];
        for (int i = 0; i < HALVES / 2; i++) {
            t[2 * i] = __builtin_shufflevector(v[i], v[i + HALVES / 2], 0, 8, 1, 9, 2, 10, 3, 11);
            t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + HALVES / 2], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(v, t, sizeof t);
    }
}

/* dst[w][row] = src[row][w] ^ flip, for n words (a multiple of WORDS) of 16 rows. */
static inline void pack_words(uint8_t *dst, const uint8_t *src, size_t row_bytes, size_t n, uint32_t flip)
{
    for (size_t r = 0; r < ROWS; r += WORDS) {
        for (size_t w = 0; w < n; w += WORDS) {
            words v[WORDS];
            for (size_t i = 0; i < WORDS; i++) {
                memcpy(&v[i], src + (r + i) * row_bytes + w * 4, sizeof v[i]);
            }
            transpose_words(v);
            for (size_t i = 0; i < WORDS; i++) {
                v[i] ^= flip;
                memcpy(dst + ((w + i) * ROWS + r) * 4, &v[i], sizeof v[i]);
            }
        }
    }
}

/* The same for n 16-bit numbers (a multiple of HALVES). */
static inline void pack_halves(uint8_t *dst, const uint8_t *src, size_t row_bytes, size_t n)
{
    for (size_t r = 0; r < ROWS; r += HALVES) {
        for (size_t c = 0; c < n; c += HALVES) {
            halves v[HALVES];
            for (size_t i = 0; i < HALVES; i++) {
                memcpy(&v[i], src + (r + i) * row_bytes + c * 2, sizeof v[i]);
            }
            transpose_halves(v);
            for (size_t i = 0; i < HALVES; i++) {
                memcpy(dst + ((c + i) * ROWS + r) * 2, &v[i], sizeof v[i]);
            }
        }
    }
}

static inline void pack_unit(uint8_t *dst, const uint8_t *src, size_t row_bytes, size_t n_groups, uint32_t flip)
{
    for (size_t b = 0; b < UNIT_BLOCKS; b++) {
        const uint8_t *block = src + b * (2 + n_groups * 4);
        for (size_t r = 0; r < ROWS; r++) {
            memcpy(dst + (b * ROWS + r) * 2, block + r * row_bytes, 2);
        }
        pack_words(dst + SCALE_BYTES + b * n_groups * GROUP_BYTES, block + 2, row_bytes, n_groups, flip);
    }
}

/* UNIT_COLS columns of 16 rows. */
typedef void pack_strip_fn(uint8_t *dst, const uint8_t *src, size_t row_bytes);

static void pack_strip_f32(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    pack_words(dst, src, row_bytes, UNIT_COLS, 0);
}

static void pack_strip_f16(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    pack_halves(dst, src, row_bytes, UNIT_COLS);
}

static void pack_strip_bf16(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    pack_words(dst, src, row_bytes, UNIT_COLS / 2, 0);
}

static void pack_strip_q8_0(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    pack_unit(dst, src, row_bytes, 8, 0x80808080u);
}

static void pack_strip_q4_0(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    pack_unit(dst, src, row_bytes, 4, 0);
}

static pack_strip_fn *const pack_strip[DTYPE_COUNT] = {
    [DTYPE_F32] = pack_strip_f32,   [DTYPE_F16] = pack_strip_f16,   [DTYPE_BF16] = pack_strip_bf16,
    [DTYPE_Q8_0] = pack_strip_q8_0, [DTYPE_Q4_0] = pack_strip_q4_0,
};

/* Any part of a strip, row by row. */
static void pack_edge(choir_dtype type, uint8_t *dst, size_t dst_bytes, const uint8_t *src, size_t row_bytes,
                      int n_rows, int n_cols)
{
    memset(dst, 0, dst_bytes);
    for (int r = 0; r < n_rows; r++) {
        pack_row[type](dst, src + (size_t)r * row_bytes, r, n_cols);
    }
}

void kern_pack_panel(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols)
{
    /* A strip of units at a time, so that the 16 rows meet in cache lines that are still in the cache. */
    const size_t strip_bytes = dtype_panel_bytes(type, UNIT_COLS), src_bytes = dtype_row_bytes(type, UNIT_COLS);
    uint8_t *dst = panel;
    const uint8_t *src = rows;
    for (int col = 0; col < n_cols; col += UNIT_COLS) {
        int n = n_cols - col < UNIT_COLS ? n_cols - col : UNIT_COLS;
        if (n == UNIT_COLS && n_rows == ROWS) {
            pack_strip[type](dst, src, row_bytes);
        } else {
            pack_edge(type, dst, dtype_panel_bytes(type, (size_t)n), src, row_bytes, n_rows, n);
        }
        dst += strip_bytes;
        src += src_bytes;
    }
}

/* ---- and back ----------------------------------------------------------------------------------------- */

typedef void unpack_row_fn(float *dst, const uint8_t *panel, int lane, int n_cols);

static void unpack_f32(float *dst, const uint8_t *panel, int lane, int n_cols)
{
    for (size_t c = 0; c < (size_t)n_cols; c++) {
        memcpy(&dst[c], panel + (c * ROWS + (size_t)lane) * 4, 4);
    }
}

static void unpack_f16(float *dst, const uint8_t *panel, int lane, int n_cols)
{
    for (size_t c = 0; c < (size_t)n_cols; c++) {
        uint16_t h;
        memcpy(&h, panel + (c * ROWS + (size_t)lane) * 2, 2);
        dst[c] = base_f32_from_f16(h);
    }
}

static void unpack_bf16(float *dst, const uint8_t *panel, int lane, int n_cols)
{
    for (size_t c = 0; c < (size_t)n_cols; c++) {
        uint16_t h;
        memcpy(&h, panel + ((c / 2 * ROWS + (size_t)lane) * 2 + c % 2) * 2, 2);
        dst[c] = base_f32_from_bf16(h);
    }
}

/* Scale and first group of block b of a row. */
static float block_at(const uint8_t **group, const uint8_t *panel, size_t b, int lane, int n_groups)
{
    const uint8_t *unit = panel + b / UNIT_BLOCKS * (SCALE_BYTES + (size_t)(UNIT_BLOCKS * n_groups) * GROUP_BYTES);
    size_t half = b % UNIT_BLOCKS;
    uint16_t h;
    memcpy(&h, unit + (half * ROWS + (size_t)lane) * 2, 2);
    *group = unit + SCALE_BYTES + half * (size_t)n_groups * GROUP_BYTES + (size_t)lane * 4;
    return base_f32_from_f16(h);
}

static void unpack_q8_0(float *dst, const uint8_t *panel, int lane, int n_cols)
{
    for (size_t b = 0; b < (size_t)n_cols / BLOCK; b++) {
        const uint8_t *group;
        float d = block_at(&group, panel, b, lane, 8);
        for (size_t c = 0; c < BLOCK; c++) {
            dst[b * BLOCK + c] = d * (float)(group[c / 4 * GROUP_BYTES + c % 4] - 128);
        }
    }
}

static void unpack_q4_0(float *dst, const uint8_t *panel, int lane, int n_cols)
{
    for (size_t b = 0; b < (size_t)n_cols / BLOCK; b++) {
        const uint8_t *group;
        float d = block_at(&group, panel, b, lane, 4);
        for (size_t c = 0; c < BLOCK / 2; c++) {
            int byte = group[c / 4 * GROUP_BYTES + c % 4];
            dst[b * BLOCK + c] = d * (float)((byte & 15) - 8);
            dst[b * BLOCK + BLOCK / 2 + c] = d * (float)((byte >> 4) - 8);
        }
    }
}

static unpack_row_fn *const unpack_row[DTYPE_COUNT] = {
    [DTYPE_F32] = unpack_f32,   [DTYPE_F16] = unpack_f16,   [DTYPE_BF16] = unpack_bf16,
    [DTYPE_Q8_0] = unpack_q8_0, [DTYPE_Q4_0] = unpack_q4_0,
};

void kern_unpack_row(choir_dtype type, float *dst, const void *panel, int row, int n_cols)
{
    unpack_row[type](dst, panel, row, n_cols);
}
