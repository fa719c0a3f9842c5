/* A model: weights and tokenizer; immutable; share it between threads and engines.  Making one from another. */
#ifndef CHOIR_MODEL_H
#define CHOIR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct choir_model choir_model;

typedef struct choir_model_options {
    const char *path;      /* folder, .gguf or .bin; NULL: the built-in model */
    const char *tokenizer; /* SentencePiece file instead of the model's own; NULL: the model's */
    const char *quant;     /* "q8_0": quantize while loading; NULL: the file's types */
    const char *cpu;       /* highest kernel level ("avx2"); NULL: the best there is */
    bool mmap;             /* use the file in place instead of packing it */
    bool headers_only;     /* read no weights: for describing, memory accounts, text and ids */
    /* A tokenizer that is missing or not supported is no reason to refuse the model; ids only then.  headers_only implies
     * it.  Not for one that `tokenizer` names. */
    bool text_optional;
    int n_threads;      /* threads that load; 0: as many as choir_default_threads() */
    uint64_t mem_limit; /* refuse what needs more bytes than this; 0: what is free */
    /* Now and then while loading, bytes done of all; non-zero ends loading with CHOIR_CANCELLED. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    /* One line about something odd but harmless. */
    void (*warn)(void *user, const char *line);
    void *user;
} choir_model_options;

typedef struct choir_model_info {
    char architecture[32]; /* "llama" */
    char container[16];    /* "gguf", "safetensors", "llama2.c" */
    char type[16];         /* of most weights: "q8_0" */
    char types[192];       /* of the file, by bytes: "q4_K 78.1 %, q6_K 21.9 %"; "" without weights */
    char tokenizer[120];   /* "sentencepiece bpe, 32000 pieces", or "none (why)" */
    char kernels[16];      /* level in use: "avx2" */
    char heads[24];        /* "multi-head", "grouped-query", "multi-query" */
    const char *path;      /* "(built-in)" without one; lives as long as the model */
    int32_t dim, hidden_dim, n_layers, n_heads, n_kv_heads, head_dim, vocab_size, max_seq_len;
    int32_t sliding_window; /* 0: none */
    int32_t n_windowed;     /* layers that have it */
    bool tied_output;
    double logit_cap; /* logits are cap tanh(logit / cap); 0: they are not */
    double rope_theta;
    char rope_scaling[16];  /* "none", "linear", "dynamic", "yarn", "llama3", "longrope" */
    int32_t bos_id, eos_id; /* -1: none */
    uint64_t n_params;
    uint64_t n_active; /* of these, what a token meets: all but the experts it is not sent to */
    /* Parameters per part; they add up to n_params.  n_ffn: of networks that every token takes; n_norms: with their biases. */
    uint64_t n_embedding, n_positions, n_wq, n_wk, n_wv, n_wo, n_ffn, n_router, n_experts, n_norms, n_biases, n_output;
    uint64_t file_bytes;   /* 0: a config.json alone */
    uint64_t weight_bytes; /* in memory; without a file, of the type that the configuration or `quant` names */
    uint64_t decode_bytes; /* of weights read for each generated token (the embedding table is not) */
} choir_model_info;

CHOIR_API void choir_model_options_default(choir_model_options *opt);
CHOIR_API choir_status choir_model_open(choir_model **out, const choir_model_options *opt, choir_error *err);
CHOIR_API void choir_model_close(choir_model *model);
CHOIR_API void choir_model_describe(const choir_model *model, choir_model_info *info);
/* Tokens that a query of this layer sees at most, itself included; 0: all before it, too. */
CHOIR_API int32_t choir_model_window(const choir_model *model, int32_t layer);

/* Physical cores this process may use: affinity mask and cgroup quota. */
CHOIR_API int choir_default_threads(void);
/* Bytes that can be taken now: MemAvailable, cgroup room, RLIMIT_AS, the smallest. */
CHOIR_API uint64_t choir_free_memory(void);
/* Most bytes this process ever had resident. */
CHOIR_API uint64_t choir_peak_memory(void);
/* Names for option checks and help: the i-th type or mix of types that `quant` takes, KV type, kernel level; NULL past the end. */
CHOIR_API const char *choir_quant_name(int i);
CHOIR_API const char *choir_kv_type_name(int i);
CHOIR_API const char *choir_cpu_level_name(int i);
/* Processor model ("AMD EPYC") into dst. */
CHOIR_API void choir_cpu_name(char *dst, size_t cap);

/* ---- conversion --------------------------------------------------------------------------------------- */

typedef struct choir_quantize_options {
    const char *in;        /* folder, .gguf or llama2.c .bin */
    const char *out;       /* .gguf; written under a temporary name, then renamed */
    const char *type;      /* "q8_0"; any of choir_quant_name */
    bool pure;             /* every matrix of that type, none of another where it helps most */
    int n_threads;         /* 0: as many as choir_default_threads(); the bytes written do not depend on it */
    const char *tokenizer; /* SentencePiece file instead of the model's own; NULL: the model's */
    /* One line about what the new file will lack. */
    void (*warn)(void *user, const char *line);
    /* Now and then, bytes of the new file written of all; non-zero ends it with CHOIR_CANCELLED and leaves no file. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
} choir_quantize_options;

CHOIR_API choir_status choir_quantize(const choir_quantize_options *opt, choir_error *err);

#ifdef __cplusplus
}
#endif
#endif
