/* Weight files: whatever is on disk becomes a set of named tensors and a set of settings.
 *
 * Three containers: a Hugging Face folder (config.json + safetensors, one file or shards), a GGUF file (v2, v3),
 * a llama2.c .bin (legacy, v1, v2).  Nothing here knows what a tensor is for.  Every size and offset is checked
 * against the file before anything uses it; opening reads headers only.
 *
 * Formats: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md,
 *          https://huggingface.co/docs/safetensors, https://github.com/karpathy/llama2.c (export.py). */
#ifndef WTS_WEIGHTS_H
#define WTS_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "base/file.h"
#include "choir/status.h"

enum wts_container { WTS_HF, WTS_GGUF, WTS_LLAMA2C };

struct wts_tensor {
    const char *name;  /* as the file calls it; llama2.c's tensors get GGUF's llama names */
    choir_dtype type;  /* of the rows wts_read_rows gives */
    int n_dims;        /* 0 to 4 */
    uint64_t shape[4]; /* outermost first, last contiguous (GGUF's order turned round); unused ones are 1 */
    uint64_t n_rows;   /* product of all but the last dimension */
    uint64_t n_cols;   /* last dimension */
    /* where the rows are; for weights/ alone */
    const char *type_name; /* as the file calls it */
    const struct base_file *file;
    uint64_t offset, bytes; /* of the data in the file */
    uint64_t scales_offset; /* llama2.c v2: f32 scales, else 0 */
    uint32_t group_size;    /* llama2.c v2: values a scale, else 0 */
};

/* A setting of a GGUF file.  Strings and arrays point into the set. */
enum wts_meta_type {
    WTS_U8,
    WTS_I8,
    WTS_U16,
    WTS_I16,
    WTS_U32,
    WTS_I32,
    WTS_F32,
    WTS_BOOL,
    WTS_STRING,
    WTS_ARRAY,
    WTS_U64,
    WTS_I64,
    WTS_F64
};

struct wts_string {
    const char *data; /* n bytes, and a NUL behind them that is not counted */
    uint64_t n;
};

struct wts_meta {
    struct wts_string key;
    enum wts_meta_type type;
    enum wts_meta_type elem_type; /* of an array */
    uint64_t n;                   /* elements of an array, else 1 */
    union {
        uint64_t u;
        int64_t i;
        double f;
        bool b;
        struct wts_string s;
        const void *array; /* n numbers in host order, unaligned; or n struct wts_string */
    } v;
};

/* Header of a llama2.c file. */
struct wts_llama2c {
    int version; /* 0: legacy */
    int32_t dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, max_seq_len;
    bool shared_output; /* embedding and output are one matrix */
    int32_t group_size; /* v2 */
};

struct wts_set {
    enum wts_container container;
    char *path;                 /* of the file or folder */
    char *model_file;           /* what messages about settings name: m.gguf, config.json, m.bin */
    struct wts_tensor *tensors; /* sorted by name */
    size_t n_tensors;
    struct wts_meta *meta; /* GGUF, in file order */
    size_t n_meta;
    struct wts_llama2c llama2c; /* WTS_LLAMA2C */
    struct wts_private *priv;   /* files, strings */
};

/* Opens by what is there: a folder, a file that begins with "GGUF", else llama2.c.
 * headers_from_config: for a folder without any weight file, be content with config.json (choir info). */
choir_status wts_open(struct wts_set **out, const char *path, bool headers_from_config, choir_error *err);
/* A GGUF file in memory, which must outlive the set. */
choir_status wts_open_memory(struct wts_set **out, const char *name, const void *data, size_t size, choir_error *err);
void wts_close(struct wts_set *set);

/* NULL when there is none of that name. */
const struct wts_tensor *wts_find(const struct wts_set *set, const char *name);
/* True when the files hold a tensor of that name, also where wts_find gives NULL because its type cannot be read. */
bool wts_has(const struct wts_set *set, const char *name);
/* Why wts_find gave NULL: "FILE: tensor NAME missing", or that it is there in a type that cannot be read.  CHOIR_FILE. */
choir_status wts_why_missing(const struct wts_set *set, const char *name, choir_error *err);
/* Name of a tensor that is there in a type that cannot be read; NULL when all can be. */
const char *wts_first_unread(const struct wts_set *set);
const struct wts_meta *wts_meta_find(const struct wts_set *set, const char *key);
/* Bytes of all weight files. */
uint64_t wts_file_bytes(const struct wts_set *set);

/* Reads rows [row0, row0 + n) in the file layout of tensor->type, dtype_row_bytes(type, n_cols) apart, into dst.
 * Thread-safe. */
choir_status wts_read_rows(const struct wts_tensor *t, uint64_t row0, uint64_t n, void *dst, choir_error *err);

/* --mmap: maps every file.  After it wts_rows_in_place gives the rows where they lie (any alignment), or NULL for a
 * tensor that has to be widened. */
choir_status wts_map(struct wts_set *set, choir_error *err);
const void *wts_rows_in_place(const struct wts_tensor *t);

/* The built-in model, a GGUF file inside the program. */
void wts_builtin(const void **data, size_t *size);

#endif
