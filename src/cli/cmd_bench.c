/* choir bench: every combination of the lists, one row each. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bench/bench.h"

typedef struct plan {
    session *s;
    bench_table table;
    bench_plot results;
    bench_limits limits; /* of the last case */
    choir_sampling sampling;
    int_list prompt, gen, depth, threads, seqs;
} plan;

static int_list one(int32_t value)
{
    return (int_list){.at = {value}, .n = 1};
}

/* The lists given, or the defaults cut to what the model's context has room for behind the greatest depth. */
static void plan_lists(plan *p)
{
    const options *o = p->s->opt;
    int32_t deepest = 0;
    for (int i = 0; i < o->bench_depth.n; i++) {
        deepest = o->bench_depth.at[i] > deepest ? o->bench_depth.at[i] : deepest;
    }
    const int32_t most = deepest < p->s->info.max_seq_len ? p->s->info.max_seq_len - deepest : 1;
    int threads = session_threads(o);
    p->prompt = o->bench_prompt.n ? o->bench_prompt : one(most < 512 ? most : 512);
    p->gen = o->bench_gen.n ? o->bench_gen : one(most < 128 ? most : 128);
    p->depth = o->bench_depth.n ? o->bench_depth : one(0);
    p->seqs = o->bench_seqs.n ? o->bench_seqs : one(1);
    p->threads = o->bench_threads.n ? o->bench_threads : one(threads ? threads : choir_default_threads());
}

static choir_status check_length(plan *p, const bench_case *test, choir_error *err)
{
    char name[BENCH_NAME_CAP];
    int64_t need = (int64_t)test->n_depth + test->n_prompt + test->n_gen;
    if (need <= p->s->info.max_seq_len) {
        return CHOIR_OK;
    }
    return base_fail(err, CHOIR_USAGE,
                     "%s needs a context of %lld tokens, the model was made for at most %d; lower -p, -n or -d",
                     bench_name(name, sizeof name, test), (long long)need, (int)p->s->info.max_seq_len);
}

static choir_status run_case(plan *p, const bench_case *test, choir_error *err)
{
    bench_result r;
    if (test->n_prompt + test->n_gen == 0) {
        return CHOIR_OK; /* -p 0 or -n 0 */
    }
    choir_status status = bench_run(&r, p->s, test, &p->sampling, err);
    p->limits = r.limits;
    status = status ? status : bench_table_row(&p->table, &r, err);
    status = status ? status : bench_plot_add(&p->results, &r, err);
    bench_result_free(&r);
    return status;
}

static choir_status expect_case(plan *p, const bench_case *test, choir_error *err)
{
    (void)err;
    if (test->n_prompt + test->n_gen > 0) {
        bench_markdown_case(&p->table, test);
    }
    return CHOIR_OK;
}

typedef choir_status case_fn(plan *p, const bench_case *test, choir_error *err);

/* Prefills first, then decodes, for each number of threads, depth and number of sequences. */
static choir_status for_each_case(plan *p, case_fn *visit, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int t = 0; t < p->threads.n; t++) {
        for (int d = 0; d < p->depth.n; d++) {
            for (int q = 0; q < p->seqs.n; q++) {
                bench_case test = {.n_threads = p->threads.at[t], .n_depth = p->depth.at[d], .n_seqs = p->seqs.at[q]};
                for (int i = 0; i < p->prompt.n + p->gen.n && !status && !p->s->out.error; i++) {
                    test.n_prompt = i < p->prompt.n ? p->prompt.at[i] : 0;
                    test.n_gen = i < p->prompt.n ? 0 : p->gen.at[i - p->prompt.n];
                    status = visit(p, &test, err);
                }
            }
        }
    }
    return status;
}

/* Both lists given, and nothing but 0 in them. */
static bool nothing_to_run(const options *o)
{
    for (int i = 0; i < o->bench_prompt.n; i++) {
        if (o->bench_prompt.at[i]) {
            return false;
        }
    }
    for (int i = 0; i < o->bench_gen.n; i++) {
        if (o->bench_gen.at[i]) {
            return false;
        }
    }
    return o->bench_prompt.n && o->bench_gen.n;
}

/* One line below the table: a number of a noisy machine is no number. */
static void tell_noise(const plan *p)
{
    char what[NOISE_CAP], line[NOISE_CAP + 128];
    if (p->results.n_noisy > 0 && !p->s->out.error) {
        snprintf(line, sizeof line, "too noisy to trust, %d of %zu tests: %s", (int)p->results.n_noisy, p->results.n,
                 noise_text(what, sizeof what, &p->results.noise));
        warning(&p->s->term, line);
    }
}

/* A line needs two points. */
static choir_status check_plot(const plan *p, choir_error *err)
{
    const char *path = p->s->opt->plot;
    if (!path) {
        return CHOIR_OK;
    }
    if (p->depth.n < 2 && p->seqs.n < 2) {
        return base_fail(err, CHOIR_USAGE, "--plot draws over lists: -d 0,512,1024 or --n-seqs 1,4,16");
    }
    return bench_plot_check(path, err);
}

static choir_status measure(plan *p, choir_error *err)
{
    session *s = p->s;
    bench_table_begin(&p->table, s, s->opt->output);
    choir_status status = for_each_case(p, expect_case, err);
    status = status ? status : for_each_case(p, run_case, err);
    if (!status) {
        bench_table_end(&p->table, &p->limits);
        tell_noise(p);
    }
    return status || !s->opt->plot ? status : bench_plot_write(&p->results, s, s->opt->plot, err);
}

static choir_status bench(session *s, choir_error *err)
{
    if (nothing_to_run(s->opt)) {
        return base_fail(err, CHOIR_USAGE, "-p 0 and -n 0 together leave nothing to measure");
    }
    plan p = {.s = s, .sampling = s->opt->sampling}; /* seed 0 unless given: the same work every time */
    choir_status status = choir_sampling_check(&p.sampling, err);
    status = status ? status : session_open_model(s, false, err);
    if (status) {
        return status;
    }
    plan_lists(&p);
    status = for_each_case(&p, check_length, err);
    status = status ? status : check_plot(&p, err);
    status = status ? status : measure(&p, err);
    bench_plot_free(&p.results);
    return status;
}

/* It prints one table, of what stands in the files. */
static choir_status compare(session *s, choir_error *err)
{
    const options *o = s->opt;
    if (o->plot || strcmp(o->output, "md") != 0) {
        return base_fail(err, CHOIR_USAGE, "bench compare has no use for %s", o->plot ? "--plot" : "-o");
    }
    return bench_compare(s, o->args[1], o->args[2], err);
}

int cmd_bench(session *s)
{
    const options *o = s->opt;
    choir_error err;
    choir_status status;
    if (o->n_args > 0 && (o->n_args != 3 || strcmp(o->args[0], "compare") != 0)) {
        status = base_fail(&err, CHOIR_USAGE, "%s", o->command->stray);
    } else if (o->n_args > 0) {
        status = compare(s, &err);
    } else {
        status = bench(s, &err);
    }
    return session_end(s, status, &err);
}
