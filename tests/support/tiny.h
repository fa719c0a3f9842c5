/* Small model files for tests, written into a temporary folder: GGUF and safetensors.  Every failure to write fails the
 * test that asked. */
#ifndef TEST_TINY_H
#define TEST_TINY_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

enum { TINY_PATH = 128 };

void tiny_dir_make(char dir[TINY_PATH]);
/* With the files in it; there are no folders in it. */
void tiny_dir_remove(const char *dir);
/* dst = "DIR/NAME"; returns dst. */
const char *tiny_path(char dst[TINY_PATH], const char *dir, const char *name);
void tiny_write(const char *dir, const char *name, const void *data, size_t n);

struct tiny_bytes {
    unsigned char *p;
    size_t n, cap;
};
void tiny_put(struct tiny_bytes *b, const void *data, size_t n);

/* Start with zeros. */
struct tiny_gguf {
    struct tiny_bytes kv, infos, data;
    uint64_t n_kv, n_tensors;
};
/* type: u8 i8 u16 i16 u32 i32 f32 bool string u64 i64 f64, or "array:" and one of the numbers or
 * "string", value: "1,2,3". */
void tiny_gguf_set(struct tiny_gguf *g, const char *key, const char *type, const char *value);
/* shape: outermost first. */
void tiny_gguf_tensor(struct tiny_gguf *g, const char *name, choir_dtype type, int n_dims, const uint64_t *shape,
                      const float *values);
/* Writes and frees. */
void tiny_gguf_write(struct tiny_gguf *g, const char *dir, const char *name);

struct tiny_safetensors {
    struct tiny_bytes header, data;
};
/* type: f32, f16, bf16. */
void tiny_st_tensor(struct tiny_safetensors *s, const char *name, choir_dtype type, int n_dims, const uint64_t *shape,
                    const float *values);
void tiny_st_write(struct tiny_safetensors *s, const char *dir, const char *name);

#endif
