/* The inside of a set while a container fills it.  For weights/ alone.
 *
 * A container adds tensors in any order with wts_add_tensor, those of types that cannot be read too (type
 * DTYPE_COUNT), and wts_finish puts them in order:
 *
 *   tensors   [ readable, by name: n_tensors | of unsupported types, by name: n_unread ] */
#ifndef WTS_SET_H
#define WTS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weights/pool.h"
#include "weights/weights.h"

/* Bounds on what files may hold, where the formats set none. */
enum {
    WTS_MAX_DIMS = 4,
    WTS_MAX_NAME = 64,             /* GGUF's own bound on tensor names */
    WTS_MAX_KEY = 65535,           /* GGUF's own bound */
    WTS_MAX_STRING = 64 << 20,     /* a setting */
    WTS_MAX_ALIGNMENT = 65536,     /* general.alignment */
    WTS_MAX_ST_HEADER = 100000000, /* safetensors' own bound */
    WTS_MAX_SPLITS = 1024,         /* files of one model */
};

struct wts_private {
    struct base_file **files; /* [n_files]; tensors point at them */
    size_t n_files, files_cap;
    struct wts_pool pool;
    char *weights_file; /* what messages about tensors of no certain file name */
    size_t tensors_cap, n_unread;
    uint32_t *meta_order; /* [n_meta], by key */
};

/* An empty set; path is copied. */
choir_status wts_set_new(struct wts_set **out, enum wts_container container, const char *path, choir_error *err);
/* A fresh file of the set, not open; NULL when there is no memory. */
struct base_file *wts_add_file(struct wts_set *set);
/* Room for n tensors in all, beyond growth as needed. */
choir_status wts_reserve_tensors(struct wts_set *set, size_t n, choir_error *err);
/* A fresh tensor (shape of ones, n_dims 0), valid until the next call; NULL when there is no memory. */
struct wts_tensor *wts_add_tensor(struct wts_set *set);
/* A copy of n bytes with a NUL behind them, owned by the set; NULL when there is no memory. */
char *wts_keep(struct wts_set *set, const void *bytes, size_t n);
/* Sets n_rows and n_cols from n_dims and shape; false when the product of the dimensions overflows. */
bool wts_count_rows(struct wts_tensor *t);
/* Orders tensors[from .. n_tensors) by their place in the file. */
void wts_sort_by_offset(struct wts_set *set, size_t from);
/* Orders all by name and refuses a name that is there twice. */
choir_status wts_finish(struct wts_set *set, choir_error *err);
/* As wts_find, unsupported types included. */
const struct wts_tensor *wts_find_any(const struct wts_set *set, const char *name);

/* "FILE: ..." with the file's name escaped; CHOIR_FILE. */
choir_status wts_fail(choir_error *err, const struct base_file *file, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "FILE: tensor NAME: ..." */
choir_status wts_fail_tensor(choir_error *err, const struct wts_tensor *t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "FILE: tensors A and B overlap" */
choir_status wts_fail_overlap(choir_error *err, const struct wts_tensor *a, const struct wts_tensor *b);
/* A path as messages show it, whole; malloc'ed. */
char *wts_show_path(const char *path);

/* The containers.  The set has files[0] open. */
choir_status wts_load_gguf(struct wts_set *set, choir_error *err);
choir_status wts_load_llama2c(struct wts_set *set, choir_error *err);
/* The tensors of one safetensors file added to the set. */
choir_status wts_load_safetensors(struct wts_set *set, const struct base_file *file, choir_error *err);
/* The folder set->path. */
choir_status wts_load_folder(struct wts_set *set, bool headers_from_config, choir_error *err);
/* "FILE: not a ..." for a file whose first bytes are none of a known container; says what they look like. */
choir_status wts_fail_magic(choir_error *err, const struct base_file *file, const char *wanted);

#endif
