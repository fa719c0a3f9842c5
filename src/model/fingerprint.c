/* What tells models apart, at the cost of a look into each matrix. */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "kernels/pack.h"
#include "model/model.h"
#include "model/state.h"
#include "weights/quants.h"

struct print {
    uint64_t sum;
    float *row; /* [widest matrix] */
};

static void add(struct print *p, const void *bytes, size_t n)
{
    p->sum = XXH64(bytes, n, p->sum);
}

void mdl_read_row(float *y, const struct mdl_matrix *m, int32_t row)
{
    if (m->panels != NULL) {
        size_t panel = (size_t)row / DTYPE_PANEL_ROWS;
        kern_unpack_row(m->type, y, m->panels + panel * m->panel_bytes, row % DTYPE_PANEL_ROWS, m->n_cols);
    } else {
        wts_dequantize_row(m->type, y, m->rows + (size_t)row * m->row_bytes, (size_t)m->n_cols);
    }
}

static void add_floats(struct print *p, const float *x, int32_t n)
{
    if (x != NULL) {
        add(p, x, (size_t)n * sizeof *x);
    }
}

static void add_matrix(struct print *p, const struct mdl_matrix *m)
{
    const int32_t about[] = {(int32_t)m->type, m->n_rows, m->n_cols};
    const int32_t rows[] = {0, m->n_rows / 2, m->n_rows - 1};
    add(p, about, sizeof about);
    for (size_t i = 0; m->n_rows > 0 && i < sizeof rows / sizeof *rows; i++) {
        mdl_read_row(p->row, m, rows[i]);
        add_floats(p, p->row, m->n_cols);
    }
}

static void add_ffn(struct print *p, const struct mdl_ffn *f)
{
    const struct mdl_matrix *matrices[] = {&f->w_gate, &f->w_up, &f->w_down};
    const float *biases[] = {f->b_gate, f->b_up, f->b_down};
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
        add_matrix(p, matrices[i]);
        add_floats(p, biases[i], matrices[i]->n_rows);
    }
}

static void add_attention(struct print *p, const struct mdl_config *c, const struct mdl_layer *y)
{
    const struct mdl_matrix *matrices[] = {&y->wq, &y->wk, &y->wv, &y->wo};
    const float *biases[] = {y->bq, y->bk, y->bv, y->bo};
    const bool rows = c->qk_norm == MDL_QK_NORM_ROW;
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
        add_matrix(p, matrices[i]);
        add_floats(p, biases[i], matrices[i]->n_rows);
    }
    add_floats(p, y->q_norm, rows ? mdl_q_dim(c) : c->head_dim);
    add_floats(p, y->k_norm, rows ? mdl_kv_dim(c) : c->head_dim);
}

static void add_layer(struct print *p, const struct mdl_config *c, const struct mdl_layer *y)
{
    const float *norms[] = {y->att_norm,      y->att_norm_bias, y->post_att_norm, y->ffn_norm,
                            y->ffn_norm_bias, y->post_ffn_norm, y->shared_gate};
    const int32_t about[] = {y->window, y->rope};
    add(p, about, sizeof about);
    add_attention(p, c, y);
    add_ffn(p, &y->ffn);
    add_ffn(p, &y->shared);
    add_matrix(p, &y->router);
    for (int32_t i = 0; y->experts != NULL && i < c->n_experts; i++) {
        add_ffn(p, &y->experts[i]);
    }
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
        add_floats(p, norms[i], c->dim);
    }
}

static void add_config(struct print *p, const struct mdl_config *c)
{
    const int32_t counts[] = {c->dim,
                              c->hidden_dim,
                              c->n_layers,
                              c->n_heads,
                              c->n_kv_heads,
                              c->head_dim,
                              c->vocab_size,
                              (int32_t)c->norm,
                              (int32_t)c->qk_norm,
                              c->parallel,
                              c->two_norms,
                              c->gated,
                              (int32_t)c->activation,
                              (int32_t)c->position,
                              (int32_t)c->rope_layout,
                              c->rope_dim,
                              c->n_experts,
                              c->n_experts_used,
                              c->expert_dim,
                              c->shared_dim,
                              c->expert_weights_normed};
    const float factors[] = {c->norm_eps, c->embed_scale, c->attn_scale, c->attn_softcap, c->logit_softcap};
    add(p, c->arch->name, strlen(c->arch->name));
    add(p, counts, sizeof counts);
    add(p, factors, sizeof factors);
}

choir_status mdl_fingerprint(uint64_t *out, const struct mdl_model *m, choir_error *err)
{
    const struct mdl_config *c = &m->config;
    const int32_t widths[] = {c->dim, c->hidden_dim, mdl_q_dim(c), c->shared_dim, c->expert_dim};
    int32_t widest = 0;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        widest = widths[i] > widest ? widths[i] : widest;
    }
    struct print p = {.row = calloc((size_t)widest, sizeof *p.row)};
    if (p.row == NULL) {
        return base_fail_memory(err, (size_t)widest * sizeof *p.row, "a row of a matrix");
    }
    add_config(&p, c);
    add_matrix(&p, &m->embed);
    add_matrix(&p, &m->positions);
    add_matrix(&p, &m->output);
    add_floats(&p, m->output_norm, c->dim);
    add_floats(&p, m->output_norm_bias, c->dim);
    add_floats(&p, m->output_bias, m->output.n_rows);
    for (int32_t l = 0; l < c->n_layers; l++) {
        add_layer(&p, c, &m->layers[l]);
    }
    *out = p.sum;
    free(p.row);
    return CHOIR_OK;
}

uint64_t mdl_rope_fingerprint(const struct mdl_state *s)
{
    struct print p = {.sum = 0};
    for (int i = 0; i < s->n_angles; i++) {
        add(&p, s->angles[i].inv_freq, (size_t)s->model->config.rope_dim / 2 * sizeof(double));
        add(&p, &s->angles[i].magnitude, sizeof(double));
    }
    if (s->masked != NULL) { /* what later layers cache depends on it */
        add(&p, s->masked, (size_t)s->model->config.n_layers * (size_t)s->model->config.n_heads * sizeof *s->masked);
    }
    return p.sum;
}
