/* Model files for tests: bytes put together one by one, right or wrong, and folders to put them in.  Anything that
 * fails here (memory, disk) ends the test program. */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weights/weights.h"

/* Growing bytes; start from {0}. */
struct files_bytes {
    unsigned char *data;
    size_t n, cap;
};

void files_add(struct files_bytes *b, const void *src, size_t n);
void files_add_zeros(struct files_bytes *b, size_t n);
void files_add_text(struct files_bytes *b, const char *text);
void files_add_u32(struct files_bytes *b, uint32_t v);
void files_add_u64(struct files_bytes *b, uint64_t v);
void files_add_f32(struct files_bytes *b, float v);
/* Zeros up to a multiple of `to`. */
void files_pad(struct files_bytes *b, size_t to);
void files_free(struct files_bytes *b);

/* The i-th value of a fixed pseudo-random row, in (-1, 1), multiples of 2^-10: exact in f16, not in bf16. */
float files_value(uint64_t seed, uint64_t i);

/* ---- folders ----------------------------------------------------------------------------------------- */

/* A fresh folder under $TMPDIR, /dev/shm or /tmp; files_remove_dir frees the name, too. */
char *files_make_dir(void);
/* dir/name; valid until the next call. */
const char *files_path(const char *dir, const char *name);
/* Writes dir/name and returns its path, as files_path does. */
const char *files_write(const char *dir, const char *name, const void *data, size_t n);
/* Removes the folder and the files in it (folders in it are not followed). */
void files_remove_dir(char *dir);
/* Files in the folder. */
int files_count(const char *dir);

/* ---- GGUF -------------------------------------------------------------------------------------------- */

void files_gguf_start(struct files_bytes *b, uint32_t version, uint64_t n_tensors, uint64_t n_settings);
void files_gguf_string(struct files_bytes *b, const char *s);
/* Key and type; the value follows by files_add_*. */
void files_gguf_key(struct files_bytes *b, const char *key, uint32_t type);
/* ne: innermost first, as the file has it. */
void files_gguf_tensor(struct files_bytes *b, const char *name, uint32_t n_dims, const uint64_t *ne, uint32_t type,
                       uint64_t offset);
/* A valid file: a setting of each type, arrays of numbers and strings; tensors "a" f32 [2, 3], "b" f16 [5],
 * "c" q8_0 [2, 32], "d" q4_0 [32], "e" bf16 [2, 1, 2], filled by files_value with seeds 1 to 5. */
void files_small_gguf(struct files_bytes *b);

/* ---- safetensors, llama2.c --------------------------------------------------------------------------- */

/* Length, header, data of n bytes (files_value's if NULL: f32, seed 1). */
void files_safetensors(struct files_bytes *b, const char *header, const void *data, size_t n);
/* Scale of a group in the files that files_llama2c makes. */
float files_scale(uint64_t group);
/* A whole model: norms of about 1, matrices of files_value / 8, in version 2 rounded to zero in units of files_scale,
 * in groups of h->group_size. */
void files_llama2c(struct files_bytes *b, const struct wts_llama2c *h, uint64_t seed);

/* ---- trying ------------------------------------------------------------------------------------------ */

/* Opens the path, and reads every row of every tensor if that works. */
choir_status files_try(const char *path, choir_error *err);
/* The same for a GGUF file in memory called m.gguf. */
choir_status files_try_gguf(const void *data, size_t n, choir_error *err);

#endif
