/* The whole chain against the plain implementation; then the draws themselves: chi-square against the probabilities, and
 * a golden sequence that must never change. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sampler.h"
#include "tests/support/plain_sampler.h"

static struct smp_chain *open_chain(const choir_sampling *s, int32_t n)
{
    struct smp_chain *chain;
    choir_error err = {0};
    if (smp_open(&chain, s, n, n, NULL, 0, &err) != CHOIR_OK) {
        print_error("%s\n", err.msg);
    }
    assert_non_null(chain);
    return chain;
}

static int32_t draw_once(const choir_sampling *s, const float *logits, int32_t n, int32_t pos)
{
    struct smp_chain *chain = open_chain(s, n);
    int32_t id = smp_draw(chain, logits, NULL, 0, pos);
    smp_close(chain);
    return id;
}

static choir_sampling all_off(void)
{
    return (choir_sampling){.temp = 1, .top_p = 1, .typical = 1, .repeat_penalty = 1, .repeat_last_n = 64};
}

static const char *random_order(char *dst, uint64_t *state)
{
    const char *names[] = {"penalties", "top_k", "typical", "top_p", "min_p", "temperature"};
    for (uint32_t i = 5; i > 0; i--) {
        uint32_t j = plain_random(state, i + 1);
        const char *name = names[i];
        names[i] = names[j];
        names[j] = name;
    }
    dst[0] = '\0';
    uint32_t n = plain_random(state, 7);
    for (uint32_t i = 0; i < n; i++) {
        strcat(dst, i > 0 ? ";" : "");
        strcat(dst, names[i]);
    }
    return dst;
}

/* Random options in random order on random logits: the same id as the plain implementation, every time. */
static void chain_in_any_order(void **unused)
{
    (void)unused;
    enum { N = 120, N_HISTORY = 90 };
    struct plain *plain = malloc(sizeof *plain);
    assert_non_null(plain);
    uint64_t state = 0xFEEDFACECAFEBEEFu;
    float logits[N];
    int32_t history[N_HISTORY];
    for (int round = 0; round < 3000; round++) {
        char order[100];
        const choir_logit_bias bias[] = {{3, 4.5f}, {7, -INFINITY}, {3, -1}, {N - 1, 2}};
        plain_random_logits(logits, N, round % 5 == 0, &state);
        for (int i = 0; i < N_HISTORY; i++) {
            history[i] = (int32_t)plain_random(&state, 40);
        }
        choir_sampling s = all_off();
        s.seed = (uint64_t)round * 77;
        s.choice = plain_random(&state, 3);
        s.temp = 0.1f + (float)plain_random_unit(&state) * 2;
        s.top_k = plain_random(&state, 2) == 0 ? 0 : (int32_t)plain_random(&state, N + 10);
        s.top_p = plain_random(&state, 2) == 0 ? 1 : (float)plain_random_unit(&state);
        s.min_p = plain_random(&state, 2) == 0 ? 0 : (float)plain_random_unit(&state) * 0.5f;
        s.typical = round % 5 == 0 || plain_random(&state, 2) == 0 ? 1 : (float)plain_random_unit(&state);
        s.repeat_penalty = plain_random(&state, 2) == 0 ? 1 : 1.2f;
        s.presence_penalty = plain_random(&state, 2) == 0 ? 0 : 0.4f;
        s.frequency_penalty = plain_random(&state, 2) == 0 ? 0 : 0.3f;
        s.repeat_last_n = plain_random(&state, 2) == 0 ? 64 : (int32_t)plain_random(&state, 120) - 1;
        s.logit_bias = bias;
        s.n_logit_bias = plain_random(&state, 5);
        s.samplers = plain_random(&state, 2) == 0 ? NULL : random_order(order, &state);
        struct smp_chain *chain = open_chain(&s, N);
        for (int32_t pos = 0; pos < 3; pos++) { /* a chain carries nothing from one draw to the next */
            int32_t n_history = (int32_t)plain_random(&state, N_HISTORY + 1);
            int32_t want = plain_draw(plain, logits, N, history, n_history, pos, &s);
            assert_int_equal(smp_draw(chain, logits, history, n_history, pos), want);
        }
        smp_close(chain);
    }
    free(plain);
}

static void order_matters(void **state)
{
    (void)state;
    /* p at temp 1: 0.64 0.23 0.09 0.03; a high temperature before top_p lets more through than after it */
    const float logits[] = {4, 3, 2, 1};
    choir_sampling s = all_off();
    s.temp = 10;
    s.top_p = 0.6f;
    bool seen[2][4] = {{false}};
    for (int way = 0; way < 2; way++) {
        s.samplers = way == 0 ? "top_p;temperature" : "temperature;top_p";
        for (int32_t pos = 0; pos < 200; pos++) {
            seen[way][draw_once(&s, logits, 4, pos)] = true;
        }
    }
    const bool want[2][4] = {{true, false, false, false}, {true, true, true, false}};
    assert_memory_equal(seen, want, sizeof seen);
}

static void greedy(void **state)
{
    (void)state;
    const float logits[] = {1, 5, -2, 5, 4};
    const int32_t history[] = {1, 1, 3};
    choir_sampling s;
    choir_sampling_default(&s);
    s.temp = 0;
    struct smp_chain *chain = open_chain(&s, 5);
    for (int32_t pos = 0; pos < 50; pos++) {
        assert_int_equal(smp_draw(chain, logits, history, 3, pos), 1); /* the lower id of two equals */
    }
    smp_close(chain);
    s.presence_penalty = 0.5f;   /* 1 and 3 fall to 4.5 */
    s.frequency_penalty = 0.25f; /* and to 4 and 4.25 */
    chain = open_chain(&s, 5);
    assert_int_equal(smp_draw(chain, logits, history, 3, 0), 3);
    assert_int_equal(smp_draw(chain, logits, history, 0, 0), 1);
    smp_close(chain);
    s.samplers = "top_k;penalties"; /* wherever the penalties stand */
    s.top_k = 1;
    chain = open_chain(&s, 5);
    assert_int_equal(smp_draw(chain, logits, history, 3, 0), 3);
    smp_close(chain);
    s.samplers = "top_k"; /* left out: off */
    chain = open_chain(&s, 5);
    assert_int_equal(smp_draw(chain, logits, history, 3, 0), 1);
    smp_close(chain);
    const choir_logit_bias bias[] = {{1, -INFINITY}, {2, 100}};
    s = all_off();
    s.temp = 0;
    s.logit_bias = bias;
    s.n_logit_bias = 1;
    assert_int_equal(draw_once(&s, logits, 5, 0), 3);
    s.n_logit_bias = 2;
    assert_int_equal(draw_once(&s, logits, 5, 0), 2);
}

static void penalties_look_back(void **state)
{
    (void)state;
    const float logits[] = {3, 2, -1, -1.5f};
    choir_sampling s = all_off();
    s.temp = 0;
    s.repeat_penalty = 2;
    s.repeat_last_n = 2;
    struct smp_chain *chain = open_chain(&s, 4);
    const int32_t old[] = {0, 3, 3};
    assert_int_equal(smp_draw(chain, logits, old, 3, 0), 0); /* out of the window */
    const int32_t recent[] = {3, 3, 0};
    assert_int_equal(smp_draw(chain, logits, recent, 3, 0), 1); /* 1.5 against 2 */
    const int32_t strange[] = {-1, 4};
    assert_int_equal(smp_draw(chain, logits, strange, 2, 0), 0); /* ids that are none */
    smp_close(chain);
    const float negative[] = {-1, -1.5f};
    chain = open_chain(&s, 2);
    const int32_t first[] = {0};
    assert_int_equal(smp_draw(chain, negative, first, 1, 0), 1); /* -2 against -1.5 */
    smp_close(chain);
    s.repeat_last_n = -1;
    chain = open_chain(&s, 4);
    assert_int_equal(smp_draw(chain, logits, old, 3, 0), 1);
    smp_close(chain);
    s.repeat_last_n = 0;
    chain = open_chain(&s, 4);
    assert_int_equal(smp_draw(chain, logits, recent, 3, 0), 0);
    smp_close(chain);
}

static void banned_ids_are_never_drawn(void **state)
{
    (void)state;
    const float logits[] = {1, 9, 2, 8, 3, 99, 99, 99};
    const int32_t eos[] = {1, -1, 3, 7};
    choir_sampling s = all_off();
    s.temp = 5;
    s.ignore_eos = true;
    struct smp_chain *chain;
    assert_int_equal(smp_open(&chain, &s, 8, 5, eos, 4, NULL), CHOIR_OK);
    int seen[8] = {0};
    for (int32_t pos = 0; pos < 500; pos++) {
        seen[smp_draw(chain, logits, NULL, 0, pos)]++;
    }
    smp_close(chain);
    assert_true(seen[0] > 0 && seen[2] > 0 && seen[4] > 0);
    assert_int_equal(seen[0] + seen[2] + seen[4], 500);
    s.ignore_eos = false;
    s.temp = 0;
    assert_int_equal(smp_open(&chain, &s, 8, 5, eos, 4, NULL), CHOIR_OK);
    assert_int_equal(smp_draw(chain, logits, NULL, 0, 0), 1);
    smp_close(chain);
}

static void all_banned_is_refused(void **state)
{
    (void)state;
    const int32_t eos[] = {0};
    const choir_logit_bias bias[] = {{1, -INFINITY}, {2, -INFINITY}};
    choir_sampling s;
    choir_sampling_default(&s);
    s.ignore_eos = true;
    s.logit_bias = bias;
    s.n_logit_bias = 2;
    struct smp_chain *chain;
    choir_error err;
    assert_int_equal(smp_open(&chain, &s, 4, 3, eos, 1, &err), CHOIR_USAGE); /* id 3 has no piece */
    assert_null(chain);
    assert_string_equal(err.msg, "logit_bias: every one of the 3 tokens is banned");
    s.ignore_eos = false;
    assert_int_equal(smp_open(&chain, &s, 4, 3, eos, 1, NULL), CHOIR_OK);
    smp_close(chain);
}

/* Numbers at the end of what floats can be: an id comes out, and the right one. */
static void extreme_numbers(void **state)
{
    (void)state;
    const float logits[] = {-3.4e38f, 3.3e38f, 3.4e38f, 0};
    const choir_logit_bias bias[] = {{1, 3.4e38f}};
    const int32_t history[] = {1};
    choir_sampling s = all_off();
    assert_int_equal(draw_once(&s, logits, 4, 0), 2);
    s.temp = 1e-45f;
    s.typical = 0.9f;
    s.top_p = 0.9f;
    s.min_p = 1e-45f;
    assert_int_equal(draw_once(&s, logits, 4, 0), 2);
    s.samplers = "temperature;typical;top_p;min_p";
    assert_int_equal(draw_once(&s, logits, 4, 0), 2);
    s.samplers = NULL;
    s.logit_bias = bias;
    s.n_logit_bias = 1;
    s.repeat_penalty = 3.4e38f;
    struct smp_chain *chain = open_chain(&s, 4);
    assert_int_equal(smp_draw(chain, logits, history, 0, 0), 1);
    assert_int_equal(smp_draw(chain, logits, history, 1, 0), 2);
    smp_close(chain);
    s.n_logit_bias = 0;
    const float one[] = {-5};
    assert_int_equal(draw_once(&s, one, 1, 0), 0);
    /* filters at their other end keep one */
    s = all_off();
    s.top_p = 0;
    s.typical = 0;
    s.min_p = 1;
    const float flat[] = {2, 2, 2};
    assert_int_equal(draw_once(&s, flat, 3, 0), 0);
}

/* A filter that removes nothing changes no draw, though it takes another way through the code. */
static void open_filters_change_nothing(void **state)
{
    (void)state;
    enum { N = 300 };
    float logits[N];
    uint64_t rng = 5;
    plain_random_logits(logits, N, true, &rng);
    choir_sampling off = all_off();
    choir_sampling open = all_off();
    open.top_k = N - 1; /* sorts; the last one has no chance worth mentioning */
    logits[17] = -80;
    open.min_p = 1e-35f;
    struct smp_chain *a = open_chain(&off, N);
    struct smp_chain *b = open_chain(&open, N);
    for (int32_t pos = 0; pos < 2000; pos++) {
        assert_int_equal(smp_draw(a, logits, NULL, 0, pos), smp_draw(b, logits, NULL, 0, pos));
    }
    smp_close(a);
    smp_close(b);
}

/* ---- the draws --------------------------------------------------------------------------------------- */

/* z of a chi-square value (Wilson and Hilferty 1931): above 3.72 happens once in 10,000. */
static double chi_square_z(double chi2, double df)
{
    return (cbrt(chi2 / df) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df));
}

static void chi_square(const choir_sampling *s)
{
    enum { N = 50, DRAWS = 200000 };
    static const double CRITICAL = 3.72;
    float logits[N];
    uint64_t rng = 99;
    plain_random_logits(logits, N, false, &rng);
    struct plain *plain = malloc(sizeof *plain);
    assert_non_null(plain);
    plain_draw(plain, logits, N, NULL, 0, 0, s); /* leaves what could be drawn, with probabilities */
    struct smp_chain *chain = open_chain(s, N);
    int seen[N] = {0};
    for (int32_t pos = 0; pos < DRAWS; pos++) {
        seen[smp_draw(chain, logits, NULL, 0, pos)]++;
    }
    smp_close(chain);
    double chi2 = 0;
    double rest_want = 0; /* cells below 5 are put together */
    int rest_seen = 0;
    int n_cells = 0;
    int n_seen = 0;
    for (int32_t i = 0; i < plain->n; i++) {
        double want = plain->p[i] * DRAWS;
        int got = seen[plain->id[i]];
        n_seen += got;
        if (want < 5) {
            rest_want += want;
            rest_seen += got;
        } else {
            chi2 += (got - want) * (got - want) / want;
            n_cells++;
        }
    }
    if (rest_want >= 1) {
        chi2 += (rest_seen - rest_want) * (rest_seen - rest_want) / rest_want;
        n_cells++;
    }
    assert_int_equal(n_seen, DRAWS); /* nothing outside */
    assert_true(n_cells > 2);
    assert_true(fabs(chi_square_z(chi2, n_cells - 1)) < CRITICAL); /* too good is wrong too */
    free(plain);
}

static void chi_square_temp(void **state)
{
    (void)state;
    choir_sampling s = all_off();
    chi_square(&s);
    s.temp = 0.7f;
    s.seed = 1;
    chi_square(&s);
}

static void chi_square_top_k(void **state)
{
    (void)state;
    choir_sampling s = all_off();
    s.top_k = 10;
    s.seed = 2;
    chi_square(&s);
}

static void chi_square_top_p(void **state)
{
    (void)state;
    choir_sampling s = all_off();
    s.top_p = 0.9f;
    s.seed = 3;
    s.choice = 1;
    chi_square(&s);
}

static void chi_square_min_p(void **state)
{
    (void)state;
    choir_sampling s = all_off();
    s.min_p = 0.05f;
    s.seed = UINT64_MAX;
    chi_square(&s);
}

/* N11: the very ids that every machine must draw.  Logits are small binary fractions, so they are the same everywhere. */
static void golden_draws(void **state)
{
    (void)state;
    enum { N = 1000 };
    static const int32_t want[2][16] = {
        {376, 587, 686, 442, 752, 831, 719, 864, 33, 99, 686, 620, 798, 376, 963, 343},
        {851, 587, 469, 660, 376, 132, 884, 139, 521, 132, 568, 284, 317, 409, 343, 456}};
    float logits[N];
    for (int32_t i = 0; i < N; i++) {
        logits[i] = (float)(i * 7919 % 1009) / 64;
    }
    choir_sampling s[2];
    choir_sampling_default(&s[0]);
    s[0].seed = 42;
    s[1] = all_off();
    s[1].seed = 42;
    s[1].choice = 3;
    s[1].typical = 0.9f;
    s[1].temp = 1.5f;
    for (int i = 0; i < 2; i++) {
        struct smp_chain *chain = open_chain(&s[i], N);
        for (int32_t pos = 0; pos < 16; pos++) {
            int32_t id = smp_draw(chain, logits, NULL, 0, pos);
            if (id != want[i][pos]) {
                print_error("draw %d of row %d: %d\n", pos, i, id);
            }
            assert_int_equal(id, want[i][pos]);
        }
        smp_close(chain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_in_any_order),
        cmocka_unit_test(order_matters),
        cmocka_unit_test(greedy),
        cmocka_unit_test(penalties_look_back),
        cmocka_unit_test(banned_ids_are_never_drawn),
        cmocka_unit_test(all_banned_is_refused),
        cmocka_unit_test(extreme_numbers),
        cmocka_unit_test(open_filters_change_nothing),
        cmocka_unit_test(chi_square_temp),
        cmocka_unit_test(chi_square_top_k),
        cmocka_unit_test(chi_square_top_p),
        cmocka_unit_test(chi_square_min_p),
        cmocka_unit_test(golden_draws),
    };
    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
