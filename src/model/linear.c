/* Activations meet weight matrices.  A group of matrices with the same input (q, k and v; gate and up) is one pool of
 * panels that the threads share, so a group costs one barrier. */
#include "kernels/pack.h"
#include "model/state.h"

static bool wants(const struct mdl_state *s, const struct mdl_job *jobs, int n_jobs, enum dtype_act kind)
{
    for (int i = 0; i < n_jobs; i++) {
        if (s->kernels->act[jobs[i].w->type] == kind) {
            return true;
        }
    }
    return false;
}

static int gcd(int a, int b)
{
    while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int mdl_pack_unit(const struct mdl_state *s, const struct mdl_job *jobs, int n_jobs, int n_tokens)
{
    int unit = 1; /* least common multiple of the tiles */
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        if (wants(s, jobs, n_jobs, (enum dtype_act)kind)) {
            int tile = s->kernels->act_tile[kind](n_tokens);
            unit = unit / gcd(unit, tile) * tile;
        }
    }
    return unit;
}

/* Packs the tokens [token0, token1) of one tile-aligned range. */
static void pack_kind(struct mdl_state *s, enum dtype_act kind, const float *x, int n_tokens, int n_cols, int token0,
                      int token1, int col0, int col1)
{
    int tile = s->kernels->act_tile[kind](n_tokens);
    uint8_t *act = s->act[kind] + (size_t)token0 * kern_act_token_bytes(kind, n_cols);
    s->kernels->act_pack[kind](act, x + (size_t)token0 * (size_t)n_cols, (size_t)n_cols, token1 - token0, tile, n_cols,
                               col0, col1);
}

void mdl_pack(struct mdl_state *s, const struct mdl_job *jobs, int n_jobs, const float *x, int n_tokens, int token0,
              int token1, int col0, int col1)
{
    int n_cols = jobs[0].w->n_cols;
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        if (wants(s, jobs, n_jobs, (enum dtype_act)kind)) {
            pack_kind(s, (enum dtype_act)kind, x, n_tokens, n_cols, token0, token1, col0, col1);
        }
    }
}

/* Panels [panel0, panel1) of one matrix. */
static void apply(struct mdl_state *s, struct mdl_scratch *scratch, const struct mdl_job *job, int n_tokens, int panel0,
                  int panel1)
{
    const struct mdl_matrix *w = job->w;
    enum dtype_act kind = s->kernels->act[w->type];
    int tile = s->kernels->act_tile[kind](n_tokens);
    int row0 = panel0 * DTYPE_PANEL_ROWS;
    int row1 = panel1 * DTYPE_PANEL_ROWS < w->n_rows ? panel1 * DTYPE_PANEL_ROWS : w->n_rows;
    size_t ldy = (size_t)w->n_rows;
    if (w->panels != NULL) {
        s->kernels->matmul[w->type](job->y + row0, ldy, w->panels + (size_t)panel0 * w->panel_bytes, row1 - row0,
                                    w->n_cols, s->act[kind], n_tokens, tile, job->add);
        return;
    }
    for (int row = row0; row < row1; row += DTYPE_PANEL_ROWS) { /* left in the file: packed on the fly, same bits */
        int n = row1 - row < DTYPE_PANEL_ROWS ? row1 - row : DTYPE_PANEL_ROWS;
        kern_pack_panel(w->type, scratch->panel, w->rows + (size_t)row * w->row_bytes, w->row_bytes, n, w->n_cols);
        s->kernels->matmul[w->type](job->y + row, ldy, scratch->panel, n, w->n_cols, s->act[kind], n_tokens, tile,
                                    job->add);
    }
}

static int n_panels(const struct mdl_matrix *w)
{
    return (w->n_rows + DTYPE_PANEL_ROWS - 1) / DTYPE_PANEL_ROWS;
}

void mdl_linear(struct par_thread *me, struct mdl_state *s, const struct mdl_job *jobs, int n_jobs, int n_tokens)
{
    int total = 0;
    for (int i = 0; i < n_jobs; i++) {
        total += n_panels(jobs[i].w);
    }
    int begin, end;
    par_share(me, total, 2, &begin, &end);
    int first = 0; /* of the current job, in the pool */
    for (int i = 0; i < n_jobs; i++) {
        int n = n_panels(jobs[i].w);
        int p0 = begin > first ? begin - first : 0;
        int p1 = end - first < n ? end - first : n;
        if (p0 < p1) {
            apply(s, &s->scratch[me->id], &jobs[i], n_tokens, p0, p1);
        }
        first += n;
    }
}
