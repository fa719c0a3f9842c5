/* THE table of number types.  A new type is one line here, a reference kernel, and its check.
 *
 * Two layouts exist for each type:
 *   file layout    a row is n_cols / block_len blocks of block_bytes each, as GGUF stores it;
 *   panel layout   16 rows interleaved (DTYPE_PANEL_ROWS), in units of unit_cols columns, unit_bytes each; see
 *                  src/kernels/pack.h, where it is drawn.  A panel of n_cols columns is
 *                  ceil(n_cols / unit_cols) * unit_bytes bytes. */
#ifndef BASE_DTYPE_H
#define BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a block of 32 columns of a quantized row is summed (kernels.h states each): the row's weights are w * scale, or
 * w * scale - min, with one scale to 32 columns or to 16.  NONE: the weights are plain numbers. */
enum dtype_form { DTYPE_FORM_NONE, DTYPE_FORM_S32, DTYPE_FORM_S16, DTYPE_FORM_M32, DTYPE_FORM_M16 };

/* X(name, text, gguf_id, block_len, block_bytes, unit_cols, unit_bytes, form) */
#define CHOIR_DTYPES(X)                                                                                                \
    X(F32, "f32", 0, 1, 4, 1, 64, NONE)                                                                                \
    X(F16, "f16", 1, 1, 2, 1, 32, NONE)                                                                                \
    X(BF16, "bf16", 30, 1, 2, 2, 64, NONE)                                                                             \
    X(Q8_0, "q8_0", 8, 32, 34, 64, 1088, S32)                                                                          \
    X(Q4_0, "q4_0", 2, 32, 18, 64, 576, S32)                                                                           \
    X(Q4_1, "q4_1", 3, 32, 20, 64, 640, M32)                                                                           \
    X(Q5_0, "q5_0", 6, 32, 22, 64, 704, S32)                                                                           \
    X(Q5_1, "q5_1", 7, 32, 24, 64, 768, M32)                                                                           \
    X(IQ4_NL, "iq4_nl", 20, 32, 18, 64, 576, S32)                                                                      \
    X(Q2_K, "q2_K", 10, 256, 84, 256, 1344, M16)                                                                       \
    X(Q3_K, "q3_K", 11, 256, 110, 256, 1856, S16)                                                                      \
    X(Q4_K, "q4_K", 12, 256, 144, 256, 2368, M32)                                                                      \
    X(Q5_K, "q5_K", 13, 256, 176, 256, 2880, M32)                                                                      \
    X(Q6_K, "q6_K", 14, 256, 210, 256, 3392, S16)                                                                      \
    X(IQ4_XS, "iq4_xs", 23, 256, 136, 256, 2240, S32)

typedef enum choir_dtype {
#define X(name, ...) DTYPE_##name,
    CHOIR_DTYPES(X)
#undef X
        DTYPE_COUNT
} choir_dtype;

/* The form activations take before they meet a matrix of a type: plain f32, int8 blocks of 32, or pairs of bf16. */
enum dtype_act { DTYPE_ACT_F32, DTYPE_ACT_Q8, DTYPE_ACT_BF16, DTYPE_ACT_COUNT };

enum { DTYPE_PANEL_ROWS = 16 };

struct dtype_info {
    const char *name; /* as users write it: "q8_0" */
    uint32_t gguf_id; /* ggml_type number in a GGUF file */
    int block_len;    /* values in a block */
    int block_bytes;  /* bytes of a block in the file layout */
    int unit_cols;    /* columns in a unit of the panel layout */
    int unit_bytes;   /* bytes of such a unit, all 16 rows */
    enum dtype_form form;
    enum dtype_act act;
};

extern const struct dtype_info dtype_table[DTYPE_COUNT];

/* The values that the nibbles of iq4_nl and iq4_xs stand for. */
extern const int8_t dtype_iq4_values[16];

/* DTYPE_COUNT when there is none of that name (exact, but for the case of "K") / number. */
choir_dtype dtype_by_name(const char *name);
choir_dtype dtype_by_gguf_id(uint32_t id);

/* Name of a ggml type number, also of one that Choir cannot read, or NULL if the number is not known at all. */
const char *dtype_gguf_name(uint32_t id);

/* Bytes of a row of n_cols values in the file layout; n_cols is a multiple of block_len. */
static inline size_t dtype_row_bytes(choir_dtype t, size_t n_cols)
{
    return n_cols / (size_t)dtype_table[t].block_len * (size_t)dtype_table[t].block_bytes;
}

/* Bytes of one panel (16 rows) of n_cols columns. */
static inline size_t dtype_panel_bytes(choir_dtype t, size_t n_cols)
{
    size_t unit = (size_t)dtype_table[t].unit_cols;
    return (n_cols + unit - 1) / unit * (size_t)dtype_table[t].unit_bytes;
}

/* Bytes of a whole matrix in panels. */
static inline size_t dtype_packed_bytes(choir_dtype t, size_t n_rows, size_t n_cols)
{
    return (n_rows + DTYPE_PANEL_ROWS - 1) / DTYPE_PANEL_ROWS * dtype_panel_bytes(t, n_cols);
}

#endif
