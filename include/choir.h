/* Choir: autoregressive text generation on CPUs.  The whole public interface; include this one.
 *
 *   choir_model     weights and tokenizer; immutable; share it between threads and engines
 *   choir_engine    threads, the paged KV cache, the step; one thread at a time
 *   choir_sequence  one timeline of tokens in an engine: append, step, sample, fork, truncate
 *   choir_scheduler many requests at once in an engine: submit, step, cancel
 *
 * Conventions.  A function that can fail returns a choir_status and gives its result through the first parameter, which is
 * NULL (or 0) after a failure; `err` may be NULL.  Close functions accept NULL.  Options structs are filled by their
 * *_default function first, so that new fields keep old callers right.  Text is UTF-8 with a length and may hold NUL
 * bytes; sizes are bytes, times are nanoseconds of a monotonic clock.  Nothing here prints, exits or reads the
 * environment (OMP_* apart, which the OpenMP runtime reads).  Where a message names an option, it does so as the program's
 * flags are written: --ctx-size is ctx_size.
 *
 * The same model, seed, options and prompt give the same text for any number of threads, any batch neighbours, any prefill chunk
 * and block size, on every CPU. */
#ifndef CHOIR_H
#define CHOIR_H

#include "choir/engine.h"
#include "choir/generation.h"
#include "choir/model.h"
#include "choir/prune.h"
#include "choir/scheduler.h"
#include "choir/sequence.h"
#include "choir/status.h"
#include "choir/tap.h"
#include "choir/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" */
CHOIR_API const char *choir_version(void);

#ifdef __cplusplus
}
#endif
#endif
