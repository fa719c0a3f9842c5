/* How near the kernels come to the machine's limits.  Not a test: `bench_kernels [MB] [rounds] [threads] [type]` prints, for
 * each level and type, the share of the plain read bandwidth that one-token and few-token multiplications reach, and
 * the share of the multiply-add peak of many-token ones.  A limit and a kernel alternate; the median of the ratios
 * counts, because clocks and neighbours drift. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MADV_HUGEPAGE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "kernels/kernels.h"
#include "kernels/parallel.h"
#include "kernels/probe.h"

enum { N_COLS = 2048, MAX_ROUNDS = 31, PREFILL_TOKENS = 512, PREFILL_ROWS = 1024 };

struct job {
    const struct choir_kernels *k;
    choir_dtype type;
    const char *W;
    int n_rows, n_cols, n_tokens, tile;
    const float *x;
    char *act;
    float *y;
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

static void multiply(struct par_thread *me, void *ctx)
{
    const struct job *j = ctx;
    int begin, end;
    par_share(me, j->n_rows, DTYPE_PANEL_ROWS, &begin, &end);
    size_t panel = dtype_panel_bytes(j->type, (size_t)j->n_cols);
    j->k->matmul[j->type](j->y + begin, (size_t)j->n_rows, j->W + (size_t)(begin / DTYPE_PANEL_ROWS) * panel,
                          end - begin, j->n_cols, j->act, j->n_tokens, j->tile, false);
}

static double run_ns(struct job *j, int threads)
{
    uint64_t t = base_clock_ns();
    par_run(threads, multiply, j);
    return (double)(base_clock_ns() - t);
}

static void set_tokens(struct job *j, int n_tokens)
{
    enum dtype_act kind = j->k->act[j->type];
    j->n_tokens = n_tokens;
    j->tile = j->k->act_tile[kind](n_tokens);
    j->k->act_pack[kind](j->act, j->x, (size_t)j->n_cols, n_tokens, j->tile, j->n_cols, 0, j->n_cols);
}

/* Time of a multiplication relative to one plain read of its weights. */
static void bench_decode(struct job *j, size_t bytes, int rounds, int threads)
{
    static const int tokens[] = {1, 2, 3, 4, 6, 8, 12, 16};
    size_t panel = dtype_panel_bytes(j->type, (size_t)j->n_cols);
    j->n_rows = (int)(bytes / panel) * DTYPE_PANEL_ROWS;
    bytes = bytes / panel * panel;
    printf("%-5s read share 1 token; time of n tokens / read:", dtype_table[j->type].name);
    double gb = 0;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        double ratio[MAX_ROUNDS];
        set_tokens(j, tokens[i]);
        for (int r = 0; r < rounds; r++) {
            double a = (double)kern_probe_read(j->W, bytes, threads, j->k->level);
            double t = run_ns(j, threads);
            double b = (double)kern_probe_read(j->W, bytes, threads, j->k->level);
            ratio[r] = t / ((a + b) / 2);
            gb = (double)bytes / b;
        }
        double m = median(ratio, rounds);
        if (tokens[i] == 1) {
            printf(" %.2f |", 1 / m);
        } else {
            printf(" %d:%.2f", tokens[i], m);
        }
        fflush(stdout);
    }
    printf("  (read %.1f GB/s)\n", gb);
}

static void bench_prefill(struct job *j, int rounds, int threads)
{
    static const int cols[] = {2048, 5632};
    enum dtype_act kind = j->k->act[j->type];
    printf("%-5s share of peak, %d tokens:", dtype_table[j->type].name, PREFILL_TOKENS);
    for (int i = 0; i < 2; i++) {
        double ratio[MAX_ROUNDS], peak = 0;
        j->n_cols = cols[i];
        j->n_rows = PREFILL_ROWS;
        set_tokens(j, PREFILL_TOKENS);
        for (int r = 0; r < rounds; r++) {
            /* int8 against the byte multiply alone: without VNNI four times the operations of an f32 multiply-add of
             * that width */
            const bool vnni = kind == DTYPE_ACT_Q8 && j->k->level >= BASE_CPU_AVX512 && j->k->level < BASE_CPU_NEON;
            const enum dtype_act probed = vnni ? DTYPE_ACT_Q8 : DTYPE_ACT_F32;
            const double scale = kind == DTYPE_ACT_Q8 && !vnni ? 4 : 1;
            double a = scale * kern_probe_peak(probed, j->k->level, threads, 20);
            double t = run_ns(j, threads);
            double b = scale * kern_probe_peak(probed, j->k->level, threads, 20);
            double ops = 2.0 * j->n_cols * j->n_rows * PREFILL_TOKENS;
            ratio[r] = ops / t * 1e9 / ((a + b) / 2);
            peak = b;
        }
        printf("  %d cols %.3f (peak %.0f G/s)", cols[i], median(ratio, rounds), peak / 1e9);
        fflush(stdout);
    }
    printf("\n");
    j->n_cols = N_COLS;
}

int main(int argc, char **argv)
{
    size_t bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 400) << 20;
    int rounds = argc > 2 ? atoi(argv[2]) : 7, threads = argc > 3 ? atoi(argv[3]) : 1;
    const char *only = argc > 4 ? argv[4] : NULL;
    rounds = rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
    size_t x_numbers = (size_t)PREFILL_TOKENS * 8192;
    char *W = big_alloc(bytes);
    float *x = big_alloc(x_numbers * 4);
    memset(W, 0x11, bytes); /* small finite numbers in every type */
    for (size_t i = 0; i < x_numbers; i++) {
        x[i] = (float)(i % 17) * 0.1f - 0.8f;
    }
    struct choir_kernels k;
    kern_init(&k, base_cpu_detect());
    struct job j = {.k = &k, .W = W, .n_cols = N_COLS, .x = x, .act = big_alloc(x_numbers * 4), .y = big_alloc(bytes)};
    printf("%s, %d threads, %zu MB of weights\n", base_cpu_level_name(k.level), threads, bytes >> 20);
    for (int type = 0; type < DTYPE_COUNT; type++) {
        j.type = (choir_dtype)type;
        if (only == NULL || strcmp(only, dtype_table[type].name) == 0) {
            bench_decode(&j, bytes, rounds, threads);
            bench_prefill(&j, rounds, threads);
        }
    }
    return 0;
}
