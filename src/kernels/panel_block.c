/* The parts of a quantized unit, read for one row and one block. */
#include "kernels/panel_block.h"

#include <string.h>

#include "base/half.h"

enum { ROWS = DTYPE_PANEL_ROWS, BLOCK = 32, GROUP = ROWS * 4, HALVES = ROWS * 2, MASKS = 64 };

/* Byte of column c (0 to 31, or 0 to 15 of nibbles) in groups of four columns. */
static int byte_at(const uint8_t *groups, int row, int c)
{
    return groups[c / 4 * GROUP + row * 4 + c % 4];
}

static float half_at(const uint8_t *halves, int row)
{
    uint16_t h;
    memcpy(&h, halves + 2 * row, sizeof h);
    return base_f32_from_f16(h);
}

/* Bit of column c in the 8 masks of a block. */
static int mask_at(const uint8_t *masks, int row, int c)
{
    return masks[c / 4 * 8 + row / 2] >> (row % 2 * 4 + c % 4) & 1;
}

/* ---- the three ways to keep less than a byte: 32 columns to w, which is then unsigned ------------------- */

static void get_nibbles(int8_t w[BLOCK], const uint8_t *groups, int row)
{
    for (int c = 0; c < BLOCK / 2; c++) {
        w[c] = (int8_t)(byte_at(groups, row, c) & 15);
        w[BLOCK / 2 + c] = (int8_t)(byte_at(groups, row, c) >> 4);
    }
}

/* Block b of a unit's lines of 4 bits (of 2 bits): two (four) blocks share a line. */
static void get_lines_4(int8_t w[BLOCK], const uint8_t *lines, int row, int b)
{
    for (int c = 0; c < BLOCK; c++) {
        w[c] = (int8_t)(byte_at(lines + b / 2 * 8 * GROUP, row, c) >> (b % 2 * 4) & 15);
    }
}

static void get_lines_2(int8_t w[BLOCK], const uint8_t *lines, int row, int b)
{
    for (int c = 0; c < BLOCK; c++) {
        w[c] = (int8_t)(byte_at(lines + b / 4 * 8 * GROUP, row, c) >> (b % 4 * 2) & 3);
    }
}

static void add_masks(int8_t w[BLOCK], const uint8_t *masks, int row, int value)
{
    for (int c = 0; c < BLOCK; c++) {
        w[c] = (int8_t)(w[c] + mask_at(masks, row, c) * value);
    }
}

static void add_all(int8_t w[BLOCK], int value)
{
    for (int c = 0; c < BLOCK; c++) {
        w[c] = (int8_t)(w[c] + value);
    }
}

static void look_up(int8_t w[BLOCK])
{
    for (int c = 0; c < BLOCK; c++) {
        w[c] = dtype_iq4_values[w[c]];
    }
}

static void set_scales(struct kern_panel_block *dst, float low, float high)
{
    dst->scale[0] = low;
    dst->scale[1] = high;
    dst->min[0] = dst->min[1] = 0.0f;
}

static void set_mins(struct kern_panel_block *dst, float low, float high)
{
    dst->min[0] = low;
    dst->min[1] = high;
}

/* ---- units of two blocks: b is 0 or 1 ------------------------------------------------------------------ */

typedef void get_fn(struct kern_panel_block *dst, const uint8_t *unit, int row, int b);

static void get_scale(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    float d = half_at(unit + b * HALVES, row);
    set_scales(dst, d, d);
}

static void get_scale_and_min(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    float m = -half_at(unit + (2 + b) * HALVES, row);
    get_scale(dst, unit, row, b);
    set_mins(dst, m, m);
}

static void get_q8_0(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_scale(dst, unit, row, b);
    for (int c = 0; c < BLOCK; c++) {
        dst->w[c] = (int8_t)(byte_at(unit + 2 * HALVES + b * 8 * GROUP, row, c) - 128);
    }
}

static void get_q4_0(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_scale(dst, unit, row, b);
    get_nibbles(dst->w, unit + 2 * HALVES + b * 4 * GROUP, row);
    add_all(dst->w, -8);
}

static void get_iq4_nl(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_scale(dst, unit, row, b);
    get_nibbles(dst->w, unit + 2 * HALVES + b * 4 * GROUP, row);
    look_up(dst->w);
}

static void get_q4_1(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_scale_and_min(dst, unit, row, b);
    get_nibbles(dst->w, unit + 4 * HALVES + b * 4 * GROUP, row);
}

static void get_q5_0(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    const uint8_t *groups = unit + 2 * HALVES + b * (4 * GROUP + MASKS);
    get_scale(dst, unit, row, b);
    get_nibbles(dst->w, groups, row);
    add_masks(dst->w, groups + 4 * GROUP, row, 16);
    add_all(dst->w, -16);
}

static void get_q5_1(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    const uint8_t *groups = unit + 4 * HALVES + b * (4 * GROUP + MASKS);
    get_scale_and_min(dst, unit, row, b);
    get_nibbles(dst->w, groups, row);
    add_masks(dst->w, groups + 4 * GROUP, row, 16);
}

/* ---- units of one super-block: b is 0 to 7 ------------------------------------------------------------- */

enum { HEAD = 2 * HALVES, HEAD_8 = HEAD + 8 * ROWS, HEAD_16 = HEAD + 16 * ROWS }; /* bytes before the groups */

static void get_scale_and_min_k(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    float d = half_at(unit, row) * (float)unit[HEAD + b * ROWS + row];
    float m = half_at(unit + HALVES, row) * (float)unit[HEAD + (8 + b) * ROWS + row];
    set_scales(dst, d, d);
    set_mins(dst, m, m);
}

static void get_scales_16(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    const uint8_t *sc = unit + HEAD + 2 * b * ROWS + row;
    float d = half_at(unit, row);
    set_scales(dst, d * (float)(int8_t)sc[0], d * (float)(int8_t)sc[ROWS]);
}

static void get_q4_k(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_scale_and_min_k(dst, unit, row, b);
    get_lines_4(dst->w, unit + HEAD_16, row, b);
}

static void get_q5_k(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_q4_k(dst, unit, row, b);
    add_masks(dst->w, unit + HEAD_16 + 32 * GROUP + b * MASKS, row, 16);
}

static void get_q6_k(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    int8_t high[BLOCK];
    get_scales_16(dst, unit, row, b);
    get_lines_4(dst->w, unit + HEAD_16, row, b);
    get_lines_2(high, unit + HEAD_16 + 32 * GROUP, row, b);
    for (int c = 0; c < BLOCK; c++) {
        dst->w[c] = (int8_t)(dst->w[c] + 16 * high[c] - 32);
    }
}

static void get_q3_k(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    get_scales_16(dst, unit, row, b);
    get_lines_2(dst->w, unit + HEAD_16, row, b);
    add_masks(dst->w, unit + HEAD_16 + 16 * GROUP + b * MASKS, row, 4);
    add_all(dst->w, -4);
}

static void get_q2_k(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    const uint8_t *scm = unit + HEAD + 2 * b * ROWS + row;
    float d = half_at(unit, row), dmin = half_at(unit + HALVES, row);
    set_scales(dst, d * (float)(scm[0] & 15), d * (float)(scm[ROWS] & 15));
    set_mins(dst, dmin * (float)(scm[0] >> 4), dmin * (float)(scm[ROWS] >> 4));
    get_lines_2(dst->w, unit + HEAD_16, row, b);
}

static void get_iq4_xs(struct kern_panel_block *dst, const uint8_t *unit, int row, int b)
{
    float d = half_at(unit, row) * (float)(int8_t)unit[HEAD + b * ROWS + row];
    set_scales(dst, d, d);
    get_lines_4(dst->w, unit + HEAD_8, row, b);
    look_up(dst->w);
}

static get_fn *const get[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = get_q8_0, [DTYPE_Q4_0] = get_q4_0, [DTYPE_IQ4_NL] = get_iq4_nl, [DTYPE_Q4_1] = get_q4_1,
    [DTYPE_Q5_0] = get_q5_0, [DTYPE_Q5_1] = get_q5_1, [DTYPE_Q4_K] = get_q4_k,     [DTYPE_Q5_K] = get_q5_k,
    [DTYPE_Q6_K] = get_q6_k, [DTYPE_Q3_K] = get_q3_k, [DTYPE_Q2_K] = get_q2_k,     [DTYPE_IQ4_XS] = get_iq4_xs,
};

void kern_panel_block_get(choir_dtype type, struct kern_panel_block *dst, const void *panel, int row, size_t block)
{
    const struct dtype_info *info = &dtype_table[type];
    const size_t unit_blocks = (size_t)info->unit_cols / BLOCK;
    get[type](dst, (const uint8_t *)panel + block / unit_blocks * (size_t)info->unit_bytes, row,
              (int)(block % unit_blocks));
}
