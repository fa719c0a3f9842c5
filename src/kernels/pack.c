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

/* What kern_seen takes of a word; what of the outcome is set by a number that is not finite, ~mask has. */
static const struct {
    uint32_t mask, one;
} exponent[DTYPE_COUNT] = {
    [DTYPE_F32] = {0x7fffffff, 0x00800000},
    [DTYPE_F16] = {0x7fff7fff, 0x04000400},
    [DTYPE_BF16] = {0x7fff7fff, 0x00800080},
};

static inline uint32_t any(kern_words v)
{
    return v[0] | v[1] | v[2] | v[3];
}

/* STRIP_COLS columns of 16 rows; whether they are finite, which the compiler leaves out where nobody asks. */
static inline bool pack_strip(choir_dtype type, uint8_t *dst, const uint8_t *src, size_t row_bytes)
{
    const uint32_t mask = exponent[type].mask, one = exponent[type].one;
    switch (type) {
    case DTYPE_F32:
        return (any(kern_pack_words(dst, src, row_bytes, STRIP_COLS, mask, one)) & ~mask) == 0;
    case DTYPE_F16:
        return (any(kern_pack_halves(dst, src, row_bytes, STRIP_COLS, mask, one)) & ~mask) == 0;
    default:
        return (any(kern_pack_words(dst, src, row_bytes, STRIP_COLS / 2, mask, one)) & ~mask) == 0;
    }
}

/* Any part of a strip, row by row. */
static void pack_edge(choir_dtype type, uint8_t *dst, size_t dst_bytes, const uint8_t *src, size_t row_bytes,
                      int n_rows, int n_cols)
{
    memset(dst, 0, dst_bytes);
    for (int r = 0; r < n_rows; r++) {
        pack_row[type](dst, src + (size_t)r * row_bytes, r, n_cols);
    }
}

/* Whether n words are finite.  Loops that only gather bits become vectors. */
static bool words_finite(choir_dtype type, const uint8_t *p, size_t n)
{
    const uint32_t mask = exponent[type].mask, one = exponent[type].one;
    uint32_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        seen |= (load_u32(p + 4 * i) & mask) + one;
    }
    return (seen & ~mask) == 0;
}

/* A strip of units at a time, so that the 16 rows meet in cache lines that are still in the cache. */
static inline bool pack_plain(choir_dtype type, uint8_t *dst, const uint8_t *src, size_t row_bytes, int n_rows,
                              int n_cols, bool checked)
{
    const size_t strip_bytes = dtype_panel_bytes(type, STRIP_COLS), src_bytes = dtype_row_bytes(type, STRIP_COLS);
    bool finite = true;
    for (int col = 0; col < n_cols; col += STRIP_COLS) {
        const int n = n_cols - col < STRIP_COLS ? n_cols - col : STRIP_COLS;
        if (n == STRIP_COLS && n_rows == ROWS) {
            const bool strip_finite = pack_strip(type, dst, src, row_bytes);
            finite = finite && (strip_finite || !checked);
        } else {
            const size_t bytes = dtype_panel_bytes(type, (size_t)n);
            pack_edge(type, dst, bytes, src, row_bytes, n_rows, n);
            finite = finite && (!checked || words_finite(type, dst, bytes / 4));
        }
        dst += strip_bytes;
        src += src_bytes;
    }
    return finite;
}

void kern_pack_panel(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols)
{
    switch (type) {
    case DTYPE_F32:
        (void)pack_plain(DTYPE_F32, panel, rows, row_bytes, n_rows, n_cols, false);
        break;
    case DTYPE_F16:
        (void)pack_plain(DTYPE_F16, panel, rows, row_bytes, n_rows, n_cols, false);
        break;
    case DTYPE_BF16:
        (void)pack_plain(DTYPE_BF16, panel, rows, row_bytes, n_rows, n_cols, false);
        break;
    default:
        kern_pack_quant(type, panel, rows, row_bytes, n_rows, n_cols);
    }
}

/* The units of a quantized panel begin with n_words words of scales and minimums: f16, side by side. */
static bool scales_finite(const uint8_t *p, size_t n_units, size_t unit_bytes, size_t n_words)
{
    bool finite = true;
    for (size_t i = 0; i < n_units; i++, p += unit_bytes) {
        finite = words_finite(DTYPE_F16, p, 16) && (n_words == 16 || words_finite(DTYPE_F16, p + 64, 16)) && finite;
    }
    return finite;
}

bool kern_pack_panel_checked(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols)
{
    const size_t bytes = dtype_panel_bytes(type, (size_t)n_cols), unit = (size_t)dtype_table[type].unit_bytes;
    switch (type) {
    case DTYPE_F32:
        return pack_plain(DTYPE_F32, panel, rows, row_bytes, n_rows, n_cols, true);
    case DTYPE_F16:
        return pack_plain(DTYPE_F16, panel, rows, row_bytes, n_rows, n_cols, true);
    case DTYPE_BF16:
        return pack_plain(DTYPE_BF16, panel, rows, row_bytes, n_rows, n_cols, true);
    default:
        kern_pack_quant(type, panel, rows, row_bytes, n_rows, n_cols);
        return scales_finite(panel, bytes / unit, unit, type == DTYPE_Q4_1 || type == DTYPE_Q5_1 ? 32 : 16);
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
