/* How near attention comes to the machine's limits.  Not a test: `bench_attention [MB] [rounds] [threads] [depth] [level]`
 * prints, for each type of cache and shape of head, the share of the plain read bandwidth that decoding reaches, with
 * keys and values of `depth` tokens in as many layers as make MB, and the share of the multiply-add peak that tiles of
 * 64 query rows reach.  A limit and a kernel alternate; the median of the ratios counts. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MADV_HUGEPAGE */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "kernels/kernels.h"
#include "kernels/parallel.h"
#include "kernels/probe.h"

enum { N_HEADS = 32, MAX_ROUNDS = 31, MAX_THREADS = 64, SPAN_TILES = KERN_ATTN_SPAN / KERN_ATTN_TILE };

/* What one thread works with. */
struct room {
    float *q, *acc, *acc2, *scratch;
    float m[KERN_ATTN_ROWS], l[KERN_ATTN_ROWS], m2[KERN_ATTN_ROWS], l2[KERN_ATTN_ROWS];
    int32_t from[KERN_ATTN_ROWS], to[KERN_ATTN_ROWS];
    const void *k_tiles[SPAN_TILES + 4], *v_tiles[SPAN_TILES];
};

struct job {
    const struct choir_kernels *k;
    enum kern_kv kv;
    int head_dim, n_kv_heads, depth, n_layers, n_rows;
    const char *cache; /* [layer][block of 16][kv head][K, V] */
    size_t tile_bytes;
    struct room *rooms;
};

static void *big_alloc(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    return v[n / 2];
}

static const char *tile_at(const struct job *j, int layer, int tile, int head)
{
    size_t at = ((size_t)layer * (size_t)(j->depth / KERN_ATTN_TILE) + (size_t)tile) * (size_t)j->n_kv_heads;
    return j->cache + (at + (size_t)head) * 2 * j->tile_bytes;
}

/* All spans of one head of one layer. */
static void attend(const struct job *j, struct room *r, int layer, int head)
{
    for (int begin = 0; begin < j->depth; begin += KERN_ATTN_SPAN) {
        int n = j->depth - begin < KERN_ATTN_SPAN ? j->depth - begin : KERN_ATTN_SPAN;
        for (int i = 0; i < n / KERN_ATTN_TILE; i++) {
            r->k_tiles[i] = tile_at(j, layer, begin / KERN_ATTN_TILE + i, head);
            r->v_tiles[i] = (const char *)r->k_tiles[i] + j->tile_bytes;
        }
        bool more = begin + n + KERN_ATTN_CHUNK <= j->depth;
        for (int i = 0; more && i < KERN_ATTN_CHUNK / KERN_ATTN_TILE; i++) {
            r->k_tiles[SPAN_TILES + i] = tile_at(j, layer, (begin + n) / KERN_ATTN_TILE + i, head);
        }
        for (int i = 0; i < j->n_rows; i++) {
            r->from[i] = 0;
            r->to[i] = n;
        }
        bool first = begin == 0;
        struct kern_attn_span a = {.q = r->q,
                                   .n_q = j->n_rows,
                                   .head_dim = j->head_dim,
                                   .n_tokens = n,
                                   .k_tiles = r->k_tiles,
                                   .v_tiles = r->v_tiles,
                                   .next_tiles = more ? r->k_tiles + SPAN_TILES : NULL,
                                   .from = r->from,
                                   .to = r->to,
                                   .m = first ? r->m : r->m2,
                                   .l = first ? r->l : r->l2,
                                   .acc = first ? r->acc : r->acc2,
                                   .scratch = r->scratch};
        j->k->attn_span[j->kv](&a);
        for (int i = 0; !first && i < j->n_rows; i++) {
            size_t at = (size_t)(i * j->head_dim);
            j->k->attn_merge(r->m + i, r->l + i, r->acc + at, r->m2[i], r->l2[i], r->acc2 + at, j->head_dim);
        }
    }
}

static void run(struct par_thread *me, void *ctx)
{
    const struct job *j = ctx;
    int begin, end;
    par_share(me, j->n_layers * j->n_kv_heads, 1, &begin, &end);
    for (int i = begin; i < end; i++) {
        attend(j, j->rooms + me->id, i / j->n_kv_heads, i % j->n_kv_heads);
    }
}

static double run_ns(struct job *j, int threads)
{
    uint64_t t = base_clock_ns();
    par_run(threads, run, j);
    return (double)(base_clock_ns() - t);
}

/* One tile's K and V, again and again. */
static void fill_cache(const struct job *j, char *cache, size_t bytes)
{
    float x[256];
    for (int lane = 0; lane < KERN_ATTN_TILE; lane++) {
        for (int kv = 0; kv < 2; kv++) {
            for (int d = 0; d < j->head_dim; d++) {
                x[d] = (float)((d * 7 + lane * 5 + kv) % 23) * 0.02f - 0.2f;
            }
            (kv ? j->k->kv_put_v : j->k->kv_put_k)[j->kv](cache + (size_t)kv * j->tile_bytes, KERN_ATTN_TILE, lane, x,
                                                          j->head_dim);
        }
    }
    for (size_t at = 2 * j->tile_bytes; at < bytes; at += 2 * j->tile_bytes) {
        memcpy(cache + at, cache, 2 * j->tile_bytes);
    }
}

static void bench(struct job *j, char *cache, size_t cache_bytes, int rounds, int threads, bool decode)
{
    double share[MAX_ROUNDS], ns = 0, limit = 0;
    j->tile_bytes = KERN_ATTN_TILE * kern_kv_token_bytes(j->kv, j->head_dim);
    size_t layer_bytes = (size_t)(j->depth / KERN_ATTN_TILE * j->n_kv_heads) * 2 * j->tile_bytes;
    j->n_layers = decode ? (int)(cache_bytes / layer_bytes) : 8;
    j->n_rows = decode ? N_HEADS / j->n_kv_heads : KERN_ATTN_ROWS;
    size_t bytes = layer_bytes * (size_t)j->n_layers;
    fill_cache(j, cache, bytes);
    double ops = 4.0 * j->head_dim * j->n_rows * j->depth * j->n_kv_heads * j->n_layers;
    for (int r = 0; r < rounds; r++) {
        if (decode) {
            double a = (double)kern_probe_read(cache, bytes, threads, j->k->level);
            ns = run_ns(j, threads);
            limit = (double)kern_probe_read(cache, bytes, threads, j->k->level);
            share[r] = (a + limit) / 2 / ns;
        } else {
            double a = kern_probe_peak(DTYPE_ACT_F32, j->k->level, threads, 10);
            ns = run_ns(j, threads);
            limit = kern_probe_peak(DTYPE_ACT_F32, j->k->level, threads, 10);
            share[r] = ops / ns * 1e9 / ((a + limit) / 2);
        }
    }
    if (decode) {
        double m = median(share, rounds);
        printf("  %d/%d x %d: %.2f (%.2fx)", N_HEADS, j->n_kv_heads, j->head_dim, m, 1 / m);
    } else {
        printf("  x %d: %.2f", j->head_dim, median(share, rounds));
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const names[KERN_KV_COUNT] = {"f32", "f16", "q8_0"};
    size_t bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 400) << 20;
    int rounds = argc > 2 ? atoi(argv[2]) : 7, threads = argc > 3 ? atoi(argv[3]) : 1;
    int depth = argc > 4 ? atoi(argv[4]) / KERN_ATTN_TILE * KERN_ATTN_TILE : 4096;
    struct choir_kernels k;
    kern_init(&k, base_cpu_cap(argc > 5 ? base_cpu_level_by_name(argv[5]) : base_cpu_detect()));
    rounds = rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
    threads = threads > MAX_THREADS ? MAX_THREADS : threads;
    char *cache = big_alloc(bytes);
    memset(cache, 1, bytes);
    struct room rooms[MAX_THREADS];
    for (int i = 0; i < threads; i++) {
        float *floats = big_alloc(4 * sizeof(float) * KERN_ATTN_ROWS * 256 + sizeof(float) * kern_attn_scratch(256));
        rooms[i] = (struct room){.q = floats,
                                 .acc = floats + KERN_ATTN_ROWS * 256,
                                 .acc2 = floats + 2 * KERN_ATTN_ROWS * 256,
                                 .scratch = floats + 3 * KERN_ATTN_ROWS * 256};
        for (int n = 0; n < KERN_ATTN_ROWS * 256; n++) {
            rooms[i].q[n] = (float)(n % 19) * 0.05f - 0.4f;
        }
    }
    struct job j = {.k = &k, .depth = depth, .cache = cache, .rooms = rooms};
    printf("%s, %d threads, depth %d, %zu MB\n", base_cpu_level_name(k.level), threads, depth, bytes >> 20);
    for (int kv = 0; kv < KERN_KV_COUNT; kv++) {
        j.kv = (enum kern_kv)kv;
        printf("%-5s decode, share of the read bandwidth:", names[kv]);
        for (int shape = 0; shape < 4; shape++) {
            j.head_dim = shape % 2 ? 128 : 64;
            j.n_kv_heads = shape < 2 ? 4 : 32;
            bench(&j, cache, bytes, rounds, threads, true);
        }
        printf("\n      64 rows, share of the peak:");
        j.n_kv_heads = 4;
        for (j.head_dim = 64; j.head_dim <= 128; j.head_dim += 64) {
            bench(&j, cache, bytes, rounds, threads, false);
        }
        printf("\n");
    }
    return 0;
}
