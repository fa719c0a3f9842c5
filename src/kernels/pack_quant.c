/* Quantized rows into panels: pure data movement (and the sign bit of q8_0), in two steps.  One row's unit is laid out
 * in the order of the panel's parts (struct strip); then the parts of 16 rows are interleaved, the groups in registers. */
#include "kernels/pack_quant.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/transpose.h"

enum { ROWS = DTYPE_PANEL_ROWS, BLOCK = 32, MAX_HALVES = 4, MAX_BYTES = 16, MAX_WORDS = 48, MAX_MASKS = 8 };

/* One row of one unit, each part in the order of its columns. */
struct strip {
    uint8_t words[MAX_WORDS * 4]; /* its 4 bytes of each group */
    uint16_t halves[MAX_HALVES];
    uint8_t bytes[MAX_BYTES];
    uint32_t masks[MAX_MASKS]; /* bit c: column c of the block */
};

/* Blocks of the file, n of them (a super-block; one or two blocks of 32), into a strip: of a type always the same parts,
 * but for the second block of 32. */
typedef void take_fn(struct strip *s, const uint8_t *src, int n);

static uint16_t load_16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t load_32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- blocks of 32 ------------------------------------------------------------------------------------- */

static void take_q8_0(struct strip *s, const uint8_t *src, int n)
{
    for (int b = 0; b < n; b++, src += 34) {
        s->halves[b] = load_16(src);
        for (int i = 0; i < BLOCK; i++) {
            s->words[b * BLOCK + i] = src[2 + i] ^ 0x80;
        }
    }
}

static void take_q4_0(struct strip *s, const uint8_t *src, int n)
{
    for (int b = 0; b < n; b++, src += 18) {
        s->halves[b] = load_16(src);
        memcpy(s->words + b * 16, src + 2, 16);
    }
}

static void take_q4_1(struct strip *s, const uint8_t *src, int n)
{
    for (int b = 0; b < n; b++, src += 20) {
        s->halves[b] = load_16(src);
        s->halves[2 + b] = load_16(src + 2);
        memcpy(s->words + b * 16, src + 4, 16);
    }
}

static void take_q5_0(struct strip *s, const uint8_t *src, int n)
{
    for (int b = 0; b < n; b++, src += 22) {
        s->halves[b] = load_16(src);
        s->masks[b] = load_32(src + 2);
        memcpy(s->words + b * 16, src + 6, 16);
    }
}

static void take_q5_1(struct strip *s, const uint8_t *src, int n)
{
    for (int b = 0; b < n; b++, src += 24) {
        s->halves[b] = load_16(src);
        s->halves[2 + b] = load_16(src + 2);
        s->masks[b] = load_32(src + 4);
        memcpy(s->words + b * 16, src + 8, 16);
    }
}

/* ---- super-blocks of 256 ------------------------------------------------------------------------------ */

/* Bit b of 32 bytes becomes bit c of masks[b]: eight squares of bits, transposed by swapping ever larger corners. */
static void take_masks(uint32_t masks[MAX_MASKS], const uint8_t bits[BLOCK])
{
    memset(masks, 0, MAX_MASKS * sizeof *masks);
    for (int c = 0; c < BLOCK; c += 8) {
        uint64_t x = load_32(bits + c) | (uint64_t)load_32(bits + c + 4) << 32;
        uint64_t t = (x ^ x >> 7) & 0x00aa00aa00aa00aau;
        x ^= t ^ t << 7;
        t = (x ^ x >> 14) & 0x0000cccc0000ccccu;
        x ^= t ^ t << 14;
        t = (x ^ x >> 28) & 0x00000000f0f0f0f0u;
        x ^= t ^ t << 28;
        for (int b = 0; b < MAX_MASKS; b++) {
            masks[b] |= (uint32_t)(x >> 8 * b & 255) << c;
        }
    }
}

/* The 6-bit scales, then minimums, of the 8 blocks of q4_K and q5_K, from 12 bytes: those of the first four are the low
 * bits of bytes 0..3 and 4..7, those of the others nibbles of bytes 8..11 and the two high bits of the bytes before. */
static void take_scales_and_mins(uint8_t dst[16], const uint8_t *src)
{
    for (int i = 0; i < 4; i++) {
        dst[i] = src[i] & 63;
        dst[8 + i] = src[4 + i] & 63;
        dst[4 + i] = (uint8_t)((src[8 + i] & 15) | src[i] >> 6 << 4);
        dst[12 + i] = (uint8_t)(src[8 + i] >> 4 | src[4 + i] >> 6 << 4);
    }
}

static void take_q4_k(struct strip *s, const uint8_t *src, int n)
{
    (void)n;
    s->halves[0] = load_16(src);
    s->halves[1] = load_16(src + 2);
    take_scales_and_mins(s->bytes, src + 4);
    memcpy(s->words, src + 16, 128);
}

static void take_q5_k(struct strip *s, const uint8_t *src, int n)
{
    (void)n;
    s->halves[0] = load_16(src);
    s->halves[1] = load_16(src + 2);
    take_scales_and_mins(s->bytes, src + 4);
    take_masks(s->masks, src + 16);
    memcpy(s->words, src + 48, 128);
}

/* The file pairs blocks 0 and 2, 1 and 3 of four; a line pairs neighbours. */
static void take_q6_k(struct strip *s, const uint8_t *src, int n)
{
    (void)n;
    for (int half = 0; half < 2; half++) {
        const uint8_t *low = src + half * 64;
        uint8_t *line = s->words + half * 64;
        for (int i = 0; i < BLOCK; i++) {
            line[i] = (uint8_t)((low[i] & 15) | (low[BLOCK + i] & 15) << 4);
            line[BLOCK + i] = (uint8_t)(low[i] >> 4 | (low[BLOCK + i] & 0xf0));
        }
    }
    memcpy(s->words + 128, src + 128, 64);
    memcpy(s->bytes, src + 192, 16);
    s->halves[0] = load_16(src + 208);
}

static void take_q3_k(struct strip *s, const uint8_t *src, int n)
{
    (void)n;
    const uint8_t *scales = src + 96;
    take_masks(s->masks, src);
    memcpy(s->words, src + 32, 64);
    for (int i = 0; i < 16; i++) {
        int low = scales[i % 8] >> (i / 8 * 4) & 15, high = scales[8 + i % 4] >> (i / 4 * 2) & 3;
        s->bytes[i] = (uint8_t)((low | high << 4) - 32);
    }
    s->halves[0] = load_16(src + 108);
}

static void take_q2_k(struct strip *s, const uint8_t *src, int n)
{
    (void)n;
    memcpy(s->bytes, src, 16);
    memcpy(s->words, src + 16, 64);
    s->halves[0] = load_16(src + 80);
    s->halves[1] = load_16(src + 82);
}

/* The file pairs the halves of a block; a line pairs blocks. */
static void take_iq4_xs(struct strip *s, const uint8_t *src, int n)
{
    (void)n;
    s->halves[0] = load_16(src);
    for (int b = 0; b < 8; b++) {
        int low = src[4 + b / 2] >> (b % 2 * 4) & 15, high = load_16(src + 2) >> (2 * b) & 3;
        s->bytes[b] = (uint8_t)((low | high << 4) - 32);
    }
    for (int pair = 0; pair < 4; pair++) {
        const uint8_t *first = src + 8 + pair * 32, *second = first + 16;
        uint8_t *line = s->words + pair * 32;
        for (int i = 0; i < 16; i++) {
            line[i] = (uint8_t)((first[i] & 15) | (second[i] & 15) << 4);
            line[16 + i] = (uint8_t)(first[i] >> 4 | (second[i] & 0xf0));
        }
    }
}

/* ---- units -------------------------------------------------------------------------------------------- */

/* The parts of a unit: halves and bytes (n of each), then n_parts times words and masks. */
static const struct unit {
    take_fn *take;
    uint8_t n_halves, n_bytes, n_parts, part_words, part_masks;
    bool is_plain; /* see put_plain_blocks */
} units[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = {take_q8_0, 2, 0, 2, 8, 0, true},    [DTYPE_Q4_0] = {take_q4_0, 2, 0, 2, 4, 0, true},
    [DTYPE_IQ4_NL] = {take_q4_0, 2, 0, 2, 4, 0, true},  [DTYPE_Q4_1] = {take_q4_1, 4, 0, 2, 4, 0, false},
    [DTYPE_Q5_0] = {take_q5_0, 2, 0, 2, 4, 1, false},   [DTYPE_Q5_1] = {take_q5_1, 4, 0, 2, 4, 1, false},
    [DTYPE_Q4_K] = {take_q4_k, 2, 16, 1, 32, 0, false}, [DTYPE_Q5_K] = {take_q5_k, 2, 16, 1, 32, 8, false},
    [DTYPE_Q6_K] = {take_q6_k, 2, 16, 1, 48, 0, false}, [DTYPE_Q3_K] = {take_q3_k, 2, 16, 1, 16, 8, false},
    [DTYPE_Q2_K] = {take_q2_k, 2, 16, 1, 16, 0, false}, [DTYPE_IQ4_XS] = {take_iq4_xs, 2, 8, 1, 32, 0, false},
};

/* 8 masks of a block: four columns of each row are one nibble. */
static void put_masks(uint8_t *dst, const struct strip strips[ROWS], int block)
{
    uint64_t mask[8] = {0};
    for (int r = 0; r < ROWS; r++) {
        for (int g = 0; g < 8; g++) {
            mask[g] |= (uint64_t)(strips[r].masks[block] >> (4 * g) & 15) << (4 * r);
        }
    }
    for (int i = 0; i < 64; i++) {
        dst[i] = (uint8_t)(mask[i / 8] >> (8 * (i % 8)));
    }
}

static void put_unit(uint8_t *dst, const struct unit *u, const struct strip strips[ROWS])
{
    for (int k = 0; k < u->n_halves; k++, dst += ROWS * 2) {
        for (int r = 0; r < ROWS; r++) {
            memcpy(dst + 2 * r, &strips[r].halves[k], 2);
        }
    }
    for (int k = 0; k < u->n_bytes; k++, dst += ROWS) {
        for (int r = 0; r < ROWS; r++) {
            dst[r] = strips[r].bytes[k];
        }
    }
    for (int part = 0; part < u->n_parts; part++) {
        kern_pack_words(dst, strips[0].words + part * u->part_words * 4, sizeof strips[0], u->part_words, 0, 0);
        dst += u->part_words * ROWS * 4;
        for (int block = 0; block < u->part_masks; block++, dst += 64) {
            put_masks(dst, strips, part * u->part_masks + block);
        }
    }
}

/* A whole unit of two blocks, each an f16 and then its bytes in the order of the panel: the groups come straight from the
 * file's rows. */
static void put_plain_blocks(uint8_t *dst, const struct unit *u, const uint8_t *src, size_t row_bytes,
                             size_t block_bytes, uint8_t flip)
{
    for (size_t b = 0; b < 2; b++) {
        for (size_t r = 0; r < ROWS; r++, dst += 2) {
            const uint16_t half = load_16(src + r * row_bytes + b * block_bytes);
            memcpy(dst, &half, sizeof half);
        }
    }
    const size_t bytes = (size_t)u->part_words * ROWS * 4;
    for (size_t b = 0; b < 2; b++, dst += bytes) {
        kern_pack_words(dst, src + b * block_bytes + 2, row_bytes, u->part_words, 0, 0);
        for (size_t i = 0; flip != 0 && i < bytes; i++) {
            dst[i] ^= flip;
        }
    }
}

void kern_pack_quant(choir_dtype type, void *panel, const void *rows, size_t row_bytes, int n_rows, int n_cols)
{
    const struct dtype_info *info = &dtype_table[type];
    const struct unit *u = &units[type];
    uint8_t *dst = panel;
    const uint8_t *src = rows;
    struct strip strips[ROWS];
    memset(strips, 0, sizeof strips);
    for (int col = 0; col < n_cols; col += info->unit_cols) {
        int n = (n_cols - col < info->unit_cols ? n_cols - col : info->unit_cols) / info->block_len;
        if (u->is_plain && n == 2 && n_rows == ROWS) {
            put_plain_blocks(dst, u, src, row_bytes, (size_t)info->block_bytes, type == DTYPE_Q8_0 ? 0x80 : 0);
            dst += info->unit_bytes;
            src += n * info->block_bytes;
            continue;
        }
        if (n_cols - col < info->unit_cols) { /* what the strips hold beyond that belongs to the unit before */
            memset(strips, 0, sizeof strips);
        }
        for (int r = 0; r < n_rows; r++) {
            u->take(&strips[r], src + (size_t)r * row_bytes, n);
        }
        put_unit(dst, u, strips);
        dst += info->unit_bytes;
        src += n * info->block_bytes;
    }
}
