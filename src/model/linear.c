/* Activations meet weight matrices.  A group of matrices with the same input (q, k and v; gate and up) is one pool of
 * panels that the threads share, so a group costs one barrier. */
#include "kernels/pack.h"
#include "model/state.h"

unsigned mdl_forms(const struct mdl_state *s, const struct mdl_job *jobs, int n_jobs)
{
    unsigned forms = 0;
    for (int i = 0; i < n_jobs; i++) {
        forms |= 1u << s->kernels->act[jobs[i].w->type];
    }
    return forms;
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

int mdl_pack_unit(const struct mdl_state *s, unsigned forms, int n_tokens)
{
    int unit = 1; /* least common multiple of the tiles */
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        if ((forms >> kind & 1) != 0) {
            int tile = s->kernels->act_tile[kind](n_tokens);
            unit = unit / gcd(unit, tile) * tile;
        }
    }
    return unit;
}

/* Packs the tokens [token0, token1) of one tile-aligned range. */
static void pack_kind(struct mdl_state *s, uint8_t *act, enum dtype_act kind, const float *x, int n_tokens, int n_cols,
                      int token0, int token1, int col0, int col1)
{
    int tile = s->kernels->act_tile[kind](n_tokens);
    act += (size_t)token0 * kern_act_token_bytes(kind, n_cols);
    s->kernels->act_pack[kind](act, x + (size_t)token0 * (size_t)n_cols, (size_t)n_cols, token1 - token0, tile, n_cols,
                               col0, col1);
}

void mdl_pack(struct mdl_state *s, uint8_t *const *act, unsigned forms, const float *x, int n_cols, int n_tokens,
              int token0, int token1, int col0, int col1)
{
    for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
        if ((forms >> kind & 1) != 0) {
            pack_kind(s, act[kind], (enum dtype_act)kind, x, n_tokens, n_cols, token0, token1, col0, col1);
        }
    }
}

/* Tokens [token0, token1), rows [row0, row1), without the bias. */
static void multiply(struct mdl_state *s, int thread, uint8_t *const *acts, const struct mdl_job *job, int n_tokens,
                     int token0, int token1, int row0, int row1)
{
    const struct mdl_matrix *w = job->w;
    const enum dtype_act kind = s->kernels->act[w->type];
    const int tile = s->kernels->act_tile[kind](n_tokens), n = token1 - token0;
    const uint8_t *act = acts[kind] + (size_t)token0 * kern_act_token_bytes(kind, w->n_cols);
    const size_t ldy = (size_t)w->n_rows;
    float *y = job->y + (size_t)token0 * ldy;
    if (w->panels != NULL) {
        const uint8_t *panels = w->panels + (size_t)(row0 / DTYPE_PANEL_ROWS) * w->panel_bytes;
        s->kernels->matmul[w->type](y + row0, ldy, panels, row1 - row0, w->n_cols, act, n, tile, job->add);
        return;
    }
    uint8_t *panel = s->scratch[thread].panel;
    for (int row = row0; row < row1; row += DTYPE_PANEL_ROWS) { /* left in the file: packed on the fly, same bits */
        int n_rows = row1 - row < DTYPE_PANEL_ROWS ? row1 - row : DTYPE_PANEL_ROWS;
        kern_pack_panel(w->type, panel, w->rows + (size_t)row * w->row_bytes, w->row_bytes, n_rows, w->n_cols);
        s->kernels->matmul[w->type](y + row, ldy, panel, n_rows, w->n_cols, act, n, tile, job->add);
    }
}

static void apply(struct mdl_state *s, int thread, uint8_t *const *acts, const struct mdl_job *job, int n_tokens,
                  int token0, int token1, int row0, int row1)
{
    multiply(s, thread, acts, job, n_tokens, token0, token1, row0, row1);
    for (int t = token0; job->bias != NULL && t < token1; t++) {
        s->kernels->add(job->y + (size_t)t * (size_t)job->w->n_rows + row0, job->bias + row0, row1 - row0);
    }
}

void mdl_linear_rows(struct mdl_state *s, int thread, uint8_t *const *act, const struct mdl_job *job, int n_tokens,
                     int row0, int row1)
{
    apply(s, thread, act, job, n_tokens, 0, n_tokens, row0, row1);
}

void mdl_linear_tokens(struct mdl_state *s, int thread, uint8_t *const *act, const struct mdl_job *job, int n_tokens,
                       int token0, int token1)
{
    apply(s, thread, act, job, n_tokens, token0, token1, 0, job->w->n_rows);
}

/* Half a million multiply-adds: some 10 us, a hundred times what claiming costs. */
int mdl_grain_rows(int n_cols, int n_tokens)
{
    const int64_t rows = ((int64_t)1 << 19) / ((int64_t)n_cols * n_tokens);
    return rows < KERN_ACT_COLS ? KERN_ACT_COLS : (int)(rows / KERN_ACT_COLS * KERN_ACT_COLS);
}

static int n_panels(const struct mdl_matrix *w)
{
    return (w->n_rows + DTYPE_PANEL_ROWS - 1) / DTYPE_PANEL_ROWS;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Panels [begin, end) of the pool that all jobs' panels make. */
static void apply_pool(struct mdl_state *s, int thread, uint8_t *const *act, const struct mdl_job *jobs, int n_jobs,
                       int n_tokens, int begin, int end)
{
    int first = 0; /* of the current job, in the pool */
    for (int i = 0; i < n_jobs; i++) {
        const int n = n_panels(jobs[i].w);
        const int p0 = begin > first ? begin - first : 0, p1 = min_int(end - first, n);
        if (p0 < p1) {
            apply(s, thread, act, &jobs[i], n_tokens, 0, n_tokens, p0 * DTYPE_PANEL_ROWS,
                  min_int(p1 * DTYPE_PANEL_ROWS, jobs[i].w->n_rows));
        }
        first += n;
    }
}

void mdl_linear_from(struct par_thread *me, struct mdl_state *s, uint8_t *const *act, const struct mdl_job *jobs,
                     int n_jobs, int n_tokens)
{
    const int unit = KERN_ACT_COLS / DTYPE_PANEL_ROWS; /* panels; kernels like pairs of them, or more */
    int total = 0;
    for (int i = 0; i < n_jobs; i++) {
        total += n_panels(jobs[i].w);
    }
    int begin, end;
    par_loop_begin(me, total, unit, mdl_grain_rows(jobs[0].w->n_cols, n_tokens) / DTYPE_PANEL_ROWS);
    while (par_loop_next(me, &begin, &end)) {
        apply_pool(s, me->id, act, jobs, n_jobs, n_tokens, begin, end);
    }
    par_loop_end(me);
}

void mdl_linear(struct par_thread *me, struct mdl_state *s, const struct mdl_job *jobs, int n_jobs, int n_tokens)
{
    mdl_linear_from(me, s, s->act, jobs, n_jobs, n_tokens);
}
