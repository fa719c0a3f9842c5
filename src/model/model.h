/* A model ready to run: the checked configuration and every weight where forward wants it.  Immutable after open;
 * any number of engines and threads may share it. */
#ifndef MDL_MODEL_H
#define MDL_MODEL_H

#include <string.h>

#include "base/arena.h"
#include "base/dtype.h"
#include "model/config/config.h"
#include "weights/mix.h"
#include "weights/weights.h"

/* A weight matrix [n_rows, n_cols].  Either packed (panels != NULL) or left in the file (rows != NULL). */
struct mdl_matrix {
    choir_dtype type;
    int32_t n_rows, n_cols;
    const uint8_t *panels; /* kernels/pack.h; 64-byte aligned */
    size_t panel_bytes;    /* bytes of one panel, in either case */
    const uint8_t *rows;   /* file layout, any alignment */
    size_t row_bytes;
};

/* A feed-forward network of hidden width h.  Biases are NULL where the family has none. */
struct mdl_ffn {
    struct mdl_matrix w_gate;            /* [h, dim]; all zero fields unless config.gated */
    struct mdl_matrix w_up;              /* [h, dim] */
    struct mdl_matrix w_down;            /* [dim, h] */
    const float *b_gate, *b_up, *b_down; /* [h], [h], [dim] */
};

/* Vectors are NULL where the family, or this model of it, has none. */
struct mdl_layer {
    int32_t window;                        /* tokens a query sees, itself included; 0: all */
    int32_t rope;                          /* which of config.rope */
    const float *att_norm, *att_norm_bias; /* [dim] */
    struct mdl_matrix wq;                  /* [n_heads * head_dim, dim] */
    struct mdl_matrix wk, wv;              /* [n_kv_heads * head_dim, dim] */
    struct mdl_matrix wo;                  /* [dim, n_heads * head_dim] */
    const float *bq, *bk, *bv, *bo;        /* as many as their matrix has rows */
    const float *q_norm, *k_norm;          /* enum mdl_qk_norm */
    const float *post_att_norm;            /* [dim] */
    const float *ffn_norm, *ffn_norm_bias; /* [dim]; NULL in a parallel block with one norm */
    const float *post_ffn_norm;            /* [dim] */
    struct mdl_ffn ffn;                    /* of a layer without experts */
    struct mdl_matrix router;              /* [n_experts, dim]; n_rows 0: a layer without experts */
    struct mdl_ffn *experts;               /* [n_experts], of width expert_dim; NULL without */
    struct mdl_ffn shared;                 /* of width shared_dim; w_up.n_rows 0 without */
    const float *shared_gate;              /* [dim] */
};

struct mdl_model {
    struct mdl_config config;
    struct mdl_matrix embed;                     /* [vocab_size, dim] */
    struct mdl_matrix positions;                 /* [max_seq_len, dim] of learned positions */
    const float *output_norm, *output_norm_bias; /* [dim] */
    struct mdl_matrix output;                    /* [vocab_size, dim]; the same bytes as embed when tied */
    const float *output_bias;                    /* [vocab_size] or NULL */
    struct mdl_layer *layers;                    /* [n_layers] */
    const float *rope_freqs; /* [rope_dim / 2] extra divisors of the frequencies (GGUF rope_freqs.weight), or NULL */
    struct base_arena arena; /* all of the above */
    uint64_t weight_bytes;   /* of the matrices and vectors as they lie in memory */
};

/* What a mix of types goes by. */
static inline struct wts_mix_model mdl_mix_model(const struct mdl_config *c)
{
    return (struct wts_mix_model){.n_layers = c->n_layers,
                                  .n_heads = c->n_heads,
                                  .n_kv_heads = c->n_kv_heads,
                                  .n_experts = c->n_experts,
                                  .falcon = strcmp(c->arch->name, "falcon") == 0};
}

struct mdl_load_options {
    /* NULL: keep the file's types; else 2-D matrices become what the mix says, where their width allows */
    const struct wts_mix *quant;
    bool in_place; /* --mmap: the set is mapped; matrices stay in the file's layout (not with quant) */
    int n_threads;
    /* called by one thread now and then, bytes of the source read so far of all; non-zero ends loading (CHOIR_CANCELLED) */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    /* one line, without newline: what is odd but harmless (tensors nobody asked for) */
    void (*warn)(void *user, const char *line);
    void *user;
};

/* Binds the tensors of the set by the names of the architecture's row, checks every shape, and packs them into one
 * arena, in parallel, reading the file in pieces (peak memory is one copy).  1-D tensors are checked to be finite.
 * With in_place the set must stay open as long as the model; else it may be closed. */
choir_status mdl_open(struct mdl_model **out, const struct mdl_config *config, struct wts_set *set,
                      const struct mdl_load_options *opt, choir_error *err);
void mdl_close(struct mdl_model *m);

/* Bytes that mdl_open will take, from headers alone. */
choir_status mdl_plan_bytes(const struct mdl_config *config, const struct wts_set *set,
                            const struct mdl_load_options *opt, uint64_t *bytes, choir_error *err);

/* Row `row` of a matrix, widened: y [n_cols]. */
void mdl_read_row(float *y, const struct mdl_matrix *m, int32_t row);

/* The same for the same model, however it was loaded (packed or in place), and another one for any that can be told apart by
 * its configuration, the types and shapes of its matrices, three rows of each, biases, or norms. */
choir_status mdl_fingerprint(uint64_t *out, const struct mdl_model *m, choir_error *err);

/* Parameters per part, from the configuration alone. */
struct mdl_params {
    uint64_t embedding, positions, wq, wk, wv, wo;
    uint64_t ffn;             /* shared experts included */
    uint64_t router, experts; /* router: with the shared experts' gates */
    uint64_t norms;           /* their biases included */
    uint64_t biases;          /* of matrices */
    uint64_t output;
    uint64_t total;
    uint64_t active; /* all but the experts that a token does not take */
};
void mdl_count_params(const struct mdl_config *c, struct mdl_params *p);

#endif
