/* The panel layout of pack.h: from the file's rows and back.  Here are the plain numbers: whole strips of 16 rows and 64
 * columns go through registers, edges number by number.  Quantized panels are packed by pack_quant.c and read by
 * panel_block.c. */
#include "kernels/pack.h"

#include <stdint.h>
#include <string.h>

#include "base/half.h"
#include "kernels/pack_quant.h"
#include "kernels/panel_block.h"
#include "kernels/transpose.h"

enum { ROWS = DTYPE_PANEL_ROWS, BLOCK = 32, STRIP_COLS = 64 };

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

static pack_row_fn *const pack_row[DTYPE_COUNT] = {
    [DTYPE_F32] = pack_f32,
    [DTYPE_F16] = pack_f16,
    [DTYPE_BF16] = pack_bf16,
};

/* ---- packing a whole panel ---------------------------------------------------------------------------- */

/* STRIP_COLS columns of 16 rows. */
typedef void pack_strip_fn(uint8_t *dst, const uint8_t *src, size_t row_bytes);

static void pack_strip_f32(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    kern_pack_words(dst, src, row_bytes, STRIP_COLS);
}

static void pack_strip_f16(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    kern_pack_halves(dst, src, row_bytes, STRIP_COLS);
}

static void pack_strip_bf16(uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    kern_pack_words(dst, src, row_bytes, STRIP_COLS / 2);
}

static pack_strip_fn *const pack_strip[DTYPE_COUNT] = {
    [DTYPE_F32] = pack_strip_f32,
    [DTYPE_F16] = pack_strip_f16,
    [DTYPE_BF16] = pack_strip_bf16,
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
    if (dtype_table[type].form != DTYPE_FORM_NONE) {
        kern_pack_quant(type, panel, rows, row_bytes, n_rows, n_cols);
        return;
    }
    /* A strip of units at a time, so that the 16 rows meet in cache lines that are still in the cache. */
    const size_t strip_bytes = dtype_panel_bytes(type, STRIP_COLS), src_bytes = dtype_row_bytes(type, STRIP_COLS);
    uint8_t *dst = panel;
    const uint8_t *src = rows;
    for (int col = 0; col < n_cols; col += STRIP_COLS) {
        int n = n_cols - col < STRIP_COLS ? n_cols - col : STRIP_COLS;
        if (n == STRIP_COLS && n_rows == ROWS) {
            pack_strip[type](dst, src, row_bytes);
        } else {
            pack_edge(type, dst, dtype_panel_bytes(type, (size_t)n), src, row_bytes, n_rows, n);
        }
        dst += strip_bytes;
        src += src_bytes;
    }
}

/* ---- what no panel should hold -------------------------------------------------------------------------- */

/* All ones in the exponent, looked for in integers: adding one at its lowest bit carries into the sign's place, which was
 * cleared, for NaN and infinity alone.  Loops that only gather these bits become vectors. */
static bool words_finite(const uint8_t *p, size_t n)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        seen |= (load_u32(p + 4 * i) & 0x7fffffffu) + 0x00800000u;
    }
    return seen >> 31 == 0;
}

/* The sums of the lower of two halves stay within their 16 bits. */
static inline uint32_t pairs_seen(const uint8_t *p, size_t n_pairs, uint32_t one)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < n_pairs; i++) {
        seen |= (load_u32(p + 4 * i) & 0x7fff7fffu) + (one << 16 | one);
    }
    return seen & 0x80008000u;
}

/* The units of a quantized panel begin with their scales and minimums. */
static bool scales_finite(const uint8_t *p, size_t n_units, size_t unit_bytes, size_t n_pairs)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < n_units; i++, p += unit_bytes) {
        seen |= pairs_seen(p, 16, 0x0400);
        seen |= n_pairs > 16 ? pairs_seen(p + 64, 16, 0x0400) : 0;
    }
    return seen == 0;
}

bool kern_panel_finite(choir_dtype type, const void *panel, int n_cols)
{
    const size_t bytes = dtype_panel_bytes(type, (size_t)n_cols), unit = (size_t)dtype_table[type].unit_bytes;
    switch (type) {
    case DTYPE_F32:
        return words_finite(panel, bytes / 4);
    case DTYPE_F16:
        return pairs_seen(panel, bytes / 4, 0x0400) == 0;
    case DTYPE_BF16:
        return pairs_seen(panel, bytes / 4, 0x0080) == 0;
    case DTYPE_Q4_1:
    case DTYPE_Q5_1: /* two of each */
        return scales_finite(panel, bytes / unit, unit, 32);
    default:
        return scales_finite(panel, bytes / unit, unit, 16);
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

static unpack_row_fn *const unpack_row[DTYPE_COUNT] = {
    [DTYPE_F32] = unpack_f32,
    [DTYPE_F16] = unpack_f16,
    [DTYPE_BF16] = unpack_bf16,
};

static void unpack_quant(choir_dtype type, float *dst, const void *panel, int row, int n_cols)
{
    for (int c = 0; c < n_cols; c += BLOCK) {
        struct kern_panel_block b;
        kern_panel_block_get(type, &b, panel, row, (size_t)(c / BLOCK));
        for (int i = 0; i < BLOCK; i++) {
            dst[c + i] = b.scale[i / 16] * (float)b.w[i] - b.min[i / 16]; /* only the difference may round */
        }
    }
}

void kern_unpack_row(choir_dtype type, float *dst, const void *panel, int row, int n_cols)
{
    if (dtype_table[type].form != DTYPE_FORM_NONE) {
        unpack_quant(type, dst, panel, row, n_cols);
    } else {
        unpack_row[type](dst, panel, row, n_cols);
    }
}
