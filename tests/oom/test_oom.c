/* Memory runs out (oom.h) while models, engines and sequences are opened and used.  And the decode loop allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/oom/oom.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"

/* ---- what runs out ---- */

struct fixture {
    char dir[TINY_PATH], gguf[TINY_PATH], bin[TINY_PATH], sp[TINY_PATH], out[TINY_PATH];
    choir_model *model;
    choir_engine *engine;
    choir_sequence *seq;
    choir_sampling sampling;
};

struct scenario {
    struct fixture *f;
    choir_status (*run)(struct fixture *f, choir_error *err);
};

static choir_status run_scenario(void *user, choir_error *err)
{
    const struct scenario *s = user;
    return s->run(s->f, err);
}

static const choir_logit_bias bias[] = {{3, 1.0f}, {4, -1.0f}};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct golden g;
    tiny_dir_make(f->dir);
    tiny_path(f->gguf, f->dir, "m.gguf");
    tiny_path(f->bin, f->dir, "m.bin");
    tiny_path(f->sp, f->dir, "tokenizer.model");
    tiny_path(f->out, f->dir, "out.gguf");
    golden_load(&g, "mha_tied");
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    tiny_text_gguf(&file, NULL);
    tiny_gguf_write(&file, f->dir, "m.gguf");
    golden_write_llama2c(&g, f->dir, "m.bin", 1);
    golden_free(&g);
    golden_load(&g, "llama3");
    golden_write_hf(&g, f->dir, DTYPE_BF16);
    golden_free(&g);
    tiny_text_sp(f->dir, "tokenizer.model");
    choir_model_options mo;
    choir_model_options_default(&mo);
    mo.path = f->gguf;
    assert_int_equal(choir_model_open(&f->model, &mo, NULL), CHOIR_OK);
    choir_engine_options eo;
    choir_engine_options_default(&eo);
    eo.ctx_size = 64;
    eo.n_seqs = 2;
    assert_int_equal(choir_engine_open(&f->engine, f->model, &eo, NULL), CHOIR_OK);
    choir_sampling_default(&f->sampling);
    f->sampling.logit_bias = bias;
    f->sampling.n_logit_bias = sizeof bias / sizeof bias[0];
    f->sampling.samplers = "penalties;top_k;temperature";
    assert_int_equal(choir_sequence_open(&f->seq, f->engine, &f->sampling, NULL), CHOIR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_sequence_close(f->seq);
    choir_engine_close(f->engine);
    choir_model_close(f->model);
    tiny_dir_remove(f->dir);
    free(f);
    return 0;
}

static void run_out(struct fixture *f, choir_status (*run)(struct fixture *, choir_error *), const char *name)
{
    struct scenario scenario = {f, run};
    oom_run(run_scenario, &scenario, name, f->dir);
}

static choir_status open_path(const char *path, const char *tokenizer, const char *quant, bool in_place,
                              choir_error *err)
{
    choir_model_options opt;
    choir_model *m = (choir_model *)err;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.tokenizer = tokenizer;
    opt.quant = quant;
    opt.mmap = in_place;
    opt.n_threads = 2;
    choir_status status = choir_model_open(&m, &opt, err);
    assert_true((m != NULL) == (status == CHOIR_OK));
    choir_model_close(m);
    return status;
}

static choir_status open_gguf(struct fixture *f, choir_error *err)
{
    return open_path(f->gguf, NULL, NULL, false, err);
}

static choir_status open_gguf_in_place(struct fixture *f, choir_error *err)
{
    return open_path(f->gguf, NULL, NULL, true, err);
}

static choir_status open_folder(struct fixture *f, choir_error *err)
{
    return open_path(f->dir, NULL, NULL, false, err);
}

static choir_status open_folder_quantized(struct fixture *f, choir_error *err)
{
    return open_path(f->dir, f->sp, "q8_0", false, err);
}

static choir_status open_bin(struct fixture *f, choir_error *err)
{
    return open_path(f->bin, f->sp, NULL, false, err);
}

static choir_status open_built_in(struct fixture *f, choir_error *err)
{
    (void)f;
    choir_model_options opt;
    choir_model *m = (choir_model *)err;
    choir_model_options_default(&opt);
    opt.headers_only = true;
    choir_status status = choir_model_open(&m, &opt, err);
    assert_true((m != NULL) == (status == CHOIR_OK));
    choir_model_close(m);
    return status;
}

static choir_status open_engine(struct fixture *f, choir_error *err)
{
    choir_engine_options opt;
    choir_engine *e = (choir_engine *)err;
    choir_engine_options_default(&opt);
    opt.ctx_size = 64;
    opt.n_threads = 3;
    opt.kv_block = 4;
    choir_status status = choir_engine_open(&e, f->model, &opt, err);
    assert_true((e != NULL) == (status == CHOIR_OK));
    choir_engine_close(e);
    return status;
}

static choir_status open_sequence(struct fixture *f, choir_error *err)
{
    choir_sequence *s = (choir_sequence *)err;
    choir_status status = choir_sequence_open(&s, f->engine, &f->sampling, err);
    assert_true((s != NULL) == (status == CHOIR_OK));
    choir_sequence_close(s);
    return status;
}

static choir_status fork_sequence(struct fixture *f, choir_error *err)
{
    choir_sequence *s = (choir_sequence *)err;
    choir_status status = choir_sequence_fork(&s, f->seq, NULL, err);
    assert_true((s != NULL) == (status == CHOIR_OK));
    choir_sequence_close(s);
    return status;
}

static choir_status generate(struct fixture *f, choir_error *err)
{
    static const char *const stops[] = {"zzz", "yyy"};
    static const int32_t ids[] = {1, 10, 11};
    choir_generation g;
    choir_result r;
    choir_generation_default(&g);
    g.max_tokens = 6;
    g.stops = stops;
    g.n_stops = 2;
    choir_sequence_truncate(f->seq, 0);
    assert_int_equal(choir_sequence_append(f->seq, ids, 3, NULL), CHOIR_OK);
    return choir_generate(&r, f->seq, &g, err);
}

/* A request of several texts, run to its end. */
static choir_status schedule(struct fixture *f, choir_error *err)
{
    static const char *const stops[] = {"x", "yz"};
    static const int32_t ids[] = {1, 5, 6, 7, 8};
    choir_scheduler *s;
    choir_scheduler_info info;
    choir_request_options r;
    uint64_t id;
    choir_status status = choir_scheduler_open(&s, f->engine, err);
    if (status == CHOIR_OK) {
        choir_request_options_default(&r);
        r.ids = ids;
        r.n_ids = 5;
        r.sampling = f->sampling;
        r.generation.stops = stops;
        r.generation.n_stops = 2;
        r.generation.max_tokens = 3;
        r.n_samples = 2;
        status = choir_scheduler_submit(&id, s, &r, err);
        assert_true((id > 0) == (status == CHOIR_OK));
        choir_scheduler_describe(s, &info);
        assert_int_equal(info.n_waiting, status == CHOIR_OK ? 2 : 0);
        while (status == CHOIR_OK && info.n_running + info.n_waiting > 0) {
            status = choir_scheduler_step(s, err);
            choir_scheduler_describe(s, &info);
        }
    }
    choir_scheduler_close(s);
    return status;
}

/* A search over several forks, with a stop string; what was not found is not given out. */
static choir_status search_beams(struct fixture *f, choir_error *err)
{
    static const char *const stops[] = {"zzz"};
    static const int32_t ids[] = {1, 10, 11};
    choir_generation g;
    choir_beam_options opt;
    choir_result r;
    choir_beam *beams = (choir_beam *)err;
    int32_t n = 7;
    choir_generation_default(&g);
    choir_beam_options_default(&opt);
    g.max_tokens = 5;
    g.stops = stops;
    g.n_stops = 1;
    opt.n_beams = 3;
    choir_sequence_truncate(f->seq, 0);
    assert_int_equal(choir_sequence_append(f->seq, ids, 3, NULL), CHOIR_OK);
    choir_status status = choir_beam_search(&beams, &n, &r, f->seq, &g, &opt, err);
    assert_int_equal(n, status == CHOIR_OK ? 3 : 0);
    assert_true((beams != NULL) == (status == CHOIR_OK));
    assert_int_equal(choir_sequence_length(f->seq), 3);
    choir_beams_free(beams, n);
    return status;
}

/* A request that goes on from a sequence. */
static choir_status schedule_fork(struct fixture *f, choir_error *err)
{
    static const int32_t ids[] = {1, 5, 6};
    choir_scheduler *s;
    choir_request_options r;
    uint64_t id;
    choir_sequence_truncate(f->seq, 0);
    assert_int_equal(choir_sequence_append(f->seq, ids, 3, NULL), CHOIR_OK);
    choir_status status = choir_scheduler_open(&s, f->engine, err);
    if (status == CHOIR_OK) {
        choir_request_options_default(&r);
        r.from = f->seq;
        r.sampling = f->sampling;
        r.generation.max_tokens = 2;
        status = choir_scheduler_submit(&id, s, &r, err);
        for (int i = 0; i < 4 && status == CHOIR_OK; i++) {
            status = choir_scheduler_step(s, err);
        }
    }
    choir_scheduler_close(s);
    return status;
}

static choir_status quantize_as(struct fixture *f, const char *in, const char *tokenizer, choir_error *err)
{
    choir_quantize_options opt = {.in = in, .out = f->out, .type = "q8_0", .tokenizer = tokenizer};
    choir_status status = choir_quantize(&opt, err);
    assert_int_equal(access(f->out, F_OK), status == CHOIR_OK ? 0 : -1);
    unlink(f->out);
    return status;
}

static choir_status quantize_folder(struct fixture *f, choir_error *err)
{
    return quantize_as(f, f->dir, NULL, err);
}

static choir_status quantize_gguf(struct fixture *f, choir_error *err)
{
    return quantize_as(f, f->gguf, f->sp, err);
}

static choir_status text_to_ids(struct fixture *f, choir_error *err)
{
    int32_t *ids;
    size_t n = 7;
    choir_status status = choir_tokenize(&ids, &n, f->model, "hello", 5, true, err);
    assert_true((ids != NULL) == (status == CHOIR_OK) && (n == 2) == (status == CHOIR_OK));
    free(ids);
    return status;
}

static choir_status ids_to_text(struct fixture *f, choir_error *err)
{
    static const int32_t ids[] = {9, 10, 11};
    char *text = (char *)err;
    size_t n;
    choir_status status = choir_detokenize(&text, &n, f->model, ids, 3, err);
    assert_true((text != NULL) == (status == CHOIR_OK));
    free(text);
    return status;
}

static choir_status open_detok(struct fixture *f, choir_error *err)
{
    choir_detok *d = (choir_detok *)err;
    choir_status status = choir_detok_open(&d, f->model, true, err);
    assert_true((d != NULL) == (status == CHOIR_OK));
    choir_detok_close(d);
    return status;
}

static choir_status repair(struct fixture *f, choir_error *err)
{
    (void)f;
    char *text = (char *)err;
    size_t n;
    choir_status status = choir_utf8_repair(&text, &n, "a\xff", 2, err);
    assert_true((text != NULL) == (status == CHOIR_OK));
    free(text);
    return status;
}

static void test_models(void **state)
{
    run_out(*state, open_gguf, "a GGUF model");
    run_out(*state, open_gguf_in_place, "a GGUF model in place");
    run_out(*state, open_folder, "a folder");
    run_out(*state, open_folder_quantized, "a folder, quantized");
    run_out(*state, open_bin, "a llama2.c file");
    run_out(*state, open_built_in, "the built-in model");
}

static void test_engine(void **state)
{
    run_out(*state, open_engine, "an engine");
    run_out(*state, open_sequence, "a sequence");
    run_out(*state, generate, "choir_generate");
    run_out(*state, fork_sequence, "a fork");
    run_out(*state, schedule, "choir_scheduler");
    run_out(*state, schedule_fork, "a request that goes on from a sequence");
}

static void test_beams(void **state)
{
    run_out(*state, search_beams, "choir_beam_search");
}

static void test_quantize(void **state)
{
    run_out(*state, quantize_folder, "choir_quantize of a folder");
    run_out(*state, quantize_gguf, "choir_quantize of a GGUF file");
}

static void test_text(void **state)
{
    run_out(*state, text_to_ids, "choir_tokenize");
    run_out(*state, ids_to_text, "choir_detokenize");
    run_out(*state, open_detok, "choir_detok_open");
    run_out(*state, repair, "choir_utf8_repair");
}

/* ---- what needs no memory ---- */

static choir_sequence *open_all_on(choir_engine *e)
{
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    sampling.typical = 0.9f;
    sampling.repeat_penalty = 1.1f;
    sampling.repeat_last_n = -1;
    sampling.presence_penalty = 0.1f;
    sampling.logit_bias = bias;
    sampling.n_logit_bias = 2;
    sampling.ignore_eos = true;
    choir_sequence *s;
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    return s;
}

static void step_and_append(choir_engine *e, choir_sequence *s, int n)
{
    for (int i = 0; i < n; i++) {
        int32_t id;
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        assert_int_equal(choir_sequence_sample(s, &id, NULL), CHOIR_OK);
        assert_int_equal(choir_sequence_append(s, &id, 1, NULL), CHOIR_OK);
    }
}

struct watch {
    long first, last;
    int n;
};

static int watch_calls(void *user, const char *text, size_t n)
{
    (void)text;
    (void)n;
    struct watch *w = user;
    w->last = oom_calls();
    w->first = w->n++ == 0 ? w->last : w->first;
    return 0;
}

/* Steps, draws and appends of the built-in model, by hand and by choir_generate, over the ends of many blocks. */
static void test_decode_loop(void **state)
{
    (void)state;
    choir_model_options mo;
    choir_engine_options eo;
    choir_model *m;
    choir_engine *e;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    eo.ctx_size = 256;
    eo.n_threads = 2;
    eo.kv_block = 4;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_open(&e, m, &eo, NULL), CHOIR_OK);
    choir_sequence *s = open_all_on(e);
    assert_int_equal(choir_sequence_append(s, (const int32_t[]){1, 5}, 2, NULL), CHOIR_OK);
    step_and_append(e, s, 2);
    oom_arm(0, false);
    step_and_append(e, s, 100);
    assert_int_equal(oom_disarm(), 0);
    choir_generation g;
    choir_result r;
    struct watch w = {.n = 0};
    choir_generation_default(&g);
    g.max_tokens = 100;
    g.stream = watch_calls;
    g.user = &w;
    oom_arm(0, false);
    assert_int_equal(choir_generate(&r, s, &g, NULL), CHOIR_OK);
    oom_disarm();
    assert_true(w.n > 20);
    assert_int_equal(w.first, w.last); /* all it needs is taken before the first text */
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
}

/* Requests that come, share a prompt, are put back and end: nothing is allocated but by submit. */
static void test_scheduler_steps(void **state)
{
    (void)state;
    choir_model_options mo;
    choir_engine_options eo;
    choir_model *m;
    choir_engine *e;
    choir_scheduler *s;
    choir_scheduler_info info;
    choir_request_options r;
    uint64_t id;
    int32_t ids[40];
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    eo.ctx_size = 128;
    eo.max_logits = 8;
    eo.n_threads = 2;
    eo.kv_block = 4;
    eo.batch = 32;
    assert_int_equal(choir_model_open(&m, &mo, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_open(&e, m, &eo, NULL), CHOIR_OK);
    assert_int_equal(choir_scheduler_open(&s, e, NULL), CHOIR_OK);
    choir_request_options_default(&r);
    r.ids = ids;
    r.generation.max_tokens = 30;
    r.sampling.ignore_eos = true;
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 40; k++) {
            ids[k] = 3 + (k < 10 ? k : k + i);
        }
        r.n_ids = 7 + 4 * (size_t)i;
        r.n_samples = 1 + i % 3;
        assert_int_equal(choir_scheduler_submit(&id, s, &r, NULL), CHOIR_OK);
    }
    oom_arm(0, false);
    do {
        assert_int_equal(choir_scheduler_step(s, NULL), CHOIR_OK);
        choir_scheduler_describe(s, &info);
    } while (info.n_running + info.n_waiting > 0);
    assert_int_equal(oom_disarm(), 0);
    assert_true(info.n_preempted > 0);
    choir_scheduler_close(s);
    choir_engine_close(e);
    choir_model_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_models, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_engine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_beams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quantize, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
        cmocka_unit_test(test_decode_loop),
        cmocka_unit_test(test_scheduler_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
