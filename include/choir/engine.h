/* An engine: threads, the paged KV cache, the step; one thread at a time.  What it takes, and what the machine can give. */
#ifndef CHOIR_ENGINE_H
#define CHOIR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct choir_engine choir_engine;

typedef struct choir_engine_options {
    int32_t ctx_size;    /* most tokens of a sequence; 0: min(model, what fits in free memory) */
    int32_t n_seqs;      /* sequences that shall fit at full length (the block pool's size, see below); 1 */
    int32_t batch;       /* most tokens in a step (prefill chunk); 512 */
    int n_threads;       /* 0: choir_default_threads() */
    const char *kv_type; /* "f16" (default), "f32", "q8_0" */
    int32_t kv_block;    /* tokens in a block: a power of two, 1 to 256; 16 */
    uint64_t mem_limit;  /* 0: what is free */
    int32_t max_logits;  /* most rows of logits in a step (choir_sequence_want_logits); n_seqs if that is more; 0 */
    bool prefix_cache;   /* keep what was computed, and look there first (see below); true */
    /* Sequences go on for ever: a token sees ctx_size tokens at most, itself included, which are the first n_sinks of the text
     * (attention sinks, arXiv:2309.17453) and the last ones.  Memory stays flat.  Not with learned positions. */
    bool infinite;
    int32_t n_sinks; /* 0 to 512, less than ctx_size; 4 */
} choir_engine_options;

/* The block pool.  It has blocks for n_seqs sequences of ctx_size tokens.  A model all of whose layers have a sliding window
 * (Mistral) needs less: after each step a sequence gives back the blocks that the window has passed, so the pool has
 * blocks for n_seqs times the window, a batch and one block, if that is less, however long the texts get.  Models that mix
 * windowed layers with others (Gemma 2 and 3) give nothing back.
 *
 * The prefix cache.  After each step the blocks that are full can be found by their tokens and all tokens before them; a sequence
 * that begins with the same tokens holds the same blocks instead of computing them, but for its last token and those whose
 * logits are wanted.  Blocks that no sequence holds stay until the pool needs them, those unused for longest first.  A
 * step that fails or is cancelled adds nothing.  The bits are those of computing again.  Infinite engines have none. */

typedef struct choir_engine_info {
    int32_t ctx_size;
    int32_t batch;
    int n_threads;
    int32_t kv_block, n_blocks;
    int32_t n_free_blocks;   /* that no sequence holds */
    int32_t n_cached_blocks; /* of these, the ones that the prefix cache could give again */
    int32_t max_logits;
    char kv_type[8];
    uint64_t kv_bytes;       /* of the whole pool (address space; pages are taken lazily) */
    uint64_t kv_token_bytes; /* of one position, all layers */
    uint64_t activation_bytes;
    uint64_t prefix_lookup_tokens; /* of prompts: looked for in the prefix cache, since the engine was opened */
    uint64_t prefix_hit_tokens;    /* of these, found */
} choir_engine_info;

CHOIR_API void choir_engine_options_default(choir_engine_options *opt);
/* The model must outlive the engine.  CHOIR_RESOURCE with the numbers when it does not fit; CHOIR_USAGE when ctx_size is
 * above what the model was made for. */
CHOIR_API choir_status choir_engine_open(choir_engine **out, const choir_model *model, const choir_engine_options *opt,
                                         choir_error *err);
CHOIR_API void choir_engine_close(choir_engine *engine);
CHOIR_API void choir_engine_describe(const choir_engine *engine, choir_engine_info *info);
/* Ends the running step at its next layer (CHOIR_CANCELLED).  Safe from another thread and from a signal handler.  Stays set
 * until choir_engine_uncancel. */
CHOIR_API void choir_engine_cancel(choir_engine *engine);
CHOIR_API void choir_engine_uncancel(choir_engine *engine);

/* ---- memory, limits of the machine -------------------------------------------------------------------- */

typedef struct choir_memory {
    uint64_t weights, kv, activations, total, free;
    uint64_t kv_token;            /* bytes of a position, all layers */
    uint64_t kv_token_multi_head; /* the same with n_heads, and with one, key/value head */
    uint64_t kv_token_multi_query;
    uint64_t kv_multi_head, kv_multi_query; /* what kv would be then */
} choir_memory;

/* What a context would take, computed from headers alone. */
CHOIR_API choir_status choir_memory_account(choir_memory *out, const choir_model *model,
                                            const choir_engine_options *opt, choir_error *err);

/* Bytes that may be taken beside model and engine: what is free, or what mem_limit leaves of that. */
CHOIR_API uint64_t choir_engine_room(const choir_engine *engine);

/* Plain read bandwidth, bytes per second: n_threads threads over the model's weights as they lie in memory (over a buffer as
 * large, if they were left in the file, or of 16 MB, if they are smaller), best of the passes of some 20 ms.  A model far
 * larger than the caches so gives the speed of memory; one that fits a cache, the cache's.  0 when no buffer can be had. */
CHOIR_API double choir_probe_bandwidth(const choir_model *model, int n_threads);
/* Multiply-add peak, operations per second (two a multiply-add), of the instruction that the model's kernels use; takes some
 * 20 ms. */
CHOIR_API double choir_probe_peak(const choir_model *model, int n_threads);

/* What disturbs a measurement, counted since the machine or the process started; the difference of two readings tells. */
typedef struct choir_machine_counters {
    uint64_t ticks, stolen_ticks; /* of all processors together; those that the hypervisor gave to others */
    uint64_t waited_ns;           /* of the first thread: ready to run, but no processor for it */
    uint64_t throttled;           /* periods in which the control group's quota was used up */
    double mhz;                   /* now, of the processor that runs this; 0: not told */
} choir_machine_counters;
CHOIR_API void choir_machine_count(choir_machine_counters *out);

#ifdef __cplusplus
}
#endif
#endif
