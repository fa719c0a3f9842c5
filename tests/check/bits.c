/* Prints a hash of what every kernel and every elementary function computes on fixed pseudo-random data, one line
 * each.  The lines must be the same on every machine, compiler and level:
 *     bits              at the best level of this machine
 *     bits reference    at a given one
 * Needs nothing but src/base and src/kernels, so that it runs under an emulator, too. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/half.h"
#include "base/rng.h"
#include "kernels/kernels.h"
#include "kernels/pack.h"
#include "tests/support/blocks.h"

/* ---- data and hashes ---------------------------------------------------------------------------------- */

struct source {
    uint64_t seed;
    uint64_t pos;
};

static double next_uniform(struct source *s)
{
    return base_rng_uniform(s->seed, 0, s->pos++);
}

/* -scale to scale, now and then 0. */
static void fill(float *x, size_t n, float scale, struct source *s)
{
    for (size_t i = 0; i < n; i++) {
        double u = next_uniform(s);
        x[i] = u < 0.01 ? 0.0f : (float)(2.0 * u - 1.0) * scale;
    }
}

static void *room(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    if (p == NULL) {
        fputs("bits: out of memory\n", stderr);
        exit(1);
    }
    memset(p, 0, bytes);
    return p;
}

/* FNV-1a. */
static uint64_t hash_more(uint64_t h, const void *data, size_t bytes)
{
    const unsigned char *s = data;
    for (size_t i = 0; i < bytes; i++) {
        h = (h ^ s[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

static void report(const char *name, uint64_t h)
{
    printf("%-20s %016" PRIx64 "\n", name, h);
}

/* ---- elementary functions ----------------------------------------------------------------------------- */

static void run_fmath(void)
{
    uint64_t exps = hash_start;
    uint64_t silus = hash_start;
    for (float x = -90.0f; x < 90.0f; x += 0.0037f) {
        float y[2] = {fmath_exp(x), fmath_silu(x)};
        exps = hash_more(exps, &y[0], sizeof y[0]);
        silus = hash_more(silus, &y[1], sizeof y[1]);
    }
    report("exp", exps);
    report("silu", silus);

    struct source s = {.seed = 1};
    uint64_t logs = hash_start;
    uint64_t exp2s = hash_start;
    uint64_t pows = hash_start;
    uint64_t sincoss = hash_start;
    for (int i = 0; i < 20000; i++) {
        double u = next_uniform(&s);
        double v = next_uniform(&s);
        double y = fmath_log(u * (i % 2 == 0 ? 1e9 : 2.0) + 1e-300);
        logs = hash_more(logs, &y, sizeof y);
        y = fmath_exp2((u - 0.5) * (i % 2 == 0 ? 2000.0 : 3.0));
        exp2s = hash_more(exp2s, &y, sizeof y);
        y = fmath_pow(i % 2 == 0 ? 10000.0 : u * 100.0 + 1e-9, v * 4.0 - 2.0);
        pows = hash_more(pows, &y, sizeof y);
        double sc[2];
        fmath_sincos(u * (i % 2 == 0 ? 0x1p27 : 10.0), &sc[0], &sc[1]);
        sincoss = hash_more(sincoss, sc, sizeof sc);
    }
    report("log", logs);
    report("exp2", exp2s);
    report("pow", pows);
    report("sincos", sincoss);
}

static void run_half(void)
{
    uint64_t h = hash_start;
    struct source s = {.seed = 2};
    for (int i = 0; i < 50000; i++) {
        float f = (float)ldexp(next_uniform(&s) - 0.5, i % 40 - 26);
        uint16_t half[2] = {base_f16_from_f32(f), base_bf16_from_f32(f)};
        float back = base_f32_from_f16(half[0]);
        h = hash_more(h, half, sizeof half);
        h = hash_more(h, &back, sizeof back);
    }
    report("half", h);
}

/* ---- matmul ------------------------------------------------------------------------------------------- */

enum { N_ROWS = 77, MAX_TOKENS = 33 };

/* One row in file layout. */
static void make_row(choir_dtype type, unsigned char *row, int n_cols, struct source *s)
{
    const struct dtype_info *info = &dtype_table[type];
    for (int c = 0; c < n_cols; c += info->block_len) {
        unsigned char *block = row + (size_t)(c / info->block_len) * (size_t)info->block_bytes;
        float f = (float)(2.0 * next_uniform(s) - 1.0);
        uint16_t half = type == DTYPE_BF16 ? base_bf16_from_f32(f) : base_f16_from_f32(f);
        if (info->block_len == 1) {
            memcpy(block, type == DTYPE_F32 ? (void *)&f : (void *)&half, (size_t)info->block_bytes);
            continue;
        }
        for (int i = 0; i < info->block_bytes; i++) {
            block[i] = (unsigned char)(next_uniform(s) * 256.0);
        }
        blocks_set_f16(type, block, half, base_f16_from_f32((float)next_uniform(s)));
    }
}

static void *make_matrix(choir_dtype type, int n_cols, struct source *s)
{
    size_t row_bytes = dtype_row_bytes(type, (size_t)n_cols);
    size_t panel_bytes = dtype_panel_bytes(type, (size_t)n_cols);
    unsigned char *rows = room(DTYPE_PANEL_ROWS * row_bytes);
    unsigned char *packed = room(dtype_packed_bytes(type, N_ROWS, (size_t)n_cols));
    for (int r0 = 0; r0 < N_ROWS; r0 += DTYPE_PANEL_ROWS) {
        int n = N_ROWS - r0 < DTYPE_PANEL_ROWS ? N_ROWS - r0 : DTYPE_PANEL_ROWS;
        for (int r = 0; r < n; r++) {
            make_row(type, rows + (size_t)r * row_bytes, n_cols, s);
        }
        unsigned char *panel = packed + (size_t)(r0 / DTYPE_PANEL_ROWS) * panel_bytes;
        kern_pack_panel(type, panel, rows, row_bytes, n, n_cols);
    }
    free(rows);
    return packed;
}

static void run_matmul(const struct choir_kernels *k, choir_dtype type)
{
    static const int tokens[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, MAX_TOKENS};
    enum dtype_act kind = k->act[type];
    struct source s = {.seed = 3};
    uint64_t h = hash_start;
    for (int i_cols = 0; i_cols < 3; i_cols++) {
        const int blocks = dtype_table[type].block_len == 256 ? 1 + i_cols : 1 + 5 * i_cols;
        int n =
            kind != DTYPE_ACT_Q8 ? 33 + 160 * i_cols : blocks * dtype_table[type].block_len; /* odd where it may be */
        void *w = make_matrix(type, n, &s);
        float *x = room((size_t)MAX_TOKENS * (size_t)n * sizeof *x);
        float *y = room((size_t)MAX_TOKENS * N_ROWS * sizeof *y);
        fill(x, (size_t)MAX_TOKENS * (size_t)n, 4.0f, &s);
        for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
            int tile = k->act_tile[kind](tokens[i]);
            void *act = room((size_t)tokens[i] * kern_act_token_bytes(kind, n));
            k->act_pack[kind](act, x, (size_t)n, tokens[i], tile, n, 0, n);
            k->matmul[type](y, N_ROWS, w, N_ROWS, n, act, tokens[i], tile, i % 3 == 2);
            h = hash_more(h, y, (size_t)tokens[i] * N_ROWS * sizeof *y);
            free(act);
        }
        free(x);
        free(y);
        free(w);
    }
    char name[32];
    (void)snprintf(name, sizeof name, "matmul %s", dtype_table[type].name);
    report(name, h);
}

/* ---- attention ---------------------------------------------------------------------------------------- */

enum { N_TILES = KERN_ATTN_SPAN / KERN_ATTN_TILE, HEAD_MAX = 128 };

struct span_data {
    void *k_tiles[N_TILES];
    void *v_tiles[N_TILES];
    float *q;
    float *acc;
    float *scratch;
    float m[KERN_ATTN_ROWS];
    float l[KERN_ATTN_ROWS];
    int32_t from[KERN_ATTN_ROWS];
    int32_t to[KERN_ATTN_ROWS];
};

static void fill_tiles(const struct choir_kernels *k, enum kern_kv kv, struct span_data *d, int head_dim,
                       struct source *s)
{
    for (int t = 0; t < KERN_ATTN_SPAN; t++) {
        float row[HEAD_MAX];
        int lane = t % KERN_ATTN_TILE;
        fill(row, (size_t)head_dim, 1.0f, s);
        k->kv_put_k[kv](d->k_tiles[t / KERN_ATTN_TILE], KERN_ATTN_TILE, lane, row, head_dim);
        fill(row, (size_t)head_dim, 1.0f, s);
        k->kv_put_v[kv](d->v_tiles[t / KERN_ATTN_TILE], KERN_ATTN_TILE, lane, row, head_dim);
    }
}

/* Hash of one span and of its merge into the row before. */
static uint64_t hash_span(uint64_t h, const struct choir_kernels *k, enum kern_kv kv, struct span_data *d, int head_dim,
                          int n_q, int n_tokens)
{
    for (int r = 0; r < n_q; r++) {
        d->from[r] = r % 3 == 1 ? r * 7 % n_tokens : 0;
        d->to[r] = r % 4 == 3 ? r * 11 % n_tokens : n_tokens;
    }
    struct kern_attn_span a = {
        .q = d->q,
        .n_q = n_q,
        .head_dim = head_dim,
        .n_tokens = n_tokens,
        .k_tiles = (const void *const *)d->k_tiles,
        .v_tiles = (const void *const *)d->v_tiles,
        .from = d->from,
        .to = d->to,
        .m = d->m,
        .l = d->l,
        .acc = d->acc,
        .scratch = d->scratch,
    };
    k->attn_span[kv](&a);
    for (int r = n_q - 1; r > 0; r--) {
        const float *later = d->acc + (size_t)r * (size_t)head_dim;
        float *earlier = d->acc + (size_t)(r - 1) * (size_t)head_dim;
        h = hash_more(h, later, (size_t)head_dim * sizeof *later);
        k->attn_merge(&d->m[r - 1], &d->l[r - 1], earlier, d->m[r], d->l[r], later, head_dim);
    }
    h = hash_more(h, d->acc, (size_t)head_dim * sizeof *d->acc);
    h = hash_more(h, d->m, (size_t)n_q * sizeof *d->m);
    return hash_more(h, d->l, (size_t)n_q * sizeof *d->l);
}

static void run_attention(const struct choir_kernels *k, enum kern_kv kv, const char *name)
{
    static const int head_dims[] = {2, 18, 48, 64, HEAD_MAX};
    static const int tokens[] = {1, 15, 16, 17, 64, 65, 200, KERN_ATTN_SPAN};
    static const int rows[] = {1, 4, 8, 13, 64};
    struct source s = {.seed = 4};
    struct span_data d;
    uint64_t h = hash_start;
    for (int i = 0; i < N_TILES; i++) {
        d.k_tiles[i] = room(KERN_ATTN_TILE * HEAD_MAX * 4);
        d.v_tiles[i] = room(KERN_ATTN_TILE * HEAD_MAX * 4);
    }
    d.q = room(KERN_ATTN_ROWS * HEAD_MAX * sizeof *d.q);
    d.acc = room(KERN_ATTN_ROWS * HEAD_MAX * sizeof *d.acc);
    d.scratch = room(kern_attn_scratch(HEAD_MAX) * sizeof *d.scratch);
    for (size_t i = 0; i < sizeof head_dims / sizeof *head_dims; i++) {
        fill_tiles(k, kv, &d, head_dims[i], &s);
        fill(d.q, KERN_ATTN_ROWS * HEAD_MAX, 2.0f, &s);
        for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++) {
            h = hash_span(h, k, kv, &d, head_dims[i], rows[t % 5], tokens[t]);
        }
    }
    for (int i = 0; i < N_TILES; i++) {
        free(d.k_tiles[i]);
        free(d.v_tiles[i]);
    }
    free(d.q);
    free(d.acc);
    free(d.scratch);
    report(name, h);
}

/* ---- the small operations ----------------------------------------------------------------------------- */

enum { N_SMALL = 1000 };

static void run_small(const struct choir_kernels *k)
{
    static const int sizes[] = {1, 7, 8, 15, 16, 17, 64, 100, 288, N_SMALL};
    static const char *const activations[KERN_ACTIVATION_COUNT] = {"silu", "gelu", "gelu_tanh"};
    static float x[N_SMALL];
    static float y[N_SMALL];
    static float w[N_SMALL];
    struct source s = {.seed = 5};
    uint64_t h[6] = {hash_start, hash_start, hash_start, hash_start, hash_start, hash_start};
    uint64_t activated[KERN_ACTIVATION_COUNT] = {hash_start, hash_start, hash_start};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int n = sizes[i];
        size_t bytes = (size_t)n * sizeof *x;
        fill(x, N_SMALL, 30.0f, &s);
        fill(w, N_SMALL, 2.0f, &s);
        k->rmsnorm(y, x, w, n, 1e-5f);
        h[0] = hash_more(h[0], y, bytes);
        k->layernorm(y, x, w, i % 2 == 0 ? x : NULL, n, 1e-5f);
        h[1] = hash_more(h[1], y, bytes);
        for (int a = 0; a < KERN_ACTIVATION_COUNT; a++) {
            memcpy(y, x, sizeof y);
            k->activate[a](y, i % 2 == 0 ? w : NULL, n);
            activated[a] = hash_more(activated[a], y, bytes);
        }
        k->softcap(y, 10.0f, n);
        h[4] = hash_more(h[4], y, bytes);
        k->add(y, x, n);
        h[5] = hash_more(h[5], y, bytes);
        k->scale(y, 0.3f, n);
        h[2] = hash_more(h[2], y, bytes);
        bool finite = k->all_finite(x, n);
        h[3] = hash_more(h[3], &finite, sizeof finite);
    }
    report("rmsnorm", h[0]);
    report("layernorm", h[1]);
    for (int a = 0; a < KERN_ACTIVATION_COUNT; a++) {
        report(activations[a], activated[a]);
    }
    report("softcap", h[4]);
    report("add", h[5]);
    report("scale", h[2]);
    report("all_finite", h[3]);
}

static void run_rope(const struct choir_kernels *k)
{
    enum { HEADS = 3, DIM = 80 };
    static const int rope_dims[] = {2, 14, 16, 34, 64, DIM};
    float x[HEADS * DIM];
    float cosine[DIM / 2];
    float sine[DIM / 2];
    struct source s = {.seed = 6};
    uint64_t interleaved = hash_start;
    uint64_t half = hash_start;
    for (size_t i = 0; i < sizeof rope_dims / sizeof *rope_dims; i++) {
        fill(cosine, DIM / 2, 1.0f, &s);
        fill(sine, DIM / 2, 1.0f, &s);
        fill(x, HEADS * DIM, 5.0f, &s);
        k->rope_interleaved(x, cosine, sine, HEADS, DIM, rope_dims[i]);
        interleaved = hash_more(interleaved, x, sizeof x);
        k->rope_half(x, cosine, sine, HEADS, DIM, rope_dims[i]);
        half = hash_more(half, x, sizeof x);
    }
    report("rope interleaved", interleaved);
    report("rope half", half);
}

int main(int argc, char **argv)
{
    base_cpu_level level = argc > 1 ? base_cpu_level_by_name(argv[1]) : base_cpu_detect();
    if (argc > 2 || level == BASE_CPU_COUNT) {
        fputs("usage: bits [LEVEL]\n", stderr);
        return 2;
    }
    struct choir_kernels k;
    kern_init(&k, base_cpu_cap(level));
    fprintf(stderr, "level %s\n", base_cpu_level_name(k.level));
    run_fmath();
    run_half();
    for (int t = 0; t < DTYPE_COUNT; t++) {
        run_matmul(&k, (choir_dtype)t);
    }
    run_attention(&k, KERN_KV_F32, "attention f32");
    run_attention(&k, KERN_KV_F16, "attention f16");
    run_attention(&k, KERN_KV_Q8_0, "attention q8_0");
    run_small(&k);
    run_rope(&k);
    return 0;
}
