/* A file of logits, what `choir perplexity --save-logits` writes and `--kl` compares with.  Little-endian:
 *
 *   bytes   0  8  "choirlgt"
 *           8  4  version, 1
 *          12  4  vocab_size
 *          16  4  ctx: tokens of a window
 *          20  4  stride: tokens from one window to the next; 0: ctx, the second halves are scored
 *          24  4  n_windows
 *          28  4  n_scored: rows of a window
 *          32  8  XXH64 of the ids that the windows cover, the id that stands at their beginning in front
 *          40  8  XXH64 of the 40 bytes above
 *          48     n_windows times: n_scored rows of vocab_size logits, float32, and 8 bytes, their XXH64 */
#ifndef CHOIR_CLI_LOGITS_FILE_H
#define CHOIR_CLI_LOGITS_FILE_H

#include "choir.h"

typedef struct logits_shape {
    int32_t vocab_size, ctx, stride, n_windows, n_scored;
    uint64_t text_hash;
} logits_shape;

/* bos: the id, or -1. */
uint64_t logits_text_hash(int32_t bos, const int32_t *ids, size_t n);

/* ---- writing: the file is there whole or not at all ---- */

typedef struct logits_writer logits_writer;

/* CHOIR_IO, also when the file system has too little room for all of it. */
choir_status logits_writer_open(logits_writer **out, const char *path, const logits_shape *shape, choir_error *err);
/* The next n rows, [n, vocab_size]. */
choir_status logits_writer_add(logits_writer *w, const float *rows, int32_t n, choir_error *err);
/* After the last row: puts the file in its place. */
choir_status logits_writer_finish(logits_writer *w, choir_error *err);
/* Removes what was not finished.  NULL is fine. */
void logits_writer_close(logits_writer *w);

/* ---- reading ---- */

typedef struct logits_reader logits_reader;

/* Opens the file and checks header and size (CHOIR_FILE). */
choir_status logits_reader_open(logits_reader **out, const char *path, choir_error *err);
const logits_shape *logits_reader_shape(const logits_reader *r);
/* Reads all of it once and checks every window's sum.  stop: looked at now and then, non-zero ends it (CHOIR_CANCELLED). */
choir_status logits_reader_verify(logits_reader *r, int (*stop)(void), choir_error *err);
/* n rows from row `row` of a window on into dst, [n, vocab_size]. */
choir_status logits_reader_rows(logits_reader *r, float *dst, int32_t window, int32_t row, int32_t n, choir_error *err);
void logits_reader_close(logits_reader *r);

#endif
