/* Models quantized by the library, and their logits. */
#ifndef TEST_QUANTIZING_H
#define TEST_QUANTIZING_H

#include "choir.h"
#include "tests/support/golden.h"

choir_status quantize_as(const char *in, const char *out, const char *type, const char *tokenizer, choir_error *err);
/* The same, which must succeed. */
void quantize_file(const char *in, const char *out, const char *type, const char *tokenizer);
/* Every matrix of that type; must succeed. */
void quantize_pure(const char *in, const char *out, const char *type, int n_threads);

/* A model whose rows are whole super-blocks; it borrows ids, which are filled. */
struct golden quantizing_model(int32_t ids[12]);
/* Logits of every position, keys and values in f32; [n_ids, vocab_size], malloc'ed. */
float *quantizing_logits(const struct golden *g, const char *path, const char *quant, bool in_place);
/* Fails the test where the logits of a and b differ in a bit; name and how stand in the message. */
void expect_same_logits(const struct golden *g, const float *a, const float *b, const char *name, const char *how);

#endif
