/* The activations of a step, as forward, linear and attention share them.  Private to src/model.
 *
 * T is the number of tokens in the batch, at most max_tokens. */
#ifndef MDL_STATE_H
#define MDL_STATE_H

#include "base/arena.h"
#include "kernels/parallel.h"
#include "model/experts.h"
#include "model/forward.h"

/* Scratch that belongs to one thread. */
struct mdl_scratch {
    uint8_t *panel;       /* one packed panel, for matrices left in the file's layout */
    float *q;             /* [KERN_ATTN_ROWS, head_dim] scaled queries */
    float *acc, *acc2;    /* [KERN_ATTN_ROWS, head_dim] running and new span */
    float *m, *l;         /* [KERN_ATTN_ROWS] running */
    float *m2, *l2;       /* [KERN_ATTN_ROWS] new span */
    int32_t *from, *to;   /* [KERN_ATTN_ROWS] */
    float *kernel;        /* kern_attn_scratch */
    const void **k_tiles; /* [KERN_ATTN_SPAN / KERN_ATTN_TILE] */
    const void **v_tiles;
    const void **next_tiles; /* [KERN_ATTN_CHUNK / KERN_ATTN_TILE] */
    uint8_t *k_gather;       /* a span's keys, where blocks are smaller than a tile; else NULL */
    uint8_t *v_gather;
};

/* How the tokens of the step are turned. */
struct mdl_angles {
    double *inv_freq; /* [rope_dim / 2] */
    double magnitude;
    float *cosine, *sine;           /* [T, rope_dim / 2] */
    float *sink_cosine, *sink_sine; /* [rope_dim / 2] of a stream: how queries that see less than all meet the sinks */
};

struct mdl_state {
    const struct mdl_model *model;
    const struct choir_kernels *kernels;
    struct kv_store *kv;
    struct mdl_state_options opt;
    struct base_arena arena;

    float *x;                                 /* [T, dim] residual stream */
    float *xb;                                /* [T, dim] normed */
    float *q;                                 /* [T, n_heads * head_dim] */
    float *q_sink;                            /* the same of a stream, turned for the sinks */
    float *k, *v;                             /* [T, n_kv_heads * head_dim] */
    float *att;                               /* [T, n_heads * head_dim] */
    float *block;                             /* [T, dim] a block's result, where it is normed before it is added */
    float *hidden, *up;                       /* [T, widest hidden layer] */
    uint8_t *act[DTYPE_ACT_COUNT];            /* packed activations of the matrices about to be applied */
    uint8_t *act_hidden[DTYPE_ACT_COUNT];     /* the same for W_down, written while act is read */
    struct mdl_angles angles[MDL_ROPE_KINDS]; /* n_angles: 2 where the kinds of layers both occur and differ */
    int n_angles;
    struct mdl_angles *angles_of[MDL_ROPE_KINDS]; /* a kind of layer */
    int32_t *token_run;                           /* [T] run each token belongs to */
    int32_t *logit_token;                         /* [max_logits] batch index of the token each row of logits is for */
    float *logits;                                /* [max_logits, vocab_size] */
    float *partial;                               /* attention partials of split spans, see attention.c */
    size_t partial_cap;                           /* floats */
    struct mdl_routes routes;                     /* of layers with experts */
    struct mdl_scratch *scratch;                  /* [n_threads] */

    struct mdl_tap *tap; /* model/tap.h; NULL: nobody looks */
    const bool *masked;  /* [n_layers * n_heads] heads that give 0; NULL: none */

    struct par_crew crew; /* what steps run on */

    /* the step at hand */
    const struct mdl_batch *batch;
    const float *resumed; /* [n_tokens, dim] what layers before first_layer made of it; NULL: all are run */
    int32_t first_layer;
    const atomic_int *cancel;
    int32_t n_logits;
    _Atomic int32_t stop_layer; /* the layer in which the step was seen to be cancelled; INT32_MAX: not */
};

/* Where in the text token t of the batch, one of run r, stands. */
static inline int64_t mdl_text_pos(const struct mdl_run *r, int32_t t)
{
    return r->cut + r->pos + t - r->first;
}

/* Whether a token at this position of the text sees less than all before it: the sinks, and what its window has. */
static inline bool mdl_sees_sinks(const struct mdl_state *s, int64_t text_pos)
{
    return s->opt.stream && s->opt.n_sinks > 0 && text_pos >= s->opt.max_seq_len;
}

/* ---- linear.c: activations meet matrices ---- */

/* One matrix of a group that shares its input: y = W x + bias, or y = (y + W x) + bias. */
struct mdl_job {
    const struct mdl_matrix *w;
    float *y; /* [T, w->n_rows] */
    bool add;
    const float *bias; /* [w->n_rows] or NULL */
};

/* The forms in which the jobs' matrices want their input: bit k for enum dtype_act k. */
unsigned mdl_forms(const struct mdl_state *s, const struct mdl_job *jobs, int n_jobs);
/* Tokens that must be packed together: whole tiles of each of the forms. */
int mdl_pack_unit(const struct mdl_state *s, unsigned forms, int n_tokens);
/* Packs columns [col0, col1) of tokens [token0, token1) of x [n_tokens, n_cols] in each of the forms, each into its own of
 * act[DTYPE_ACT_COUNT]. */
void mdl_pack(struct mdl_state *s, uint8_t *const *act, unsigned forms, const float *x, int n_cols, int n_tokens,
              int token0, int token1, int col0, int col1);
/* All rows of all jobs, as one loop of the team; activations from s->act, or from act. */
void mdl_linear(struct par_thread *me, struct mdl_state *s, const struct mdl_job *jobs, int n_jobs, int n_tokens);
void mdl_linear_from(struct par_thread *me, struct mdl_state *s, uint8_t *const *act, const struct mdl_job *jobs,
                     int n_jobs, int n_tokens);
/* Rows [row0, row1) of one job, in the calling thread; row0 is a multiple of DTYPE_PANEL_ROWS. */
void mdl_linear_rows(struct mdl_state *s, int thread, uint8_t *const *act, const struct mdl_job *job, int n_tokens,
                     int row0, int row1);
/* All rows of one job for tokens [token0, token1), which are whole tiles, in the calling thread. */
void mdl_linear_tokens(struct mdl_state *s, int thread, uint8_t *const *act, const struct mdl_job *job, int n_tokens,
                       int token0, int token1);
/* Rows of n_cols columns that are worth claiming at once for n_tokens tokens; a multiple of 64. */
int mdl_grain_rows(int n_cols, int n_tokens);

/* ---- attention.c ---- */

/* Attention of layer l: q against the cache into att.  Ends when all of it is done. */
void mdl_attention(struct par_thread *me, struct mdl_state *s, int32_t l);
/* First position in the table that the query there at `pos` sees through the layer's window (0: none), sinks aside. */
int32_t mdl_first_seen(const struct mdl_state *s, const struct mdl_run *r, int32_t window, int32_t pos);
/* First sink that a query sees which sees sinks, through the layer's window. */
int32_t mdl_first_sink(const struct mdl_state *s, int32_t window);
/* Floats of `partial` that the options ask for. */
size_t mdl_attention_partial_floats(const struct mdl_model *m, const struct mdl_state_options *opt);

#endif
