/* The panel layout of pack.h: from the file's rows and back.  Pure data movement, no arithmetic but the sign bit of
 * q8_0, so packing is exact and needs no vector instructions: its inner loops are 4-byte moves inside one unit, which
 * stays in the first-level cache. */
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

void kern_pack_panel(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols)
{
    /* A strip of units at a time, so that the 16 rows meet in cache lines that are still in the cache. */
    const struct dtype_info *info = &dtype_table[type];
    int strip = UNIT_COLS;
    size_t strip_bytes = dtype_panel_bytes(type, (size_t)strip);
    size_t src_bytes = dtype_row_bytes(type, (size_t)strip);
    size_t left = dtype_panel_bytes(type, (size_t)n_cols);
    uint8_t *dst = panel;
    const uint8_t *src = rows;
    for (int col = 0; col < n_cols; col += strip) {
        int n = n_cols - col < strip ? n_cols - col : strip;
        size_t bytes = left < strip_bytes ? left : strip_bytes;
        if (n_rows < ROWS || n % info->unit_cols != 0) {
            memset(dst, 0, bytes);
        }
        for (int r = 0; r < n_rows; r++) {
            pack_row[type](dst, src + (size_t)r * row_bytes, r, n);
        }
        dst += bytes;
        left -= bytes;
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
