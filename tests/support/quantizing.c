/* Models quantized by the library, and their logits. */
#include "tests/support/quantizing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/golden_run.h"

choir_status quantize_as(const char *in, const char *out, const char *type, const char *tokenizer, choir_error *err)
{
    choir_quantize_options opt = {.in = in, .out = out, .type = type, .tokenizer = tokenizer};
    return choir_quantize(&opt, err);
}

void quantize_pure(const char *in, const char *out, const char *type, int n_threads)
{
    choir_error err;
    choir_quantize_options opt = {.in = in, .out = out, .type = type, .pure = true, .n_threads = n_threads};
    if (choir_quantize(&opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
}

void quantize_file(const char *in, const char *out, const char *type, const char *tokenizer)
{
    choir_error err;
    if (quantize_as(in, out, type, tokenizer, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
}

struct golden quantizing_model(int32_t ids[12])
{
    for (int i = 0; i < 12; i++) {
        ids[i] = 7 * i % 96;
    }
    return (struct golden){.name = "wide",
                           .seed = 21,
                           .n_ids = 12,
                           .keep = 12,
                           .dim = 256,
                           .hidden_dim = 512,
                           .n_layers = 3,
                           .n_heads = 4,
                           .n_kv_heads = 2,
                           .head_dim = 64,
                           .vocab_size = 96,
                           .max_seq_len = 32,
                           .ids = ids};
}

float *quantizing_logits(const struct golden *g, const char *path, const char *quant, bool in_place)
{
    choir_model *m = golden_open(path, quant, in_place);
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.kv_type = "f32";
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    choir_engine *e;
    choir_sequence *s;
    assert_int_equal(choir_engine_open(&e, m, &opt, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    const size_t row = (size_t)g->vocab_size * sizeof(float);
    float *logits = malloc((size_t)g->n_ids * row);
    for (int t = 0; t < g->n_ids; t++) {
        assert_int_equal(choir_sequence_append(s, g->ids + t, 1, NULL), CHOIR_OK);
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        memcpy(logits + (size_t)t * (size_t)g->vocab_size, choir_sequence_logits(s), row);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    return logits;
}

void expect_same_logits(const struct golden *g, const float *a, const float *b, const char *name, const char *how)
{
    if (memcmp(a, b, (size_t)g->n_ids * (size_t)g->vocab_size * sizeof *a) != 0) {
        fail_msg("%s: other logits %s", name, how);
    }
}
