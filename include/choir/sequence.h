/* A sequence: one timeline of tokens in an engine; append, step, sample, fork, truncate. */
#ifndef CHOIR_SEQUENCE_H
#define CHOIR_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sampling ---------------------------------------------------------------------------------------- */

typedef struct choir_sequence choir_sequence;

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

/* A new, empty timeline.  It must be closed before its engine.  sampling NULL: choir_sampling_default. */
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

#ifdef __cplusplus
}
#endif
#endif
