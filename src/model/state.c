/* Planning and carving the activations: one arena per state, sized before it is mapped. */
#include "model/state.h"

#include <stdlib.h>

#include "base/error.h"
#include "model/rope.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Widest input of a group of matrices. */
static size_t widest_input(const struct mdl_config *c)
{
    return max_size(max_size((size_t)c->dim, (size_t)c->hidden_dim), (size_t)mdl_q_dim(c));
}

static size_t panel_in_file(const struct mdl_matrix *w)
{
    return w->rows != NULL ? w->panel_bytes : 0;
}

static size_t largest_panel_of_ffn(const struct mdl_ffn *f)
{
    return max_size(max_size(panel_in_file(&f->w_gate), panel_in_file(&f->w_up)), panel_in_file(&f->w_down));
}

/* Of the matrices left in the file's layout. */
static size_t largest_panel(const struct mdl_model *m)
{
    size_t n = panel_in_file(&m->output);
    for (int32_t l = 0; m->layers != NULL && l < m->config.n_layers; l++) {
        const struct mdl_layer *y = &m->layers[l];
        const struct mdl_matrix *all[] = {&y->wq, &y->wk, &y->wv, &y->wo, &y->router};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            n = max_size(n, panel_in_file(all[i]));
        }
        n = max_size(n, max_size(largest_panel_of_ffn(&y->ffn), largest_panel_of_ffn(&y->shared)));
        for (int32_t i = 0; y->experts != NULL && i < m->config.n_experts; i++) {
            n = max_size(n, largest_panel_of_ffn(&y->experts[i]));
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

static void carve_angles(struct carver *c, struct mdl_state *s, const struct mdl_config *g, size_t n_tokens)
{
    const size_t half = (size_t)g->rope_dim / 2;
    int kinds[MDL_ROPE_KINDS];
    s->n_angles = mdl_rope_tables(kinds, g);
    for (int i = 0; i < s->n_angles; i++) {
        s->angles[i].inv_freq = part(c, half * sizeof(double));
        s->angles[i].cosine = part(c, n_tokens * half * sizeof(float));
        s->angles[i].sine = part(c, n_tokens * half * sizeof(float));
        s->angles[i].sink_cosine = part(c, half * sizeof(float));
        s->angles[i].sink_sine = part(c, half * sizeof(float));
    }
}

/* For layers with experts, and t tokens. */
static void carve_routes(struct carver *c, struct mdl_routes *r, const struct mdl_config *g, size_t t)
{
    const size_t n = (size_t)g->n_experts, n_rows = t * (size_t)g->n_experts_used, shared = g->shared_dim > 0 ? t : 0;
    const size_t hidden = n_rows * (size_t)g->expert_dim + shared * (size_t)g->shared_dim;
    r->logits = part(c, t * n * sizeof *r->logits);
    r->chosen = part(c, n_rows * sizeof *r->chosen);
    r->weights = part(c, n_rows * sizeof *r->weights);
    r->shared_weights = part(c, shared * sizeof *r->shared_weights);
    r->rows = part(c, n_rows * sizeof *r->rows);
    r->tokens = part(c, n_rows * sizeof *r->tokens);
    r->next = part(c, n * sizeof *r->next);
    r->groups = part(c, ((n_rows < n ? n_rows : n) + 1) * sizeof *r->groups);
    r->x = part(c, (n_rows + shared) * (size_t)g->dim * sizeof *r->x);
    r->hidden = part(c, hidden * sizeof *r->hidden);
    r->up = part(c, g->gated ? hidden * sizeof *r->up : 0);
    for (int i = 0; i < DTYPE_ACT_COUNT; i++) {
        const enum dtype_act kind = (enum dtype_act)i;
        r->act[kind] = part(c, n_rows * kern_act_token_bytes(kind, g->dim));
        r->act_hidden[kind] = part(c, n_rows * kern_act_token_bytes(kind, g->expert_dim) +
                                          shared * kern_act_token_bytes(kind, g->shared_dim));
    }
}

static void carve(struct carver *c, struct mdl_state *s, const struct mdl_model *m, const struct kv_shape *kv,
                  const struct mdl_state_options *opt)
{
    const struct mdl_config *g = &m->config;
    size_t t = (size_t)opt->max_tokens;
    size_t f = sizeof(float);
    s->x = part(c, t * (size_t)g->dim * f);
    s->xb = part(c, max_size(t, (size_t)opt->max_logits) * (size_t)g->dim * f);
    s->q = part(c, t * (size_t)mdl_q_dim(g) * f);
    s->q_sink = part(c, opt->stream && opt->n_sinks > 0 ? t * (size_t)mdl_q_dim(g) * f : 0);
    s->k = part(c, t * (size_t)mdl_kv_dim(g) * f);
    s->v = part(c, t * (size_t)mdl_kv_dim(g) * f);
    s->att = part(c, t * (size_t)mdl_q_dim(g) * f);
    s->block = part(c, g->post_norm ? t * (size_t)g->dim * f : 0);
    s->hidden = part(c, t * (size_t)g->hidden_dim * f);
    s->up = part(c, g->gated ? t * (size_t)g->hidden_dim * f : 0);
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        size_t per_token = kern_act_token_bytes((enum dtype_act)kind, (int)widest_input(g));
        s->act[kind] = part(c, max_size(t, (size_t)opt->max_logits) * per_token);
        s->act_hidden[kind] = part(c, t * kern_act_token_bytes((enum dtype_act)kind, g->hidden_dim));
    }
    carve_angles(c, s, g, t);
    s->token_run = part(c, t * sizeof *s->token_run);
    s->logit_token = part(c, (size_t)opt->max_logits * sizeof *s->logit_token);
    s->logits = part(c, (size_t)opt->max_logits * (size_t)g->vocab_size * f);
    s->partial_cap = mdl_attention_partial_floats(m, opt);
    s->partial = part(c, s->partial_cap * f);
    if (g->n_experts > 0) {
        carve_routes(c, &s->routes, g, t);
    }
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

/* Frequencies are fixed here, for as long as the state lives. */
static choir_status fix_angles(struct mdl_state *s, choir_error *err)
{
    const struct mdl_config *c = &s->model->config;
    int kinds[MDL_ROPE_KINDS];
    const int n = mdl_rope_tables(kinds, c);
    for (int i = 0; i < n; i++) {
        struct mdl_angles *a = &s->angles[i];
        a->magnitude = c->rope[kinds[i]].magnitude;
        mdl_rope_inv_freq(a->inv_freq, c, kinds[i], s->opt.rope_len, s->model->rope_freqs);
        if (!mdl_rope_in_range(a->inv_freq, c, s->opt.max_seq_len)) {
            return base_fail(err, CHOIR_USAGE, "--ctx-size: RoPE angles out of range over %d tokens",
                             s->opt.max_seq_len);
        }
        mdl_rope_angles(a->sink_cosine, a->sink_sine, a->inv_freq, a->magnitude, c->rope_dim / 2,
                        s->opt.max_seq_len - 1);
    }
    for (int kind = 0; kind < MDL_ROPE_KINDS; kind++) {
        s->angles_of[kind] = &s->angles[n == MDL_ROPE_KINDS ? kind : 0];
    }
    return CHOIR_OK;
}

/* What the experts want their inputs packed in; and that a loop over all their rows can be counted. */
static choir_status fix_routes(struct mdl_state *s, choir_error *err)
{
    const struct mdl_model *m = s->model;
    const struct mdl_config *c = &m->config;
    const size_t widest = max_size(max_size((size_t)c->expert_dim, (size_t)c->shared_dim), (size_t)c->dim);
    const size_t places = (size_t)s->opt.max_tokens * ((size_t)c->n_experts_used + 1) * (widest / KERN_ACT_COLS + 1);
    if (c->n_experts > 0 && places > INT32_MAX) {
        return base_fail(err, CHOIR_USAGE, "--batch: %d tokens of %d experts each are too many", s->opt.max_tokens,
                         c->n_experts_used);
    }
    for (int32_t l = 0; l < c->n_layers; l++) {
        for (int32_t i = 0; m->layers[l].experts != NULL && i < c->n_experts; i++) {
            const struct mdl_ffn *f = &m->layers[l].experts[i];
            const struct mdl_job in[] = {{.w = &f->w_up}, {.w = c->gated ? &f->w_gate : &f->w_up}};
            s->routes.forms |= mdl_forms(s, in, 2);
        }
    }
    return CHOIR_OK;
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
    status = fix_angles(s, err);
    if (status == CHOIR_OK) {
        status = fix_routes(s, err);
    }
    if (status != CHOIR_OK) {
        mdl_state_close(s);
        return status;
    }
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
