/* What stands behind the public handles.  Private to src/engine. */
#ifndef ENG_ENGINE_H
#define ENG_ENGINE_H

#include <stdatomic.h>

#include "choir.h"
#include "engine/sampler.h"
#include "kernels/kernels.h"
#include "kv/kv_store.h"
#include "model/forward.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"
#include "weights/weights.h"

struct choir_model {
    char *path; /* as messages name it: the file or folder, "(built-in)" */
    struct choir_kernels kernels;
    struct mdl_config config;
    struct mdl_model *weights;   /* NULL with headers_only */
    struct wts_set *set;         /* kept open with mmap or headers_only; else NULL */
    struct tokenizer *tokenizer; /* NULL: ids only */
    char no_text[200];           /* why there is no tokenizer */
    char *chat_template;         /* the text of the file's; NULL: none */
    bool add_bos;
    int32_t bos_id; /* -1: none */
    int32_t eos_ids[MDL_EOS_CAP + 1];
    int32_t n_eos;
    choir_dtype main_type;            /* of the most weights */
    uint64_t type_bytes[DTYPE_COUNT]; /* of the file's tensors */
    enum wts_container container;
    uint64_t file_bytes;
    uint64_t plan_bytes; /* of the weights in memory */
    uint64_t decode_bytes;
};

struct choir_engine {
    const struct choir_model *model;
    choir_engine_options opt; /* every 0 replaced by what it stands for */
    enum kv_type kv_type;
    struct kv_pool *pool;
    struct kv_store store;
    struct mdl_state *state;
    struct mdl_run *runs;             /* [batch] */
    struct choir_sequence **run_seqs; /* [batch] sequence of each run */
    int32_t *run_before;              /* [batch] tokens that it had computed before the step */
    int32_t *ids;                     /* [batch] */
    int32_t window;                   /* no token sees more than these, itself included; 0: some layer sees all */
    int32_t max_logits;
    int32_t most_computed; /* tokens that a sequence's table has room for */
    uint64_t activation_bytes;
    uint64_t n_steps; /* forwards begun: which of them a sequence's rows are of */
    uint64_t prefix_lookup_tokens, prefix_hit_tokens;
    struct eng_tap *tap;   /* tap.c; NULL: none */
    struct mdl_batch last; /* the last step\'s, for choir_engine_redo; n_runs 0: there is none any more */
    bool *masked;          /* [n_layers * n_heads], or NULL */
    atomic_int cancel;
};

struct choir_sequence {
    struct choir_engine *engine;
    struct kv_table table; /* its n_tokens: what is computed */
    struct smp_chain *chain;
    int32_t *ids; /* [n_ids], room for most_computed and, if infinite, ctx_size more */
    int32_t n_ids;
    int64_t cut;       /* tokens of an infinite one that are gone from table and ids: behind eng_sink_blocks */
    int32_t n_cached;  /* tokens adopted, those since its last step apart */
    int32_t n_adopted; /* those */
    float *logits;     /* [vocab_size] */
    bool has_logits;
    int32_t n_guesses; /* of its tokens the last ones, which may be taken back */
    int32_t want_from; /* rows of logits are wanted from this position on */
    /* Rows of step rows_step, [n_rows] from row rows_at of the engine's state, for the positions from rows_pos on. */
    uint64_t rows_step;
    int32_t rows_pos, rows_at, n_rows;
};

/* ---- step.c, sequence.c ---- */

/* choir_engine_step with at most most[i] tokens of seqs[i] (NULL: as many as there is room for). */
choir_status eng_step(struct choir_engine *e, struct choir_sequence *const *seqs, const int32_t *most, int32_t n_seqs,
                      choir_error *err);

/* Rows of logits of a batch that was computed, to whom they belong. */
void eng_hand_out_logits(struct choir_engine *e, const struct mdl_batch *batch);

/* Takes what the prefix cache has of s's pending tokens, as every step does first. */
void eng_adopt(struct choir_sequence *s);

/* dst, which has nothing computed and room for as many tokens, becomes a second holder of all that src is: its ids, blocks
 * and logits.  Allocates nothing. */
choir_status eng_sequence_share(struct choir_sequence *dst, const struct choir_sequence *src, choir_error *err);

/* Forgets all tokens from position n on, the logits, and what was computed of those from `computed` (at most n) on. */
void eng_sequence_cut(struct choir_sequence *s, int32_t n, int32_t computed);
/* Blocks at the beginning of an infinite sequence that hold its sinks. */
static inline int32_t eng_sink_blocks(const struct choir_engine *e)
{
    return (e->opt.n_sinks + e->opt.kv_block - 1) / e->opt.kv_block;
}

/* Of an infinite sequence: lets go of the blocks that no token to be computed will see. */
void eng_sequence_slide(struct choir_sequence *s);

/* ---- memory.c ---- */

/* Fills what is 0 in *opt (context, threads, type), checks ranges, and fits the context into memory.  out: the completed
 * options, the KV type and the sizes. */
struct eng_plan {
    choir_engine_options opt;
    enum kv_type kv_type;
    struct kv_shape shape;
    struct mdl_state_options state;
    int32_t rope_len;      /* the context that was asked for, else the model's own */
    int32_t most_computed; /* tokens of a sequence that are in the cache at the same time */
    int32_t n_blocks;
    int32_t window; /* as the engine's */
    uint64_t kv_bytes, activation_bytes;
};
choir_status eng_plan_make(struct eng_plan *plan, const struct choir_model *model, const choir_engine_options *opt,
                           bool must_fit, choir_error *err);

/* ---- sequence.c ---- */

/* Counts only the first n tokens as computed (n <= those that are), or none when a window has passed what they need;
 * the ids stay. */
void eng_truncate_computed(struct choir_sequence *s, int32_t n);
/* Gives back the blocks that no token from the next on sees, if all layers are windowed. */
void eng_release_passed(struct choir_sequence *s);

/* ---- tap.c ---- */

void eng_tap_close(struct choir_engine *e);
/* What its tap takes; 0: there is none. */
uint64_t eng_tap_bytes(const struct choir_engine *e);

/* ---- score.c ---- */

/* Logarithm of the sum of exp(x[i]); one order of summation, whatever the threads. */
double eng_log_sum_exp(const float *x, int32_t n);

/* ---- config_only.c ---- */

/* Fills main_type and plan_bytes of a model whose set has no tensors: by the type that `quant` or config.json names. */
choir_status eng_account_config(struct choir_model *m, const struct wts_mix *quant, choir_error *err);

/* ---- vocabulary.c ---- */

/* Opens the tokenizer that belongs to the set (or the file the options name) and fills the model's special ids. */
choir_status eng_open_tokenizer(struct choir_model *m, const struct wts_set *set, const choir_model_options *opt,
                                choir_error *err);

/* Whether id ends a text. */
bool eng_is_eos(const struct choir_model *m, int32_t id);

#endif
