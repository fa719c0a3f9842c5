/* Planning and carving the activations: one arena per state, sized before it is mapped. */
#include "model/state.h"

#include <stdlib.h>

#include "base/error.h"
#include "model/rope.h"

/* Widest input of a group of matrices. */
static int32_t widest_input(const struct mdl_config *c)
{
    int32_t w = c->dim > c->hidden_dim ? c->dim : c->hidden_dim;
    return w > mdl_q_dim(c) ? w : mdl_q_dim(c);
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t largest_panel(const struct mdl_model *m)
{
    size_t n = m->output.rows != NULL ? m->output.panel_bytes : 0;
    for (int32_t l = 0; m->layers != NULL && l < m->config.n_layers; l++) {
        const struct mdl_layer *y = &m->layers[l];
        const struct mdl_matrix *all[] = {&y->wq, &y->wk, &y->wv, &y->wo, &y->ffn.w_gate, &y->ffn.w_up, &y->ffn.w_down};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            n = max_size(n, all[i]->rows != NULL ? all[i]->panel_bytes : 0);
        }
    }
    return n;
}

/* Walks over every part in one fixed order: with s == NULL it only adds up, else it hands the parts out. */
struct carver {
    struct base_arena *arena; /* NULL: only count */
    size_t bytes;
};

static void *part(struct carver *c, size_t bytes)
{
    c->bytes += base_arena_cost(bytes);
    return c->arena != NULL ? base_arena_take(c->arena, bytes) : NULL;
}

static void carve_scratch(struct carver *c, struct mdl_scratch *t, const struct mdl_model *m, const struct kv_shape *kv)
{
    size_t hd = (size_t)m->config.head_dim;
    size_t rows = KERN_ATTN_ROWS;
    size_t token = kern_kv_token_bytes((enum kern_kv)kv->type, m->config.head_dim);
    size_t gather = kv->block_size < KERN_ATTN_TILE ? KERN_ATTN_SPAN * token : 0;
    t->panel = part(c, largest_panel(m));
    t->q = part(c, rows * hd * sizeof *t->q);
    t->acc = part(c, rows * hd * sizeof *t->acc);
    t->acc2 = part(c, rows * hd * sizeof *t->acc2);
    t->m = part(c, rows * sizeof *t->m);
    t->l = part(c, rows * sizeof *t->l);
    t->m2 = part(c, rows * sizeof *t->m2);
    t->l2 = part(c, rows * sizeof *t->l2);
    t->from = part(c, rows * sizeof *t->from);
    t->to = part(c, rows * sizeof *t->to);
    t->kernel = part(c, kern_attn_scratch(m->config.head_dim) * sizeof *t->kernel);
    t->k_tiles = part(c, KERN_ATTN_SPAN / KERN_ATTN_TILE * sizeof *t->k_tiles);
    t->v_tiles = part(c, KERN_ATTN_SPAN / KERN_ATTN_TILE * sizeof *t->v_tiles);
    t->next_tiles = part(c, KERN_ATTN_CHUNK / KERN_ATTN_TILE * sizeof *t->next_tiles);
    t->k_gather = part(c, gather);
    t->v_gather = part(c, gather);
}

static void carve(struct carver *c, struct mdl_state *s, const struct mdl_model *m, const struct kv_shape *kv,
                  const struct mdl_state_options *opt)
{
    const struct mdl_config *g = &m->config;
    size_t t = (size_t)opt->max_tokens;
    size_t f = sizeof(float);
    size_t half = (size_t)g->rope_dim / 2;
    s->x = part(c, t * (size_t)g->dim * f);
    s->xb = part(c, max_size(t, (size_t)opt->max_logits) * (size_t)g->dim * f);
    s->q = part(c, t * (size_t)mdl_q_dim(g) * f);
    s->k = part(c, t * (size_t)mdl_kv_dim(g) * f);
    s->v = part(c, t * (size_t)mdl_kv_dim(g) * f);
    s->att = part(c, t * (size_t)mdl_q_dim(g) * f);
    s->gate = part(c, t * (size_t)g->hidden_dim * f);
    s->up = part(c, t * (size_t)g->hidden_dim * f);
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        size_t per_token = kern_act_token_bytes((enum dtype_act)kind, widest_input(g));
        s->act[kind] = part(c, max_size(t, (size_t)opt->max_logits) * per_token);
        s->act_hidden[kind] = part(c, t * kern_act_token_bytes((enum dtype_act)kind, g->hidden_dim));
    }
    s->inv_freq = part(c, half * sizeof *s->inv_freq);
    s->cosine = part(c, t * half * f);
    s->sine = part(c, t * half * f);
    s->token_run = part(c, t * sizeof *s->token_run);
    s->logit_token = part(c, (size_t)opt->max_logits * sizeof *s->logit_token);
    s->logits = part(c, (size_t)opt->max_logits * (size_t)g->vocab_size * f);
    s->partial_cap = mdl_attention_partial_floats(m, opt);
    s->partial = part(c, s->partial_cap * f);
    s->scratch = part(c, (size_t)opt->n_threads * sizeof *s->scratch);
    for (int i = 0; i < opt->n_threads; i++) {
        struct mdl_scratch nowhere;
        carve_scratch(c, c->arena != NULL ? &s->scratch[i] : &nowhere, m, kv);
    }
}

size_t mdl_state_bytes(const struct mdl_model *m, const struct kv_shape *kv, const struct mdl_state_options *opt)
{
    struct mdl_state nowhere;
    struct carver c = {0};
    carve(&c, &nowhere, m, kv, opt);
    return c.bytes;
}

choir_status mdl_state_open(struct mdl_state **out, const struct mdl_model *m, const struct choir_kernels *k,
                            struct kv_store *kv, const struct mdl_state_options *opt, choir_error *err)
{
    *out = NULL;
    struct mdl_state *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return base_fail_memory(err, sizeof *s, "a model state");
    }
    s->model = m;
    s->kernels = k;
    s->kv = kv;
    s->opt = *opt;
    choir_status status = base_arena_map(&s->arena, mdl_state_bytes(m, &kv->shape, opt), false, "activations", err);
    if (status != CHOIR_OK) {
        free(s);
        return status;
    }
    struct carver c = {.arena = &s->arena};
    carve(&c, s, m, &kv->shape, opt);
    mdl_rope_inv_freq(s->inv_freq, &m->config, m->rope_freqs);
    *out = s;
    return CHOIR_OK;
}

void mdl_state_close(struct mdl_state *s)
{
    if (s != NULL) {
        base_arena_unmap(&s->arena);
        free(s);
    }
}

const float *mdl_logits(const struct mdl_state *s, int32_t i)
{
    return s->logits + (size_t)i * (size_t)s->model->config.vocab_size;
}
