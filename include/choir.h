/* Choir: autoregressive text generation on CPUs.  The whole public interface.
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
 * environment (OMP_* apart, which the OpenMP runtime reads).
 *
 * The same model, seed, options and prompt give the same text for any number of threads, any batch neighbours, any prefill chunk
 * and block size, on every CPU. */
#ifndef CHOIR_H
#define CHOIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CHOIR_API __attribute__((visibility("default")))

typedef struct choir_model choir_model;
typedef struct choir_engine choir_engine;
typedef struct choir_sequence choir_sequence;
typedef struct choir_scheduler choir_scheduler;
typedef struct choir_detok choir_detok;
typedef struct choir_chat choir_chat;

/* "0.1.0" */
CHOIR_API const char *choir_version(void);

/* ---- model ------------------------------------------------------------------------------------------- */

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
    bool tied_output;
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

/* ---- text and ids ------------------------------------------------------------------------------------ */

/* Ids of n bytes of text.  bos: put the model's BOS in front, if it has one and wants it.  *ids is malloc'ed: free() it.
 * Text never becomes a special id.  CHOIR_PROMPT with the offset when it is not valid UTF-8. */
CHOIR_API choir_status choir_tokenize(int32_t **ids, size_t *n_ids, const choir_model *model, const char *text,
                                      size_t n, bool bos, choir_error *err);
/* Text of ids.  *text is malloc'ed and NUL-terminated: free() it.  CHOIR_USAGE for an id out of range. */
CHOIR_API choir_status choir_detokenize(char **text, size_t *n, const choir_model *model, const int32_t *ids,
                                        size_t n_ids, choir_error *err);
/* The bytes that a token adds to a text, which may be part of a character; none for tokens that are not text.  at_start: the
 * text begins with it, as in choir_generation.  dst has choir_token_text_bound(model) bytes. */
CHOIR_API size_t choir_token_text(const choir_model *model, int32_t id, bool at_start, char *dst);
CHOIR_API size_t choir_token_text_bound(const choir_model *model);
/* The piece as the vocabulary writes it; NULL for an id out of range.  *n its bytes. */
CHOIR_API const char *choir_piece(const choir_model *model, int32_t id, size_t *n);
CHOIR_API bool choir_is_eos(const choir_model *model, int32_t id);
/* Bytes of the longest valid UTF-8 prefix. */
CHOIR_API size_t choir_utf8_valid(const char *text, size_t n);
/* text with each invalid part replaced by U+FFFD; malloc'ed. */
CHOIR_API choir_status choir_utf8_repair(char **out, size_t *n_out, const char *text, size_t n, choir_error *err);

/* Streaming: ids go in, whole UTF-8 comes out.  after_prompt: the text goes on after a prompt, so a leading space stays. */
CHOIR_API choir_status choir_detok_open(choir_detok **out, const choir_model *model, bool after_prompt,
                                        choir_error *err);
/* *text: bytes completed by `id`, valid until the next call; returns their number, 0 is common. */
CHOIR_API size_t choir_detok_push(choir_detok *d, int32_t id, const char **text);
CHOIR_API size_t choir_detok_flush(choir_detok *d, const char **text);
CHOIR_API void choir_detok_close(choir_detok *d);

/* ---- conversations -----------------------------------------------------------------------------------
 * For models that were trained on conversations: what a person says, in the form the model knows. */

/* The i-th chat template by name; NULL past the end. */
CHOIR_API const char *choir_chat_template_name(int i);
/* The template that the model carries, recognized by its text (which is never run), or the one named.  CHOIR_FILE when the
 * model has none, or one that is not known; CHOIR_USAGE for an unknown name.  The model must outlive the chat. */
CHOIR_API choir_status choir_chat_open(choir_chat **out, const choir_model *model, const char *name, choir_error *err);
CHOIR_API void choir_chat_close(choir_chat *chat);
CHOIR_API const char *choir_chat_name(const choir_chat *chat);
/* Ids that end a reply, in addition to those that end a text; [*n], for choir_generation. */
CHOIR_API const int32_t *choir_chat_ends(const choir_chat *chat, size_t *n);
/* What a turn of n bytes adds to the timeline, up to where the reply begins.  first: with all that a conversation begins with,
 * and the system message (NULL: the template's own, if it has one); else with what ends the reply before it.  Special
 * tokens come from the template alone: what is said never makes one.  *ids is malloc'ed: free() it.  CHOIR_PROMPT when
 * a text is not UTF-8, CHOIR_USAGE for a system message that the template has no place for. */
CHOIR_API choir_status choir_chat_turn(int32_t **ids, size_t *n_ids, const choir_chat *chat, bool first,
                                       const char *system, const char *text, size_t n, choir_error *err);

/* ---- engine ------------------------------------------------------------------------------------------ */

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

/* ---- sampling ---------------------------------------------------------------------------------------- */

typedef struct choir_logit_bias {
    int32_t id;
    float bias; /* added to the logit; -INFINITY bans the token */
} choir_logit_bias;

typedef struct choir_sampling {
    float temp;                                /* 0: the most likely token */
    int32_t top_k;                             /* 0: off */
    float top_p;                               /* 1: off */
    float min_p;                               /* 0: off */
    float typical;                             /* 1: off; arXiv:2202.00666 */
    float repeat_penalty;                      /* 1: off; arXiv:1909.05858 */
    int32_t repeat_last_n;                     /* tokens penalties look back on; -1: all; 0: off */
    float presence_penalty, frequency_penalty; /* 0: off */
    const choir_logit_bias *logit_bias;        /* [n_logit_bias], copied when a sequence opens */
    size_t n_logit_bias;
    const char *samplers; /* order: "penalties;top_k;typical;top_p;min_p;temperature"; NULL: that */
    uint64_t seed;        /* any number */
    uint64_t choice;      /* index of this sample within its request: another text for the same seed */
    bool ignore_eos;      /* end-of-text ids are never drawn */
} choir_sampling;

/* temp 0.8, top_k 40, top_p 0.95, min_p 0.05, everything else off, seed 0. */
CHOIR_API void choir_sampling_default(choir_sampling *s);
/* CHOIR_USAGE naming the field when a value is out of range or `samplers` names an unknown step. */
CHOIR_API choir_status choir_sampling_check(const choir_sampling *s, choir_error *err);

/* ---- sequences --------------------------------------------------------------------------------------- */

/* A new, empty timeline.  It must be closed before its engine. */
CHOIR_API choir_status choir_sequence_open(choir_sequence **out, choir_engine *engine, const choir_sampling *sampling,
                                           choir_error *err);
/* A second holder of the same past: blocks are shared until one of the two writes (copy on write); the logits are
 * copied.  sampling NULL: the same as src's. */
CHOIR_API choir_status choir_sequence_fork(choir_sequence **out, const choir_sequence *src,
                                           const choir_sampling *sampling, choir_error *err);
CHOIR_API void choir_sequence_close(choir_sequence *seq);

/* Adds ids to the timeline; they are computed by the next steps.  CHOIR_PROMPT when they do not fit the context
 * (nothing is added then), CHOIR_USAGE for an id out of range. */
CHOIR_API choir_status choir_sequence_append(choir_sequence *seq, const int32_t *ids, size_t n, choir_error *err);
/* Forgets all tokens from position n on, and the logits: of what remains, the last token counts as pending again, so
 * that the next step gives its logits.  Where a sliding window has passed blocks that it would need, all are pending. */
CHOIR_API void choir_sequence_truncate(choir_sequence *seq, int32_t n);
CHOIR_API int32_t choir_sequence_length(const choir_sequence *seq);   /* tokens appended */
CHOIR_API int32_t choir_sequence_computed(const choir_sequence *seq); /* of these, already in the cache */
CHOIR_API int32_t choir_sequence_cached(const choir_sequence *seq);   /* of these, found in the prefix cache */
/* Of an infinite engine: tokens that fell out of the window and are forgotten.  Length, computed, ids and positions do not
 * count them: steps let go of those behind the first tokens, and all positions after them become lower.  At most ctx_size
 * tokens can be pending there; how far back a text can be truncated then depends on what is still there, farther does
 * nothing. */
CHOIR_API int64_t choir_sequence_forgotten(const choir_sequence *seq);
CHOIR_API const int32_t *choir_sequence_ids(const choir_sequence *seq); /* [length], valid until the next append */
/* The blocks that hold what is computed, in order: their numbers, -1 where a window has passed, and how many sequences hold each.
 * Fills at most cap of both arrays [cap]; returns how many there are. */
CHOIR_API int32_t choir_sequence_blocks(const choir_sequence *seq, int32_t *blocks, int32_t *n_holders, int32_t cap);

/* One step: up to `batch` pending tokens of the n_seqs given sequences (of this engine, each once), prefill chunks and decodes
 * mixed, in the order given.  Call it until each has computed == length; a sequence without pending tokens takes no part.
 * CHOIR_CANCELLED, CHOIR_RESOURCE (no free block), CHOIR_FILE (logits not finite): the sequences are as before. */
CHOIR_API choir_status choir_engine_step(choir_engine *engine, choir_sequence *const *seqs, int32_t n_seqs,
                                         choir_error *err);
/* Logits after the last token, [vocab_size]; NULL when it is not computed, or when they were lost by a truncation.
 * Valid until the sequence next changes. */
CHOIR_API const float *choir_sequence_logits(const choir_sequence *seq);
/* Logits of more than the last token: prompts that are scored, drafts that are checked, perplexity.  From now on the steps
 * give a row of logits after each token at position `from` or above that they compute; INT32_MAX, as at first: after the
 * last token only.  A step has max_logits rows for all its sequences: tokens whose rows find no room wait for the next
 * one, so a caller that steps until computed == length meets each row once.  A fork wants what its source wants. */
CHOIR_API void choir_sequence_want_logits(choir_sequence *seq, int32_t from);
/* The row after the token at position pos, [vocab_size], if the engine's last step made it; else NULL.  Valid until the next
 * step of the engine, or until the sequence is truncated to pos tokens or fewer. */
CHOIR_API const float *choir_sequence_logits_at(const choir_sequence *seq, int32_t pos);

/* What a row of logits says. */
typedef struct choir_score {
    double log_prob; /* natural logarithm of the asked-for id's probability */
    int32_t best;    /* the most likely id, the lower one of equals */
    /* The same of the base row, and the Kullback-Leibler divergence of the row from it in nats, sum of
     * p_base (log p_base - log p).  0 without a base. */
    int32_t base_best;
    double base_log_prob, divergence;
} choir_score;

/* Scores n rows of the last step on the engine's threads: out[i] is about ids[i], as what follows the token at position
 * pos + i.  base: NULL, or [n, vocab_size] logits to compare with.  Sums are in double and in one fixed order: the same bits for
 * any number of threads, on every CPU.  CHOIR_USAGE for a row that is not there or an id out of range, CHOIR_FILE for a
 * base that is not finite. */
CHOIR_API choir_status choir_sequence_score(choir_score *out, const choir_sequence *seq, int32_t pos, int32_t n,
                                            const int32_t *ids, const float *base, choir_error *err);
/* A token and the natural logarithm of its probability. */
typedef struct choir_token_prob {
    int32_t id;
    double log_prob;
} choir_token_prob;

/* What the row after position pos (choir_sequence_logits_at; the last token's, choir_sequence_logits) says: the n most likely
 * tokens, the lower id first among equals, and into *log_prob (may be NULL) id's log-probability.  It is that of the
 * model's own distribution, before penalties, temperature and filters: the logit minus the logarithm of the sum of all
 * exponentials, in double and in one fixed order.  CHOIR_USAGE without that row, or for an id out of range; n is at most the
 * vocabulary's size. */
CHOIR_API choir_status choir_sequence_likely(choir_token_prob *top, int32_t n, const choir_sequence *seq, int32_t pos,
                                             int32_t id, double *log_prob, choir_error *err);
/* Keeps a timeline in a file: its ids, and the keys and values of those that are computed.  The file is there whole or not at
 * all; memory stays flat.  CHOIR_IO; CHOIR_USAGE for a sequence of an infinite engine. */
CHOIR_API choir_status choir_sequence_save(const choir_sequence *seq, const char *path, choir_error *err);
/* Makes seq the timeline that was kept, in place of its own, in an engine of any block size and number of threads; what comes
 * next has the bits that it would have had.  The last token counts as pending.  CHOIR_FILE, and seq goes on as before, when the
 * file is damaged, was kept with another model, tokenizer or type of keys and values, or does not fit the context. */
CHOIR_API choir_status choir_sequence_load(choir_sequence *seq, const char *path, choir_error *err);
/* Draws the next id from the logits by the sequence's sampler chain; does not append it.  CHOIR_USAGE without logits. */
CHOIR_API choir_status choir_sequence_sample(choir_sequence *seq, int32_t *id, choir_error *err);

/* ---- generation -------------------------------------------------------------------------------------- */

typedef enum choir_finish {
    CHOIR_FINISH_STOP,   /* end-of-text id or a stop string */
    CHOIR_FINISH_LENGTH, /* max_tokens, or the context is full */
    CHOIR_FINISH_CALLER  /* the callback returned non-zero */
} choir_finish;

/* n bytes of whole UTF-8 sequences; non-zero ends generation. */
typedef int (*choir_stream_fn)(void *user, const char *text, size_t n);

/* A token that was drawn. */
typedef struct choir_token {
    int32_t id, pos;             /* pos: its position in the timeline */
    double log_prob;             /* as choir_sequence_likely has it */
    const choir_token_prob *top; /* [n_top] the most likely tokens there, valid during the call */
    int32_t n_top;
} choir_token;

typedef struct choir_generation {
    int32_t max_tokens; /* -1: until the end of text or of the context */
    const char *const
        *stops; /* [n_stops] strings that end the text; never given to the callback, also when split over tokens */
    const size_t *stop_bytes; /* [n_stops], or NULL: NUL-terminated */
    size_t n_stops;
    const int32_t *end_ids; /* [n_end_ids] that end the text as the model's own do; not copied */
    size_t n_end_ids;
    bool at_start;          /* the timeline's text begins with what is generated: the first space is dropped */
    choir_stream_fn stream; /* may be NULL */
    /* Each token drawn but the end of the text, before its text is streamed; non-zero ends generation.  May be NULL: then
     * no log-probabilities are computed. */
    int (*token)(void *user, const choir_token *token);
    int32_t n_top; /* most likely tokens that it is told with each; 0 */
    void *user;
    /* Most guesses at the next tokens that a step checks; 0: none.  The text is the same with and without: guesses are
     * kept while they equal what is drawn.  How many are made depends on how many were right of late and on what they
     * cost.  The engine's max_logits, and the batch, have to be one more. */
    int32_t speculate;
    /* Where guesses come from: a smaller model in an engine of its own, with the same tokens (CHOIR_USAGE with the first
     * that differs), or (NULL) what followed the last few tokens where they were said before. */
    choir_engine *draft;
} choir_generation;

typedef struct choir_result {
    choir_finish finish;
    bool context_full;   /* CHOIR_FINISH_LENGTH because of the context */
    int32_t n_prompt;    /* tokens that were pending before the first was drawn */
    int32_t n_cached;    /* of these, found in the prefix cache, not computed */
    int32_t n_generated; /* tokens drawn, an end-of-text id not counted */
    int32_t n_guessed;   /* tokens guessed and checked, and of these the ones that were right */
    int32_t n_guesses_kept;
    size_t n_replaced;    /* bytes of U+FFFD streamed at the end for a character the text's end cut off */
    uint64_t prompt_ns;   /* computing the pending tokens; for a request: all from submit to there, waiting included */
    uint64_t generate_ns; /* all after that */
    uint64_t first_token_ns; /* from the call (for a request: from submit) to the first text or token */
} choir_result;

CHOIR_API void choir_generation_default(choir_generation *g); /* 256 tokens */
/* Computes what is pending and goes on from there: draws, streams and appends until done.  The callbacks must leave seq
 * alone.  Afterwards the sequence holds the
 * tokens drawn (an end-of-text id not; with a stop string: those up to the token that completed it).  *result is filled
 * on failure too, with what was done till then; text not yet held back has been streamed. */
CHOIR_API choir_status choir_generate(choir_result *result, choir_sequence *seq, const choir_generation *g,
                                      choir_error *err);

/* ---- many requests at once --------------------------------------------------------------------------- */

/* Continuous batching: each step decodes a token of every text that runs and computes parts of prompts that have come since.
 * Texts run as far as blocks of the cache and rows of logits (choir_engine_info.max_logits) go, first come, first served;
 * the others wait.  When the blocks run out the text that came last is put back and computed again later; nobody sees
 * that but in time.  A text is what choir_generate makes of the same ids, sampling and generation, byte for byte,
 * whoever else runs.
 *
 * One thread at a time, as the engine that it belongs to.  All callbacks come from within choir_scheduler_step, on its
 * thread.  They may submit, cancel and describe; they may not step or close. */

/* n bytes of whole UTF-8 sequences of the request's sample-th text; non-zero ends that text. */
typedef int (*choir_sample_stream_fn)(void *user, int32_t sample, const char *text, size_t n);
/* The sample-th text has ended; comes once for each sample of a request that was accepted.  status CHOIR_OK, or why it is cut
 * short, with *err: CHOIR_CANCELLED, or a failure of this text alone, CHOIR_FILE (its logits are not finite). *result and
 * *err are valid during the call. */
typedef void (*choir_sample_done_fn)(void *user, int32_t sample, const choir_result *result, choir_status status,
                                     const choir_error *err);

typedef struct choir_request_options {
    const int32_t *ids; /* [n_ids], the prompt */
    size_t n_ids;
    choir_sampling sampling;       /* sample i has choice + i */
    choir_generation generation;   /* its stream and user must be NULL: those below count */
    int32_t n_samples;             /* texts of this prompt, which is computed once; 1 */
    choir_sample_stream_fn stream; /* may be NULL */
    choir_sample_done_fn done;     /* may be NULL */
    void *user;
} choir_request_options;

typedef struct choir_scheduler_info {
    int32_t n_running, n_waiting; /* texts; both 0: nothing left to do */
    int32_t max_running;
    uint64_t n_preempted; /* times a text was put back */
    uint64_t n_steps;
} choir_scheduler_info;

/* The engine must outlive the scheduler, and not be an infinite one (CHOIR_USAGE).  Sequences opened beside it take part in nothing, but hold their blocks. */
CHOIR_API choir_status choir_scheduler_open(choir_scheduler **out, choir_engine *engine, choir_error *err);
/* Requests that are left end without a call of done. */
CHOIR_API void choir_scheduler_close(choir_scheduler *scheduler);
CHOIR_API void choir_scheduler_describe(const choir_scheduler *scheduler, choir_scheduler_info *info);

CHOIR_API void choir_request_options_default(choir_request_options *request);
/* Takes a request into the line; everything it points to is copied.  *id: 1 or above, another for each request.  All memory
 * it will need is taken here (for each sample the context's ids and some 16 bytes for each word of the vocabulary, so
 * submit thousands of requests as room comes, not at once).  CHOIR_PROMPT for a prompt that is empty or can never fit,
 * CHOIR_USAGE for options out of range, CHOIR_RESOURCE. */
CHOIR_API choir_status choir_scheduler_submit(uint64_t *id, choir_scheduler *scheduler,
                                              const choir_request_options *request, choir_error *err);
/* Ends all texts of a request, running or waiting, at the beginning of the next step or, when called from a callback, before
 * this one returns: text held back is streamed, and done is called with CHOIR_CANCELLED.  False when there is no such
 * request (any more). */
CHOIR_API bool choir_scheduler_cancel(choir_scheduler *scheduler, uint64_t id);
/* One step of the engine for all that run.  CHOIR_OK with nothing to do as well.  A failure that concerns one text ends that
 * text, not the step.  After another (CHOIR_CANCELLED by choir_engine_cancel; CHOIR_RESOURCE when sequences that are not
 * the scheduler's hold the blocks; CHOIR_USAGE from a callback) all is as it was, and stepping may go on. */
CHOIR_API choir_status choir_scheduler_step(choir_scheduler *scheduler, choir_error *err);

/* ---- beam search ------------------------------------------------------------------------------------- */

typedef struct choir_beam_options {
    int32_t n_beams;       /* 1 to 1024; 4 */
    double length_penalty; /* a text's score is its log-probability / tokens^this; 1 */
} choir_beam_options;

/* A text that a beam search found. */
typedef struct choir_beam {
    int32_t *ids; /* [n_ids] drawn; an end-of-text id not */
    char *text;   /* [n_text] whole UTF-8, up to a stop string; NUL-terminated */
    size_t n_text;
    int32_t n_ids, length; /* length: tokens drawn, an end-of-text id counted */
    double log_prob;       /* of all tokens drawn: a sum of natural logarithms */
    double score;          /* log_prob / length^length_penalty */
    choir_finish finish;   /* CHOIR_FINISH_CALLER: it was still running when the search was cancelled */
    bool context_full;
} choir_beam;

CHOIR_API void choir_beam_options_default(choir_beam_options *opt);
/* The most likely texts that go on from seq.  Each step continues the n_beams most likely texts (nothing is drawn: of the sampling
 * only logit_bias and ignore_eos count; penalties are CHOIR_USAGE) by all ids and keeps the n_beams most likely of what
 * comes of it that go on; those among the n_beams best that end, by an end-of-text id, a stop string or the length, are kept as
 * finished, the n_beams best by score.  Equals: the better beam before, then the lower id.  The search is over when n_beams have
 * finished and the most likely running text would, if it ended now, not have a better score than the worst of them, or
 * when none runs.  That is what transformers' generate() does with num_beams and early_stopping=False.
 *
 * *beams: the *n_beams best, best first, malloc'ed: choir_beams_free.  result: of the best one; nothing is streamed.  seq holds
 * what it did before, computed.  The beams are forks: the engine should have n_seqs = n_beams, of which seq is one; what they
 * share they hold once.  CHOIR_CANCELLED gives the best so far, running ones by the score they would have if they
 * ended; after other failures there are none. */
CHOIR_API choir_status choir_beam_search(choir_beam **beams, int32_t *n_beams, choir_result *result,
                                         choir_sequence *seq, const choir_generation *g, const choir_beam_options *opt,
                                         choir_error *err);
CHOIR_API void choir_beams_free(choir_beam *beams, int32_t n_beams);

/* ---- memory, limits, conversion ---------------------------------------------------------------------- */

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

/* Plain read bandwidth, bytes per second: n_threads threads over the model's weights as they lie in memory (over a buffer as
 * large, if they were left in the file, or of 16 MB, if they are smaller), best of the passes of some 20 ms.  A model far
 * larger than the caches so gives the speed of memory; one that fits a cache, the cache's.  0 when no buffer can be had. */
CHOIR_API double choir_probe_bandwidth(const choir_model *model, int n_threads);
/* Multiply-add peak, operations per second (two a multiply-add), of the instruction that the model's kernels use; takes some
 * 20 ms. */
CHOIR_API double choir_probe_peak(const choir_model *model, int n_threads);

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
