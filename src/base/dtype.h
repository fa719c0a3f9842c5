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

/* X(name, text, gguf_id, block_len, block_bytes, unit_cols, unit_bytes, act) */
#define CHOIR_DTYPES(X)                                                                                                \
    X(F32, "f32", 0, 1, 4, 1, 64, F32)                                                                                 \
    X(F16, "f16", 1, 1, 2, 1, 32, F32)                                                                                 \
    X(BF16, "bf16", 30, 1, 2, 2, 64, F32)                                                                              \
    X(Q8_0, "q8_0", 8, 32, 34, 64, 1088, Q8)                                                                           \
    X(Q4_0, "q4_0", 2, 32, 18, 64, 576, Q8)

typedef enum choir_dtype {
#define X(name, ...) DTYPE_##name,
    CHOIR_DTYPES(X)
#undef X
        DTYPE_COUNT
} choir_dtype;

/* The form activations take before they meet a matrix of a type: plain f32, or int8 blocks of 32. */
enum dtype_act { DTYPE_ACT_F32, DTYPE_ACT_Q8, DTYPE_ACT_COUNT };

enum { DTYPE_PANEL_ROWS = 16 };

struct dtype_info {
    const char *name; /* as users write it: "q8_0" */
    uint32_t gguf_id; /* ggml_type number in a GGUF file */
    int block_len;    /* values in a block */
    int block_bytes;  /* bytes of a block in the file layout */
    int unit_cols;    /* columns in a unit of the panel layout */
    int unit_bytes;   /* bytes of such a unit, all 16 rows */
    enum dtype_act act;
};

extern const struct dtype_info dtype_table[DTYPE_COUNT];

/* DTYPE_COUNT when there is none of that name (exact, lower case) / number. */
choir_dtype dtype_by_name(const char *name);
choir_dtype dtype_by_gguf_id(uint32_t id);

/* Name of a ggml type number that Choir cannot read ("q4_K"), or NULL if the number is not known at all. */
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
