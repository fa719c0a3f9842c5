/* Golden models through the public interface. */
#ifndef TEST_GOLDEN_RUN_H
#define TEST_GOLDEN_RUN_H

#include "choir.h"
#include "tests/support/golden.h"

/* Opens a model, at the default kernel level, with or without a tokenizer; fails the test when that does not work. */
choir_model *golden_open(const char *path, const char *quant, bool in_place);

/* Computes all but the kept positions at once, the kept ones one by one, keys and values in f32: NMSE of their logits
 * against golden_logits(g, type).  cpu: a kernel level, NULL for the default. */
double golden_nmse_at(const struct golden *g, const char *cpu, const char *path, const char *quant, bool in_place,
                      const char *type);
double golden_nmse(const struct golden *g, const char *path, const char *quant, bool in_place, const char *type);

#endif
