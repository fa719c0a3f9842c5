/* See golden_run.h. */
#include "tests/support/golden_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static choir_model *open_at(const char *cpu, const char *path, const char *quant, bool in_place)
{
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.cpu = cpu;
    opt.quant = quant;
    opt.mmap = in_place;
    opt.text_optional = true;
    choir_model *m;
    choir_error err;
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return m;
}

choir_model *golden_open(const char *path, const char *quant, bool in_place)
{
    return open_at(NULL, path, quant, in_place);
}

static double nmse_of(const struct golden *g, const choir_model *m, const char *type)
{
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.kv_type = "f32";
    choir_engine *e;
    choir_sequence *s;
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    assert_int_equal(choir_engine_open(&e, m, &opt, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    double *expected = golden_logits(g, type);
    double error = 0, power = 0;
    int first = g->n_ids - g->keep;
    assert_int_equal(choir_sequence_append(s, g->ids, (size_t)first, NULL), CHOIR_OK);
    for (int t = 0; t < g->keep; t++) {
        assert_int_equal(choir_sequence_append(s, g->ids + first + t, 1, NULL), CHOIR_OK);
        while (choir_sequence_computed(s) < choir_sequence_length(s)) {
            assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        }
        const float *logits = choir_sequence_logits(s);
        assert_non_null(logits);
        for (int i = 0; i < g->vocab_size; i++) {
            double want = expected[t * g->vocab_size + i];
            error += (logits[i] - want) * (logits[i] - want);
            power += want * want;
        }
    }
    free(expected);
    choir_sequence_close(s);
    choir_engine_close(e);
    return error / power;
}

double golden_nmse(const struct golden *g, const char *path, const char *quant, bool in_place, const char *type)
{
    return golden_nmse_at(g, NULL, path, quant, in_place, type);
}

double golden_nmse_at(const struct golden *g, const char *cpu, const char *path, const char *quant, bool in_place,
                      const char *type)
{
    choir_model *m = open_at(cpu, path, quant, in_place);
    double nmse = nmse_of(g, m, type);
    choir_model_close(m);
    return nmse;
}
