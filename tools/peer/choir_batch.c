/* choir_batch MODEL THREADS TOKENS N [SHARED]: texts of TOKENS tokens after a prompt of one, for 1 request and for N at once,
 * through the scheduler: tokens drawn a second, those of the first step apart.  With SHARED: N prompts of SHARED tokens that are alike and 20 that are not,
 * 20 tokens of text each, together and one after another without the prefix cache: seconds.  Random ids, end of text
 * ignored.  Compiled as choir_logits.c is (against_llama_cpp.py). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "choir.h"

enum { OWN = 20, IDS_CAP = 1 << 16 };

static void check(choir_status status, const choir_error *err)
{
    if (status != CHOIR_OK) {
        fprintf(stderr, "choir_batch: %s\n", err->msg);
        exit(1);
    }
}

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

struct job {
    const choir_model *model;
    int threads, n, n_tokens, n_shared, n_own;
    bool cache;
    int at_once;
};

static choir_engine *open_engine(const struct job *j)
{
    choir_engine_options o;
    choir_engine *e;
    choir_error err;
    choir_engine_options_default(&o);
    o.n_threads = j->threads;
    o.n_seqs = j->at_once;
    o.ctx_size = j->n_shared + j->n_own + j->n_tokens;
    o.prefix_cache = j->cache;
    check(choir_engine_open(&e, j->model, &o, &err), &err);
    return e;
}

static void submit(choir_scheduler *s, const struct job *j, int i)
{
    static int32_t ids[IDS_CAP];
    choir_request_options r;
    choir_error err;
    uint64_t id;
    int n = 0;
    for (; n < j->n_shared; n++) {
        ids[n] = 10 + n * 7919 % 20000;
    }
    for (; n < j->n_shared + j->n_own; n++) {
        ids[n] = 10 + (i * 104729 + n * 31) % 20000;
    }
    choir_request_options_default(&r);
    r.ids = ids;
    r.n_ids = (size_t)n;
    r.generation.max_tokens = j->n_tokens;
    r.sampling.ignore_eos = true;
    r.sampling.seed = (uint64_t)i;
    check(choir_scheduler_submit(&id, s, &r, &err), &err);
}

/* Runs all; *all: seconds of everything, returns those after the first step. */
static double run(const struct job *j, double *all)
{
    choir_engine *e = open_engine(j);
    choir_scheduler *s;
    choir_scheduler_info info;
    choir_error err;
    check(choir_scheduler_open(&s, e, &err), &err);
    double begun = seconds(), decoding = begun;
    int submitted = 0;
    do {
        choir_scheduler_describe(s, &info);
        while (submitted < j->n && info.n_running + info.n_waiting < j->at_once) {
            submit(s, j, submitted++);
            choir_scheduler_describe(s, &info);
        }
        check(choir_scheduler_step(s, &err), &err);
        choir_scheduler_describe(s, &info);
        decoding = info.n_steps == 1 ? seconds() : decoding;
    } while (info.n_running > 0 || submitted < j->n);
    *all = seconds() - begun;
    decoding = seconds() - decoding;
    choir_scheduler_close(s);
    choir_engine_close(e);
    return decoding;
}

int main(int argc, char **argv)
{
    choir_model_options o;
    choir_model *m;
    choir_error err;
    double all;
    if (argc < 5) {
        fprintf(stderr, "usage: choir_batch MODEL THREADS TOKENS N [SHARED]\n");
        return 2;
    }
    choir_model_options_default(&o);
    o.path = argv[1];
    check(choir_model_open(&m, &o, &err), &err);
    struct job j = {.model = m, .threads = atoi(argv[2]), .n_tokens = atoi(argv[3]), .n_own = 1, .cache = true};
    int n = atoi(argv[4]);
    if (argc > 5) {
        j.n_shared = atoi(argv[5]);
        j.n_own = j.n_tokens = OWN;
        j.n = j.at_once = n;
        run(&j, &all);
        printf("%d together %.2f s\n", n, all);
        j.at_once = 1;
        j.cache = false;
        j.n = n < 4 ? n : 4;
        run(&j, &all);
        printf("%d one after another %.2f s (%d of them measured)\n", n, all * n / j.n, j.n);
        choir_model_close(m);
        return 0;
    }
    for (int pass = 0; pass < 3; pass++) {
        j.n = j.at_once = 1;
        double one = (j.n_tokens - 1) / run(&j, &all);
        j.n = j.at_once = n;
        double many = (j.n_tokens - 1) * (double)n / run(&j, &all);
        printf("1: %.1f tok/s, %d: %.1f tok/s, %.2fx\n", one, n, many, many / one);
    }
    choir_model_close(m);
    return 0;
}
