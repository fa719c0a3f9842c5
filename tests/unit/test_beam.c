/* Beam searches with text, on the built-in model: what ends one, what it leaves, what it refuses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"

enum { CTX = 64 };

struct fixture {
    choir_model *model;
    choir_engine *engine; /* for 4 sequences of CTX tokens */
    int32_t *ids;
    size_t n_ids;
};

struct found {
    choir_beam *beams;
    int32_t n;
    choir_result result;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    choir_model_options mo;
    choir_engine_options eo;
    assert_non_null(f);
    choir_model_options_default(&mo);
    assert_int_equal(choir_model_open(&f->model, &mo, NULL), CHOIR_OK);
    choir_engine_options_default(&eo);
    eo.ctx_size = CTX;
    eo.n_seqs = 4;
    eo.n_threads = 2;
    assert_int_equal(choir_engine_open(&f->engine, f->model, &eo, NULL), CHOIR_OK);
    assert_int_equal(choir_tokenize(&f->ids, &f->n_ids, f->model, "Once upon a time", 16, true, NULL), CHOIR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_engine_close(f->engine);
    choir_model_close(f->model);
    free(f->ids);
    free(f);
    return 0;
}

static choir_sampling greedy(void)
{
    choir_sampling s;
    choir_sampling_default(&s);
    s.temp = 0;
    return s;
}

static choir_sequence *open_prompt(const struct fixture *f, const choir_sampling *sampling)
{
    choir_sequence *s;
    assert_int_equal(choir_sequence_open(&s, f->engine, sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, f->ids, f->n_ids, NULL), CHOIR_OK);
    return s;
}

static choir_status search(struct found *x, choir_sequence *s, const choir_generation *g, int32_t n_beams,
                           choir_error *err)
{
    choir_beam_options opt;
    choir_beam_options_default(&opt);
    opt.n_beams = n_beams;
    return choir_beam_search(&x->beams, &x->n, &x->result, s, g, &opt, err);
}

static void expect_no_block_held(const struct fixture *f)
{
    choir_engine_info info;
    choir_engine_describe(f->engine, &info);
    assert_int_equal(info.n_free_blocks, info.n_blocks);
}

static int collect(void *user, const char *text, size_t n)
{
    strncat(user, text, n);
    return 0;
}

/* As long as no end of text is among the best two: greedy drawing takes one that is the best, a search of one beam goes on with
 * the second best beside it as long as that may come to more. */
static void test_one_beam_without_ends_is_greedy(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    choir_sequence *s = open_prompt(f, &sampling), *t = open_prompt(f, &sampling);
    char want[1024] = "";
    struct found x;
    choir_generation g;
    choir_result result;
    choir_generation_default(&g);
    g.max_tokens = 40;
    assert_int_equal(search(&x, s, &g, 1, NULL), CHOIR_OK);
    g.stream = collect;
    g.user = want;
    assert_int_equal(choir_generate(&result, t, &g, NULL), CHOIR_OK);
    assert_int_equal(x.n, 1);
    assert_string_equal(x.beams[0].text, want);
    assert_int_equal(x.beams[0].n_ids, 40);
    assert_memory_equal(x.beams[0].ids, choir_sequence_ids(t) + f->n_ids, 40 * sizeof(int32_t));
    assert_int_equal(x.result.finish, CHOIR_FINISH_LENGTH);
    assert_int_equal(x.result.n_generated, 40);
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(t);

    /* the sequence is where it was: it goes on as if nothing had been */
    want[0] = '\0';
    g.max_tokens = 5;
    assert_int_equal(choir_generate(&result, s, &g, NULL), CHOIR_OK);
    assert_string_equal(want, ", there was a little");
    choir_sequence_close(s);
    expect_no_block_held(f);
}

/* Every beam of a wider search is at least as good as what greedy drawing finds, and scores are those of the ids. */
static void test_scores(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    choir_sequence *s = open_prompt(f, &sampling);
    choir_generation g;
    struct found x;
    choir_generation_default(&g);
    g.max_tokens = 12;
    assert_int_equal(search(&x, s, &g, 4, NULL), CHOIR_OK);
    assert_int_equal(x.n, 4);
    for (int32_t b = 0; b < x.n; b++) {
        choir_sequence *t = open_prompt(f, &sampling);
        double sum = 0;
        assert_true(b == 0 || x.beams[b].score <= x.beams[b - 1].score);
        for (int32_t i = 0; i < x.beams[b].n_ids; i++) {
            choir_score score;
            while (choir_sequence_computed(t) < choir_sequence_length(t)) {
                assert_int_equal(choir_engine_step(f->engine, &t, 1, NULL), CHOIR_OK);
            }
            int32_t pos = choir_sequence_length(t) - 1;
            assert_int_equal(choir_sequence_score(&score, t, pos, 1, &x.beams[b].ids[i], NULL, NULL), CHOIR_OK);
            sum += score.log_prob;
            assert_int_equal(choir_sequence_append(t, &x.beams[b].ids[i], 1, NULL), CHOIR_OK);
        }
        assert_true(sum == x.beams[b].log_prob);
        assert_true(sum / x.beams[b].length == x.beams[b].score);
        choir_sequence_close(t);
    }
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(s);
    expect_no_block_held(f);
}

static void test_stop_strings(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    choir_sequence *s = open_prompt(f, &sampling);
    const char *const stops[] = {"", "nothing like it", "e wa", "re wa"}; /* split over two tokens */
    choir_generation g;
    struct found x;
    choir_generation_default(&g);
    g.stops = stops;
    g.n_stops = 4;
    g.max_tokens = 12;
    assert_int_equal(search(&x, s, &g, 1, NULL), CHOIR_OK);
    assert_int_equal(x.n, 1);
    assert_string_equal(x.beams[0].text, ", the");
    assert_int_equal(x.beams[0].finish, CHOIR_FINISH_STOP);
    assert_int_equal(x.beams[0].n_ids, x.beams[0].length);
    choir_beams_free(x.beams, x.n);
    g.n_stops = 0;
    g.max_tokens = 0;
    assert_int_equal(search(&x, s, &g, 3, NULL), CHOIR_OK);
    assert_int_equal(x.n, 1);
    assert_int_equal(x.beams[0].n_ids, 0);
    assert_string_equal(x.beams[0].text, "");
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(s);
}

/* Four beams to the end of the context, in a pool of four contexts. */
static void test_context_full(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    sampling.ignore_eos = true;
    choir_sequence *s = open_prompt(f, &sampling);
    choir_generation g;
    struct found x;
    choir_generation_default(&g);
    g.max_tokens = -1;
    assert_int_equal(search(&x, s, &g, 4, NULL), CHOIR_OK);
    assert_int_equal(x.n, 4);
    for (int32_t b = 0; b < x.n; b++) {
        assert_int_equal(x.beams[b].n_ids, CTX - (int)f->n_ids);
        assert_int_equal(x.beams[b].finish, CHOIR_FINISH_LENGTH);
        assert_true(x.beams[b].context_full);
        assert_false(choir_is_eos(f->model, x.beams[b].ids[x.beams[b].n_ids - 1]));
    }
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(s);
    expect_no_block_held(f);
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    choir_sequence *s = open_prompt(f, &sampling);
    choir_generation g;
    struct found x;
    choir_error err;
    choir_generation_default(&g);
    choir_engine_cancel(f->engine);
    assert_int_equal(search(&x, s, &g, 4, &err), CHOIR_CANCELLED);
    assert_int_equal(x.n, 1);
    assert_int_equal(x.beams[0].n_ids, 0);
    assert_int_equal(x.beams[0].finish, CHOIR_FINISH_CALLER);
    choir_beams_free(x.beams, x.n);
    choir_engine_uncancel(f->engine);
    g.max_tokens = 3;
    assert_int_equal(search(&x, s, &g, 4, &err), CHOIR_OK);
    assert_int_equal(x.n, 4);
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(s);
}

/* A bias decides, and what is banned is never drawn. */
static void test_bias(void **state)
{
    struct fixture *f = *state;
    const choir_logit_bias bias[] = {{.id = 100, .bias = 50}, {.id = 101, .bias = 40}};
    choir_sampling sampling = greedy();
    sampling.logit_bias = bias;
    sampling.n_logit_bias = 2;
    choir_sequence *s = open_prompt(f, &sampling);
    choir_generation g;
    struct found x;
    choir_generation_default(&g);
    g.max_tokens = 3;
    assert_int_equal(search(&x, s, &g, 2, NULL), CHOIR_OK);
    for (int32_t i = 0; i < 3; i++) {
        assert_int_equal(x.beams[0].ids[i], 100);
    }
    assert_true(x.beams[0].log_prob > -1e-3);
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(s);
}

/* Ids that end a text as the model's own do. */
static void test_end_ids(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    choir_sequence *s = open_prompt(f, &sampling);
    choir_generation g;
    struct found x;
    choir_generation_default(&g);
    g.max_tokens = 5;
    assert_int_equal(search(&x, s, &g, 4, NULL), CHOIR_OK);
    const int32_t end = x.beams[0].ids[3];
    choir_beams_free(x.beams, x.n);
    g.end_ids = &end;
    g.n_end_ids = 1;
    assert_int_equal(search(&x, s, &g, 4, NULL), CHOIR_OK);
    int n_ended = 0;
    for (int32_t b = 0; b < x.n; b++) {
        n_ended += x.beams[b].finish == CHOIR_FINISH_STOP;
        assert_int_equal(x.beams[b].length - x.beams[b].n_ids, x.beams[b].finish == CHOIR_FINISH_STOP);
        for (int32_t i = 0; i < x.beams[b].n_ids; i++) {
            assert_int_not_equal(x.beams[b].ids[i], end);
        }
    }
    assert_true(n_ended > 0);
    choir_beams_free(x.beams, x.n);
    choir_sequence_close(s);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    choir_sampling sampling = greedy();
    choir_sequence *s = open_prompt(f, &sampling);
    choir_generation g;
    struct found x;
    choir_error err;
    choir_generation_default(&g);
    assert_int_equal(search(&x, s, &g, 0, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "n_beams: 0 is not from 1 to 1024");
    assert_null(x.beams);
    assert_int_equal(search(&x, s, &g, 1025, &err), CHOIR_USAGE);
    choir_beam_options opt = {.n_beams = 2, .length_penalty = NAN};
    assert_int_equal(choir_beam_search(&x.beams, &x.n, &x.result, s, &g, &opt, &err), CHOIR_USAGE);
    choir_sequence_close(s);
    sampling.repeat_penalty = 1.1f;
    s = open_prompt(f, &sampling);
    assert_int_equal(search(&x, s, &g, 2, &err), CHOIR_USAGE);
    choir_sequence_close(s);
    sampling = greedy();
    assert_int_equal(choir_sequence_open(&s, f->engine, &sampling, NULL), CHOIR_OK);
    assert_int_equal(search(&x, s, &g, 2, &err), CHOIR_PROMPT);
    choir_sequence_close(s);
    expect_no_block_held(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_beam_without_ends_is_greedy),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_stop_strings),
        cmocka_unit_test(test_context_full),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_bias),
        cmocka_unit_test(test_end_ids),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
