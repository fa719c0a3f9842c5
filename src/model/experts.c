/* Routed experts: every token goes through the few feed-forward networks that its router chose (Shazeer et al. 2017,
 * arXiv:1701.06538; as Mixtral has them, arXiv:2401.04088).
 *
 * Tokens are grouped by expert, so that an expert's weights are read once for all its tokens, and no other expert's are
 * read at all.  A group's rows lie together in the arrays of struct mdl_routes:
 *
 *   token   experts         expert 0  | 1      | 3   | shared
 *   0       0, 3            rows  0   |        | 3   | 4        T = 2, two experts each: R = 4
 *   1       0, 1                  1   | 2      |     | 5
 *
 * The shared expert is one more group, of every token.  The loops over groups run along a line on which each 64 rows of
 * an expert's matrix have as many places as the expert has tokens: equal parts of the line are equal parts of the work,
 * and its length is known before anything is routed.  (It must be: a thread may come late to a loop that others have
 * left, and what it then reads of the groups may be the next layer's.  Whoever has claimed a part of a loop may read.)
 *
 * A token's results are summed in ascending order of its experts' ids, then comes the shared expert's, then x: an order
 * that the rest of the batch has no part in. */
#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "kernels/reduce.h"
#include "model/blocks.h"

static int units_of(int n_rows)
{
    return (n_rows + KERN_ACT_COLS - 1) / KERN_ACT_COLS;
}

static int n_pairs(const struct mdl_state *s)
{
    return s->batch->n_tokens * s->model->config.n_experts_used;
}

static bool has_shared(const struct mdl_layer *y)
{
    return y->shared.w_up.n_rows > 0;
}

/* With one token, every expert reads what it gave the router. */
static bool must_gather(const struct mdl_state *s)
{
    return s->batch->n_tokens > 1;
}

/* ---- which experts ---- */

/* The k largest of logits[n], ties to the lower id; ids in chosen, ascending. */
static void choose(int32_t *chosen, int k, const float *logits, int n)
{
    int have = 0; /* chosen[0 .. have) descends by logit */
    for (int32_t e = 0; e < n; e++) {
        int at = have;
        while (at > 0 && logits[e] > logits[chosen[at - 1]]) {
            at--;
        }
        if (at < k) {
            have = have < k ? have + 1 : k;
            memmove(chosen + at + 1, chosen + at, (size_t)(have - at - 1) * sizeof *chosen);
            chosen[at] = e;
        }
    }
    for (int i = 1; i < k; i++) {
        const int32_t e = chosen[i];
        int at = i;
        for (; at > 0 && chosen[at - 1] > e; at--) {
            chosen[at] = chosen[at - 1];
        }
        chosen[at] = e;
    }
}

/* Softmax over all logits, or over the chosen ones: the same as over all, then made to sum to 1. */
static void weigh(float *weights, const int32_t *chosen, int k, const float *logits, int n, bool normed)
{
    float max = -INFINITY, spoiled = 0, sum = 0;
    for (int e = 0; e < n; e++) {
        max = logits[e] > max ? logits[e] : max;
        spoiled += logits[e] * 0.0f; /* NaN where any is not finite, chosen or not */
    }
    for (int e = 0; !normed && e < n; e++) {
        sum += fmath_exp(logits[e] - max);
    }
    for (int i = 0; i < k; i++) {
        weights[i] = fmath_exp(logits[chosen[i]] - max);
        sum += normed ? weights[i] : 0.0f;
    }
    for (int i = 0; i < k; i++) {
        weights[i] = weights[i] / sum + spoiled;
    }
}

/* sigmoid(w . x) */
static float gate_of(const float *w, const float *x, int n)
{
    float lane[16] = {0}, rest = 0;
    for (int i = 0; i + 16 <= n; i += 16) {
        for (int j = 0; j < 16; j++) {
            lane[j] += w[i + j] * x[i + j];
        }
    }
    for (int i = n / 16 * 16; i < n; i++) {
        rest += w[i] * x[i];
    }
    return 1.0f / (1.0f + fmath_exp(-(kern_reduce16(lane) + rest)));
}

/* Experts and weights of tokens [begin, end), from their logits. */
static void choose_tokens(struct mdl_state *s, const struct mdl_layer *y, int begin, int end)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_routes *r = &s->routes;
    const int n = c->n_experts, k = c->n_experts_used;
    for (size_t t = (size_t)begin; t < (size_t)end; t++) {
        const float *logits = r->logits + t * (size_t)n;
        int32_t *chosen = r->chosen + t * (size_t)k;
        choose(chosen, k, logits, n);
        weigh(r->weights + t * (size_t)k, chosen, k, logits, n, c->expert_weights_normed);
        if (has_shared(y)) {
            const size_t dim = (size_t)c->dim;
            r->shared_weights[t] = y->shared_gate != NULL ? gate_of(y->shared_gate, s->xb + t * dim, c->dim) : 1.0f;
        }
    }
}

/* Groups and rows, from everybody's experts. */
static void group_tokens(struct mdl_state *s, const struct mdl_layer *y)
{
    const struct mdl_config *c = &s->model->config;
    struct mdl_routes *r = &s->routes;
    const int n = n_pairs(s);
    int32_t first = 0;
    memset(r->next, 0, (size_t)c->n_experts * sizeof *r->next);
    for (int i = 0; i < n; i++) {
        r->next[r->chosen[i]]++;
    }
    r->n_groups = 0;
    for (int32_t e = 0; e < c->n_experts; e++) {
        const int32_t of_expert = r->next[e];
        r->next[e] = first;
        if (of_expert > 0) {
            r->groups[r->n_groups++] = (struct mdl_group){&y->experts[e], first, of_expert};
        }
        first += of_expert;
    }
    for (int i = 0; i < n; i++) {
        r->rows[i] = r->next[r->chosen[i]]++;
        r->tokens[r->rows[i]] = i / c->n_experts_used;
    }
    if (has_shared(y)) {
        r->groups[r->n_groups++] = (struct mdl_group){&y->shared, n, s->batch->n_tokens};
    }
}

/* Router, experts, groups.  A few tokens share the router's rows out, many themselves. */
static void route(struct par_thread *me, struct mdl_state *s, const struct mdl_layer *y)
{
    const int n = s->batch->n_tokens;
    const struct mdl_job job = {.w = &y->router, .y = s->routes.logits};
    const unsigned forms = mdl_forms(s, &job, 1);
    const bool by_token = n >= 4 * me->n;
    int begin, end;
    if (by_token) {
        const int grain = mdl_grain_rows(y->router.n_cols, 1) / y->router.n_rows;
        par_loop_begin(me, n, mdl_pack_unit(s, forms, n), grain > 1 ? grain : 1);
        while (par_loop_next(me, &begin, &end)) {
            mdl_linear_tokens(s, me->id, s->act, &job, n, begin, end);
            choose_tokens(s, y, begin, end);
        }
        par_loop_end(me);
    } else {
        mdl_linear(me, s, &job, 1, n);
    }
    par_loop_begin(me, 1, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        if (!by_token) {
            choose_tokens(s, y, 0, n);
        }
        group_tokens(s, y);
    }
    par_loop_end(me);
}

/* ---- their inputs ---- */

/* Where a group's part of packed activations begins: n_cols columns a row. */
static void act_of_group(uint8_t *part[DTYPE_ACT_COUNT], uint8_t *const *act, const struct mdl_group *g, int n_cols)
{
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        part[kind] = act[kind] + (size_t)g->first * kern_act_token_bytes((enum dtype_act)kind, n_cols);
    }
}

/* Rows [begin, end) of a group: their tokens' xb, packed. */
static void gather_rows(struct mdl_state *s, const struct mdl_group *g, int begin, int end)
{
    const struct mdl_routes *r = &s->routes;
    const size_t dim = (size_t)s->model->config.dim;
    uint8_t *act[DTYPE_ACT_COUNT];
    float *x = r->x + (size_t)g->first * dim;
    for (int i = begin; i < end; i++) {
        memcpy(x + (size_t)i * dim, s->xb + (size_t)r->tokens[g->first + i] * dim, dim * sizeof *x);
    }
    act_of_group(act, r->act, g, (int)dim);
    mdl_pack(s, act, r->forms, x, (int)dim, g->n, begin, end, 0, (int)dim);
}

/* Items are rows; who claims a tile's first one packs the tile. */
static void gather(struct par_thread *me, struct mdl_state *s)
{
    const struct mdl_routes *r = &s->routes;
    int begin, end;
    par_loop_begin(me, n_pairs(s), 1, mdl_grain(s->model->config.dim));
    while (par_loop_next(me, &begin, &end)) {
        for (int i = 0; i < r->n_groups && r->groups[i].first < end; i++) {
            const struct mdl_group *g = &r->groups[i];
            const int unit = mdl_pack_unit(s, r->forms, g->n);
            const int past = begin - g->first;
            for (int at = past <= 0 ? 0 : (past + unit - 1) / unit * unit; at < g->n && g->first + at < end;
                 at += unit) {
                gather_rows(s, g, at, at + unit < g->n ? at + unit : g->n);
            }
        }
    }
    par_loop_end(me);
}

/* ---- their matrices ---- */

/* What a loop along the line does: rows [row0, row1) of a group's W_gate and W_up, or W_down. */
typedef void group_fn(struct mdl_state *s, int thread, const struct mdl_group *g, int row0, int row1);

static void hidden_rows(struct mdl_state *s, int thread, const struct mdl_group *g, int row0, int row1)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_routes *r = &s->routes;
    const size_t at = (size_t)g->first * (size_t)c->expert_dim; /* also the shared expert's: it is behind all others */
    uint8_t *act[DTYPE_ACT_COUNT], *act_hidden[DTYPE_ACT_COUNT];
    act_of_group(act, r->act, g, c->dim);
    act_of_group(act_hidden, r->act_hidden, g, c->expert_dim);
    const bool gathered = must_gather(s) && g->first < n_pairs(s);
    const struct mdl_ffn_pass p = {g->ffn, g->n, gathered ? act : s->act, act_hidden, r->hidden + at, r->up + at};
    mdl_ffn_hidden_rows(s, thread, &p, row0, row1);
}

static void down_rows(struct mdl_state *s, int thread, const struct mdl_group *g, int row0, int row1)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_routes *r = &s->routes;
    const struct mdl_job job = {.w = &g->ffn->w_down, .y = r->x + (size_t)g->first * (size_t)c->dim};
    uint8_t *act_hidden[DTYPE_ACT_COUNT];
    act_of_group(act_hidden, r->act_hidden, g, c->expert_dim);
    mdl_linear_rows(s, thread, act_hidden, &job, g->n, row0, row1);
}

/* The place of a row's first unit on the line.  The shared group's are behind all others'. */
static int place_of(int units, const struct mdl_group *g)
{
    return g->first * units;
}

/* Units that begin on the first `places` of a group's places. */
static int units_before(int places, const struct mdl_group *g, int units)
{
    const int n = places <= 0 ? 0 : (places + g->n - 1) / g->n;
    return n < units ? n : units;
}

/* All rows of all groups' matrices: of the experts n_rows, of the shared one n_shared (0 without). */
static void along_the_line(struct par_thread *me, struct mdl_state *s, group_fn *fn, int n_rows, int n_shared,
                           int n_cols)
{
    const struct mdl_routes *r = &s->routes;
    const int units = units_of(n_rows);
    int begin, end;
    par_loop_begin(me, n_pairs(s) * units + s->batch->n_tokens * units_of(n_shared), 1,
                   mdl_grain_rows(n_cols, 1) / KERN_ACT_COLS);
    while (par_loop_next(me, &begin, &end)) {
        for (int i = 0; i < r->n_groups && place_of(units, &r->groups[i]) < end; i++) {
            const struct mdl_group *g = &r->groups[i];
            const bool is_shared = g->first == n_pairs(s);
            const int rows = is_shared ? n_shared : n_rows, at = place_of(units, g);
            const int u0 = units_before(begin - at, g, units_of(rows)), u1 = units_before(end - at, g, units_of(rows));
            if (u0 < u1) {
                fn(s, me->id, g, u0 * KERN_ACT_COLS, u1 * KERN_ACT_COLS < rows ? u1 * KERN_ACT_COLS : rows);
            }
        }
    }
    par_loop_end(me);
}

/* ---- their results ---- */

/* Columns [col0, col1) of token t: x += its experts' results. */
static void sum_token(struct mdl_state *s, bool shared, size_t t, int col0, int col1)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_routes *r = &s->routes;
    const size_t dim = (size_t)c->dim, k = (size_t)c->n_experts_used;
    for (int at = col0; at < col1; at += KERN_ACT_COLS) {
        const int n = col1 - at < KERN_ACT_COLS ? col1 - at : KERN_ACT_COLS;
        float sum[KERN_ACT_COLS] = {0};
        for (size_t i = 0; i < k + (shared ? 1 : 0); i++) {
            const size_t row = i < k ? (size_t)r->rows[t * k + i] : (size_t)n_pairs(s) + t;
            const float w = i < k ? r->weights[t * k + i] : r->shared_weights[t];
            const float *y = r->x + row * dim + at;
            for (int j = 0; j < n; j++) {
                sum[j] += w * y[j];
            }
        }
        float *x = s->x + t * dim + at;
        for (int j = 0; j < n; j++) {
            x[j] += sum[j];
        }
    }
}

static void sum_results(struct par_thread *me, struct mdl_state *s, bool shared)
{
    const struct mdl_config *c = &s->model->config;
    const int n = s->batch->n_tokens, k = c->n_experts_used + 1;
    const bool by_token = n >= 4 * me->n;
    int begin, end;
    par_loop_begin(me, by_token ? n : c->dim, by_token ? 1 : KERN_ACT_COLS,
                   mdl_grain((int64_t)k * (by_token ? c->dim : n)));
    while (par_loop_next(me, &begin, &end)) {
        for (int t = by_token ? begin : 0; t < (by_token ? end : n); t++) {
            sum_token(s, shared, (size_t)t, by_token ? 0 : begin, by_token ? c->dim : end);
        }
    }
    par_loop_end(me);
}

void mdl_experts(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_layer *y = &s->model->layers[l];
    const int n_shared = y->shared.w_up.n_rows;
    const struct mdl_job in[] = {
        {.w = &y->router}, {.w = &y->shared.w_up}, {.w = c->gated ? &y->shared.w_gate : &y->shared.w_up}};
    const unsigned forms = mdl_forms(s, in, n_shared > 0 ? 3 : 1);
    const struct mdl_norm norm = {y->ffn_norm, y->ffn_norm_bias};
    mdl_read_stream(me, s, l, norm, must_gather(s) ? forms : forms | s->routes.forms);
    route(me, s, y);
    if (must_gather(s)) {
        gather(me, s);
    }
    along_the_line(me, s, hidden_rows, c->expert_dim, n_shared, 2 * c->dim);
    along_the_line(me, s, down_rows, c->dim, n_shared > 0 ? c->dim : 0, c->expert_dim);
    sum_results(me, s, n_shared > 0);
}
