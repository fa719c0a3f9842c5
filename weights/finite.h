/* Weights that are NaN or infinite: no file that works holds one, and each would be met again in logits that nobody can
 * sample from. */
#ifndef WTS_FINITE_H
#define WTS_FINITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "choir/status.h"

struct wts_nonfinite {
    uint64_t at;      /* which value; for a block's scale or minimum, the block's first */
    const char *text; /* "nan", "scale -inf", "minimum inf"; never freed */
};

/* Whether n values that follow each other in the file layout (whole blocks, any alignment) are finite: the numbers of f32,
 * f16, bf16, and the scales and minimums of blocks, all else of which is integers.  Where not, *found is the first. */
bool wts_all_finite(choir_dtype type, const void *rows, size_t n, struct wts_nonfinite *found);

/* CHOIR_FILE: "PATH: tensor NAME: row ROW, column COL: TEXT".  as: NULL, or the type in which it is not finite, when in
 * that of the file it is. */
choir_status wts_refuse_nonfinite(const char *path, const char *name, uint64_t row, uint64_t col,
                                  const struct wts_nonfinite *found, const char *as, choir_error *err);

#endif
