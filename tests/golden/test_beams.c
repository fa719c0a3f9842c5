/* Beam searches against transformers' (tools/golden/beams.py): ids and scores, whatever the threads, the chunks, the blocks and
 * the cache hold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "choir.h"
#include "tests/support/family.h"
#include "tests/support/tiny.h"

static const struct setting {
    const char *kv_type;
    int threads, batch, block;
    bool fewer_seqs, cache;
} settings[] = {
    {"f32", 1, 512, 16, false, true},
    {"f32", 3, 5, 1, false, true},
    {"f32", 2, 1, 64, false, false},
    {"f32", 2, 64, 4, true, true}, /* the rows of a step are fewer than the beams */
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

static int get(const json_t *c, const char *name)
{
    return (int)json_integer_value(json_object_get(c, name));
}

static choir_model *open_model(const struct family *f, const json_t *c, const char *dir)
{
    choir_model_options opt;
    choir_model *m;
    assert_true(family_write(f, dir, "config"));
    json_t *generation = json_pack("{s:O}", "eos_token_id", json_object_get(c, "eos"));
    char *text = json_dumps(generation, 0);
    tiny_write(dir, "generation_config.json", text, strlen(text));
    free(text);
    json_decref(generation);
    choir_model_options_default(&opt);
    opt.path = dir;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&m, &opt, NULL), CHOIR_OK);
    return m;
}

static void expect_texts(const json_t *c, const choir_beam *beams, int32_t n)
{
    const json_t *texts = json_object_get(c, "texts"), *scores = json_object_get(c, "scores");
    const double alpha = json_number_value(json_object_get(c, "length_penalty"));
    assert_int_equal(n, json_array_size(texts));
    for (int32_t b = 0; b < n; b++) {
        const json_t *want = json_array_get(texts, (size_t)b);
        double score = json_number_value(json_array_get(scores, (size_t)b));
        bool ended = beams[b].n_ids < beams[b].length;
        assert_int_equal(beams[b].length, json_array_size(want));
        assert_int_equal(beams[b].finish, ended ? CHOIR_FINISH_STOP : CHOIR_FINISH_LENGTH);
        assert_false(beams[b].context_full);
        for (int32_t i = 0; i < beams[b].n_ids; i++) {
            assert_int_equal(beams[b].ids[i], json_integer_value(json_array_get(want, (size_t)i)));
        }
        assert_true(fabs(beams[b].score - score) <= 1e-5 * fabs(score));
        assert_true(fabs(beams[b].log_prob / pow(beams[b].length, alpha) - beams[b].score) <= 1e-12 * fabs(score));
    }
}

static void search(choir_engine *e, const struct family *f, const json_t *c, double *scores)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_generation g;
    choir_beam_options opt;
    choir_beam *beams;
    choir_result result;
    int32_t n;
    const int32_t *prompt = f->ids + get(c, "first");
    const int n_prompt = get(c, "n_prompt");
    choir_sampling_default(&sampling);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, prompt, (size_t)n_prompt, NULL), CHOIR_OK);
    choir_generation_default(&g);
    g.max_tokens = get(c, "max_tokens");
    choir_beam_options_default(&opt);
    opt.n_beams = get(c, "n_beams");
    opt.length_penalty = json_number_value(json_object_get(c, "length_penalty"));
    choir_error err;
    if (choir_beam_search(&beams, &n, &result, s, &g, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    expect_texts(c, beams, n);
    for (int32_t i = 0; i < n; i++) {
        scores[i] = beams[i].score;
    }
    assert_int_equal(result.n_prompt, n_prompt);
    assert_int_equal(choir_sequence_length(s), n_prompt);
    assert_memory_equal(choir_sequence_ids(s), prompt, (size_t)n_prompt * sizeof *prompt);
    choir_beams_free(beams, n);
    choir_sequence_close(s);
    choir_engine_info info;
    choir_engine_describe(e, &info);
    assert_int_equal(info.n_free_blocks, info.n_blocks);
}

static void check_case(const json_t *c)
{
    struct family f;
    char dir[TINY_PATH];
    double first[16], scores[16];
    family_load(&f, json_string_value(json_object_get(c, "family")));
    tiny_dir_make(dir);
    choir_model *m = open_model(&f, c, dir);
    for (int i = 0; i < N_SETTINGS; i++) {
        const struct setting *x = &settings[i];
        choir_engine_options opt;
        choir_engine *e;
        choir_engine_options_default(&opt);
        opt.kv_type = x->kv_type;
        opt.n_threads = x->threads;
        opt.batch = x->batch;
        opt.kv_block = x->block;
        opt.prefix_cache = x->cache;
        opt.ctx_size = 64;
        opt.n_seqs = x->fewer_seqs && get(c, "n_beams") > 2 ? get(c, "n_beams") - 1 : get(c, "n_beams");
        choir_error err;
        if (choir_engine_open(&e, m, &opt, &err) != CHOIR_OK) {
            fail_msg("%s", err.msg);
        }
        search(e, &f, c, i == 0 ? first : scores);
        for (int again = i == 0; again < 2; again++) { /* the second time from what the cache has */
            search(e, &f, c, scores);
            assert_memory_equal(scores, first, (size_t)get(c, "n_beams") * sizeof *scores);
        }
        choir_engine_close(e);
    }
    choir_model_close(m);
    tiny_dir_remove(dir);
    family_free(&f);
}

static void test_golden(void **state)
{
    (void)state;
    json_error_t e;
    size_t i;
    json_t *c, *cases = json_load_file("tests/golden/beams.json", 0, &e);
    if (!json_is_array(cases)) {
        fail_msg("tests/golden/beams.json: %s", e.text);
    }
    assert_true(json_array_size(cases) >= 8);
    json_array_foreach(cases, i, c)
    {
        check_case(c);
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
