/* Small random models whose weights are computed, not stored, and whose logits an independent implementation has worked out
 * (tools/golden/logits.py): written to disk as any container and type (folders are support/tiny.h's). */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dtype.h"
#include "tests/support/tiny.h"

struct golden {
    char name[32];
    uint64_t seed;
    int n_ids, keep; /* prompt length; positions at its end that logits are kept for */
    int dim, hidden_dim, n_layers, n_heads, n_kv_heads, head_dim, vocab_size, max_seq_len, sliding_window;
    bool tied;
    bool plain_rope; /* theta 10000, no scaling: what a llama2.c file can say */
    int32_t *ids;    /* [n_ids] */

    /* A number to spoil in what is written: GGUF's name of a tensor (NULL: none), which of its numbers, by what. */
    const char *bad_tensor;
    size_t bad_at;
    float bad_value;
};

/* Loads tests/golden/logits/NAME.json; ends the test program with a message when it can't. */
void golden_load(struct golden *g, const char *name);
void golden_free(struct golden *g);
/* [keep, vocab_size] of NAME.f64 or NAME.TYPE.f64; malloc'ed. */
double *golden_logits(const struct golden *g, const char *type);

/* dir/config.json and dir/model.safetensors, 2-D tensors as f32, f16 or bf16. */
void golden_write_hf(const struct golden *g, const char *dir, choir_dtype type);
/* dir/NAME, a llama2.c file: version 0 or 1, f32. */
void golden_write_llama2c(const struct golden *g, const char *dir, const char *name, int version);
/* dir/NAME, a GGUF file, 2-D tensors as any type, without a tokenizer. */
void golden_write_gguf(const struct golden *g, const char *dir, const char *name, choir_dtype type);
/* The same, not yet written: settings can be added. */
struct tiny_gguf golden_gguf(const struct golden *g, choir_dtype type);

#endif
