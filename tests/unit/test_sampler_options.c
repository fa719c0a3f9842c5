/* Defaults, checks and their messages, the order of steps, and what a chain keeps of its options. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sampler.h"
#include "engine/sampler_options.h"

static struct smp_chain *open_chain(const choir_sampling *s)
{
    struct smp_chain *chain;
    assert_int_equal(smp_open(&chain, s, 4, 4, NULL, 0, NULL), CHOIR_OK);
    return chain;
}

static choir_sampling all_off(void)
{
    return (choir_sampling){.temp = 1, .top_p = 1, .typical = 1, .repeat_penalty = 1, .repeat_last_n = 64};
}

static void defaults(void **state)
{
    (void)state;
    choir_sampling s;
    choir_sampling_default(&s);
    assert_true(s.temp == 0.8f && s.top_k == 40 && s.top_p == 0.95f && s.min_p == 0.05f && s.typical == 1.0f);
    assert_true(s.repeat_penalty == 1.0f && s.repeat_last_n == 64);
    assert_true(s.presence_penalty == 0.0f && s.frequency_penalty == 0.0f);
    assert_true(s.logit_bias == NULL && s.n_logit_bias == 0 && s.samplers == NULL);
    assert_true(s.seed == 0 && s.choice == 0 && !s.ignore_eos);
    assert_int_equal(choir_sampling_check(&s, NULL), CHOIR_OK);
}

static void refused(const choir_sampling *s, const char *message)
{
    choir_error err = {0};
    struct smp_chain *chain = (struct smp_chain *)&err;
    assert_int_equal(choir_sampling_check(s, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, message);
    assert_int_equal(err.code, CHOIR_USAGE);
    assert_int_equal(choir_sampling_check(s, NULL), CHOIR_USAGE);
    assert_int_equal(smp_open(&chain, s, 10, 10, NULL, 0, &err), CHOIR_USAGE);
    assert_null(chain);
}

/* One field at a time out of range. */
#define REFUSED(field, value, message)                                                                                 \
    do {                                                                                                               \
        choir_sampling bad = all_off();                                                                                \
        bad.field = value;                                                                                             \
        refused(&bad, message);                                                                                        \
    } while (0)

static void check_numbers(void **state)
{
    (void)state;
    REFUSED(temp, NAN, "temp: nan must be a finite number, 0 or more");
    REFUSED(temp, -NAN, "temp: nan must be a finite number, 0 or more");
    REFUSED(temp, INFINITY, "temp: inf must be a finite number, 0 or more");
    REFUSED(temp, -1, "temp: -1 must be a finite number, 0 or more");
    REFUSED(top_k, -1, "top_k: -1 must be 0 (off) or more");
    REFUSED(top_p, 2, "top_p: 2 must be a number from 0 to 1");
    REFUSED(top_p, NAN, "top_p: nan must be a number from 0 to 1");
    REFUSED(top_p, -0.5f, "top_p: -0.5 must be a number from 0 to 1");
    REFUSED(min_p, 1.5f, "min_p: 1.5 must be a number from 0 to 1");
    REFUSED(typical, -INFINITY, "typical: -inf must be a number from 0 to 1");
    REFUSED(repeat_penalty, 0, "repeat_penalty: 0 must be a finite number above 0");
    REFUSED(repeat_penalty, INFINITY, "repeat_penalty: inf must be a finite number above 0");
    REFUSED(repeat_penalty, NAN, "repeat_penalty: nan must be a finite number above 0");
    REFUSED(repeat_last_n, -2, "repeat_last_n: -2 must be -1 (all), 0 (off) or more");
    REFUSED(presence_penalty, NAN, "presence_penalty: nan must be a finite number");
    REFUSED(frequency_penalty, INFINITY, "frequency_penalty: inf must be a finite number");
}

static void check_logit_bias(void **state)
{
    (void)state;
    choir_logit_bias bias[] = {{3, -INFINITY}, {5, 1}};
    choir_sampling s = all_off();
    s.n_logit_bias = 2;
    refused(&s, "logit_bias: 2 entries are said to be there, but there is no list");
    s.logit_bias = bias;
    assert_int_equal(choir_sampling_check(&s, NULL), CHOIR_OK);
    bias[1].bias = NAN;
    refused(&s, "logit_bias: nan for id 5 must be a finite number or -inf");
    bias[1].bias = INFINITY;
    refused(&s, "logit_bias: inf for id 5 must be a finite number or -inf");
    bias[1] = (choir_logit_bias){-1, 0};
    refused(&s, "logit_bias: -1 must be a token id, 0 or more");
    bias[1] = (choir_logit_bias){10, 0};
    struct smp_chain *chain;
    choir_error err = {0};
    assert_int_equal(smp_open(&chain, &s, 10, 9, NULL, 0, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "logit_bias: id 10 is not below the vocabulary's size, 10");
    assert_null(chain);
    bias[1].id = 9; /* without a piece: no effect, no harm */
    assert_int_equal(smp_open(&chain, &s, 10, 9, NULL, 0, &err), CHOIR_OK);
    smp_close(chain);
}

#define KNOWN "; known: penalties, top_k, typical, top_p, min_p, temperature"

static void check_samplers(void **state)
{
    (void)state;
    REFUSED(samplers, "top_k;topp", "samplers: unknown step \"topp\"" KNOWN);
    REFUSED(samplers, "top_k;", "samplers: unknown step \"\"" KNOWN);
    REFUSED(samplers, ";", "samplers: unknown step \"\"" KNOWN);
    REFUSED(samplers, "top_k,top_p", "samplers: unknown step \"top_k,top_p\"" KNOWN);
    REFUSED(samplers, "Top_k", "samplers: unknown step \"Top_k\"" KNOWN);
    REFUSED(samplers, "top", "samplers: unknown step \"top\"" KNOWN);
    REFUSED(samplers, "min_p;\x1b[2J", "samplers: unknown step \"\\x1b[2J\"" KNOWN);
    REFUSED(samplers, "min_p;top_p;min_p", "samplers: \"min_p\" is named twice");
    struct smp_order order;
    assert_int_equal(smp_order_parse(&order, NULL, NULL), CHOIR_OK);
    assert_int_equal(order.n_steps, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(order.steps[i], i);
    }
    assert_int_equal(smp_order_parse(&order, "", NULL), CHOIR_OK);
    assert_int_equal(order.n_steps, 0);
    assert_int_equal(smp_order_parse(&order, "temperature;penalties", NULL), CHOIR_OK);
    assert_int_equal(order.n_steps, 2);
    assert_int_equal(order.steps[0], SMP_TEMPERATURE);
    assert_int_equal(order.steps[1], SMP_PENALTIES);
}

/* A chain keeps its options to itself: what they were made of may go away, and another can be opened from them. */
static void options_are_copied(void **state)
{
    (void)state;
    choir_logit_bias bias[] = {{2, 50}};
    char samplers[] = "top_k;temperature";
    choir_sampling s;
    choir_sampling_default(&s);
    s.logit_bias = bias;
    s.n_logit_bias = 1;
    s.samplers = samplers;
    s.seed = 7;
    struct smp_chain *chain = open_chain(&s);
    bias[0] = (choir_logit_bias){1, 1000};
    memset(samplers, 'x', sizeof samplers - 1);
    const choir_sampling *kept = smp_options(chain);
    assert_string_equal(kept->samplers, "top_k;temperature");
    assert_int_equal(kept->seed, 7);
    assert_int_equal(kept->logit_bias[0].id, 2);
    struct smp_chain *second = open_chain(kept);
    smp_close(chain);
    const float logits[] = {0, 0, 0, 0};
    assert_int_equal(smp_draw(second, logits, NULL, 0, 0), 2);
    assert_string_equal(smp_options(second)->samplers, "top_k;temperature");
    smp_close(second);
    smp_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),       cmocka_unit_test(check_numbers),      cmocka_unit_test(check_logit_bias),
        cmocka_unit_test(check_samplers), cmocka_unit_test(options_are_copied),
    };
    return cmocka_run_group_tests_name("sampler_options", tests, NULL, NULL);
}
