/* Layers with routed experts, on a model made by hand: W_O is 0, so that a token's logits depend on nothing but its id, and
 * a plain double-precision walk through the experts says what they should be. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernels/pack.h"
#include "kv/block_pool.h"
#include "model/forward.h"
#include "weights/quants.h"

/* Wide enough that a step of one token is worth several threads. */
enum { DIM = 224, EXPERT = 304, SHARED = 328, VOCAB = 50, LAYERS = 2, EXPERTS = 10, USED = 3, TOKENS = 40 };

/* Kept until the model is freed. */
struct made {
    struct mdl_model m;
    void *kept[1024];
    int n_kept;
    uint64_t n_drawn;
};

static void *keep(struct made *d, size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(p);
    assert_true(d->n_kept < 1024);
    d->kept[d->n_kept++] = p;
    memset(p, 0, bytes);
    return p;
}

static float *random_numbers(struct made *d, size_t n, double size)
{
    float *x = keep(d, n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)((2 * base_rng_uniform(7, 0, d->n_drawn++) - 1) * size);
    }
    return x;
}

/* Every matrix has its rows as a file has them, and is packed as well. */
static struct mdl_matrix random_matrix(struct made *d, choir_dtype type, int n_rows, int n_cols, double size)
{
    struct mdl_matrix w = {.type = type, .n_rows = n_rows, .n_cols = n_cols};
    w.row_bytes = dtype_row_bytes(type, (size_t)n_cols);
    w.panel_bytes = dtype_panel_bytes(type, (size_t)n_cols);
    uint8_t *rows = keep(d, (size_t)n_rows * w.row_bytes);
    uint8_t *panels = keep(d, dtype_packed_bytes(type, (size_t)n_rows, (size_t)n_cols));
    float *numbers = random_numbers(d, (size_t)n_rows * (size_t)n_cols, size * sqrt(3.0 / n_cols));
    for (int r = 0; r < n_rows; r++) {
        wts_quantize_row(type, rows + (size_t)r * w.row_bytes, numbers + (size_t)r * (size_t)n_cols, (size_t)n_cols);
    }
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS) {
        kern_pack_panel(type, panels + (size_t)(r / DTYPE_PANEL_ROWS) * w.panel_bytes, rows + (size_t)r * w.row_bytes,
                        w.row_bytes, n_rows - r < DTYPE_PANEL_ROWS ? n_rows - r : DTYPE_PANEL_ROWS, n_cols);
    }
    w.panels = panels;
    w.rows = rows;
    return w;
}

static struct mdl_ffn random_ffn(struct made *d, choir_dtype type, int hidden)
{
    return (struct mdl_ffn){
        .w_gate = random_matrix(d, type, hidden, DIM, 2),
        .w_up = random_matrix(d, type, hidden, DIM, 1),
        .w_down = random_matrix(d, type, DIM, hidden, 1),
    };
}

static void make_config(struct mdl_config *c, bool normed, int shared, bool gated)
{
    *c = (struct mdl_config){
        .dim = DIM,
        .hidden_dim = DIM,
        .n_layers = LAYERS,
        .n_heads = 2,
        .n_kv_heads = 1,
        .head_dim = 8,
        .vocab_size = VOCAB,
        .max_seq_len = 64,
        .norm_eps = 1e-5f,
        .pre_norm = true,
        .gated = true,
        .embed_scale = 1,
        .attn_scale = 1,
        .rope_dim = 8,
        .n_experts = EXPERTS,
        .n_experts_used = USED,
        .expert_dim = EXPERT,
        .shared_dim = shared,
        .shared_gated = gated,
        .expert_weights_normed = normed,
    };
    for (int i = 0; i < MDL_ROPE_KINDS; i++) {
        c->rope[i] = (struct mdl_rope){.theta = 10000, .factor = 1, .magnitude = 1};
    }
}

/* type_of[e % 3]: the types of the experts' matrices. */
static struct made *make(bool normed, int shared, bool gated, const choir_dtype type_of[3])
{
    struct made *d = calloc(1, sizeof *d);
    assert_non_null(d);
    struct mdl_model *m = &d->m;
    make_config(&m->config, normed, shared, gated);
    m->embed = random_matrix(d, DTYPE_F32, VOCAB, DIM, 5);
    m->output = random_matrix(d, DTYPE_F32, VOCAB, DIM, 1);
    m->output_norm = random_numbers(d, DIM, 1);
    m->layers = keep(d, LAYERS * sizeof *m->layers);
    for (int l = 0; l < LAYERS; l++) {
        struct mdl_layer *y = &m->layers[l];
        y->att_norm = random_numbers(d, DIM, 1);
        y->ffn_norm = random_numbers(d, DIM, 1);
        y->wq = random_matrix(d, DTYPE_F32, 16, DIM, 1);
        y->wk = random_matrix(d, DTYPE_F32, 8, DIM, 1);
        y->wv = random_matrix(d, DTYPE_F32, 8, DIM, 1);
        y->wo = random_matrix(d, DTYPE_F32, DIM, 16, 0);
        y->router = random_matrix(d, DTYPE_F32, EXPERTS, DIM, 2);
        y->experts = keep(d, EXPERTS * sizeof *y->experts);
        for (int e = 0; e < EXPERTS; e++) {
            y->experts[e] = random_ffn(d, type_of[e % 3], EXPERT);
        }
        if (shared > 0) {
            y->shared = random_ffn(d, DTYPE_F32, shared);
            y->shared_gate = gated ? random_numbers(d, DIM, 0.3) : NULL;
        }
    }
    return d;
}

static void unmake(struct made *d)
{
    for (int i = 0; i < d->n_kept; i++) {
        free(d->kept[i]);
    }
    free(d);
}

static const choir_dtype all_f32[3] = {DTYPE_F32, DTYPE_F32, DTYPE_F32};

/* fn on every matrix of the layers. */
static void each_matrix(struct mdl_model *m, void (*fn)(struct mdl_matrix *w))
{
    for (int l = 0; l < LAYERS; l++) {
        struct mdl_layer *y = &m->layers[l];
        fn(&y->router);
        for (int e = 0; e < EXPERTS + 1; e++) {
            struct mdl_ffn *f = e < EXPERTS ? &y->experts[e] : &y->shared;
            fn(&f->w_gate);
            fn(&f->w_up);
            fn(&f->w_down);
        }
    }
}

static void leave_in_file(struct mdl_matrix *w)
{
    w->panels = NULL;
}

/* ---- running ---- */

static void fill_ids(int32_t ids[TOKENS])
{
    for (int i = 0; i < TOKENS; i++) {
        ids[i] = i * 7 % VOCAB;
    }
}

/* Logits [TOKENS, VOCAB] of the ids, in steps of `chunk`; the last step's status. */
static choir_status run(const struct made *d, int n_threads, int chunk, int n_tokens, float *logits)
{
    struct choir_kernels k;
    kern_init(&k, base_cpu_detect());
    const struct kv_shape shape = {
        .type = KV_F32, .n_layers = LAYERS, .n_kv_heads = 1, .head_dim = 8, .block_size = 16};
    const struct mdl_state_options opt = {
        .max_tokens = chunk, .max_logits = chunk, .max_seq_len = 64, .rope_len = 64, .n_threads = n_threads};
    struct kv_store store;
    struct kv_pool *pool;
    struct kv_table table;
    struct mdl_state *s;
    struct kv_copy copy;
    atomic_int cancel = 0;
    int32_t ids[TOKENS];
    fill_ids(ids);
    assert_int_equal(kv_store_open(&store, &shape, 4, NULL), CHOIR_OK);
    assert_int_equal(kv_pool_open(&pool, 4, 16, NULL), CHOIR_OK);
    assert_int_equal(kv_table_open(&table, pool, 64, NULL), CHOIR_OK);
    assert_int_equal(mdl_state_open(&s, &d->m, &k, &store, &opt, NULL), CHOIR_OK);
    assert_true(kv_table_extend(&table, pool, n_tokens, &copy));
    choir_status status = CHOIR_OK;
    for (int at = 0; at < n_tokens && status == CHOIR_OK; at += chunk) {
        const int n = n_tokens - at < chunk ? n_tokens - at : chunk;
        const struct mdl_run of_all = {.table = &table, .n = n, .pos = at, .n_logits = n};
        const struct mdl_batch batch = {.n_tokens = n, .ids = ids + at, .n_runs = 1, .runs = &of_all};
        status = mdl_forward(s, &batch, &cancel, NULL);
        for (int i = 0; i < n; i++) {
            memcpy(logits + (size_t)(at + i) * VOCAB, mdl_logits(s, i), VOCAB * sizeof *logits);
        }
    }
    mdl_state_close(s);
    kv_table_close(&table, pool);
    kv_pool_close(pool);
    kv_store_close(&store);
    return status;
}

/* ---- the plain walk ---- */

static double at(const struct mdl_matrix *w, int row, int col)
{
    assert_int_equal(w->type, DTYPE_F32);
    float x;
    memcpy(&x, w->rows + (size_t)row * w->row_bytes + (size_t)col * sizeof x, sizeof x);
    return (double)x;
}

static void plain_matmul(double *y, const struct mdl_matrix *w, const double *x)
{
    for (int r = 0; r < w->n_rows; r++) {
        y[r] = 0;
        for (int c = 0; c < w->n_cols; c++) {
            y[r] += at(w, r, c) * x[c];
        }
    }
}

static void plain_norm(double *y, const double *x, const float *w)
{
    double sum = 0;
    for (int i = 0; i < DIM; i++) {
        sum += x[i] * x[i];
    }
    for (int i = 0; i < DIM; i++) {
        y[i] = x[i] / sqrt(sum / DIM + 1e-5) * (double)w[i];
    }
}

/* y += weight * W_down (silu(W_gate x) * W_up x) */
static void plain_ffn(double *y, const struct mdl_ffn *f, const double *x, double weight)
{
    double gate[SHARED], up[SHARED], down[DIM];
    plain_matmul(gate, &f->w_gate, x);
    plain_matmul(up, &f->w_up, x);
    for (int i = 0; i < f->w_up.n_rows; i++) {
        up[i] *= gate[i] / (1 + exp(-gate[i]));
    }
    plain_matmul(down, &f->w_down, up);
    for (int i = 0; i < DIM; i++) {
        y[i] += weight * down[i];
    }
}

/* As torch.topk after a softmax of all has it. */
static void plain_route(double weight[EXPERTS], const struct mdl_layer *y, const double *x, bool normed)
{
    double p[EXPERTS], sum = 0, kept = 0;
    plain_matmul(p, &y->router, x);
    for (int e = 0; e < EXPERTS; e++) {
        sum += p[e] = exp(p[e]);
    }
    for (int e = 0; e < EXPERTS; e++) {
        int larger = 0;
        for (int o = 0; o < EXPERTS; o++) {
            larger += p[o] > p[e] || (p[o] == p[e] && o < e);
        }
        weight[e] = larger < USED ? p[e] / sum : 0;
        kept += weight[e];
    }
    for (int e = 0; e < EXPERTS && normed; e++) {
        weight[e] /= kept;
    }
}

static void plain_logits(const struct mdl_model *m, int32_t id, double logits[VOCAB], bool taken[LAYERS][EXPERTS])
{
    double x[DIM], xb[DIM], weight[EXPERTS];
    for (int i = 0; i < DIM; i++) {
        x[i] = at(&m->embed, id, i);
    }
    for (int l = 0; l < LAYERS; l++) {
        const struct mdl_layer *y = &m->layers[l];
        plain_norm(xb, x, y->ffn_norm);
        plain_route(weight, y, xb, m->config.expert_weights_normed);
        for (int e = 0; e < EXPERTS; e++) {
            if (weight[e] > 0) {
                plain_ffn(x, &y->experts[e], xb, weight[e]);
                taken[l][e] = true;
            }
        }
        if (m->config.shared_dim > 0) {
            double gate = 0;
            for (int i = 0; i < DIM && y->shared_gate != NULL; i++) {
                gate += (double)y->shared_gate[i] * xb[i];
            }
            plain_ffn(x, &y->shared, xb, y->shared_gate != NULL ? 1 / (1 + exp(-gate)) : 1);
        }
    }
    plain_norm(xb, x, m->output_norm);
    plain_matmul(logits, &m->output, xb);
}

static void check_numbers(bool normed, int shared, bool gated)
{
    struct made *d = make(normed, shared, gated, all_f32);
    float found[TOKENS * VOCAB];
    double error = 0, size = 0;
    int32_t ids[TOKENS];
    bool taken[LAYERS][EXPERTS] = {{false}};
    fill_ids(ids);
    assert_int_equal(run(d, 2, TOKENS, TOKENS, found), CHOIR_OK);
    for (int t = 0; t < TOKENS; t++) {
        double expected[VOCAB];
        plain_logits(&d->m, ids[t], expected, taken);
        for (int i = 0; i < VOCAB; i++) {
            const double off = (double)found[t * VOCAB + i] - expected[i];
            error += off * off;
            size += expected[i] * expected[i];
        }
    }
    assert_true(size > 0);
    if (!(error < 1e-11 * size)) {
        fail_msg("normed %d, shared %d, gated %d: NMSE %g", normed, shared, gated, error / size);
    }
    unmake(d);
}

static void test_numbers(void **state)
{
    (void)state;
    check_numbers(true, 0, false);      /* as Mixtral and Qwen3-MoE */
    check_numbers(false, 0, false);     /* as OLMoE */
    check_numbers(false, SHARED, true); /* as Qwen2-MoE */
    check_numbers(true, SHARED, false);
}

/* ---- bits ---- */

static void check_bits(const struct made *d, const float *expected, const char *what)
{
    static const int chunks[] = {TOKENS, 1, 3, 16}, threads[] = {1, 2, 5};
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            float found[TOKENS * VOCAB];
            assert_int_equal(run(d, threads[t], chunks[c], TOKENS, found), CHOIR_OK);
            if (memcmp(found, expected, sizeof found) != 0) {
                fail_msg("%s: other bits with chunks of %d, %d threads", what, chunks[c], threads[t]);
            }
        }
    }
}

/* Chunks, threads, matrices in the file's layout; experts of one type, and of several that want their input in several
 * forms. */
static void test_bits(void **state)
{
    (void)state;
    static const choir_dtype mixed[3] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    for (int i = 0; i < 2; i++) {
        struct made *d = make(i == 0, SHARED, true, i == 0 ? all_f32 : mixed);
        float expected[TOKENS * VOCAB];
        assert_int_equal(run(d, 1, 1, TOKENS, expected), CHOIR_OK);
        check_bits(d, expected, "packed");
        each_matrix(&d->m, leave_in_file);
        check_bits(d, expected, "in place");
        unmake(d);
    }
}

/* ---- what is read ---- */

static const void *forbidden;

static void forbid(struct mdl_matrix *w)
{
    w->panels = forbidden;
}

/* Experts that no token takes have their weights where reading is a crash. */
static void test_others_are_not_read(void **state)
{
    (void)state;
    const size_t bytes = 1 << 20;
    void *page = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    forbidden = page;
    for (int n = 1; n <= 2; n++) {
        struct made *d = make(true, 0, false, all_f32);
        bool taken[LAYERS][EXPERTS] = {{false}};
        float expected[TOKENS * VOCAB], found[TOKENS * VOCAB];
        int32_t ids[TOKENS];
        int n_forbidden = 0;
        fill_ids(ids);
        for (int t = 0; t < n; t++) {
            double logits[VOCAB];
            plain_logits(&d->m, ids[t], logits, taken);
        }
        assert_int_equal(run(d, 2, n, n, expected), CHOIR_OK);
        for (int i = 0; i < LAYERS * EXPERTS; i++) {
            if (!taken[i / EXPERTS][i % EXPERTS]) {
                struct mdl_ffn *f = &d->m.layers[i / EXPERTS].experts[i % EXPERTS];
                forbid(&f->w_gate);
                forbid(&f->w_up);
                forbid(&f->w_down);
                n_forbidden++;
            }
        }
        assert_true(n_forbidden >= LAYERS * (EXPERTS - n * USED));
        assert_int_equal(run(d, 2, n, n, found), CHOIR_OK);
        assert_memory_equal(found, expected, (size_t)n * VOCAB * sizeof *found);
        unmake(d);
    }
    munmap(page, bytes);
}

/* Equal logits: the experts with the lowest ids. */
static void test_ties(void **state)
{
    (void)state;
    struct made *d = make(true, 0, false, all_f32);
    float expected[TOKENS * VOCAB], found[TOKENS * VOCAB];
    for (int l = 0; l < LAYERS; l++) {
        memset((void *)(uintptr_t)d->m.layers[l].router.panels, 0, dtype_packed_bytes(DTYPE_F32, EXPERTS, DIM));
    }
    assert_int_equal(run(d, 2, TOKENS, TOKENS, expected), CHOIR_OK);
    for (int l = 0; l < LAYERS; l++) { /* the same with only those */
        d->m.layers[l].router.n_rows = USED;
    }
    d->m.config.n_experts = USED;
    assert_int_equal(run(d, 2, TOKENS, TOKENS, found), CHOIR_OK);
    assert_memory_equal(found, expected, sizeof found);
    unmake(d);
}

/* A router whose one row is not finite spoils what would have been chosen without it. */
static void test_nonfinite_router(void **state)
{
    (void)state;
    for (int row = 0; row < EXPERTS; row += EXPERTS - 1) {
        struct made *d = make(true, 0, false, all_f32);
        float found[TOKENS * VOCAB];
        float *panel = (float *)(uintptr_t)d->m.layers[1].router.panels;
        panel[5 * DTYPE_PANEL_ROWS + row] = NAN;
        assert_int_equal(run(d, 2, TOKENS, TOKENS, found), CHOIR_FILE);
        assert_int_equal(run(d, 2, 1, 1, found), CHOIR_FILE);
        unmake(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_others_are_not_read),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_nonfinite_router),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
