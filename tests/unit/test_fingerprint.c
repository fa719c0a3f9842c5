/* The fingerprint of a model sees every kind of weight: a number changed in any of them makes another model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "tests/support/family.h"
#include "tests/support/tiny.h"

static choir_model *open_family(const char *name)
{
    struct family f;
    char dir[TINY_PATH];
    choir_model_options opt;
    choir_model *m;
    choir_error err;
    tiny_dir_make(dir);
    family_load(&f, name);
    assert_true(family_write(&f, dir, "config"));
    choir_model_options_default(&opt);
    opt.path = dir;
    opt.text_optional = true;
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    family_free(&f);
    tiny_dir_remove(dir);
    return m;
}

static uint64_t fingerprint(const choir_model *m)
{
    uint64_t x;
    assert_int_equal(mdl_fingerprint(&x, m->weights, NULL), CHOIR_OK);
    return x;
}

/* The first byte of a weight, changed and changed back. */
static void check_seen(const choir_model *m, const void *weight, const char *what)
{
    const uint64_t before = fingerprint(m);
    uint8_t *byte;
    memcpy(&byte, &weight, sizeof byte); /* a model is const to all but this */
    assert_non_null(byte);
    *byte ^= 1;
    if (fingerprint(m) == before) {
        fail_msg("%s is not seen", what);
    }
    *byte ^= 1;
    assert_true(fingerprint(m) == before);
}

static void test_biases(void **state)
{
    (void)state;
    choir_model *m = open_family("starcoder2");
    const struct mdl_layer *y = &m->weights->layers[m->config.n_layers - 1];
    check_seen(m, y->wk.panels, "W_K");
    check_seen(m, y->bq, "W_Q's bias");
    check_seen(m, y->bk, "W_K's bias");
    check_seen(m, y->bv, "W_V's bias");
    check_seen(m, y->bo, "W_O's bias");
    check_seen(m, y->att_norm_bias, "a norm's bias");
    check_seen(m, y->ffn.b_up, "W_up's bias");
    check_seen(m, y->ffn.b_down, "W_down's bias");
    check_seen(m, m->weights->output_norm_bias, "the last norm's bias");
    choir_model_close(m);
}

/* Of all heads together. */
static void test_norm_rows(void **state)
{
    (void)state;
    choir_model *m = open_family("olmo2");
    const struct mdl_layer *y = &m->weights->layers[0];
    check_seen(m, y->q_norm + mdl_q_dim(&m->config) - 1, "the norm of queries");
    check_seen(m, y->k_norm + mdl_kv_dim(&m->config) - 1, "the norm of keys");
    choir_model_close(m);
}

static void test_experts(void **state)
{
    (void)state;
    choir_model *m = open_family("qwen3_moe");
    const struct mdl_layer *y = &m->weights->layers[m->config.n_layers - 1];
    const struct mdl_ffn *last = &y->experts[m->config.n_experts - 1];
    check_seen(m, y->q_norm, "the norm of queries");
    check_seen(m, y->k_norm, "the norm of keys");
    check_seen(m, y->router.panels, "the router");
    check_seen(m, last->w_gate.panels, "an expert's W_gate");
    check_seen(m, last->w_up.panels, "an expert's W_up");
    check_seen(m, last->w_down.panels, "an expert's W_down");
    choir_model_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_biases), cmocka_unit_test(test_norm_rows),
                                       cmocka_unit_test(test_experts)};
    return cmocka_run_group_tests_name("fingerprint", tests, NULL, NULL);
}
